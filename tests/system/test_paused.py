"""The state after a revert: the snapshot's own, or the one asked for, wherever the domain was before."""
import harness


class States(harness.SystemTest):
    def assert_state(self, wanted):
        self.assertEqual(self.state(), wanted)
        if wanted == "running":
            self.assert_healthy()
        elif wanted == "paused":
            self.assertTrue(self.guest().is_silent())

    def check_table(self, snapshot, plain):
        for options, wanted in (([], plain), (["--running"], "running"), (["--paused"], "paused"), ([], plain)):
            with self.subTest(snapshot=snapshot, options=options):
                self.ok("snapshot-revert", "g", snapshot, *options)
                self.assert_state(wanted)
        self.refused("snapshot-revert", "g", snapshot, "--running", "--paused", naming="mutually exclusive")
        self.assert_state(plain)

    def test_external(self):
        self.boot()
        self.ok("suspend", "g")
        self.ok("snapshot-create-as", "g", "stood", "--memspec", self.scratch / "stood.mem")
        self.assertEqual(self.state(), "paused", "a paused guest stays paused through a checkpoint")
        self.ok("resume", "g")
        self.assert_healthy()
        self.ok("snapshot-create-as", "g", "ran", "--memspec", self.scratch / "ran.mem")
        states = {line.split()[0]: line.split()[-1] for line in self.ok("snapshot-list", "g").splitlines()[2:] if line.strip()}
        self.assertEqual(states, {"stood": "paused", "ran": "running"})
        self.check_table("stood", "paused")
        self.check_table("ran", "running")
        self.ok("destroy", "g")
        self.ok("snapshot-revert", "g", "stood")
        self.assert_state("paused")

    def test_one_that_stands_since_its_memory_was_loaded_is_merged(self):
        guest = self.boot()
        for way in ("--eager", "--mapped --tmpfs"):
            for name in ("one", "two"):
                self.ok("snapshot-create-as", "g", name, "--memspec", self.scratch / f"{name}.mem")
            guest.do("note lost")
            self.ok("snapshot-revert", "g", "two", "--paused", "--new-process", *way.split())
            self.ok("snapshot-delete", "g", "one")
            self.assert_state("paused")
            self.ok("resume", "g")
            self.assert_healthy()
            self.ok("snapshot-delete", "g", "two")
            self.assert_healthy()

    def test_internal(self):
        self.boot()
        self.ok("suspend", "g")
        self.ok("snapshot-create-as", "g", "stood")
        self.assertEqual(self.state(), "paused")
        self.check_table("stood", "paused")
        self.ok("destroy", "g")
        self.ok("snapshot-revert", "g", "stood", "--running")
        self.assert_state("running")

    def test_of_a_domain_that_was_off(self):
        self.define()
        self.ok("snapshot-create-as", "g", "off")
        self.ok("snapshot-revert", "g", "off", "--running")
        self.guest().wait_until_up()
        self.ok("snapshot-revert", "g", "off")
        self.assertEqual(self.state(), "shut off")
        self.ok("snapshot-revert", "g", "off", "--paused")
        self.assertEqual(self.state(), "paused")


if __name__ == "__main__":
    harness.main()
