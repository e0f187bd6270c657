"""For tests of the ways back to memory and disks that were saved together: what is put into a guest before, and what is done
to it after."""
import hashlib
import json
import pathlib

import harness
from harness import wait_for


def content_of(path):
    return hashlib.sha256(pathlib.Path(path).read_bytes()).hexdigest()


class CheckpointTest(harness.SystemTest):
    def checkpoint(self, guest, name="s", fill=48):
        """Memory and disks; returns what must be found again, and the image."""
        guest.do(f"fill 7 {fill}")
        guest.do(f"note {name}")
        marks = self.marks_of(guest)
        memory = self.scratch / f"{name}.mem"
        self.ok("snapshot-create-as", "g", name, "--memspec", f"file={memory}")
        return marks, memory

    def damage(self, guest):
        guest.do("fill 99 8")
        guest.do("note damaged")


class MappedTest(CheckpointTest):
    """Of guests whose RAM is a mapping; with a memory balloon, where the test wants one."""

    balloon = "none"

    def domain_xml(self, *arguments, **options):
        text = super().domain_xml(*arguments, **options)
        return text.replace("<memballoon model='none'/>", f"<memballoon model='{self.balloon}'/>")

    def origin(self):
        return json.loads((self.pid_file().parent / "ram.json").read_text())

    def leave_the_guest(self, mib):
        """So much memory, by its balloon."""
        self.ok("qemu-monitor-command", "g", "--hmp", f"balloon {mib}")
        wait_for(lambda: f"actual={mib}" in self.ok("qemu-monitor-command", "g", "--hmp", "info balloon"), 60,
                 f"the balloon leaves {mib} MiB")
