"""Ten thousand secrets at random places of exchanges: none comes out of any row of the API.

A new row of the API is added to ROWS: a function that gets the proxy and the sequence numbers of
its records, and yields what that row answers, as bytes.
"""

import random
import re
import threading

import pytest
from harness.events import EventStream
from harness.messages import LAST_CHUNK, build, chunk
from harness.planting import LEAK, Planter, described, shown
from harness.serving import ServingOrigin
from harness.wire import until

SECRETS = 10_000
SEARCHES = 40
REPLAYS = 100
LAST = b"/last-of-all"


class PlantedOrigin(ServingOrigin):
    """Answers with secrets, in chunks of random sizes."""

    def __init__(self, planter):
        self.planter = planter
        super().__init__(self.planted_answer)

    def planted_answer(self, _request):
        rng = self.planter.rng
        content_type, coding, body = self.planter.body()
        fields = described(content_type, coding)
        fields += [b"Set-Cookie: s=" + self.planter.secret().encode()]
        fields += [b"Location: /done?" + self.planter.query()]
        pieces = []
        while body:
            size = rng.randrange(1, 1 + min(len(body), 700))
            pieces.append(chunk(body[:size]))
            body = body[size:]
        return build(b"HTTP/1.1 200 OK", [*fields, b"Transfer-Encoding: chunked"],
                     b"".join(pieces) + LAST_CHUNK)


# --- the rows


def lists(proxy, _numbers):
    before = ""
    while before is not None:
        answer = proxy.inspector.get(f"/api/requests?limit=500{before}")
        yield answer.body
        following = answer.json()["next"]
        before = None if following is None else f"&before={following}"


def lists_of_whole_records(proxy, numbers):
    for limit in ("", "&body_limit=100000", "&body_limit=77"):
        for at in range(0, len(numbers), 100):
            yield proxy.inspector.get(f"/?limit=100&before={numbers[at] + 100}{limit}").body


def records(proxy, numbers):
    for number in numbers:
        yield proxy.inspector.get(f"/api/requests/seq:{number}").body


def bodies(proxy, numbers):
    for number in numbers:
        for side in ("request", "response"):
            for query in ("", "?decoded=1"):
                yield proxy.inspector.body(f"seq:{number}", side, query).body


def searches(proxy, _numbers):
    """A search answers with what it found: a secret is found by no part of it."""
    planted = proxy.planter.planted
    for secret in planted[:: len(planted) // SEARCHES]:
        for text in (secret, secret[:8]):
            found = proxy.inspector.json(f"/api/requests?q={text}")["items"]
            yield secret.encode() if found else b""


def metrics(proxy, _numbers):
    yield proxy.inspector.get("/metrics").body
    yield proxy.inspector.get("/api/upstreams").body


def archives(proxy, numbers):
    for at in range(0, len(numbers), 500):
        yield proxy.inspector.get(f"/api/har?limit=500&before={numbers[at] + 500}").body


def commands(proxy, numbers):
    """A body that is no text goes through printf, whose escapes are undone here."""
    for number in numbers:
        command = proxy.inspector.get(f"/api/requests/seq:{number}/curl").body
        yield command
        yield re.sub(rb"\\([0-7]{3})", lambda m: bytes([int(m[1], 8) & 255]), command)


def replays(proxy, numbers):
    """Nothing secret is sent again: neither is it in what is answered, nor does it reach the upstream."""
    before = len(proxy.upstream.requests)
    for number in numbers[:: max(1, len(numbers) // REPLAYS)]:
        origin = {"Origin": f"http://127.0.0.1:{proxy.port}"}
        yield proxy.inspector.ask("POST", f"/api/requests/seq:{number}/replay", origin).body
    for request in proxy.upstream.requests[before:]:
        yield request.raw + request.body


def events(proxy, numbers):
    told = b"".join(proxy.told)
    assert told.count(b'"state":"complete"') == len(numbers)
    yield told


def statistics(proxy, _numbers):
    for path in ("summary", "routes", "marks", "config"):
        yield proxy.inspector.get(f"/api/{path}").body


ROWS = [
    lists,
    lists_of_whole_records,
    records,
    bodies,
    searches,
    metrics,
    archives,
    commands,
    events,
    statistics,
    replays,
]


# --- the test


@pytest.fixture(scope="module", params=["replace", "tag"])
def planted(shared_sightglass, request):
    """A proxy that has seen all the secrets; its bodies are kept up to 2 KiB, so that some are cut."""
    planter = Planter(random.Random(f"secrets, {request.param}"))
    upstream = PlantedOrigin(planter)
    proxy = shared_sightglass(
        upstream,
        "--capture-entries", "3000", "--capture-body", "2KiB", "--capture-memory", "64MiB",
        config={"inspector": {"redact": {"mode": request.param}}},
        read_stdout=False,
    )
    proxy.planter, proxy.upstream, proxy.told = planter, upstream, []
    with EventStream(proxy.inspector) as stream:
        listener = threading.Thread(target=listen, args=(stream, proxy.told))
        listener.start()
        count = plant(proxy, planter, SECRETS if request.param == "replace" else SECRETS // 10)
        listener.join()
    proxy.numbers = list(range(1, count + 1))
    yield proxy
    upstream.close()


def plant(proxy, planter, wanted):
    """Returns how many exchanges it took; after them comes one whose path is LAST."""
    client = proxy.connect()
    count = 0
    while len(planter.planted) < wanted:
        content_type, coding, body = planter.body()
        client.ask(b"POST", b"/a?" + planter.query(), *planter.fields(),
                   *described(content_type, coding), body=body)
        count += 1
    client.get(LAST)
    until(lambda: proxy.inspector.json("/api/requests?limit=1")["count"] == count + 1, "all records")
    return count


def listen(stream, told):
    """Keeps what is told up to the last exchange."""
    while LAST not in (line := stream.response.readline()):
        told.append(line)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.__name__)
def test_no_planted_secret_comes_out_of(planted, row):
    outputs = 0
    for output in row(planted, planted.numbers):
        outputs += 1
        leaked = shown(output)
        if leaked:
            at = LEAK.search(output)
            around = output[max(0, at.start() - 300) : at.end() + 100] if at else output[:300]
            pytest.fail(f"{leaked[:3]} in {around!r}")
    assert outputs > 0


def test_what_is_shown_says_that_it_was_redacted(planted):
    whole = b"".join(lists_of_whole_records(planted, planted.numbers))
    assert whole.count(b"[redacted") > len(planted.planter.planted) / 2
