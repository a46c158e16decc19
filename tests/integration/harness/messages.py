"""HTTP/1 messages as bytes: written plainly, read strictly.

The reader mends nothing: what is not exactly in form is an AssertionError, so that each test that
reads an answer also tests that the answer's framing was right.
"""

import re

TOKEN = re.compile(rb"^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$")
HOST = b"sightglass.test"


class Head:
    """A start line and fields in arrival order, names and values byte for byte."""

    def __init__(self, raw):
        assert raw.endswith(b"\r\n\r\n"), raw
        lines = raw[:-4].split(b"\r\n")
        self.raw = raw
        self.start_line = lines[0]
        self.fields = []
        for line in lines[1:]:
            name, colon, value = line.partition(b":")
            assert colon and TOKEN.match(name), f"not a field: {line!r} in {raw!r}"
            assert b"\r" not in value and b"\n" not in value and b"\0" not in value, line
            self.fields.append((name, value.strip(b" \t")))

    def all(self, name):
        wanted = name.lower().encode()
        return [value for key, value in self.fields if key.lower() == wanted]

    def one(self, name):
        values = self.all(name)
        assert len(values) == 1, f"expected one {name}, got {values} in {self.raw!r}"
        return values[0]

    def has(self, name):
        return bool(self.all(name))

    def members(self, name):
        """The members of a list field, over all its lines."""
        return [m.strip() for value in self.all(name) for m in value.split(b",") if m.strip()]


class Request(Head):
    def __init__(self, raw):
        super().__init__(raw)
        self.method, self.target, self.version = self.start_line.split(b" ")
        self.body = b""
        self.trailers = []


class Response(Head):
    def __init__(self, raw):
        super().__init__(raw)
        match = re.match(rb"^(HTTP/1\.[01]) ([1-5][0-9][0-9]) (.*)$", self.start_line)
        assert match, f"not a status line: {self.start_line!r}"
        self.version, self.status, self.reason = match[1], int(match[2]), match[3]
        self.body = b""
        self.trailers = []

    @property
    def request_id(self):
        return self.one("X-Request-ID").decode()


def read_request_head(wire):
    return Request(wire.read_until(b"\r\n\r\n"))


def read_response_head(wire):
    return Response(wire.read_until(b"\r\n\r\n"))


def read_chunk(wire):
    """One chunk's bytes; b"" for the last one, whose trailers are still to be read."""
    line = wire.read_until(b"\r\n")[:-2]
    assert re.match(rb"^[0-9a-fA-F]+$", line), f"not a chunk size: {line!r}"
    size = int(line, 16)
    if size == 0:
        return b""
    data = wire.read_exactly(size)
    assert wire.read_exactly(2) == b"\r\n", "a chunk without its end"
    return data


def read_trailers(wire):
    raw = b""
    while not raw.endswith(b"\r\n\r\n") and raw != b"\r\n":
        raw += wire.read_until(b"\r\n")
    return Head(b"trailers\r\n" + (raw if raw != b"\r\n" else b"\r\n")).fields


def read_body(wire, head):
    """Fills in body and trailers by the head's own framing; False where it has none."""
    codings = head.members("Transfer-Encoding")
    lengths = head.all("Content-Length")
    assert not (codings and lengths), f"two framings: {head.raw!r}"
    if codings:
        assert codings == [b"chunked"], head.raw
        pieces = []
        while True:
            data = read_chunk(wire)
            if not data:
                break
            pieces.append(data)
        head.body = b"".join(pieces)
        head.trailers = read_trailers(wire)
        return True
    if lengths:
        assert len(lengths) == 1 and lengths[0].isdigit(), head.raw
        head.body = wire.read_exactly(int(lengths[0]))
        return True
    return False


def read_request(wire):
    request = read_request_head(wire)
    read_body(wire, request)
    return request


def read_response(wire, method=b"GET"):
    """One whole final response; interim ones are an error here."""
    response = read_response_head(wire)
    assert response.status >= 200, f"an interim response: {response.raw!r}"
    if method == b"HEAD" or response.status in (204, 304):
        return response
    if not read_body(wire, response):
        response.body = wire.read_to_end()
        assert wire.ending == "fin", "a close-delimited body that ended with a reset"
    return response


def build(start_line, fields, body=b""):
    return b"\r\n".join([start_line, *fields]) + b"\r\n\r\n" + body


def build_request(method=b"GET", target=b"/", *fields, body=None, host=HOST):
    """A request's bytes. `fields` are whole lines; a body brings its Content-Length along."""
    lines = [b"Host: " + host, *fields]
    if body is not None:
        lines.append(b"Content-Length: %d" % len(body))
    return build(b"%s %s HTTP/1.1" % (method, target), lines, body or b"")


def build_response(status=200, *fields, body=b"", reason=b"Fine"):
    """A response's bytes with a Content-Length."""
    lines = [*fields, b"Content-Length: %d" % len(body)]
    return build(b"HTTP/1.1 %d %s" % (status, reason), lines, body)


def chunk(data):
    return b"%x\r\n%s\r\n" % (len(data), data)


LAST_CHUNK = b"0\r\n\r\n"
