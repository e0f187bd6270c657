"""What a guest says of itself while the QEMU that it runs in comes and goes."""
import os
import re
import socket
import threading
import time

import measure  # noqa: F401  (finds the next one)
from guest import wait_for


class Console:
    """The ticks of a guest as they come, whichever QEMU it runs in: (host's monotonic time, tick, number of the connection)."""

    def __init__(self, path):
        self.path, self.ticks, self.connection, self._open = str(path), [], 0, True
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def _watch(self):
        while self._open:
            try:
                with socket.socket(socket.AF_UNIX) as console:
                    console.connect(self.path)
                    console.settimeout(0.005)
                    self._file = os.stat(self.path).st_ino
                    self.connection += 1
                    self._read(console)
            except OSError:
                time.sleep(0.002)  # the next QEMU does not listen yet

    def _read(self, console):
        buffer = b""
        while self._open:
            try:
                data = console.recv(4096)
            except TimeoutError:
                # The next QEMU has the path already, while the old one's end of this connection lives as long as that one's memory.
                if os.stat(self.path).st_ino != self._file:
                    return
                continue
            if not data:
                return
            now = time.monotonic()
            *lines, buffer = (buffer + data).split(b"\n")
            for line in lines:
                if match := re.match(rb"tick (\d+)\r?$", line):
                    self.ticks.append((now, int(match.group(1)), self.connection))

    def wait_for_ticks(self, count=20, seconds=120):
        seen = len(self.ticks)
        wait_for(lambda: len(self.ticks) >= seen + count, seconds, "ticks on the console")

    def longest_gap(self, since):
        times = [when for when, _, _ in self.ticks if when >= since]
        return max((b - a for a, b in zip(times, times[1:])), default=0.0)

    def first_tick_back(self, begin, seconds=1200):
        """When the guest ticked first after a revert that began when there were so many ticks: over another connection, or with
        a number that was there already."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            ticks = self.ticks[max(begin - 1, 0):]
            for before, after in zip(ticks, ticks[1:]):
                if after[2] != before[2] or after[1] <= before[1]:
                    return after[0]
            time.sleep(0.001)
        raise AssertionError("no tick after a revert")

    def close(self):
        self._open = False
        self._thread.join(5)
