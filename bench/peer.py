"""libvirt as the peer, in a folder of its own: Debian's packages from apt's own sources, put into a root that nothing else
uses, so that nothing is installed and no other libvirt of this machine is touched. Its libvirtd runs in a mount namespace,
with the scratch folder at the same path inside and outside.

Run as a program, this is what enters such a root: peer.py ROOT FOLDER... -- COMMAND...
"""
import os
import pathlib
import re
import shutil
import subprocess
import sys
import time

PACKAGES = ["libvirt-daemon", "libvirt-daemon-driver-qemu", "libvirt-clients", "qemu-system-x86", "qemu-utils"]
TOOLS = ["qemu-system-x86_64", "qemu-img", "qemu-io", "qemu-nbd"]
QEMU_CONF = """user = "root"
group = "root"
dynamic_ownership = 0
remember_owner = 0
security_driver = "none"
cgroup_controllers = []
namespaces = []
stdio_handler = "file"
"""
LIBVIRTD_CONF = """unix_sock_dir = "{folder}"
unix_sock_rw_perms = "0700"
auth_unix_rw = "none"
log_outputs = "2:file:{folder}/libvirtd.log"
"""
WRAPPER = """#!/bin/sh
export LD_LIBRARY_PATH={root}/usr/lib/x86_64-linux-gnu QEMU_MODULE_DIR={root}/usr/lib/x86_64-linux-gnu/qemu
exec {root}/usr/bin/{tool}{data} "$@"
"""


class Unavailable(Exception):
    """Why there is no such peer here."""


def sources(suite):
    """apt's own lines for this release, and for its backports if they are wanted. Every mirror of Debian has both."""
    release = re.search(r"^VERSION_CODENAME=(\w+)", pathlib.Path("/etc/os-release").read_text(), re.M).group(1)
    asked = subprocess.run(["apt-get", "indextargets", "--format", "$(REPO_URI) $(CODENAME)", "Created-By: Packages"],
                           capture_output=True, text=True, check=True).stdout
    mirrors = [uri for uri, codename in map(str.split, asked.splitlines()) if codename == release]
    if not mirrors:
        raise Unavailable(f"apt has no source for {release}")
    suites = [release] + ([f"{release}-backports"] if suite == "backports" else [])
    return release, [f"deb {mirrors[0]} {one} main" for one in suites]


def make_root(suite, folder):
    """The root with libvirt and QEMU of that suite, made once; about a minute and 400 MB."""
    root = folder / suite / "root"
    if (folder / suite / "bin" / TOOLS[-1]).exists():
        return root
    if os.geteuid() != 0 or not shutil.which("mmdebstrap"):
        raise Unavailable("a root for libvirt is made by root, with mmdebstrap (scripts/install-packages bench)")
    shutil.rmtree(folder / suite, ignore_errors=True)
    root.parent.mkdir(parents=True)
    release, lines = sources(suite)
    print(f"making a root with libvirt of {release}, {suite} …", file=sys.stderr, flush=True)
    options = ["--mode=root", "--variant=apt", "--quiet", "--aptopt=APT::Install-Recommends \"false\""]
    if suite == "backports":
        options.append(f'--aptopt=APT::Default-Release "{release}-backports"')
    made = subprocess.run(["mmdebstrap", *options, f"--include={','.join(PACKAGES)}", release, str(root), *lines],
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if made.returncode != 0:
        shutil.rmtree(folder / suite, ignore_errors=True)
        said = [line for line in made.stderr.splitlines() if line.startswith("E: ")]
        raise Unavailable(f"no libvirt of {suite}: {'; '.join(said)}")
    add_user(root)
    make_wrappers(root)
    return root


def add_user(root):
    """libvirt wants its default user to exist, even where another is configured; the package that makes it needs systemd."""
    for file, line in (("passwd", "libvirt-qemu:x:64055:64055::/var/lib/libvirt:/usr/sbin/nologin\n"),
                       ("group", "libvirt-qemu:x:64055:\n")):
        with open(root / "etc" / file, "a", encoding="utf-8") as users:
            users.write(line)


def make_wrappers(root):
    """The root's QEMU for domsnap, which runs outside: both sides have the same one."""
    (root.parent / "bin").mkdir()
    firmware = "".join(f" -L {root}/usr/{part}" for part in ("share/qemu", "share/seabios", "lib/ipxe/qemu"))
    for tool in TOOLS:
        path = root.parent / "bin" / tool
        path.write_text(WRAPPER.format(root=root, tool=tool, data=firmware if "system" in tool else ""))
        path.chmod(0o755)


class Libvirt:
    """One libvirtd, for one scratch folder."""

    def __init__(self, root, scratch, shared):
        self.root, self.folder = root, scratch / "libvirt"
        self.folder.mkdir()
        (self.folder / "libvirtd.conf").write_text(LIBVIRTD_CONF.format(folder=self.folder))
        self.daemon = subprocess.Popen(
            ["unshare", "--mount", "--", sys.executable, __file__, str(root), str(scratch), *map(str, shared), "--",
             "/usr/sbin/libvirtd", "--config", str(self.folder / "libvirtd.conf"), "--pid-file", str(self.folder / "pid")],
            stdin=subprocess.DEVNULL)
        self.wait_until_up()

    def wait_until_up(self, seconds=60):
        end = time.monotonic() + seconds
        while self.virsh("version").returncode != 0:
            if self.daemon.poll() is not None or time.monotonic() > end:
                raise Unavailable(f"libvirtd does not come up: {self.log()}")
            time.sleep(0.1)

    def log(self):
        path = self.folder / "libvirtd.log"
        return path.read_text()[-2000:] if path.exists() else ""

    def command(self, *arguments):
        return ["nsenter", f"--target={self.daemon.pid}", "--mount", "--root", "virsh", "-q", "-c",
                f"qemu:///system?socket={self.folder}/libvirt-sock", *map(str, arguments)]

    def virsh(self, *arguments, seconds=1200, **options):
        return subprocess.run(self.command(*arguments), stdin=options.pop("stdin", subprocess.DEVNULL), capture_output=True,
                              text=True, timeout=seconds, check=False, **options)

    def ok(self, *arguments, **options):
        done = self.virsh(*arguments, **options)
        assert done.returncode == 0, f"virsh {arguments}: {done.stdout}{done.stderr}"
        return done.stdout

    def version(self):
        return self.ok("version", "--daemon").rsplit("libvirt ", 1)[1].split()[0]

    def stop(self):
        self.daemon.terminate()
        self.daemon.wait()


def enter(root, folders, command):
    """What is mounted here goes with the namespace."""
    def mount(*arguments):
        subprocess.run(["mount", *arguments], check=True)

    mount("--make-rprivate", "/")
    for folder in ("/dev", "/proc", "/sys", *folders):
        inside = pathlib.Path(f"{root}{folder}")
        inside.mkdir(parents=True, exist_ok=True)
        mount("--rbind", folder, str(inside))
    for folder in ("run", "var/lib/libvirt", "var/cache/libvirt", "var/log/libvirt", "etc/libvirt"):
        pathlib.Path(root, folder).mkdir(parents=True, exist_ok=True)
        mount("-t", "tmpfs", "tmpfs", f"{root}/{folder}")
    pathlib.Path(root, "etc/libvirt/qemu.conf").write_text(QEMU_CONF)
    os.chroot(root)
    os.chdir("/")
    os.execv(command[0], command)


if __name__ == "__main__":
    between = sys.argv.index("--")
    enter(sys.argv[1], sys.argv[2:between], sys.argv[between + 1:])
