"""Ctrl-C during a long create: the guest goes on as before, and nothing is left behind."""
import os
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


if __name__ == "__main__":
    harness.main()
