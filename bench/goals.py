"""What bench/compare wants to see, computed from what it saw, and the page that says it: docs/performance.md, between the
marks. A reason why a goal is missed is written there by hand and kept from run to run."""
import pathlib
import re
import statistics
from dataclasses import dataclass

import measure

PAGE = measure.TOP / "docs" / "performance.md"
BEGIN, END = "<!-- compare -->\n", "<!-- /compare -->\n"
REASON = re.compile(r"^- (.*?) is missed.*? Why: (.*(?:\n  .*)*)$", re.M)
NO_REASON = "not said yet."


@dataclass
class Goal:
    """most: of domsnap's value to the peer's; least: of domsnap's own value; flat: of the largest to the least over all sizes."""

    name: str
    row: str
    most: float = 0
    least: float = 0
    flat: float = 0

    def seen(self, columns):
        """[(heading, value, met)], as far as it was measured."""
        own = {heading: column.median(self.row, "own") for heading, column in columns.items()}
        ratio = {heading: column.median(self.row, "ratio") for heading, column in columns.items()}
        if self.most:
            return [(heading, f"1/{1 / value:.3g}", value <= self.most) for heading, value in ratio.items() if value]
        if self.least:
            return [(heading, measure.number(value), value >= self.least) for heading, value in own.items() if value]
        values = [value for value in own.values() if value]
        if len(values) < 2:
            return []
        return [("all sizes", f"{max(values) / min(values):.2f}", max(values) / min(values) <= self.flat)]


PAUSE = "checkpoint: pause, STOP → RESUME"
MAPPED_PAUSE = "back in place, mapped: pause of the next checkpoint"
FIRST_TICK, RESUMED = "back {}: command → first tick", "back {}: command → RESUME"
GOALS = [
    Goal("pause at most 1/30 of libvirt's", PAUSE, most=1 / 30),
    Goal("pause of mapped RAM at most 1/30", MAPPED_PAUSE, most=1 / 30),
    Goal("first tick after a revert at once at most 1/8", FIRST_TICK.format("at once"), most=1 / 8),
    Goal("first tick after a revert in place at most 1/20", FIRST_TICK.format("in place"), most=1 / 20),
    Goal("first tick after a warm revert in place at most 1/20", FIRST_TICK.format("in place, warm"), most=1 / 20),
    Goal("first tick after a revert in place of mapped RAM at most 1/20", FIRST_TICK.format("in place, mapped"), most=1 / 20),
    Goal("RESUME after a revert in place at most 1/50", RESUMED.format("in place"), most=1 / 50),
    Goal("RESUME after a warm revert in place at most 1/50", RESUMED.format("in place, warm"), most=1 / 50),
    Goal("RESUME after a revert in place of mapped RAM at most 1/50", RESUMED.format("in place, mapped"), most=1 / 50),
    Goal("ten reverts a second", "reverts a second, in a loop", least=10),
    Goal("pause: largest to least of all sizes of RAM at most 2", PAUSE, flat=2),
    Goal("pause of mapped RAM: largest to least at most 2", MAPPED_PAUSE, flat=2),
    Goal("first tick at once: largest to least at most 2", FIRST_TICK.format("at once"), flat=2),
    Goal("first tick in place: largest to least at most 2", FIRST_TICK.format("in place"), flat=2),
    Goal("first tick in place, warm: largest to least at most 2", FIRST_TICK.format("in place, warm"), flat=2),
    Goal("first tick in place, mapped: largest to least at most 2", FIRST_TICK.format("in place, mapped"), flat=2),
]


class Column:
    """What one size of RAM gave: pairs of values of the same round."""

    def __init__(self):
        self.samples = {"own": measure.Samples(), "peer": measure.Samples(), "ratio": measure.Samples()}

    def add(self, what, unit, own, peer=None):
        for side, value in (("own", own), ("peer", peer)):
            if value is not None:
                self.samples[side].add(what, unit, value)
        if own is not None and peer:
            self.samples["ratio"].add(what, unit, own / peer)

    def median(self, what, side):
        values = self.samples[side].values.get(what)
        return statistics.median(values) if values else None

    def table(self, heading, peer):
        units = {**self.samples["own"].units, **self.samples["peer"].units}
        rows = [[f"{what}{', ' + unit if unit else ''}", *(self.samples[side].cell(what) for side in self.samples)]
                for what, unit in units.items()]
        return measure.markdown([f"{heading}: median (least … most)", "domsnap", peer, "domsnap : peer"], rows)


def goals_table(columns):
    headings = [*columns, "all sizes"]
    rows = []
    for goal in GOALS:
        seen = {heading: value + ("" if met else " ✗") for heading, value, met in goal.seen(columns)}
        if seen:
            rows.append([goal.name, *(seen.get(heading, "") for heading in headings), verdict(goal, columns)])
    return measure.markdown(["goal", *headings, ""], rows)


def verdict(goal, columns):
    return "met" if all(met for _, _, met in goal.seen(columns)) else "missed"


def misses(columns, reasons):
    """A line for each goal that is missed, with what the page said of it before."""
    lines = []
    for goal in GOALS:
        missed = [f"{heading}: {value}" for heading, value, met in goal.seen(columns) if not met]
        if missed:
            lines.append(f"- {goal.name} is missed ({'; '.join(missed)}). Why: {reasons.get(goal.name, NO_REASON)}")
    return "\n".join(lines) or "Every goal that was measured is met."


def unmeasured(columns):
    names = [goal.name for goal in GOALS if not goal.seen(columns)]
    return f"Not measured: {'; '.join(names)}.\n\n" if names else ""


def report(where, peer, columns, reasons):
    tables = "\n\n".join(column.table(heading, peer) for heading, column in columns.items())
    goals = {heading: column for heading, column in columns.items() if heading.endswith("MiB")}
    return f"{where}\n\n{goals_table(goals)}\n\n{unmeasured(goals)}{misses(goals, reasons)}\n\n{tables}\n"


def split_page(path):
    """(before, between, after) the marks."""
    before, rest = path.read_text(encoding="utf-8").split(BEGIN)
    between, after = rest.split(END)
    return before, between, after


def reasons_of(path):
    return {name: why for name, why in REASON.findall(split_page(path)[1]) if why != NO_REASON}


def write_page(path, text):
    before, _, after = split_page(path)
    pathlib.Path(path).write_text(f"{before}{BEGIN}{text}{END}{after}", encoding="utf-8")
