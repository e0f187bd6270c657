"""Images that somebody changed behind domsnap's back: noticed by every verb that would do harm with them, which names
the file and the snapshots that need it, and changes nothing."""
import json
import os
import shutil

import harness
from harness import Disk, tool
from guest import wait_for


EXTERNAL = ("--diskspec", "vda,snapshot=external", "--diskspec", "vdb,snapshot=external")


class BehindOurBack(harness.SystemTest):
    def setUp(self):
        super().setUp()
        self.base, self.other = self.scratch.image("vda.qcow2"), self.scratch.image("vdb.qcow2")
        self.define(disks=[Disk("vda", self.base), Disk("vdb", self.other)])
        self.write(self.base, 1)
        self.ok("snapshot-create-as", "g", "a", *EXTERNAL)
        self.overlay = self.scratch / "vda.a"
        self.write(self.overlay, 2)
        self.ok("snapshot-create-as", "g", "b", *EXTERNAL)

    @staticmethod
    def write(path, byte):
        tool("qemu-io", "-f", "qcow2", "-c", f"write -q -P {byte} 1M 128k", path)

    def assert_noticed(self, path, *snapshots, verbs):
        lines = {"start": ["start", "g", "--paused"], "create": ["snapshot-create-as", "g", "new", *EXTERNAL],
                 "revert": ["snapshot-revert", "g", "a"], "revert b": ["snapshot-revert", "g", "b"],
                 "delete": ["snapshot-delete", "g", "a"]}
        for verb in verbs:
            with self.subTest(verb=verb), self.nothing_changes():
                self.refused(*lines[verb], naming=[path, *(f"'{name}'" for name in snapshots)])

    def test_nothing_is_said_of_what_was_not_changed(self):
        self.ok("snapshot-revert", "g", "a")
        self.write(self.sources()["vda"], 3)
        self.ok("snapshot-create-as", "g", "c")
        self.ok("snapshot-create-as", "g", "d", *EXTERNAL)
        self.ok("start", "g", "--paused")
        self.ok("destroy", "g")
        for name in ("b", "c", "a", "d"):
            self.ok("snapshot-revert", "g", name)
        for name in ("a", "c", "d", "b"):
            self.ok("snapshot-delete", "g", name)
        self.ok("start", "g", "--paused")

    def test_removed(self):
        self.base.unlink()
        self.assert_noticed(self.base, "a", "b", verbs=["start", "create", "revert", "revert b", "delete"])
        self.ok("snapshot-delete", "g", "a", "--metadata")

    def test_truncated(self):
        os.truncate(self.base, 4096)
        self.assert_noticed(self.base, "a", "b", verbs=["start", "create", "revert", "revert b", "delete"])

    def test_written_to(self):
        self.write(self.base, 9)
        self.assert_noticed(self.base, "a", "b", verbs=["start", "create", "revert", "revert b", "delete"])

    def test_a_file_that_only_a_sibling_needs_is_no_obstacle(self):
        self.write(self.overlay, 9)
        self.assert_noticed(self.overlay, "b", verbs=["start", "create", "revert b"])
        self.ok("snapshot-revert", "g", "a")
        self.ok("start", "g", "--paused")

    def test_committed_by_hand(self):
        tool("qemu-img", "commit", "-q", "-d", "-f", "qcow2", self.overlay)
        self.assert_noticed(self.base, "a", "b", verbs=["start", "create", "revert", "revert b", "delete"])

    def test_replaced(self):
        other = self.scratch.image("other.qcow2")
        os.replace(other, self.base)
        self.assert_noticed(self.base, "a", "b", verbs=["start", "create", "revert", "revert b", "delete"])

    def test_another_backing_file(self):
        leaf = self.scratch / "vda.b"
        tool("qemu-img", "rebase", "-u", "-f", "qcow2", "-F", "qcow2", "-b", self.base, leaf)
        self.assert_noticed(leaf, verbs=["start", "create"])
        self.ok("snapshot-revert", "g", "b")  # which drops that leaf

    def test_a_copy_with_its_times_is_as_good(self):
        copy = self.scratch / "copy"
        shutil.copy2(self.base, copy)
        os.replace(copy, self.base)
        self.ok("snapshot-revert", "g", "a")
        self.ok("start", "g", "--paused")

    def monitor(self, **command):
        return json.loads(self.ok("qemu-monitor-command", "g", json.dumps(command)))

    def test_committed_and_pivoted_while_it_runs(self):
        """libvirt then mixes the disks of two moments, and can delete the snapshot no more."""
        self.ok("start", "g", "--paused")
        nodes = self.monitor(execute="query-named-block-nodes")["return"]
        node = {one["file"]: one["node-name"] for one in nodes if one["drv"] == "qcow2"}
        self.write_and_pivot(node[str(self.scratch / "vda.b")], node[str(self.base)])
        leaf = self.scratch / "vda.b"
        for verb in ("create", "delete"):
            self.assert_noticed(leaf, verbs=[verb])
        self.assert_noticed(self.base, "a", "b", verbs=["revert", "revert b"])
        self.ok("destroy", "g")
        self.assert_noticed(self.base, "a", "b", verbs=["start"])

    def write_and_pivot(self, leaf, base):
        self.monitor(execute="block-commit", arguments={"device": leaf, "base-node": base, "job-id": "by-hand"})
        wait_for(lambda: self.monitor(execute="query-jobs")["return"][0]["status"] == "ready", 30, "the commit is ready")
        self.monitor(execute="job-complete", arguments={"id": "by-hand"})
        wait_for(lambda: not self.monitor(execute="query-jobs")["return"], 30, "the commit is over")


if __name__ == "__main__":
    harness.main()
