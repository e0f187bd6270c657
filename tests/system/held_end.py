"""A process whose end is held where it begins: killed, but with its memory, its open files and their locks until it is let go."""
import ctypes
import errno
import os
import signal

PTRACE_CONT, PTRACE_SEIZE, PTRACE_O_TRACEEXIT, PTRACE_EVENT_EXIT = 7, 0x4206, 0x40, 6
WALL = 0x40000000  # of threads, and of what is no child of ours

_libc = ctypes.CDLL(None, use_errno=True)
_libc.ptrace.argtypes, _libc.ptrace.restype = [ctypes.c_long] * 4, ctypes.c_long


class HeldEnd:
    """Of that process; from the thread that makes it alone. It goes when we do."""

    def __init__(self, pid):
        self.pid = pid
        self._ptrace(PTRACE_SEIZE, PTRACE_O_TRACEEXIT)

    def _ptrace(self, request, data):
        if _libc.ptrace(request, self.pid, 0, data) != 0:
            number = ctypes.get_errno()
            raise OSError(number, f"ptrace: {errno.errorcode[number]}")

    def begun(self):
        """True once it was killed. Any other signal goes on to it."""
        pid, status = os.waitpid(self.pid, os.WNOHANG | WALL)
        if pid == 0:
            return False
        if status >> 8 == signal.SIGTRAP | PTRACE_EVENT_EXIT << 8:
            return True
        self._ptrace(PTRACE_CONT, os.WSTOPSIG(status) if status >> 16 == 0 else 0)
        return False

    def let_go(self):
        self._ptrace(PTRACE_CONT, 0)
