"""domsnapd in a scratch folder, and libvirt's own clients that talk to it.

From the environment, besides harness.py's: DOMSNAPD, the server.
"""
import os
import pathlib
import shutil
import signal
import subprocess

import harness
from harness import Disk, requires, wait_for

__all__ = ["ClientTest", "Disk", "main", "requires", "wait_for"]
main = harness.main


class ClientTest(harness.SystemTest):
    def setUp(self):
        super().setUp()
        requires(shutil.which("virsh"), "virsh is not installed")
        requires(os.environ.get("DOMSNAPD"), "DOMSNAPD does not name the domsnapd program")
        self.daemon = None
        self.start_daemon()
        # Without it libvirt's folder for images is a pool, on a machine where there is one.
        (self.scratch.state / "pools").write_text("")

    @property
    def socket(self):
        return self.scratch.runtime / "virtdomsnapd-sock"

    @property
    def uri(self):
        return f"domsnap:///system?socket={self.socket}"

    def daemon_log(self):
        return (self.scratch / "domsnapd.log").read_text()

    # Its command line names the scratch folder, so that whoever clears that up ends it, too.
    def start_daemon(self, *options, before=()):
        with open(self.scratch / "domsnapd.log", "a", encoding="utf-8") as log:
            self.daemon = subprocess.Popen([*before, os.environ["DOMSNAPD"], "--state-dir", str(self.scratch.state), *options],
                                           stdin=subprocess.DEVNULL, stderr=log, env=self.scratch.environment())
        self.addCleanup(self.daemon.wait)  # last in, first out: after the scratch folder has ended it
        self.addCleanup(self.daemon.kill)
        wait_for(lambda: self.daemon.poll() is not None or "serves" in self.daemon_log(), 30, "domsnapd is up")
        self.assertIsNone(self.daemon.poll(), self.daemon_log())

    def stop_daemon(self):
        self.daemon.send_signal(signal.SIGTERM)
        self.assertEqual(self.daemon.wait(60), 0, self.daemon_log())
        (self.scratch / "domsnapd.log").write_text("")

    # virsh
    def spawn_virsh(self, *arguments, uri=None, readonly=False, **options):
        command = ["virsh", "-c", uri or self.uri, *(["-r"] if readonly else []), *map(str, arguments)]
        return subprocess.Popen(command, stdin=options.pop("stdin", subprocess.DEVNULL), stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, text=True, env=self.scratch.environment(), **options)

    def virsh(self, *arguments, seconds=180, **options):
        return self.finish(self.spawn_virsh(*arguments, **options), seconds)

    def virsh_ok(self, *arguments, **options):
        """stdout of a virsh that must succeed, without the empty line at its end."""
        result = self.virsh(*arguments, **options)
        self.assertEqual(result.code, 0, f"virsh {arguments}\n{result.out}{result.err}{self.daemon_log()}")
        return result.out.rstrip("\n")

    def virsh_refused(self, *arguments, naming=(), **options):
        """stderr of a virsh that must fail, naming every word."""
        result = self.virsh(*arguments, **options)
        self.assertEqual(result.code, 1, f"virsh {arguments}\n{result.out}{result.err}")
        for word in [naming] if isinstance(naming, (str, pathlib.Path)) else naming:
            self.assertIn(str(word), result.err)
        return result.err
