"""libvirt's remote protocol, spoken by hand: for what no client of libvirt's would send, and for clients by the thousand."""
import socket
import struct

REMOTE, KEEPALIVE = 0x20008086, 0x6B656570
# Procedures of the program "remote"
OPEN, CLOSE, VERSION, DUMP, CREATE_SNAPSHOT, DUMP_SNAPSHOT, DELETE_SNAPSHOT = 1, 2, 4, 14, 185, 186, 193
AUTH_LIST, STATE, LIST_ALL, LIST_SNAPSHOTS = 66, 212, 273, 274


def frame(procedure, payload=b"", program=REMOTE, kind=0, serial=1):
    return struct.pack(">IIIIIII", 28 + len(payload), program, 1, procedure, kind, serial, 0) + payload


def padded(data):
    return struct.pack(">I", len(data)) + data + b"\0" * (-len(data) % 4)


def text(words):
    return padded(words.encode())


def is_active(domain):
    """By the id at the end of its reference."""
    return struct.unpack(">i", domain[-4:])[0] >= 0


class Refused(Exception):
    """The server's own words."""


class Connection:
    """One call after the other. A domain is its reference's bytes, as the server sent them."""

    def __init__(self, path, uri="domsnap:///system"):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(60)
        self.socket.connect(str(path))
        self.serial = 0
        self.call(AUTH_LIST)
        self.call(OPEN, struct.pack(">I", 1) + text(uri) + struct.pack(">I", 0))

    def call(self, procedure, payload=b""):
        self.serial += 1
        self.socket.sendall(frame(procedure, payload, serial=self.serial))
        head = self._receive(28)
        size, _, _, _, _, serial, status = struct.unpack(">IIIIIII", head)
        body = self._receive(size - 28)
        assert serial == self.serial, "the answer of another call"
        if status != 0:
            length = struct.unpack(">I", body[12:16])[0]
            raise Refused(body[16:16 + length].decode())
        return body

    def _receive(self, size):
        data = self.socket.recv(size, socket.MSG_WAITALL) if size else b""
        if len(data) < size:
            raise ConnectionError("the server closed the connection")
        return data

    def domains(self):
        """{name: reference}, as `virsh list --all` asks for them."""
        body, found, at = self.call(LIST_ALL, struct.pack(">II", 1, 0)), {}, 4
        for _ in range(struct.unpack(">I", body[:4])[0]):
            length = struct.unpack(">I", body[at:at + 4])[0]
            end = at + 4 + length + -length % 4 + 16 + 4
            found[body[at + 4:at + 4 + length].decode()] = body[at:end]
            at = end
        return found

    def state(self, domain):
        """libvirt's number."""
        return struct.unpack(">i", self.call(STATE, domain + struct.pack(">I", 0))[:4])[0]

    def states(self, domains):
        for domain in domains:
            self.state(domain)

    def dump(self, domain):
        return self.call(DUMP, domain + struct.pack(">I", 0))

    def snapshots(self, domain):
        return self.call(LIST_SNAPSHOTS, domain + struct.pack(">II", 1, 0))

    def dump_snapshot(self, domain, name):
        return self.call(DUMP_SNAPSHOT, text(name) + domain + struct.pack(">I", 0))

    def create_snapshot(self, domain, name):
        self.call(CREATE_SNAPSHOT, domain + text(f"<domainsnapshot><name>{name}</name></domainsnapshot>") + struct.pack(">I", 0))

    def delete_snapshot(self, domain, name):
        self.call(DELETE_SNAPSHOT, text(name) + domain + struct.pack(">I", 0))

    def close(self):
        """As libvirt's library does it."""
        self.call(CLOSE)
        self.socket.close()
