"""Interfaces on libvirt's networks: QEMU's own network or a bridge of the host's, as STATE/networks says, with snapshots that go back
onto it."""
import ctypes
import os
import socket
import subprocess

import harness
from guest import Guest

MAC = "52:54:00:00:00:07"
INTERFACE = f"<interface type='network'><mac address='{MAC}'/><source network='{{}}'/><model type='virtio'/></interface>"
# Nothing but a network card to boot from: its option ROM asks for an address.
BOOTS_FROM_NETWORK = f"""<domain type='qemu'><name>pxe</name><memory unit='MiB'>64</memory><os><type machine='q35'>hvm</type>
<boot dev='network'/></os><devices>{INTERFACE.format("default")}<memballoon model='none'/></devices></domain>"""
NEW_NETWORK_NAMESPACE = 0x40000000


class Networks(harness.SystemTest):
    def say(self, text):
        self.scratch.state.mkdir(mode=0o700, exist_ok=True)
        (self.scratch.state / "networks").write_text(text)

    def interface(self, *options, name="g"):
        """(type, network, bridge), as dumpxml shows them."""
        interface = harness.xml_of(self.ok("dumpxml", name, *options)).find("devices/interface")
        source = interface.find("source")
        return (interface.get("type"), *(None if source is None else source.get(word) for word in ("network", "bridge")))

    def netdev(self):
        line = self.scratch.runtime / self.ok("domuuid", "g").strip() / "command-line"
        return [word.split()[1] for word in line.read_text().splitlines() if word.startswith("-netdev ")]

    def checkpoint(self, guest):
        guest.do("fill 7 16")
        guest.do("note s")
        marks = self.marks_of(guest)
        self.ok("snapshot-create-as", "g", "s", "--memspec", f"file={self.scratch / 's.mem'}")
        guest.do("note later")
        return marks

    def go_back(self, guest, marks, *options, way):
        result = self.cli("snapshot-revert", "g", "s", *options)
        self.assertEqual(result.code, 0, result.err)
        self.assertEqual("way: in place" in result.err, way == "in place", result.err)
        self.assert_back(guest, marks)
        guest.do("note later")

    def test_qemus_own(self):
        self.say("lab user\n")
        guest = self.boot(devices=INTERFACE.format("lab"))
        self.assertEqual(self.interface("--inactive"), ("network", "lab", None))
        self.assertEqual(self.interface(), ("user", None, None))
        self.assertEqual(self.netdev(), ["user,id=hostnet0"])
        marks = self.checkpoint(guest)
        self.go_back(guest, marks, way="in place")
        self.say("lab nowhere-here\n")  # its memory knows better
        self.go_back(guest, marks, "--new-process", way="new process")
        self.go_back(guest, marks, way="in place")
        self.assertEqual((self.interface("--inactive"), self.interface()), (("network", "lab", None), ("user", None, None)))
        self.ok("snapshot-fork", "g", "s", "f", "--start")
        fork = self.guests.setdefault("f", Guest(self.scratch.runtime / self.ok("domuuid", "f").strip() / "serial1.sock"))
        self.assertEqual(self.marks_of(fork), marks)
        self.assertEqual(self.interface("--inactive", name="f"), ("network", "lab", None))
        self.ok("destroy", "f")
        self.refused("start", "f", naming=["f", "nowhere-here"])  # a boot asks the file
        self.ok("destroy", "g")

    def test_what_is_not_known(self):
        self.define(devices=INTERFACE.format("elsewhere"))
        with self.nothing_changes():
            self.assertIn("elsewhere BRIDGE", self.refused("start", "g", naming="<source network='elsewhere'>"))
            self.assertEqual(self.state(), "shut off")
        self.say("elsewhere\n")
        self.refused("start", "g", naming="networks, line 1: 'elsewhere'")

    # On a bridge, in a network namespace of this process's own
    def own_network(self):
        harness.requires(os.geteuid() == 0, "only root can make a bridge")
        before = os.open("/proc/self/ns/net", os.O_RDONLY)
        libc = ctypes.CDLL(None, use_errno=True)
        left = libc.unshare(NEW_NETWORK_NAMESPACE) == 0
        self.addCleanup(os.close, before)
        harness.requires(left, f"no network namespace here: {os.strerror(ctypes.get_errno())}")
        self.addCleanup(libc.setns, before, NEW_NETWORK_NAMESPACE)
        harness.requires(os.path.exists("/dev/net/tun"), "the kernel has no /dev/net/tun")

    def ip(self, *words, must=True):
        done = subprocess.run(["ip", *words], capture_output=True, text=True, check=False)
        harness.requires(done.returncode == 0 or not must, f"ip {words}: {done.stderr}")
        return done.stdout

    def bridge(self, name):
        self.ip("link", "add", name, "type", "bridge")
        self.ip("link", "set", name, "up")

    def ports(self, bridge):
        return [line.split(": ")[1] for line in self.ip("-o", "link", "show", "master", bridge, must=False).splitlines()]

    def test_a_bridge(self):
        self.own_network()
        self.bridge("br7")
        self.say("default br7\n")
        guest = self.boot(devices=INTERFACE.format("default"))
        self.assertEqual(self.interface("--inactive"), ("network", "default", None))
        self.assertEqual(self.interface(), ("network", "default", "br7"))
        self.assertEqual(len(self.ports("br7")), 1)
        marks = self.checkpoint(guest)
        self.go_back(guest, marks, way="in place")
        self.go_back(guest, marks, "--new-process", way="new process")
        self.assertEqual(len(self.ports("br7")), 1)
        self.go_back(guest, marks, way="in place")
        self.assertIn("the origin's MAC address", self.cli("snapshot-fork", "g", "s", "f", "--dry-run").out)
        pid = self.qemu_pid()
        for line in ("default user", "default br8"):  # no such device there; not there at all
            self.say(line + "\n")
            self.refused("snapshot-revert", "g", "s", "--new-process", naming="default" if "user" in line else "br8")
            self.assertEqual(self.qemu_pid(), pid, "the guest was not ended for a revert that cannot be")
            self.assert_healthy()
        self.bridge("br8")
        self.go_back(guest, marks, "--new-process", way="new process")
        self.assertEqual((self.ports("br7"), len(self.ports("br8"))), ([], 1), "the bridge is the one of today")
        self.ok("destroy", "g")
        self.assertEqual(self.ports("br8"), [], "what was plugged in has gone with its QEMU")

    def test_packets_come_out(self):
        self.own_network()
        self.bridge("virbr0")  # libvirt's name: no file needs to say so
        file = self.scratch / "pxe.xml"
        file.write_text(BOOTS_FROM_NETWORK)
        self.ok("define", file)
        everything = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
        self.addCleanup(everything.close)
        everything.bind(("virbr0", 0))
        self.ok("start", "pxe")
        everything.settimeout(120)
        sender = bytes.fromhex(MAC.replace(":", ""))
        while True:  # a DHCP discovery, to everybody
            frame = everything.recv(2000)
            if frame[6:12] == sender and frame[12:14] == b"\x08\0" and frame[34:38] == bytes([0, 68, 0, 67]):
                break

    def test_without_rights(self):
        self.own_network()
        self.bridge("br7")
        self.say("default br7\n")
        self.define(devices=INTERFACE.format("default"))
        drop = ["setpriv", "--bounding-set", "-net_admin", "--inh-caps", "-net_admin"]
        done = subprocess.run([*drop, os.environ["DOMSNAP"], "start", "g"], capture_output=True, text=True, check=False,
                              env=self.scratch.environment())
        self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
        self.assertIn("the guest cannot be plugged into the bridge 'br7': Operation not permitted", done.stderr)
        self.assertIn("CAP_NET_ADMIN", done.stderr)
        self.assertIn("<interface type='user'/>", done.stderr)
        self.assertEqual((self.state(), self.ports("br7")), ("shut off", []))


if __name__ == "__main__":
    harness.main()
