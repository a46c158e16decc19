"""Exchanges with secrets planted at random places, each of which can be told from all other text.

A secret contains MARK and 12 hexadecimal digits; shown() finds what of one is in some output, also
where that output is coded once more.
"""

import base64
import binascii
import ctypes
import ctypes.util
import gzip
import json
import re
import urllib.parse
import zlib

MARK = "x5ec"
LEAK = re.compile(rb"x5ec[0-9a-f]{2,}", re.IGNORECASE)
LONG_BASE64 = re.compile(rb'"(?:request|response)_body":"([A-Za-z0-9+/=]{8,})"')

NAMES = [
    "token", "access_token", "refresh_token", "id_token", "api_key", "secret", "client_secret",
    "password", "passwd", "pwd", "private_key", "sig", "signature", "apikey",
]
FIELDS = [
    b"Authorization", b"Proxy-Authorization", b"Cookie", b"X-API-Key", b"X-Auth-Token",
    b"X-Amz-Security-Token", b"X-Ms-Token-Aad-Access-Token",
]
WORDS = ["status", "running", "endpoint", "name", "tokens", "über", "a \"quoted\" word", "x:y=z"]


# --- codings


def with_brotli(data):
    library = ctypes.CDLL(ctypes.util.find_library("brotlienc"))
    out = ctypes.create_string_buffer(len(data) + 1024)
    size = ctypes.c_size_t(len(out))
    assert library.BrotliEncoderCompress(5, 22, 0, ctypes.c_size_t(len(data)), data,
                                         ctypes.byref(size), out)
    return out.raw[: size.value]


def with_zstd(data):
    library = ctypes.CDLL(ctypes.util.find_library("zstd"))
    library.ZSTD_compress.restype = ctypes.c_size_t
    out = ctypes.create_string_buffer(len(data) + 1024)
    size = library.ZSTD_compress(out, ctypes.c_size_t(len(out)), data,
                                 ctypes.c_size_t(len(data)), 3)
    return out.raw[:size]


CODINGS = {"gzip": lambda data: gzip.compress(data, 6), "deflate": zlib.compress}
if ctypes.util.find_library("brotlienc"):
    CODINGS["br"] = with_brotli
if ctypes.util.find_library("zstd"):
    CODINGS["zstd"] = with_zstd


def undone(data):
    """What a reader could make of bytes that may be compressed; no library says all it knows."""
    for bits in (47, -15):
        decoder = zlib.decompressobj(bits)
        try:
            yield decoder.decompress(data)
        except zlib.error:
            continue


def shown(output):
    """What of any secret is in an output, as it is, in base64, or compressed."""
    found = LEAK.findall(output)
    for text in LONG_BASE64.findall(output):
        try:
            found += LEAK.findall(base64.b64decode(text, validate=True))
        except binascii.Error:
            continue
    for data in undone(output):
        found += LEAK.findall(data)
    return found


# --- planting


class Planter:
    def __init__(self, rng):
        self.rng = rng
        self.planted = []

    def secret(self):
        digits = "%012x" % self.rng.getrandbits(48)
        self.planted.append(MARK + digits)
        return MARK + digits

    def shape(self):
        """A secret that is known by its looks."""
        plain = self.secret()
        return self.rng.choice([
            "eyJhbGciOiJIUzI1NiJ9." + plain + "In0." + plain,
            "ghp_" + plain + "abcdefgh",
            "github_pat_" + plain + "_abcdefgh",
            "xoxb-" + plain,
            "AKIA" + plain.upper(),
            "-----BEGIN PRIVATE KEY-----\nMII" + plain + "\n-----END PRIVATE KEY-----",
        ])

    def name(self):
        name = self.rng.choice(NAMES)
        change = self.rng.randrange(6)
        if change == 0:
            name = name.upper()
        elif change == 1:
            name = name.title().replace("_", "")
        elif change == 2:
            name = name.replace("_", "-")
        elif change == 3:
            name = "user." + name
        return name

    # --- JSON

    def json_name(self, name):
        written = json.dumps(name)
        if self.rng.randrange(5) == 0:
            at = self.rng.randrange(len(name))
            written = '"%s\\u%04x%s"' % (name[:at], ord(name[at]), name[at + 1 :])
        return written

    def json_secret(self):
        kind = self.rng.randrange(8)
        if kind == 0:
            return json.dumps({"deep": [1, {"er": self.secret()}], "br}ace": "]"})
        if kind == 1:
            return json.dumps([self.secret(), "\"]"])
        text = self.secret()
        if kind == 2:
            text = 'with "quotes" \\ and \n lines ' + text
        if kind == 3:
            text = text + "," + text
        return json.dumps(text, ensure_ascii=self.rng.random() < 0.5)

    def json_text(self):
        """A string with a secret within it."""
        kind = self.rng.randrange(7)
        if kind == 0:
            return "https://a.test/x?page=1&%s=%s&z=1" % (self.rng.choice(NAMES), self.secret())
        if kind == 1:
            return "log line\n%s: %s\nnext" % (self.name(), self.secret())
        if kind == 2:
            return "<a><%s>%s</%s></a>" % ("password", self.secret(), "password")
        if kind in (3, 4):
            return "see " + self.shape() + " there"
        return self.json_value(2)

    def json_value(self, depth):
        rng = self.rng
        kind = rng.randrange(10)
        if depth == 0 or kind == 0:
            return rng.choice(["1", "-2.5e3", "true", "null", json.dumps(rng.choice(WORDS))])
        if kind < 3:
            items = [self.json_value(depth - 1) for _ in range(rng.randrange(4))]
            return "[" + ", ".join(items) + "]"
        if kind == 3:
            return json.dumps(self.json_text())
        gap = rng.choice(["", " ", "\n  "])
        members = []
        for _ in range(rng.randrange(1, 5)):
            if rng.random() < 0.35:
                members.append(self.json_name(self.name()) + rng.choice(["", " ", "\n"]) + ":"
                               + gap + self.json_secret())
            else:
                members.append(json.dumps(rng.choice(WORDS)) + ":" + gap
                               + self.json_value(depth - 1))
        return "{" + gap + ("," + gap).join(members) + "}"

    def json(self):
        text = self.json_value(self.rng.randrange(2, 9))
        broken = self.rng.randrange(8)
        if broken == 0:  # cut anywhere
            text = text[: self.rng.randrange(len(text) + 1)]
        elif broken == 1:  # without its brackets
            text = text.strip("{}[]")
        elif broken == 2:  # several behind each other
            text = text + "\n" + self.json_value(3) + "\n"
        content_type = self.rng.choice(["application/json", "application/problem+json",
                                        "text/plain", None, "application/x-www-form-urlencoded"])
        if not text.lstrip().startswith(("{", "[")):
            content_type = "application/json"
        return content_type, text.encode()

    # --- others

    def form(self):
        pairs = []
        for _ in range(self.rng.randrange(1, 8)):
            kind = self.rng.randrange(5)
            if kind < 2:
                name = self.name() if kind else "user[%s]" % self.rng.choice(NAMES)
                pairs.append((name, self.secret() + self.rng.choice(["", " & more", '"x"'])))
            elif kind == 2:
                pairs.append(("data", self.json_value(3)))
            elif kind == 3:
                pairs.append(("text", self.shape()))
            else:
                pairs.append((self.rng.choice(WORDS), self.rng.choice(WORDS)))
        quote = self.rng.choice([urllib.parse.quote_plus, urllib.parse.quote])
        text = urllib.parse.urlencode(pairs, quote_via=quote)
        return "application/x-www-form-urlencoded", text.encode()

    def multipart(self):
        boundary = "b%08x" % self.rng.getrandbits(32)
        lines = []
        for _ in range(self.rng.randrange(1, 5)):
            kind = self.rng.randrange(3)
            name, extra, value = "file", "", ""
            if kind == 0:
                name, value = self.name(), self.secret() + "\r\nsecond line " + self.secret()
            elif kind == 1:
                extra, value = "Content-Type: application/json\r\n", self.json_value(4)
            else:
                value = "a text\n" + self.shape()
            lines.append('--%s\r\nContent-Disposition: form-data; name="%s"\r\n%s\r\n%s\r\n'
                         % (boundary, name, extra, value))
        text = "".join(lines) + "--%s--\r\n" % boundary
        return "multipart/form-data; boundary=" + boundary, text.encode()

    def text(self):
        rng, name = self.rng, self.name()
        return rng.choice([
            lambda: ("text/plain", "%s: %s\r\nother: 1\r\n" % (name, self.secret())),
            lambda: ("text/plain", "A=1\n%s=%s and %s\nB=2\n" % (
                name.replace(".", "_").replace("user_", ""), self.secret(), self.secret())),
            lambda: ("application/yaml", "a:\n  - %s: |\n      %s\n      %s\n    b: 1\n" % (
                name, self.secret(), self.secret())),
            lambda: ("text/event-stream", "event: x\ndata: %s\n\ndata: {\"%s\": \"%s\"}\n\n" % (
                self.shape().replace("\n", ""), name, self.secret())),
            lambda: ("text/xml", "<a x='1'><%s>%s<b/>%s</%s></a>" % (
                "Token", self.secret(), self.secret(), "Token")),
            lambda: ("text/html", "<p>%s: %s</p><i data-x=\"%s\"></i>" % (
                name, self.secret(),
                self.json_value(3).replace("&", "&amp;").replace('"', "&quot;"))),
            lambda: ("application/javascript", "var c={%s:\"%s\"};c.%s='%s'" % (
                "password", self.secret(), "token", self.secret())),
            lambda: ("image/png", "\x89PNG\x00 {\"%s\":\"%s\"} %s \x00" % (
                name, self.secret(), self.shape())),
        ])()

    def body(self):
        """(content type or None, content encoding or None, bytes)"""
        kind = self.rng.randrange(10)
        make = self.json if kind < 5 else [self.form, self.multipart, self.text][kind % 3]
        content_type, body = make()
        if isinstance(body, str):
            body = body.encode("latin-1")
        if self.rng.randrange(5) == 0:  # far from the beginning, around where a capture ends
            filler = b" " * 2000 if content_type != "application/x-www-form-urlencoded" else (
                b"fill=" + b"x" * 1990 + b"&")
            body = filler[: self.rng.randrange(len(filler))] + body if not (
                content_type or "").startswith(("multipart", "application/x-www")) else body
        coding = None
        if self.rng.randrange(3) == 0:
            coding = self.rng.choice(sorted(CODINGS))
            body = CODINGS[coding](body)
            damage = self.rng.randrange(6)
            if damage == 0:
                body = body[: self.rng.randrange(len(body))]
            elif damage == 1 and coding in ("gzip", "deflate") and len(body) < 2000:
                # There is a check sum. What is garbled without one looks like any other text.
                at = self.rng.randrange(len(body))
                body = body[:at] + bytes([body[at] ^ 0x55]) + body[at + 1 :]
            elif damage == 2:
                coding, body = coding + ", gzip", CODINGS["gzip"](body)
            elif damage == 3:
                coding = "x-" + coding
        return content_type, coding, body

    def fields(self):
        lines = [b"%s: %s" % (self.rng.choice(FIELDS), self.secret().encode())]
        shape = self.shape()
        if "\n" not in shape:
            lines.append(b"X-Note: see " + shape.encode())
        return lines

    def query(self):
        pairs = [(self.name(), self.secret()), ("page", "1"),
                 ("next", "/x?token=" + self.secret())]
        self.rng.shuffle(pairs)
        return urllib.parse.urlencode(pairs).encode()


def described(content_type, coding):
    lines = [] if content_type is None else [b"Content-Type: " + content_type.encode()]
    return lines + ([] if coding is None else [b"Content-Encoding: " + coding.encode()])
