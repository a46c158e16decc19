"""The advisor on the demo: it names the poll that never changes and the one that overlaps itself, with true figures."""

import http.client
import json
import os
import re
import subprocess
import threading
import time

import pytest

from test_panel_polls import lines

BINARY = os.environ.get("SIGHTGLASS_BINARY")
START_S = 30
NEVER_CHANGES = "/api/me"
OVERLAPS = "/api/forecast"  # takes 1.2 s
SECONDS = 14
EXACT = 0.02


class Demo:
    """`sightglass --demo`, and a dashboard of two polls."""

    def __init__(self):
        self.process = subprocess.Popen([BINARY, "--demo", "--listen", "127.0.0.1:0", "--access-log", "off"],
                                        stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
        self.port = 0
        self.absent = set()
        self.calls = {NEVER_CHANGES: [], OVERLAPS: []}  # (start, end, bytes) as the dashboard saw them
        watchdog = threading.Timer(START_S, self.process.kill)
        watchdog.start()
        for line in self.process.stderr:
            match = re.search(r"listening on 127\.0\.0\.1:(\d+)", line)
            if match:
                self.port = int(match[1])
                break
        watchdog.cancel()
        threading.Thread(target=self.process.stderr.read, daemon=True).start()
        self.absent = {row for row in ("api/events", "api/routes", "api/marks") if self.get(f"/_inspector/{row}", 1)[0] == 404}

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(START_S)
        finally:
            self.process.kill()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}/_inspector/"

    def get(self, target, most=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=START_S)
        connection.request("GET", target)
        answer = connection.getresponse()
        body = answer.read(most)
        connection.close()
        return answer.status, body

    def call(self, path):
        start = time.time()
        _, body = self.get(path)
        self.calls[path].append((start, time.time(), len(body)))

    def poll(self):
        """One never changes, every 0.5 s; one is asked again before its answer is there, every 0.8 s."""
        running = []
        began = time.monotonic()
        due = {NEVER_CHANGES: 0.0, OVERLAPS: 0.0}
        every = {NEVER_CHANGES: 0.5, OVERLAPS: 0.8}
        while (now := time.monotonic() - began) < SECONDS:
            for path, at in due.items():
                if now >= at:
                    due[path] = at + every[path]
                    running.append(threading.Thread(target=self.call, args=(path,), daemon=True))
                    running[-1].start()
            time.sleep(0.01)
        for thread in running:
            thread.join(START_S)

    def counters(self):
        return json.loads(self.get("/api/_counters")[1])["calls"]


def saved_by(calls, age):
    """What a browser would not have asked for that keeps an answer for `age` seconds."""
    saved, fresh_until = 0, 0.0
    for start, end, _ in sorted(calls):
        if start < fresh_until:
            saved += 1
        else:
            fresh_until = end + age
    return saved


def near(shown, counted):
    return abs(shown - counted) <= max(EXACT * counted, 0.5)


@pytest.fixture
def demo(page):
    if not BINARY:
        pytest.skip("no SIGHTGLASS_BINARY")
    running = Demo()
    yield running
    page.driver.get("about:blank")
    running.stop()


def figure(words, pattern):
    return int(re.search(pattern, words)[1])


def test_it_names_both_with_figures_that_can_be_recounted(page, demo):
    before = demo.counters()
    demo.poll()
    counted = {name.split()[-1]: calls - before[name] for name, calls in demo.counters().items()}
    page.open(demo, "#polls")
    page.wait(lambda: page.shown(".polls-table"))
    page.wait(lambda: {f"GET{NEVER_CHANGES}", f"GET{OVERLAPS}"} <= set(lines(page)))
    never, overlaps = lines(page)[f"GET{NEVER_CHANGES}"], lines(page)[f"GET{OVERLAPS}"]

    assert never["every"] == "0.5 s" and overlaps["every"] == "0.8 s"
    for path, line in ((NEVER_CHANGES, never), (OVERLAPS, overlaps)):
        assert near(int(line["calls"]), counted[path])
        size = sum(each[2] for each in demo.calls[path])
        assert line["bytes"] in (f"{size} B", f"{size / 1024:.1f} KiB")

    overlapping = figure(overlaps["why"], r"It overlaps itself: (\d+) of")
    ordered = sorted(demo.calls[OVERLAPS])
    assert near(overlapping, sum(start < max(end for _, end, _ in ordered[:i]) for i, (start, _, _) in enumerate(ordered) if i))
    age = figure(overlaps["help"], r"max-age=(\d+)")
    assert near(figure(overlaps["help"], r"−(\d+) calls"), saved_by(demo.calls[OVERLAPS], age))

    if "api/routes" in demo.absent:
        pytest.skip("this program does not tell whether an excluded poll changes: it has no api/routes")
    never = page.wait(lambda: "It never changed" in lines(page)[f"GET{NEVER_CHANGES}"]["why"] and lines(page)[f"GET{NEVER_CHANGES}"])
    assert never["unchanged"] == "100 %"
    age = figure(never["help"], r"max-age=(\d+)")
    assert near(figure(never["help"], r"−(\d+) calls"), saved_by(demo.calls[NEVER_CHANGES], age))
