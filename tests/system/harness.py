"""What every system test is made of: a scratch folder, the domsnap command, and guests to verify.

From the environment (ctest sets it): DOMSNAP, the command; DOMSNAP_LIBEXEC_DIR; DOMSNAP_GUEST, the folder with vmlinuz
and initrd; DOMSNAP_QEMU, the QEMU to use.
"""
import json
import contextlib
import os
import pathlib
import signal
import subprocess
import sys
import unittest
import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass

from domain_xml import Disk, domain_xml
from guest import Guest, inconsistencies, wait_for
from scratch import Scratch, difference, fingerprint, has_ended, requires, tool

__all__ = ["Disk", "SystemTest", "fingerprint", "kept_files", "main", "requires", "tool", "wait_for", "xml_of"]


@dataclass
class Result:
    code: int
    out: str
    err: str


class SystemTest(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        requires(os.environ.get("DOMSNAP"), "DOMSNAP does not name the domsnap command")
        self.prepare()

    def prepare(self):
        self.scratch = Scratch()
        self.guests = {}
        self.transcript = []
        self.addCleanup(self._clean_up)

    def _clean_up(self):
        self.logs = self.scratch.logs()
        for guest in self.guests.values():
            guest.close()
        self.scratch.remove()

    def run(self, result=None):
        before = len(result.failures) + len(result.errors) if result else 0
        super().run(result)
        if result and len(result.failures) + len(result.errors) > before and getattr(self, "transcript", None):
            print(f"--- {self.id()}: what was run\n" + "\n".join(self.transcript[-30:]), file=sys.stderr)
            print(self.logs, file=sys.stderr)

    # The command
    def spawn(self, *arguments, **options):
        environment = {**self.scratch.environment(), **options.pop("env", {})}
        return subprocess.Popen([os.environ["DOMSNAP"], *map(str, arguments)], stdin=subprocess.DEVNULL, text=True,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment, **options)

    def finish(self, process, seconds=180):
        try:
            out, err = process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            out, err = process.communicate()
            self.fail(f"not done in {seconds} s: {process.args}\n{out}{err}")
        shown = " ".join(map(str, process.args[1:]))
        self.transcript.append(f"$ domsnap {shown}  -> {process.returncode}\n{out[-2000:]}{err[-2000:]}".rstrip())
        return Result(process.returncode, out, err)

    def cli(self, *arguments, seconds=180, **options):
        return self.finish(self.spawn(*arguments, **options), seconds)

    def ok(self, *arguments, **options):
        """stdout of a command that must succeed."""
        result = self.cli(*arguments, **options)
        self.assertEqual(result.code, 0, f"domsnap {arguments}\n{result.out}{result.err}")
        return result.out

    def refused(self, *arguments, naming=(), **options):
        """stderr of a command that must fail cleanly: exit 1, one error line, every word of `naming`."""
        result = self.cli(*arguments, **options)
        self.assert_refusal(result, arguments, naming)
        return result.err

    def assert_refusal(self, result, arguments, naming=()):
        shown = f"domsnap {arguments}\n{result.out}{result.err}"
        self.assertEqual(result.code, 1, shown)
        errors = [line for line in result.err.splitlines() if line.startswith("error: ")]
        self.assertEqual(len(errors), 1, shown)
        for word in [naming] if isinstance(naming, (str, pathlib.Path)) else naming:
            self.assertIn(str(word), "\n".join(errors), shown)

    def usage_error(self, *arguments):
        result = self.cli(*arguments)
        self.assertEqual(result.code, 2, f"domsnap {arguments}\n{result.out}{result.err}")
        return result.err

    # Domains
    def domain_xml(self, name="g", disks=None, **options):
        folder = pathlib.Path(os.environ.get("DOMSNAP_GUEST", "guest"))
        if disks is None:
            disks = [Disk(target, self.scratch.image(f"{target}.qcow2")) for target in ("vda", "vdb")]
        return domain_xml(name, disks, folder / "vmlinuz", folder / "initrd", self.scratch / f"{name}.console",
                          self.scratch / f"{name}.command", **options)

    def define(self, name="g", disks=None, **options):
        file = self.scratch / f"{name}.xml"
        file.write_text(self.domain_xml(name, disks, **options))
        return self.ok("define", file)

    def guest(self, name="g"):
        """The guest's voice; the QEMU behind it may change."""
        return self.guests.setdefault(name, Guest(self.scratch / f"{name}.command"))

    def boot(self, name="g", disks=None, **options):
        """Defines and starts; returns the guest when it ticks."""
        self.define(name, disks, **options)
        self.ok("start", name)
        guest = self.guest(name)
        guest.wait_until_up()
        return guest

    def state(self, name="g"):
        return self.ok("domstate", name).strip()

    def pid_file(self, name="g"):
        files = list(self.scratch.runtime.rglob(f"{self.ok('domuuid', name).strip()}/*.pid"))
        self.assertEqual(len(files), 1, f"pid files of {name}")
        return files[0]

    def qemu_pid(self, name="g"):
        return int(self.pid_file(name).read_text().split()[0])

    def kill_qemu(self, name="g"):
        pid = self.qemu_pid(name)
        self.assertIn(pid, self.scratch.pids())
        os.kill(pid, signal.SIGKILL)
        wait_for(lambda: has_ended(pid), 20, "the killed QEMU is gone")

    def snapshots(self, name="g", *options):
        return self.ok("snapshot-list", name, "--name", *options).split()

    def sources(self, name="g"):
        """{target: the file that is in use now}"""
        rows = [line.split(None, 1) for line in self.ok("domblklist", name).splitlines()[2:] if line.strip()]
        return {target: pathlib.Path(source.strip()) for target, source in rows}

    def files(self):
        """The images and memory files that lie in the scratch folder."""
        return sorted(str(p) for p in kept_files(self.scratch.path.iterdir()) if p.name != "request.xml")

    # What must hold
    def assert_consistent(self, guest):
        """RAM and disks of the guest are of one moment and whole; returns its status."""
        self.assertEqual(inconsistencies(guest), [])
        return guest.status()

    def marks_of(self, guest):
        """What a guest must have again when it goes back to this moment."""
        status = guest.status()
        return {"boot": status["boot"], "notes": status["notes"], "ram": status["ram_hash"]}

    def assert_back(self, guest, marks):
        self.assertEqual(self.marks_of(guest), marks)
        self.assert_healthy()

    def all_is_loaded(self):
        """After a revert at once."""
        states = [json.loads(path.read_text())["state"] for path in self.scratch.runtime.glob("*/pages.json")]
        return states == ["complete"]

    def assert_healthy(self, name="g"):
        """The guest runs, ticks on, and is consistent."""
        self.assertEqual(self.state(name), "running")
        self.guest(name).wait_for_ticks()
        return self.assert_consistent(self.guest(name))

    @contextlib.contextmanager
    def nothing_changes(self, *folders):
        """No file below the scratch folder is made, removed or changed. A running guest changes its disks: suspend it."""
        folders = folders or (self.scratch.path,)
        before = [fingerprint(folder) for folder in folders]
        yield
        after = [fingerprint(folder) for folder in folders]
        self.assertEqual([line for pair in zip(before, after) for line in difference(*pair)], [])


def kept_files(paths):
    """The files among the paths, but for the lists of hot pages: one comes in its own time and goes with its image. One whose
    image is gone is a file like any other."""
    return [p for p in paths if p.is_file() and not (p.suffix == ".hot" and p.with_suffix("").exists())]


def xml_of(text):
    """A document's root."""
    return ElementTree.fromstring(text)


def main():
    """Runs the file's tests. Exit 77 (ctest: skipped) if there was none that could run."""
    program = unittest.main(verbosity=2, exit=False, module="__main__")
    result = program.result
    for test, why in result.skipped:
        print(f"skipped: {test.id()}: {why}")
    if not result.wasSuccessful():
        sys.exit(1)
    sys.exit(77 if result.testsRun and len(result.skipped) == result.testsRun else 0)
