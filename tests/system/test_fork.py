"""New domains out of a snapshot: each goes on from its instant, on disks of its own, with memory that all of them share until they
write to it. What they rest on stays as long as they are there, and goes with them."""
import pathlib

import harness
from guest import Guest

INTERFACE = "<interface type='user'><mac address='52:54:00:11:22:33'/><model type='virtio'/></interface>"

OUTSIDE = ["--diskspec", "vda,snapshot=external", "--diskspec", "vdb,snapshot=external"]


class Forks(harness.SystemTest):
    def checkpoint(self, name="g", snapshot="s", fill=32):
        """Memory and disks; returns what must be found again, and the image."""
        guest = self.guest(name)
        guest.do(f"fill 7 {fill}")
        guest.do(f"note {snapshot}")
        memory = self.scratch / f"{snapshot}.mem"
        self.ok("snapshot-create-as", name, snapshot, "--memspec", f"file={memory}")
        return self.marks_of(guest), memory

    def fork_guest(self, name):
        """Its command port has no path in the document: it is in its run-time folder."""
        uuid = self.ok("domuuid", name).strip()
        return self.guests.setdefault(name, Guest(self.scratch.runtime / uuid / "serial1.sock"))

    def private_bytes(self, name, image):
        """What QEMU's mapping of the image has of its own."""
        inside, total = False, 0
        for line in pathlib.Path(f"/proc/{self.qemu_pid(name)}/smaps").read_text().splitlines():
            first = line.split()[0]
            if not first.endswith(":"):
                inside = line.endswith(str(image))
            elif inside and first == "Private_Dirty:":
                total += int(line.split()[1]) << 10
        return total

    def mac(self, name):
        return harness.xml_of(self.ok("dumpxml", name)).find("devices/interface/mac").get("address")

    def remove(self, name):
        self.ok("destroy", name)
        self.ok("undefine", name)
        self.guests.pop(name).close()

    def test_three_at_once(self):
        origin = self.boot(devices=INTERFACE)
        marks, memory = self.checkpoint()
        origin.do("note later")
        names = ["f-1", "f-2", "f-3"]
        self.ok("snapshot-fork", "g", "s", "f", "--count", "3", "--start")
        for name in names:
            guest = self.fork_guest(name)
            self.assertEqual(self.marks_of(guest), marks)
            self.assert_healthy(name)
            self.assertLess(self.private_bytes(name, memory), 96 << 20, "RAM is shared")
            guest.do(f"note {name}")
            guest.do(f"write vda 0x700000 {name}")
        self.apart(origin, names, memory)
        self.together_until_the_last(names, memory)

    def apart(self, origin, names, memory):
        """What one does, no other one sees."""
        for name in names:
            guest = self.fork_guest(name)
            self.assertEqual(guest.do("read vda 0x700000 3")["text"], name)
            self.assertEqual(guest.status()["notes"], ["s", name])
        self.assertEqual(origin.status()["notes"], ["s", "later"])
        self.assertNotIn("f-", origin.do("read vda 0x700000 3")["text"])
        everyone = ["g", *names]
        self.assertEqual(len({self.mac(name) for name in everyone}), 4)
        self.assertTrue(all(self.mac(name).startswith("52:54:00:") for name in names))
        self.assertEqual(len({str(self.sources(name)["vda"]) for name in everyone}), 4)
        # The card's saved state has the old address, and the guest sees that until it is reset.
        said = self.ok("qemu-monitor-command", "f-1", '{"execute":"query-rx-filter"}')
        self.assertIn('"main-mac":"52:54:00:11:22:33"', said.replace(" ", ""))

    def together_until_the_last(self, names, memory):
        before = self.files()
        self.refused("snapshot-delete", "g", "s", naming=["f-1", "f-2", "f-3", memory])
        self.assertEqual(self.files(), before)
        self.remove("f-3")
        self.remove("f-2")
        self.assertEqual([f for f in self.files() if ".f-2" in f or ".f-3" in f], [])
        self.refused("snapshot-delete", "g", "s", naming=["fork 'f-1'", memory])
        self.assert_healthy("f-1")
        self.remove("f-1")
        self.ok("snapshot-delete", "g", "s")
        self.assertFalse(memory.exists())
        self.assert_healthy("g")
        self.assertEqual(self.ok("list", "--all", "--name").split(), ["g"])

    def test_a_fork_is_a_domain(self):
        """Started later; then saved, gone back to, forked again, deleted."""
        self.boot()
        marks, _ = self.checkpoint()
        self.ok("destroy", "g")
        self.ok("snapshot-fork", "g", "s", "f")
        self.assertEqual(self.state("f"), "shut off")
        self.refused("snapshot-create-as", "f", "t", naming=["f", "not started yet"])
        self.ok("start", "f", "--paused")
        self.assertEqual(self.state("f"), "paused")
        self.ok("resume", "f")
        guest = self.fork_guest("f")
        self.assertEqual(self.marks_of(guest), marks)
        self.assert_healthy("f")
        result = self.cli("snapshot-create-as", "f", "t", "--memspec", f"file={self.scratch / 't.mem'}")
        self.assertEqual(result.code, 0, result.err)
        self.assertNotIn("stand still", result.err)
        saved = self.marks_of(guest)
        guest.do("note lost")
        self.ok("snapshot-revert", "f", "t")
        self.assertEqual(self.marks_of(guest), saved)
        self.assert_healthy("f")
        self.fork_of_a_fork(saved)
        self.ok("destroy", "f")
        self.ok("undefine", "f", "--snapshots")
        self.ok("snapshot-delete", "g", "s")
        self.ok("snapshot-verify", "g")
        self.assertEqual([f for f in self.files() if ".f" in pathlib.Path(f).name or f.endswith(".mem")], [])

    def fork_of_a_fork(self, saved):
        self.ok("snapshot-fork", "f", "t", "h", "--start")
        self.assertEqual(self.marks_of(self.fork_guest("h")), saved)
        self.assert_healthy("h")
        self.refused("snapshot-delete", "f", "t", naming="fork 'h'")
        self.remove("h")

    def test_the_first_start_only(self):
        self.boot()
        marks, _ = self.checkpoint()
        self.ok("destroy", "g")
        self.ok("snapshot-fork", "g", "s", "f", "--count", "1")
        self.ok("start", "f-1")
        self.assertEqual(self.marks_of(self.fork_guest("f-1")), marks)
        self.ok("destroy", "f-1")
        self.ok("start", "f-1")
        self.fork_guest("f-1").wait_until_up()
        self.assertNotEqual(self.fork_guest("f-1").status()["boot"], marks["boot"], "it booted")
        self.remove("f-1")
        self.ok("snapshot-fork", "g", "s", "f")
        self.ok("start", "f", "--force-boot")
        self.fork_guest("f").wait_until_up()
        self.assertNotEqual(self.fork_guest("f").status()["boot"], marks["boot"], "it booted")
        self.remove("f")

    def test_without_memory(self):
        self.define()
        self.ok("snapshot-create-as", "g", "off", *OUTSIDE)
        self.ok("snapshot-fork", "g", "off", "f", "--start")
        self.fork_guest("f").wait_until_up()
        self.assert_healthy("f")
        self.refused("start", "f", naming="already active")
        self.remove("f")
        self.ok("snapshot-delete", "g", "off")

    def test_refusals(self):
        self.define()
        self.ok("snapshot-create-as", "g", "inside")
        self.ok("snapshot-create-as", "g", "out", *OUTSIDE)
        with self.nothing_changes():
            self.refused("snapshot-fork", "g", "inside", "f", naming=["vda", "internal"])
            self.refused("snapshot-fork", "g", "none", "f", naming="none")
            self.refused("snapshot-fork", "g", "out", "g", naming="already exists")
            self.refused("snapshot-fork", "g", "out", "a/b", naming="a/b")
            self.refused("snapshot-fork", "g", "out", "f", "--count", "0", naming="count")
            self.refused("snapshot-fork", "g", "out", "f", "--paused", naming="--start")
            self.usage_error("snapshot-fork", "g", "out", "f", "--count", "many")
            self.assertIn("define the domain", self.ok("snapshot-fork", "g", "out", "f", "--dry-run"))
        self.assertEqual(self.ok("list", "--all", "--name").split(), ["g"])


if __name__ == "__main__":
    harness.main()
