"""RAM as a private mapping of the memory image: the guest gets what was saved, the image stays what it was whatever the guest
does, and nobody gets a page that is not the image's own."""
import os
import pathlib

import foreign
import harness
from guest import wait_for
from checkpoints import MappedTest, content_of

PAGE = 4096


class Mapped(MappedTest):
    cards = ()

    def domain_xml(self, *arguments, **options):
        devices = "".join(f"<interface type='user'><model type='{model}'/></interface>" for model in self.cards)
        screen = "<video><model type='vga'/></video>" if self.cards else ""
        return super().domain_xml(*arguments, **options).replace("</devices>", f"{devices}{screen}</devices>")

    def revert(self, name="s", *options):
        result = self.cli("snapshot-revert", "g", name, "--mapped", *options)
        self.assertEqual((result.code, result.out), (0, f"Domain snapshot {name} reverted\n\n"), result.err)
        self.assertIn("memory mapped", result.err)

    def private_bytes(self, image):
        """What QEMU's mapping of the image has of its own."""
        inside, total = False, 0
        for line in pathlib.Path(f"/proc/{self.qemu_pid()}/smaps").read_text().splitlines():
            if line.split()[0].count("-") == 1 and ":" not in line.split()[0]:
                inside = line.endswith(str(image))
            elif inside and line.startswith("Private_Dirty:"):
                total += int(line.split()[1]) << 10
        return total

    def test_back_again_and_saved_again(self):
        guest = self.boot()
        marks, memory = self.checkpoint(guest)
        before = content_of(memory)
        for _ in range(2):
            self.damage(guest)
            self.revert()
            self.assert_back(guest, marks)
            self.assertEqual((self.origin()["image"], self.origin()["mapped"]), (str(memory), True))
            self.assertLess(self.private_bytes(memory), 64 << 20)
        self.assertEqual(content_of(memory), before)
        self.save_and_go_back(guest)
        self.assertEqual(content_of(memory), before)
        self.assertIn("in place", self.cli("snapshot-revert", "g", "s").err)
        self.assertTrue(self.origin()["mapped"])
        self.assert_back(guest, marks)
        self.assertEqual(content_of(memory), before)
        self.ok("snapshot-revert", "g", "s", "--new-process")
        self.assertFalse(self.origin()["mapped"])
        self.assert_back(guest, marks)

    def save_and_go_back(self, guest):
        """A guest whose RAM is mapped can be saved too: what it changed is copied, and written when it runs again."""
        guest.do("note second")
        marks = self.marks_of(guest)
        result = self.cli("snapshot-create-as", "g", "t", "--memspec", f"file={self.scratch / 't.mem'}")
        self.assertEqual(result.code, 0, result.err)
        self.assertNotIn("stand still", result.err)
        self.assert_back(guest, marks)
        for way in ((), ("--new-process",), ("--new-process", "--eager")):
            self.damage(guest)
            self.ok("snapshot-revert", "g", "t", *way)
            self.assert_back(guest, marks)
        self.damage(guest)
        self.revert("t", "--paused")
        self.assertEqual(self.state(), "paused")
        self.ok("resume", "g")
        self.assert_back(guest, marks)

    def screens(self):
        """What the screen may show, whose cursor blinks."""
        seen, file = set(), self.scratch / "screen.ppm"
        for _ in range(2):
            guest_ticks = self.guest().wait_for_ticks
            self.ok("screenshot", "g", file)
            seen.add(content_of(file))
            guest_ticks()
        return seen

    def test_blocks_of_one_size(self):
        """Cards whose firmware is as large as the machine's own, and a screen: all small blocks are saved too."""
        self.cards = ("virtio", "virtio", "e1000")
        guest = self.boot()
        marks, _ = self.checkpoint(guest)
        self.revert()
        before = self.screens()
        result = self.cli("snapshot-create-as", "g", "t", "--memspec", f"file={self.scratch / 't.mem'}")
        self.assertEqual((result.code, result.err), (0, ""))
        for way in ((), ("--new-process", "--eager")):
            self.damage(guest)
            self.ok("snapshot-revert", "g", "t", *way)
            self.assert_back(guest, marks)
            wait_for(lambda: self.screens() & before, 60, "the screen shows what it showed")

    def in_place(self, name="s", *options):
        before = self.qemu_pid()
        self.assertIn("way: in place", self.cli("snapshot-revert", "g", name, *options).err)
        self.assertEqual(self.qemu_pid(), before)

    def test_warm(self):
        guest = self.boot()
        marks, memory = self.checkpoint(guest)
        before, pid = content_of(memory), self.qemu_pid()
        self.usage_error("snapshot-warm", "g", "s", "--save", "t")
        self.ok("snapshot-create-as", "g", "inside")
        self.refused("snapshot-warm", "g", "inside", "--mapped", naming="not in an image")
        self.assertIn("end the running guest", self.ok("snapshot-warm", "g", "s", "--mapped", "--dry-run").lower())
        self.assertEqual(self.qemu_pid(), pid, "neither a refusal nor a dry run drops the guest")
        self.damage(guest)
        self.assertEqual(self.ok("snapshot-warm", "g", "s", "--mapped", "--save", "kept"),
                         "Domain snapshot kept created\nDomain snapshot s reverted\nDomain snapshot s is warm\n\n")
        self.assert_back(guest, marks)
        for _ in range(3):
            self.damage(guest)
            self.in_place()
            self.assert_back(guest, marks)
            self.assertEqual((self.origin()["image"], self.origin()["mapped"]), (str(memory), True))
            self.assertRegex(self.ok("snapshot-info", "g", "s"), r"Warm:\s+yes")
        self.assertEqual(self.ok("snapshot-warm", "g", "s", "--mapped"), "Domain snapshot s is warm\n\n", "it is already")
        # What rests on the image that is mapped needs no other mapping.
        guest.do("note upper")
        upper = self.marks_of(guest)
        self.ok("snapshot-create-as", "g", "upper", "--memspec", f"file={self.scratch / 'upper.mem'}")
        self.assertIn(f"over {memory} (chain of 2)", self.ok("snapshot-info", "g", "upper"))
        pid = self.qemu_pid()
        self.ok("snapshot-warm", "g", "upper", "--mapped")
        self.assertEqual(self.qemu_pid(), pid)
        for name, wanted in (("s", marks), ("upper", upper), ("upper", upper), ("s", marks)):
            self.damage(guest)
            self.in_place(name)
            self.assert_back(guest, wanted)
        self.in_place("s", "--paused")
        self.assertEqual(foreign.pages_that_differ(self.qemu_pid(), foreign.ram_address(self), memory), [])
        self.assertEqual(content_of(memory), before)

    def test_what_the_guest_gives_back_stays_in_the_image(self):
        self.balloon = "virtio"
        guest = self.boot()
        marks, memory = self.checkpoint(guest)
        before = content_of(memory)
        self.revert()
        self.leave_the_guest(160)
        guest.wait_for_ticks()
        self.assertEqual(content_of(memory), before)
        self.revert()
        self.assert_back(guest, marks)

    def test_a_page_of_zeros_that_was_altered(self):
        guest = self.boot()
        marks, memory = self.checkpoint(guest)
        with open(memory, "r+b") as image:
            hole = os.lseek(image.fileno(), 0, os.SEEK_HOLE)
            self.assertLess(hole, 256 << 20, "the guest left none of its RAM alone")
            image.seek(hole + 100)
            image.write(b"not zero")
        self.refused("snapshot-revert", "g", "s", "--mapped", naming=[memory, "was zeros"])
        self.refused("snapshot-verify", "g", naming="not good")
        self.ok("snapshot-revert", "g", "s", "--new-process")
        self.assert_back(guest, marks)

    def test_a_page_that_was_altered(self):
        guest = self.boot()
        marks, memory = self.checkpoint(guest)
        self.revert()
        guest.do("note here")
        pid = self.qemu_pid()
        with open(memory, "r+b") as image:
            page = next(p for p in range(64 * 256, 0, -1) if image.seek(p * PAGE) is not None and image.read(PAGE).strip(b"\0"))
            image.seek(page * PAGE + 100)
            byte = image.read(1)
            image.seek(page * PAGE + 100)
            image.write(bytes([byte[0] ^ 1]))
        self.refused("snapshot-revert", "g", "s", "--mapped", naming=[memory, "checksum"])
        self.assertEqual(self.qemu_pid(), pid)
        self.refused("snapshot-revert", "g", "s", "--mapped", "--eager", naming="mutually exclusive")
        self.ok("destroy", "g")

    def test_memory_that_is_no_file(self):
        self.boot(disks=[harness.Disk("vda", self.scratch.image("vda.qcow2"))])
        self.ok("snapshot-create-as", "g", "inside")
        self.refused("snapshot-revert", "g", "inside", "--mapped", naming=["--mapped", "internal"])
        self.assert_healthy()


if __name__ == "__main__":
    harness.main()
