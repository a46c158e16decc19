"""The request ID and the trace context: from the browser to the API and back, and into everything
that is written down."""

import re
import time

import pytest

from harness.exchange import exchange
from harness.messages import build_response

UUID7 = re.compile(rb"^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$")
TRACEPARENT = re.compile(rb"^00-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}$")
TRACE_ID = b"4bf92f3577b34da6a3ce929d0e0e4736"
SPAN_ID = b"00f067aa0ba902b7"

WELL_FORMED = [b"a", b"x" * 128, b"AZaz09-_.:+/=@", b"7f3c6a1e-0000-4000-8000-123456789abc"]
MALFORMED = [
    b"",
    b"x" * 129,
    b"two words",
    b"semi;colon",
    b'quo"te',
    b"caf\xe9",
    b"a,b",
    b"<script>",
    b"%41",
]


@pytest.mark.parametrize("inbound", WELL_FORMED, ids=lambda raw: repr(raw)[:24])
def test_a_well_formed_inbound_id_is_kept_and_echoed(proxy, origin, inbound):
    request, response = exchange(proxy, origin, b"X-Request-ID: " + inbound)
    assert request.one("X-Request-ID") == inbound
    assert response.one("X-Request-ID") == inbound


@pytest.mark.parametrize("inbound", MALFORMED, ids=lambda raw: repr(raw)[:24])
def test_a_malformed_inbound_id_is_replaced_by_a_uuid7(proxy, origin, inbound):
    request, response = exchange(proxy, origin, b"X-Request-ID: " + inbound)
    made = request.one("X-Request-ID")
    assert UUID7.match(made)
    assert response.one("X-Request-ID") == made


def test_a_request_without_an_id_gets_one_and_each_gets_its_own(proxy, origin):
    made = [exchange(proxy, origin)[0].one("X-Request-ID") for _ in range(20)]
    assert all(UUID7.match(one) for one in made)
    assert len(set(made)) == 20
    milliseconds = int(made[0].replace(b"-", b"")[:12], 16)
    assert abs(milliseconds / 1000 - time.time()) < 3600, "UUIDv7 begins with the time"


def test_two_inbound_ids_never_reach_the_upstream_as_two(proxy, origin):
    request, response = exchange(proxy, origin, b"X-Request-ID: one", b"X-Request-ID: two")
    assert request.one("X-Request-ID") == response.one("X-Request-ID")


def test_the_upstreams_own_id_never_overrides_ours(proxy, origin):
    answer = build_response(200, b"X-Request-ID: the-upstreams", b"x-request-id: again", body=b"ok")
    _, response = exchange(proxy, origin, b"X-Request-ID: ours", answer=answer)
    assert response.one("X-Request-ID") == b"ours"


def test_inbound_replace_trusts_nobody(sightglass, origin):
    proxy = sightglass(origin, config={"request_id": {"inbound": "replace"}})
    request, response = exchange(proxy, origin, b"X-Request-ID: theirs")
    assert UUID7.match(request.one("X-Request-ID"))
    assert response.one("X-Request-ID") == request.one("X-Request-ID")


def test_the_ids_field_can_have_another_name(sightglass, origin):
    proxy = sightglass(origin, config={"request_id": {"header": "X-Correlation-ID"}})
    request, response = exchange(proxy, origin, b"x-correlation-id: mine")
    assert request.one("X-Correlation-ID") == b"mine"
    assert response.one("X-Correlation-ID") == b"mine"


def test_the_id_is_in_the_access_log_and_in_the_record(proxy, origin):
    exchange(proxy, origin, b"X-Request-ID: find/me+1", target=b"/a%20b?x=1")
    line = proxy.access_log(request_id="find/me+1")
    assert line["status"] == 200
    record = proxy.inspector.record("find/me+1")
    assert record["path"] == "/a%20b"
    assert record["trace_id"] == line["trace_id"]


def test_an_error_that_the_proxy_makes_bears_the_id(proxy, origin):
    origin.stop_listening()
    client = proxy.connect()
    response = client.get(b"/", b"X-Request-ID: lost")
    assert response.status == 502
    assert response.one("X-Request-ID") == b"lost"
    assert b'"request_id":"lost"' in response.body.replace(b'": "', b'":"')
    assert proxy.access_log(request_id="lost")["status"] == 502


def test_a_refused_request_still_has_an_id_everywhere(proxy, origin):
    client = proxy.connect()
    client.send(b"GET / HTTP/1.1\r\nHost: a\r\nBad Name: x\r\n\r\n")
    response = client.read_response()
    made = response.one("X-Request-ID")
    assert made and made in response.body
    assert proxy.access_log(request_id=made.decode())["status"] == 400


def test_a_traceparent_is_kept(proxy, origin):
    sent = b"00-%s-%s-01" % (TRACE_ID, SPAN_ID)
    request, _ = exchange(
        proxy, origin, b"X-Request-ID: traced", b"traceparent: " + sent, b"tracestate: a=1,b=2"
    )
    match = TRACEPARENT.match(request.one("traceparent"))
    assert match and match[1] == TRACE_ID
    assert request.one("tracestate") == b"a=1,b=2"
    assert proxy.access_log(request_id="traced")["trace_id"] == TRACE_ID.decode()
    assert proxy.inspector.record("traced")["trace_id"] == TRACE_ID.decode()


@pytest.mark.parametrize(
    "malformed",
    [
        None,
        b"",
        b"00-" + b"0" * 32 + b"-" + SPAN_ID + b"-01",
        b"00-" + TRACE_ID + b"-" + b"0" * 16 + b"-01",
        b"00-" + TRACE_ID.upper() + b"-" + SPAN_ID + b"-01",
        b"ff-" + TRACE_ID + b"-" + SPAN_ID + b"-01",
        b"00-" + TRACE_ID + b"-" + SPAN_ID,
        b"00-" + TRACE_ID + b"-" + SPAN_ID + b"-01-extra",
        b"00-" + TRACE_ID[:-1] + b"-" + SPAN_ID + b"-01",
        b"nonsense",
    ],
    ids=lambda raw: repr(raw)[:40],
)
def test_a_trace_is_begun_where_none_or_a_malformed_one_came(proxy, origin, malformed):
    fields = [] if malformed is None else [b"traceparent: " + malformed, b"tracestate: old=1"]
    request, _ = exchange(proxy, origin, b"X-Request-ID: begun", *fields)
    match = TRACEPARENT.match(request.one("traceparent"))
    assert match and match[1] != TRACE_ID and set(match[1]) != {b"0"} and set(match[2]) != {b"0"}
    assert proxy.access_log(request_id="begun")["trace_id"] == match[1].decode()
    if malformed is not None:
        assert not request.has("tracestate"), "a new trace does not go on with another one's state"
