"""One job: the figures as Markdown."""

from fan_out import CALLS
from fan_out import TARGET as FAN_OUT_TARGET
from measure import BESIDE
from memory import TLS_CLIENTS, UPSTREAM, UPSTREAM_TLS_MAX
from tls_connections import BESIDE as BESIDE_TLS
from tls_connections import VISITORS


def markdown(results):
    lines = ["# " + results["machine"], "", ", ".join(results["versions"]) + ".", ""]
    lines.append(
        f"Proxy alone on core {results['proxy_core']}, origin and load on core "
        f"{results['load_core']}; one worker each. {_rounds(results)}haproxy in three; medians, "
        "of the ratios within a round, too. In brackets, and as spread, where the middle half of the "
        "rounds lies. All of it took "
        f"{results['took_s'] // 60} min {results['took_s'] % 60} s."
    )
    for load in results["workloads"]:
        lines += ["", f"## {load['title']}", ""] + _workload_table(load)
    if results["inspector"]:
        lines += ["", "## The inspector beside traffic", ""] + _inspector(results["inspector"])
    if results["black_hole"]:
        lines += ["", "## An upstream beside a black hole", ""]
        lines += _black_hole(results["black_hole"])
    if results["fan_out"]:
        lines += ["", "## A fan-out through a cold pool", ""] + _fan_out(results["fan_out"])
    if results["scale"]:
        lines += ["", "## Scale: CPU per request", ""] + _scale_table(results["scale"])
    if results["tls_connections"]:
        lines += ["", "## TLS connections of clients", ""]
        lines += _tls_connections(results["tls_connections"])
    if results["memory"]:
        lines += ["", "## Memory", ""] + _memory_table(results["memory"])
    if results["ring"]:
        lines += ["", _ring(results["ring"])]
    if results["remarks"]:
        lines += ["", "## Remarks", ""] + [f"- {remark}" for remark in results["remarks"]]
    return "\n".join(lines)


def _rounds(results):
    counts = sorted({load["rounds"] for load in results["workloads"]}, reverse=True)
    if not counts:
        return ""
    return f"{', '.join(map(str, counts))} interleaved rounds of {results['seconds']} s, "


def _table(head, rows):
    return ["| " + " | ".join(row) + " |" for row in [head, ["---"] * len(head), *rows]]


def _ratio(own):
    return "–" if own is None else f"{own['median']:.2f} ({own['lower']:.2f}–{own['upper']:.2f})"


def _spread(own):
    return f"{100 * (own['upper'] - own['lower']) / own['median']:.0f} %"


def _number(value, form="{:.1f}"):
    return "–" if value is None else form.format(value)


def _workload_table(load):
    with_latency = any("added_p50_us" in own for own in load["proxies"].values())
    beside = [other for other in BESIDE if other in load["proxies"]]
    head = ["proxy", "CPU µs/request", *(f"of {other}" for other in beside), "spread", "requests/s"]
    head += ["p50 / p99 added, µs"] if with_latency else ["p50 / p99, µs"]
    head += ["system calls", "allocations"]
    rows = []
    for name, own in load["proxies"].items():
        calls = own.get("syscalls")
        latency = (
            ("added_p50_us", "added_p99_us")
            if with_latency and name != "direct"
            else ("p50_us", "p99_us")
        )
        rows.append(
            [
                name,
                "–" if name == "direct" else f"{own['cpu_us']:.2f}",
                *("–" if name == "direct" else _ratio(own.get(f"of_{other}")) for other in beside),
                "–" if name == "direct" else _spread(own["cpu_us_rounds"]),
                f"{own['rps']:,.0f}",
                " / ".join(f"{own[figure]:,.0f}" if figure in own else "–" for figure in latency),
                "–" if not calls else f"{sum(calls.values()):.2f} ({_calls(calls)})",
                _number(own.get("allocations"), "{:.3f}"),
            ]
        )
    return _table(head, rows)


def _calls(calls):
    return ", ".join(f"{count:.2f} {name}" for name, count in calls.items() if count >= 0.005)


def _between(own, form="{:,.0f}"):
    middle = "–".join(form.format(own[end]).replace("-", "−") for end in ("lower", "upper"))
    return f"{form.format(own['median']).replace('-', '−')} ({middle})"


def _inspector(found):
    lines = [
        f"{found['proxy']}, GET 100 B, {found['rate']:,} a second, latency from when each was due, "
        f"µs. The list is read {found['reads_per_second']:.0f} times a second, "
        f"{found['bytes_per_read'] / 1024:,.0f} KiB in {found['read_ms']:.1f} ms.",
        "",
    ]
    head = ["meanwhile", "p50", "added", "p99", "added", "p99.9", "added", "most", "CPU µs/request"]
    rows = []
    for mode, own in found["modes"].items():
        row = [mode]
        for figure in ("p50_us", "p99_us", "p999_us"):
            row += [f"{own[figure]['median']:,.0f}", _between(own[f"added_{figure}"])]
        row += [f"{own['max_us']['max']:,.0f}", f"{own['cpu_us']['median']:.1f}"]
        rows.append(row)
    return lines + _table(head, rows)


def _black_hole(found):
    told = ", ".join(f"{count} × {status}" for status, count in found["told"].items())
    lines = [
        f"{found['proxy']}, GET 100 B, {found['rate']:,} a second, latency from when each was due, µs. "
        f"Meanwhile {found['waiting']:,} requests connect to another upstream, or wait for that, all the "
        f"time; a second {told} are told so.",
        "",
    ]
    head = ["beside", "p50", "p99", "p99.9", "most", "CPU µs/request"]
    beside = ("nothing", "one that refuses")
    head += [f"{figure}, of beside {other}" for other in beside for figure in ("p50", "p99")]
    rows = []
    for mode, own in found["modes"].items():
        row = [mode, _between(own["p50_us"]), _between(own["p99_us"])]
        row += [f"{own['p999_us']['median']:,.0f}", f"{own['max_us']['max']:,.0f}"]
        row += [f"{own['cpu_us']['median']:.1f}"]
        row += [
            _ratio(own[f"{figure}_of_{other}"])
            for other in beside
            for figure in ("p50_us", "p99_us")
        ]
        rows.append(row)
    return lines + _table(head, rows)


def _fan_out(rows):
    lines = [
        f"{CALLS} calls at once, each over a client connection of its own, through a process that has "
        f"just started; the slowest alone without a proxy, over a new connection. At most "
        f"{FAN_OUT_TARGET} times as long is the aim.",
        "",
    ]
    return lines + _table(
        ["upstream", "slowest call", "alone, ms", "all at once, ms", "ratio"],
        [
            [
                row["upstream"],
                f"{row['slowest_ms']} ms",
                f"{row['alone_ms']['median']:.1f}",
                f"{row['all_ms']['median']:.1f}",
                _ratio(row["ratio"]),
            ]
            for row in rows
        ],
    )


def _scale_table(rows):
    head = ["what", "proxy", "µs with less", "µs with more", "ratio", ""]
    return _table(
        head,
        [
            [
                row["title"],
                row["proxy"],
                f"{row['less_us']['median']:.2f}",
                f"{row['more_us']['median']:.2f}",
                _ratio(row["ratio"]),
                row["note"],
            ]
            for row in rows
        ],
    )


def _tls_connections(found):
    lines = [
        f"CPU µs of the proxy. A visit is a connection with one GET of 100 B, {VISITORS} at a time; a "
        f"handshake is what it costs more over TLS. Idle ones: {TLS_CLIENTS:,}, each has had an answer; and "
        f"{UPSTREAM:,} to the origin, of which each may take {UPSTREAM_TLS_MAX:,} where one "
        "handshake follows another.",
        "",
    ]
    head = ["proxy", "visit without TLS", "full handshake", f"of {BESIDE_TLS}"]
    head += [
        "resumed handshake",
        f"of {BESIDE_TLS}",
        "idle: bytes each",
        "idle to the origin, opened in order",
        "all at once",
    ]
    rows = []
    for name, own in found.items():
        row = [name, _between(own["plain"])]
        for how in ("full", "resumed"):
            row += [_between(own[how]), _ratio(own.get(f"{how}_of_{BESIDE_TLS}"))]
        idle = (own.get("idle", {}).get("bytes_each"), *own.get("idle_upstream", (None, None)))
        rows.append([*row, *(_number(each, "{:,.0f}") for each in idle)])
    return lines + _table(head, rows)


def _memory_table(memory):
    counts = sorted({int(count) for own in memory.values() for count in own["idle"]})
    head = ["proxy", "RSS at start, MiB", "50 MiB down: peak, KiB", "50 MiB up: peak, KiB"]
    head += ["streaming exchange, bytes", "idle upstream connection, bytes"]
    for count in counts:
        head += [f"{count:,} idle: bytes each", "whole PSS, MiB", "without ring", "wake-ups/s"]
    rows = []
    for name, own in memory.items():
        row = [name, f"{own['start_rss_kib'] / 1024:.1f}"]
        row += [
            _number(own[figure], "{:,.0f}")
            for figure in (
                "stream_down_kib",
                "stream_up_kib",
                "streaming_bytes_each",
                "upstream_bytes_each",
            )
        ]
        for count in counts:
            idle = own["idle"].get(str(count))
            if idle is None:
                row += ["–"] * 4
            else:
                row += [
                    f"{idle['bytes_each']:,.0f}",
                    f"{idle['whole_pss_kib'] / 1024:.1f}",
                    f"{idle['without_ring_kib'] / 1024:.1f}",
                    f"{idle['wake_ups_per_second']:.1f}",
                ]
        rows.append(row)
    return _table(head, rows)


def _ring(rows):
    parts = []
    for row in rows:
        beside = (row["bytes"] - row["content_bytes"]) / row["records"]
        share = 100 * (row["bytes"] - row["content_bytes"]) / row["content_bytes"]
        parts.append(
            f"{row['size'] / 1024:.0f} KiB: {row['records']:,} exchanges, {beside:.0f} bytes each beside "
            f"their content, {share:.0f} % of it"
        )
    full = rows[0]["bytes_capacity"] / 1024
    return (
        f"The ring ({full:,.0f} KiB), full of GETs whose answers have " + "; ".join(parts) + "."
    )
