"""Talks to the test guest (tests/guest/README.md) over its command port, a unix socket that QEMU listens on."""
import itertools
import json
import os
import socket
import threading
import time


class GuestSilent(AssertionError):
    """No answer in time, or the guest is gone."""


def wait_for(predicate, seconds, what):
    """Polls until the predicate gives something true, which is returned; fails after so many seconds."""
    deadline = time.monotonic() + seconds
    while True:
        value = predicate()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds} s: {what}")
        time.sleep(0.02)


class Guest:
    """One guest behind one socket path. The QEMU behind it may be replaced (each revert may start a new one): a lost
    connection is made again for the next command."""

    # Unique over restores and processes: an answer that was on its way in the snapshot must not be taken for ours.
    _ids = itertools.count(int.from_bytes(os.urandom(4), "big") << 16)

    def __init__(self, path):
        self.path = str(path)
        self._socket = None
        self._buffer = b""

    def close(self):
        if self._socket:
            self._socket.close()
        self._socket, self._buffer = None, b""

    def _connect(self, deadline):
        while self._socket is None:
            attempt = socket.socket(socket.AF_UNIX)
            try:
                attempt.connect(self.path)
                self._socket = attempt
            except OSError as error:
                attempt.close()
                if time.monotonic() > deadline:
                    raise GuestSilent(f"{self.path}: {error}") from error
                time.sleep(0.02)

    def _send(self, text, deadline):
        """Over the connection that there is or, if its QEMU is gone, over a new one."""
        for last in (False, True):
            self._connect(deadline)
            try:
                if not self._peer_has_closed():
                    self._socket.settimeout(max(0.001, deadline - time.monotonic()))
                    return self._socket.sendall(text.encode())
            except ConnectionError:
                if last:
                    raise
            self.close()
        raise ConnectionError("QEMU closed the port")

    def _peer_has_closed(self):
        self._socket.setblocking(False)
        try:
            return not self._socket.recv(1, socket.MSG_PEEK)
        except BlockingIOError:
            return False

    def _line(self, deadline):
        while b"\n" not in self._buffer:
            self._socket.settimeout(max(0.001, deadline - time.monotonic()))
            try:
                data = self._socket.recv(65536)
            except TimeoutError:
                raise GuestSilent("no answer") from None
            if not data:
                raise ConnectionError("QEMU closed the port")
            self._buffer += data
        line, self._buffer = self._buffer.split(b"\n", 1)
        return line.decode("latin-1").strip()

    def _answer(self, mark, deadline):
        while True:
            line = self._line(deadline)
            if line.startswith(mark + " {"):
                return json.loads(line[len(mark) :])

    def ask(self, command, seconds=60):
        """The answer as a dictionary, whether "ok" or not."""
        deadline = time.monotonic() + seconds
        mark = f"#{next(self._ids):x}"
        try:
            # The empty line first ends what a restore may have left half typed.
            self._send(f"\n{mark} {command}\n", deadline)
            return self._answer(mark, deadline)
        except OSError as error:
            self.close()
            raise GuestSilent(f"{command}: {error}") from error
        except GuestSilent as error:
            raise GuestSilent(f"{command}: {error} within {seconds} s") from None

    def do(self, command, seconds=60):
        answer = self.ask(command, seconds)
        if not answer["ok"]:
            raise AssertionError(f"guest: {command}: {answer['error']}")
        return answer

    def status(self, seconds=60):
        return self.do("status", seconds)

    def wait_until_up(self, seconds=300):
        """Until init answers. What is sent while the kernel boots gets lost, all of it or some letters ("stus"), so it is
        asked again and again; with more and more time, since on a busy machine an answer may take some."""
        patience = itertools.chain([1] * 10, itertools.repeat(10))
        silences = []

        def answers():
            try:
                answer = self.ask("status", next(patience))
                return answer if answer["ok"] else None
            except GuestSilent as error:
                silences.append(error)
                return None

        try:
            return wait_for(answers, seconds, "the guest is up")
        except AssertionError as error:
            last = f"; at last: {silences[-1]}" if silences else ""
            raise AssertionError(f"{error} (load average {os.getloadavg()[0]:.1f}{last})") from None

    def wait_for_ticks(self, count=3, seconds=60):
        first = self.status(seconds)["tick"]
        return wait_for(lambda: self.status(seconds)["tick"] >= first + count, seconds, f"{count} more ticks")

    def is_silent(self, seconds=0.6):
        """True if it does not answer, as a stopped guest must not."""
        try:
            self.status(seconds)
            return False
        except GuestSilent:
            return True


def inconsistencies(guest):
    """What is wrong with the guest by the rule of its README: [] if RAM and disks are of one moment and whole."""
    status, found = guest.status(), []
    for name, disk in status["disks"].items():
        if disk["tick"] != disk["written"]:
            found.append(f"{name}: the disk says tick {disk['tick']}, RAM says {disk['written']}")
        if disk["mismatches"]:
            found.append(f"{name}: {disk['mismatches']} mismatches, first: {disk['first_mismatch']}")
        if "error" in disk:
            found.append(f"{name}: {disk['error']}")
        if errors := guest.do(f"log {name}")["log_errors"]:
            found.append(f"{name}: {errors} lost or torn writes")
    if status["ram_hash"] != status["ram_expected"]:
        found.append(f"RAM: hash {status['ram_hash']} instead of {status['ram_expected']}")
    if status["dirty_errors"]:
        found.append(f"RAM: {status['dirty_errors']} dirtied pages are wrong")
    return found


class TickWatch:
    """Reads the console and keeps (host's monotonic time, tick) of each `tick N`: what a pause is from outside."""

    def __init__(self, path):
        self.ticks = []
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.connect(str(path))
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self):
        buffer = b""
        try:
            while data := self._socket.recv(4096):
                now = time.monotonic()
                *lines, buffer = (buffer + data).split(b"\n")
                for line in lines:
                    if line.startswith(b"tick "):
                        self.ticks.append((now, int(line[5:])))
        except (OSError, ValueError):
            pass

    def longest_gap(self, since=0.0):
        """Seconds between two ticks, the longest of those that began at `since` (monotonic) or later."""
        times = [when for when, _ in self.ticks if when >= since]
        return max((b - a for a, b in zip(times, times[1:])), default=0.0)

    def ended(self):
        """True when QEMU has closed the port, as it does at its end."""
        return not self._thread.is_alive()

    def close(self):
        try:
            self._socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self._thread.join(5)
        self._socket.close()
