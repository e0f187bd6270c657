"""The main job before the reader's eyes. usage: demo.py BUILD GUEST (scripts/demo calls it)

Every time that it tells is measured, every proof is asked of the guest itself, and whatever happens it cleans up.
"""
import os
import pathlib
import shlex
import signal
import subprocess
import sys
import time

TOP = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(TOP / "tests" / "system"))
sys.dont_write_bytecode = True

from domain_xml import Disk, domain_xml  # noqa: E402
from guest import Guest, TickWatch, inconsistencies, wait_for  # noqa: E402
from scratch import Scratch  # noqa: E402

COLOURED = sys.stdout.isatty() and "NO_COLOR" not in os.environ
RAM_MIB = 64


def paint(code, text):
    return f"\033[{code}m{text}\033[0m" if COLOURED else text


def heading(text):
    print("\n" + paint("1;36", text), flush=True)


def say(text):
    print(text, flush=True)


class Failed(Exception):
    pass


class Demo:
    def __init__(self, build, guest_folder):
        self.build, self.guest_folder = pathlib.Path(build).resolve(), pathlib.Path(guest_folder).resolve()
        self.scratch = Scratch()
        self.guest = Guest(self.scratch / "command")
        self.watch = None

    def domsnap(self, *arguments, show=True):
        """Runs it as the reader would, and shows it; returns the seconds that it took."""
        command = [str(self.build / "cmd/domsnap/domsnap"), *map(str, arguments)]
        if show:
            say(paint("33", "  $ domsnap " + shlex.join(map(str, arguments))))
        environment = {**self.scratch.environment(), "DOMSNAP_LIBEXEC_DIR": str(self.build / "cmd/domsnap-memory")}
        started = time.monotonic()
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, env=environment, check=False)
        seconds = time.monotonic() - started
        if show or done.returncode:
            say("".join(f"    {line}\n" for line in (done.stdout + done.stderr).splitlines() if line.strip()).rstrip("\n"))
        if done.returncode:
            raise Failed(f"domsnap {arguments[0]} failed")
        return seconds

    def watch_console(self):
        """The console's ticks with our own clock: the guest's clock does not see when it stands still."""
        if self.watch:
            self.watch.close()
        self.watch = TickWatch(self.scratch / "console")
        wait_for(lambda: len(self.watch.ticks) > 2, 60, "ticks on the console")

    def marks(self):
        status = self.guest.status()
        return {"a text on disk vda": self.guest.do("read vda 0x800000 24")["text"].strip(),
                "1 MiB on disk vdb": "checksum " + self.guest.do("disk-hash vdb 0x900000 1024")["hash"],
                f"{RAM_MIB} MiB of RAM": "checksum " + status["ram_hash"],
                "a note kept only in RAM": status["notes"][-1] if status["notes"] else "(none)"}

    def leave_marks(self, text, seed):
        self.guest.do(f"write vda 0x800000 {text:24}")
        self.guest.do(f"scribble vdb 0x900000 1024 {seed}")
        self.guest.do(f"fill {seed} {RAM_MIB}")
        self.guest.do(f"note {text}")
        return self.show(self.marks())

    def show(self, marks):
        for what, value in marks.items():
            say(f"    {what + ':':28}{value}")
        return marks

    def start(self):
        heading("1. A real guest: Debian's kernel, two disks, and a program that ticks twenty times a second")
        say("It writes each tick to both disks and keeps the count in RAM, so it notices at once when they do not fit together.")
        disks = [Disk(target, self.scratch.image(f"{target}.qcow2")) for target in ("vda", "vdb")]
        file = self.scratch / "demo.xml"
        file.write_text(domain_xml("demo", disks, self.guest_folder / "vmlinuz", self.guest_folder / "initrd",
                                   self.scratch / "console", self.scratch / "command"))
        self.domsnap("define", file)
        started = time.monotonic()
        self.domsnap("start", "demo")
        self.guest.wait_until_up()
        say(f"It is up and ticks, {time.monotonic() - started:.1f} s after the start.")
        self.watch_console()

    def checkpoint(self, name):
        memory = self.scratch / f"{name}.mem"
        since = time.monotonic()
        seconds = self.domsnap("snapshot-create-as", "demo", name, "--memspec", f"file={memory}")
        self.guest.wait_for_ticks(4)
        size = memory.stat().st_blocks * 512 / 2**20
        say(f"Done in {seconds:.1f} s: {size:.0f} MiB of memory in a file, and the disks go on in overlays. The guest ran all")
        say(f"the while: the longest wait between two of its ticks, seen from here, was {self.watch.longest_gap(since) * 1000:.0f} ms "
            "(50 is the usual).")

    def revert(self, name, marks):
        say("")
        seconds = self.domsnap("snapshot-revert", "demo", name)
        started = time.monotonic()
        now = self.marks()
        say(f"The command took {seconds:.1f} s, and the guest answered {time.monotonic() - started:.1f} s later. What it has now:")
        self.prove(now, marks)

    def prove(self, now, marks):
        for what, value in now.items():
            good = value == marks[what]
            say(f"    {what + ':':28}{value:28}" + (paint("32", "back") if good else paint("31", f"WRONG, was {marks[what]}")))
        self.guest.wait_for_ticks(10)
        wrong = inconsistencies(self.guest)
        say("    RAM and disks, ten ticks later: " + (paint("32", "of one moment") if not wrong else paint("31", "; ".join(wrong))))
        if wrong or now != marks:
            raise Failed("the guest is not what it was")

    def tour(self):
        self.start()
        heading("2. It works, and is checkpointed while it runs: memory and disks, at one instant")
        first = self.leave_marks("a good morning", 1)
        self.checkpoint("morning")
        heading("3. It works on, and is checkpointed again")
        second = self.leave_marks("a busy noon", 2)
        self.checkpoint("noon")
        heading("4. Now the damage: texts overwritten, RAM filled with noise")
        self.leave_marks("everything is ruined", 666)
        heading("5. Back to noon, and back to the morning")
        self.revert("noon", second)
        self.revert("morning", first)
        heading("6. The tree")
        self.domsnap("snapshot-list", "demo", "--tree")
        self.domsnap("snapshot-list", "demo", "--parent")
        heading("7. Clean up: snapshots, guest and definition go; the disks would stay, were they not the demo's own")
        self.domsnap("snapshot-delete", "demo", "noon")
        self.domsnap("snapshot-delete", "demo", "morning")
        self.domsnap("destroy", "demo")
        self.domsnap("undefine", "demo")

    def close(self):
        self.guest.close()
        if self.watch:
            self.watch.close()
        self.scratch.remove()


def main():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    signal.signal(signal.SIGHUP, lambda *_: sys.exit(129))
    started = time.monotonic()
    demo = Demo(*sys.argv[1:3])
    try:
        demo.tour()
    except (Failed, AssertionError) as error:
        print(paint("31", f"The demo failed: {error}"), file=sys.stderr)
        print(demo.scratch.logs(), file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nInterrupted; cleaning up.")
        return 130
    finally:
        demo.close()
    say(f"\nThat was all: {time.monotonic() - started:.0f} s, and nothing is left behind.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
