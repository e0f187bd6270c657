"""virt-install and virt-xml, unmodified, make and change domains of domsnap's."""
import shutil
import subprocess
import xml.etree.ElementTree as ElementTree

import clients


class VirtInstall(clients.ClientTest):
    def setUp(self):
        super().setUp()
        clients.requires(shutil.which("virt-install"), "virt-install is not installed")

    def tool(self, *arguments):
        process = subprocess.Popen([*map(str, arguments)], stdin=subprocess.DEVNULL, text=True, stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, env={**self.scratch.environment(), "LIBVIRT_DEFAULT_URI": self.uri})
        result = self.finish(process)
        self.assertEqual(result.code, 0, f"{arguments}\n{result.out}{result.err}{self.daemon_log()}")
        return result.out + result.err

    def test_import_and_edit(self):
        disk = self.scratch.image("v.qcow2")
        self.tool("virt-install", "--connect", self.uri, "--name", "v", "--memory", "64", "--vcpus", "1", "--import",
                  "--disk", f"path={disk},driver.type=qcow2,bus=virtio", "--osinfo", "detect=off,require=off", "--virt-type", "qemu",
                  "--graphics", "vnc,listen=socket", "--network", "user", "--noautoconsole")
        self.assertEqual(self.virsh_ok("list", "--all", "--name"), "v")
        self.assertEqual(self.sources("v")["vda"], disk)
        self.virsh_ok("snapshot-create-as", "v", "installed", "--memspec", self.scratch / "v.mem")
        self.virsh_ok("snapshot-revert", "v", "installed", "--paused")
        self.assertEqual(self.virsh_ok("domstate", "v"), "paused")
        self.virsh_ok("destroy", "v")

        shown = self.tool("virt-xml", "v", "--edit", "--memory", "96", "--print-diff")
        self.assertIn("98304", shown)
        self.tool("virt-xml", "v", "--edit", "--memory", "96", "--define")
        domain = ElementTree.fromstring(self.virsh_ok("dumpxml", "v", "--inactive"))
        self.assertEqual(domain.findtext("memory"), "98304")
        self.tool("virt-xml", "v", "--add-device", "--disk", f"path={self.scratch.image('w.qcow2')},driver.type=qcow2,bus=virtio")
        self.assertEqual(sorted(self.sources("v")), ["vda", "vdb"])
        self.tool("virt-xml", "v", "--remove-device", "--disk", "target=vdb")
        self.assertEqual(sorted(self.sources("v")), ["vda"])
        self.assertIn("installed", self.tool("virsh", "snapshot-list", "v", "--name"))

    def test_its_own_network(self):
        """Without --network it writes what it would for libvirt: the host's default bridge, or the network 'default'."""
        (self.scratch.state / "networks").write_text("default user\n")
        self.tool("virt-install", "--connect", self.uri, "--name", "n", "--memory", "64", "--import", "--virt-type", "qemu",
                  "--disk", f"path={self.scratch.image('n.qcow2')},driver.type=qcow2", "--osinfo", "detect=off,require=off",
                  "--graphics", "none", "--noautoconsole")
        interface = ElementTree.fromstring(self.virsh_ok("dumpxml", "n", "--inactive")).find("devices/interface")
        self.assertIn(interface.get("type"), ("network", "bridge"))
        if interface.get("type") == "network":
            self.assertEqual(interface.find("source").get("network"), "default")
            live = ElementTree.fromstring(self.virsh_ok("dumpxml", "n")).find("devices/interface")
            self.assertEqual(live.get("type"), "user")
            self.assertIn("default", self.virsh_ok("domiflist", "n", "--inactive"))
        self.assertEqual(self.virsh_ok("domstate", "n"), "running")
        self.virsh_ok("destroy", "n")


if __name__ == "__main__":
    clients.main()
