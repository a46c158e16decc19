"""Whatever ends, ends all the time: the token that the proxy shows to its upstream, the
certificate that it shows there, and the one that it shows its clients, each good for a few seconds
and replaced before, under a steady load. Not one request may fail, nor reach the upstream with
what has ended.

SIGHTGLASS_SOAK    seconds; 12 where absent. With -s it prints what it saw."""

import collections
import concurrent.futures
import os
import threading
import time

from harness.certificates import Secret
from harness.credentials import Mounted, claims_of, jwt
from harness.inspector_client import Inspector
from harness.messages import build_response
from harness.tls_client import TlsClient

SECONDS = float(os.environ.get("SIGHTGLASS_SOAK", "12"))
EVERY_S = 5  # each of the three is replaced so often
LIVES_S = 8  # and good for so long
MARGIN = "1s"
CLIENTS, RATE = 25, 500  # requests/s in all
CONNECTION_CALLS = 100  # then a client connects anew


class Upstream:
    """Who sees what arrives, and notes what should not have."""

    def __init__(self, authority):
        self.authority = authority
        self.ends = {}  # of each client certificate, by its serial
        self.wrong = []
        self.tokens, self.serials = collections.Counter(), collections.Counter()
        self.lock = threading.Lock()

    def issue(self):
        made = self.authority.issue(lives_s=LIVES_S)
        self.ends[made.serial] = made.ends
        return made

    def __call__(self, request):
        now = time.time()
        token_ends = claims_of(request.one("Authorization"))["exp"]
        serial = request.peer.peer_serial
        with self.lock:
            self.tokens[token_ends] += 1
            self.serials[serial] += 1
            if token_ends <= now:
                self.wrong.append(f"a token that ended {now - token_ends:.3f} s ago")
            if self.ends[serial] <= now:
                self.wrong.append(f"a certificate that ended {now - self.ends[serial]:.3f} s ago")
        return build_response(200, body=request.target + request.body)


class Rotation(threading.Thread):
    """Replaces something each EVERY_S seconds, from `phase` of them on, until it is stopped."""

    def __init__(self, replace, phase):
        super().__init__(daemon=True)
        self.replace, self.phase = replace, phase
        self.over = threading.Event()
        self.failure = None

    def run(self):
        due = time.monotonic() + self.phase * EVERY_S
        try:
            while not self.over.wait(due - time.monotonic()):
                self.replace()
                due += EVERY_S
        except Exception as failure:  # told by stop()
            self.failure = failure

    def stop(self):
        self.over.set()
        self.join()
        assert self.failure is None, self.failure


class Caller:
    """One client at a constant rate, over connections that it renews."""

    def __init__(self, proxy, context, number):
        self.proxy, self.context, self.number = proxy, context, number
        self.latencies, self.serials = [], set()

    def run(self, until_s):
        """Calls what is due, until nothing is; late ones at once."""
        client = None
        due = time.monotonic() + self.number / RATE
        while due < until_s:
            time.sleep(max(0.0, due - time.monotonic()))
            if len(self.latencies) % CONNECTION_CALLS == self.number:
                client = self.connect(client)
            client = client or self.connect(client)
            self.call(client, len(self.latencies))
            self.latencies.append(time.monotonic() - due)
            due += CLIENTS / RATE
        client.close()

    def connect(self, before):
        if before is not None:
            before.close()
        client = TlsClient(self.proxy.address(), self.context)
        self.serials.add(client.peer_serial)
        return client

    def call(self, client, number):
        target = b"/%d/%d" % (self.number, number)
        body = target * 3 if number % 5 == 0 else None  # some may not be sent twice
        response = client.ask(b"POST" if body else b"GET", target, body=body)
        assert response.status == 200, response.body
        assert response.body == target + (body or b"")


def token_of_now():
    return jwt(exp=int(time.time()) + LIVES_S)


def tell(callers, upstream, item, took_s):
    latencies = sorted(latency for caller in callers for latency in caller.latencies)
    print(
        f"\nsoak: {len(latencies)} requests in {took_s:.1f} s, {len(latencies) / took_s:.0f}/s, "
        f"none failed; p50 {latencies[len(latencies) // 2] * 1000:.1f} ms, "
        f"p99 {latencies[len(latencies) * 99 // 100] * 1000:.1f} ms, "
        f"most {latencies[-1] * 1000:.0f} ms; {len(upstream.tokens)} tokens, "
        f"{len(upstream.serials)} client certificates, "
        f"{len(set().union(*(caller.serials for caller in callers)))} server certificates seen; "
        f"{item['opened']} connections to the upstream, {item['tls']['resumed']} of them resumed, "
        f"{item['retried']} retries"
    )


def test_nothing_fails_while_tokens_and_certificates_end(
    sightglass, secure_serving, authority, tmp_path
):
    upstream = Upstream(authority)
    origin = secure_serving(authority.server(wants=authority), upstream)
    token = Mounted(tmp_path / "token", token=token_of_now())
    ours = Secret(tmp_path / "client", upstream.issue())
    server = Secret(tmp_path / "server", authority.issue(lives_s=LIVES_S))
    rotations = [
        Rotation(lambda: token.write(token=token_of_now()), 1),
        Rotation(lambda: ours.show(upstream.issue()), 2 / 3),
        Rotation(lambda: server.show(authority.issue(lives_s=LIVES_S)), 1 / 3),
    ]
    proxy = sightglass(
        origin,
        "--access-log",
        "off",
        workers=2,
        tls={**authority.settings, **ours.settings},
        credential={"bearer_file": str(token.folder / "token"), "safety_margin": MARGIN},
        config={"tls": server.settings},
    )
    began = time.monotonic()
    callers = [Caller(proxy, authority.client(), number) for number in range(CLIENTS)]
    for rotation in rotations:
        rotation.start()
    try:
        with concurrent.futures.ThreadPoolExecutor(CLIENTS) as pool:
            for done in [pool.submit(caller.run, began + SECONDS) for caller in callers]:
                done.result()
    finally:
        for rotation in rotations:
            rotation.stop()
    took_s = time.monotonic() - began
    inspector = Inspector("localhost", proxy.port, context=authority.client())
    item = inspector.json("/api/upstreams")["items"][0]
    assert upstream.wrong == []
    assert item["failures"] == {} and item["credential"]["error"] is None
    asked = sum(len(caller.latencies) for caller in callers)
    assert asked == sum(upstream.serials.values()) == sum(upstream.tokens.values())
    assert item["opened"] < asked / 10, "connections were kept in between"
    turns = int(SECONDS / EVERY_S)
    assert len(upstream.tokens) >= turns and len(upstream.serials) >= turns
    assert len(set().union(*(caller.serials for caller in callers))) >= turns
    tell(callers, upstream, item, took_s)
