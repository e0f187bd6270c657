"""A domain is defined, run, stopped and forgotten."""
import os
import subprocess
import uuid

import harness
from harness import wait_for, xml_of


class Lifecycle(harness.SystemTest):
    def test_define_and_undefine(self):
        self.assertIn("g", self.define())
        self.assertEqual(self.ok("list", "--name").split(), [])
        self.assertEqual(self.ok("list", "--all", "--name").split(), ["g"])
        self.assertEqual(self.state(), "shut off")
        identity = self.ok("domuuid", "g").strip()
        self.assertEqual(str(uuid.UUID(identity)), identity)
        self.assertEqual(self.ok("domstate", identity).strip(), "shut off")
        info = dict(line.split(":", 1) for line in self.ok("dominfo", "g").splitlines() if ":" in line)
        self.assertEqual((info["Name"].strip(), info["State"].strip()), ("g", "shut off"))
        disks = {target: self.scratch / f"{target}.qcow2" for target in ("vda", "vdb")}
        self.assertEqual(self.sources(), disks)
        self.ok("undefine", "g")
        self.assertEqual(self.ok("list", "--all", "--name").split(), [])
        for path in disks.values():
            self.assertTrue(path.is_file(), "undefine must leave the disks alone")
        self.refused("domstate", "g", naming="failed to get domain 'g'")

    def test_documents_keep_what_domsnap_does_not_know(self):
        metadata = "<metadata><lab:it xmlns:lab='http://example.org/lab' deep='1'><lab:x/>text</lab:it></metadata>"
        self.define(metadata=f"<title>A title</title>{metadata}")
        document = xml_of(self.ok("dumpxml", "g"))
        self.assertEqual(document.findtext("title"), "A title")
        known = document.find("metadata/{http://example.org/lab}it")
        self.assertEqual((known.get("deep"), known[0].tail), ("1", "text"))

    def test_a_redefinition_replaces_and_a_stranger_is_refused(self):
        self.define(memory_mib=256)
        identity = self.ok("domuuid", "g").strip()
        self.define(memory_mib=320, uuid=identity, disks=[])
        memory = xml_of(self.ok("dumpxml", "g")).find("memory")
        self.assertEqual(int(memory.text) * {"KiB": 1, "MiB": 1024}[memory.get("unit", "KiB")], 320 * 1024)
        file = self.scratch / "stranger.xml"
        file.write_text(self.domain_xml(disks=[], uuid=str(uuid.uuid4())))
        self.refused("define", file, naming="g")

    def test_run(self):
        self.define()
        self.ok("start", "g", "--paused")
        self.assertEqual(self.state(), "paused")
        self.ok("resume", "g")
        guest = self.guest()
        guest.wait_until_up()
        self.assertEqual(self.ok("list", "--name").split(), ["g"])
        self.assertGreater(int(self.ok("domid", "g")), 0)
        machine = xml_of(self.ok("dumpxml", "g")).find("os/type").get("machine")
        self.assertRegex(machine, r"^pc-q35-\d+\.\d+$", "the machine type must be pinned to a version")
        self.refused("start", "g", naming="g")
        self.check_suspend(guest)
        self.check_shutdown(guest)

    def check_suspend(self, guest):
        before = guest.status()
        self.ok("suspend", "g")
        self.assertEqual(self.state(), "paused")
        self.assertTrue(guest.is_silent())
        self.ok("resume", "g")
        self.assertEqual(guest.status()["boot"], before["boot"])
        self.assert_healthy()

    def check_shutdown(self, guest):
        guest.do("power-button ignore")
        self.ok("shutdown", "g")
        guest.wait_for_ticks(3)
        self.assertEqual(self.state(), "running")
        guest.do("power-button obey")
        self.ok("shutdown", "g")
        wait_for(lambda: self.state() == "shut off", 60, "the guest obeys the power button")
        self.assertEqual(self.scratch.pids(), [])

    def test_destroy_and_start_again(self):
        guest = self.boot(machine="pc")
        first = self.assert_healthy()
        self.ok("destroy", "g")
        self.assertEqual(self.state(), "shut off")
        self.assertEqual(self.scratch.pids(), [])
        self.refused("destroy", "g", naming="g")
        self.ok("start", "g")
        second = guest.wait_until_up()
        self.assertNotEqual(second["boot"], first["boot"])
        found = second["disks"]["vda"]["found"]
        self.assertEqual(found.split(":")[0], first["boot"], "the disk is the one of the first run")

    def test_every_bus(self):
        disks = [harness.Disk("vda", self.scratch.image("v.qcow2")),
                 harness.Disk("sda", self.scratch.image("s.raw", fmt="raw"), bus="scsi", format="raw"),
                 harness.Disk("hda", self.scratch.image("h.qcow2"), bus="ide"),
                 harness.Disk("hdc", "", bus="ide", format="raw", device="cdrom", extra="<readonly/>")]
        guest = self.boot(disks=disks, machine="pc", devices="<controller type='scsi' index='0' model='virtio-scsi'/>")
        wait_for(lambda: len(guest.status()["disks"]) == 3, 30, "three disks in the guest")
        self.assert_healthy()

    def test_a_stale_pid_is_never_signalled(self):
        self.boot()
        pid_file = self.pid_file()
        old = pid_file.read_text()
        self.kill_qemu()
        innocent = subprocess.Popen(["sleep", "300"], stdin=subprocess.DEVNULL)
        self.addCleanup(innocent.wait)
        self.addCleanup(innocent.kill)
        pid_file.parent.mkdir(parents=True, exist_ok=True)
        pid_file.write_text(old.replace(old.split()[0], str(innocent.pid), 1))
        self.assertIn(self.state(), ("shut off", "crashed"))
        self.cli("destroy", "g")
        self.cli("shutdown", "g")
        self.assertIsNone(innocent.poll(), "a process that was never ours has been signalled")
        self.ok("start", "g")
        self.guest().wait_until_up()
        self.assertNotEqual(self.qemu_pid(), innocent.pid)
        self.assertIsNone(innocent.poll())

    def test_private_files(self):
        self.boot()
        for folder in (self.scratch.state, self.scratch.runtime):
            for path in [folder, *folder.rglob("*")]:
                if not path.is_symlink():
                    self.assertEqual(os.lstat(path).st_mode & 0o077, 0, f"{path} is open to others")


if __name__ == "__main__":
    harness.main()
