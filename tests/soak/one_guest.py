"""The guest of a soak: work in its RAM and on its disks, what a snapshot must bring back, and that it did."""
import collections
import random

import harness
from strays import strays
from ways import WAYS

RUN_SECONDS = 600
MARK_AT = 10 << 20  # on each disk


class OneGuest(harness.SystemTest):
    def runTest(self):
        """Not a test of a suite: the script drives it."""

    def begin(self, options, counts):
        self.counts, self.random = counts, random.Random(options.seed)
        self.marks = {}  # of each snapshot: what must be found again
        self.kinds = {}
        self.took = collections.defaultdict(lambda: 0.8)  # seconds that a command needs
        self.ways = self.ways_that_are_built()
        self.fill = options.ram // 4
        self.voice = self.boot(memory_mib=options.ram)
        self.voice.do("dirty 4 16")

    def ways_that_are_built(self):
        revert, create = self.ok("help", "snapshot-revert"), self.ok("help", "snapshot-create-as")
        ways = [way for way in WAYS if way.needs in revert]
        self.new_process = ("--new-process",) if "--new-process" in revert else ()
        self.warms = self.cli("help", "snapshot-warm").code == 0
        self.sizes = [(), ("--full",)] if "--full" in create else [()]
        for way in ways:
            if way.name == "at once":
                way.options = self.new_process
        self.transcript.clear()
        return ways

    def work(self, number, what):
        """RAM and disks get content of their own."""
        self.voice.do(f"fill {self.random.randrange(2, 1 << 30)} {self.fill}", RUN_SECONDS)
        self.voice.do(f"note {what}{number}")
        for disk in ("vda", "vdb"):
            self.voice.do(f"write {disk} {MARK_AT:#x} {what}{number:06}")
            self.voice.do(f"scribble {disk} {MARK_AT + 65536:#x} 256 {number}")

    def look(self):
        """What a snapshot must bring back."""
        status = self.voice.status(RUN_SECONDS)
        marks = {disk: self.voice.do(f"read {disk} {MARK_AT:#x} 7")["text"] for disk in ("vda", "vdb")}
        return {"boot": status["boot"], "notes": status["notes"], "ram": status["ram_hash"], "disks": marks}

    def assert_as(self, marks):
        self.assertEqual(self.state(), "running")
        self.assertEqual(self.look(), marks)
        self.assert_consistent(self.voice)

    def assert_back(self, way, name):
        if way.kind != "disks":
            return self.assert_as(self.marks[name])
        self.voice.wait_until_up()  # its memory is new
        self.assertEqual(self.look()["disks"], self.marks[name]["disks"])
        self.assert_consistent(self.voice)
        return self.voice.do("dirty 4 16")

    def assert_nothing_left_over(self):
        self.assertEqual(strays(self, ("vd", "s")), [], "files that nothing needs")
