"""Who may look: a browser on this machine without a token, everybody else with one, and no page of
another site at all."""

import http.client
import re
import socket

import pytest

from harness.inspector_client import Inspector
from harness.messages import build_request

TOKEN = "a-token-that-the-test-chose"
FORWARDING = [
    "Forwarded",
    "X-Forwarded-For",
    "X-Forwarded-Host",
    "X-Forwarded-Proto",
    "X-Forwarded-Anything",
    "X-Real-IP",
    "Via",
]


@pytest.fixture
def guarded(sightglass, origin):
    return sightglass(origin, "--inspector-token", TOKEN)


def look(proxy, path="/api/requests", method="GET", **headers):
    return proxy.inspector.ask(
        method, path, {name.replace("_", "-"): value for name, value in headers.items()}
    )


@pytest.mark.parametrize(
    "host", ["localhost", "127.0.0.1", "[::1]", "127.0.0.2", "LOCALHOST", "localhost:9"]
)
def test_from_this_machine_under_its_own_name_no_token_is_needed(guarded, host):
    assert look(guarded, Host=host).status == 200


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "localhost.evil.example",
        "127.0.0.1.evil.example",
        "192.168.1.1",
        "evil-localhost",
        "localhost.evil.example:80",
        "[::2]",
    ],
)
def test_a_foreign_host_name_is_a_403_for_dns_can_be_rebound(guarded, host):
    answer = look(guarded, Host=host)
    assert answer.status == 403
    assert answer.headers["Content-Type"].startswith("application/problem+json")
    assert b"items" not in answer.body


def test_hosts_of_the_settings_are_names_of_this_machine(sightglass, origin):
    proxy = sightglass(origin, config={"inspector": {"allow_hosts": ["dash.local"]}})
    assert look(proxy, Host="dash.local").status == 200
    assert look(proxy, Host="dash.local:8080").status == 200
    assert look(proxy, Host="other.local").status == 403


@pytest.mark.parametrize("name", FORWARDING)
def test_a_request_that_came_through_another_proxy_needs_a_token(guarded, name):
    answer = look(guarded, **{name: "127.0.0.1"})
    assert answer.status == 401 and "WWW-Authenticate" in answer.headers
    assert look(guarded, Authorization=f"Bearer {TOKEN}", **{name: "127.0.0.1"}).status == 200


def test_the_token_opens_from_anywhere(guarded):
    for headers in ({"Via": "1.1 edge"}, {"Host": "public.example"}):
        answer = look(guarded, Authorization=f"Bearer {TOKEN}", **headers)
        assert answer.status == 200


@pytest.mark.parametrize(
    "credential",
    [
        "Bearer wrong",
        f"Bearer {TOKEN[:-1]}",
        f"Bearer {TOKEN}x",
        "Bearer ",
        "Bearer",
        f"Basic {TOKEN}",
        TOKEN,
        f"Bearer {TOKEN.upper()}",
    ],
)
def test_a_wrong_token_is_a_401(guarded, credential):
    assert look(guarded, Authorization=credential, Via="1.1 edge").status == 401


def test_a_token_in_the_query_becomes_a_cookie_and_leaves_the_address_bar(guarded):
    answer = look(guarded, f"/api/requests?limit=5&token={TOKEN}&state=complete", Via="1.1 edge")
    assert answer.status in (302, 303, 307)
    location = answer.headers["Location"]
    assert "token" not in location and "limit=5" in location and "state=complete" in location
    assert location.startswith("/_inspector/api/requests")
    cookie = answer.headers["Set-Cookie"]
    assert "HttpOnly" in cookie and "SameSite=Strict" in cookie
    pair = cookie.partition(";")[0]
    assert look(guarded, Via="1.1 edge", Cookie=pair).status == 200
    assert look(guarded, Via="1.1 edge", Cookie="other=1; " + pair).status == 200
    assert look(guarded, Via="1.1 edge", Cookie=pair + "x").status == 401


def test_a_wrong_token_in_the_query_is_a_401_and_sets_no_cookie(guarded):
    answer = look(guarded, "/api/requests?token=wrong", Via="1.1 edge")
    assert answer.status == 401 and "Set-Cookie" not in answer.headers


def test_the_redirect_leads_nowhere_else(guarded):
    """?token= on a path that a browser would read as another host must not redirect there."""
    connection = http.client.HTTPConnection("127.0.0.1", guarded.port, timeout=30)
    connection.request("GET", f"//_inspector/?token={TOKEN}", headers={"Via": "1.1 edge"})
    response = connection.getresponse()
    location = response.headers.get("Location", "/")
    connection.close()
    assert location.startswith("/") and not location.startswith("//")


def test_without_a_configured_token_one_is_made_and_printed_with_the_url(sightglass, origin):
    proxy = sightglass(origin)
    pattern = re.compile(r"https?://[^\s\"]+/_inspector/?\?token=([A-Za-z0-9_\-.~%]+)")
    token = proxy.stderr.wait_for(lambda line: (m := pattern.search(line)) and m[1], "a URL")
    assert len(token) >= 16
    assert look(proxy, Via="1.1 edge").status == 401
    assert look(proxy, Via="1.1 edge", Authorization=f"Bearer {token}").status == 200
    other = sightglass(origin)
    again = other.stderr.wait_for(lambda line: (m := pattern.search(line)) and m[1], "a URL")
    assert again != token, "made anew at each start"


def test_a_configured_token_is_printed_nowhere(guarded):
    look(guarded)
    guarded.stop()
    assert TOKEN not in guarded.stderr.text() + guarded.stdout.text()


def test_the_token_can_come_from_a_file(sightglass, origin, tmp_path):
    file = tmp_path / "token"
    file.write_text(TOKEN + "\n")
    proxy = sightglass(origin, "--inspector-token-file", str(file))
    assert look(proxy, Via="1.1 edge", Authorization=f"Bearer {TOKEN}").status == 200
    assert look(proxy, Via="1.1 edge", Authorization="Bearer other").status == 401


def test_health_needs_nothing(guarded):
    for path in ("/healthz", "/readyz"):
        assert look(guarded, path, Host="evil.example", Via="1.1 edge").status == 200


def own_origin(proxy):
    return f"http://127.0.0.1:{proxy.port}"


def test_changing_something_needs_the_same_origin_or_a_bearer_token(guarded):
    def clear(**headers):
        return look(guarded, method="DELETE", **headers).status

    assert clear(Origin=own_origin(guarded)) in (200, 204)
    assert clear(Sec_Fetch_Site="same-origin") in (200, 204)
    assert clear(Authorization=f"Bearer {TOKEN}") in (200, 204)
    assert clear() == 403
    assert clear(Origin="http://evil.example") == 403
    assert clear(Origin="null") == 403
    assert clear(Origin=own_origin(guarded).replace("http", "https")) == 403
    assert clear(Origin=f"http://127.0.0.1:{guarded.port - 1}") == 403
    assert clear(Origin=f"http://localhost:{guarded.port}") == 403
    assert clear(Origin="http://127.0.0.1") == 403
    assert clear(Sec_Fetch_Site="cross-site") == 403
    assert clear(Sec_Fetch_Site="same-site") == 403
    assert clear(Sec_Fetch_Site="cross-site", Origin=own_origin(guarded)) in (403, 200, 204)


def test_a_cookie_alone_changes_nothing(guarded):
    answer = look(guarded, f"/?token={TOKEN}", Via="1.1 edge")
    pair = answer.headers["Set-Cookie"].partition(";")[0]
    assert look(guarded, method="DELETE", Via="1.1 edge", Cookie=pair).status == 403


def test_no_answer_invites_other_origins(guarded):
    answer = look(guarded, Origin="http://evil.example")
    assert "Access-Control-Allow-Origin" not in answer.headers


def own_address_in_the_network():
    """An address of this machine that is not loopback; nothing is sent to find it."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
        except OSError:
            return None
        address = probe.getsockname()[0]
    return None if address.startswith("127.") or address == "0.0.0.0" else address


def test_over_a_listener_that_others_can_reach_a_token_is_needed(sightglass, origin):
    address = own_address_in_the_network()
    if address is None:
        pytest.skip("this machine has no address but loopback")
    proxy = sightglass(origin, "--inspector-token", TOKEN, listen=[f"{address}:0"])
    inspector = Inspector(address, proxy.port)
    for host in (address, "localhost", "127.0.0.1"):
        assert inspector.get("/api/requests", Host=host).status == 401
    assert inspector.get("/api/requests", Authorization=f"Bearer {TOKEN}").status == 200
    assert inspector.get("/healthz").status == 200


def test_over_a_unix_socket_no_token_is_needed(sightglass, origin, tmp_path):
    proxy = sightglass(origin, listen=[f"unix:{tmp_path}/in.sock"])
    response = proxy.connect().get(b"/_inspector/api/requests", host=b"localhost")
    assert response.status == 200


def test_refused_requests_still_never_go_upstream(guarded, origin):
    client = guarded.connect()
    client.send(build_request(b"GET", b"/_inspector/x", host=b"evil.example"))
    assert client.read_response().status == 403
    client.send(build_request(b"GET", b"/_inspector/x", b"Via: 1.1 edge", host=b"localhost"))
    assert client.read_response().status == 401
    assert origin.bytes_before_a_sentinel(guarded.connect()) == b""


def test_the_inspectors_own_token_never_goes_upstream_or_into_the_log(guarded, origin):
    look(guarded, f"/?token={TOKEN}", Via="1.1 edge")
    guarded.stop()
    assert TOKEN not in guarded.stdout.text()
