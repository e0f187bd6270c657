"""Ctrl-C during a long create: the guest goes on as before, and nothing is left behind. During a merge: what is left is whole."""
import os
import re
import signal

import harness
from harness import wait_for


class Cancel(harness.SystemTest):
    def cancel(self, *arguments, when):
        # A process group of its own, signalled as a whole: what a terminal does on Ctrl-C, helpers included.
        process = self.spawn(*arguments, start_new_session=True)
        wait_for(lambda: when() or process.poll() is not None, 60, "the create is in its long step")
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGINT)
        return self.finish(process)

    def test_external_memory(self):
        guest = self.boot(memory_mib=768)
        guest.do("fill 4 448", seconds=180)
        before, memory = guest.status(), self.scratch / "s.mem"
        arguments = ["snapshot-create-as", "g", "s", "--memspec", memory]
        result = self.cancel(*arguments, when=lambda: memory.exists() and memory.stat().st_size > 0)
        self.assert_refusal(result, arguments)
        self.assertIn("cancel", result.err)
        self.assertEqual(self.snapshots(), [])
        self.assertFalse(memory.exists())
        self.assertEqual(self.sources(), {t: self.scratch / f"{t}.qcow2" for t in ("vda", "vdb")})
        self.assertEqual({path.name for path in self.scratch.path.glob("vd*")}, {"vda.qcow2", "vdb.qcow2"})
        self.assertEqual(self.assert_healthy()["boot"], before["boot"])
        self.ok(*arguments)
        self.ok("snapshot-revert", "g", "s")
        self.assert_healthy()


class CancelMerge(harness.SystemTest):
    """An inner snapshot is deleted while the guest runs, and the merge of what it froze is cancelled."""

    INNER = 4
    MIB = 96  # in each overlay: a merge takes some tenths of a second

    def chain(self):
        """s0 <- s1 <- …, each overlay with its own MiBs."""
        self.define(disks=[harness.Disk("vda", self.scratch.image("vda.qcow2", "1G"))])
        for number in range(self.INNER + 1):
            self.ok("snapshot-create-as", "g", f"s{number}", "--diskspec", "vda,snapshot=external")
            harness.tool("qemu-io", "-f", "qcow2", "-c", f"write -q -P {number + 1} {self.place(number)}M {self.MIB}M",
                         self.sources()["vda"])

    def place(self, number):
        return 128 + number * self.MIB

    def is_merging(self):
        """Of a step that moves content the journal says that it has begun, and not that the next one has."""
        journals = list(self.scratch.state.rglob("journal"))
        text = journals[0].read_text(errors="replace") if journals else ""
        moving = [number for number, kind in enumerate(re.findall(r'"(?:step|kind)":"([a-z-]+)"', text))
                  if kind in ("merge", "pull", "commit-active")]
        return any(f"begun {number} " in text and f"begun {number + 1} " not in text for number in moving)

    def cancel(self, name):
        process = self.spawn("snapshot-delete", "g", name, start_new_session=True)
        wait_for(lambda: process.poll() is not None or self.is_merging(), 60, "it merges")
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGINT)
        return self.finish(process)

    def assert_content(self):
        self.ok("suspend", "g")
        reads = [word for number in range(self.INNER + 1)
                 for word in ("-c", f"read -q -P {number + 1} {self.place(number)}M {self.MIB}M")]
        shown = harness.tool("qemu-io", "-U", "-r", "-f", "qcow2", *reads, self.sources()["vda"])
        self.assertNotIn("verification failed", shown)
        self.ok("resume", "g")
        self.assert_healthy()

    def test_inner_nodes(self):
        self.chain()
        self.ok("start", "g")
        guest = self.guest()
        guest.wait_until_up()
        guest.do(f"write vda {64 << 20:#x} leaf")
        cancelled = 0
        for number in range(1, self.INNER + 1):  # one that ends too soon to be cancelled tells nothing
            result = self.cancel(f"s{number}")
            self.assertNotIn(f"s{number}", self.snapshots(), "the record goes first")
            self.assertEqual(list(self.scratch.state.rglob("journal")), [])
            self.assert_content()
            if result.code != 0:
                self.assert_refusal(result, ["snapshot-delete"], "merge")
                cancelled += 1
        self.assertGreater(cancelled, 0, "none of them could be cancelled in time")
        self.assertEqual(self.snapshots(), ["s0"])
        self.ok("snapshot-delete", "g", "s0")  # merges what was left, too
        self.assert_content()
        self.assertEqual({path.name for path in self.scratch.path.glob("vda*")}, {"vda.qcow2"})
        self.assertEqual(guest.do(f"read vda {64 << 20:#x} 4")["text"], "leaf")
        self.ok("destroy", "g")
        harness.tool("qemu-img", "check", "-q", "-f", "qcow2", self.scratch / "vda.qcow2")


if __name__ == "__main__":
    harness.main()
