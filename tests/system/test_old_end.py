"""A revert by a new process does not wait for the end of the old QEMU before the new guest runs, and waits for it before it
removes what that one has open. No time is measured: the old one is held in its end for as long as the test wants."""
import os

import harness
from checkpoints import CheckpointTest
from guest import GuestSilent
from harness import wait_for
from held_end import HeldEnd
from scratch import has_ended, requires


class OldEnd(CheckpointTest):
    def setUp(self):
        requires(os.geteuid() == 0, "holding another process in its end needs root")
        super().setUp()

    def prepared(self):
        """A guest that has moved on from its snapshot, and its QEMU, held."""
        self.voice = self.boot()
        self.marks, _ = self.checkpoint(self.voice)
        self.damage(self.voice)
        self.old, self.overlays = self.qemu_pid(), list(self.sources().values())
        self.held = HeldEnd(self.old)

    def begin(self, *options):
        """The command, when the new guest runs beside a QEMU that is still ending."""
        command = self.spawn("snapshot-revert", "g", "s", "--new-process", *options)
        wait_for(self.held.begun, 60, "the old QEMU is killed")
        wait_for(lambda: self.pids() not in ([], [self.old]), 60, "the new QEMU has its place")
        wait_for(self.answers, 60, "the new guest answers")
        self.assert_back(self.voice, self.marks)
        return command

    def answers(self):
        """Who connects while the sockets change hands still speaks to the old one, which says nothing any more."""
        self.voice.close()
        try:
            return self.voice.status(5)
        except GuestSilent:
            return None

    def pids(self):
        """Of the QEMUs that domsnap knows."""
        return [int(path.read_text().split()[0]) for path in self.scratch.runtime.glob(f"{self.uuid()}/*.pid")]

    def uuid(self):
        return self.ok("domuuid", "g").strip()

    def lock(self):
        return self.scratch.state / "locks" / "g"

    def leftovers(self):
        return [path.name for path in self.scratch.runtime.iterdir() if path.name.endswith((".next", "-trial"))]

    def assert_over(self):
        self.assertTrue(has_ended(self.old))
        self.assertEqual(self.leftovers(), [])
        self.assertEqual([path for path in self.overlays if path.exists()], [])

    def go_back(self, *options):
        self.prepared()
        command = self.begin(*options)
        self.assertFalse(has_ended(self.old))
        self.assertIsNone(command.poll(), "the command waits for it")
        self.assertTrue(all(path.exists() for path in self.overlays), "what it has open is not removed")
        self.held.let_go()
        self.assertEqual(self.finish(command).code, 0)
        self.assert_over()
        self.assert_back(self.voice, self.marks)

    def test_at_once(self):
        self.go_back()

    def test_mapped(self):
        self.go_back("--mapped")

    def killed_meanwhile(self):
        self.prepared()
        command = self.begin()
        command.kill()
        self.finish(command)
        self.assertEqual(self.state(), "running", "who looks does not wait")

    def test_killed_meanwhile(self):
        """Who comes next waits for it, and the guest that runs goes on."""
        self.killed_meanwhile()
        new = self.qemu_pid()
        following = self.spawn("snapshot-revert", "g", "s", "--new-process")
        wait_for(lambda: f"(pid {following.pid})" in self.lock().read_text(), 60, "it has the lock")
        self.held.let_go()
        result = self.finish(following)
        self.assertEqual(result.code, 0, result.err)
        self.assertIn("finished the interrupted snapshot-revert", result.err)
        self.assert_over()
        self.assertNotEqual(self.qemu_pid(), new)
        self.voice.close()
        self.assert_back(self.voice, self.marks)

    def test_destroyed_meanwhile(self):
        self.killed_meanwhile()
        following = self.spawn("destroy", "g")
        self.held.let_go()
        self.assertEqual(self.finish(following).code, 0)
        self.assert_over()
        self.assertEqual(self.state(), "shut off")
        self.ok("snapshot-revert", "g", "s")
        self.voice.close()
        self.assert_back(self.voice, self.marks)


if __name__ == "__main__":
    harness.main()
