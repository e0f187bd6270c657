"""UEFI variables and the TPM belong to the point in time, whatever the snapshot is taken with."""
import pathlib
import shutil
import unittest

import harness
from harness import wait_for

OVMF = pathlib.Path("/usr/share/qemu/firmware/60-edk2-x86_64.json")
TPM = "<tpm model='tpm-crb'><backend type='emulator' version='2.0'/></tpm>"
# Secure boot would refuse the test guest's kernel, which nobody signed.
WISHES = "<firmware><feature enabled='no' name='secure-boot'/></firmware>"
INDEX = "0x1500001"


@unittest.skipUnless(OVMF.exists(), "OVMF is not installed (package ovmf)")
@unittest.skipUnless(shutil.which("swtpm") and shutil.which("swtpm_setup"), "swtpm is not installed (swtpm, swtpm-tools)")
class Firmware(harness.SystemTest):
    def domain_xml(self, *arguments, **options):
        text = super().domain_xml(*arguments, devices=TPM, **options)
        return text.replace("<os>", f"<os firmware='efi'>{WISHES}")

    def boot(self, *arguments, **options):
        """Under TCG the firmware alone takes as long as the rest."""
        self.define(*arguments, **options)
        self.ok("start", "g")
        self.guest().wait_until_up(240)
        return self.guest()

    @property
    def folder(self):
        return self.scratch.state / "firmware" / self.ok("domuuid", "g").strip()

    def copies(self):
        return sorted(path.name.split(".")[0] for path in self.folder.iterdir() if path.suffix in (".nvram", ".tpm"))

    def write(self, word):
        self.guest().do(f"efi-write Word {word}")
        self.guest().do(f"tpm-write {INDEX} {word}")

    def write_more(self):
        """One that was there is changed, one that was not is made."""
        self.write("later")
        self.guest().do("efi-write New later")
        self.guest().do("tpm-write 0x1500002 later")

    def assert_words(self, word):
        guest = self.guest()
        self.assertEqual(guest.do("efi-read Word")["text"], word)
        self.assertEqual(guest.do(f"tpm-read {INDEX}")["text"], word)
        self.assertFalse(guest.ask("efi-read New")["ok"], "a variable that was made after the snapshot is there")
        self.assertFalse(guest.ask("tpm-read 0x1500002")["ok"], "an index that was made after the snapshot is there")

    def off(self):
        self.guest().do("poweroff")
        wait_for(lambda: self.state() == "shut off", 60, "the guest is off")

    def test_with_memory(self):
        self.boot()
        self.write("e")
        self.ok("snapshot-create-as", "g", "e", "--memspec", self.scratch / "e.mem")
        self.assertEqual(self.copies(), ["e", "e"])
        self.write("i")
        self.ok("snapshot-create-as", "g", "i")
        for name, way, *options in (("e", "in place"), ("i", "new process"), ("e", "in place"), ("e", "in place"),
                                    ("e", "memory as it is needed", "--new-process")):
            self.write_more()
            result = self.cli("snapshot-revert", "g", name, *options)
            self.assertEqual(result.code, 0, result.err)
            self.assertIn(way, result.err)
            self.assert_words(name)
            self.assert_healthy()
        self.refused("snapshot-revert", "g", "e", "--reset-nvram", naming="--reset-nvram")
        self.save_mapped()
        self.fall_back("e")
        self.assert_modes()
        self.ok("snapshot-delete", "g", "e")
        self.assertEqual(self.copies(), ["i", "i"])
        self.ok("snapshot-delete", "g", "i")
        self.assertEqual(self.copies(), [])
        self.assert_words("e")

    def save_mapped(self):
        """The flash is a block of RAM, and the TPM's state is the devices': both are in what is copied."""
        self.ok("snapshot-revert", "g", "e", "--mapped")
        self.write("m")
        result = self.cli("snapshot-create-as", "g", "m", "--memspec", self.scratch / "m.mem")
        self.assertEqual((result.code, result.err), (0, ""))
        for way in ((), ("--new-process",), ("--new-process", "--eager")):
            self.write_more()
            self.ok("snapshot-revert", "g", "m", *way)
            self.assert_words("m")
            self.assert_healthy()
        self.ok("snapshot-delete", "g", "m")
        self.ok("snapshot-revert", "g", "e", "--new-process")
        self.assert_words("e")

    def fall_back(self, name):
        """A device state that QEMU does not take ends in a new process, which gets the copies."""
        wait_for(self.all_is_loaded, 120, "all memory is there")
        self.ok("snapshot-warm", "g", name)
        state = next(self.scratch.runtime.glob("*/state-*.qcow2"))
        with open(state, "r+b") as file:
            file.seek(state.read_bytes().index(b"QEVM"))
            file.write(b"none")
        self.write_more()
        self.assertIn("not in place", self.cli("snapshot-revert", "g", name).err)
        self.assert_words(name)
        self.assert_healthy()

    def assert_modes(self):
        for path in self.folder.rglob("*"):
            self.assertEqual(path.stat().st_mode & 0o077, 0, path)

    def test_without_memory(self):
        self.boot()
        self.write("d")
        self.ok("snapshot-create-as", "g", "d", "--disk-only")
        self.write("o")
        self.off()
        self.ok("snapshot-create-as", "g", "o", "--disk-only")
        for name in ("d", "o"):
            self.ok("snapshot-revert", "g", name, "--running")
            self.guest().wait_until_up(240)
            self.assert_words(name)
            self.write_more()
        self.ok("snapshot-revert", "g", "d", "--reset-nvram")
        self.assertEqual(self.state(), "shut off")
        self.assertFalse((self.folder / "VARS.fd").exists())


if __name__ == "__main__":
    harness.main()
