"""What is made is private whatever the umask; a state folder that somebody prepared, and images that lead elsewhere, are
refused before anything is read, written or opened through them."""
import os
import stat
import struct

import harness
from harness import Disk, tool


class Private(harness.SystemTest):
    def setUp(self):
        super().setUp()
        self.addCleanup(os.umask, os.umask(0))

    def assert_private(self, *roots):
        for root in roots:
            for path in [root, *root.rglob("*")]:
                mode = path.lstat().st_mode
                allowed = 0o700 if stat.S_ISDIR(mode) else 0o600
                self.assertEqual(stat.S_IMODE(mode), allowed, path)

    def test_umask_zero(self):
        self.define(disks=[Disk("vda", self.scratch.image("vda.qcow2")), Disk("vdb", self.scratch.image("vdb.img", fmt="raw"), format="raw")])
        given = {path.name for path in self.scratch.path.iterdir()}
        self.ok("start", "g", "--paused")
        self.ok("snapshot-create-as", "g", "file", "--memspec", f"file={self.scratch / 'f.mem'}")
        self.ok("snapshot-create-as", "g", "inside", "--memspec", "snapshot=internal", "--diskspec", "vda,snapshot=internal",
                "--diskspec", "vdb,snapshot=external")
        self.ok("snapshot-revert", "g", "file")
        self.assert_private(self.scratch.state, self.scratch.runtime)
        made = [path for path in self.scratch.path.iterdir() if path.name not in given and path.is_file()]
        self.assertGreaterEqual(len(made), 4, made)
        for path in made:
            self.assertEqual(stat.S_IMODE(path.stat().st_mode), 0o600, path)

    def test_folders_that_were_open_are_closed(self):
        self.define(disks=[Disk("vda", self.scratch.image("vda.qcow2"))])
        folder = self.scratch.state / "domains" / "g"
        for path in (folder, folder / "memory"):
            path.chmod(0o755)
        self.ok("snapshot-create-as", "g", "a")
        self.assert_private(self.scratch.state)


class HostileStateFolder(harness.SystemTest):
    def setUp(self):
        super().setUp()
        self.define(disks=[Disk("vda", self.scratch.image("vda.qcow2"))])
        self.ok("snapshot-create-as", "g", "a", "--diskspec", "vda,snapshot=external")
        self.folder = self.scratch.state / "domains" / "g"
        self.elsewhere = self.scratch / "elsewhere"
        self.elsewhere.mkdir(mode=0o700)

    def assert_refused(self, path):
        for arguments in (["snapshot-create-as", "g", "b"], ["snapshot-revert", "g", "a"], ["snapshot-delete", "g", "a"],
                          ["start", "g", "--paused"], ["snapshot-list", "g"]):
            with self.subTest(path=path.name, arguments=arguments), self.nothing_changes():
                self.refused(*arguments, naming=path)
        self.assertEqual(self.scratch.pids(), [])

    def test_folders_that_are_symlinks(self):
        for path in (self.folder / "snapshots", self.folder / "files", self.folder / "memory", self.folder,
                     self.scratch.state / "locks", self.scratch.state / "domains"):
            moved = self.elsewhere / path.name
            path.rename(moved)
            path.symlink_to(moved)
            self.assert_refused(path)
            path.unlink()
            moved.rename(path)
        self.ok("snapshot-revert", "g", "a")

    def test_files_that_are_symlinks(self):
        for name in ("definition.xml", "current", "journal"):
            path, moved = self.folder / name, self.elsewhere / name
            if path.exists():
                path.rename(moved)
            else:
                moved.write_text("")
            path.symlink_to(moved)
            with self.subTest(name=name), self.nothing_changes():
                self.refused("snapshot-create-as", "g", "b", naming=path)
            path.unlink()
            if name != "journal":
                moved.rename(path)
        self.ok("snapshot-create-as", "g", "b")

    def test_folders_that_others_may_write_to(self):
        for path in (self.folder / "snapshots", self.folder, self.scratch.state):
            path.chmod(0o777)
            self.assert_refused(path)
            path.chmod(0o700)

    def test_run_time_folder(self):
        uuid = self.ok("domuuid", "g").strip()
        self.scratch.runtime.mkdir(mode=0o700, exist_ok=True)
        path = self.scratch.runtime / uuid
        path.symlink_to(self.elsewhere)
        self.assert_refused(path)


class HostileImages(harness.SystemTest):
    """The image's own header names what it wants to be shown."""

    def forge(self, name, backing, fmt):
        path = self.scratch.image(name)
        extension = struct.pack(">II", 0xE2792ACA, len(fmt)) + fmt.encode().ljust(-(-len(fmt) // 8) * 8, b"\0") if fmt else b""
        text = backing.encode()
        with open(path, "r+b") as image:
            image.seek(100)
            length = struct.unpack(">I", image.read(4))[0]
            image.seek(length)
            image.write(extension + bytes(8) + text)
            image.seek(8)
            image.write(struct.pack(">QI", length + len(extension) + 8, len(text)))
        return path

    def headers(self):
        (self.scratch / "etc").mkdir()
        fifo, secret = self.scratch / "fifo", self.scratch / "etc" / "shadow"
        os.mkfifo(fifo)
        secret.write_text("root:$6$secret\n")
        outside = self.scratch / "outside.qcow2"
        tool("qemu-img", "create", "-q", "-f", "qcow2", "-o", f"data_file={self.scratch / 'data'}", outside, "64M")
        yield "data file", outside
        for what, backing, fmt in (("text", str(secret), "raw"), ("climbs", "../" * 20 + str(secret), "raw"),
                                   ("json", 'json:{"driver":"file","filename":"/etc/shadow"}', "raw"),
                                   ("nbd", "nbd://127.0.0.1:9/x", "raw"), ("format not said", str(secret), ""),
                                   ("vmdk", str(secret), "vmdk"), ("folder", str(self.scratch.path), "raw"),
                                   ("fifo", str(fifo), "raw"), ("device", "/dev/zero", "raw")):
            yield what, self.forge(f"{len(what)}{what[:4]}.qcow2", backing, fmt)

    def test_below_a_disk(self):
        for what, path in self.headers():
            self.define(disks=[Disk("vda", path)])
            for arguments in (["start", "g", "--paused"], ["snapshot-create-as", "g", "s"],
                              ["snapshot-create-as", "g", "s", "--diskspec", "vda,snapshot=external"]):
                with self.subTest(what=what, arguments=arguments), self.nothing_changes(path.parent / path.name):
                    self.refused(*arguments, naming=path)
            self.assertEqual((self.snapshots(), self.scratch.pids()), ([], []), what)
            self.ok("undefine", "g")

    def test_a_reused_overlay(self):
        self.define(disks=[Disk("vda", self.scratch.image("vda.qcow2"))])
        self.scratch.image("other.qcow2")
        for what, path in [*self.headers(), ("another image", self.forge("other.ovl", str(self.scratch / "other.qcow2"), "qcow2"))]:
            with self.subTest(what=what), self.nothing_changes():
                self.refused("snapshot-create-as", "g", "s", "--disk-only", "--reuse-external",
                             "--diskspec", f"vda,snapshot=external,file={path}", naming=path)

    def test_a_plain_chain_is_followed(self):
        base = self.scratch.image("base.img", fmt="raw")
        (self.scratch / "sub").mkdir()
        for name, backing in (("absolute", str(base)), ("relative", "base.img"), ("up", f"../{self.scratch.path.name}/base.img")):
            path = self.forge(f"{name}.qcow2", backing, "raw")
            self.define(disks=[Disk("vda", path)])
            self.ok("start", "g", "--paused")
            self.ok("destroy", "g")
            self.ok("undefine", "g")


if __name__ == "__main__":
    harness.main()
