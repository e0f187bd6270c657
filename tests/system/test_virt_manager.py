"""virt-manager, unmodified, on a screen that nobody sees: it opens a domain and reads its snapshots, and shows
the volumes that a disk can be chosen from."""
import os
import shutil
import subprocess

import clients
from clients import Disk, wait_for


class VirtManager(clients.ClientTest):
    def setUp(self):
        super().setUp()
        for program in ("virt-manager", "Xvfb", "xdotool", "dbus-run-session"):
            clients.requires(shutil.which(program), f"{program} is not installed")
        self.stop_daemon()
        self.start_daemon("--verbose")

    def background(self, *command, **options):
        process = subprocess.Popen([*map(str, command)], stdin=subprocess.DEVNULL, start_new_session=True, **options)
        self.addCleanup(process.wait)
        self.addCleanup(process.terminate)
        return process

    def screen(self):
        """$DISPLAY of a new one; the server says which number was free."""
        reading, writing = os.pipe()
        self.background("Xvfb", "-displayfd", writing, "-screen", "0", "1200x800x24", pass_fds=[writing], stderr=subprocess.DEVNULL)
        os.close(writing)
        with os.fdopen(reading) as numbers:
            return ":" + numbers.readline().strip()

    def open(self, *options, window):
        """Waits until it is there."""
        environment = {**self.scratch.environment(), "DISPLAY": self.screen(), "GDK_BACKEND": "x11", "NO_AT_BRIDGE": "1"}
        log = open(self.scratch / "virt-manager.log", "w", encoding="utf-8")
        self.addCleanup(log.close)
        self.background("dbus-run-session", "--", "virt-manager", "--connect", self.uri, *options, "--debug", "--no-fork",
                        env=environment, stdout=log, stderr=log)

        def xdotool(*words):
            return subprocess.run(["xdotool", *words], env=environment, capture_output=True, text=True, check=False,
                                  timeout=60).stdout.split()

        wait_for(lambda: xdotool("search", "--onlyvisible", "--name", window), 90, f"the window {window}")

    def assert_never_refused(self, *wanted):
        refusals = [line for line in self.daemon_log().splitlines() if "refused" in line and any(word in line for word in wanted)]
        self.assertEqual(refusals, [])

    def test_a_domain_and_its_snapshots(self):
        self.define("g", [Disk("vda", self.scratch.image("g.qcow2"))], memory_mib=64)
        self.virsh_ok("snapshot-create-as", "g", "clean")
        self.virsh_ok("snapshot-create-as", "g", "updated")
        self.open("--show-domain-editor", "g", window="^g on ")
        wait_for(lambda: self.daemon_log().count("domain_snapshot_get_xml_desc") >= 2, 60, "it reads both snapshots")
        self.assert_never_refused("domain_list_all_snapshots", "domain_snapshot_get_xml_desc", "connect_get_capabilities")

    def test_volumes(self):
        (self.scratch / "images").mkdir()
        (self.scratch.state / "pools").write_text(f"default {self.scratch.path}/images\n")
        for name in ("a", "b"):
            self.virsh_ok("vol-create-as", "default", name, "1G", "--format", "qcow2")
        self.open("--show-host-summary", window="Connection Details")
        wait_for(lambda: self.daemon_log().count("storage_vol_get_xml_desc") >= 2, 60, "it reads both volumes")
        self.assert_never_refused("storage_pool_", "storage_vol_", "connect_list_all_storage_pools")


if __name__ == "__main__":
    clients.main()
