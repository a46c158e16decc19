"""One job: how much of Sightglass's ring is content. Fills it with exchanges of one size, reads all of
them by the inspector, and compares what they hold with what the ring says that they take."""

import json
import time
import urllib.request

import loads
import memory
from workloads import Workload

PROXY = "sightglass-captured"
SIZES = (1024, 4096, 16384)  # of the answers' bodies
ENTRIES = 100_000  # so that bytes bound it
FILL_S = 0.2
PAGE = 1000
TIMEOUT_S = 30


def measure(stage, deadline):
    """A list with an entry for each size, as far as time goes."""
    rows = [_measure(stage, size, deadline) for size in SIZES]
    return [row for row in rows if row]


def _measure(stage, size, deadline):
    load = Workload("fill", f"GET {size} B", "pace", f"/bytes/{size}", 16)
    with memory.started(stage, PROXY, entries=ENTRIES) as server:
        while not (told := _ask(server, "api/requests?limit=1"))["evicted"]:
            loads.run(stage, load, server.port, FILL_S)
            if time.monotonic() > deadline:
                return None
        content = records = 0
        before = ""
        while True:
            page = _ask(server, f"?limit={PAGE}&body_limit={size}{before}")
            records += len(page["items"])
            content += sum(map(_content_bytes, page["items"]))
            if page["next"] is None:
                break
            before = f"&before={page['next']}"
        return {
            "size": size,
            "records": records,
            "content_bytes": content,
            "bytes": told["bytes"],
            "bytes_capacity": told["bytes_capacity"],
            "resident_kib": memory.ring_kib(server),
        }


def _ask(server, path):
    request = urllib.request.Request(
        f"http://127.0.0.1:{server.port}/_inspector/{path}", headers={"Accept": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=TIMEOUT_S) as answer:
        return json.load(answer)


def _content_bytes(record):
    """Both messages as they were sent: first lines, fields, bodies."""
    total = len(f"{record['method']} {record['path']} HTTP/1.1\r\n\r\n")
    total += len(f"HTTP/1.1 {record['status']} OK\r\n\r\n")
    for side in ("request", "response"):
        for field in record[f"{side}_headers"]:
            total += len(field["name"]) + len(": ") + len(field["value"]) + len("\r\n")
        total += len(record[f"{side}_body"] or "")
    return total
