"""--quiesce: the agent in the guest freezes its file systems before the stop and thaws them after, whatever happens."""
import os
import pathlib
import signal
import subprocess

import agent_guest
import harness
from harness import Disk, tool, wait_for


class Quiesce(agent_guest.AgentTest):
    def start(self):
        self.file_system = agent_guest.file_system(self.scratch / "vdb.img")
        guest = self.boot(disks=[Disk("vda", self.scratch.image("vda.qcow2")), Disk("vdb", self.file_system, format="raw")])
        wait_for(lambda: self.answers(), 60, "the agent in the guest answers")
        self.assert_writing(guest)
        return guest

    def answers(self):
        try:
            return self.ask_agent("guest-ping", 2) == {}
        except OSError:
            return False

    def assert_writing(self, guest):
        self.assertEqual(self.ask_agent("guest-fsfreeze-status"), "thawed")
        before = self.writes()
        wait_for(lambda: self.writes() > before + 3, 60, "the guest writes to its file system")

    def assert_frozen(self, guest):
        self.assertEqual(self.ask_agent("guest-fsfreeze-status"), "frozen")
        before = self.writes()
        guest.wait_for_ticks(20)
        self.assertEqual(self.writes(), before, "nothing is written to a frozen file system")

    def frozen_in(self, image):
        """The file system of a disk as a snapshot has it, in a raw file of its own."""
        tool("qemu-img", "convert", "-U", "-O", "raw", image, self.scratch / "looked-at.img")
        return self.scratch / "looked-at.img"

    def test_disks(self):
        guest = self.start()
        self.ok("snapshot-create-as", "g", "loud", "--disk-only")
        self.ok("snapshot-create-as", "g", "quiet", "--disk-only", "--quiesce")
        self.assert_writing(guest)
        self.assertTrue(agent_guest.needs_recovery(self.file_system), "without --quiesce it is as after a power cut")
        self.assertFalse(agent_guest.needs_recovery(self.frozen_in(self.scratch / "vdb.loud")), "with it, as after umount")
        self.assert_healthy()
        self.check_frozen_by_somebody_else(guest)
        self.check_killed(guest)
        self.check_manual(guest)

    def check_frozen_by_somebody_else(self, guest):
        """That freeze is not ours to end; and the process that ends ours is tried on it."""
        self.assertEqual(self.ask_agent("guest-fsfreeze-freeze"), 1)
        self.assert_frozen(guest)
        self.refused("snapshot-create-as", "g", "no", "--disk-only", "--quiesce", naming="frozen already")
        self.assert_frozen(guest)
        ours, theirs = os.pipe()
        thaw = pathlib.Path(os.environ["DOMSNAP_LIBEXEC_DIR"], "domsnap-thaw")
        process = subprocess.Popen([thaw, self.agent_socket(), "3600"], preexec_fn=lambda: os.dup2(ours, 3), pass_fds=[3],
                                   stdin=subprocess.DEVNULL)
        os.close(ours)
        os.close(theirs)  # as when domsnap is killed
        self.assertEqual(process.wait(60), 0)
        self.assert_writing(guest)

    def check_killed(self, guest):
        trace = self.scratch / "trace"
        command = self.spawn("snapshot-create-as", "g", "killed", "--memspec", self.scratch / "killed.mem", "--quiesce",
                             env={"DOMSNAP_TRACE": str(trace)})
        wait_for(lambda: command.poll() is not None or (trace.exists() and "freeze-guest" in trace.read_text()), 60, "it is frozen")
        command.send_signal(signal.SIGKILL)
        self.finish(command)
        self.ok("recover", "g")
        wait_for(lambda: self.ask_agent("guest-fsfreeze-status") == "thawed", 60, "somebody thaws it")
        self.assert_writing(guest)
        self.assert_healthy()

    def check_manual(self, guest):
        """The user's copy is of a frozen file system, which thaws when the guest runs again."""
        self.ok("snapshot-create-as", "g", "mine", "--disk-only", "--quiesce", "--diskspec", "vdb,snapshot=manual")
        self.assertFalse(agent_guest.needs_recovery(self.frozen_in(self.sources()["vdb"])))
        self.assertEqual(self.state(), "paused")
        self.ok("resume", "g")
        self.assert_writing(guest)

    def test_memory(self):
        """It was saved with frozen file systems: who brings it back thaws them."""
        guest = self.start()
        self.ok("snapshot-create-as", "g", "m", "--memspec", self.scratch / "m.mem", "--quiesce")
        self.assert_writing(guest)
        self.assertFalse(agent_guest.needs_recovery(self.file_system))
        for options in ([], ["--running"]):
            self.ok("snapshot-revert", "g", "m", *options)
            self.assert_writing(guest)
            self.assert_healthy()
        self.ok("snapshot-revert", "g", "m", "--paused")
        self.ok("resume", "g")
        self.assert_writing(guest)
        self.ok("snapshot-delete", "g", "m")


class WithoutAgent(agent_guest.AgentTest):
    with_agent = False

    def test_refusals(self):
        arguments = ("snapshot-create-as", "g", "s", "--disk-only", "--quiesce")
        self.define()
        self.refused(*arguments, naming="domain is not running")
        self.ok("start", "g")
        self.guest().wait_until_up()
        self.refused(*arguments, naming="Guest agent is not responding")
        self.ok("suspend", "g")
        with self.nothing_changes():
            self.refused(*arguments, naming="domain 'g' is paused")
        self.ok("destroy", "g")
        document = self.scratch / "g.xml"
        document.write_text(document.read_text().replace(agent_guest.CHANNEL, ""))
        self.ok("define", document)
        self.ok("start", "g", "--paused")
        self.refused(*arguments, naming="argument unsupported: QEMU guest agent is not configured")
        self.assertEqual(self.snapshots(), [])


if __name__ == "__main__":
    harness.main()
