"""snapshot-create --no-wait: the command returns when the guest runs again, the capture goes on behind it, and whatever
becomes of that and of the process that waits for it, there is a whole snapshot or none, and the guest does not notice."""
import json
import os
import pathlib
import signal
import subprocess

import clients
import harness
from harness import wait_for
from scratch import has_ended, pids_naming


class Captures(harness.SystemTest):
    """The capture is held up with SIGSTOP where the test wants to see it in its midst. The guest then stands still at its next
    write to a page that is not saved yet."""

    def begin(self):
        self.running = self.boot(memory_mib=512)
        self.running.do("fill 3 256", seconds=180)
        self.marks = self.running.status()
        self.memory = self.scratch / "s.mem"
        result = self.cli("snapshot-create-as", "g", "s", "--memspec", f"file={self.memory}", "--no-wait")
        self.assertEqual((result.code, result.out), (0, "Domain snapshot s is being saved\n"), result.err)

    def programs(self, name):
        """Pids of ours that are at work for this domain."""
        needle = self.memory if name == "domsnap-memory" else self.scratch.state
        return [pid for pid in pids_naming(needle) if name.encode() in program(pid)]

    def hold(self):
        """True if the capture was stopped before it was done; the finisher's pid is in self.finisher."""
        self.finisher = next(iter(self.programs("domsnap-finish")), None)
        for pid in self.programs("domsnap-memory"):
            os.kill(pid, signal.SIGSTOP)
            self.captures = [pid]
            return self.listed_state() == "saving"
        return False

    def go_on(self):
        for pid in self.captures:
            os.kill(pid, signal.SIGCONT)

    def listed_state(self):
        listed = json.loads(self.ok("--json", "snapshot-list", "g"))["snapshots"]
        return listed[0]["state"] if listed else None

    def wait_until_done(self):
        wait_for(lambda: has_ended(self.finisher), 120, "the snapshot is carried to its end")

    def assert_back(self):
        self.running.do("fill 9 8")
        self.ok("snapshot-revert", "g", "s")
        status = self.running.status()
        self.assertEqual((status["boot"], status["ram_hash"]), (self.marks["boot"], self.marks["ram_hash"]))
        self.assert_healthy()

    def assert_never_was(self):
        self.assertEqual(self.snapshots(), [])
        self.assertFalse(self.memory.exists())
        self.assertEqual(self.sources(), {t: self.scratch / f"{t}.qcow2" for t in ("vda", "vdb")})
        self.assertEqual({path.name for path in self.scratch.path.glob("vd*")}, {"vda.qcow2", "vdb.qcow2"})
        self.assertEqual(self.assert_healthy()["boot"], self.marks["boot"])


class NoWait(Captures):
    def test_saving_then_whole(self):
        self.begin()
        self.assertTrue(self.hold(), "the capture is in its midst")
        self.assertIn("saving", self.ok("snapshot-list", "g"))
        info = json.loads(self.ok("--json", "snapshot-info", "g", "s"))
        self.assertEqual((info["state"], info["current"]), ("saving", False))
        self.assertIn("Unbounded", self.ok("domjobinfo", "g"))
        waiting = self.spawn("snapshot-delete", "g", "s")
        line = waiting.stderr.readline()
        self.assertRegex(line, r"snapshot-delete waits for the capture of snapshot 's'( \(\d+ %\))?$")
        suspending = self.spawn("suspend", "g")
        self.assertIn("suspend waits for the capture of snapshot 's'", suspending.stderr.readline())
        self.go_on()
        self.assertEqual((self.finish(waiting).code, self.finish(suspending).code), (0, 0))
        self.ok("resume", "g")
        self.assert_never_was()
        self.assertIn("Completed", self.ok("domjobinfo", "g", "--completed"))
        self.assertIn("None", self.ok("domjobinfo", "g"))
        self.refused("domjobabort", "g", naming="no job is active on the domain")
        self.ok("snapshot-create-as", "g", "s", "--memspec", f"file={self.memory}", "--no-wait")
        self.assert_back()

    def test_aborted(self):
        self.begin()
        self.assertTrue(self.hold())
        self.ok("domjobabort", "g")
        self.go_on()
        self.wait_until_done()
        self.assertIn("Cancelled", self.ok("domjobinfo", "g", "--completed"))
        self.assertIn("snapshot 's' was not taken: ", self.ok("recover", "g"))
        self.assertEqual(self.ok("recover", "g"), "Nothing to recover\n\n")
        self.assert_never_was()

    def test_no_space_left(self):
        """The image's file is one that takes no more than a little: a size limit, kept by the process that writes."""
        self.running = self.boot()
        self.running.do("fill 3 64", seconds=180)
        self.marks = self.running.status()
        self.memory = self.scratch / "s.mem"
        limited = ["prlimit", f"--fsize={24 << 20}", os.environ["DOMSNAP"]]
        result = self.run_limited(limited, "snapshot-create-as", "g", "s", "--memspec", f"file={self.memory}", "--no-wait")
        self.assertEqual(result.code, 0, result.err)
        wait_for(lambda: not self.programs("domsnap-finish"), 120, "it is taken back")
        self.assertIn("Failed", self.ok("domjobinfo", "g", "--completed"))
        self.assertIn("snapshot 's' was not taken: ", self.ok("recover", "g"))
        self.assert_never_was()

    def run_limited(self, command, *arguments):
        process = subprocess.Popen([*command, *map(str, arguments)], stdin=subprocess.DEVNULL, text=True,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=self.scratch.environment())
        return self.finish(process)

    def test_finisher_killed(self):
        self.begin()
        self.assertTrue(self.hold())
        os.kill(self.finisher, signal.SIGKILL)
        wait_for(lambda: has_ended(self.finisher), 20, "it is gone")
        self.assertEqual(self.snapshots(), [])
        self.go_on()
        # Nobody waits for the capture any more, but it goes on: the next command has the snapshot.
        self.assertIn("finished the interrupted snapshot-create of 's'", self.ok("recover", "g"))
        self.assertEqual(self.listed_state(), "running")
        self.assert_back()

    def test_both_killed(self):
        self.begin()
        self.assertTrue(self.hold())
        for pid in [self.finisher, *self.captures]:
            os.kill(pid, signal.SIGKILL)
        self.assertIn("took back the interrupted snapshot-create of 's'", self.ok("recover", "g"))
        self.assert_never_was()


class SeenByVirsh(clients.ClientTest, Captures):
    def test_job_of_another_process(self):
        self.begin()
        self.assertTrue(self.hold())
        self.assertIn("Unbounded", self.virsh_ok("domjobinfo", "g"))
        self.assertEqual(self.virsh_ok("snapshot-list", "g", "--name"), "", "it is none yet")
        self.virsh_ok("domjobabort", "g")
        self.go_on()
        self.wait_until_done()
        theirs = self.virsh_ok("domjobinfo", "g", "--completed", "--anystats")
        self.assertIn("Cancelled", theirs)
        ours = self.ok("domjobinfo", "g", "--completed").splitlines()
        for line in theirs.splitlines():
            self.assertIn(line.rstrip(), [own.rstrip() for own in ours])
        self.assertEqual(self.virsh_ok("domjobinfo", "g").split(), ["Job", "type:", "None"])
        self.virsh_refused("domjobabort", "g", naming="no job is active on the domain")
        self.assert_never_was()


def program(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")[0]
    except OSError:
        return b""


if __name__ == "__main__":
    harness.main()
