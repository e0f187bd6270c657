"""kill -9 of the process that saves a running guest's memory. QEMU 7.2 then stops the guest at its next write to memory,
for ever: it is freed by the command that was saving, or, if that was killed too, by the next one."""
import os
import signal

import harness
from harness import wait_for
from scratch import pids_naming, qemu, tool


class KilledCapture(harness.SystemTest):
    def setUp(self):
        super().setUp()
        self.running = self.boot(memory_mib=768)
        self.running.do("fill 4 448", seconds=180)
        self.memory = self.scratch / "s.mem"
        self.arguments = ["snapshot-create-as", "g", "s", "--memspec", self.memory]

    def capture(self):
        """The pid of the capture, while it is in the midst."""
        found = [pid for pid in pids_naming(self.memory) if b"domsnap-memory" in command_line(pid)]
        return found[0] if found and self.memory.exists() and self.memory.stat().st_blocks else None

    def start_and_kill(self, command_too):
        process = self.spawn(*self.arguments)
        pid = wait_for(self.capture, 60, "memory is being saved")
        if command_too:
            process.kill()
        os.kill(pid, signal.SIGKILL)
        return self.finish(process)

    def assert_freed(self, said):
        # QEMU 8 and later take the protection off by themselves, at once or a moment after we look.
        if "version 7." in tool(qemu(), "--version"):
            self.assertIn("its guest was freed", said)

    def assert_as_before(self):
        self.assertEqual(self.snapshots(), [])
        self.assertFalse(self.memory.exists())
        self.assertEqual(self.sources(), {t: self.scratch / f"{t}.qcow2" for t in ("vda", "vdb")})
        self.assertEqual({path.name for path in self.scratch.path.glob("vd*")}, {"vda.qcow2", "vdb.qcow2"})
        self.assert_healthy()
        self.ok(*self.arguments)
        self.ok("snapshot-revert", "g", "s")
        self.assert_healthy()

    def test_alone(self):
        result = self.start_and_kill(command_too=False)
        self.assert_refusal(result, self.arguments, naming=self.memory)
        self.assert_freed(result.err)
        self.assert_as_before()

    def test_with_its_command(self):
        self.start_and_kill(command_too=True)
        said = self.ok("recover", "g")
        self.assertIn("took back the interrupted snapshot-create of 's'", said)
        self.assert_freed(said)
        self.assert_as_before()


def command_line(pid):
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            return file.read()
    except OSError:
        return b""


if __name__ == "__main__":
    harness.main()
