"""A name server that the test sets up name by name, and that counts what it is asked.

    names = NameServer(namespace)
    names.records["api.test"] = [a("127.0.0.2", ttl=1)]
    names.records["gone.test"] = SERVFAIL
    names.records["slow.test"] = SILENCE

A name that is not in `records` does not exist. Over UDP, and TCP where an answer is too long.
"""

import contextlib
import socket
import struct
import threading

from harness.wire import until

A, CNAME, AAAA = 1, 5, 28
SERVFAIL, NXDOMAIN = 2, 3
SILENCE = "silence"
UDP_SIZE = 512
ANSWER, TRUNCATED = 0x8180, 0x0200


def a(address, ttl=60):
    return A, ttl, socket.inet_aton(address)


def aaaa(address, ttl=60):
    return AAAA, ttl, socket.inet_pton(socket.AF_INET6, address)


def alias(name, ttl=60):
    """To another name in the same server's records."""
    return CNAME, ttl, name


def encode(name):
    labels = [label.encode() for label in name.split(".")]
    return b"".join(bytes([len(label)]) + label for label in labels) + b"\0"


def decode(message, position):
    """A name that is written out: (the name, the position behind it)."""
    labels = []
    while message[position]:
        end = position + 1 + message[position]
        labels.append(message[position + 1 : end].decode())
        position = end
    return ".".join(labels).lower(), position + 1


def encode_record(name, kind, ttl, value):
    if kind == CNAME:
        value = encode(value)
    return encode(name) + struct.pack("!HHIH", kind, 1, ttl, len(value)) + value


class NameServer:
    def __init__(self, network, host="127.0.0.1"):
        self.records = {}
        self.questions = []  # (name, type), as they came
        self.udp = network.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.tcp = network.socket(socket.AF_INET, socket.SOCK_STREAM)
        for sock in (self.udp, self.tcp):
            sock.bind((host, 53))
        self.tcp.listen()
        for serve in (self._serve_udp, self._serve_tcp):
            threading.Thread(target=serve, daemon=True).start()

    def count(self, name, kind=A):
        """How often it was asked for."""
        return self.questions.count((name, kind))

    def wait_for(self, name, count=1):
        until(lambda: self.count(name) >= count, f"{name} was asked for {count} times")

    def close(self):
        for sock in (self.udp, self.tcp):
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)  # wakes its thread
            sock.close()

    def _serve_udp(self):
        while True:
            try:
                question, sender = self.udp.recvfrom(UDP_SIZE)
            except OSError:
                return
            if not question:
                return
            answer = self._answer(question)
            if answer is None:
                continue
            if len(answer) > UDP_SIZE:
                answer = self._build(question, ANSWER | TRUNCATED, [])
            self.udp.sendto(answer, sender)

    def _serve_tcp(self):
        while True:
            try:
                sock, _ = self.tcp.accept()
            except OSError:
                return
            with sock, sock.makefile("rb") as stream:
                while size := stream.read(2):
                    answer = self._answer(stream.read(int.from_bytes(size, "big")))
                    sock.sendall(struct.pack("!H", len(answer)) + answer)

    def _answer(self, question):
        name, position = decode(question, 12)
        kind = int.from_bytes(question[position : position + 2], "big")
        self.questions.append((name, kind))
        records = self.records.get(name, NXDOMAIN)
        if records == SILENCE:
            return None
        if isinstance(records, int):
            return self._build(question, ANSWER | records, [])
        return self._build(question, ANSWER, self._find(name, kind))

    def _find(self, name, kind):
        found = []
        for record in self.records.get(name, []):
            if record[0] == CNAME:
                found += [(name, *record), *self._find(record[2], kind)]
            elif record[0] == kind:
                found.append((name, *record))
        return found

    @staticmethod
    def _build(question, flags, records):
        _, position = decode(question, 12)
        head = question[:2] + struct.pack("!HHHHH", flags, 1, len(records), 0, 0)
        return head + question[12 : position + 4] + b"".join(encode_record(*r) for r in records)
