"""python3-libvirt, unmodified: snapshots, errors, events, jobs, streams, threads; each in a program of its own."""
import subprocess
import sys
import threading

import clients
from clients import Disk, wait_for

PRELUDE = """import libvirt, sys, threading, time
libvirt.registerErrorHandler(lambda *_: None, None)
uri = sys.argv[1]
def refused(code, call, *arguments):
    try:
        call(*arguments)
    except libvirt.libvirtError as error:
        assert error.get_error_code() == code, (code, error.get_error_code(), str(error))
        return str(error)
    raise AssertionError(f"{call} was not refused")
"""


def interpreter():
    """The one that Debian's python3-libvirt is for may be another than ours."""
    for program in (sys.executable, "/usr/bin/python3"):
        done = subprocess.run([program, "-c", "import libvirt"], capture_output=True, check=False)
        if done.returncode == 0:
            return program
    return None


class PythonLibvirt(clients.ClientTest):
    def setUp(self):
        super().setUp()
        self.python = interpreter()
        clients.requires(self.python, "python3-libvirt is not installed")

    def program(self, code, *arguments, seconds=180):
        """What a program prints whose every line must succeed."""
        process = subprocess.Popen([self.python, "-c", PRELUDE + code, self.uri, *map(str, arguments)], text=True,
                                   stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                   env=self.scratch.environment())
        result = self.finish(process, seconds)
        self.assertEqual(result.code, 0, f"{result.out}{result.err}{self.daemon_log()}")
        return result.out

    def small(self, name="g", **options):
        self.define(name, [Disk("vda", self.scratch.image(f"{name}.qcow2"))], memory_mib=64, **options)

    def test_snapshots(self):
        self.small()
        self.program("""
c = libvirt.open(uri)
g = c.lookupByName("g")
assert g.snapshotNum() == 0 and not g.hasCurrentSnapshot() and g.listAllSnapshots() == []
def make(name, flags=0):
    return g.snapshotCreateXML(f"<domainsnapshot><name>{name}</name></domainsnapshot>", flags)
a = make("a"); b = make("b"); c1 = make("c")
assert a.getName() == "a" and g.snapshotNum() == 3 and sorted(g.snapshotListNames()) == ["a", "b", "c"]
assert b.getParent().getName() == "a" and a.numChildren() == 1
assert [s.getName() for s in a.listAllChildren(libvirt.VIR_DOMAIN_SNAPSHOT_LIST_DESCENDANTS)] == ["b", "c"]
assert a.listChildrenNames() == ["b"]
assert c1.isCurrent() and not a.isCurrent() and a.hasMetadata() and g.snapshotCurrent().getName() == "c"
roots = g.listAllSnapshots(libvirt.VIR_DOMAIN_SNAPSHOT_LIST_ROOTS)
assert [s.getName() for s in roots] == ["a"]
refused(libvirt.VIR_ERR_NO_DOMAIN_SNAPSHOT, a.getParent)
refused(libvirt.VIR_ERR_NO_DOMAIN_SNAPSHOT, g.snapshotLookupByName, "nosuch")
g.revertToSnapshot(a)
assert g.snapshotCurrent().getName() == "a"
b.delete(libvirt.VIR_DOMAIN_SNAPSHOT_DELETE_CHILDREN)
assert g.snapshotListNames() == ["a"]
assert "<name>a</name>" in a.getXMLDesc()
refused(libvirt.VIR_ERR_OPERATION_INVALID, g.undefine)
assert "hint" in refused(libvirt.VIR_ERR_OPERATION_INVALID, g.destroy)
refused(libvirt.VIR_ERR_XML_ERROR, g.snapshotCreateXML, "<domainsnapshot><memory snapshot='nowhere'/></domainsnapshot>")
g.undefineFlags(libvirt.VIR_DOMAIN_UNDEFINE_SNAPSHOTS_METADATA)
refused(libvirt.VIR_ERR_NO_DOMAIN, c.lookupByName, "g")
refused(libvirt.VIR_ERR_NO_DOMAIN, g.info)
""")

    def test_what_is_asked_of_a_host(self):
        self.small()
        self.program("""
c = libvirt.openReadOnly(uri)
assert c.getType() == "QEMU" and c.isAlive() and c.isSecure() and c.getLibVersion() > 0
assert c.listDefinedDomains() == ["g"] and c.listDomainsID() == [] and c.numOfDefinedDomains() == 1
assert c.listAllNetworks() == [] and c.listAllStoragePools() == [] and c.listAllDevices() == [] and c.listAllSecrets() == []
assert c.listNetworks() == [] and c.listAllInterfaces() == [] and c.listAllNWFilters() == []
assert c.getInfo()[0] == "x86_64" and c.getFreeMemory() > 0 and c.getMemoryStats(-1)["total"] > 0
assert c.getCPUMap()[0] >= 1
g = c.lookupByName("g")
assert g.info()[0] == libvirt.VIR_DOMAIN_SHUTOFF and g.isPersistent() and not g.isActive() and not g.hasManagedSaveImage()
assert g.state() == [libvirt.VIR_DOMAIN_SHUTOFF, 0] and g.autostart() == 0 and g.OSType() == "hvm"
assert g.maxMemory() == 65536 and g.listAllCheckpoints() == [] and not g.isUpdated()
assert g.blockInfo("vda")[0] == 64 << 20
refused(libvirt.VIR_ERR_OPERATION_DENIED, g.create)
(domain, stats), = c.getAllDomainStats()
assert domain.name() == "g" and stats["state.state"] == 5 and stats["block.0.name"] == "vda", stats
refused(libvirt.VIR_ERR_NO_SUPPORT, c.getSysinfo)
c.close()
""")

    def test_events_of_others(self):
        """What virsh, the command line and QEMU do is told to a client that only listens."""
        self.small()
        listener = subprocess.Popen([self.python, "-u", "-c", PRELUDE + """
libvirt.virEventRegisterDefaultImpl()
threading.Thread(target=lambda: [libvirt.virEventRunDefaultImpl() for _ in iter(int, 1)], daemon=True).start()
c = libvirt.open(uri)
c.setKeepAlive(5, 3)
names = "Defined Undefined Started Suspended Resumed Stopped Shutdown PMSuspended Crashed".split()
c.domainEventRegisterAny(None, libvirt.VIR_DOMAIN_EVENT_ID_LIFECYCLE, lambda c, d, event, detail, _: print(d.name(), names[event], detail), None)
c.domainEventRegisterAny(None, libvirt.VIR_DOMAIN_EVENT_ID_REBOOT, lambda c, d, _: print(d.name(), "Rebooted"), None)
c.domainEventRegisterAny(None, libvirt.VIR_DOMAIN_EVENT_ID_JOB_COMPLETED, lambda c, d, stats, _: print(d.name(), "Job", stats["operation"], stats["success"]), None)
c.domainEventRegisterAny(None, libvirt.VIR_DOMAIN_EVENT_ID_BLOCK_JOB_2, lambda c, d, disk, kind, status, _: print(d.name(), "Block", disk, kind, status), None)
print("ready")
sys.stdin.read()
""", self.uri], text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=self.scratch.environment())
        self.addCleanup(listener.communicate)
        told = []
        threading.Thread(target=lambda: told.extend(iter(listener.stdout.readline, "")), daemon=True).start()

        def until(wanted):
            """Forgets all that was told up to that line."""
            wait_for(lambda: f"{wanted}\n" in told, 60, f"{wanted}; told: {told}")
            del told[:told.index(f"{wanted}\n") + 1]

        until("ready")
        self.virsh_ok("start", "g", "--paused")
        until("g Started 0")
        self.ok("resume", "g")
        until("g Resumed 0")
        self.ok("suspend", "g")
        until("g Suspended 0")
        self.virsh_ok("reset", "g")
        until("g Rebooted")
        self.virsh_ok("snapshot-create-as", "g", "s", "--memspec", self.scratch / "s.mem")
        until("g Job 6 True")
        self.ok("snapshot-revert", "g", "s")
        until("g Stopped 6")
        until("g Started 3")
        self.virsh_ok("snapshot-delete", "g", "s")
        until("g Block vda 3 0")
        until("g Job 10 True")
        self.kill_qemu()
        until("g Stopped 2")
        self.ok("domrename", "g", "h")
        until("g Undefined 1")
        until("h Defined 2")
        self.virsh_ok("undefine", "h")
        until("h Undefined 0")
        (self.scratch / "g.xml").write_text(self.domain_xml("g", [Disk("vda", self.scratch / "g.qcow2")], memory_mib=64))
        self.ok("define", self.scratch / "g.xml")
        until("g Defined 0")

    def test_threads(self):
        for name in ("a", "b"):
            self.small(name)
        self.program("""
c = libvirt.open(uri)
wrong = []
def work(name):
    try:
        domain = c.lookupByName(name)
        for i in range(10):
            assert domain.info()[0] == libvirt.VIR_DOMAIN_SHUTOFF
            snapshot = domain.snapshotCreateXML(f"<domainsnapshot><name>{threading.get_ident()}-{i}</name></domainsnapshot>")
            assert domain.name() == name and name in domain.XMLDesc()
            snapshot.delete()
    except BaseException as error:
        wrong.append(error)
threads = [threading.Thread(target=work, args=(name,)) for name in "aabb"]
for t in threads: t.start()
for t in threads: t.join()
assert not wrong, wrong
assert c.lookupByName("a").snapshotNum() == 0
""")

    def test_screen_and_console(self):
        self.small(devices="<graphics type='vnc' socket=''/><video><model type='vga'/></video><serial type='pty'/>")
        self.virsh_ok("start", "g", "--paused")
        picture = self.program("""
c = libvirt.open(uri)
g = c.lookupByName("g")
data = b""
stream = c.newStream()
kind = g.screenshot(stream, 0)
while part := stream.recv(65536): data += part
stream.finish()
print(kind, data[:2].decode(), len(data) > 1000)
console = c.newStream(libvirt.VIR_STREAM_NONBLOCK)
g.openConsole("serial2", console, 0)
console.send(b"hello")
console.abort()
assert g.isActive()
""")
        self.assertEqual(picture.split(), ["image/x-portable-pixmap", "P6", "True"])
        self.virsh_ok("screenshot", "g", self.scratch / "screen.ppm")
        self.assertEqual((self.scratch / "screen.ppm").read_bytes()[:2], b"P6")

    def test_volumes_are_carried(self):
        images = self.scratch / "images"
        images.mkdir(0o700)
        (self.scratch.state / "pools").write_text(f"default {images}\n")
        self.program("""
import os
c = libvirt.open(uri)
pool = c.storagePoolLookupByName("default")
v = pool.createXML("<volume><name>a.img</name><capacity unit='MiB'>8</capacity></volume>", 0)
data = os.urandom(5_000_000)

def send(offset, length, content):
    stream = c.newStream()
    v.upload(stream, offset, length, 0)
    for at in range(0, len(content), 65536): stream.send(content[at:at + 65536])
    stream.finish()

def receive(offset, length, flags=0):
    stream = c.newStream()
    v.download(stream, offset, length, flags)
    got = bytearray()
    while part := stream.recv(65536): got += part
    stream.finish()
    return bytes(got)

send(0, 0, data)
assert receive(0, 0) == data + bytes((8 << 20) - len(data))
send(1_000_000, 3, b"abc")
data = data[:1_000_000] + b"abc" + data[1_000_003:]
assert receive(0, 5_000_000) == data
assert v.info()[1] == 8 << 20
# More than was said: what fits is not taken either.
try: send(0, 10, b"0123456789a" * 100_000)
except libvirt.libvirtError as e: assert "no more than 10 bytes" in str(e), e
else: assert False
# Given up on the way: nobody has the volume open when that is confirmed.
for begin in (v.upload, v.download):
    stream = c.newStream()
    begin(stream, 0, 0, 0)
    stream.send(b"x" * 100) if begin == v.upload else stream.recv(10)
    stream.abort()
assert receive(200, 4_000_000) == data[200:4_000_200]
# By one whose end the server must notice.
if (child := os.fork()) == 0:
    other = libvirt.open(uri)
    stream = other.newStream()
    other.storageVolLookupByPath(v.path()).upload(stream, 0, 0, 0)
    stream.send(b"x" * 100)
    os._exit(0)
os.waitpid(child, 0)
while True:
    try: send(0, 0, data)
    except libvirt.libvirtError as e: assert "has it open" in str(e), e
    else: break
assert receive(0, 5_000_000) == data
""")

    def test_a_job_is_seen_and_stopped(self):
        guest = self.boot(memory_mib=768)
        self.assertIn("tick", self.program("""
g = libvirt.open(uri).lookupByName("g")
console = g.connect().newStream()
g.openConsole(None, console, 0)
heard = b""
while b"tick" not in heard: heard += console.recv(1024)
console.abort()
print(heard.decode())
"""))
        guest.do("fill 4 448", seconds=180)
        self.program("""
c = libvirt.open(uri)
g = c.lookupByName("g")
# Another connection for the long call: libvirt's library before 9.9 can lose the wake-up of a second thread.
other = libvirt.open(uri).lookupByName("g")
got = []
def take():
    xml = f"<domainsnapshot><name>long</name><memory snapshot='external' file='{sys.argv[2]}'/></domainsnapshot>"
    try:
        other.snapshotCreateXML(xml, libvirt.VIR_DOMAIN_SNAPSHOT_CREATE_LIVE)
        got.append(0)
    except libvirt.libvirtError as error:
        got.append(error.get_error_code())
thread = threading.Thread(target=take)
thread.start()
stats = {}
while thread.is_alive() and not stats.get("memory_processed"):
    stats = g.jobStats()
assert stats.get("operation") == libvirt.VIR_DOMAIN_JOB_OPERATION_SNAPSHOT, stats
assert 0 < stats["memory_processed"] <= stats["memory_total"], stats
assert g.jobInfo()[0] in (libvirt.VIR_DOMAIN_JOB_UNBOUNDED, libvirt.VIR_DOMAIN_JOB_NONE)
g.abortJob()
thread.join()
assert got == [libvirt.VIR_ERR_OPERATION_ABORTED], got
assert g.jobStats(libvirt.VIR_DOMAIN_JOB_STATS_COMPLETED)["type"] == libvirt.VIR_DOMAIN_JOB_CANCELLED
refused(libvirt.VIR_ERR_OPERATION_INVALID, g.abortJob)
assert g.snapshotNum() == 0
""", self.scratch / "long.mem")
        self.assertFalse((self.scratch / "long.mem").exists())
        self.assert_healthy()


if __name__ == "__main__":
    clients.main()
