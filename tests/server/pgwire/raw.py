"""A client that sends whatever bytes a test wants: for what libpq would never do."""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import socket
import ssl
import struct


def message(tag: bytes, body: bytes = b"") -> bytes:
    return tag + struct.pack("!i", len(body) + 4) + body


def first_packet(version: int, body: bytes = b"") -> bytes:
    return struct.pack("!iI", len(body) + 8, version) + body


def startup(minor: int = 0, **parameters: str) -> bytes:
    pairs = b"".join(f"{name}\0{value}\0".encode() for name, value in parameters.items())
    return first_packet((3 << 16) | minor, pairs + b"\0")


SSL_REQUEST = first_packet(80877103)
GSSENC_REQUEST = first_packet(80877104)


def parse(name: str, text: str, *oids: int) -> bytes:
    return message(b"P", f"{name}\0{text}\0".encode() + struct.pack(f"!h{len(oids)}I", len(oids), *oids))


def bind(portal: str, statement: str, *values: bytes | None, formats=(), results=()) -> bytes:
    body = f"{portal}\0{statement}\0".encode() + struct.pack(f"!h{len(formats)}h", len(formats), *formats)
    body += struct.pack("!h", len(values))
    for value in values:
        body += struct.pack("!i", -1) if value is None else struct.pack("!i", len(value)) + value
    return message(b"B", body + struct.pack(f"!h{len(results)}h", len(results), *results))


def describe(kind: str, name: str) -> bytes:
    return message(b"D", f"{kind}{name}\0".encode())


def execute(portal: str = "", rows: int = 0) -> bytes:
    return message(b"E", f"{portal}\0".encode() + struct.pack("!i", rows))


def close(kind: str, name: str) -> bytes:
    return message(b"C", f"{kind}{name}\0".encode())


def query(text: str) -> bytes:
    return message(b"Q", text.encode() + b"\0")


SYNC, FLUSH, TERMINATE = message(b"S"), message(b"H"), message(b"X")


def fields(body: bytes) -> dict[str, str]:
    """Return the fields of an ErrorResponse or NoticeResponse."""
    return {part[:1].decode(): part[1:].decode() for part in body.rstrip(b"\0").split(b"\0")}


class Scram:
    """The client's side of SCRAM-SHA-256, without channel binding."""

    def __init__(self, password: str, flag: str = "n", binding: bytes = b"") -> None:
        self.password = password
        self.header = f"{flag},,"
        self.binding = binding
        self.bare = f"n=,r={base64.b64encode(os.urandom(18)).decode()}"

    def first(self) -> bytes:
        return (self.header + self.bare).encode()

    def final(self, challenge: bytes) -> bytes:
        parts = dict(part.split("=", 1) for part in challenge.decode().split(","))
        salted = hashlib.pbkdf2_hmac("sha256", self.password.encode(), base64.b64decode(parts["s"]), int(parts["i"]))
        channel = base64.b64encode(self.header.encode() + self.binding).decode()
        final = f"c={channel},r={parts['r']}"
        key = hmac.digest(salted, b"Client Key", "sha256")
        signature = hmac.digest(
            hashlib.sha256(key).digest(), f"{self.bare},{challenge.decode()},{final}".encode(), "sha256"
        )
        proof = bytes(a ^ b for a, b in zip(key, signature, strict=True))
        return f"{final},p={base64.b64encode(proof).decode()}".encode()


class RawClient:
    """A socket that knows where messages end."""

    def __init__(self, address) -> None:
        self.socket = socket.create_connection(address, timeout=20)
        self.buffer = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, *parts: bytes) -> None:
        self.socket.sendall(b"".join(parts))

    def read_exactly(self, count: int) -> bytes:
        while len(self.buffer) < count:
            data = self.socket.recv(65536)
            if not data:
                raise EOFError
            self.buffer += data
        data, self.buffer = self.buffer[:count], self.buffer[count:]
        return data

    def read(self) -> tuple[str, bytes]:
        tag, size = struct.unpack("!ci", self.read_exactly(5))
        return tag.decode(), self.read_exactly(size - 4)

    def read_until(self, tag: str = "Z") -> list[tuple[str, bytes]]:
        found = [self.read()]
        while found[-1][0] != tag:
            found.append(self.read())
        return found

    def at_end(self) -> bool:
        """Whether the server closes, without another word."""
        try:
            self.read_exactly(1)
        except (EOFError, ConnectionResetError):
            return True
        return False

    def start_tls(self) -> None:
        self.send(SSL_REQUEST)
        assert self.read_exactly(1) == b"S"
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        self.socket = context.wrap_socket(self.socket)

    def prove(self, password: str, mechanism: str = "SCRAM-SHA-256", **how) -> None:
        scram = Scram(password, **how)
        first = scram.first()
        self.send(message(b"p", mechanism.encode() + b"\0" + struct.pack("!i", len(first)) + first))
        tag, body = self.read()
        if tag == "E":
            raise PermissionError(fields(body))
        self.send(message(b"p", scram.final(body[4:])))
        tag, body = self.read()
        if tag == "E":
            raise PermissionError(fields(body))

    def login(self, user: str = "ann", password: str = "correct horse", *, minor: int = 0, **parameters) -> dict:
        """Log in, and return the backend key and the reported settings."""
        self.send(startup(minor, user=user, **parameters))
        self.read_until("R")
        self.prove(password)
        told = {}
        for tag, body in self.read_until():
            if tag == "S":
                name, value, _ = body.split(b"\0")
                told[name.decode()] = value.decode()
            elif tag == "K":
                told["key"] = body
            elif tag == "E":
                raise PermissionError(fields(body))
        return told

    def tags(self) -> str:
        return "".join(tag for tag, _ in self.read_until())
