"""For tests of the ways back to memory and disks that were saved together: what is put into a guest before, and what is done
to it after."""
import hashlib
import pathlib

import harness


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
