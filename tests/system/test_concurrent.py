"""Several commands at once on one domain: one waits for the other, and both are right."""
import harness


class Concurrent(harness.SystemTest):
    def test_two_creates(self):
        guest = self.boot()
        guest.do("fill 6 48")
        names = ["one", "two"]
        running = [self.spawn("snapshot-create-as", "g", name, "--memspec", self.scratch / f"{name}.mem") for name in names]
        self.assertEqual(self.ok("list", "--name").split(), ["g"], "reading does not wait for the work of others")
        for process in running:
            result = self.finish(process)
            self.assertEqual(result.code, 0, result.err)
        self.assertEqual(self.snapshots(), names)
        parents = [self.cli("snapshot-parent", "g", name).out.strip() for name in names]
        self.assertIn(parents, (["", "one"], ["two", ""]))
        self.assert_healthy()
        for name in names:
            self.ok("snapshot-revert", "g", name)
            self.assert_healthy()

    def test_same_name_once(self):
        self.define()
        running = [self.spawn("snapshot-create-as", "g", "same") for _ in range(4)]
        codes = sorted(self.finish(process).code for process in running)
        self.assertEqual(codes, [0, 1, 1, 1])
        self.assertEqual(self.snapshots(), ["same"])

    def test_many_reads_during_a_start(self):
        self.define()
        starting = self.spawn("start", "g")
        while starting.poll() is None:
            self.assertIn(self.state(), ("shut off", "paused", "running"))
        self.assertEqual(self.finish(starting).code, 0)
        self.guest().wait_until_up()
        self.assert_healthy()


if __name__ == "__main__":
    harness.main()
