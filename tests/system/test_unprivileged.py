"""A user who may not use userfaultfd: memory is saved while the guest stands still, all of it is loaded before the guest runs,
and each time it is said why."""
import os
import pathlib
import subprocess

import harness
from harness import requires

USER, GROUP = 65534, 65534  # nobody, nogroup


class Unprivileged(harness.SystemTest):
    def setUp(self):
        requires(os.geteuid() == 0, "only root can be another user")
        allowed = pathlib.Path("/proc/sys/vm/unprivileged_userfaultfd").read_text().strip() == "1"
        device = pathlib.Path("/dev/userfaultfd")
        requires(not allowed and not (device.exists() and device.stat().st_mode & 0o002), "everybody may use userfaultfd here")
        super().setUp()

    def spawn(self, *arguments, **options):
        """Everything in the scratch folder is that user's."""
        for folder, folders, files in os.walk(self.scratch.path):
            for name in [".", *folders, *files]:
                os.lchown(os.path.join(folder, name), USER, GROUP)
        command = ["setpriv", f"--reuid={USER}", f"--regid={GROUP}", "--clear-groups", os.environ["DOMSNAP"]]
        environment = {**self.scratch.environment(), "HOME": str(self.scratch.path), **options.pop("env", {})}
        return subprocess.Popen([*command, *map(str, arguments)], stdin=subprocess.DEVNULL, text=True, stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, env=environment, **options)

    def test_stopped_capture_and_eager_revert(self):
        guest = self.boot()
        guest.do("fill 5 48")
        before = guest.status()
        memory = self.scratch / "s.mem"
        arguments = ["snapshot-create-as", "g", "s", "--memspec", f"file={memory}", "--no-wait"]
        planned = self.ok(*arguments, "--dry-run")
        self.assertIn("this user may not use userfaultfd", planned)
        result = self.cli(*arguments)
        self.assertEqual((result.code, result.out), (0, "Domain snapshot s created\n"), result.err)
        self.assertIn("the guest will stand still while its memory is saved: this user may not use userfaultfd", result.err)
        self.assertEqual(self.assert_healthy()["boot"], before["boot"])
        guest.do("fill 6 8")
        result = self.cli("snapshot-revert", "g", "s", "--new-process")
        self.assertEqual(result.code, 0, result.err)
        self.assertIn("only once all of its memory is loaded: this user may not use userfaultfd", result.err)
        status = guest.status()
        self.assertEqual((status["boot"], status["ram_hash"]), (before["boot"], before["ram_hash"]))
        self.assert_healthy()


if __name__ == "__main__":
    harness.main()
