"""--dry-run prints the steps and changes nothing; what it would refuse, it refuses."""
import harness


class DryRun(harness.SystemTest):
    def plan(self, *arguments, naming=()):
        with self.nothing_changes():
            out = self.ok(*arguments, "--dry-run")
        for word in naming:
            self.assertIn(str(word), out)
        return out

    def test_running_guest(self):
        guest = self.boot()
        self.ok("suspend", "g")
        memory = self.scratch / "s.mem"
        arguments = ["snapshot-create-as", "g", "s", "--memspec", memory]
        self.plan(*arguments, naming=[memory, self.scratch / "vda.s", self.scratch / "vdb.s"])
        self.assertEqual((self.snapshots(), self.state()), ([], "paused"))
        with self.nothing_changes():
            self.refused("snapshot-create-as", "g", "s", "--memspec", self.scratch.path, "--dry-run", naming=self.scratch.path)
        self.ok(*arguments)
        self.plan("snapshot-revert", "g", "s", naming=[memory])
        self.plan("snapshot-delete", "g", "s", naming=[memory])
        self.assertEqual((self.snapshots(), self.state()), (["s"], "paused"))
        self.ok("resume", "g")
        guest.wait_for_ticks()
        self.assert_healthy()

    def test_says_what_then_happens(self):
        """Every file that the plan names and that is new is there afterwards."""
        self.define()
        out = self.plan("snapshot-create-as", "g", "s", "--disk-only")
        self.ok("snapshot-create-as", "g", "s", "--disk-only")
        for path in self.scratch.path.glob("vd*.s"):
            self.assertIn(str(path), out)


if __name__ == "__main__":
    harness.main()
