"""Checkpoints and reverts, in whose midst somebody may be killed: the next command must put everything right."""
import json
import os
import pathlib
import signal
import subprocess
import time

from guest import wait_for
from one_guest import RUN_SECONDS, OneGuest
from scratch import has_ended
from strays import programs
from ways import CREATE


class Verbs(OneGuest):
    def struck(self, kind, victims, moment, *arguments):
        """The result of a command in whose midst the victims are killed; None for it if somebody was."""
        began = time.monotonic()
        process = self.spawn(*arguments)
        if victims:
            try:
                process.wait(moment * self.took[kind])
            except subprocess.TimeoutExpired:
                if self.kill(victims, process):
                    self.finish(process, RUN_SECONDS)
                    return None
        result = self.finish(process, RUN_SECONDS)
        if result.code == 0:
            self.took[kind] = 0.5 * self.took[kind] + 0.5 * (time.monotonic() - began)
        return result

    def kill(self, victims, process):
        pids = [pid for victim in victims if victim != "domsnap" for pid in programs(self.scratch.path, victim)]
        if "domsnap" in victims and process.poll() is None:
            pids.insert(0, process.pid)
        for pid in pids:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        self.transcript.append(f"# killed {len(pids)} of {victims}")
        return bool(pids)

    def create(self, number, kind, victims=(), moment=0.0):
        """The snapshot is there afterwards: if the kill took it back, it is made again."""
        name = f"s{number}.{kind}"
        arguments = ["snapshot-create-as", "g", name, *CREATE[kind]]
        if kind == "full":
            arguments[-1] = self.scratch / f"{name}.mem"
            arguments += self.random.choice(self.sizes)
        marks = self.look()
        result = self.struck(kind, victims, moment, *arguments)
        if result is None:
            self.counts[f"checkpoint, {kind}"].kills += 1
            self.next_verb()
            self.assert_as(marks)
            if name not in self.snapshots():
                self.ok(*arguments, seconds=RUN_SECONDS)
        else:
            self.assertEqual(result.code, 0, result.err)
        self.counts[f"checkpoint, {kind}"].rounds += 1
        self.marks[name], self.kinds[name] = marks, kind
        self.assert_as(marks)
        return name

    def next_verb(self):
        """After a kill: whichever it is, it must put everything right."""
        for verb in self.random.choice([("recover",), ("suspend", "resume")]):
            self.ok(verb, "g", seconds=RUN_SECONDS)
        self.assertFalse((self.scratch.state / "domains/g/journal").exists(), "the journal is left")

    def revert(self, way, name, victims=(), moment=0.0):
        arguments = ["snapshot-revert", "g", name, *way.options, "--yes"]
        result = self.struck(way.name, () if "later" in victims else victims, moment, *arguments)
        if result is None:
            self.counts[way.name].kills += 1
            self.put_right(arguments)
        else:
            self.assertEqual(result.code, 0, result.err)
            self.counts[way.name].elsewhere += way.name == "in place" and "way: in place" not in result.err
            if "later" in victims:
                self.kill_server(way, arguments)
        self.assert_back(way, name)

    def put_right(self, arguments):
        """After a kill in its midst: the revert must be possible, from whatever there is, with or without a recover."""
        if self.random.random() < 0.5:
            self.ok("recover", "g", seconds=RUN_SECONDS)
            self.assertFalse((self.scratch.state / "domains/g/journal").exists(), "the journal is left")
            self.remove_kept()
        self.ok(*arguments, seconds=RUN_SECONDS)
        self.remove_kept()

    def remove_kept(self):
        """A revert whose new QEMU does not come up keeps what the disks held until then, and says where."""
        for said in self.transcript[-3:]:
            for path in said.partition("are kept: ")[2].partition("\n")[0].split(", "):
                if path.startswith(str(self.scratch.path)):
                    pathlib.Path(path).unlink(missing_ok=True)

    def kill_server(self, way, arguments):
        """While memory is loaded. The next command starts another server; where QEMU's monitors hear nobody, because its main
        loop itself waits for a page, it says so, and going back again is what is left."""
        servers = programs(self.scratch.path, "domsnap-memory")
        for pid in servers:
            os.kill(pid, signal.SIGKILL)
            wait_for(lambda: has_ended(pid), 20, "the killed server is gone")
        if not servers or self.pages_state() != "loading":
            return
        self.counts[way.name].kills += 1
        said = self.cli("recover", "g", seconds=RUN_SECONDS)
        if "cannot be loaded" in said.out + said.err:
            self.counts[way.name].lost += 1
            self.ok("destroy", "g")
            self.ok(*arguments, seconds=RUN_SECONDS)

    def pages_state(self):
        for path in self.scratch.runtime.glob("*/pages.json"):
            return json.loads(path.read_text())["state"]
        return None
