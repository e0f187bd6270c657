#!/usr/bin/env python3
"""That goals are computed from what was measured, and that a page keeps the reasons that were written into it."""
import pathlib
import tempfile
import unittest

import goals


def column(pause, peers_pause, first_tick):
    made = goals.Column()
    made.add(goals.PAUSE, "ms", pause, peers_pause)
    made.add(goals.FIRST_TICK.format("at once"), "ms", first_tick, 8000)
    made.add(goals.FIRST_TICK.format("in place, mapped"), "ms", first_tick / 2, 10000)
    return made


class Goals(unittest.TestCase):
    def setUp(self):
        self.columns = {"256 MiB": column(10, 300, 900), "1024 MiB": column(25, 300, 1100)}
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.page = pathlib.Path(folder.name, "page.md")
        self.page.write_text(f"before\n{goals.BEGIN}{goals.END}after\n", encoding="utf-8")

    def text(self):
        return goals.report("here", "libvirt", self.columns, goals.reasons_of(self.page))

    def test_what_is_met_and_missed(self):
        text = self.text()
        row = next(line for line in text.splitlines() if line.startswith("| pause at most"))
        self.assertEqual([cell.strip() for cell in row.split("|")[2:-1]], ["1/30", "1/12 ✗", "", "missed"])
        row = next(line for line in text.splitlines() if line.startswith("| first tick after a revert at once"))
        self.assertEqual([cell.strip() for cell in row.split("|")[2:-1]], ["1/8.89", "1/7.27 ✗", "", "missed"])
        row = next(line for line in text.splitlines() if line.startswith("| first tick after a revert in place of mapped RAM"))
        self.assertEqual([cell.strip() for cell in row.split("|")[2:-1]], ["1/22.2", "1/18.2 ✗", "", "missed"])
        self.assertIn("- pause: largest to least of all sizes of RAM at most 2 is missed (all sizes: 2.50). Why: not said yet.", text)
        self.assertIn("| first tick at once: largest to least at most 2 ", text)
        self.assertNotIn("- first tick at once", text)
        self.assertIn("Not measured: pause of mapped RAM at most 1/30; first tick after a revert in place", text)

    def test_the_page_keeps_reasons(self):
        goals.write_page(self.page, self.text())
        written = self.page.read_text(encoding="utf-8")
        self.assertTrue(written.startswith("before\n") and written.endswith("after\n"))
        name = goals.GOALS[0].name
        said = written.replace(f"{name} is missed (1024 MiB: 1/12). Why: not said yet.",
                               f"{name} is missed (1024 MiB: 1/12). Why: the machine was busy,\n  and two lines tell it.")
        self.assertNotEqual(said, written)
        self.page.write_text(said, encoding="utf-8")
        self.columns["1024 MiB"] = column(20, 300, 900)
        goals.write_page(self.page, self.text())
        self.assertIn("(1024 MiB: 1/15). Why: the machine was busy,\n  and two lines tell it.\n", self.page.read_text(encoding="utf-8"))


if __name__ == "__main__":
    unittest.main()
