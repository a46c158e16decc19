"""One job: what becomes of the cost of a request with more of something: workers, connections,
routes, records. Each row is a ratio of CPU per request within a round, in one and the same run."""

import os
import re
import socket
import time

import loads
import measure
import peers
from cost import cpu_seconds_by_thread
from workloads import Workload

FEW, MANY = 64, 5_000
ACTIVE_RATE = 20_000  # requests/s of connections that are in use, but not all at every moment
UPSTREAM_CONNECTIONS = 8192  # where MANY may be busy at once
PREFIXES = 5_000  # excluded ones, and as many that are not
ENTRIES = 100_000  # so that it is the bytes that bound the ring
RING_BYTES = 32 << 20
FILLING = Workload("filling", "POST 64 KiB, 16 connections", "wrk", "/bytes/65536", 16, 65536)
FILL_TIMES = 2
ACCEPTED = 1_000


def _gets(connections, path="/bytes/100", rate=0):
    """All connections are open when a round begins. Without a rate all are busy all the time."""
    title = f"GET 100 B, {connections} connections"
    return Workload("gets", title, "pace", path, connections, rate=rate)


class Scale:
    def __init__(self, stage, rounds, seconds, deadline):
        self.stage, self.rounds, self.seconds, self.deadline = stage, rounds, seconds, deadline
        self.rows, self.remarks = [], []

    def measure(self):
        for part in (self.workers, self.connections, self.routes, self.ring):
            if time.monotonic() > self.deadline:
                self.remarks.append(f"scale, {part.__name__}: left out, as time was up")
                continue
            try:
                part()
            except (loads.LoadFailed, OSError, RuntimeError) as failure:
                self.remarks.append(f"scale, {part.__name__}: {failure}")
        return {"rows": self.rows, "remarks": self.remarks}

    def _add(self, title, proxy, pairs, note=""):
        """A row of the pairs (a sample with more, one with less) of all rounds."""
        if pairs:
            self.rows.append(
                {
                    "title": title,
                    "proxy": proxy,
                    "more_us": measure.spread([more["cpu_us"] for more, _ in pairs]),
                    "less_us": measure.spread([less["cpu_us"] for _, less in pairs]),
                    "ratio": measure.spread([m["cpu_us"] / l["cpu_us"] for m, l in pairs]),
                    "note": note,
                }
            )

    def _rounds(self):
        """Numbers of rounds, the first one, -1, to warm; as far as time goes."""
        for number in range(-1, self.rounds):
            if time.monotonic() > self.deadline:
                return
            yield number

    def _pairs(self, more, less):
        """`more` and `less` are a server and a load each."""
        pairs = []
        for number in self._rounds():
            seen = {}
            for side in (more, less) if number % 2 else (less, more):
                server, load = side
                seen[side] = measure.sample(self.stage, load, server, self.seconds)
            if number >= 0:
                pairs.append((seen[more], seen[less]))
        return pairs

    def _started(self, name, **changes):
        return _Started(self.stage, name, changes)

    def workers(self):
        cores = (self.stage.proxy_core, self.stage.load_core)
        name = "sightglass-captured"
        with self._started(name) as one, self._started(name, workers=2) as two:
            one.move_to(*cores)
            two.move_to(*cores)
            shares, pairs = [], []
            for number in self._rounds():
                alone = measure.sample(self.stage, _gets(FEW), one, self.seconds)
                meter = _ThreadMeter(two)
                done = loads.run(self.stage, _gets(FEW), two.port, self.seconds, meter)
                done["cpu_us"] = sum(meter.seconds) * 1e6 / done["requests"]
                if number >= 0:
                    pairs.append((done, alone))
                    shares.append(meter.seconds[0] / (meter.seconds[0] + meter.seconds[1]))
            accepted = accepted_by_loop(two, ACCEPTED)
        busier = measure.spread(shares)
        self._add(
            f"two workers for one, {FEW} connections, both cores for the proxy",
            name,
            pairs,
            f"the busier worker had {100 * busier['median']:.0f} % of the CPU time (at most "
            f"{100 * busier['max']:.0f} %); of {ACCEPTED:,} other connections the two have "
            + " and ".join(f"{count:,}" for count in accepted),
        )

    def connections(self):
        if self.stage.descriptors < 2 * MANY + 500:
            self.remarks.append(f"scale: {MANY:,} connections: not as many descriptors here")
            return
        for name in ("relay", "nginx", "sightglass-captured"):
            with self._started(
                name, upstream_connections=UPSTREAM_CONNECTIONS, connections=3 * MANY
            ) as server:
                for rate, what in (
                    (ACTIVE_RATE, f"{MANY:,} active connections for {FEW}, {ACTIVE_RATE:,} requests/s"),
                    (0, f"{MANY:,} connections for {FEW}, each of them busy all the time"),
                ):
                    more, less = _gets(MANY, rate=rate), _gets(FEW, rate=rate)
                    self._add(what, name, self._pairs((server, more), (server, less)))

    def routes(self):
        name = "sightglass-captured"
        last = "/bytes/100"
        with self._started(name) as few, self._started(name, routes=_routes(last)) as many:
            for title, path in (("none of them", "/bytes/101"), ("the last of them", last)):
                load = _gets(FEW, path)
                self._add(
                    f"{2 * PREFIXES:,} routes more, of which {title} matches",
                    name,
                    self._pairs((many, load), (few, load)),
                )

    def ring(self):
        """The full one stays, the fresh one is started for each round."""
        name = "sightglass-captured"
        for title, entries in (
            ("as it is by default, 1,000 entries", peers.CHANGEABLE["entries"]),
            (f"{ENTRIES:,} entries, so that bytes bound it", ENTRIES),
        ):
            pairs = []
            with self._started(name, entries=entries) as full:
                kept = self._fill(full)
                for number in self._rounds():
                    with self._started(name, entries=entries) as fresh:
                        less = measure.sample(self.stage, _gets(FEW), fresh, self._short())
                    more = measure.sample(self.stage, _gets(FEW), full, self._short())
                    if number >= 0:
                        pairs.append((more, less))
            self._add(
                f"a ring that {kept / RING_BYTES:.1f} times its bytes went through, for a new one: "
                + title,
                name,
                pairs,
            )

    def _short(self):
        """A new ring of bytes is not to be full before the round ends."""
        return min(self.seconds, 0.3)

    def _fill(self, server):
        """How many bytes of bodies were kept, at least FILL_TIMES the ring."""
        kept = 0
        while kept < FILL_TIMES * RING_BYTES:
            done = loads.run(self.stage, FILLING, server.port, self._short())
            kept += done["requests"] * 2 * FILLING.post_bytes
        return kept


class _Started:
    def __init__(self, stage, name, changes):
        self.stage, self.server = stage, peers.start(stage, name, **changes)

    def __enter__(self):
        return self.server

    def __exit__(self, *_):
        self.stage.workplace.stop(self.server)


class _ThreadMeter:
    """What happens within its `with` block, in `seconds`: CPU of each thread, the busiest first."""

    def __init__(self, server):
        self.server = server

    def __enter__(self):
        self.before = cpu_seconds_by_thread(self.server)
        return self

    def __exit__(self, *_):
        after = cpu_seconds_by_thread(self.server)
        self.seconds = sorted(
            (spent - self.before.get(thread, 0.0) for thread, spent in after.items()), reverse=True
        )


def _routes(last):
    """Lines of YAML: the excluded ones first, then the others, `last` the last of all."""
    lines = [
        f"  - {{prefix: /api/poll/{n}, methods: [GET], capture: row}}" for n in range(PREFIXES)
    ]
    lines += [f"  - {{prefix: /api/thing/{n}/part}}" for n in range(PREFIXES - 1)]
    return "\n".join([*lines, f"  - {{prefix: {last}}}"])


def accepted_by_loop(server, count):
    """How many of `count` new connections each event loop of the server has: a list, the most first.

    A loop's epoll knows its descriptors, a descriptor its socket, and a socket its port."""
    connections = []
    try:
        for _ in range(count):
            connections.append(socket.create_connection(("127.0.0.1", server.port), 10))
            connections[-1].sendall(b"GET /bytes/1 HTTP/1.1\r\nHost: origin\r\n\r\n")
        for connection in connections:
            connection.recv(4096)  # it was accepted, for it was answered
        return sorted(_sockets_by_loop(server.process.pid, server.port), reverse=True)
    finally:
        for connection in connections:
            connection.close()


def _sockets_by_loop(pid, port):
    with open(f"/proc/{pid}/net/tcp") as file:
        lines = [line.split() for line in file.readlines()[1:]]
    established = "01"
    ours = {
        f"socket:[{fields[9]}]"
        for fields in lines
        if fields[3] == established and int(fields[1].split(":")[1], 16) == port
    }
    links = {}
    for descriptor in os.listdir(f"/proc/{pid}/fd"):
        links[descriptor] = os.readlink(f"/proc/{pid}/fd/{descriptor}")
    counts = []
    for descriptor, link in links.items():
        if link == "anon_inode:[eventpoll]":
            with open(f"/proc/{pid}/fdinfo/{descriptor}") as file:
                watched = re.findall(r"^tfd:\s+(\d+)", file.read(), re.M)
            counts.append(sum(links.get(watch) in ours for watch in watched))
    return [count for count in counts if count]
