"""virt-manager, unmodified, on a screen that nobody sees: it opens a domain and reads its snapshots."""
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

    def test_a_domain_and_its_snapshots(self):
        self.define("g", [Disk("vda", self.scratch.image("g.qcow2"))], memory_mib=64)
        self.virsh_ok("snapshot-create-as", "g", "clean")
        self.virsh_ok("snapshot-create-as", "g", "updated")
        environment = {**self.scratch.environment(), "DISPLAY": self.screen(), "GDK_BACKEND": "x11", "NO_AT_BRIDGE": "1"}
        log = open(self.scratch / "virt-manager.log", "w", encoding="utf-8")
        self.addCleanup(log.close)
        self.background("dbus-run-session", "--", "virt-manager", "--connect", self.uri, "--show-domain-editor", "g", "--debug",
                        "--no-fork", env=environment, stdout=log, stderr=log)

        def xdotool(*words):
            return subprocess.run(["xdotool", *words], env=environment, capture_output=True, text=True, check=False,
                                  timeout=60).stdout.split()

        wait_for(lambda: xdotool("search", "--onlyvisible", "--name", "^g on "), 90, "the domain's window")
        wait_for(lambda: self.daemon_log().count("domain_snapshot_get_xml_desc") >= 2, 60, "it reads both snapshots")
        wanted = ("domain_list_all_snapshots", "domain_snapshot_get_xml_desc", "connect_get_capabilities")
        refusals = [line for line in self.daemon_log().splitlines() if "refused" in line and any(word in line for word in wanted)]
        self.assertEqual(refusals, [])


if __name__ == "__main__":
    clients.main()
