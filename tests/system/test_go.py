"""A client in Go, on Debian's go-libvirt (which speaks the protocol by itself, without libvirt's library), drives snapshots."""
import os
import pathlib
import shutil
import subprocess

import clients
from clients import Disk

LIBRARY = pathlib.Path("/usr/share/gocode/src/github.com/digitalocean/go-libvirt")


class Go(clients.ClientTest):
    def setUp(self):
        super().setUp()
        clients.requires(shutil.which("go"), "there is no Go (package golang-go)")
        clients.requires(LIBRARY.exists(), "there is no go-libvirt (package golang-github-digitalocean-go-libvirt-dev)")

    def test_snapshots(self):
        program = self.scratch / "client"
        # Debian's libraries lie in a GOPATH; nothing is fetched.
        environment = {**self.scratch.environment(), "GO111MODULE": "off", "GOPATH": "/usr/share/gocode", "GOFLAGS": "",
                       "GOCACHE": str(self.scratch / "go-cache"), "GOPROXY": "off", "CGO_ENABLED": "0"}
        built = subprocess.run(["go", "build", "-o", program, pathlib.Path(__file__).with_name("client.go")], env=environment,
                               capture_output=True, text=True, timeout=400, check=False)
        self.assertEqual(built.returncode, 0, built.stderr)
        self.define("g", [Disk("vda", self.scratch.image("g.qcow2"))], memory_mib=64)
        done = subprocess.run([program, self.socket, "g"], capture_output=True, text=True, timeout=120, check=False)
        self.assertEqual((done.returncode, done.stderr), (0, ""), done.stdout + self.daemon_log())
        self.assertEqual(done.stdout.splitlines(), ["domains: 1", "snapshots: one two", "is one: true", "current: one", "snapshots: one",
                                                    "no such snapshot: true"])
        self.assertEqual(self.snapshots(), ["one"])


if __name__ == "__main__":
    clients.main()
