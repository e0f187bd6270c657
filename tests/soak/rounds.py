"""Rounds of checkpoint, work and revert, and the deletes at the end."""
import subprocess
import sys

from one_guest import RUN_SECONDS
from verbs import Verbs
from ways import CREATE_VICTIMS, REVERT_VICTIMS, WARM

MOST_SNAPSHOTS = 5


class Soak(Verbs):
    def round(self, number):
        way = self.ways[number % len(self.ways)]
        print(f"round {number + 1}: {way.name} …", file=sys.stderr, flush=True)
        others = self.random.random() < 0.2
        create = self.random.choice(CREATE_VICTIMS), self.random.random()
        revert = self.random.choice(REVERT_VICTIMS), self.random.random()
        try:
            self.work(number, "c")
            name = self.create(number, way.kind, *create)
            if way.name == "in place" and self.warms and self.random.random() < 0.5:
                self.ok("snapshot-warm", "g", name, *self.random.choice(WARM), seconds=RUN_SECONDS)
            self.work(number, "w")
            if others:
                self.create(number, "disks" if way.kind != "disks" else "full")
                self.work(number, "x")
            self.revert(way, self.random.choice(self.of_kind(way.kind)) if others else name, *revert)
            self.delete_if_many()
            self.assert_nothing_left_over()
        except Exception:
            self.counts[way.name].failures += 1
            raise
        finally:
            self.counts[way.name].rounds += 1

    def of_kind(self, kind):
        return [name for name, of in self.kinds.items() if of == kind]

    def delete_if_many(self):
        while len(self.kinds) > MOST_SNAPSHOTS:
            self.delete(self.random.choice(list(self.kinds)))

    def delete(self, name):
        before = self.look()
        result = self.cli("snapshot-delete", "g", name, seconds=RUN_SECONDS)
        if result.code != 0 and "the running guest of" in result.err and self.kinds[name] == "full":  # by this guest: first off it
            self.revert(next(way for way in self.ways if way.name == "at once"), name)
            before = self.look()
            result = self.cli("snapshot-delete", "g", name, seconds=RUN_SECONDS)
        self.assertEqual(result.code, 0, result.err)
        self.counts["delete"].rounds += 1
        del self.marks[name], self.kinds[name]
        self.assert_as(before)

    def delete_all(self):
        """In random order; now and then one of those that are left is gone back to."""
        try:
            while self.kinds:
                self.delete(self.random.choice(list(self.kinds)))
                fit = [(way, name) for way in self.ways for name in self.of_kind(way.kind) if way.kind != "disks"]
                if fit:
                    self.revert(*self.random.choice(fit))
            self.assertEqual(self.snapshots(), [])
            self.assert_nothing_left_over()
        except Exception:
            self.counts["delete"].failures += 1
            raise


def run(options, counts, first):
    """Rounds from that number on with one guest, until all are done or one fails. The number of the next one."""
    soak, number = Soak("runTest"), first
    soak.setUp()
    try:
        counts["start"].failures += 1  # until it has
        soak.begin(options, counts)
        counts["start"].failures -= 1
        counts["start"].rounds += 1
        while number < options.rounds:
            number += 1
            soak.round(number - 1)
        soak.delete_all()
    except (AssertionError, OSError, ValueError, KeyError, subprocess.SubprocessError) as error:
        print("\n".join(soak.transcript[-14:]), soak.scratch.logs(), sep="\n", file=sys.stderr)
        print(f"WRONG in round {number} (seed {options.seed}): {type(error).__name__}: {error}", file=sys.stderr, flush=True)
        number = max(number, first + 1)  # a guest that does not come up is not asked for ever
    finally:
        soak.doCleanups()
    return number
