#!/usr/bin/env python3
"""What a request through Sightglass costs, beside other proxies in the same run. Prints Markdown.

Stops by itself: what would begin after --limit seconds is left out, and that is told."""

import argparse
import json
import os
import platform
import sys
import time

import black_hole
import fan_out
import inspector
import loads
import measure
import memory
import peers
import report
import ring
import scale
import tls_connections
from processes import Workplace, end_on_signals, raise_descriptor_limit
from workloads import IDLE_CONNECTIONS, STREAM_BYTES, WORKLOADS

BUILD = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "build")
INSPECTOR, SCALE, MEMORY = "inspector", "scale", "memory"
TLS = "tls"  # all parts whose keys begin so
TLS_CONNECTIONS = "tls-connections"
BLACK_HOLE, FAN_OUT = "black-hole", "fan-out"
PARTS = (INSPECTOR, BLACK_HOLE, FAN_OUT, SCALE, TLS_CONNECTIONS, MEMORY)
QUICK_ROUNDS = 5
INSPECTOR_ROUNDS, INSPECTOR_SECONDS = 7, 2
BLACK_HOLE_ROUNDS, BLACK_HOLE_SECONDS = 15, 1
FAN_OUT_ROUNDS = 15
SCALE_ROUNDS = 5
TLS_CONNECTION_ROUNDS, TLS_CONNECTION_SECONDS = 5, 0.4


def names_of(text, known, what):
    chosen = text.split(",")
    unknown = [name for name in chosen if name not in known]
    if unknown:
        sys.exit(f"bench: no {what} is called {', '.join(unknown)}; there are {', '.join(known)}")
    return [name for name in known if name in chosen]


def parse_options():
    keys = [load.key for load in WORKLOADS] + list(PARTS)
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--only", metavar="LIST", help=f"parts: {', '.join([*keys, TLS])}")
    options.add_argument("--proxies", metavar="LIST", help=", ".join(peers.NAMES))
    options.add_argument("--rounds", type=int, help="5 with --quick, else 5 to 11")
    options.add_argument("--seconds", type=float, default=0.7, help="of each round: 0.7")
    options.add_argument("--quick", action="store_true", help="fewer workloads and rounds")
    options.add_argument("--no-counts", action="store_true", help="no system calls, no allocations")
    options.add_argument(
        "--limit", type=int, default=1020, help="seconds after which nothing more is begun"
    )
    options.add_argument("--json", metavar="FILE", help="the figures go there, too")
    options.add_argument("--build", metavar="FOLDER", default=BUILD, help="that CMake has built in")
    options = options.parse_args()
    options.rounds = options.rounds or (QUICK_ROUNDS if options.quick else None)
    short = [load.key for load in WORKLOADS if load.in_check]
    options.only = options.only or ",".join(short if options.quick else keys)
    options.only = names_of(options.only, [*keys, TLS], "part")
    if TLS in options.only:
        options.only = [key for key in keys if key in options.only or key.startswith(f"{TLS}-")]
    options.asked_for = options.proxies is not None
    options.proxies = names_of(options.proxies or ",".join(peers.USUAL), peers.NAMES, "proxy")
    return options


def say(text):
    print(f"bench: {time.strftime('%H:%M:%S')} {text}", file=sys.stderr, flush=True)


def make_stage(workplace, build, proxies, with_tls=False):
    """Where these can be started; or None, and the reason why not."""
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) < 2:
        return None, "needs two cores: one for the proxy, one for origin and load"
    stage = peers.Stage(
        workplace, os.path.abspath(build), cores[0], cores[1], raise_descriptor_limit()
    )
    missing = peers.missing(stage, proxies, with_tls)
    if missing:
        return None, f"not here: {', '.join(missing)}"
    return stage, None


def processor():
    with open("/proc/cpuinfo") as file:
        models = [line.split(":", 1)[1].strip() for line in file if line.startswith("model name")]
    return models[0] if models else platform.machine()


def machine():
    return f"{processor()}, {os.cpu_count()} cores, Linux {platform.release()}"


def measure_memory(stage, options, results, deadline):
    for count in IDLE_CONNECTIONS:
        names = [name for name in options.proxies if not may_have_idle(stage, name, count)]
        if names:
            results["remarks"].append(
                f"{count:,} idle connections: left out for {', '.join(names)}, as a process may "
                f"have {stage.descriptors:,} descriptors here"
            )
    for name in options.proxies:
        if time.monotonic() > deadline:
            results["remarks"].append(f"{name}: memory left out, as time was up")
            continue
        say(f"memory, {name}")
        counts = [count for count in IDLE_CONNECTIONS if may_have_idle(stage, name, count)]
        try:
            results["memory"][name] = memory.measure(stage, name, counts, STREAM_BYTES)
        except (OSError, RuntimeError) as failure:
            results["remarks"].append(f"{name}: memory: {failure}")
    if ring.PROXY in options.proxies and time.monotonic() < deadline:
        try:
            results["ring"] = ring.measure(stage, deadline)
        except (OSError, RuntimeError) as failure:
            results["remarks"].append(f"ring: {failure}")


def may_have_idle(stage, name, count):
    return peers.descriptors_of(name, count) <= stage.descriptors


def measure_workloads(stage, options, workloads, origin, results, deadline):
    running = {}  # by name and by who speaks TLS
    for load in workloads:
        if time.monotonic() > deadline:
            results["remarks"].append(f"{load.title}: left out, as time was up")
            continue
        names = proxies_of(load, options)
        if not names:
            results["remarks"].append(f"{load.title}: none of these proxies is set up for TLS here")
            continue
        say(load.title)
        servers = []
        for name in names:
            key = (name, load.tls)
            if key not in running:
                running[key] = peers.start(stage, name, **load.settings)
            servers.append(running[key])
        rounds = options.rounds or load.rounds
        found, remarks = measure.workload(
            stage, servers, origin, load, rounds, options.seconds, deadline
        )
        results["remarks"] += [f"{load.title}: {remark}" for remark in remarks]
        results["workloads"].append(
            {"key": load.key, "title": load.title, "rounds": rounds, "proxies": found}
        )
        for server in servers:
            if options.no_counts or server.name not in found or time.monotonic() > deadline:
                continue
            try:
                found[server.name]["syscalls"] = measure.syscalls(stage, server, load)
            except loads.LoadFailed as failure:
                results["remarks"].append(f"{server.name}: system calls: {failure}")
        results["remarks"] += [
            f"{load.title}: {name} left {own['skipped_ticks']} ticks out, as it was late"
            for name, own in found.items()
            if own["skipped_ticks"]
        ]
    for server in running.values():
        stage.workplace.stop(server)


def proxies_of(load, options):
    names = options.proxies + ([] if options.asked_for else list(load.also))
    return [name for name in names if not load.tls or name in peers.SPEAK_TLS]


def rounds_of(options, usual):
    return min(options.rounds, usual) if options.rounds else usual


def measure_inspector(stage, options, origin, results, deadline):
    if time.monotonic() > deadline:
        results["remarks"].append("inspector: left out, as time was up")
        return
    say("the inspector beside traffic")
    rounds = rounds_of(options, INSPECTOR_ROUNDS)
    seconds = INSPECTOR_SECONDS if rounds == INSPECTOR_ROUNDS else 1
    try:
        results["inspector"] = inspector.run(stage, origin, rounds, seconds, deadline)
    except loads.LoadFailed as failure:
        results["remarks"].append(f"inspector: {failure}")


def measure_black_hole(stage, options, results, deadline):
    if time.monotonic() > deadline:
        results["remarks"].append("black hole: left out, as time was up")
        return
    say("an upstream beside a black hole")
    rounds = rounds_of(options, BLACK_HOLE_ROUNDS)
    try:
        results["black_hole"] = black_hole.run(stage, rounds, BLACK_HOLE_SECONDS, deadline)
    except (loads.LoadFailed, OSError, RuntimeError) as failure:
        results["remarks"].append(f"black hole: {failure}")


def measure_fan_out(stage, options, results, deadline):
    say("a fan-out through a cold pool")
    rounds = rounds_of(options, FAN_OUT_ROUNDS)
    try:
        results["fan_out"] = fan_out.run(stage, rounds, deadline)
    except (OSError, RuntimeError) as failure:
        results["remarks"].append(f"fan-out: {failure}")
    if not results["fan_out"]:
        results["remarks"].append("fan-out: left out, as time was up")


def measure_scale(stage, options, results, deadline):
    say("scale")
    rounds = rounds_of(options, SCALE_ROUNDS)
    found = scale.Scale(stage, rounds, options.seconds, deadline).measure()
    results["scale"] = found["rows"]
    results["remarks"] += found["remarks"]


def measure_tls_connections(stage, options, results, deadline):
    names = [name for name in options.proxies if name in peers.SPEAK_TLS]
    if not names:
        results["remarks"].append("TLS connections: none of these proxies is set up for TLS here")
        return
    if time.monotonic() > deadline:
        results["remarks"].append("TLS connections: left out, as time was up")
        return
    say("TLS connections")
    rounds = rounds_of(options, TLS_CONNECTION_ROUNDS)
    try:
        results["tls_connections"], remarks = tls_connections.run(
            stage, names, rounds, TLS_CONNECTION_SECONDS, deadline
        )
        results["remarks"] += remarks
    except RuntimeError as failure:
        results["remarks"].append(f"TLS connections: {failure}")


def measure_allocations(stage, options, workloads, results, deadline):
    for name in options.proxies:
        if name in peers.EVERY and not options.asked_for:
            continue  # nothing is judged by it
        if time.monotonic() > deadline:
            results["remarks"].append(f"{name}: allocations left out, as time was up")
            continue
        say(f"allocations, {name}")
        for tls in ("", "client", "upstream"):
            alike = [load for load in workloads if load.tls == tls]
            if not alike or name not in proxies_of(alike[0], options):
                continue
            try:
                found = measure.allocations(stage, name, alike)
            except (loads.LoadFailed, RuntimeError) as failure:
                results["remarks"].append(f"{name}: allocations: {failure}")
                continue
            for load in results["workloads"]:
                if load["key"] in found and name in load["proxies"]:
                    load["proxies"][name]["allocations"] = found[load["key"]]


def main():
    options = parse_options()
    end_on_signals()
    began = time.monotonic()
    deadline = began + options.limit
    workloads = [load for load in WORKLOADS if load.key in options.only]
    with Workplace() as workplace:
        needed = [*options.proxies, *(["nginx"] if SCALE in options.only else [])]
        with_tls = any(key.startswith(TLS) for key in options.only) or FAN_OUT in options.only
        stage, reason = make_stage(workplace, options.build, needed, with_tls)
        if stage is None:
            sys.exit(f"bench: {reason}")
        results = {
            "machine": machine(),
            "versions": peers.versions(options.proxies),
            "proxy_core": stage.proxy_core,
            "load_core": stage.load_core,
            "seconds": options.seconds,
            "workloads": [],
            "inspector": None,
            "black_hole": None,
            "fan_out": [],
            "scale": [],
            "tls_connections": {},
            "memory": {},
            "ring": None,
            "remarks": [],
        }
        origin = peers.start_origin(stage)
        if with_tls:
            peers.start_tls_origin(stage)
        # In the order of what has to be there when time is up.
        if workloads:
            measure_workloads(stage, options, workloads, origin, results, deadline)
        if INSPECTOR in options.only:
            measure_inspector(stage, options, origin, results, deadline)
        if BLACK_HOLE in options.only:
            measure_black_hole(stage, options, results, deadline)
        if FAN_OUT in options.only:
            measure_fan_out(stage, options, results, deadline)
        if SCALE in options.only:
            measure_scale(stage, options, results, deadline)
        if TLS_CONNECTIONS in options.only:
            measure_tls_connections(stage, options, results, deadline)
        if MEMORY in options.only:
            measure_memory(stage, options, results, deadline)
        if workloads and not options.no_counts:
            measure_allocations(stage, options, workloads, results, deadline)
    results["took_s"] = round(time.monotonic() - began)
    print(report.markdown(results))
    if options.json:
        with open(options.json, "w") as file:
            json.dump(results, file, indent=1)
            file.write("\n")


if __name__ == "__main__":
    main()
