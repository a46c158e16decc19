"""One job: what the traffic of one upstream notices of another that swallows every attempt to
connect.

Requests to the good one come at a constant rate, and their latency is counted from when they were
due. Meanwhile the other one's pool is full of attempts to connect, its queue is full behind them,
and whoever is told so asks again. That is some work for the proxy and for who asks; so there is a
round, too, in which as much is asked of a third upstream, that refuses at once: what swallowing
costs is more than that."""

import collections
import contextlib
import os
import select
import socket
import subprocess
import sys
import time

import loads
import measure
import peers
from workloads import Workload

RATE = 2_000  # so that neither core is ever busy for long, on a slow machine either
LOAD = Workload(
    "paced", f"GET 100 B, {RATE:,} a second", "pace", "/bytes/100", 64, rate=RATE, least_seconds=1
)
PROXY = "sightglass-captured"
CONNECTIONS, QUEUE = 50, 1000  # of the hole's pool: as it is by default
CLIENTS = CONNECTIONS + QUEUE + 50  # some are always told that the queue is full
ASKED_PER_S = 100
CONNECT_MS = 1000  # so that the pool gives up fifty times a second, and dials as often
FIGURES = ("p50_us", "p99_us", "p999_us", "max_us")
ALONE, REFUSED, SWALLOWED = "nothing", "one that refuses", "one that swallows"
HOLE, REFUSER = "/hole/x", "/refuser/x"
TIMEOUT_S = 10
FULL_S = 2 * CONNECT_MS / 1000  # until it gives up as often as it dials
CLEARS_S = 1.2 * CONNECT_MS / 1000  # until nothing of it is left


@contextlib.contextmanager
def swallower():
    """The port of a listener that has no room for anybody: the system drops what asks to
    connect."""
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        for _ in range(4):
            filler = stack.enter_context(socket.socket())
            filler.setblocking(False)
            filler.connect_ex(listener.getsockname())
        yield listener.getsockname()[1]


@contextlib.contextmanager
def refuser():
    """A port where nobody listens, nor will."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield bound.getsockname()[1]


def _upstream(name, port):
    return (
        f"  - {{name: {name}, url: 'http://127.0.0.1:{port}', "
        f"pool: {{max_connections: {CONNECTIONS}, queue: {QUEUE}, queue_timeout: 0}}, "
        f"timeouts: {{connect: {CONNECT_MS}ms}}, breaker: {{failures: 0}}}}"
    )


class Askers:
    """Within its `with` block CLIENTS clients ask for a path, each again when it is answered, but
    in all at most ASKED_PER_S times a second; `all_first`: once all of them at once, before. In a
    process of its own, of the least priority."""

    def __init__(self, core, port, path, all_first):
        self.argv = [sys.executable, os.path.abspath(__file__), str(core), str(port), path]
        self.argv += ["all-first"] if all_first else []

    def __enter__(self):
        self.process = subprocess.Popen(
            self.argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        if self.process.stdout.readline() != "ready\n":
            self.process.kill()
            self.process.wait()
            raise loads.LoadFailed("those who ask elsewhere did not come so far")
        return self

    def __exit__(self, *_):
        """`answers`: how many there were a second, by their status."""
        told, _ = self.process.communicate(timeout=TIMEOUT_S)
        self.answers = dict(pair.split("=") for pair in told.split())
        time.sleep(CLEARS_S)


def run(stage, rounds, seconds, deadline):
    """A dict: of each mode the figures as measure.spread() gives them, and their ratios to those
    of the others in the same round; and how the hole's clients were answered."""
    with swallower() as hole, refuser() as nobody:
        server = peers.start(
            stage,
            PROXY,
            upstreams=_upstream("hole", hole) + "\n" + _upstream("refuser", nobody),
            routes="  - {prefix: /hole, upstream: hole}\n"
            "  - {prefix: /refuser, upstream: refuser}",
        )
        try:
            return _run(stage, server, rounds, seconds, deadline)
        finally:
            stage.workplace.stop(server)


def _run(stage, server, rounds, seconds, deadline):
    askers = {
        ALONE: contextlib.nullcontext,
        REFUSED: lambda: Askers(stage.load_core, server.port, REFUSER, all_first=False),
        SWALLOWED: lambda: Askers(stage.load_core, server.port, HOLE, all_first=True),
    }
    seen = {mode: [] for mode in askers}
    told = []
    measure.sample(stage, LOAD, server, seconds)
    for number in range(rounds):
        if time.monotonic() > deadline:
            break
        order = list(askers)[number % 3 :] + list(askers)[: number % 3]
        for mode in order:
            with askers[mode]() as asker:
                seen[mode].append(measure.sample(stage, LOAD, server, seconds))
            if mode == SWALLOWED:
                told.append(asker.answers)
    if not seen[SWALLOWED]:
        return None
    return {
        "proxy": PROXY,
        "rate": RATE,
        "waiting": CONNECTIONS + QUEUE,
        "modes": {mode: _figures(own, seen) for mode, own in seen.items()},
        "told": told[len(told) // 2],
    }


def _figures(own, seen):
    figures = {figure: measure.spread([one[figure] for one in own]) for figure in FIGURES}
    for beside in (ALONE, REFUSED):
        for figure in ("p50_us", "p99_us"):
            ratios = [one[figure] / other[figure] for one, other in zip(own, seen[beside])]
            figures[f"{figure}_of_{beside}"] = measure.spread(ratios)
    figures["cpu_us"] = measure.spread([one["cpu_us"] for one in own])
    return figures


# The process of those who ask.


class _Asking:
    def __init__(self, port, path):
        self.request = f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode()
        self.poll = select.poll()
        self.poll.register(sys.stdin.fileno(), select.POLLIN)
        self.answers = collections.Counter()
        self.connections = {}
        self.idle = collections.deque()
        for _ in range(CLIENTS):
            connection = socket.create_connection(("127.0.0.1", port), TIMEOUT_S)
            self.poll.register(connection, select.POLLIN)
            self.connections[connection.fileno()] = connection
            self.idle.append(connection)

    def ask(self, most):
        for _ in range(min(most, len(self.idle))):
            self.idle.popleft().sendall(self.request)

    def read(self, wait_s):
        """False once it is to end."""
        for descriptor, _ in self.poll.poll(wait_s * 1000):
            if descriptor not in self.connections:
                return False
            connection = self.connections[descriptor]
            answer = connection.recv(65536)  # it is small, and comes whole
            if not answer.startswith(b"HTTP/1.1 "):
                raise RuntimeError(f"no answer: {answer!r}")
            self.answers[answer[9:12].decode()] += 1
            self.idle.append(connection)
        return True

    def go_on(self, seconds):
        """Asks as often as it may, and reads; until the time is over, or False once it is to
        end."""
        began, asked = time.monotonic(), 0
        while True:
            passed = time.monotonic() - began
            if passed >= seconds:
                return True
            due = int(passed * ASKED_PER_S) - asked
            self.ask(due)
            asked += due
            if not self.read(1 / ASKED_PER_S):
                return False


def _main(core, port, path, all_first):
    os.sched_setaffinity(0, {core})
    os.setpriority(os.PRIO_PROCESS, 0, 19)
    asking = _Asking(port, path)
    if all_first:
        asking.ask(CLIENTS)
        asking.go_on(FULL_S)
    asking.answers.clear()
    print("ready", flush=True)
    began = time.monotonic()
    asking.go_on(TIMEOUT_S)
    seconds = time.monotonic() - began
    print(*(f"{status}={count / seconds:.0f}" for status, count in asking.answers.items()))


if __name__ == "__main__":
    _main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3], sys.argv[4:] == ["all-first"])
