"""snapshot='manual': the guest is stopped at the snapshot's instant and stays so while the user copies the disk; a revert
waits for the copy to be put back."""
import shutil

import harness
from harness import Disk


class Manual(harness.SystemTest):
    def start(self):
        """vda is domsnap's to save, vdb the user's."""
        self.user_disk = self.scratch.image("vdb.img", fmt="raw")
        self.copy = self.scratch / "copy of vdb"
        self.other_disk = Disk("vda", self.scratch.image("vda.qcow2"))
        return self.boot(disks=[self.other_disk, Disk("vdb", self.user_disk, format="raw")])

    def take(self, guest, *arguments):
        """Creates snapshot m, copies as the user is told, and resumes; what the guest was before."""
        guest.do("note before")
        result = self.cli("snapshot-create-as", "g", "m", *arguments, "--diskspec", "vdb,snapshot=manual")
        self.assertEqual((result.code, result.out.strip()), (0, "Domain snapshot m created"), result.err)
        for word in ("vdb", str(self.user_disk), "domsnap resume g"):
            self.assertIn(word, result.err)
        self.assertEqual(self.state(), "paused")
        self.assertIn("creating snapshot", self.ok("domstate", "g", "--reason"))
        shutil.copy(self.user_disk, self.copy)
        self.ok("resume", "g")
        self.assert_healthy()

    def go_back(self, *options):
        """As a user would: refused while it runs, refused without --force, done with the copy in its place."""
        self.refused("snapshot-revert", "g", "m", "--force", naming=("vdb", "cannot be put back while domain 'g' runs"))
        self.assert_healthy()
        self.ok("destroy", "g")
        with self.nothing_changes():
            self.refused("snapshot-revert", "g", "m", naming=("revert requires force", "vdb"))
        shutil.copy(self.copy, self.user_disk)
        self.ok("snapshot-revert", "g", "m", "--force", *options)

    def check_memory(self, *arguments):
        guest = self.start()
        self.take(guest, *arguments)
        for _ in range(2):
            guest.do("note after")
            self.go_back()
            self.assertEqual(guest.status()["notes"], ["before"])
            self.assert_healthy()
        self.ok("snapshot-delete", "g", "m")
        self.assert_healthy()
        self.assertEqual((self.snapshots(), self.copy.exists()), ([], True), "the copy is the user's")

    def test_external_memory(self):
        self.check_memory("--memspec", self.scratch / "m.mem")
        self.assertFalse((self.scratch / "m.mem").exists())

    def test_internal_memory(self):
        self.check_memory("--memspec", "snapshot=internal", "--diskspec", "vda,snapshot=internal")

    def test_disks_alone(self):
        guest = self.start()
        guest.do("write vdb 0x800000 kept")
        self.take(guest, "--disk-only")
        guest.do("write vdb 0x800000 lost")
        self.go_back("--running")
        guest.wait_until_up()
        self.assertEqual(guest.do("read vdb 0x800000 4")["text"], "kept")
        self.assert_healthy()

    def test_of_a_domain_that_is_off(self):
        disk = self.scratch.image("vda.qcow2")
        self.define(disks=[Disk("vda", disk)])
        result = self.cli("snapshot-create-as", "g", "m", "--diskspec", "vda,snapshot=manual")
        self.assertEqual(result.code, 0, result.err)
        self.assertIn(f"copy disk 'vda' now ({disk}), before domain 'g' is started", result.err)
        self.assertEqual((self.state(), self.sources()["vda"]), ("shut off", disk))
        self.refused("snapshot-revert", "g", "m", naming="revert requires force")
        self.ok("snapshot-revert", "g", "m", "--force")
        self.ok("snapshot-delete", "g", "m")

    def test_of_a_paused_guest(self):
        self.start()
        self.ok("suspend", "g")
        self.ok("snapshot-create-as", "g", "m", "--diskspec", "vdb,snapshot=manual")
        self.assertEqual(self.state(), "paused")
        self.ok("resume", "g")
        self.assert_healthy()

    def test_what_cannot_be(self):
        guest = self.start()
        request = self.scratch / "request.xml"
        request.write_text("<domainsnapshot><name>m</name><memory snapshot='internal' disk='vda'/><disks>"
                           "<disk name='vda' snapshot='manual'/></disks></domainsnapshot>")
        self.refused("snapshot-create", "g", request, naming="disk 'vda' cannot hold the memory")
        self.refused("snapshot-create-as", "g", "m", "--diskspec", "vda,snapshot=manual,file=/x", naming="external snapshot mode")
        self.assertEqual(self.snapshots(), [])
        guest.wait_for_ticks()
        self.assert_healthy()

    def test_a_failure_lets_the_guest_run_on(self):
        """The image that is to hold the memory cannot: its file system is too small. The guest does not use that disk."""
        holder = self.scratch.tmpfs("small", "4m") / "vdb.qcow2"
        shutil.copy(self.scratch.image("vdb.qcow2", "4M"), holder)
        self.boot(disks=[Disk("vda", self.scratch.image("vda.qcow2")), Disk("vdb", holder)])
        self.refused("snapshot-create-as", "g", "m", "--memspec", "snapshot=internal", "--diskspec", "vdb,snapshot=internal",
                     "--diskspec", "vda,snapshot=manual")
        self.assertEqual(self.snapshots(), [])
        self.assertIn("running (booted)", self.ok("domstate", "g", "--reason"))
        self.assert_healthy()


if __name__ == "__main__":
    harness.main()
