"""A real libvirtd of the test's own: it sees its folders (/etc/libvirt, /var/lib/libvirt, /run/libvirt, …) below one folder
of the scratch, by mounts in a mount namespace, and touches no other libvirt of the machine. It is the one that is installed here, or
one out of a root that bench/peer.py made, whose folders are mounted over those of this machine."""
import os
import pathlib
import shutil
import signal
import subprocess

from guest import wait_for
from scratch import qemu, requires

FOLDERS = ["etc/libvirt", "var/lib/libvirt", "var/cache/libvirt", "var/log/libvirt", "run/libvirt", "var/log/swtpm", "var/lib/swtpm-localca"]
# remember_owner: it would write attributes into files that others have.
QEMU_CONF = """user = "root"
group = "root"
security_driver = "none"
cgroup_controllers = []
namespaces = []
stdio_handler = "file"
dynamic_ownership = 0
remember_owner = 0
snapshot_image_format = "{packing}"
save_image_format = "{packing}"
swtpm_user = "root"
swtpm_group = "root"
"""
# The library, too: libvirt starts its own helpers without LD_LIBRARY_PATH.
PEER_PARTS = ["usr/lib/libvirt", "usr/lib/x86_64-linux-gnu/libvirt", "usr/lib/x86_64-linux-gnu/libvirt.so.0", "usr/share/libvirt"]
START = """set -e
root=$1; shift
for folder in {folders}; do mkdir -p /$folder; mount --bind $root/$folder /$folder; done
for part in {peer}; do mount --bind $PEER/$part /$part; done
if [ -d "$MODULES" ]; then
  mount --bind $MODULES /usr/lib/x86_64-linux-gnu/qemu
  mount --bind $EMULATOR /usr/bin/qemu-system-x86_64
fi
mount --bind $root/passwd /etc/passwd
mount --bind $root/group /etc/group
exec "$@"
"""


class Libvirtd:
    """root stands for /: domsnap adopt --from ROOT."""

    def __init__(self, scratch, peer=None):
        requires(os.geteuid() == 0, "a libvirtd of one's own needs root")
        for program in ("libvirtd", "virsh", "unshare"):
            requires(shutil.which(program), f"{program} is not installed")
        alone = subprocess.run(["unshare", "--mount", "true"], capture_output=True, text=True, check=False)
        requires(alone.returncode == 0, f"no mount namespace can be made here: {alone.stderr.strip()}")
        self.root, self.scratch, self.process, self.peer = scratch / "host", scratch, None, peer
        for folder in FOLDERS:
            (self.root / folder).mkdir(parents=True)
        # libvirt wants its default user to exist, even where another is configured.
        for name, line in (("passwd", "libvirt-qemu:x:64055:64055::/:/usr/sbin/nologin\n"), ("group", "libvirt-qemu:x:64055:\n")):
            text = pathlib.Path("/etc", name).read_text()
            (self.root / name).write_text(text if line.split(":")[0] + ":" in text else text + line)

    def start(self, packing="raw"):
        (self.root / "etc/libvirt/qemu.conf").write_text(QEMU_CONF.format(packing=packing))
        (self.root / "etc/libvirt/libvirtd.conf").write_text('auth_unix_ro = "none"\nauth_unix_rw = "none"\n')
        script = START.format(folders=" ".join(FOLDERS), peer=" ".join(PEER_PARTS if self.peer else []))
        # libvirt asks for all types, and a QEMU out of a root would load this machine's modules, of another build, and abort. So would this machine's, which libvirt tries, too, with those of the root.
        modules = pathlib.Path(qemu()).resolve().parents[1] / "root/usr/lib/x86_64-linux-gnu/qemu"
        program, environment = "libvirtd", {**os.environ, "MODULES": str(modules), "EMULATOR": qemu()}
        if self.peer:
            program = f"{self.peer}/usr/sbin/libvirtd"
            environment.update(PEER=str(self.peer), LD_LIBRARY_PATH=f"{self.peer}/usr/lib/x86_64-linux-gnu")
        # The last argument is for whoever clears the scratch folder up.
        with open(self.scratch / "libvirtd.log", "a", encoding="utf-8") as log:
            self.process = subprocess.Popen(
                ["unshare", "--mount", "sh", "-c", script, "sh", str(self.root), program, "--config",
                 "/etc/libvirt/libvirtd.conf", "--pid-file", "/run/libvirt/libvirtd.pid"],
                stdin=subprocess.DEVNULL, stderr=log, stdout=log, env=environment)
        wait_for(lambda: self.process.poll() is not None or self.virsh("list").returncode == 0, 60, "libvirtd is up")
        requires(self.process.poll() is None, "libvirtd does not come up here: " + (self.scratch / "libvirtd.log").read_text()[-500:])

    def stop(self):
        """Its guests stay."""
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(60)
        self.process = None

    def virsh(self, *arguments):
        uri = f"qemu+unix:///system?socket={self.root}/run/libvirt/libvirt-sock"
        return subprocess.run(["virsh", "-c", uri, *map(str, arguments)], stdin=subprocess.DEVNULL, capture_output=True,
                              text=True, timeout=400, check=False)

    def ok(self, *arguments):
        done = self.virsh(*arguments)
        assert done.returncode == 0, f"virsh {arguments}: {done.stdout}{done.stderr}"
        return done.stdout
