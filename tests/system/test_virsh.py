"""virsh, unmodified, drives a real guest: its whole life, a checkpoint of it, and back."""
import clients


class Virsh(clients.ClientTest):
    def test_checkpoint_and_back(self):
        file = self.scratch / "g.xml"
        file.write_text(self.domain_xml())
        self.assertEqual(self.virsh_ok("define", file), f"Domain 'g' defined from {file}")
        self.assertEqual(self.virsh_ok("start", "g"), "Domain 'g' started")
        guest = self.guest()
        guest.wait_until_up()
        memory = self.scratch / "one.mem"
        self.assertEqual(self.virsh_ok("snapshot-create-as", "g", "one", "--memspec", memory, "--live"),
                         "Domain snapshot one created")
        taken = guest.do("status")["tick"]
        guest.wait_for_ticks()
        self.assertEqual(self.virsh_ok("snapshot-list", "g", "--name"), "one")
        self.assertEqual(self.virsh_ok("domstate", "g", "--reason"), "running (booted)")
        self.virsh_ok("snapshot-revert", "g", "one")
        self.assertLessEqual(guest.status()["tick"], taken + 2, "the guest is back where it was")
        self.assert_healthy()
        self.assertEqual(self.virsh_ok("domstate", "g", "--reason"), "running (from snapshot)")

        # The command line and the server see the same.
        for verb in (("dumpxml", "g"), ("snapshot-dumpxml", "g", "one"), ("domblklist", "g"), ("domid", "g"), ("list", "--all"),
                     ("snapshot-info", "g", "one"), ("domstate", "g")):
            self.assertEqual(self.virsh_ok(*verb), self.ok(*verb).rstrip("\n"), verb)

        # The server's end is not the guest's; another server finds it again.
        self.stop_daemon()
        self.assert_healthy()
        self.start_daemon()
        self.assertEqual(self.virsh_ok("domstate", "g"), "running")
        self.assertEqual(self.virsh_ok("snapshot-delete", "g", "one"), "Domain snapshot one deleted")
        self.assertFalse(memory.exists())
        self.assert_healthy()
        self.assertEqual(self.virsh_ok("destroy", "g"), "Domain 'g' destroyed")
        self.assertEqual(self.virsh_ok("undefine", "g"), "Domain 'g' has been undefined")
        self.assertEqual(self.virsh_ok("list", "--all", "--name"), "")


if __name__ == "__main__":
    clients.main()
