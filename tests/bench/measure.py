"""One job: put one workload on every proxy, in interleaved rounds, and sum up what was seen.

A machine that slows down slows down for all proxies of a round, so rounds are many and short: figures
are medians over the rounds, ratios are medians of the ratios within a round."""

import dataclasses
import statistics
import time

import loads
import peers
from cost import CpuMeter
from counts import AllocationMeter, SyscallMeter

WARM_S = 0.5
COUNT_S = 0.2  # of what comes out the same each time
COUNT_WARM_S = 0.1
DIRECT = "direct"
BESIDE = ("nginx", "relay", "relay-63k")


def workload(stage, servers, origin, load, rounds, seconds, deadline=None):
    """A dict by proxy, and the remarks on what did not work.

    Without `origin` nothing is measured without a proxy."""
    targets = list(servers) + ([origin] if origin is not None and load.direct else [])
    samples = {target.name: {} for target in targets}  # by round: not everybody is in each
    remarks = []
    for server in servers:
        server.move_to(stage.load_core if load.one_core else stage.proxy_core)
    for number in range(-1, rounds):  # the first one only warms
        first = number % len(targets)  # nobody always follows the same one
        for target in targets[first:] + targets[:first]:
            if number > 0 and number % _every(target.name, rounds):
                continue
            if samples[target.name] is None or (
                deadline is not None and time.monotonic() > deadline
            ):
                continue
            try:
                seen = sample(stage, load, target, WARM_S if number < 0 else seconds)
            except loads.LoadFailed as failure:
                remarks.append(f"{target.name}: {failure}")
                samples[target.name] = None
                continue
            if number >= 0:
                samples[target.name][number] = seen
    found = {name: own for name, own in samples.items() if own}
    if origin is not None and origin.name in found:
        found[DIRECT] = found.pop(origin.name)
    return {name: _summary(own, found) for name, own in found.items()}, remarks


def _every(name, rounds):
    """In each how many-th round is it measured? At least in three of them."""
    return min(peers.EVERY.get(name, 1), max(1, (rounds - 1) // 2))


def sample(stage, load, target, seconds):
    """What loads.run() gives, with cpu_us: the target's, of each request."""
    meter = CpuMeter(target)
    done = loads.run(stage, load, target.port, seconds, meter)
    return {"cpu_us": meter.seconds * 1e6 / done["requests"], **done}


def spread(values):
    """Where the values of the rounds lie: the median, its quarters either side, least and most."""
    lower, median, upper = (
        statistics.quantiles(values, n=4, method="inclusive") if len(values) > 1 else values * 3
    )
    return {
        "median": median,
        "lower": lower,
        "upper": upper,
        "min": min(values),
        "max": max(values),
        "rounds": len(values),
    }


def _summary(own, found):
    def median(figure):
        return statistics.median(seen[figure] for seen in own.values())

    summary = {figure: median(figure) for figure in ("cpu_us", "rps", "p50_us", "p99_us")}
    summary["cpu_us_rounds"] = spread([seen["cpu_us"] for seen in own.values()])
    summary["rounds"] = len(own)
    summary["skipped_ticks"] = sum(seen["skipped"] for seen in own.values())
    for beside in BESIDE:
        ratios = [seen / other for seen, other in _pairs(own, found.get(beside), "cpu_us")]
        if ratios:
            summary[f"of_{beside}"] = spread(ratios)
    for figure in ("p50_us", "p99_us"):
        added = [seen - other for seen, other in _pairs(own, found.get(DIRECT), figure)]
        if added:
            summary[f"added_{figure}"] = statistics.median(added)
    return summary


def _pairs(own, other, figure):
    """The figure of both, of each round that both were in."""
    return [(own[n][figure], other[n][figure]) for n in own if n in other] if other else []


def _counted(load):
    """The same load by a generator that has opened its connections before anything is counted: wrk
    opens them in each run, and what that takes is shared by more requests or by fewer. It alone reads
    an answer without a length."""
    if load.generator == "wrk" and load.has_length:
        return dataclasses.replace(load, generator="pace")
    return load


def syscalls(stage, server, load):
    """System calls per request by name, or None where they cannot be counted."""
    server.move_to(stage.load_core if load.one_core else stage.proxy_core)

    meter = SyscallMeter(server, stage.workplace.new_folder("syscalls"))
    done = loads.run(stage, _counted(load), server.port, COUNT_S, meter)
    if not meter.calls:
        return None
    return {call: count / done["requests"] for call, count in meter.calls.most_common()}


def allocations(stage, name, workloads):
    """Allocations per request, by workload, of a fresh instance of the proxy; all of the workloads
    want the same of it."""
    meter = AllocationMeter(stage)
    server = peers.start(stage, name, meter.environment(), **workloads[0].settings)
    found = {}
    try:
        for load in map(_counted, workloads):
            loads.run(stage, load, server.port, COUNT_WARM_S)
            done = loads.run(stage, load, server.port, COUNT_S, meter)
            found[load.key] = meter.count / done["requests"]
    finally:
        stage.workplace.stop(server)
    return found
