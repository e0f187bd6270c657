"""The test guest with Debian's qemu-guest-agent in it and a mounted ext4 that something always writes to; and a client of
the agent that is not domsnap's."""
import json
import os
import pathlib
import re
import shutil
import socket
import subprocess

from harness import SystemTest, requires

CHANNEL = """
    <channel type='unix'>
      <target type='virtio' name='org.qemu.guest_agent.0'/>
    </channel>"""
# Below the size that the guest's own counters take a disk for theirs; with room for the smallest journal.
FILE_SYSTEM_MIB = 7
SCRIPT = """#!/bin/busybox sh
busybox mkdir -p /mnt /run /var/run
busybox mount -t ext4 /dev/vdb /mnt
while :; do busybox dd if=/dev/urandom of=/mnt/beat bs=4k count=1 conv=fsync 2>/dev/null; busybox sleep 0.1; done &
for port in /sys/class/virtio-ports/*; do exec /usr/sbin/qemu-ga -p /dev/${port##*/} -t /run -f /run/qemu-ga.pid; done
"""


def program():
    return shutil.which("qemu-ga") or shutil.which("qemu-ga", path="/usr/sbin:/usr/local/sbin")


def add_agent(initrd, folder):
    """A new initrd in the folder: the old one, and behind it an archive with the agent and its libraries (the kernel
    unpacks as many as there are)."""
    requires(program(), "qemu-ga is not here (Debian package qemu-guest-agent)")
    tree = pathlib.Path(folder, "agent-tree")
    needed = re.findall(r"(/\S+) \(0x", subprocess.run(["ldd", program()], capture_output=True, text=True, check=True).stdout)
    for file in needed:
        place = tree / file.lstrip("/")
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(file, place)
    (tree / "usr/sbin").mkdir(parents=True)
    (tree / "etc").mkdir()
    shutil.copy(program(), tree / "usr/sbin/qemu-ga")
    (tree / "etc/rc").write_text(SCRIPT)
    (tree / "etc/rc").chmod(0o755)
    names = "\n".join(str(path.relative_to(tree)) for path in sorted(tree.rglob("*")))
    archive = subprocess.run(["cpio", "--quiet", "-o", "-H", "newc"], cwd=tree, input=names.encode(), capture_output=True, check=True)
    made = pathlib.Path(folder, "initrd-with-agent")
    made.write_bytes(pathlib.Path(initrd).read_bytes() + archive.stdout)
    return made


def file_system(path):
    """A raw image that is one ext4 with a journal."""
    requires(shutil.which("mkfs.ext4", path="/usr/sbin:/sbin:/usr/bin"), "mkfs.ext4 is not here (Debian package e2fsprogs)")
    with open(path, "wb") as file:
        file.truncate(FILE_SYSTEM_MIB << 20)
    subprocess.run(["/usr/sbin/mkfs.ext4", "-q", "-b", "1024", "-J", "size=1", str(path)], check=True, capture_output=True)
    return path


def needs_recovery(path):
    """Whether the file system in a raw image was in the midst of something: its journal must be replayed."""
    shown = subprocess.run(["/usr/sbin/dumpe2fs", "-h", str(path)], capture_output=True, text=True, check=True).stdout
    return "needs_recovery" in shown


class AgentTest(SystemTest):
    """A domain with the agent's channel: vda is the guest's own, vdb the file system."""

    with_agent = True

    def domain_xml(self, *arguments, **options):
        text = super().domain_xml(*arguments, devices=CHANNEL, **options)
        initrd = pathlib.Path(os.environ.get("DOMSNAP_GUEST", "guest")) / "initrd"
        return text.replace(str(initrd), str(add_agent(initrd, self.scratch.path))) if self.with_agent else text

    def agent_socket(self):
        return next(self.scratch.runtime.rglob("*guest_agent*.sock"))

    def ask_agent(self, command, seconds=30):
        """The answer's "return"; the test fails if there is none."""
        with socket.socket(socket.AF_UNIX) as channel:
            channel.settimeout(seconds)
            channel.connect(str(self.agent_socket()))
            sync = {"execute": "guest-sync-delimited", "arguments": {"id": int.from_bytes(os.urandom(4), "big")}}
            channel.sendall(b"\xff" + json.dumps(sync).encode() + b"\n" + json.dumps({"execute": command}).encode() + b"\n")
            lines = b""
            wanted = json.dumps(sync["arguments"]["id"]).encode()
            while lines.count(b"\n", max(0, lines.rfind(wanted))) < 2 or wanted not in lines:
                data = channel.recv(4096)
                assert data, "QEMU closed the agent's channel"
                lines += data
            answer = json.loads(lines[lines.rfind(wanted) :].split(b"\n")[1])
            assert "return" in answer, answer
            return answer["return"]

    def writes(self):
        """How often the guest has written to the file system's disk."""
        answer = json.loads(self.ok("qemu-monitor-command", "g", '{"execute":"query-blockstats"}'))
        found = [node["stats"]["wr_operations"] for node in answer["return"] if "disk-vdb" in json.dumps(node.get("qdev", "")) or
                 "vdb" in node.get("qdev", "") or "virtio-disk1" in node.get("qdev", "")]
        assert len(found) == 1, answer
        return found[0]
