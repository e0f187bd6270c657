"""Incremental memory images on a real guest: each checkpoint stores what changed since the one before, each can be gone back to,
those in the middle can be deleted, and a parent that somebody took away is noticed before a guest is touched."""
import pathlib

import harness

MIB = 1 << 20
CHAIN = 10


def allocated(path):
    return pathlib.Path(path).stat().st_blocks * 512


class Incremental(harness.SystemTest):
    def memory(self, name):
        return self.scratch / f"{name}.mem"

    def checkpoint(self, guest, name, *options):
        """What must be found again."""
        guest.do(f"note {name}")
        guest.do(f"fill {len(name) + ord(name[-1])} 8")
        marks = self.marks_of(guest)
        self.ok("snapshot-create-as", "g", name, "--memspec", f"file={self.memory(name)}", *options)
        return marks

    def revert(self, guest, name, marks, *options):
        guest.do("fill 99 16")
        self.ok("snapshot-revert", "g", name, *options)
        self.assert_back(guest, marks)

    def test_chain_of_ten(self):
        guest = self.boot()
        names = [f"c{n}" for n in range(CHAIN)]
        marks = {name: self.checkpoint(guest, name) for name in names}
        whole = allocated(self.memory("c0"))
        for name in names[1:]:
            # 8 MiB that the test changed, and what the guest's kernel did meanwhile.
            self.assertLess(allocated(self.memory(name)), 8 * MIB + whole // 3, name)
        for number, name in enumerate(names):
            self.revert(guest, name, marks[name], *([], ["--eager"], ["--mapped"])[number % 3])
        self.delete_in_the_middle(guest, names, marks)

    def delete_in_the_middle(self, guest, names, marks):
        """While the guest runs; the first of all makes the next one whole."""
        refused = self.cli("snapshot-delete", "g", "c4")  # its RAM is mapped: by the last --mapped, whatever came after
        self.assertEqual(refused.code, 1)
        self.assertIn("the running guest of 'g' needs", refused.err)
        self.ok("snapshot-revert", "g", names[-1], "--new-process")
        for name in ("c4", "c5", "c8", "c0"):
            self.ok("snapshot-delete", "g", name)
            self.assertFalse(self.memory(name).exists())
            names.remove(name)
        self.assert_healthy()
        self.assertEqual([path.name for path in self.scratch.path.glob("*.fold*")], [])
        for name in names:
            self.revert(guest, name, marks[name])
        verdict = self.cli("snapshot-verify", "g")
        self.assertEqual(verdict.code, 0, verdict.out + verdict.err)
        self.ok("snapshot-delete", "g", names[0], "--children")
        self.assertEqual([path.name for path in self.scratch.path.glob("*.mem*")], [])

    def test_branches_share_their_parent(self):
        guest = self.boot()
        marks = {"a": self.checkpoint(guest, "a")}
        marks["b"] = self.checkpoint(guest, "b")
        self.revert(guest, "a", marks["a"])
        marks["c"] = self.checkpoint(guest, "c")
        self.assertLess(allocated(self.memory("c")), allocated(self.memory("a")) // 2)
        self.ok("snapshot-delete", "g", "a")
        self.assertTrue(self.memory("a").exists(), "two images rest on it")
        self.revert(guest, "b", marks["b"])
        self.revert(guest, "c", marks["c"])
        self.ok("snapshot-delete", "g", "b")
        self.assertEqual([path.name for path in self.scratch.path.glob("*.mem")], ["c.mem"])
        self.revert(guest, "c", marks["c"], "--eager")

    def test_full(self):
        guest = self.boot()
        self.checkpoint(guest, "a")
        marks = self.checkpoint(guest, "b", "--full")
        self.assertGreater(allocated(self.memory("b")), allocated(self.memory("a")) // 2)
        self.ok("snapshot-delete", "g", "a")
        self.revert(guest, "b", marks)
        self.refused("snapshot-create-as", "g", "d", "--disk-only", "--full", naming="--full")

    def test_a_parent_that_is_not_the_one(self):
        guest = self.boot()
        self.checkpoint(guest, "a")
        marks = self.checkpoint(guest, "b")
        self.ok("suspend", "g")
        away, parent = self.scratch / "away", self.memory("a")
        parent.rename(away)
        with self.nothing_changes():
            self.refused("snapshot-revert", "g", "b", naming=[parent, "'b'"])
            self.refused("snapshot-delete", "g", "a", naming=[parent, "'b'"])
        self.assertNotEqual(self.cli("snapshot-verify", "g", "b").code, 0)
        parent.write_bytes(self.memory("b").read_bytes())
        with self.nothing_changes():
            self.refused("snapshot-revert", "g", "b", naming=[parent, "'b'"])
        parent.write_bytes(away.read_bytes()[: MIB])
        with self.nothing_changes():
            self.refused("snapshot-revert", "g", "b", naming=[parent, "'b'"])
        # What cannot be rested on is not: the next is whole, and says why.
        self.ok("resume", "g")
        guest.do("note c")
        result = self.cli("snapshot-create-as", "g", "c", "--memspec", f"file={self.memory('c')}")
        self.assertEqual(result.code, 0, result.err)
        self.assertIn("the memory is stored whole", result.err)
        parent.unlink()
        away.rename(parent)
        self.revert(guest, "b", marks)


if __name__ == "__main__":
    harness.main()
