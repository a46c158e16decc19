"""The polls: which are found, what they cost, and what would help them."""

import pytest

import samples
from fake_inspector import fields
from fake_rows import route
from test_panel_layout import CONTRAST, SIDEWAYS

LINES = """return [...document.querySelectorAll('.polls-table tbody tr:not(.explained)')].map((line) => {
    const cells = [...line.children].map((cell) => cell.textContent);
    return { poll: cells[0], every: cells[2], overlap: cells[3], calls: cells[4], unchanged: cells[5], bytes: cells[6],
        upstream: cells[7], help: cells[8], strip: line.querySelector('svg.strip-picture').getAttribute('aria-label'),
        low: (line.querySelector('.tick-same').getAttribute('d').match(/M/g) ?? []).length,
        tall: (line.querySelector('.tick-changed').getAttribute('d').match(/M/g) ?? []).length,
        why: [...line.nextElementSibling.querySelectorAll('p')].map((each) => each.textContent).join(' '),
        code: [...line.nextElementSibling.querySelectorAll('pre')].map((each) => each.textContent),
        open: !line.nextElementSibling.hidden };
});"""
FIGURES = "return [...document.querySelectorAll('.page-figures dd')].map((each) => each.textContent.trim())"


def every(fake, seconds, path, times, together=1, within=0.1, duration_ms=20.0, **more):
    for i in range(times):
        for j in range(together):
            fake.add_poll(path=path, ago=(times - i) * seconds - j * within, duration_ms=duration_ms, **more)


def lines(page):
    return {line["poll"]: line for line in page.run(LINES)}


def show(page, fake):
    page.open(fake, "#polls")
    page.wait(lambda: page.shown(".polls-table"))
    return lines(page)


def test_a_steady_call_is_a_poll_and_others_are_not(page, fake):
    every(fake, 5, "/api/steady", 20)
    for ago in (200, 190, 120, 118, 60, 9):
        fake.add_poll(path="/api/now-and-then", ago=ago)
    for ago in (15, 10, 5):
        fake.add_poll(path="/api/too-few", ago=ago)
    for i in range(20):
        fake.add("POST", "/api/written", ago=100 - 5 * i)
    shown = show(page, fake)
    assert list(shown) == ["GET/api/steady"]
    line = shown["GET/api/steady"]
    assert (line["every"], line["overlap"], line["calls"]) == ("5.0 s", "–", "20")
    assert (line["bytes"], line["upstream"]) == ("40.0 KiB", "400 ms")
    assert line["strip"] == "19 calls in 100 s, one every 5.0 s" and line["low"] == 19


def test_calls_that_come_together_have_the_pace_of_each_caller(page, fake):
    every(fake, 6, "/api/monitor/aks", 30, together=3, within=0.2)
    line = show(page, fake)["GET/api/monitor/aks"]
    assert (line["every"], line["calls"]) == ("6.0 s", "90")
    assert line["strip"].endswith("for each of 3 callers")


def test_identifiers_are_folded_as_the_statistics_fold_them(page, fake):
    fake.routes = [route("/api/clusters/{id}/health")]
    for i in range(12):
        fake.add_poll(path=f"/api/clusters/{'prod' if i % 2 else 'dev'}/health", ago=120 - 10 * i)
        fake.add_poll(path=f"/api/jobs/{1000 + i % 3}", ago=125 - 10 * i)
        fake.add_poll(path=f"/api/walked/{1000 + i}", ago=125 - 10 * i)
    assert set(show(page, fake)) == {"GET/api/clusters/{id}/health", "GET/api/jobs/{id}"}


def test_a_poll_that_never_changes_is_named_with_what_it_would_have_saved(page, fake):
    hashed = {"response_hash": "9f2ac04d77c1e0b2a5d3f6887e4961be", "response_size_bytes": 1400}
    for i in range(24):
        fake.add(path="/api/me", ago=240 - 10 * i, response_headers=fields(cache_control="no-store"), **hashed)
    show(page, fake)
    line = page.wait(lambda: "no-store" in lines(page)["GET/api/me"]["why"] and lines(page)["GET/api/me"])
    assert line["unchanged"] == "100 %" and line["tall"] == 0
    assert "It never changed: 23 of 23 answers were byte for byte the one before" in line["why"]
    assert line["help"].startswith("Cache-Control: max-age=60") and line["help"].endswith("−20 calls")
    assert "leaves 4 of 24 calls" in line["why"] and "takes the place of no-store" in line["why"]
    assert line["code"][0] == "Cache-Control: private, max-age=60"
    assert "capture: row" in line["code"][-1] and "  - prefix: /api/me\n" in line["code"][-1]


def test_a_poll_that_overlaps_itself_is_named(page, fake):
    every(fake, 2, "/api/reports", 40, duration_ms=2600)
    line = show(page, fake)["GET/api/reports"]
    assert line["overlap"] == "98 %"
    assert line["why"].startswith("It overlaps itself: 39 of 40 calls began while the same call was still in flight")
    assert line["help"].startswith("Cache-Control: max-age=2")


def test_answers_that_changed_stand_tall(page, fake):
    for i in range(20):
        fake.add(path="/api/live", ago=95 - i * 4, response_hash=f"{i // 5:032x}", response_size_bytes=4000)
    line = show(page, fake)["GET/api/live"]
    assert (line["low"], line["tall"]) == (17, 3)
    assert line["unchanged"] == "84 %"


def test_what_the_api_sends_already_is_not_advised(page, fake):
    for i in range(20):
        fake.add(path="/api/live", ago=95 - i * 4, response_hash="a" * 32, response_size_bytes=4000,
                 response_headers=fields(etag='"1"', cache_control="private, max-age=30"))
    show(page, fake)
    page.wait(lambda: "ETag" not in lines(page)["GET/api/live"]["help"])
    assert "Cache-Control" not in lines(page)["GET/api/live"]["help"]


def test_an_excluded_poll_learns_from_its_routes_statistics(page, fake):
    every(fake, 5, "/api/monitor/aks", 30, size=8000)
    fake.routes = [route("/api/monitor/aks", count=60, compared=50, unchanged=45, capture="row")]
    show(page, fake)
    line = page.wait(lambda: lines(page)["GET/api/monitor/aks"]["unchanged"] == "90 %" and lines(page)["GET/api/monitor/aks"])
    assert "27 of 30 answers repeat the one before" in line["why"] and "−" in line["help"]


def test_without_statistics_nothing_is_said_of_changes(page, fake):
    page.expects_refusals = True
    fake.absent = {"api/routes"}
    every(fake, 5, "/api/monitor/aks", 30)
    line = show(page, fake)["GET/api/monitor/aks"]
    assert line["unchanged"] == "–" and line["help"] == "nothing to save"


def test_a_call_that_takes_much_longer_than_usual_is_worth_a_limit(page, fake):
    for i in range(40):
        fake.add_poll(path="/api/slow-at-times", ago=200 - 5 * i, duration_ms=9000 if i in (7, 20) else 40)
    line = show(page, fake)["GET/api/slow-at-times"]
    assert "timeouts: {total: 5s}" in line["help"] and "2 calls took longer than 5 s" in line["why"]
    assert any("timeouts: {total: 5s}" in code and "prefix: /api/slow-at-times" in code for code in line["code"])


def test_waiting_for_a_connection_advises_a_larger_pool(page, fake):
    for i in range(30):
        timing = {"queue_ms": 200.0 if i % 2 else 0.0, "send_ms": 0.2, "wait_ms": 50.0, "receive_ms": 0.0}
        fake.add(path="/api/queued", ago=150 - 5 * i, duration_ms=250.0, timing=timing, response_hash=f"{i:032x}")
    line = show(page, fake)["GET/api/queued"]
    assert line["help"] == "pool: {max_connections: 100} −3.00 s"
    assert "15 of 30 calls waited for a connection" in line["why"]


def test_the_figures_are_the_sum_of_the_lines(page, fake):
    every(fake, 5, "/api/one", 20)
    every(fake, 4, "/api/two", 30, duration_ms=100)
    for i in range(10):
        fake.add("POST", f"/api/{i}", ago=i)
    show(page, fake)
    calls, unchanged, upstream, saved = page.run(FIGURES)
    assert calls == "50 of 60" and unchanged == "–" and upstream == "3.40 s" and saved == "0 calls"


def test_a_line_opens_and_its_settings_can_be_copied(page, fake):
    samples.sample_traffic(fake)
    show(page, fake)
    assert [line["open"] for line in page.run(LINES)] == [True, False, False, False, False, False]
    page.run("navigator.clipboard.writeText = (text) => { window.copied = text; return Promise.resolve(); }")
    page.click(".polls-table tr:nth-child(3) .opener")
    page.wait(lambda: page.shown(".polls-table tr:nth-child(4)"))
    assert page.find(".polls-table tr:nth-child(3) .opener").get_attribute("aria-expanded") == "true"
    page.click(".polls-table tr:nth-child(4) .code-block button")
    page.wait(lambda: page.run("return window.copied") == "Cache-Control: private, max-age=5")
    page.click_word("Copy all settings")
    page.wait(lambda: "# What the API would send in its answers:" in page.run("return window.copied"))


def test_an_open_line_stays_open_and_in_its_place(page, fake):
    every(fake, 5, "/api/one", 20)
    every(fake, 4, "/api/two", 30)
    show(page, fake)
    page.click(".polls-table tr:nth-child(3) .opener")
    page.run("document.querySelector('.polls-table tr:nth-child(4)').dataset.same = 'yes'")
    fake.add_poll(path="/api/one")
    page.wait(lambda: lines(page)["GET/api/one"]["calls"] == "21")
    assert page.shown(".polls-table tr:nth-child(4)[data-same=yes]")


def test_where_there_is_none_the_page_says_what_a_poll_is(page, fake):
    fake.add()
    page.open(fake, "#polls")
    page.wait(lambda: "No polls yet" in page.text(".view.page .empty"))


def test_the_tab_counts_them(page, fake):
    every(fake, 5, "/api/one", 20)
    page.open(fake)
    page.wait(lambda: page.text("#views a[href='#polls'] .badge") == "1")


@pytest.mark.parametrize(("width", "height"), [(360, 740), (760, 700), (1000, 700), (1440, 900)])
def test_nothing_scrolls_sideways(page, fake, width, height):
    samples.sample_traffic(fake)
    page.size(width, height)
    show(page, fake)
    assert [name for name in page.run(SIDEWAYS) if name != "route-path"] == []


def test_both_schemes_have_readable_words(page, fake):
    samples.sample_traffic(fake)
    for dark in (False, True):
        page.dark(dark)
        show(page, fake)
        assert page.run(CONTRAST) == [], dark
    page.dark(False)


def test_five_thousand_rows_are_searched_in_no_long_task(page, start_fake):
    def fill(fake):
        for i in range(4000):
            fake.add_poll(path=f"/api/poll/{'abcdefgh'[i % 8]}", ago=280 - i * 0.07)
        for i in range(1000):
            fake.add(path=f"/api/items/{i}", ago=280 - i * 0.28)

    fake = start_fake(fill, capacity=5000, poll_capacity=5000)
    show(page, fake)
    page.driver.execute_cdp_cmd("Performance.enable", {"timeDomain": "threadTicks"})
    took = page.driver.execute_async_script("""const done = arguments[0];
        Promise.all(['store', 'poll_groups', 'model'].map((name) => import(new URL(`panel/${name}.js`, document.baseURI))))
            .then(async ([{ Store }, { findPolls }, { toRow }]) => {
                const store = new Store();
                for (let before; ; ) {
                    const answer = await (await fetch(`api/requests?polls=1&limit=1000${before ? `&before=${before}` : ''}`)).json();
                    store.put(answer.items.map((item) => toRow(item)));
                    if (answer.next === null || store.rows.length >= 5000) break;
                    before = answer.next;
                }
                const start = performance.now();
                const polls = findPolls(store.rows, { items: null }, Date.now() / 1000);
                done([store.rows.length, polls.length, performance.now() - start]);
            });""")
    page.driver.execute_cdp_cmd("Performance.disable", {})
    assert took[0] == 5000 and took[1] == 8
    assert took[2] < 100, took


def test_hostile_paths_and_prefixes_are_text(page, fake):
    every(fake, 5, "/api/" + samples.HOSTILE, 20, size=9000)
    fake.routes = [route("/api/" + samples.HOSTILE, compared=19, unchanged=19, count=20)]
    show(page, fake)
    page.wait(lambda: page.run("return document.querySelectorAll('.polls-table .advice').length") > 0)
    assert samples.HOSTILE in page.text(".polls-table .route-path")
    assert not page.all(".view img, .view script") and page.driver.title == "Sightglass · Polls"
