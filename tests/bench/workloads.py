"""One job: what is asked of the proxies. A workload is a line here and nothing elsewhere."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Workload:
    key: str  # what --only and the baseline call it
    title: str
    generator: str  # a function of loads.py
    path: str = ""
    connections: int = 0
    post_bytes: int = 0
    has_length: bool = True  # the answer
    # Whose CPU per request `make bench-check` takes a ratio to. nginx has two states with large
    # bodies (0.95 and 1.7 of the relay were seen in one run), so there it is the relay.
    beside: str = "nginx"
    # Waking another core costs more than any proxy does: latency is judged with everything on one.
    one_core: bool = False
    direct: bool = False  # measured without a proxy too, for the latency that one adds
    in_check: bool = False  # part of `make bench-check`
    also: tuple = ()  # measured beside the usual proxies
    least_seconds: float = 0  # of a round, whatever --seconds says
    rate: int = 0  # requests a second of `pace`; 0 is as fast as they are answered
    # Which side of the proxy speaks TLS: "client" or "upstream". For these wrk will not do: it opens
    # its connections, and so shakes hands, within the time that is measured.
    tls: str = ""
    visit: str = ""  # of `visits`: plain, full or resumed
    rounds: int = 11  # unless --rounds or --quick says otherwise

    @property
    def settings(self):
        """What peers.start() has to change for it."""
        return {f"{self.tls}_tls": True} if self.tls else {}


def _tls(key, side, size, count, connections, rounds):
    where = {"client": "HTTPS from the client", "upstream": "HTTPS to the origin"}[side]
    return Workload(
        f"tls-{key}",
        f"{where}: GET {size}, {connections} connections",
        "pace",
        f"/bytes/{count}",
        connections,
        tls=side,
        rounds=rounds,
    )


WORKLOADS = (
    Workload(
        "small-1",
        "GET 100 B, 1 connection, all on one core",
        "wrk",
        "/bytes/100",
        1,
        one_core=True,
        direct=True,
        rounds=9,
    ),
    Workload("small-64", "GET 100 B, 64 connections", "wrk", "/bytes/100", 64, in_check=True),
    Workload("small-512", "GET 100 B, 512 connections", "wrk", "/bytes/100", 512, rounds=7),
    Workload("16k", "GET 16 KiB, 32 connections", "wrk", "/bytes/16384", 32, in_check=True),
    Workload(
        "1m",
        "GET 1 MiB, 8 connections",
        "wrk",
        "/bytes/1048576",
        8,
        beside="relay",
        in_check=True,
        also=("relay-63k",),
    ),
    Workload(
        "post",
        "POST 64 KiB, 32 connections",
        "wrk",
        "/bytes/100",
        32,
        post_bytes=65536,
        beside="relay",
        in_check=True,
        also=("relay-63k",),
    ),
    Workload(
        "chunks",
        "Stream of 32 chunks of 1 KiB, 32 connections",
        "wrk",
        "/chunks/32/1024",
        32,
        has_length=False,
        rounds=7,
    ),
    Workload(
        "tick",
        "A dashboard's tick: 50 browsers, 20 polls a second each, all on one core",
        "dashboard",
        # 1,000 requests a second leave the proxy asleep mostly: on a core of its own the figure was
        # what waking that costs, twice the proxy's, and moved by as much.
        one_core=True,
        direct=True,
        in_check=True,
        least_seconds=1,  # in which each browser ticks once
        rounds=7,
    ),
    _tls("client-small", "client", "100 B", 100, 64, 7),
    _tls("client-16k", "client", "16 KiB", 16384, 32, 5),
    _tls("client-1m", "client", "1 MiB", 1048576, 8, 5),
    _tls("upstream-small", "upstream", "100 B", 100, 64, 7),
    _tls("upstream-16k", "upstream", "16 KiB", 16384, 32, 5),
    _tls("upstream-1m", "upstream", "1 MiB", 1048576, 8, 5),
)

IDLE_CONNECTIONS = (5000, 20000)
STREAM_BYTES = 50 << 20
