#!/usr/bin/env python3
"""What a request through Sightglass costs, beside nginx in the same run.

The proxy alone is on one core; the origin (nginx) and the load (wrk) are on the other. Rounds are interleaved, so that a machine that
slows down slows down for all; figures are medians over the rounds, ratios are medians of the ratios within each round. CPU per request is the
on-CPU time of the proxy's process tree divided by the requests that were answered.
"""

import argparse
import json
import os
import re
import statistics
import subprocess
import sys

import peers
from processes import Workplace

PROXY_CORE, LOAD_CORE = 0, 1

WORKLOADS = [  # name, path, connections
    ("GET 100 B, 64 connections", "/small", 64),
    ("GET 16 KiB, 32 connections", "/16k", 32),
    ("GET 1 MiB, 8 connections", "/1m", 8),
]


def load(server, path, connections, seconds):
    """Requests per second and CPU microseconds per request of one round."""
    before = server.cpu_seconds()
    done = subprocess.run(
        ["taskset", "-c", str(LOAD_CORE), "wrk", "-t1", f"-c{connections}", f"-d{seconds}s", f"http://127.0.0.1:{server.port}{path}"],
        capture_output=True, text=True, check=True,
    ).stdout
    cpu = server.cpu_seconds() - before
    requests = int(re.search(r"(\d+) requests in", done).group(1))
    if re.search(r"Non-2xx|Socket errors", done):
        raise RuntimeError(f"{server.name}: {done}")
    return {"rps": float(re.search(r"Requests/sec:\s+([\d.]+)", done).group(1)), "cpu_us": cpu * 1e6 / requests}


def measure(servers, rounds, seconds):
    results = []
    for name, path, connections in WORKLOADS:
        samples = {server.name: [] for server in servers}
        for server in servers:
            load(server, path, connections, 1)  # warm
        for _ in range(rounds):
            for server in servers:
                samples[server.name].append(load(server, path, connections, seconds))
        results.append({"workload": name, "proxies": {proxy: summarise(own, samples["nginx"]) for proxy, own in samples.items()}})
    return results


def summarise(samples, nginx):
    ratios = [sample["cpu_us"] / beside["cpu_us"] for sample, beside in zip(samples, nginx)]
    return {
        "cpu_us": statistics.median(sample["cpu_us"] for sample in samples),
        "rps": statistics.median(sample["rps"] for sample in samples),
        "ratio": statistics.median(ratios),
        "ratio_min": min(ratios),
        "ratio_max": max(ratios),
    }


def markdown(results, servers):
    lines = ["| workload | proxy | CPU µs/request | of nginx (spread) | requests/s |", "|---|---|---|---|---|"]
    for result in results:
        for proxy, own in result["proxies"].items():
            lines.append(
                f"| {result['workload']} | {proxy} | {own['cpu_us']:.1f} | {own['ratio']:.2f} ({own['ratio_min']:.2f}–{own['ratio_max']:.2f}) | {own['rps']:,.0f} |"
            )
    lines += ["", "Memory (RSS) after the load: " + ", ".join(f"{server.name} {server.rss_kib() / 1024:.1f} MiB" for server in servers) + "."]
    return "\n".join(lines)


def main():
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--binary", default=os.path.join(os.path.dirname(__file__), "../../build/sightglass"))
    options.add_argument("--rounds", type=int, default=5)
    options.add_argument("--seconds", type=int, default=4, help="of each round")
    options.add_argument("--json", metavar="FILE", help="also write the figures there")
    options = options.parse_args()
    if os.cpu_count() < 2:
        sys.exit("bench: needs two cores: one for the proxy, one for origin and load")
    with Workplace() as workplace:
        origin = peers.origin(workplace, LOAD_CORE)
        servers = [
            peers.nginx_proxy(workplace, PROXY_CORE, origin.port),
            peers.sightglass(workplace, PROXY_CORE, origin.port, options.binary, "sightglass captured", "full"),
            peers.sightglass(workplace, PROXY_CORE, origin.port, options.binary, "sightglass excluded", "row"),
        ]
        results = measure(servers, options.rounds, options.seconds)
        print(markdown(results, servers))
    if options.json:
        with open(options.json, "w") as out:
            json.dump(results, out, indent=1)


if __name__ == "__main__":
    main()
