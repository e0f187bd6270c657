"""adopt: domains with snapshots that a real libvirt made are taken over, and gone back to where their files are."""
import os
import shutil
import struct
import unittest

import harness
import test_firmware
import test_networks
from harness import Disk, fingerprint, tool
from libvirt_daemon import Libvirtd
from scratch import difference, qemu


class AdoptTest(harness.SystemTest):
    def setUp(self):
        super().setUp()
        self.libvirt = Libvirtd(self.scratch, self.peer())
        self.addCleanup(self.libvirt.stop)
        self.libvirt.start()
        self.scratch.state.mkdir(0o700)

    def peer(self):
        """The root that libvirt is taken from; None = the one that is installed."""

    def virsh(self, *arguments):
        return self.libvirt.ok(*arguments)

    def define_in_libvirt(self, name="g", **options):
        file = self.scratch / f"{name}.xml"
        disks = [Disk(f"vd{c}", self.scratch.image(f"{name}-vd{c}.qcow2")) for c in "ab"]
        file.write_text(self.domain_xml(name, disks, **{"emulator": qemu(), **options}))
        self.virsh("define", file)

    def adopt(self, *arguments):
        return ("adopt", *arguments, "--from", self.libvirt.root)

    def dry_run(self, *arguments):
        """What it says, both sides as they were."""
        with self.nothing_changes():
            return self.cli(*self.adopt(*arguments, "--dry-run"))

    def assert_refused(self, *arguments, naming):
        """By the plain command, and told by --dry-run, too; nothing changes."""
        told = self.dry_run(*arguments)
        self.assertEqual(told.code, 1, told)
        for word in [naming] if isinstance(naming, str) else naming:
            self.assertIn(word.strip("'"), told.out)
        with self.nothing_changes():
            self.refused(*self.adopt(*arguments), naming=naming)


class WithGuest(AdoptTest):
    """One guest of libvirt's, with a snapshot of each kind that libvirt 9.0 makes."""

    def make_snapshots(self):
        self.define_in_libvirt()
        self.virsh("snapshot-create-as", "g", "off")
        self.virsh("start", "g")
        guest = self.guest()
        guest.wait_until_up(240)
        self.take("internal", "snapshot-create-as", "g", "internal")
        self.take("external", "snapshot-create-as", "g", "external", "--memspec", f"file={self.scratch.path}/g.mem,snapshot=external")
        self.take("disks", "snapshot-create-as", "g", "disks", "--disk-only")
        self.libvirt.stop()
        self.libvirt.start(packing="gzip")
        self.take("packed", "snapshot-create-as", "g", "packed", "--memspec", f"file={self.scratch.path}/g.mem.gz,snapshot=external")
        self.assert_consistent(guest)

    def take(self, name, *command):
        guest = self.guest()
        guest.do(f"note before {name}")
        guest.wait_for_ticks()
        self.virsh(*command)
        guest.do(f"note after {name}")
        guest.wait_for_ticks()

    def assert_gone_back(self, name, notes):
        self.ok("snapshot-revert", "g", name)
        self.guest().wait_for_ticks()
        status = self.assert_healthy()
        self.assertEqual([n for n in status["notes"] if n.startswith("before")][-1:], [f"before {name}"])
        self.assertEqual(len(status["notes"]), notes)

    def damaged_copies(self):
        """The metadata as they are, with a memory file that is not."""
        memory, kept = self.scratch / "g.mem", self.scratch / "kept.mem"
        memory.rename(kept)
        with self.subTest("truncated"):
            shutil.copyfile(kept, memory)
            with open(memory, "r+b") as file:
                file.truncate(kept.stat().st_size - (1 << 20))
            self.assert_refused("g", naming=["'external'", str(memory)])
        with self.subTest("of a newer libvirt"):
            with open(memory, "r+b") as file:
                file.seek(16)
                file.write(struct.pack("<I", 3))
            self.assert_refused("g", naming=["'external'", "newer libvirt"])
        with self.subTest("not finished"):
            with open(memory, "r+b") as file:
                file.write(b"LibvirtQemudPart")
            self.assert_refused("g", naming=["'external'", "did not finish"])
        memory.unlink()
        kept.rename(memory)

    def test_every_kind_of_snapshot(self):
        self.make_snapshots()
        self.refused(*self.adopt("g"), naming="libvirt runs it")
        self.virsh("destroy", "g")
        self.damaged_copies()
        told = self.dry_run("g")
        self.assertEqual(told.code, 0, told)
        for words in ("g: can be taken over", "snapshot off: internal of vda, vdb", "snapshot internal: internal memory",
                      f"snapshot external: memory in {self.scratch.path}/g.mem; external of vda, vdb", "g.mem.gz (gzip)"):
            self.assertIn(words, told.out)
        self.refused(*self.adopt("g", "--take"), naming="libvirtd")

        before = {name: fingerprint(self.libvirt.root / name) for name in ("etc", "var/lib")}
        done = self.cli(*self.adopt("g"))
        self.assertEqual((done.code, done.out.strip()), (0, "Domain 'g' adopted with 5 snapshots"), done)
        self.assertIn("virsh undefine g --snapshots-metadata", done.err)
        after = {name: fingerprint(self.libvirt.root / name) for name in before}
        self.assertEqual([line for name in before for line in difference(before[name], after[name])], [])
        self.assertEqual(sorted(self.snapshots()), ["disks", "external", "internal", "off", "packed"])
        self.assertEqual(self.ok("snapshot-current", "g", "--name").strip(), "packed")
        self.assertNotIn("not good", self.ok("snapshot-verify", "g"))
        self.refused(*self.adopt("g"), naming="has it already")

        for name, notes in (("packed", 7), ("external", 3), ("internal", 1), ("external", 3)):
            with self.subTest(name):
                self.assert_gone_back(name, notes)
        for name in ("disks", "off"):
            with self.subTest(name):
                self.ok("snapshot-revert", "g", name)
                self.assertEqual(self.state(), "shut off")
        self.ok("snapshot-revert", "g", "disks", "--running")
        self.guest().wait_until_up()
        self.assertEqual(self.guest().status()["disks"]["vda"]["mismatches"], 0)
        self.ok("snapshot-create-as", "g", "ours", "--memspec", f"file={self.scratch.path}/ours.mem")
        self.assert_gone_back("packed", 7)
        self.assertNotIn("not good", self.ok("snapshot-verify", "g"))
        self.let_libvirt_forget()

    def let_libvirt_forget(self):
        self.ok("destroy", "g")
        self.libvirt.stop()
        shown = self.ok(*self.adopt("g", "--take"))
        self.assertIn("g.xml.adopted-by-domsnap", shown)
        self.libvirt.start()
        self.assertEqual(self.virsh("list", "--all", "--name").split(), [])
        self.ok("snapshot-revert", "g", "internal", "--paused")


class Offline(AdoptTest):
    """What needs no guest."""

    def chain(self, name="g"):
        """Two external snapshots of a domain that is off."""
        self.define_in_libvirt(name, memory_mib=64)
        for snapshot in ("one", "two"):
            self.virsh("snapshot-create-as", name, snapshot, "--disk-only")

    def test_what_cannot_be(self):
        self.chain()
        overlay, aside = self.scratch / "g-vda.one", self.scratch / "aside"
        with self.subTest("missing overlay"):
            overlay.rename(aside)
            self.assert_refused("g", naming="g-vda.one")
            aside.rename(overlay)
        top = self.scratch / "g-vdb.two"
        with self.subTest("another backing file"):
            shutil.copyfile(top, aside)
            tool("qemu-img", "rebase", "-u", "-f", "qcow2", "-F", "qcow2", "-b", self.scratch / "g-vda.one", top)
            self.assert_refused("g", naming="metadata say")
        for backing, form in (("/etc/shadow", "raw"), ("json:{}", "qcow2")):
            with self.subTest(backing):
                tool("qemu-img", "rebase", "-u", "-f", "qcow2", "-F", form, "-b", backing, top)
                self.assert_refused("g", naming="g-vdb.two")
        shutil.copyfile(aside, top)
        with self.subTest("name taken"):
            other = self.scratch / "other.xml"
            other.write_text(self.domain_xml("g", []))
            self.ok("define", other)
            self.assert_refused("g", naming="another domain of that name")
            self.ok("undefine", "g")
        with self.subTest("uuid taken"):
            uuid = self.virsh("domuuid", "g").strip()
            other.write_text(self.domain_xml("h", [], uuid=uuid))
            self.ok("define", other)
            self.assert_refused("g", naming=["'h'", uuid])
            self.ok("undefine", "h")
        with self.subTest("no such domain"):
            self.refused(*self.adopt("nosuch"), naming="nosuch")
        with self.subTest("no libvirt"):
            self.refused("adopt", "g", "--from", self.scratch / "state", naming="keeps no domains")
        self.usage_error("adopt", "g", "--dry-run", "--take")
        self.ok(*self.adopt("g"))

    def test_a_base_that_two_share(self):
        self.define_in_libvirt("a", memory_mib=64)
        tool("qemu-img", "create", "-q", "-f", "qcow2", "-F", "qcow2", "-b", self.scratch / "a-vda.qcow2", self.scratch / "b.qcow2")
        file = self.scratch / "b.xml"
        file.write_text(self.domain_xml("b", [Disk("vda", self.scratch / "b.qcow2")], memory_mib=64))
        self.virsh("define", file)
        self.virsh("snapshot-create-as", "a", "s", "--disk-only")
        self.assert_refused("a", naming=["'b'", "a-vda.qcow2"])
        self.ok(*self.adopt("a", "b"))
        self.ok("snapshot-delete", "a", "s")
        self.assertEqual(self.sources("a")["vda"].name, "a-vda.s")  # what b reads is not merged into
        tool("qemu-img", "check", "-q", self.scratch / "b.qcow2")


class Memory(AdoptTest):
    """A guest whose memory libvirt saved."""

    def boot_in_libvirt(self, **options):
        self.define_in_libvirt(**{"memory_mib": 128, **options})
        self.virsh("start", "g")
        guest = self.guest()
        guest.wait_until_up(240)
        return guest

    def restart_libvirt(self, packing):
        self.libvirt.stop()
        self.libvirt.start(packing)

    def saved_in_libvirt(self, packing="lzop", **options):
        guest = self.boot_in_libvirt(**options)
        self.restart_libvirt(packing)
        guest.do("note before")
        marks = self.marks_of(guest)
        self.virsh("managedsave", "g")
        return guest, marks


class Saved(Memory):
    """In every form."""

    def packings(self):
        return ["bzip2", "xz", "lzop"]

    def test_every_packing(self):
        harness.requires(all(map(shutil.which, ["bzip2", "xz", "lzop", "zstd"])), "bzip2, xz, lzop or zstd is not installed")
        guest = self.boot_in_libvirt()
        marks = {}
        for packing in self.packings():
            self.restart_libvirt(packing)
            guest.do(f"note {packing}")
            marks[packing] = self.marks_of(guest)
            self.virsh("snapshot-create-as", "g", packing, "--memspec", f"file={self.scratch.path}/{packing}.mem,snapshot=external")
        self.virsh("destroy", "g")
        told = self.dry_run("g")
        for packing in self.packings():
            self.assertIn(f"{packing}.mem ({packing})", told.out)
        self.ok(*self.adopt("g"))
        for packing in self.packings():
            self.ok("snapshot-revert", "g", packing)
            self.assert_back(guest, marks[packing])

    def test_a_managed_save(self):
        guest, marks = self.saved_in_libvirt()
        kept = self.libvirt.root / "var/lib/libvirt/qemu/save/g.save"
        told = self.dry_run("g")
        self.assertIn(f"its memory is copied from {kept}: the next start goes on from it", told.out)
        with self.subTest("of other disks"):
            definition = self.libvirt.root / "etc/libvirt/qemu/g.xml"
            text = definition.read_text()
            definition.write_text(text.replace("g-vda.qcow2", "other.qcow2"))
            self.scratch.image("other.qcow2")
            self.assert_refused("g", naming=["'vda'", "g-vda.qcow2"])
            definition.write_text(text)
        self.assertIn("--managed-save", self.cli(*self.adopt("g")).err)
        self.virsh("undefine", "g", "--managed-save")
        self.assertFalse(kept.exists())
        with self.nothing_changes():
            self.refused("snapshot-create-as", "g", "s", naming="waits for its next start")
            self.refused("undefine", "g", naming="managed save image exists")
        self.assertEqual(self.ok("list", "--all", "--with-managed-save", "--name").split(), ["g"])
        self.ok("domrename", "g", "h")
        self.ok("domrename", "h", "g")
        self.ok("start", "g")
        self.assert_back(guest, marks)
        self.assertEqual(self.ok("list", "--all", "--with-managed-save", "--name").split(), [])
        self.assertEqual(list(self.scratch.state.rglob("managed-save")), [])
        self.ok("snapshot-create-as", "g", "s", "--memspec", self.scratch / "s.mem")
        guest.do("note later")
        self.ok("snapshot-revert", "g", "s")
        self.assert_back(guest, marks)
        self.ok("destroy", "g")
        self.ok("start", "g")
        guest.wait_until_up()
        self.assertNotEqual(guest.status()["boot"], marks["boot"])

    def test_a_managed_save_whose_disks_were_written_to(self):
        guest, marks = self.saved_in_libvirt("raw")
        self.libvirt.stop()
        shown = self.ok(*self.adopt("g", "--take"))
        self.assertIn("g.save.adopted-by-domsnap", shown)
        tool("qemu-io", "-f", "qcow2", "-c", "write -P 1 60M 64k", self.scratch / "g-vdb.qcow2")
        with self.nothing_changes():
            self.refused("start", "g", naming=["g-vdb.qcow2", "written to"])
        self.ok("start", "g", "--force-boot")
        guest.wait_until_up()
        self.assertNotEqual(guest.status()["boot"], marks["boot"])
        self.assertEqual(list(self.scratch.state.rglob("managed-save")), [])


@unittest.skipUnless(test_firmware.OVMF.exists(), "OVMF is not installed (package ovmf)")
@unittest.skipUnless(shutil.which("swtpm") and shutil.which("swtpm_setup"), "swtpm is not installed (swtpm, swtpm-tools)")
class WithFirmware(Memory):
    """UEFI's variables and the TPM's state come along."""

    def domain_xml(self, *arguments, **options):
        text = super().domain_xml(*arguments, devices=test_firmware.TPM, **options)
        variables = f"<nvram>{self.scratch.path}/variables/g.fd</nvram>"
        text = text.replace("<os>", f"<os firmware='efi'>{test_firmware.WISHES}")
        return text.replace("<kernel>", f"{variables}<kernel>")

    def write(self, word):
        self.guest().do(f"efi-write Word {word}")
        self.guest().do(f"tpm-write {test_firmware.INDEX} {word}")

    def assert_words(self, word):
        self.assertEqual(self.guest().do("efi-read Word")["text"], word)
        self.assertEqual(self.guest().do(f"tpm-read {test_firmware.INDEX}")["text"], word)

    def test_every_kind(self):
        (self.scratch / "variables").mkdir(0o700)
        guest = self.boot_in_libvirt(memory_mib=256)  # with less the firmware finds no room
        self.write("saved")
        self.virsh("snapshot-create-as", "g", "s", "--memspec", f"file={self.scratch.path}/s.mem,snapshot=external")
        self.write("later")
        marks = self.marks_of(guest)
        self.virsh("managedsave", "g")
        (self.scratch / "variables").rename(self.scratch / "elsewhere")
        self.assert_refused("g", naming=["UEFI variables", "variables/g.fd"])
        (self.scratch / "elsewhere").rename(self.scratch / "variables")
        told = self.dry_run("g")
        self.assertIn("its TPM's state is copied from", told.out)
        self.ok(*self.adopt("g"))
        self.virsh("undefine", "g", "--managed-save", "--snapshots-metadata", "--keep-nvram")
        self.ok("start", "g")
        self.assert_back(guest, marks)
        self.assert_words("later")
        self.write("ours")
        self.ok("snapshot-revert", "g", "s")
        self.assert_words("saved")
        self.assert_healthy()
        self.ok("snapshot-create-as", "g", "t", "--memspec", self.scratch / "t.mem")
        self.write("more")
        self.ok("destroy", "g")
        self.ok("start", "g")
        guest.wait_until_up(240)
        self.assert_words("more")
        self.ok("snapshot-revert", "g", "t")
        self.assert_words("saved")


class OnABridge(Memory):
    """A guest on a bridge of the host's, or on a network of libvirt's that is one, goes on there."""

    own_network, ip = test_networks.Networks.own_network, test_networks.Networks.ip
    bridge, ports = test_networks.Networks.bridge, test_networks.Networks.ports

    def setUp(self):
        harness.requires(os.environ.get("DOMSNAP"), "DOMSNAP does not name the domsnap command")
        self.own_network()
        self.bridge("br7")
        super().setUp()

    def test_both(self):
        network = self.scratch / "network.xml"
        network.write_text("<network><name>lab</name><forward mode='bridge'/><bridge name='br7'/></network>")
        self.virsh("net-define", network)
        self.virsh("net-start", "lab")
        interfaces = "<interface type='bridge'><source bridge='br7'/><model type='virtio'/></interface>"
        interfaces += "<interface type='network'><source network='lab'/><model type='virtio'/></interface>"
        guest, marks = self.saved_in_libvirt("raw", devices=interfaces)
        self.assert_refused("g", naming=["network='lab'"])
        (self.scratch.state / "networks").write_text("lab br7\n")
        self.ok(*self.adopt("g"))
        self.virsh("undefine", "g", "--managed-save")
        self.ok("start", "g")
        self.assert_back(guest, marks)
        self.assertEqual(len(self.ports("br7")), 2)
        self.ok("destroy", "g")


if __name__ == "__main__":
    harness.main()
