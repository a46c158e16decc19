"""Requests that two parsers could read in two ways, or that nobody should read: the bytes, and what
each must get.

Every request names /smuggled nowhere; the tests put a request for /smuggled behind each.
"""

SMUGGLED = b"GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n"

BAD = (400,)
BAD_OR_UNKNOWN_CODING = (400, 501)
BAD_OR_VERSION = (400, 505)


def head(*lines):
    return b"\r\n".join(lines) + b"\r\n\r\n"


def get(*fields):
    return head(b"GET / HTTP/1.1", b"Host: a", *fields)


def post(*fields):
    return head(b"POST / HTTP/1.1", b"Host: a", *fields)


def target(raw):
    return head(b"GET " + raw + b" HTTP/1.1", b"Host: a")


AMBIGUOUS = {
    # Lines
    "a folded field": (get(b"X-A: 1", b" folded"), BAD),
    "a folded field with a tab": (get(b"X-A: 1", b"\tfolded"), BAD),
    "a folded first field": (head(b"GET / HTTP/1.1", b" Host: a"), BAD),
    "a folded Transfer-Encoding": (post(b"Transfer-Encoding:", b" chunked"), BAD),
    "LF alone ends the request line": (b"GET / HTTP/1.1\nHost: a\r\n\r\n", BAD),
    "LF alone ends a field": (b"GET / HTTP/1.1\r\nHost: a\nX-A: 1\r\n\r\n", BAD),
    "LF alone ends the head": (b"GET / HTTP/1.1\r\nHost: a\r\n\n", BAD),
    "LF everywhere": (b"GET / HTTP/1.1\nHost: a\n\n", BAD),
    "CR within a value": (get(b"X-A: 1\rX-B: 2"), BAD),
    "CR before CRLF": (get(b"X-A: 1\r"), BAD),
    "CR within a name": (get(b"X\r-A: 1"), BAD),
    "CR within the target": (target(b"/a\rb"), BAD),
    "NUL within a value": (get(b"X-A: a\0b"), BAD),
    "NUL within a name": (get(b"X-A\0: 1"), BAD),
    "NUL within the target": (target(b"/a\0b"), BAD),
    "a control byte within a value": (get(b"X-A: a\x01b"), BAD),
    "DEL within a value": (get(b"X-A: a\x7fb"), BAD),
    # Names
    "an empty name": (get(b": x"), BAD),
    "a space before the colon": (get(b"X-A : 1"), BAD),
    "a tab before the colon": (get(b"X-A\t: 1"), BAD),
    "a space before the colon of Content-Length": (post(b"Content-Length : 5"), BAD),
    "a space before the colon of Transfer-Encoding": (post(b"Transfer-Encoding : chunked"), BAD),
    "a space within a name": (get(b"X A: 1"), BAD),
    "a line without a colon": (get(b"X-A"), BAD),
    "a name that is no token": (get(b"X(A): 1"), BAD),
    "a name with a slash": (get(b"X/A: 1"), BAD),
    "a name with bytes above ASCII": (get(b"X-\xe4: 1"), BAD),
    "a quoted name": (get(b'"X-A": 1'), BAD),
    # The request line
    "two spaces after the method": (head(b"GET  / HTTP/1.1", b"Host: a"), BAD),
    "two spaces after the target": (head(b"GET /  HTTP/1.1", b"Host: a"), BAD),
    "a tab for a space": (head(b"GET\t/ HTTP/1.1", b"Host: a"), BAD),
    "a space before the method": (head(b" GET / HTTP/1.1", b"Host: a"), BAD),
    "a space after the version": (head(b"GET / HTTP/1.1 ", b"Host: a"), BAD),
    "no version": (head(b"GET /", b"Host: a"), BAD),
    "no target": (head(b"GET HTTP/1.1", b"Host: a"), BAD),
    "a method that is no token": (head(b"G(T / HTTP/1.1", b"Host: a"), BAD),
    "HTTP in small letters": (head(b"GET / http/1.1", b"Host: a"), BAD),
    "another protocol": (head(b"GET / RTSP/1.0", b"Host: a"), BAD),
    "version 1.2": (head(b"GET / HTTP/1.2", b"Host: a"), BAD_OR_VERSION),
    "version 2.0": (head(b"GET / HTTP/2.0", b"Host: a"), BAD_OR_VERSION),
    "version 0.9": (head(b"GET / HTTP/0.9", b"Host: a"), BAD_OR_VERSION),
    "version 1.10": (head(b"GET / HTTP/1.10", b"Host: a"), BAD_OR_VERSION),
    "version 01.1": (head(b"GET / HTTP/01.1", b"Host: a"), BAD_OR_VERSION),
    "version 1": (head(b"GET / HTTP/1", b"Host: a"), BAD_OR_VERSION),
    "the preface of HTTP/2": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", BAD_OR_VERSION),
    "a TLS greeting": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 36, BAD),
    # The target
    "a fragment": (target(b"/a#b"), BAD),
    "a target without a slash": (target(b"a"), BAD),
    "a query alone": (target(b"?a"), BAD),
    "an asterisk for GET": (target(b"*"), BAD),
    "a control byte in the target": (target(b"/a\x01b"), BAD),
    "DEL in the target": (target(b"/a\x7fb"), BAD),
    "bytes above ASCII in the target": (target(b"/\xc3\xa4"), BAD),
    "a space in the target": (target(b"/a b"), BAD),
    "an absolute target that is not http": (target(b"ftp://a/"), BAD),
    "an absolute target with user information": (target(b"http://u:p@a/"), BAD),
    "an absolute target without an authority": (target(b"http:///x"), BAD),
    "an authority alone": (target(b"a:80"), BAD),
    "an absolute target for another host": (target(b"http://b/"), (421,)),
    "an absolute target for another port": (target(b"http://a:81/"), (421,)),
    # Host
    "no Host": (head(b"GET / HTTP/1.1"), BAD),
    "no Host beside an absolute target": (head(b"GET http://a/ HTTP/1.1"), BAD),
    "two Hosts": (get(b"Host: b"), BAD),
    "two Hosts that agree": (get(b"host: a"), BAD),
    "an empty Host": (head(b"GET / HTTP/1.1", b"Host:"), BAD),
    "a Host with a space": (head(b"GET / HTTP/1.1", b"Host: a b"), BAD),
    "a Host with a slash": (head(b"GET / HTTP/1.1", b"Host: a/b"), BAD),
    "a Host with user information": (head(b"GET / HTTP/1.1", b"Host: u@a"), BAD),
    "a Host with a port that is none": (head(b"GET / HTTP/1.1", b"Host: a:b"), BAD),
    "a Host with too large a port": (head(b"GET / HTTP/1.1", b"Host: a:65536"), BAD),
    "a Host list": (head(b"GET / HTTP/1.1", b"Host: a, b"), BAD),
    "a Host with an open bracket": (head(b"GET / HTTP/1.1", b"Host: [::1"), BAD),
    "a Host with a question mark": (head(b"GET / HTTP/1.1", b"Host: a?b"), BAD),
    "two Hosts on HTTP/1.0": (head(b"GET / HTTP/1.0", b"Host: a", b"Host: b"), BAD),
    # Content-Length
    "two lengths that differ": (post(b"Content-Length: 5", b"Content-Length: 6"), BAD),
    "two lengths that agree": (post(b"Content-Length: 5", b"Content-Length: 5"), BAD),
    "a list of lengths": (post(b"Content-Length: 5, 5"), BAD),
    "a list of one length": (post(b"Content-Length: 5,"), BAD),
    "a length with a plus": (post(b"Content-Length: +5"), BAD),
    "a negative length": (post(b"Content-Length: -1"), BAD),
    "a hexadecimal length": (post(b"Content-Length: 0x5"), BAD),
    "a length with a space within": (post(b"Content-Length: 5 5"), BAD),
    "a length with a point": (post(b"Content-Length: 5.0"), BAD),
    "a length with letters": (post(b"Content-Length: five"), BAD),
    "a quoted length": (post(b'Content-Length: "5"'), BAD),
    "an empty length": (post(b"Content-Length:"), BAD),
    "a length beyond 63 bits": (post(b"Content-Length: 9223372036854775808"), BAD),
    "a length beyond 64 bits": (post(b"Content-Length: 18446744073709551621"), BAD),
    "a length of a hundred digits": (post(b"Content-Length: " + b"1" * 100), BAD),
    # Transfer-Encoding
    "both framings": (post(b"Content-Length: 5", b"Transfer-Encoding: chunked"), BAD),
    "both framings the other way round": (
        post(b"Transfer-Encoding: chunked", b"Content-Length: 5"),
        BAD,
    ),
    "a tab before the coding": (post(b"Transfer-Encoding:\tchunked"), BAD),
    "a tab behind the coding": (post(b"Transfer-Encoding: chunked\t"), BAD),
    "a tab before the length": (post(b"Content-Length:\t5"), BAD),
    "a tab behind the length": (post(b"Content-Length: 5\t"), BAD),
    "a coding on HTTP/1.0": (
        head(b"POST / HTTP/1.0", b"Host: a", b"Transfer-Encoding: chunked"),
        BAD,
    ),
    "gzip": (post(b"Transfer-Encoding: gzip"), BAD_OR_UNKNOWN_CODING),
    "gzip, chunked": (post(b"Transfer-Encoding: gzip, chunked"), BAD_OR_UNKNOWN_CODING),
    "chunked, gzip": (post(b"Transfer-Encoding: chunked, gzip"), BAD_OR_UNKNOWN_CODING),
    "chunked twice": (post(b"Transfer-Encoding: chunked, chunked"), BAD_OR_UNKNOWN_CODING),
    "chunked on two lines": (
        post(b"Transfer-Encoding: chunked", b"Transfer-Encoding: chunked"),
        BAD_OR_UNKNOWN_CODING,
    ),
    "chunked and then identity": (
        post(b"Transfer-Encoding: chunked", b"Transfer-Encoding: identity"),
        BAD_OR_UNKNOWN_CODING,
    ),
    "identity": (post(b"Transfer-Encoding: identity"), BAD_OR_UNKNOWN_CODING),
    "identity and a length": (
        post(b"Transfer-Encoding: identity", b"Content-Length: 5"),
        BAD_OR_UNKNOWN_CODING,
    ),
    "an empty coding": (post(b"Transfer-Encoding:"), BAD_OR_UNKNOWN_CODING),
    "a quoted coding": (post(b'Transfer-Encoding: "chunked"'), BAD_OR_UNKNOWN_CODING),
    "chunked with a parameter": (post(b"Transfer-Encoding: chunked;q=1"), BAD_OR_UNKNOWN_CODING),
    "xchunked": (post(b"Transfer-Encoding: xchunked"), BAD_OR_UNKNOWN_CODING),
    "chunked behind a vertical tab": (post(b"Transfer-Encoding: \x0bchunked"), BAD),
    "a coding for GET that is none": (get(b"Transfer-Encoding: cow"), BAD_OR_UNKNOWN_CODING),
    # What is no request for a proxy like this
    "CONNECT": (head(b"CONNECT a:443 HTTP/1.1", b"Host: a:443"), (405,)),
    "CONNECT to a path": (head(b"CONNECT /x HTTP/1.1", b"Host: a"), (400, 405)),
}
