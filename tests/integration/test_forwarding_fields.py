"""What the proxy adds to a message, what it takes away, and that all else passes byte for byte."""

import pytest

from harness.exchange import exchange, raw_exchange
from harness.messages import build, build_response

TRUSTING = {"trusted_proxies": ["loopback"]}
TRUSTING_OTHERS = {"trusted_proxies": ["10.0.0.0/8", "2001:db8::/32"]}

OURS = {
    b"x-request-id",
    b"traceparent",
    b"x-forwarded-for",
    b"x-forwarded-proto",
    b"x-forwarded-host",
    b"via",
    b"host",
}


def passed_on(head):
    """The fields that are the message's own, in order."""
    return [(name, value) for name, value in head.fields if name.lower() not in OURS]


FORWARDED = [
    b"X-Forwarded-For: 203.0.113.7",
    b"X-Forwarded-Proto: https",
    b"X-Forwarded-Host: public.example",
]


def test_an_untrusted_peers_forwarding_fields_are_replaced(sightglass, origin):
    proxy = sightglass(origin, config=TRUSTING_OTHERS)
    request, _ = exchange(proxy, origin, *FORWARDED, host=b"real.example")
    assert request.one("X-Forwarded-For") == b"127.0.0.1"
    assert request.one("X-Forwarded-Proto") == b"http"
    assert request.one("X-Forwarded-Host") == b"real.example"
    assert b"203.0.113.7" not in request.raw


def test_a_trusted_proxys_forwarding_fields_are_appended_to_and_kept(sightglass, origin):
    proxy = sightglass(origin, config=TRUSTING)
    request, _ = exchange(proxy, origin, *FORWARDED)
    assert request.members("X-Forwarded-For") == [b"203.0.113.7", b"127.0.0.1"]
    assert request.one("X-Forwarded-Proto") == b"https"
    assert request.one("X-Forwarded-Host") == b"public.example"


def test_a_trusted_proxys_list_stays_in_order_over_its_lines(sightglass, origin):
    proxy = sightglass(origin, config=TRUSTING)
    request, _ = exchange(
        proxy, origin, b"X-Forwarded-For: 1.1.1.1, 2.2.2.2", b"X-Forwarded-For: 3.3.3.3"
    )
    assert request.members("X-Forwarded-For") == [b"1.1.1.1", b"2.2.2.2", b"3.3.3.3", b"127.0.0.1"]


def test_a_trusted_proxy_that_says_nothing_gets_them_set(sightglass, origin):
    proxy = sightglass(origin, config=TRUSTING)
    request, _ = exchange(proxy, origin, host=b"real.example")
    assert request.one("X-Forwarded-For") == b"127.0.0.1"
    assert request.one("X-Forwarded-Proto") == b"http"
    assert request.one("X-Forwarded-Host") == b"real.example"


def test_the_record_names_the_client_that_a_trusted_proxy_speaks_for(sightglass, origin):
    proxy = sightglass(origin, config=TRUSTING)
    exchange(proxy, origin, b"X-Request-ID: far", b"X-Forwarded-For: 203.0.113.7")
    assert proxy.inspector.record("far")["client_ip"] == "203.0.113.7"
    assert proxy.access_log(request_id="far")["client_ip"] == "203.0.113.7"


def test_an_untrusted_peer_cannot_choose_the_client_address_in_the_log(sightglass, origin):
    proxy = sightglass(origin, config=TRUSTING_OTHERS)
    exchange(proxy, origin, b"X-Request-ID: near", b"X-Forwarded-For: 203.0.113.7")
    assert proxy.access_log(request_id="near")["client_ip"] == "127.0.0.1"


def test_via_names_the_proxy_and_keeps_those_before_it(proxy, origin):
    request, _ = exchange(proxy, origin)
    assert request.members("Via") == [b"1.1 sightglass"]
    request, _ = exchange(proxy, origin, b"Via: 1.0 fred, 1.1 edge")
    assert request.members("Via") == [b"1.0 fred", b"1.1 edge", b"1.1 sightglass"]


@pytest.mark.parametrize("host", [b"api.example", b"API.Example:8443", b"[::1]:80", b"127.0.0.1"])
def test_the_host_is_kept_as_it_came(proxy, origin, host):
    request, _ = exchange(proxy, origin, host=host)
    assert request.one("Host") == host


@pytest.mark.parametrize(
    "name",
    [
        b"X_Forwarded_For",
        b"X_Forwarded-For",
        b"x-forwarded_proto",
        b"X_FORWARDED_HOST",
        b"X_Request_ID",
        b"X-Request_ID",
        b"Content_Length",
        b"Transfer_Encoding",
    ],
)
def test_a_name_that_spoofs_one_of_ours_by_underscores_is_dropped(proxy, origin, name):
    request, _ = exchange(proxy, origin, name + b": 0", b"X_Other: stays")
    assert name.lower() not in [key.lower() for key, _ in request.fields]
    assert request.one("X_Other") == b"stays"


HOP_BY_HOP = [
    b"Keep-Alive: timeout=5",
    b"Proxy-Connection: keep-alive",
    b"TE: gzip",
    b"Proxy-Authorization: Basic eDp5",
]


@pytest.mark.parametrize("line", HOP_BY_HOP)
def test_hop_by_hop_fields_do_not_go_on(proxy, origin, line):
    request, _ = exchange(proxy, origin, line, b"X-Stays: 1")
    assert not request.has(line.partition(b":")[0].decode())
    assert request.one("X-Stays") == b"1"


def test_fields_that_connection_names_go_with_it(proxy, origin):
    request, _ = exchange(
        proxy,
        origin,
        b"Connection: x-secret-hop, keep-alive",
        b"X-Secret-Hop: 1",
        b"connection: X-Other-Hop",
        b"X-Other-Hop: 2",
        b"X-Stays: 3",
    )
    assert not request.has("X-Secret-Hop") and not request.has("X-Other-Hop")
    assert request.one("X-Stays") == b"3"
    assert b"x-secret-hop" not in [m.lower() for m in request.members("Connection")]


def test_connection_cannot_name_end_to_end_fields_away(proxy, origin):
    request, _ = exchange(
        proxy,
        origin,
        b"Connection: Host, Content-Length, Authorization, Cookie, X-Request-ID, X-Forwarded-For,"
        b" X-Forwarded-Proto, X-Forwarded-Host, Via, traceparent",
        b"Authorization: Bearer t",
        b"Cookie: a=b",
        b"X-Request-ID: stays",
        method=b"POST",
        body=b"12345",
        host=b"stays.example",
    )
    assert request.one("Host") == b"stays.example"
    assert request.body == b"12345" and request.one("Content-Length") == b"5"
    assert request.one("Authorization") == b"Bearer t"
    assert request.one("Cookie") == b"a=b"
    assert request.one("X-Request-ID") == b"stays"
    assert request.one("X-Forwarded-For") == b"127.0.0.1"
    assert request.one("X-Forwarded-Host") == b"stays.example"


ODD_FIELDS = [
    b"accept: */*",
    b"X-Dup: 1",
    b"ACCEPT-language:de",
    b"x-dup: 2",
    b"X-Tabs:\tin\tside\t",
    b"X-Empty:",
    b"X-Bytes: \xff\xfe caf\xc3\xa9",
    b"X-Colons: a:b::c",
    b"X-Quotes: \"un;closed, 'and so'",
    b"Cookie: a=1; b=2",
    b"Cookie: c=3",
    b"!#$%&'*+-.^_`|~09AZaz: a token",
    b"X-Dup: 1",
]


def fields_of(lines):
    return [(n, v.strip(b" \t")) for n, _, v in (line.partition(b":") for line in lines)]


def test_a_requests_other_fields_pass_in_order_and_byte_for_byte(proxy, origin):
    raw = build(b"GET /x HTTP/1.1", [*ODD_FIELDS, b"Host: a", b"X-Last: 1"])
    request, _ = raw_exchange(proxy, origin, raw)
    assert passed_on(request) == fields_of([*ODD_FIELDS, b"X-Last: 1"])


def test_an_answers_other_fields_pass_in_order_and_byte_for_byte(proxy, origin):
    lines = [
        *ODD_FIELDS,
        b"Set-Cookie: a=1; Path=/",
        b"Server: odd/1.0",
        b"set-cookie: b=2",
        b"Date: Thu, 01 Jan 1970 00:00:00 GMT",
        b"ETag: W/\"x\"",
        b"Content-Length: 0",
    ]
    _, response = exchange(proxy, origin, answer=build(b"HTTP/1.1 299 Quite  fine \xe9", lines))
    assert response.start_line == b"HTTP/1.1 299 Quite  fine \xe9"
    assert [f for f in passed_on(response) if f[0].lower() != b"connection"] == fields_of(lines)


def test_an_answers_hop_by_hop_fields_do_not_go_on(proxy, origin):
    answer = build_response(
        200,
        b"Connection: X-Hop, keep-alive",
        b"X-Hop: 1",
        b"Keep-Alive: timeout=60",
        b"Proxy-Connection: keep-alive",
        b"Upgrade: h2c",
        b"X-Stays: 1",
        body=b"x",
    )
    _, response = exchange(proxy, origin, answer=answer)
    for name in ("X-Hop", "Proxy-Connection", "Upgrade"):
        assert not response.has(name)
    assert b"timeout=60" not in response.raw
    assert response.one("X-Stays") == b"1"


@pytest.mark.parametrize(
    "target",
    [
        b"/",
        b"//double//slash",
        b"/a/../b/./c",
        b"/%41%2f%2F%zz%",
        b"/q?a=b&c=%20+d??/",
        b"/q?",
        b"/semi;colon,comma'quote(x)!$&*=:@",
        b"/~user/|pipe/\"quote\"/<angle>/{brace}/^/`/\\",
    ],
)
def test_the_target_goes_upstream_byte_for_byte(proxy, origin, target):
    request, _ = exchange(proxy, origin, target=target)
    assert request.target == target


def test_an_absolute_target_becomes_its_origin_form(proxy, origin):
    request, _ = exchange(proxy, origin, target=b"http://a.example/x/y?z=1", host=b"a.example")
    assert (request.target, request.one("Host")) == (b"/x/y?z=1", b"a.example")
    request, _ = exchange(proxy, origin, target=b"http://a.example", host=b"a.example")
    assert request.target == b"/"


def test_a_path_in_the_upstreams_url_is_put_before_the_requests(sightglass, origin):
    proxy = sightglass(origin.url + "/base/v1")
    request, _ = exchange(proxy, origin, target=b"/x?y")
    assert request.target == b"/base/v1/x?y"


@pytest.mark.parametrize("method", [b"PURGE", b"get", b"M-SEARCH", b"x", b"PROPFIND", b"DELETE"])
def test_any_method_passes_as_it_is(proxy, origin, method):
    request, response = exchange(proxy, origin, method=method, target=b"/m")
    assert request.method == method and response.body == b"fine"


def test_options_for_the_whole_server_passes(proxy, origin):
    request, _ = exchange(proxy, origin, method=b"OPTIONS", target=b"*")
    assert (request.method, request.target) == (b"OPTIONS", b"*")


@pytest.mark.parametrize("method", [b"OPTIONS", b"TRACE"])
def test_max_forwards_counts_down(proxy, origin, method):
    request, _ = exchange(proxy, origin, b"Max-Forwards: 10", method=method)
    assert request.one("Max-Forwards") == b"9"


@pytest.mark.parametrize("method", [b"OPTIONS", b"TRACE"])
def test_max_forwards_of_zero_ends_here(proxy, origin, method):
    response = proxy.connect().ask(method, b"/", b"Max-Forwards: 0", b"Cookie: secret=1")
    assert response.status < 300
    assert b"secret" not in response.body
    assert origin.bytes_before_a_sentinel(proxy.connect()) == b""


def test_max_forwards_means_nothing_to_other_methods(proxy, origin):
    request, _ = exchange(proxy, origin, b"Max-Forwards: 0")
    assert request.one("Max-Forwards") == b"0"
