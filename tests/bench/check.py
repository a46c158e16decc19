#!/usr/bin/env python3
"""Has a request become dearer than baseline.json says?

Compares CPU per request, as a ratio to another proxy in the same run, system calls and allocations
per request. Prints always; fails only beyond 1.3 times the baseline, and only where each of three
tries said so: a busy machine is not a regression. Ends with 77 where nothing can be measured."""

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
TIMES = 1.3
# What a connection's setup adds, shared by more or fewer requests.
SLACK = {"cpu": 0.0, "system calls": 0.2, "allocations": 0.05}
TRIES = 3
ROUNDS, SECONDS = 3, 1
UPDATE_ROUNDS = 7
LIMIT_S = 420
CANNOT = 77


class Check:
    """Judges figures as they are measured: `found` is what a new baseline would hold."""

    def __init__(self, baseline):
        self.baseline = baseline
        self.deadline = time.monotonic() + LIMIT_S
        self.found = {}
        self.worse = []

    def judge(self, load, proxy, figure, measure_once):
        """Measures once, and again while it is beyond the limit; the least counts."""
        known = self.baseline.get(load.key, {}).get(proxy, {}).get(figure)
        limit = None if known is None else known * TIMES + SLACK[figure]
        values = []
        while len(values) < TRIES and (not values or time.monotonic() < self.deadline):
            value = measure_once()
            if value is None:
                break
            values.append(value)
            if limit is None or value <= limit:
                break
        if values:
            self.found.setdefault(load.key, {}).setdefault(proxy, {})[figure] = round(
                min(values), 3
            )
        verdict = self._verdict(values, limit)
        if verdict == "DEARER":
            self.worse.append(f"{load.key}, {proxy}: {figure}")
        before = "-" if known is None else f"{known:.3f}"
        now = ", ".join(f"{value:.3f}" for value in values)
        print(f"{load.key:9} {proxy:20} {figure:13} {before:>7} -> {now or '-'}  {verdict}")
        sys.stdout.flush()

    @staticmethod
    def _verdict(values, limit):
        if not values:
            return "not measured"
        if limit is None:
            return "no baseline"
        if min(values) <= limit:
            return "ok"
        return "DEARER" if len(values) == TRIES else "dearer, but not seen often enough"


def cpu_ratio(stage, servers, load, rounds):
    """A function that gives a proxy's ratio: at first from a run of all, then of a pair."""
    together, remarks = measure.workload(stage, servers, None, load, rounds, SECONDS)
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
            return ratio and ratio["median"]

        return measure_once

    return of


def count_syscalls(stage, server, load):
    try:
        calls = measure.syscalls(stage, server, load)
    except loads.LoadFailed:
        return None
    return calls and sum(calls.values())


def count_allocations(stage, proxy, load):
    try:
        return measure.allocations(stage, proxy, [load])[load.key]
    except (loads.LoadFailed, RuntimeError):
        return None


def run(stage, check, rounds):
    workloads = [load for load in WORKLOADS if load.in_check]
    beside = ", ".join(f"{load.key} of {load.beside}" for load in workloads)
    print(f"Baseline -> now, per request. CPU as a ratio in the same run: {beside}.")
    peers.start_origin(stage)
    servers = [peers.start(stage, name) for name in BESIDE + CHECKED]
    checked = [server for server in servers if server.name in CHECKED]
    for load in workloads:
        ratio_of = cpu_ratio(stage, servers, load, rounds)
        for server in checked:
            check.judge(load, server.name, "cpu", ratio_of(server))
        for server in checked:
            check.judge(
                load, server.name, "system calls", lambda: count_syscalls(stage, server, load)
            )
        for server in checked:
            check.judge(
                load,
                server.name,
                "allocations",
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
        run(stage, check, UPDATE_ROUNDS if options.update else ROUNDS)
    if options.update:
        write_baseline(check.found)
    if check.worse:
        sys.exit("bench-check: dearer than the baseline: " + "; ".join(check.worse))
    print("bench-check: nothing has become dearer")


if __name__ == "__main__":
    main()
