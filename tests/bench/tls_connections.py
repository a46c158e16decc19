"""One job: what a client's TLS connection costs, apart from the requests on it: the CPU of the
handshake, and the memory while it is idle; and the memory of an idle one to the origin.

A handshake is what a visit (a new connection, one request, closed) costs more over TLS than without,
within a round. A full one has the certificate's signature; a resumed one goes on from a session that
the proxy granted."""

import time

import loads
import measure
import memory
import peers
from workloads import Workload

VISITORS = 16
PLAIN, FULL, RESUMED = "plain", "full", "resumed"
BESIDE = "nginx"


def _visit(how):
    return Workload(
        f"visit-{how}",
        f"{how} visit",
        "visits",
        "/bytes/100",
        VISITORS,
        tls="" if how == PLAIN else "client",
        visit=how,
    )


VISITS = [_visit(how) for how in (PLAIN, FULL, RESUMED)]


def run(stage, names, rounds, seconds, deadline):
    """A dict by proxy: each visit's and handshake's µs as measure.spread() gives them, those of
    handshakes of BESIDE's, too, and memory._idle()'s figures; and the remarks."""
    found, remarks = {}, []
    samples = _sample_all(stage, names, rounds, seconds, deadline, remarks)
    for name, own in samples.items():
        if own:
            found[name] = _summary(own, samples.get(BESIDE))
    for name, own in found.items():
        if time.monotonic() > deadline:
            remarks.append(f"{name}: idle TLS connections left out, as time was up")
            continue
        try:
            own["idle"] = memory.idle_tls(stage, name)
            own["idle_upstream"] = memory.idle_upstream_tls(stage, name)
        except (OSError, RuntimeError) as failure:
            remarks.append(f"{name}: idle TLS connections: {failure}")
            continue
        taken = own["idle_upstream"][0]
        if taken is not None and taken > memory.UPSTREAM_TLS_MAX:
            remarks.append(
                f"{name}: an idle TLS connection to the origin takes {taken:,.0f} bytes, and may "
                f"take {memory.UPSTREAM_TLS_MAX:,}"
            )
    return found, remarks


def _sample_all(stage, names, rounds, seconds, deadline, remarks):
    """By proxy a list with a dict for each round: µs by how it is visited."""
    servers = {name: _start(stage, name) for name in names}
    samples = {name: [] for name in names}
    try:
        for number in range(-1, rounds):  # the first one only warms
            first = number % len(names)
            for name in names[first:] + names[:first]:
                if samples[name] is None or time.monotonic() > deadline:
                    continue
                try:
                    seen = _round(stage, servers[name], seconds)
                except loads.LoadFailed as failure:
                    remarks.append(f"{name}: {failure}")
                    samples[name] = None
                    continue
                if number >= 0:
                    samples[name].append(seen)
    finally:
        for own in servers.values():
            for server in own.values():
                stage.workplace.stop(server)
    return samples


def _start(stage, name):
    """With TLS and without."""
    return {tls: peers.start(stage, name, client_tls=tls) for tls in (False, True)}


def _round(stage, servers, seconds):
    return {
        load.visit: measure.sample(stage, load, servers[load.tls == "client"], seconds)["cpu_us"]
        for load in VISITS
    }


def _more(seen, how):
    """What a handshake costs."""
    return seen[how] - seen[PLAIN]


def _summary(own, beside):
    summary = {PLAIN: measure.spread([seen[PLAIN] for seen in own])}
    for how in (FULL, RESUMED):
        summary[how] = measure.spread([_more(seen, how) for seen in own])
        if beside:
            pairs = zip(own, beside)
            ratios = [_more(seen, how) / _more(other, how) for seen, other in pairs]
            summary[f"{how}_of_{BESIDE}"] = measure.spread(ratios)
    return summary
