"""The inspector's API as a dashboard reads it: the list, its filters, one record, its bodies."""

import http.client
import json
import re

import pytest

from harness.exchange import exchange
from harness.messages import build_response
from harness.serving import ServingOrigin
from harness.wire import until


def answers(request):
    path = request.target.partition(b"?")[0]
    if path.startswith(b"/missing"):
        return build_response(404, body=b"not here")
    if path.startswith(b"/broken"):
        return build_response(503, body=b"broken")
    return build_response(200, b"X-Needle: in-a-header", body=b"plain needle body")


TRAFFIC = [
    (b"GET", b"/api/list"),
    (b"GET", b"/api/list/1"),
    (b"POST", b"/api/jobs"),
    (b"GET", b"/missing/page"),
    (b"DELETE", b"/api/jobs/7"),
    (b"GET", b"/broken"),
]


@pytest.fixture(scope="module")
def filled(shared_sightglass):
    """Six exchanges, r0 to r5, in front of an upstream that answers by itself."""
    upstream = ServingOrigin(answers)
    proxy = shared_sightglass(upstream, config={"routes": [{"prefix": "/api"}, {"prefix": "/"}]})
    client = proxy.connect()
    for number, (method, target) in enumerate(TRAFFIC):
        body = b"a hay body" if method == b"POST" else None
        client.ask(method, target, b"X-Request-ID: r%d" % number, body=body)
    until(lambda: len(proxy.inspector.list(state="complete")) == 6, "six records")
    yield proxy
    upstream.close()


def found(proxy, **query):
    return sorted(item["request_id"] for item in proxy.inspector.list(**query))


def test_the_list_has_its_shape_and_the_newest_first(filled):
    listed = filled.inspector.json("/api/requests")
    assert [item["request_id"] for item in listed["items"]] == ["r5", "r4", "r3", "r2", "r1", "r0"]
    assert listed["count"] == 6 and listed["capacity"] == 1000 and listed["evicted"] == 0
    assert listed["next"] is None


def test_a_summary_leaves_out_headers_trailers_bodies_and_messages(filled):
    item = filled.inspector.list()[0]
    for left_out in (
        "request_headers",
        "response_headers",
        "request_trailers",
        "request_body",
        "response_body",
        "messages",
    ):
        assert left_out not in item
    for kept in ("seq", "request_id", "ts", "state", "method", "path", "status", "duration_ms"):
        assert kept in item


@pytest.mark.parametrize(
    "query, expected",
    [
        ({"method": "GET"}, ["r0", "r1", "r3", "r5"]),
        ({"method": "POST"}, ["r2"]),
        ({"status": "404"}, ["r3"]),
        ({"status": "5xx"}, ["r5"]),
        ({"status": "2xx"}, ["r0", "r1", "r2", "r4"]),
        ({"status": ">=400"}, ["r3", "r5"]),
        ({"path": "jobs"}, ["r2", "r4"]),
        ({"path": "/api/*"}, ["r0", "r1", "r2", "r4"]),
        ({"path": "/api/l*t"}, ["r0"]),
        ({"path": "*page"}, ["r3"]),
        ({"q": "hay"}, ["r2"]),
        ({"q": "not here"}, ["r3"]),
        ({"q": "in-a-header"}, ["r0", "r1", "r2", "r4"]),
        ({"q": "api/list"}, ["r0", "r1"]),
        ({"q": "nowhere"}, []),
        ({"state": "complete"}, ["r0", "r1", "r2", "r3", "r4", "r5"]),
        ({"state": "active"}, []),
        ({"route": "/api"}, ["r0", "r1", "r2", "r4"]),
        ({"min_duration_ms": "0"}, ["r0", "r1", "r2", "r3", "r4", "r5"]),
        ({"min_duration_ms": "60000"}, []),
        ({"method": "GET", "status": ">=400"}, ["r3", "r5"]),
    ],
    ids=str,
)
def test_filters(filled, query, expected):
    assert found(filled, **query) == expected


def test_pages_follow_each_other_by_their_sequence(filled):
    pages, before = [], None
    while True:
        query = "limit=2" + (f"&before={before}" if before else "")
        listed = filled.inspector.json("/api/requests?" + query)
        pages += [item["request_id"] for item in listed["items"]]
        before = listed["next"]
        if before is None:
            break
    assert pages == ["r5", "r4", "r3", "r2", "r1", "r0"]
    third = filled.inspector.record("r3")["seq"]
    assert found(filled, after=third) == ["r4", "r5"]
    assert found(filled, before=third) == ["r0", "r1", "r2"]


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=1001", "limit=x", "limit=-1", "status=abc", "before=x"]
)
def test_a_filter_that_is_none_is_a_400_that_says_so(filled, query):
    answer = filled.inspector.get("/api/requests?" + query)
    assert answer.status == 400
    assert answer.headers["Content-Type"].startswith("application/problem+json")


def test_one_record_by_its_id_and_by_its_sequence(filled):
    record = filled.inspector.detail("r2")
    assert record["request_body"] == "a hay body"
    assert filled.inspector.detail(f"seq:{record['seq']}") == record


def test_a_record_that_is_not_there_is_a_404_problem(filled):
    for gone in ("nobody", "seq:999999", "seq:x", "seq:"):
        answer = filled.inspector.get(f"/api/requests/{gone}")
        assert answer.status == 404
        assert answer.headers["Content-Type"].startswith("application/problem+json")


def test_the_newest_of_two_with_one_id_is_shown(proxy, origin):
    for target in (b"/older", b"/newer"):
        exchange(proxy, origin, b"X-Request-ID: same", target=target)
    until(lambda: len(proxy.inspector.list(state="complete")) == 2, "two records")
    assert proxy.inspector.detail("same")["path"] == "/newer"


def test_bodies_come_as_files_that_no_browser_interprets(proxy, origin):
    page = b"<script>alert(1)</script>"
    answer = build_response(200, b"Content-Type: text/html", body=page)
    exchange(proxy, origin, b"X-Request-ID: page", method=b"POST", body=b"up", answer=answer)
    proxy.inspector.record("page")
    for side, body in (("request", b"up"), ("response", page)):
        answer = proxy.inspector.body("page", side)
        assert answer.status == 200 and answer.body == body
        assert answer.headers["Content-Disposition"].startswith("attachment")
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert "text/html" not in answer.headers.get("Content-Type", "")


def test_the_prefix_itself_is_the_list_with_whole_records_and_short_bodies(filled, proxy, origin):
    listed = filled.inspector.json("")
    assert listed["items"][0]["request_headers"] and listed["items"][0]["response_body"] == "broken"
    assert filled.inspector.json("/")["count"] == 6
    exchange(proxy, origin, answer=build_response(200, body=b"x" * 10_000))
    until(lambda: proxy.inspector.list(state="complete"), "a record")
    assert len(proxy.inspector.json("")["items"][0]["response_body"]) == 4096
    assert len(proxy.inspector.json("?body_limit=100")["items"][0]["response_body"]) == 100
    assert proxy.inspector.json("")["items"][0]["response_size_bytes"] == 10_000


def test_the_prefix_is_the_panel_to_a_browser(filled):
    accept = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
    answer = filled.inspector.get("/", Accept=accept)
    assert answer.status == 200
    assert answer.headers["Content-Type"].startswith("text/html")
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src" in policy and "unsafe-inline" not in policy and "*" not in policy
    redirect = filled.inspector.get("", Accept=accept)  # so that the page's relative links work
    assert redirect.status in (307, 308) and redirect.headers["Location"] == "/_inspector/"
    assert filled.inspector.get("", Accept="application/json").json()["count"] == 6
    assert filled.inspector.get("", Accept="*/*").json()["count"] == 6


def test_the_panels_files_come_from_here_and_are_what_they_say(filled):
    page = filled.inspector.get("/", Accept="text/html").body.decode()
    files = re.findall(r'(?:src|href)="([^"#:]+)"', page)
    assert any(name.endswith(".js") for name in files)
    assert any(name.endswith(".css") for name in files)
    kinds = {"js": "text/javascript", "css": "text/css"}
    for name in files:
        answer = filled.inspector.get("/" + name)
        assert answer.status == 200, name
        kind = kinds.get(name.rpartition(".")[2])
        assert kind is None or answer.headers["Content-Type"].startswith(kind)
        assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_a_file_of_the_panel_is_not_sent_twice_to_who_has_it(filled):
    page = filled.inspector.get("/", Accept="text/html").body.decode()
    script = re.search(r'src="([^"]+\.js)"', page)[1]
    tag = filled.inspector.get("/" + script).headers["ETag"]
    again = filled.inspector.get("/" + script, If_None_Match=tag)
    assert (again.status, again.body) == (304, b"")


def test_healthz_and_readyz(filled):
    for path in ("/healthz", "/readyz"):
        answer = filled.inspector.get(path)
        assert answer.status == 200 and answer.body.strip() == b"ok"


def test_readyz_is_503_when_no_upstream_can_be_reached(proxy, origin):
    assert proxy.inspector.get("/readyz").status == 200
    origin.stop_listening()
    assert proxy.connect().get().status == 502
    assert proxy.inspector.get("/readyz").status == 503
    assert proxy.inspector.get("/healthz").status == 200


@pytest.mark.parametrize("path", ["/nothing", "/api/nothing", "/api", "/api/requests/r0/nothing"])
def test_no_inspector_request_ever_goes_upstream(proxy, origin, path):
    assert proxy.inspector.get(path).status == 404
    assert origin.bytes_before_a_sentinel(proxy.connect()) == b""


@pytest.mark.parametrize("path", ["/_inspector", "/_inspector/", "/_inspector/../_inspector/x",
                                  "/%5finspector/x", "//_inspector//x", "/a/../_inspector/x"])
def test_no_spelling_of_the_prefix_goes_upstream(proxy, origin, path):
    connection = http.client.HTTPConnection("127.0.0.1", proxy.port, timeout=30)
    connection.request("GET", path)
    connection.getresponse().read()
    connection.close()
    assert origin.bytes_before_a_sentinel(proxy.connect()) == b""


def test_a_path_that_only_begins_like_the_prefix_goes_upstream(proxy, origin):
    request, _ = exchange(proxy, origin, target=b"/_inspectors")
    assert request.target == b"/_inspectors"


def test_inspector_requests_are_never_captured(filled):
    filled.inspector.get("/healthz")
    filled.inspector.get("/api/nothing")
    assert filled.inspector.json("/api/requests?polls=1")["count"] == 6
    assert len(filled.inspector.list(polls=1)) == 6


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_a_method_that_means_nothing_here_is_a_405(filled, method):
    same_origin = {"Origin": f"http://127.0.0.1:{filled.port}"}
    answer = filled.inspector.ask(method, "/api/requests/r0", same_origin)
    assert answer.status == 405 and "GET" in answer.headers["Allow"]


def test_another_prefix(sightglass, origin):
    proxy = sightglass(origin, "--inspector-prefix", "/debug/glass")
    connection = http.client.HTTPConnection("127.0.0.1", proxy.port, timeout=30)
    connection.request("GET", "/debug/glass/api/requests")
    assert json.loads(connection.getresponse().read())["items"] == []
    connection.close()
    request, _ = exchange(proxy, origin, target=b"/_inspector")
    assert request.target == b"/_inspector"


def test_an_inspector_that_is_off_is_no_part_of_the_proxy(sightglass, origin):
    proxy = sightglass(origin, "--no-inspector")
    request, response = exchange(proxy, origin, target=b"/_inspector/api/requests")
    assert request.target == b"/_inspector/api/requests" and response.body == b"fine"


def test_an_inspector_with_a_listener_of_its_own_answers_there_alone(sightglass, origin):
    proxy = sightglass(
        origin, "--inspector-listen", "127.0.0.1:0", listen=["127.0.0.1:0"], listeners=2
    )
    first, second = proxy.address(0), proxy.address(1)
    answered = {}
    for address in (first, second):
        connection = http.client.HTTPConnection(*address, timeout=30)
        connection.request("GET", "/_inspector/healthz")
        response = connection.getresponse()
        answered[response.status] = response.read()
        connection.close()
    assert answered[200].strip() == b"ok"
    assert b"a listener of its own" in answered[404]
    assert not origin.waiting()
