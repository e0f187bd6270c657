"""virsh and a guest's console, on a terminal; and who is cut off because nobody answers any more, on either side."""
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import time

import clients
import remote
from clients import wait_for

SUPPORTS_FEATURE, KEEPALIVE_FEATURE = 60, 10


class Terminal:
    """A program on a terminal of its own, and what it wrote there."""

    def __init__(self, command, environment):
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.execvpe(command[0], command, environment)
        self.shown = b""

    def read(self, seconds):
        if select.select([self.fd], [], [], seconds)[0]:
            try:
                self.shown += os.read(self.fd, 65536)
            except OSError:  # the program has ended
                pass

    def wait_for(self, pattern, seconds=120):
        end = time.monotonic() + seconds
        while not re.search(pattern, self.shown):
            if time.monotonic() > end:
                raise AssertionError(f"not shown within {seconds} s: {pattern}; but: {self.shown[-2000:]}")
            self.read(0.2)

    def type(self, keys):
        # virsh says how to leave before it takes the terminal over; what is typed in between is not the guest's.
        wait_for(lambda: not termios.tcgetattr(self.fd)[3] & termios.ICANON, 60, "the terminal is the guest's")
        os.write(self.fd, keys)

    def exit_code(self):
        while True:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                os.close(self.fd)
                return os.waitstatus_to_exitcode(status)
            self.read(0.05)  # a terminal that nobody reads would hold it up


class Console(clients.ClientTest):
    def terminal(self, *words):
        terminal = Terminal(["virsh", "-c", self.uri, *words], self.scratch.environment())
        self.addCleanup(lambda: os.kill(terminal.pid, signal.SIGKILL) if os.path.exists(f"/proc/{terminal.pid}") else None)
        return terminal

    def test_typed_answered_and_left(self):
        file = self.scratch / "g.xml"
        file.write_text(self.domain_xml())
        self.virsh_ok("define", file)
        self.virsh_ok("start", "g")
        console = self.terminal("console", "g")
        console.wait_for(rb"Escape character is \^\]")
        console.wait_for(rb"tick \d+")  # what the guest says by itself
        self.guest().wait_until_up()
        self.guest().close()  # the port that is talked to next takes one at a time
        commands = self.terminal("console", "g", "--devname", "serial1")
        commands.wait_for(rb"Escape character")
        commands.type(b"\n#typed status\n")
        commands.wait_for(rb"#typed \{.*\"ok\": ?true")
        for terminal in (console, commands):
            terminal.type(b"\x1d")
            self.assertEqual(terminal.exit_code(), 0, terminal.shown[-500:])
        again = self.terminal("console", "g", "--devname", "serial1")
        again.wait_for(rb"Escape character")
        again.type(b"\n#again status\n")
        again.wait_for(rb"#again \{")
        refused = self.terminal("console", "g", "--devname", "serial1")
        self.assertEqual(refused.exit_code(), 1)
        self.assertIn(b"Active console session exists for this domain", refused.shown)
        by_force = self.terminal("console", "g", "--devname", "serial1", "--force")
        again.exit_code()
        by_force.type(b"\n#force status\n")
        by_force.wait_for(rb"#force \{")
        self.virsh_ok("destroy", "g")
        by_force.exit_code()  # the guest's end is its console's
        self.assertEqual(self.virsh_ok("domstate", "g"), "shut off")


class Keepalive(clients.ClientTest):
    def restart(self, *options):
        self.stop_daemon()
        self.start_daemon("--verbose", *options)

    def test_a_client_that_stops_answering_is_cut_off(self):
        self.restart("--keepalive-interval", "1", "--keepalive-count", "14")  # on a busy machine who answers may be late
        self.define("g", [clients.Disk("vda", self.scratch.image("g.qcow2"))], memory_mib=64)
        answers = self.spawn_virsh("event", "g", "--event", "lifecycle", "--loop")
        stops = self.spawn_virsh("event", "g", "--event", "lifecycle", "--loop")
        plain = remote.Connection(self.socket)  # never said that it would answer
        silent = remote.Connection(self.socket)
        self.addCleanup(silent.socket.close)
        silent.call(SUPPORTS_FEATURE, struct.pack(">I", KEEPALIVE_FEATURE))
        wait_for(lambda: all(self.listens(process) for process in (answers, stops)), 60, "both listen")
        stops.send_signal(signal.SIGSTOP)
        wait_for(lambda: f"pid {stops.pid}): cut off: it has not answered for 15 s" in self.daemon_log(), 90, "it is cut off")
        while silent.socket.recv(4096):  # its questions, and then the end
            pass
        self.assertEqual(plain.domains().keys(), {"g"})
        self.assertIsNone(answers.poll())
        stops.send_signal(signal.SIGCONT)
        self.assertNotEqual(self.finish(stops, 60).code, None)
        plain.close()
        answers.terminate()
        self.finish(answers, 60)

    def listens(self, process):
        """It has said before that it answers pings; one that is connected may be about to."""
        return f"pid {process.pid}): connect_domain_event_callback_register_any" in self.daemon_log()

    def test_a_server_that_stops_answering_is_noticed(self):
        self.restart()
        self.define("g", [clients.Disk("vda", self.scratch.image("g.qcow2"))], memory_mib=64)
        listening = subprocess.Popen(["virsh", "-k", "1", "-K", "2", "-c", self.uri, "event", "g", "--event", "lifecycle", "--loop"],
                                     stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                     env=self.scratch.environment())
        wait_for(lambda: self.listens(listening), 60, "it listens")
        self.virsh_ok("list")
        self.daemon.send_signal(signal.SIGSTOP)
        try:
            listening.wait(60)
        finally:
            self.daemon.send_signal(signal.SIGCONT)
        out, err = listening.communicate()
        self.assertNotEqual(listening.returncode, 0, out + err)
        self.assertEqual(self.virsh_ok("list", "--all", "--name"), "g")  # and afterwards it serves on


if __name__ == "__main__":
    clients.main()
