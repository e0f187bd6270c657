"""What a revert would drop: the question on a terminal, and --save."""
import os
import pty
import subprocess

from harness import Disk, SystemTest, main, tool


def write(path, byte, at="0"):
    tool("qemu-io", "-f", "qcow2", "-c", f"write -P {byte} {at} 64k", path)


def holds(path, byte, at="0"):
    return "verification failed" not in tool("qemu-io", "-r", "-f", "qcow2", "-c", f"read -P {byte} {at} 64k", path)


class Save(SystemTest):
    def on_terminal(self, answer, *arguments):
        master, slave = pty.openpty()
        process = subprocess.Popen([os.environ["DOMSNAP"], *map(str, arguments)], stdin=slave, stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, text=True, env=self.scratch.environment())
        os.close(slave)
        os.write(master, f"{answer}\n".encode())
        result = self.finish(process)
        os.close(master)
        return result

    def assert_asks(self, snapshot, disks, since):
        question = f"Reverting domain 'g' to snapshot '{snapshot}' drops what was written to {disks} since snapshot '{since}'"
        with self.nothing_changes():
            for answer in ("n", "", "no", "yn"):
                refusal = self.on_terminal(answer, "snapshot-revert", "g", snapshot)
                self.assertEqual(refusal.code, 1)
                self.assertIn(question, refusal.err)
                self.assertIn("error: nothing was reverted", refusal.err)

    def assert_does_not_ask(self, snapshot, *options):
        result = self.on_terminal("n", "snapshot-revert", "g", snapshot, *options)
        said = [line for line in result.err.splitlines() if not line.startswith("way: ")]
        self.assertEqual((result.code, said), (0, []))

    def two_disks(self):
        self.define(disks=[Disk(target, self.scratch.image(f"{target}.qcow2")) for target in ("vda", "vdb")])
        for disk in ("vda", "vdb"):
            write(self.scratch / f"{disk}.qcow2", 1)

    def test_asks_when_an_external_snapshot_was_written_over(self):
        self.two_disks()
        self.ok("snapshot-create-as", "g", "e", "--diskspec", "vda,snapshot=external", "--diskspec", "vdb,snapshot=external")
        self.assert_does_not_ask("e")
        write(self.sources()["vdb"], 2)
        self.assert_asks("e", "vdb", "e")
        self.assertEqual(self.on_terminal("y", "snapshot-revert", "g", "e").code, 0)
        self.assertTrue(holds(self.sources()["vdb"], 1))
        write(self.sources()["vda"], 3)
        self.assert_does_not_ask("e", "--yes")
        write(self.sources()["vda"], 3)
        self.assert_does_not_ask("e", "--force")
        write(self.sources()["vda"], 3)
        self.assertEqual(self.cli("snapshot-revert", "g", "e").code, 0, "without a terminal nobody is asked")

    def test_asks_when_an_internal_snapshot_was_written_over(self):
        self.two_disks()
        self.ok("snapshot-create-as", "g", "i")
        self.assert_does_not_ask("i")
        for at in ("0", "40M"):  # in a table that the snapshot shares, and in one that it does not have
            write(self.scratch / "vda.qcow2", 2, at)
            self.assert_asks("i", "vda", "i")
            self.ok("snapshot-revert", "g", "i")
            self.assert_does_not_ask("i")
        self.ok("snapshot-create-as", "g", "next")
        self.ok("snapshot-current", "g", "i")
        self.assert_does_not_ask("i")  # nothing was written since either of them

    def test_saves_the_disks_of_a_domain_that_is_off(self):
        self.two_disks()
        self.ok("snapshot-create-as", "g", "i")
        for disk in ("vda", "vdb"):
            write(self.scratch / f"{disk}.qcow2", 2)
        self.assertEqual(self.ok("snapshot-revert", "g", "i", "--save", "later"),
                         "Domain snapshot later created\nDomain snapshot i reverted\n\n")
        self.assertEqual([holds(path, 1) for path in self.sources().values()], [True, True])
        self.ok("snapshot-revert", "g", "later")
        self.assertEqual([holds(path, 2) for path in self.sources().values()], [True, True])
        self.assertEqual(self.ok("snapshot-parent", "g", "later"), "i\n")
        with self.nothing_changes():
            self.refused("snapshot-revert", "g", "i", "--save", "later", naming="already exists")
            self.refused("snapshot-revert", "g", "nothing", "--save", "third", naming="nothing")

    def test_a_revert_that_fails_leaves_nothing_saved(self):
        """Once an overlay rests on the image, going back inside it takes a copy, for which there is no room."""
        small = self.scratch.tmpfs("small", "24m")
        image = self.scratch.image("small/vda.qcow2")
        tool("qemu-io", "-f", "qcow2", "-c", "write -P 1 0 14M", image)
        self.define(disks=[Disk("vda", image)])
        self.ok("snapshot-create-as", "g", "i")
        write(image, 2)
        self.refused("snapshot-revert", "g", "i", "--save", "later")
        self.assertEqual(self.snapshots(), ["i"])
        self.assertEqual(self.ok("snapshot-current", "g", "--name"), "i\n")
        self.assertEqual(self.sources()["vda"], image)
        self.assertEqual([path.name for path in small.iterdir()], ["vda.qcow2"])
        self.assertTrue(holds(image, 2))
        self.ok("snapshot-revert", "g", "i")
        self.assertTrue(holds(image, 1))

    def test_saves_a_running_guest_with_its_memory(self):
        guest = self.boot()
        self.ok("snapshot-create-as", "g", "one", "--memspec", self.scratch / "one.mem")
        taken = guest.status()["tick"]
        guest.wait_for_ticks(20)
        asked = self.on_terminal("n", "snapshot-revert", "g", "one")
        self.assertEqual(asked.code, 1)
        self.assertIn("drops what the guest did since snapshot 'one'", asked.err)
        before = self.assert_healthy()["tick"]
        self.assertEqual(self.ok("snapshot-revert", "g", "one", "--save", "two", "--paused"),
                         "Domain snapshot two created\nDomain snapshot one reverted\n\n")
        self.assert_does_not_ask("one", "--running")  # it came back paused, and has done nothing since
        self.assertLess(self.assert_healthy()["tick"], before)
        self.ok("snapshot-revert", "g", "two")
        self.assertGreaterEqual(self.assert_healthy()["tick"], before)
        self.assertGreater(before, taken)


if __name__ == "__main__":
    main()
