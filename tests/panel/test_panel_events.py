"""What comes by itself: events, what they leave out, streams that go on, and pause."""

import time

import samples
from page import Keys


def shown_after(page, fake, make):
    """Seconds from the end of an exchange until its row stands in the page."""
    began = time.monotonic()
    path = make()["path"]
    page.wait(lambda: path in page.paths())
    return time.monotonic() - began


def test_an_exchange_is_in_the_page_at_once(page, fake):
    page.open(fake)
    page.wait(lambda: any("api/events" in asked for asked in fake.requests))
    page.wait(lambda: page.text("#live-word") == "Live")
    time.sleep(1.2)
    took = sorted(shown_after(page, fake, lambda i=i: fake.add(path=f"/api/{i}")) for i in range(7))
    assert took[3] < 0.35, took  # the page is asked every 50 ms


def test_the_stream_asks_for_polls_too_and_follows_an_exchange(page, fake):
    page.open(fake, "#traffic?polls=1")
    page.wait(lambda: any("api/events?polls=1" in asked for asked in fake.requests))
    running = fake.begin("GET", "/api/slow")
    page.wait(lambda: page.rows() and page.rows()[0]["status"] == "···")
    fake.finish(running, 200)
    page.wait(lambda: page.rows()[0]["status"] == "200")
    fake.add_poll(path="/api/poll")
    page.wait(lambda: page.rows()[0]["chips"] == ["poll"])


def test_without_events_the_list_is_asked(page, fake):
    page.expects_refusals = True
    fake.absent = {"api/events"}
    page.open(fake)
    page.wait(lambda: page.text("#live-word") == "Live")
    fake.add(path="/api/fresh")
    page.wait_for_path("/api/fresh")
    time.sleep(2)
    asked = [each for each in fake.requests if "api/events" in each]
    assert 1 <= len(asked) <= 3


def test_what_the_stream_left_out_is_a_line_that_can_be_loaded(page, fake):
    fake.add(path="/api/before")
    page.open(fake)
    page.wait_for_path("/api/before")
    page.wait(lambda: any("api/events" in asked for asked in fake.requests))
    time.sleep(0.3)
    fake.fall_behind(38)
    fake.add(path="/api/after")
    page.wait_for_path("/api/after")
    assert page.text(".gap-line") == "38 exchanges came faster than this page could read Load them"
    assert page.paths() == ["/api/after", "/api/before"]
    time.sleep(6)  # a round of the list leaves the line alone
    assert page.shown(".gap-line")
    page.click_word("Load them")
    page.wait(lambda: not page.shown(".gap-line") and page.text(".count") == "40 exchanges")
    assert page.paths()[:3] == ["/api/after", "/api/missed/37", "/api/missed/36"]


def test_a_gap_is_no_exchange_to_the_keys(page, fake):
    fake.add(path="/api/before", status=500)
    page.open(fake)
    page.wait_for_path("/api/before")
    page.wait(lambda: any("api/events" in asked for asked in fake.requests))
    time.sleep(0.3)
    fake.fall_behind(3)
    fake.add(path="/api/after")
    page.wait_for_path("/api/after")
    page.send(Keys.HOME)
    page.wait(lambda: page.chosen() and page.chosen()["path"] == "/api/after")
    page.press(Keys.ARROW_DOWN)
    page.wait(lambda: page.chosen()["path"] == "/api/before")
    page.press(Keys.ARROW_UP)
    page.wait(lambda: page.chosen()["path"] == "/api/after")
    page.press("n")
    page.wait(lambda: page.chosen()["path"] == "/api/before")


def test_new_rows_wait_while_the_list_is_scrolled(page, fake):
    for i in range(100):
        fake.add(path=f"/api/{i}")
    page.open(fake)
    page.wait_for_path("/api/99")
    page.scroll_to(500)
    page.wait(lambda: page.rows()[0]["index"] > 5)
    for i in range(12):
        fake.add(path=f"/api/new/{i}")
    page.wait(lambda: page.text(".fresh") == "↑ 12 new")
    page.click(".fresh")
    page.wait(lambda: page.paths()[0] == "/api/new/11" and not page.shown(".fresh"))


# --- pause


def test_a_pause_is_shown_wherever_it_is(page, fake):
    fake.add()
    page.open(fake)
    page.wait_for_rows(1)
    page.press("p")
    page.wait(lambda: page.text(".banner.warn .banner-text") == "Capture is paused. Traffic flows; nothing new is kept.")
    page.wait(lambda: fake.paused)
    assert page.text("#live-word") == "Paused" and page.text("#pause") == "Resume"
    assert page.find("#pause").get_attribute("aria-pressed") == "true"
    assert page.run("return getComputedStyle(document.querySelector('.live .dot')).borderRadius") == "1px"
    for key in "2345":
        page.press(key)
        page.wait(lambda: page.shown(".view.page .banner.warn"))
    page.press("1")
    page.click_word("Resume", ".banner")
    page.wait(lambda: not page.shown(".banner") and not fake.paused)
    page.wait(lambda: page.text("#live-word") == "Live")


def test_a_pause_by_somebody_else_is_seen(page, fake):
    page.open(fake)
    page.wait(lambda: page.text("#live-word") == "Live")
    fake.paused = True
    page.wait(lambda: page.shown(".banner.warn") and page.text("#pause") == "Resume")
    page.click("#pause")
    page.wait(lambda: not fake.paused and not page.shown(".banner"))


def test_a_refused_pause_is_taken_back_and_said(page, fake):
    page.expects_refusals = True
    fake.absent = {"api/capture"}
    page.open(fake)
    page.wait(lambda: page.text("#live-word") == "Live")
    page.click("#pause")
    page.wait(lambda: page.text("#toast") == "This Sightglass cannot pause its capture: it has no api/capture.")
    assert not page.shown(".banner") and page.text("#pause") == "Pause"


# --- streams


def test_a_tunnel_shows_its_last_messages_and_counts(page, fake):
    record = samples.tunnel(fake, 5)
    page.open(fake, f"#traffic?open=seq:{record['seq']}")
    page.wait(lambda: page.shown(".messages"))
    lines = page.run("return [...document.querySelectorAll('.messages li')].map((line) => [...line.children].slice(1).map((e) => e.textContent))")
    assert lines[0] == ["↓", "/app $ "] and lines[-1] == ["↑", '{"Width":142,"Height":38}']
    assert "The last 5 of 412 messages. Open for " in page.text(".side:last-child .note-box")
    with fake.lock:
        record["response_size_bytes"] += 100_000
        record["messages"] = [*record["messages"], samples.said(0, "out", "news")]
    page.wait(lambda: page.text(".message-text") == "news")
    page.wait(lambda: "out 145 KiB" in page.text(".detail-facts"))


def test_an_event_stream_shows_its_events_and_the_text_beside(page, fake):
    record = samples.event_stream(fake, 20)
    record["response_body"] = "event: node\ndata: 1\n\n"
    page.open(fake, f"#traffic?open=seq:{record['seq']}")
    page.wait(lambda: len(page.all(".messages li")) == 4)
    page.wait_for_rows(1)
    assert page.rows()[0]["chips"] == ["SSE"]
    page.click_word("Text", ".side:last-child")
    page.wait(lambda: page.text("pre.text").startswith("event: node"))
    page.click_word("Messages", ".side:last-child")
    page.wait(lambda: page.shown(".messages"))


def test_hostile_messages_are_text_and_binary_ones_say_so(page, fake):
    record = samples.tunnel(fake, 5)
    record["messages"] = [samples.said(1, "in", samples.HOSTILE, name=samples.HOSTILE),
                          samples.said(0.5, "out", "abc", truncated=True, size=9000),
                          {**samples.said(0, "out", "", "binary", size=4096, compressed=True), "text": None}]
    page.open(fake, f"#traffic?open=seq:{record['seq']}")
    page.wait(lambda: page.shown(".messages"))
    shown = page.run("return [...document.querySelectorAll('.message-text')].map((each) => each.textContent.trim())")
    assert shown == ["binary, compressed, 4.0 KiB", "abc … of 8.8 KiB", f"{samples.HOSTILE} {samples.HOSTILE}"]
    assert not page.all(".messages img, .messages script")


# --- HAR, timing beside the route


def test_what_is_shown_can_be_saved_as_har(page, fake):
    fake.add(path="/api/one", status=500)
    page.open(fake, "#traffic?status=500")
    page.wait_for_rows(1)
    page.click_word("HAR")
    page.wait(lambda: page.text("#toast").startswith("Saved sightglass-") and page.text("#toast").endswith(".har"))
    assert any("api/har?status=500&limit=1000" in asked for asked in fake.requests)


def test_a_program_without_har_is_said(page, fake):
    page.expects_refusals = True
    fake.absent = {"api/har"}
    fake.add()
    page.open(fake)
    page.wait_for_rows(1)
    page.click_word("HAR")
    page.wait(lambda: page.text("#toast") == "This Sightglass cannot export: it has no api/har.")


def test_the_timing_stands_beside_the_routes(page, fake):
    fake.routes = samples.sample_routes()
    record = samples.failed_post(fake)
    page.open(fake, f"#traffic?open=seq:{record['seq']}&tab=timing")
    page.wait(lambda: page.shown(".waterfall"))
    page.wait(lambda: page.text(".beside b") == "14 times the route's p50")
    assert page.find(".beside svg").get_attribute("aria-label") == (
        "This exchange took 3.02 s; the route's p50 is 212 ms, p95 460 ms, p99 3.02 s.")
