"""One job: put one workload on every proxy, in interleaved rounds, and sum up what was seen.

A machine that slows down slows down for all proxies of a round: figures are medians over the
rounds, ratios are medians of the ratios within a round."""

import statistics
import time

import loads
import peers
from cost import CpuMeter
from counts import AllocationMeter, SyscallMeter

WARM_S = 1
COUNT_S = 1
DIRECT = "direct"


def workload(stage, servers, origin, load, rounds, seconds, deadline=None):
    """A dict by proxy, and the remarks on what did not work.

    Without `origin` nothing is measured without a proxy."""
    targets = list(servers) + ([origin] if origin is not None and load.direct else [])
    samples = {target.name: [] for target in targets}
    remarks = []
    for server in servers:
        server.move_to(stage.load_core if load.one_core else stage.proxy_core)
    for number in range(-1, rounds):  # the first one only warms
        first = number % len(targets)  # nobody always follows the same one
        for target in targets[first:] + targets[:first]:
            if samples[target.name] is None or (
                deadline is not None and time.monotonic() > deadline
            ):
                continue
            try:
                sample = _sample(stage, load, target, WARM_S if number < 0 else seconds)
            except loads.LoadFailed as failure:
                remarks.append(f"{target.name}: {failure}")
                samples[target.name] = None
                continue
            if number >= 0:
                samples[target.name].append(sample)
    found = {name: own for name, own in samples.items() if own}
    if origin is not None and origin.name in found:
        found[DIRECT] = found.pop(origin.name)
    return {name: _summary(own, found) for name, own in found.items()}, remarks


def _sample(stage, load, target, seconds):
    meter = CpuMeter(target)
    done = loads.run(stage, load, target.port, seconds, meter)
    return {"cpu_us": meter.seconds * 1e6 / done["requests"], **done}


def _summary(own, found):
    def median(figure):
        return statistics.median(sample[figure] for sample in own)

    cpu_us = [sample["cpu_us"] for sample in own]
    summary = {figure: median(figure) for figure in ("cpu_us", "rps", "p50_us", "p99_us")}
    summary["cpu_us_spread"] = (max(cpu_us) - min(cpu_us)) / summary["cpu_us"]
    summary["rounds"] = len(own)
    summary["skipped_ticks"] = sum(sample["skipped"] for sample in own)
    for beside in ("nginx", "relay"):
        if beside in found:
            ratios = [
                sample["cpu_us"] / other["cpu_us"] for sample, other in zip(own, found[beside])
            ]
            summary[f"of_{beside}"] = {
                "median": statistics.median(ratios),
                "min": min(ratios),
                "max": max(ratios),
            }
    if DIRECT in found:
        for figure in ("p50_us", "p99_us"):
            added = [sample[figure] - other[figure] for sample, other in zip(own, found[DIRECT])]
            summary[f"added_{figure}"] = statistics.median(added)
    return summary


def syscalls(stage, server, load):
    """System calls per request by name, or None where they cannot be counted."""
    server.move_to(stage.load_core if load.one_core else stage.proxy_core)
    meter = SyscallMeter(server, stage.workplace.new_folder("syscalls"))
    done = loads.run(stage, load, server.port, COUNT_S, meter)
    if not meter.calls:
        return None
    return {call: count / done["requests"] for call, count in meter.calls.most_common()}


def allocations(stage, name, workloads):
    """Allocations per request, by workload, of a fresh instance of the proxy."""
    meter = AllocationMeter(stage)
    server = peers.start(stage, name, meter.environment())
    found = {}
    try:
        for load in workloads:
            loads.run(stage, load, server.port, WARM_S)
            done = loads.run(stage, load, server.port, COUNT_S, meter)
            found[load.key] = meter.count / done["requests"]
    finally:
        stage.workplace.stop(server)
    return found
