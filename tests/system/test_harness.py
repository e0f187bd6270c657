"""The guest and the harness themselves, without domsnap: a harness that cannot see a defect proves nothing."""
import os
import pathlib
import signal
import subprocess
import sys
import threading

import harness
from guest import TickWatch, inconsistencies, wait_for
from monitor import Monitor
from scratch import difference, fingerprint, pids_naming, qemu


class HarnessTest(harness.SystemTest):
    def setUp(self):
        self.prepare()

    def launch(self):
        folder = pathlib.Path(os.environ["DOMSNAP_GUEST"])
        arguments = [qemu(), "-accel", "tcg", "-machine", "q35", "-cpu", "max", "-m", "192", "-nodefaults", "-display",
                     "none", "-kernel", folder / "vmlinuz", "-initrd", folder / "initrd", "-append", "console=ttyS0 quiet",
                     "-serial", f"unix:{self.scratch / 'g.console'},server=on,wait=off",
                     "-serial", f"unix:{self.scratch / 'g.command'},server=on,wait=off",
                     "-qmp", f"unix:{self.scratch / 'qmp'},server=on,wait=off"]
        for name in ("vda", "vdb"):
            arguments += ["-drive", f"file={self.scratch.image(name + '.qcow2')},format=qcow2,if=virtio,id={name}"]
        log = open(self.scratch / "qemu.log", "wb")
        self.process = subprocess.Popen(list(map(str, arguments)), stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        log.close()
        self.addCleanup(self.process.wait)
        self.addCleanup(self.process.kill)
        guest = self.guest()
        guest.wait_until_up()
        monitor = Monitor(self.scratch / "qmp")
        self.addCleanup(monitor.close)
        return guest, monitor

    def test_guest(self):
        guest, monitor = self.launch()
        self.check_commands(guest)
        self.check_restore(guest, monitor)
        self.check_pause(guest, monitor)
        self.check_detection(guest, monitor)
        monitor.ask("system_powerdown")
        self.assertEqual(self.process.wait(60), 0)

    def check_commands(self, guest):
        first = guest.do("fill 7 8")["ram_hash"]
        self.assertNotEqual(guest.do("fill 8 8")["ram_hash"], first)
        self.assertEqual(guest.do("fill 7 8")["ram_hash"], first)
        guest.do("write vdb 0x800ffd over two blocks")
        self.assertEqual(guest.do("read vdb 0x800ffd 15")["text"], "over two blocks")
        guest.do("scribble vda 0x900000 256 3")
        noise = guest.do("disk-hash vda 0x900000 256")["hash"]
        guest.do("scribble vda 0x900000 256 4")
        self.assertNotEqual(guest.do("disk-hash vda 0x900000 256")["hash"], noise)
        self.assertFalse(guest.ask("read vdz 0 1")["ok"])
        self.assertFalse(guest.ask("fill 1 100000")["ok"])
        self.assertEqual(inconsistencies(guest), [])

    def check_restore(self, guest, monitor):
        guest.do("note kept")
        guest.do("dirty 20 8")
        guest.wait_for_ticks()
        before = guest.status()
        self.assertEqual(monitor.human("savevm s1"), "")
        guest.do("note lost")
        guest.do("fill 9 8")
        guest.wait_for_ticks()
        self.assertEqual(monitor.human("loadvm s1"), "")
        after = guest.status()
        self.assertEqual(after["notes"], ["kept"])
        self.assertEqual((after["boot"], after["ram_hash"]), (before["boot"], before["ram_hash"]))
        guest.wait_for_ticks()
        self.assertEqual(inconsistencies(guest), [])
        guest.do("dirty 0")

    def check_pause(self, guest, monitor):
        watch = TickWatch(self.scratch / "g.console")
        wait_for(lambda: len(watch.ticks) > 3, 20, "ticks on the console")
        monitor.ask("stop")
        self.assertTrue(guest.is_silent())
        monitor.ask("cont")
        count = len(watch.ticks)
        wait_for(lambda: len(watch.ticks) > count + 3, 20, "ticks after the pause")
        self.assertGreater(watch.longest_gap(), 0.5)
        watch.close()
        self.assertEqual(inconsistencies(guest), [])

    def check_detection(self, guest, monitor):
        """A disk that lost its counter, and one that lost log entries, are both seen."""

        def damaged():
            monitor.ask("stop")
            monitor.human('qemu-io vda "write -P 0 1M 4k"')
            monitor.human('qemu-io vdb "write -P 0 2M 4M"')
            monitor.ask("cont")
            guest.wait_for_ticks(1)
            found = " ".join(inconsistencies(guest))
            return "vda: 1 mismatches" in found and "lost or torn writes" in found

        # Again, because a stop in the middle of a tick lies between the check and the write that hides the damage.
        wait_for(damaged, 60, "the damage is seen")

    def test_fingerprint(self):
        file = self.scratch / "a"
        file.write_text("1")
        before = fingerprint(self.scratch.path)
        with self.nothing_changes():
            pass
        file.write_text("2")
        (self.scratch / "b").mkdir()
        self.assertEqual(difference(before, fingerprint(self.scratch.path)), ["new: b", "changed: a"])
        with self.assertRaises(AssertionError), self.nothing_changes():
            file.chmod(0o600)

    def test_leftovers_are_ended(self):
        file = self.scratch / "followed"
        file.touch()
        process = subprocess.Popen(["tail", "-f", file], start_new_session=True, stdout=subprocess.DEVNULL)
        reaper = threading.Thread(target=process.wait)
        reaper.start()
        wait_for(lambda: process.pid in self.scratch.pids(), 10, "the process is seen")
        self.scratch.end_processes()
        reaper.join(10)
        self.assertEqual(process.returncode, -signal.SIGKILL)

    def test_a_killed_test_leaves_nothing(self):
        """What ctest's timeout does to a test: SIGKILL, while what it started runs on."""
        program = ("import subprocess, sys; sys.path.insert(0, sys.argv[1]); from scratch import Scratch; s = Scratch();"
                   "(s / 'f').touch(); p = subprocess.Popen(['tail', '-f', str(s / 'f')]); print(s.path, flush=True); p.wait()")
        killed = subprocess.Popen([sys.executable, "-c", program, os.path.dirname(__file__)], stdout=subprocess.PIPE, text=True)
        folder = pathlib.Path(killed.stdout.readline().strip())
        wait_for(lambda: pids_naming(folder), 20, "its process runs")
        killed.kill()
        killed.wait()
        killed.stdout.close()
        wait_for(lambda: not folder.exists() and not pids_naming(folder), 30, "the janitor has cleared up")


if __name__ == "__main__":
    harness.main()
