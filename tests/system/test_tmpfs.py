"""RAM as a private mapping of a copy of the memory image on tmpfs: the guest goes back in place by its own pages, and its
checkpoints are taken while it runs."""
import pathlib

import foreign
import harness
from checkpoints import MappedTest, content_of

COPY = "memfd:domsnap-ram"


class Tmpfs(MappedTest):
    def mappings(self):
        return [line for line in pathlib.Path(f"/proc/{self.qemu_pid()}/maps").read_text().splitlines() if COPY in line]

    def in_place(self, name):
        before = self.qemu_pid()
        self.assertIn("way: in place", self.cli("snapshot-revert", "g", name).err)
        self.assertEqual(self.qemu_pid(), before)

    def live_checkpoint(self, guest, name, *options):
        """The guest is not told to stand still, and it is stopped once."""
        guest.do(f"note {name}")
        marks = self.marks_of(guest)
        memory = self.scratch / f"{name}.mem"
        result = self.cli("snapshot-create-as", "g", name, "--live", "--memspec", f"file={memory}", *options)
        self.assertEqual((result.code, result.err), (0, ""))
        self.assert_back(guest, marks)
        return marks, memory

    def test_warm(self):
        guest = self.boot()
        marks, memory = self.checkpoint(guest)
        before, pid = content_of(memory), self.qemu_pid()
        plan = self.ok("snapshot-warm", "g", "s", "--tmpfs", "--dry-run")
        self.assertIn(f"copy the RAM in {memory} to tmpfs", plan)
        self.assertEqual(self.qemu_pid(), pid)
        self.damage(guest)
        self.assertEqual(self.ok("snapshot-warm", "g", "s", "--tmpfs", "--save", "kept"),
                         "Domain snapshot kept created\nDomain snapshot s reverted\nDomain snapshot s is warm\n\n")
        self.assert_back(guest, marks)
        self.assertEqual(len(self.mappings()), 1)
        self.assertEqual(self.origin()["copy"].keys(), {"hash", "device", "inode"})
        self.assertRegex(self.ok("snapshot-info", "g", "s"), r"Warm:\s+yes, memory mapped on tmpfs\n")
        pid = self.qemu_pid()
        for option in ("--tmpfs", "--mapped"):
            self.assertEqual(self.ok("snapshot-warm", "g", "s", option), "Domain snapshot s is warm\n\n", "it is already")
        self.assertEqual(self.qemu_pid(), pid)
        for _ in range(2):
            self.damage(guest)
            self.in_place("s")
            self.assert_back(guest, marks)
        # Live, and only what differs.
        upper, image = self.live_checkpoint(guest, "upper")
        self.assertIn(f"over {memory} (chain of 2)", self.ok("snapshot-info", "g", "upper"))
        self.assertLess(image.stat().st_blocks * 512, 32 << 20)
        third, _ = self.live_checkpoint(guest, "third")
        whole, alone = self.live_checkpoint(guest, "whole", "--full")
        for name, wanted in (("s", marks), ("third", third), ("upper", upper), ("whole", whole)):
            self.damage(guest)
            self.in_place(name)
            self.assert_back(guest, wanted)
        self.assertEqual(content_of(memory), before)
        self.ok("suspend", "g")
        # What is left of it all, page for page.
        self.ok("snapshot-revert", "g", "whole", "--paused")
        self.assertEqual(foreign.pages_that_differ(self.qemu_pid(), foreign.ram_address(self), alone), [])
        self.ok("resume", "g")
        self.new_process(guest, upper)

    def new_process(self, guest, upper):
        """What was saved live is whole: a QEMU of its own gets it, and nothing is mapped any more."""
        self.ok("snapshot-warm", "g", "upper", "--tmpfs")
        result = self.cli("snapshot-warm", "g", "--off")
        self.assertIn("stays a mapping of its copy on tmpfs (256 MiB)", result.err)
        self.ok("snapshot-revert", "g", "upper", "--new-process", "--eager")
        self.assertEqual((self.mappings(), self.origin()["mapped"]), ([], False))
        self.assert_back(guest, upper)

    def test_the_image_may_go(self):
        """The copy is all that the guest needs."""
        guest = self.boot()
        marks, memory = self.checkpoint(guest)
        result = self.cli("snapshot-revert", "g", "s", "--mapped", "--tmpfs")
        self.assertIn("way: new process, memory mapped on tmpfs", result.err)
        self.assert_back(guest, marks)
        self.ok("snapshot-delete", "g", "s")
        self.assertFalse(memory.exists())
        kept, _ = self.live_checkpoint(guest, "kept")
        self.damage(guest)
        self.in_place("kept")
        self.assert_back(guest, kept)

    def test_what_the_guest_gives_back(self):
        """QEMU can cut no holes into the copy, and tells so or does not try."""
        self.balloon = "virtio"
        guest = self.boot()
        marks, _ = self.checkpoint(guest)
        self.ok("snapshot-warm", "g", "s", "--tmpfs", "--yes")
        for size in (160, 256):
            self.leave_the_guest(size)
        guest.wait_for_ticks()
        later, _ = self.live_checkpoint(guest, "later")
        for name, wanted in (("s", marks), ("later", later)):
            self.damage(guest)
            self.in_place(name)
            self.assert_back(guest, wanted)

    def test_refusals(self):
        guest = self.boot()
        memory = self.checkpoint(guest)[1]
        guest.do("note here")
        present, pid = self.marks_of(guest), self.qemu_pid()
        self.usage_error("snapshot-warm", "g", "--off", "--tmpfs")
        self.refused("snapshot-revert", "g", "s", "--tmpfs", naming=["--mapped", "--tmpfs"])
        with open(memory, "r+b") as image:
            page = next(p for p in range(64 * 256, 0, -1)
                        if image.seek(p * foreign.PAGE) is not None and image.read(foreign.PAGE).strip(b"\0"))
            image.seek(page * foreign.PAGE + 100)
            byte = image.read(1)
            image.seek(page * foreign.PAGE + 100)
            image.write(bytes([byte[0] ^ 1]))
        self.refused("snapshot-warm", "g", "s", "--tmpfs", naming=[memory, "checksum"])
        self.assertEqual(self.qemu_pid(), pid)
        self.assertEqual(self.marks_of(guest), present)
        self.assertEqual(self.mappings(), [])
        self.assert_healthy()


if __name__ == "__main__":
    harness.main()
