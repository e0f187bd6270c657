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
                  "--disk", f"path={disk},bus=virtio", "--osinfo", "detect=off,require=off", "--virt-type", "qemu",
                  "--graphics", "vnc,listen=socket", "--network", "user", "--noautoconsole")
        self.assertEqual(self.virsh_ok("list", "--all", "--name"), "v")
        self.assertEqual(self.sources("v")["vda"], disk)
        self.assertEqual(self.formats("v"), {"vda": "qcow2"})
        self.virsh_ok("snapshot-create-as", "v", "installed", "--memspec", self.scratch / "v.mem")
        self.virsh_ok("snapshot-revert", "v", "installed", "--paused")
        self.assertEqual(self.virsh_ok("domstate", "v"), "paused")
        self.virsh_ok("destroy", "v")

        shown = self.tool("virt-xml", "v", "--edit", "--memory", "96", "--print-diff")
        self.assertIn("98304", shown)
        self.tool("virt-xml", "v", "--edit", "--memory", "96", "--define")
        domain = ElementTree.fromstring(self.virsh_ok("dumpxml", "v", "--inactive"))
        self.assertEqual(domain.findtext("memory"), "98304")
        self.tool("virt-xml", "v", "--add-device", "--disk", f"path={self.scratch.image('w.qcow2')},bus=virtio")
        self.assertEqual(sorted(self.sources("v")), ["vda", "vdb"])
        self.tool("virt-xml", "v", "--remove-device", "--disk", "target=vdb")
        self.assertEqual(sorted(self.sources("v")), ["vda"])
        self.assertIn("installed", self.tool("virsh", "snapshot-list", "v", "--name"))

    def formats(self, name):
        disks = ElementTree.fromstring(self.virsh_ok("dumpxml", name, "--inactive")).findall("devices/disk")
        return {disk.find("target").get("dev"): disk.find("driver").get("type") for disk in disks}

    def test_a_disk_of_its_own(self):
        """It makes the disk, as a volume of the pool 'default'."""
        images = self.scratch / "images"
        images.mkdir()
        (self.scratch.state / "pools").write_text(f"default {images}\n")
        self.tool("virt-install", "--connect", self.uri, "--name", "d", "--memory", "64", "--import", "--virt-type", "qemu",
                  "--disk", "size=1", "--disk", "size=1,format=qcow2", "--osinfo", "detect=off,require=off", "--network", "none", "--graphics", "none", "--noautoconsole")
        disk = images / "d.qcow2"
        self.assertEqual(self.sources("d"), {"hda": images / "d.img", "hdb": disk})
        self.assertEqual(self.formats("d"), {"hda": "raw", "hdb": "qcow2"})
        self.assertIn("1.00 GiB", self.virsh_ok("vol-info", "d.img", "--pool", "default"))
        self.virsh_refused("vol-delete", disk, naming="is needed by")
        self.virsh_ok("destroy", "d")
        self.virsh_ok("undefine", "d")
        self.virsh_ok("vol-delete", disk)

    def test_its_own_network(self):
        """Without --network it writes what it would for libvirt: the host's default bridge, or the network 'default'."""
        (self.scratch.state / "networks").write_text("default user\n")
        self.tool("virt-install", "--connect", self.uri, "--name", "n", "--memory", "64", "--import", "--virt-type", "qemu",
                  "--disk", f"path={self.scratch.image('n.qcow2')}", "--osinfo", "detect=off,require=off",
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
