"""One connection, held by the test: exact bytes out, exact bytes in, and how it ended.

Every wait has a deadline, so that a test fails with a sentence and never hangs.
"""

import os
import select
import socket
import struct
import time

DEADLINE_S = float(os.environ.get("SIGHTGLASS_DEADLINE", "30"))

FIN = "fin"
RESET = "reset"


class ConnectionEnded(AssertionError):
    """The other side ended the connection where more bytes were expected."""


class Wire:
    def __init__(self, sock):
        self.sock = sock
        self.buffer = b""
        self.received = b""  # everything that ever came, for the last word in a failure
        self.ending = None  # FIN or RESET once the other side ended
        sock.settimeout(DEADLINE_S)
        if sock.family != socket.AF_UNIX:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    # Out

    def send(self, data):
        self.sock.sendall(data)

    def send_byte_by_byte(self, data):
        """One write a byte. Stops where the other side has closed; returns whether all was
        taken."""
        try:
            for position in range(len(data)):
                self.sock.sendall(data[position : position + 1])
        except (BrokenPipeError, ConnectionResetError):
            return False
        return True

    def try_send(self, data):
        """Sends to somebody who may close at any byte. Returns whether all was taken."""
        try:
            self.sock.sendall(data)
        except (BrokenPipeError, ConnectionResetError):
            return False
        return True

    def push_until_stalled(self, limit, quiet_s=0.5):
        """Sends zeros until the other side has taken none for `quiet_s`, or `limit` bytes went out.

        Returns the number of bytes sent. A busy machine can only make it stop early.
        """
        block = bytes(1 << 18)
        sent = 0
        self.sock.setblocking(False)
        try:
            while sent < limit:
                try:
                    sent += self.sock.send(block[: limit - sent])
                except BlockingIOError:
                    if not select.select([], [self.sock], [], quiet_s)[1]:
                        break
        finally:
            self.sock.settimeout(DEADLINE_S)
        return sent

    # In

    def fill(self):
        """Adds what comes next to the buffer. False at the end of the stream."""
        if self.ending is not None:
            return False
        try:
            data = self.sock.recv(1 << 18)
        except socket.timeout:
            raise AssertionError(
                f"nothing came for {DEADLINE_S:.0f} s; so far: {self.received[-400:]!r}"
            ) from None
        except ConnectionResetError:
            self.ending = RESET
            return False
        if not data:
            self.ending = FIN
            return False
        self.buffer += data
        self.received = (self.received + data)[-65536:]
        return True

    def is_readable(self, timeout_s=0):
        """Whether something has come that was not read yet, or the end."""
        return bool(select.select([self.sock], [], [], timeout_s)[0])

    def _fill_or_fail(self, wanted):
        if not self.fill():
            raise ConnectionEnded(
                f"the connection ended ({self.ending}) before {wanted}; so far: "
                f"{self.received[-400:]!r}"
            )

    def _take(self, size):
        data, self.buffer = self.buffer[:size], self.buffer[size:]
        return data

    def read_until(self, marker):
        """All bytes up to the marker and with it."""
        while marker not in self.buffer:
            self._fill_or_fail(repr(marker))
        return self._take(self.buffer.index(marker) + len(marker))

    def read_exactly(self, size):
        while len(self.buffer) < size:
            self._fill_or_fail(f"{size} bytes, {len(self.buffer)} came")
        return self._take(size)

    def read_some(self):
        """What is there, at least one byte; b"" at the end of the stream."""
        if not self.buffer and not self.fill():
            return b""
        return self._take(len(self.buffer))

    def read_to_end(self):
        """All that comes until the other side ends. `ending` then tells how."""
        while self.fill():
            pass
        return self._take(len(self.buffer))

    def expect_end(self):
        """Not one more byte, then the end. Returns FIN or RESET."""
        rest = self.read_to_end()
        assert rest == b"", f"expected the connection to end, got {rest[:400]!r}"
        return self.ending

    def count_to(self, size, expected=None):
        """Reads and forgets `size` bytes. With `expected` (a function from bytes to nothing) it
        sees each."""
        block = bytearray(1 << 20)
        view = memoryview(block)
        left = size - len(self.buffer)
        assert left >= 0
        if expected is not None and self.buffer:
            expected(self.buffer)
        self.buffer = b""
        while left > 0:
            count = self.sock.recv_into(view[: min(left, len(block))])
            if count == 0:
                raise ConnectionEnded(f"{left} of {size} bytes never came")
            if expected is not None:
                expected(view[:count])
            left -= count

    # The end, from here

    def half_close(self):
        self.sock.shutdown(socket.SHUT_WR)

    def close(self):
        self.sock.close()

    def reset(self):
        """Closes with RST, as a crashed peer's kernel does."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()


def until(condition, what, deadline_s=DEADLINE_S):
    """Asks again and again until the condition's value is true, and returns that value."""
    end = time.monotonic() + deadline_s
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < end, f"after {deadline_s:.0f} s still not: {what}"
        time.sleep(0.005)
