#!/usr/bin/env python3
"""Has a request become dearer than baseline.json says?

Compares CPU per request, as a ratio to another proxy in the same run, and the system calls and
allocations of a request. A busy machine is not a regression: CPU fails only where the least ratio of
all rounds of three tries is beyond 1.3 times the baseline, or twice it where that is another
machine's: what a copy costs beside a system call differs from one to the next. What is counted is the
same on a busy machine (but for waits, which are left out) and may hardly grow; it is counted three
times, too. Prints always; ends with 77 where nothing can be measured."""

import argparse
import json
import os
import sys
import time

import bench
import loads
import measure
import peers
from processes import Workplace, end_on_signals
from workloads import WORKLOADS

BASELINE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "baseline.json")
CHECKED = ("sightglass-excluded", "sightglass-captured")
BESIDE = ("nginx", "relay")
CPU, CALLS, ALLOCATIONS = "cpu", "system calls", "allocations"
TIMES = {CPU: 1.3, CALLS: 1.1, ALLOCATIONS: 1.3}
CPU_TIMES_ELSEWHERE = 2.0
SLACK = {CPU: 0.0, CALLS: 0.3, ALLOCATIONS: 0.2}
# How often a proxy waits says how fast its load is, not what it does.
WAITS = ("epoll_wait", "epoll_pwait", "epoll_pwait2")
TRIES = 3
ROUNDS, SECONDS = 4, 0.5
UPDATE_ROUNDS = 15
LIMIT_S = 110  # after which nothing is tried again
CANNOT = 77
MACHINE = "machine"  # whose baseline it is, beside the workloads' keys


class Check:
    """Judges figures as they are measured: `found` is what a new baseline would hold."""

    def __init__(self, baseline):
        self.baseline = baseline
        self.times = dict(TIMES)
        self.is_at_home = baseline.get(MACHINE) == processor()
        if not self.is_at_home:
            self.times[CPU] = CPU_TIMES_ELSEWHERE
        self.deadline = time.monotonic() + LIMIT_S
        self.found = {MACHINE: processor()}
        self.worse = []

    def judge(self, load, proxy, figure, measure_once):
        """Measures once, and again while it is beyond the limit.

        `measure_once` gives the figure and the least that was seen of it, or None."""
        known = self.baseline.get(load.key, {}).get(proxy, {}).get(figure)
        limit = None if known is None else known * self.times[figure] + SLACK[figure]
        seen = []
        while len(seen) < TRIES and (not seen or time.monotonic() < self.deadline):
            value = measure_once()
            if value is None:
                break
            seen.append(value)
            if limit is None or value[1] <= limit:
                break
        if seen:
            self.found.setdefault(load.key, {}).setdefault(proxy, {})[figure] = round(
                min(value for value, _ in seen), 3
            )
        verdict = self._verdict([least for _, least in seen], limit)
        if verdict == "DEARER":
            self.worse.append(f"{load.key}, {proxy}: {figure}")
        self._print(load.key, proxy, figure, known, seen, verdict)

    @staticmethod
    def _print(key, proxy, figure, known, seen, verdict):
        before = "-" if known is None else f"{known:.3f}"
        now = ", ".join(
            f"{value:.3f}" + (f" (least {least:.3f})" if least < value else "")
            for value, least in seen
        )
        print(f"{key:9} {proxy:20} {figure:13} {before:>7} -> {now or '-'}  {verdict}", flush=True)

    @staticmethod
    def _verdict(values, limit):
        if not values:
            return "not measured"
        if limit is None:
            return "no baseline"
        if min(values) <= limit:
            return "ok"
        return "DEARER" if len(values) == TRIES else "dearer, but not seen often enough"


def processor():
    return f"{bench.processor()}, {os.cpu_count()} cores"


def cpu_ratio(stage, servers, load, rounds):
    """A function that gives a proxy's ratio: at first from a run of all, then of a pair."""
    needed = [server for server in servers if server.name in (load.beside, *CHECKED)]
    together, remarks = measure.workload(stage, needed, None, load, rounds, SECONDS)
    for remark in remarks:
        print(f"{load.key}: {remark}")

    def of(server):
        pair = [other for other in servers if other.name in (load.beside, server.name)]
        found = together

        def measure_once():
            nonlocal found
            if found is None:
                found, _ = measure.workload(stage, pair, None, load, rounds, SECONDS)
            ratio = found.get(server.name, {}).get(f"of_{load.beside}")
            found = None
            return ratio and (ratio["median"], ratio["min"])

        return measure_once

    return of


def count_syscalls(stage, server, load):
    try:
        calls = measure.syscalls(stage, server, load)
    except loads.LoadFailed:
        return None
    if calls is None:
        return None
    return (sum(count for call, count in calls.items() if call not in WAITS),) * 2


def count_allocations(stage, proxy, load):
    try:
        return (measure.allocations(stage, proxy, [load])[load.key],) * 2
    except (loads.LoadFailed, RuntimeError):
        return None


def run(stage, check, rounds):
    workloads = [load for load in WORKLOADS if load.in_check]
    beside = ", ".join(f"{load.key} of {load.beside}" for load in workloads)
    print(f"Baseline -> now, per request. CPU as a ratio in the same run: {beside}.")
    if check.baseline and not check.is_at_home:
        print(
            f"The baseline is of another machine: CPU is judged at {CPU_TIMES_ELSEWHERE} times it."
        )
    peers.start_origin(stage)
    servers = [peers.start(stage, name) for name in BESIDE + CHECKED]
    checked = [server for server in servers if server.name in CHECKED]
    for load in workloads:
        ratio_of = cpu_ratio(stage, servers, load, rounds)
        for server in checked:
            check.judge(load, server.name, CPU, ratio_of(server))
        for server in checked:
            check.judge(load, server.name, CALLS, lambda: count_syscalls(stage, server, load))
        for server in checked:
            check.judge(
                load,
                server.name,
                ALLOCATIONS,
                lambda: count_allocations(stage, server.name, load),
            )


def read_baseline():
    if not os.path.exists(BASELINE):
        return {}
    with open(BASELINE) as file:
        return json.load(file)


def write_baseline(found):
    with open(BASELINE, "w") as file:
        json.dump(found, file, indent=1)
        file.write("\n")


def main():
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--update", action="store_true", help="write baseline.json anew")
    options.add_argument("--build", metavar="FOLDER", default=bench.BUILD, help="CMake's")
    options = options.parse_args()
    end_on_signals()
    with Workplace() as workplace:
        stage, reason = bench.make_stage(workplace, options.build, BESIDE + CHECKED)
        if stage is None:
            print(f"bench-check: not measured: {reason}")
            sys.exit(CANNOT)
        check = Check({} if options.update else read_baseline())
        try:
            run(stage, check, UPDATE_ROUNDS if options.update else ROUNDS)
        except RuntimeError as failure:  # a server that does not start
            print(f"bench-check: not measured: {failure}")
            sys.exit(CANNOT)
    if check.found.keys() == {MACHINE}:
        print("bench-check: nothing could be measured")
        sys.exit(CANNOT)
    if options.update:
        write_baseline(check.found)
    if check.worse:
        sys.exit("bench-check: dearer than the baseline: " + "; ".join(check.worse))
    print("bench-check: nothing has become dearer")


if __name__ == "__main__":
    main()
