"""A QMP monitor, for those who ask QEMU itself."""
import json
import socket


class Monitor:
    def __init__(self, path):
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.settimeout(60)
        self._socket.connect(str(path))
        self._file = self._socket.makefile("rb")
        self._file.readline()
        self.ask("qmp_capabilities")

    def ask(self, execute, passing=(), **arguments):
        """The return value. passing: file descriptors that QEMU gets a copy of, for getfd."""
        command = json.dumps({"execute": execute, "arguments": arguments}).encode() + b"\n"
        socket.send_fds(self._socket, [command], list(passing))
        while True:
            answer = json.loads(self._file.readline())
            if "event" not in answer:
                assert "return" in answer, answer
                return answer["return"]

    def human(self, command):
        return self.ask("human-monitor-command", **{"command-line": command})

    def close(self):
        self._file.close()
        self._socket.close()
