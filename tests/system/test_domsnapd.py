"""domsnapd itself: who gets in, what garbage does, how it starts and ends, and that nobody waits for another's long work."""
import fcntl
import os
import re
import resource
import signal
import socket
import struct
import subprocess
import sys

import clients
import remote
from clients import Disk, wait_for
from remote import AUTH_LIST, KEEPALIVE, LIST_ALL, OPEN, frame, text


class Daemon(clients.ClientTest):
    def small(self, name="g"):
        self.define(name, [Disk("vda", self.scratch.image(f"{name}.qcow2"))], memory_mib=64)

    def connect(self, path=None):
        peer = socket.socket(socket.AF_UNIX)
        peer.settimeout(60)
        peer.connect(str(path or self.socket))
        self.addCleanup(peer.close)
        return peer

    def answer(self, peer):
        """(header, payload) of the next frame, or None where the server closes."""
        try:
            head = peer.recv(28, socket.MSG_WAITALL)
            size = struct.unpack(">I", head[:4])[0] if len(head) == 28 else 28
            body = peer.recv(size - 28, socket.MSG_WAITALL) if size > 28 else b""
        except ConnectionResetError:
            return None
        return (struct.unpack(">IIIIII", head[4:]), body) if len(head) == 28 else None

    def test_garbage_costs_the_connection_only(self):
        self.small()
        good = self.connect()
        good.sendall(frame(AUTH_LIST))
        self.assertEqual(self.answer(good)[1], struct.pack(">II", 1, 0))
        garbage = [b"GET / HTTP/1.1\r\n\r\n", b"\xff" * 64, b"\0\0\0\x01", struct.pack(">I", 1 << 30) + b"x" * 100,
                   frame(OPEN, b"\xff\xff\xff\xff"), frame(AUTH_LIST, kind=5), frame(AUTH_LIST, b"too much"),
                   struct.pack(">I", 1 << 20) + b"x" * 100]  # before the connection is open, that is too long
        for bytes_ in garbage:
            bad = self.connect()
            bad.sendall(bytes_)
            self.assertIsNone(self.answer(bad), bytes_[:40])
        for size in (1, 4, 27):
            self.connect().sendall(frame(AUTH_LIST)[:size])  # and no more; it may stay
        good.sendall(frame(OPEN, struct.pack(">I", 1) + text("domsnap:///system") + struct.pack(">I", 0), serial=2))
        self.assertEqual(self.answer(good)[0][5], 0)
        good.sendall(frame(1, program=KEEPALIVE, kind=2, serial=0))
        self.assertEqual(self.answer(good)[0][:3], (KEEPALIVE, 1, 2))
        good.sendall(b"".join(frame(LIST_ALL, struct.pack(">II", 1, 0), serial=3 + i) for i in range(200)))
        serials = sorted(self.answer(good)[0][4] for _ in range(200))
        self.assertEqual(serials, list(range(3, 203)), "all answered, in whatever order")
        self.assertEqual(self.virsh_ok("list", "--all", "--name"), "g")
        self.assertIn("cut off", self.daemon_log())

    def test_nobody_waits_for_long_work(self):
        self.small()
        # Whoever has the domain's lock holds its changes up, for as long as the test likes.
        lock = open(self.scratch.state / "locks" / "g", "a", encoding="utf-8")
        self.addCleanup(lock.close)
        fcntl.flock(lock, fcntl.LOCK_EX)
        waiting = [self.spawn_virsh("snapshot-create-as", "g", f"s{i}") for i in range(3)]
        wait_for(lambda: "Snapshot" in self.virsh_ok("domjobinfo", "g"), 60, "the job is seen")
        self.assertEqual(self.virsh_ok("list", "--all", "--name"), "g")
        self.assertEqual(self.virsh_ok("snapshot-list", "g", "--name"), "")
        self.assertIn("Unbounded", self.virsh_ok("domjobinfo", "g"))
        self.assertTrue(all(process.poll() is None for process in waiting))
        fcntl.flock(lock, fcntl.LOCK_UN)
        for process in waiting:
            self.assertEqual(self.finish(process).code, 0)
        self.assertEqual(self.snapshots(), ["s0", "s1", "s2"])

    def test_command_line_beside_it(self):
        self.small()
        running = [self.spawn("snapshot-create-as", "g", "same"), self.spawn_virsh("snapshot-create-as", "g", "same")]
        codes = sorted(self.finish(process).code for process in running)
        self.assertEqual(codes, [0, 1])
        self.assertEqual(self.snapshots(), ["same"])

    def test_strangers_are_turned_away(self):
        os.chmod(self.scratch.path, 0o755)
        for path in (self.scratch.runtime, self.socket):
            os.chmod(path, 0o777)
        clients.requires(os.geteuid() == 0, "only root can become somebody else")
        probe = ("import os, socket; os.setgroups([]); os.setgid({gid}); os.setuid(65534); s = socket.socket(socket.AF_UNIX); "
                 "s.connect({path!r}); s.sendall({call!r}); print(len(s.recv(100)))")

        def probed(gid, path=self.socket):
            code = probe.format(gid=gid, path=str(path), call=frame(AUTH_LIST))
            done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
            return done.stdout.strip() or done.stderr.splitlines()[-1]

        self.assertNotEqual(probed(65534), "36")
        self.assertIn("turned away", self.daemon_log())
        self.stop_daemon()
        self.start_daemon("--group", "daemon")
        os.chmod(self.scratch.runtime, 0o755)
        self.assertEqual(probed(1), "36")
        self.assertNotEqual(probed(65534), "36")

    def test_what_is_wrong_with_the_command_line(self):
        def run(*words):
            return subprocess.run([os.environ["DOMSNAPD"], *words], capture_output=True, text=True, timeout=60, check=False,
                                  env=self.scratch.environment())

        self.assertEqual(run("--nonsense").returncode, 2)
        self.assertEqual(run("--timeout", "soon").returncode, 2)
        self.assertEqual(run("--version").returncode, 0)
        group = run("--group", "no-such-group-here")
        self.assertEqual((group.returncode, group.stderr.splitlines()[0]), (1, "error: there is no group 'no-such-group-here'"))
        second = run()
        self.assertEqual(second.returncode, 1)
        self.assertIn("somebody listens there already", second.stderr)
        self.assertEqual(self.virsh_ok("list", "--name"), "")

    def test_ends_without_clients(self):
        self.stop_daemon()
        self.start_daemon("--timeout", "1")
        self.assertEqual(self.daemon.wait(60), 0)
        self.start_daemon()  # over the socket that was left

    def test_systemd_hands_sockets_over(self):
        self.stop_daemon()
        paths = [self.scratch / "given", self.scratch / "given-ro"]
        sockets = []
        for path in paths:
            sockets.append(socket.socket(socket.AF_UNIX))
            sockets[-1].bind(str(path))
            sockets[-1].listen(5)
        launcher = """import os, sys
for number, name in enumerate(sys.argv[1:3]): os.dup2(int(name), 3 + number, True)
os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS="2", LISTEN_FDNAMES="domsnapd:domsnapd-ro")
os.execv(sys.argv[3], sys.argv[3:])"""
        # Away from 3 and 4, so that one does not overwrite the other.
        high = [fcntl.fcntl(one.fileno(), fcntl.F_DUPFD, 10) for one in sockets]
        process = subprocess.Popen([sys.executable, "-c", launcher, *map(str, high), os.environ["DOMSNAPD"], "--state-dir",
                                    str(self.scratch.state)], pass_fds=high, env=self.scratch.environment(),
                                   stderr=subprocess.DEVNULL)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        for one, copy in zip(sockets, high):
            one.close()
            os.close(copy)
        self.small()
        self.assertEqual(self.virsh_ok("list", "--all", "--name", uri=f"domsnap:///system?socket={paths[0]}"), "g")
        self.virsh_refused("undefine", "g", uri=f"domsnap:///system?socket={paths[1]}", naming="forbidden")
        self.assertFalse(self.socket.exists() and self.reachable(self.socket), "it makes none of its own")
        process.send_signal(signal.SIGTERM)
        self.assertEqual(process.wait(60), 0)

    def test_as_many_clients_as_there_are_descriptors_for(self):
        self.small()
        self.stop_daemon()
        self.start_daemon(before=("prlimit", "--nofile=20:80"))  # half of what it may have, for clients: their calls open files
        self.assertEqual(resource.prlimit(self.daemon.pid, resource.RLIMIT_NOFILE), (80, 80))
        good = remote.Connection(self.socket)
        self.addCleanup(good.socket.close)
        peers = [self.connect() for _ in range(60)]
        let_in = [peer for peer in peers if self.is_answered(peer)]
        self.assertEqual(len(let_in), 39)
        self.assertIn("turned away: 40 clients are there", self.daemon_log())
        self.assertEqual(good.domains().keys(), {"g"}, "who is in is served on")
        for peer in let_in:
            peer.close()
        wait_for(lambda: self.is_answered(self.connect()), 60, "others come in when those have gone")
        good.create_snapshot(good.domains()["g"], "s")
        self.assertEqual(self.snapshots(), ["s"])

    def test_events_come_late_where_descriptors_are_short(self):
        self.stop_daemon()
        self.start_daemon("--verbose")
        listener = self.spawn_virsh("event", "--event", "lifecycle")  # until the first
        wait_for(lambda: "domain_event_callback_register_any" in self.daemon_log(), 60, "it listens")
        had = resource.prlimit(self.daemon.pid, resource.RLIMIT_NOFILE)
        open_now = len(os.listdir(f"/proc/{self.daemon.pid}/fd"))
        resource.prlimit(self.daemon.pid, resource.RLIMIT_NOFILE, (open_now - 1, had[1]))
        self.small()
        wait_for(lambda: "events come late" in self.daemon_log(), 60, "it says so")
        self.assertIsNone(listener.poll())
        resource.prlimit(self.daemon.pid, resource.RLIMIT_NOFILE, had)
        self.assertIn("event 'lifecycle' for domain 'g': Defined Added", self.finish(listener).out)
        self.assertIn("events are told again", self.daemon_log())
        self.assertEqual(self.virsh_ok("list", "--all", "--name"), "g")

    def is_answered(self, peer):
        try:
            peer.sendall(frame(AUTH_LIST))
            return self.answer(peer) is not None
        except BrokenPipeError:
            return False

    def reachable(self, path):
        try:
            self.connect(path)
            return True
        except OSError:
            return False

    def test_its_log_names_the_request(self):
        self.small()
        self.virsh_ok("snapshot-create-as", "g", "s")
        self.assertRegex(self.daemon_log(), re.compile(r"^client \d+ \(uid \d+, pid \d+\): domain_snapshot_create_xml #\d+: done in \d+ ms$", re.M))
        self.assertNotIn("connect_open", self.daemon_log(), "what only looks is logged with --verbose")


if __name__ == "__main__":
    clients.main()
