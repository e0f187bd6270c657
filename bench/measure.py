"""What the scripts here share: domains and guests as the system tests have them, times, medians, and tables in Markdown.

From the environment, as in the system tests: DOMSNAP, DOMSNAPD, DOMSNAP_LIBEXEC_DIR, DOMSNAP_GUEST, DOMSNAP_QEMU. What is not
there is taken from the build folder (--build) and from scripts/demo's guest.
"""
import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import time
import unittest

TOP = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(TOP / "tests" / "system"))
sys.dont_write_bytecode = True

import harness  # noqa: E402
from scratch import qemu, requires, tool  # noqa: E402

SKIPPED = 77  # what ctest takes for "skipped"
# Ways back in place of guests whose RAM is mapped, and what snapshot-warm goes over to it with.
MAPPED = {"in place, mapped": "--mapped", "in place, mapped on tmpfs": "--tmpfs"}


def options_of(name, about, **more):
    """The options of a script: those that all have, and its own (argparse's arguments by the option's name)."""
    parser = argparse.ArgumentParser(prog=f"bench/{name}", description=about.strip())
    parser.add_argument("--build", type=pathlib.Path, default=TOP / "build" / "release",
                        help="the build folder (default: build/release); $DOMSNAP is stronger")
    parser.add_argument("--qemu", help="the QEMU to use (default: $DOMSNAP_QEMU, else qemu-system-x86_64)")
    for option, arguments in more.items():
        parser.add_argument(f"--{option}", **arguments)
    return parser.parse_args()


def prepare(options):
    """The environment that the system tests' modules read."""
    commands = options.build.resolve() / "cmd"
    os.environ.setdefault("DOMSNAP", str(commands / "domsnap" / "domsnap"))
    os.environ.setdefault("DOMSNAPD", str(commands / "domsnapd" / "domsnapd"))
    os.environ.setdefault("DOMSNAP_LIBEXEC_DIR", str(commands / "domsnap-memory"))
    os.environ.setdefault("DOMSNAP_GUEST", str(TOP / "build" / "guest"))
    if options.qemu:
        os.environ["DOMSNAP_QEMU"] = options.qemu
    requires(os.access(os.environ["DOMSNAP"], os.X_OK),
             f"{os.environ['DOMSNAP']} is not built: scripts/demo builds it, --build names another")
    if not pathlib.Path(os.environ["DOMSNAP_GUEST"], "initrd").exists():
        subprocess.run([TOP / "tests" / "guest" / "build", os.environ["DOMSNAP_GUEST"]], check=True)


def read_events(path, since):
    """[(seconds, name)] of QEMU's events from then on."""
    events = []
    for line in path.read_text(errors="replace").splitlines():
        if '"event"' not in line:
            continue
        event = json.loads(line)
        when = event["timestamp"]["seconds"] + event["timestamp"]["microseconds"] / 1e6
        if when >= since:
            events.append((when, event["event"]))
    return events


def stood_still(events):
    """Seconds between each STOP and its RESUME, together."""
    total, stopped = 0.0, None
    for when, name in events:
        if name == "STOP" and stopped is None:
            stopped = when
        elif name == "RESUME" and stopped is not None:
            total, stopped = total + when - stopped, None
    return total


def size_on_disk(path):
    return path.stat().st_blocks * 512


def snapshot_xml(name, parent, time_of_creation, domain, source):
    """As snapshot-dumpxml writes it, for a full external checkpoint."""
    above = f"<parent><name>{parent}</name></parent>" if parent else ""
    disks = "".join(f"<disk name='{target}' snapshot='external' type='file'><driver type='qcow2'/>"
                    f"<source file='{path}.{name}'/></disk>" for target, path in source.items())
    return (f"<domainsnapshot><name>{name}</name><description>number {name}</description><state>running</state>{above}"
            f"<creationTime>{time_of_creation}</creationTime><memory snapshot='external' file='/vm/{name}.mem'/>"
            f"<disks>{disks}</disks>{domain}</domainsnapshot>")


def records(count, document, sources):
    """Documents for --redefine: a tree ten levels or so deep, as people keep them. None of its files exists."""
    for number in range(count):
        parent = f"night-{(number - 1) // 2}" if number else None
        yield snapshot_xml(f"night-{number}", parent, 1_700_000_000 + 86_400 * number, document, sources)


class Bench(harness.SystemTest):
    """Scratch folder, domains and guests of a system test, for a with statement."""

    def __enter__(self):
        self.prepare()
        return self

    def __exit__(self, *_):
        self.doCleanups()

    def loads(self):
        """True while a guest's memory is still on its way."""
        return any(json.loads(path.read_text())["state"] == "loading" for path in self.scratch.runtime.glob("*/pages.json"))

    def define_with_snapshots(self, count):
        """Records alone: none of their files exists."""
        name = f"with-{count}"
        self.define(name)
        document, sources = self.ok("dumpxml", name), self.sources(name)
        file = self.scratch / "snapshot.xml"
        for text in records(count, document, sources):
            file.write_text(text)
            self.ok("snapshot-create", name, file, "--redefine", "--current")
        return name


class Samples:
    """Values by what was measured, in the order of their first coming."""

    def __init__(self):
        self.units, self.values = {}, {}

    def add(self, what, unit, value):
        self.units[what] = unit
        self.values.setdefault(what, []).append(value)

    def cell(self, what):
        values = self.values.get(what)
        if not values:
            return "-"
        median = number(statistics.median(values))
        return median if len(values) == 1 else f"{median} ({number(min(values))} … {number(max(values))})"


def number(value):
    return f"{value:,.{0 if value >= 100 else 1 if value >= 10 else 2}f}"


def markdown(header, rows):
    """Columns as wide as their widest cell, so that the source reads as well as the page."""
    widths = [max(len(row[i]) for row in [header, *rows]) for i in range(len(header))]
    lines = [[cell.ljust(width) for cell, width in zip(row, widths)] for row in [header, *rows]]
    lines.insert(1, ["-" * width for width in widths])
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def table(columns):
    """columns: {heading: Samples}"""
    names = {what: samples.units[what] for samples in columns.values() for what in samples.units}
    rows = [[f"{what}, {unit}" if unit else what, *(samples.cell(what) for samples in columns.values())] for what, unit in names.items()]
    return markdown(["median (least … most)", *columns], rows)


def machine():
    """Where and when it was measured, for the line over a table."""
    version = tool(qemu(), "--version").splitlines()[0].removeprefix("QEMU emulator ")
    load = os.getloadavg()[0]
    when = time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime())
    return (f"{when}, {os.cpu_count()} CPUs, QEMU {version.removeprefix('version ')}; "
            f"load average before the run {load:.1f}{' (noisy: others work on this machine)' if load > 0.5 else ''}")


def show_table(where, words, columns):
    print(f"{where}; {words}\n\n{table(columns)}")


def run(options, measurement, show=show_table):
    """Shows what measurement(options) gives: (words for the line over the table, {heading: Samples}). The exit code."""
    try:
        prepare(options)
        where = machine()
        words, columns = measurement(options)
    except unittest.SkipTest as why:
        print(f"skipped: {why}", file=sys.stderr)
        return SKIPPED
    show(where, words, columns)
    return 0
