"""What the stand-in inspector answers beside its lists. One job: routes, marks, replay, curl, HAR, pause and events.

`fake.absent` names rows ("api/routes") that this stand-in has not, as an older program would.
"""

import json
import shlex
import time

IDLE_S = 0.02


def route(path, method="GET", count=10, **more):
    """Statistics of a route as the API has them."""
    item = {
        "route": "/api", "method": method, "path": path, "capture": "full", "count": count, "active": 0,
        "status": {"2xx": count}, "request_bytes": 0, "response_bytes": 3000 * count, "p50_ms": 40.0, "p95_ms": 90.0,
        "p99_ms": 180.0, "mean_ms": 48.0, "upstream_calls": count, "interval_ms": None, "unchanged": 0,
        "coalesced": 0, "cache_hits": 0, "errors": 0, "compared": max(0, count - 1),
    }
    item.update(more)
    item["errors"] = sum(times for name, times in item["status"].items() if name[0] not in "123")
    return item


def period(count=0, mean_ms=None, upstream_calls=None, minutes=5):
    """What was counted of a route, or of all, in one period of that length."""
    calls = count if upstream_calls is None else upstream_calls
    return {"count": count, "per_minute": count / minutes, "upstream_calls": calls,
            "upstream_calls_per_minute": calls / minutes, "mean_ms": mean_ms,
            "upstream_calls_per_request": calls / count if count else None}


def total(periods, minutes=5):
    """The sum of periods."""
    count = sum(each["count"] for each in periods)
    busy = sum(each["count"] * (each["mean_ms"] or 0) for each in periods)
    return period(count, busy / count if count else None, sum(each["upstream_calls"] for each in periods), minutes)


def comparison(before, after, items, minutes=5):
    """What api/compare answers, of items as compared() makes them."""
    return {
        "from": {"name": before, "seconds": minutes * 60.0, "total": total([each["before"] for each in items], minutes)},
        "to": {"name": after, "seconds": minutes * 60.0, "total": total([each["after"] for each in items], minutes)},
        "items": items,
    }


def compared(path, before, after, method="GET"):
    return {"route": "/api", "method": method, "path": path, "before": before, "after": after}


class Rows:
    """The rows of one stand-in, called by its handler under no lock."""

    def __init__(self, fake):
        self.fake = fake

    def get(self, handler, path, query):
        """Answers a GET; False where the row is none of these."""
        fake = self.fake
        if path in fake.absent:
            return False
        if path == "api/routes":
            handler._json({"items": fake.routes})
        elif path == "api/marks":
            handler._json({"items": fake.marks, "capacity": 16})
        elif path == "api/compare":
            self._compare(handler, query)
        elif path == "api/har":
            with fake.lock:
                entries = [{"request": {"method": each["method"], "url": each["path"]}} for each in fake.records]
            handler._json({"log": {"version": "1.2", "entries": entries}})
        elif path == "api/events":
            self._events(handler)
        elif path.startswith("api/requests/") and path.endswith("/curl") and "curl" not in fake.absent:
            self._curl(handler, path)
        else:
            return False
        return True

    def post(self, handler, path, body):
        fake = self.fake
        if path in fake.absent:
            return False
        if path == "api/capture":
            fake.paused = json.loads(body)["paused"]
            handler._json({"paused": fake.paused})
        elif path == "api/marks":
            mark = {"name": json.loads(body)["name"], "ts": time.time()}
            fake.marks.append(mark)
            handler._json(mark)
        elif path.startswith("api/requests/") and path.endswith("/replay") and "replay" not in fake.absent:
            self._replay(handler, path, json.loads(body or b"{}"))
        else:
            return False
        return True

    def _record(self, handler, path):
        record = self.fake.record(path.split("/")[2])
        if record is None:
            handler._problem(404, "no record with this ID is kept")
        return record

    def _compare(self, handler, query):
        known = {mark["name"] for mark in self.fake.marks}
        for side in ("from", "to"):
            if side in query and query[side] not in known:
                handler._problem(404, f'there is no mark "{query[side]}"')
                return
        handler._json(self.fake.comparison)

    def _curl(self, handler, path):
        record = self._record(handler, path)
        if record is not None:
            words = ["curl", "-X", record["method"], f"http://127.0.0.1{record['path']}"]
            handler._send(200, "text/plain; charset=utf-8", shlex.join(words).encode() + b"\n")

    def _replay(self, handler, path, changes):
        fake = self.fake
        record = self._record(handler, path)
        if record is None:
            return
        fake.replays.append(changes)
        if "body" not in changes and record["request_body_redacted"]:
            handler._problem(409, "notify.token was redacted; send a body of your own")
            return
        target, _, query = changes.get("path", record["path"]).partition("?")
        answer = dict(fake.replay_answer)
        status = answer.pop("status", 200)
        made = fake.add(changes.get("method", record["method"]), target, status, query=query, replay_of=record["seq"],
                        request_body=changes.get("body", record["request_body"]), **answer)
        handler._json({key: value for key, value in made.items() if key not in fake.long})

    def _events(self, handler):
        fake = self.fake
        handler.send_response(200)
        handler.send_header("Content-Type", "text/event-stream")
        handler.send_header("Connection", "close")
        handler.end_headers()
        handler.close_connection = True
        at = len(fake.journal)
        told = 0.0
        while not handler.server.ending:
            with fake.lock:
                news = fake.journal[at:]
                at += len(news)
                events = [(kind, fake.shown(what) if kind == "request" else what) for kind, what in news]
            if time.monotonic() - told >= 1:
                told = time.monotonic()
                events.append(("stats", fake.counts()))
            for kind, data in events:
                handler.wfile.write(f"event: {kind}\ndata: {json.dumps(data)}\n\n".encode())
            handler.wfile.flush()
            time.sleep(IDLE_S)
