"""What domsnapd says of a domain is so from the moment on at which another command's work is done, or its QEMU is dead: it keeps
what it saw, and must not be a moment behind. Asked over connections that are open already, and by virsh."""
import os
import select
import signal

import clients
import remote
from clients import Disk, wait_for

RUNNING, PAUSED, OFF = (1, "running"), (3, "paused"), (5, "shut off")


class ServerStates(clients.ClientTest):
    def setUp(self):
        super().setUp()
        self.connections = [remote.Connection(self.socket) for _ in range(3)]
        for connection in self.connections:
            self.addCleanup(connection.socket.close)

    def asks(self):
        """What all of them hear of domain g, as virsh would print it; the others' order is another each time."""
        words, heard = dict((RUNNING, PAUSED, OFF)), set()
        self.connections.append(self.connections.pop(0))
        for connection in self.connections:
            domain = connection.domains()["g"]
            state = words[connection.state(domain)]
            self.assertEqual(remote.is_active(domain), state != "shut off", "the list and the state say the same")
            heard.add(state)
        self.assertEqual(len(heard), 1, heard)
        return heard.pop()

    def says(self, state, reason=None):
        self.assertEqual(self.asks(), state)
        if reason:
            self.assertEqual(self.virsh_ok("domstate", "g", "--reason"), f"{state} ({reason})")
        self.assertEqual("g" in self.virsh_ok("list", "--name").split(), state != "shut off")

    def kill(self):
        """SIGKILL, and its end: all of its threads are gone."""
        end = os.pidfd_open(self.qemu_pid())
        os.kill(self.qemu_pid(), signal.SIGKILL)
        self.assertTrue(select.select([end], [], [], 60)[0])
        os.close(end)

    def test_definitions(self):
        self.assertEqual(self.connections[0].domains(), {})
        self.define("g", [Disk("vda", self.scratch.image("g.qcow2"))], memory_mib=64)
        self.says("shut off")
        for number in range(5):
            self.define(f"other{number}", [], memory_mib=64)
            self.assertEqual(len(self.connections[0].domains()), 2 + number)
        self.ok("domrename", "other1", "renamed")
        self.assertIn("renamed", self.connections[1].domains())
        self.assertEqual(self.virsh_ok("dominfo", "renamed"), self.ok("dominfo", "renamed").rstrip("\n"))
        for number in (0, 2, 3, 4):
            self.ok("undefine", f"other{number}")
            self.assertNotIn(f"other{number}", self.connections[2].domains())

    def test_a_guests_life(self):
        guest = self.boot()
        self.says("running", "booted")
        for _ in range(10):
            self.ok("suspend", "g")
            self.assertEqual(self.asks(), "paused")
            self.ok("resume", "g")
            self.assertEqual(self.asks(), "running")
        self.ok("snapshot-create-as", "g", "clean", "--memspec", f"file={self.scratch / 'clean.mem'}", "--live")
        self.says("running")
        guest.wait_for_ticks()
        self.ok("snapshot-revert", "g", "clean", "--paused")
        self.says("paused", "from snapshot")
        self.ok("snapshot-revert", "g", "clean", "--new-process")
        self.says("running", "from snapshot")
        wait_for(self.all_is_loaded, 120, "the guest has its memory")
        self.ok("qemu-monitor-command", "g", "--hmp", "stop")  # by somebody who tells nobody
        self.assertEqual(self.asks(), "paused")
        self.kill()
        self.says("shut off", "crashed")
        self.ok("snapshot-revert", "g", "clean")
        self.says("running", "from snapshot")
        self.ok("destroy", "g")
        self.says("shut off", "destroyed")
        for _ in range(3):
            self.ok("start", "g", "--paused")
            self.says("paused")
            self.kill()
            self.says("shut off")

    def test_a_qemu_that_hangs_is_no_hindrance(self):
        self.define("g", [Disk("vda", self.scratch.image("g.qcow2"))], memory_mib=64)
        self.define("other", [], memory_mib=64)
        self.ok("start", "g", "--paused")
        self.says("paused")
        pid = self.qemu_pid()
        os.kill(pid, signal.SIGSTOP)
        self.addCleanup(os.kill, pid, signal.SIGCONT)
        domain = self.connections[0].domains()["other"]
        self.assertEqual(self.connections[0].state(domain), OFF[0])
        os.kill(pid, signal.SIGCONT)
        self.ok("resume", "g")
        self.says("running")


if __name__ == "__main__":
    clients.main()
