"""One job: what traffic notices of somebody who reads the inspector's whole list again and again.

Requests come at a constant rate and their latency is counted from when they were due, so a stall is
in the figures of all that were due meanwhile. The reader shares a core with origin and load, at the
least priority. What its mere work there costs is measured too: a round in which it reads as many
bytes, as often, from the origin."""

import http.client
import os
import statistics
import threading
import time

import loads
import measure
import peers
from workloads import Workload

RATE = 10_000
LOAD = Workload(
    "paced", f"GET 100 B, {RATE:,} a second", "pace", "/bytes/100", 64, rate=RATE, least_seconds=1
)
PROXY = "sightglass-captured"
LISTS = ("/_inspector/?limit=1000", "/_inspector/api/requests?limit=1000")
FIGURES = ("p50_us", "p99_us", "p999_us", "max_us")
ALONE, ELSEWHERE, READER = "nobody reads", "as much is read elsewhere", "the list is read"
TIMEOUT_S = 10


class _Reader:
    """Reads the paths in turn within its `with` block, not more often than each `every_s`."""

    def __init__(self, core, port, paths, every_s=0.0):
        self.core, self.paths, self.every_s = core, paths, every_s
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT_S)
        self.times, self.bytes = [], 0
        self.failure = None
        self.stop = threading.Event()
        self.thread = threading.Thread(target=self._run)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.stop.set()
        self.thread.join()
        self.connection.close()
        if self.failure:
            raise loads.LoadFailed(f"reader: {self.failure}")

    def _run(self):
        os.sched_setaffinity(0, {self.core})  # these two are the thread's alone
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), 19)
        try:
            while not self.stop.is_set():
                began = time.monotonic()
                self._read(self.paths[len(self.times) % len(self.paths)])
                self.times.append(time.monotonic() - began)
                self.stop.wait(max(0.0, began + self.every_s - time.monotonic()))
        except (OSError, http.client.HTTPException) as failure:
            self.failure = failure

    def _read(self, path):
        self.connection.request("GET", path, headers={"Accept": "application/json"})
        answer = self.connection.getresponse()
        self.bytes += len(answer.read())
        if answer.status != 200:
            raise OSError(f"{path}: {answer.status}")


def run(stage, origin, rounds, seconds, deadline):
    """A dict: of each mode the figures as measure.spread() gives them, and what they are more than
    in the same round without a reader; how often and how much was read."""
    server = peers.start(stage, PROXY)
    seen = {mode: [] for mode in (ALONE, ELSEWHERE, READER)}
    reads, sizes, times = [], [], []
    try:
        measure.sample(stage, LOAD, server, seconds)  # warms, and fills the list
        for _ in range(rounds):
            if time.monotonic() > deadline:
                break
            with _Reader(stage.load_core, server.port, LISTS) as reader:
                seen[READER].append(measure.sample(stage, LOAD, server, seconds))
            count = max(1, len(reader.times))
            reads.append(count / seen[READER][-1]["seconds"])
            sizes.append(reader.bytes / count)
            times += reader.times
            as_much = [f"/bytes/{sizes[-1]:.0f}"]
            with _Reader(stage.load_core, origin.port, as_much, 1 / reads[-1]):
                seen[ELSEWHERE].append(measure.sample(stage, LOAD, server, seconds))
            seen[ALONE].append(measure.sample(stage, LOAD, server, seconds))
    finally:
        stage.workplace.stop(server)
    if not seen[ALONE]:
        return None
    return {
        "proxy": PROXY,
        "rate": RATE,
        "modes": {mode: _figures(own, seen[ALONE]) for mode, own in seen.items()},
        "reads_per_second": statistics.median(reads),
        "bytes_per_read": statistics.median(sizes),
        "read_ms": statistics.median(times) * 1000,
    }


def _figures(own, alone):
    figures = {figure: measure.spread([one[figure] for one in own]) for figure in FIGURES}
    for figure in FIGURES:
        added = [one[figure] - other[figure] for one, other in zip(own, alone)]
        figures[f"added_{figure}"] = measure.spread(added)
    figures["cpu_us"] = measure.spread([one["cpu_us"] for one in own])
    return figures
