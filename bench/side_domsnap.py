"""domsnap in bench/compare."""
import os

import measure
from guest import wait_for
from sides import RUN_SECONDS, Side, Way


class Domsnap(Side):
    name, loads_behind, most_in_loop = "domsnap", True, 1000

    def __init__(self, bench):
        super().__init__(bench, "g")
        self.ok = bench.ok
        revert = self.ok("help", "snapshot-revert")
        other = ("--new-process",) if "--new-process" in revert else ()
        self.ways = [Way("in place", "external")] if other else []
        warm = bench.cli("help", "snapshot-warm").out
        if warm:
            self.ways.append(Way("in place, warm", "external"))
        self.ways += [Way("mapped", "external", ("--mapped",))] if "--mapped" in revert else []
        self.ways += [Way(name, "external") for name, option in measure.MAPPED.items() if option in warm]
        # After these memory is the guest's own, and its image may be deleted.
        self.ways += [Way("at once", "external", other), Way("eager", "external", ("--eager",))]
        self.ways += [Way("internal", "internal")]

    def define(self, xml):
        file = self.scratch / "g.xml"
        file.write_text(xml)
        self.ok("define", file)

    def start(self):
        self.ok("start", "g")

    def suspend(self):
        self.ok("suspend", "g", seconds=RUN_SECONDS)

    def resume(self):
        self.ok("resume", "g")

    def create(self, kind, name):
        memory = [] if kind == "internal" else ["--memspec", f"file={self.memory(name)}"]
        self.ok("snapshot-create-as", "g", name, *memory, seconds=RUN_SECONDS)

    def prepare_revert(self, way, name):
        if way.name == "in place, warm":
            self.ok("snapshot-warm", "g", name)
        if way.name in measure.MAPPED:
            self.ok("snapshot-warm", "g", name, measure.MAPPED[way.name], seconds=RUN_SECONDS)
        if way.name == "at once":  # from a guest whose RAM is its own, as most are; giving back a copy on tmpfs takes time
            self.ok("snapshot-revert", "g", name, "--new-process", seconds=RUN_SECONDS)
            self.wait_until_loaded()

    def revert(self, way, name):
        """Of a guest whose RAM is mapped also: how long the next checkpoint stops it."""
        found = super().revert(way, name)
        if way.name in measure.MAPPED:
            found["pause"] = self.checkpoint(way.kind, f"{name}-next")["pause"]
            self.delete(f"{name}-next")
        return found

    def go_back(self, way, name):
        said = self.bench.cli("snapshot-revert", "g", name, *way.options, seconds=RUN_SECONDS)
        assert said.code == 0, said.err
        assert not way.name.startswith("in place") or "way: in place" in said.err, said.err

    def loop_way(self):
        """What somebody takes who goes back a thousand times a day."""
        names = {way.name: way for way in self.ways}
        wanted = ("in place, mapped", "in place, warm", "in place", "at once")
        return next(names[name] for name in wanted if name in names)

    def end_loop(self, name):
        """Its image may be mapped."""
        self.ok("snapshot-revert", "g", name, "--eager", seconds=RUN_SECONDS)

    def wait_until_loaded(self):
        wait_for(lambda: not self.bench.loads(), RUN_SECONDS, "all memory is there")

    def delete(self, name):
        self.ok("snapshot-delete", "g", name, seconds=RUN_SECONDS)

    def events(self, since):
        return measure.read_events(self.bench.pid_file("g").parent / "events.out", since)

    def list_command(self, count):
        return [os.environ["DOMSNAP"], "snapshot-list", self.bench.define_with_snapshots(count)]
