"""What holds for the stand-in and for the program alike: so the one stands for the other in all other tests."""


def open_newest(page, inspector, path):
    page.open(inspector)
    row = page.wait_for_path(path)
    page.open_row(row["seq"])
    return row


def test_an_exchange_in_flight_becomes_its_answer(page, inspector):
    inspector.hold()
    page.open(inspector)
    row = page.wait_for_path("/held")
    assert row["status"] == "···"
    page.open_row(row["seq"])
    assert "No answer yet" in page.text(".side:last-child")
    inspector.let_go()
    page.wait(lambda: page.rows()[0]["status"] == "200")
    page.wait(lambda: '"ok": true' in page.text(".side:last-child .json"))


def test_a_tunnel_counts_while_it_is_open_and_stops_at_its_end(page, inspector):
    inspector.hold_tunnel()
    page.open(inspector)
    row = page.wait_for_path("/tunnel")
    assert (row["status"], row["chips"]) == ("101", ["WS"])
    running = ".cell-duration.running"
    first = page.wait(lambda: page.text(running))
    page.wait(lambda: page.text(running) not in ("", first))
    page.open_row(row["seq"])
    page.wait(lambda: "Open " in page.text(".strip-legend"))
    inspector.let_tunnel_go()
    page.wait(lambda: not page.shown(running))
    page.wait(lambda: "5 B went through the tunnel." in page.text(".side:last-child"))
    page.wait(lambda: page.text(".fact-live dd") == "0")


def test_polls_come_with_their_button(page, inspector):
    inspector.send("GET", "/poll/state")
    inspector.send("GET", "/poll/state")
    inspector.send("GET", "/api/things")
    page.open(inspector)
    page.wait_for_path("/api/things")
    page.wait(lambda: page.text(".show-polls .badge") == "2")
    page.click(".show-polls")
    page.wait(lambda: [row["path"] for row in page.rows() if row["chips"] == ["poll"]] == ["/poll/state"] * 2)


def test_a_body_beyond_the_bound_is_shown_in_part(page, inspector):
    inspector.send("GET", "/big/160000")
    row = open_newest(page, inspector, "/big/160000")
    assert row["chips"] == ["cut"]
    note = page.wait(lambda: page.text(".side:last-child .note-box"))
    assert note.startswith("The first 4 KiB of 156 KiB are kept. The client got all of it. XXH3 of the whole body: ")
    assert page.text("pre.text").startswith("0123456789abcde\n0123456789abcde")


def test_a_secret_is_marked_as_redacted(page, inspector):
    inspector.send("GET", "/api/things", authorization="Bearer s3cr3t-s3cr3t")
    open_newest(page, inspector, "/api/things")
    page.wait(lambda: page.find(".pairs .lock"))
    assert "s3cr3t" not in page.text(".detail")


def test_a_failure_opens_with_its_verdict(page, inspector):
    inspector.send("GET", "/status/503")
    open_newest(page, inspector, "/status/503")
    page.wait(lambda: page.text(".verdict.bad").startswith("503 from upstream "))


def test_the_timing_and_the_facts_are_there(page, inspector):
    inspector.send("GET", "/api/things?limit=5")
    open_newest(page, inspector, "/api/things?limit=5")
    assert "upstream " in page.text(".detail-facts")
    page.click_word("Timing", ".tabs")
    page.wait(lambda: "Wait" in page.text(".waterfall"))
    assert "Request ID" in page.text(".timing")


def test_a_body_can_be_saved(page, inspector):
    inspector.send("POST", "/api/things", '{"a":  1}')
    open_newest(page, inspector, "/api/things")
    page.wait(lambda: page.find(".side:first-child .json"))
    saved = page.driver.execute_async_script("""const done = arguments[arguments.length - 1];
        fetch(document.querySelector('.side a[download]').href).then(async (answer) =>
            done([await answer.text(), answer.headers.get('Content-Disposition').split(';')[0]]));""")
    assert saved == ['{"a":  1}', "attachment"]


def test_a_request_is_sent_again_edited_and_both_answers_are_compared(page, inspector):
    inspector.send("GET", "/api/things")
    open_newest(page, inspector, "/api/things")
    page.press("e")
    page.wait(lambda: page.shown(".editor"))
    path = page.find(".editor-target input")
    path.clear()
    path.send_keys("/api/others")
    page.click_word("Send", ".editor")
    page.wait(lambda: page.text("#toast").startswith("Replayed as exchange "))
    page.click("[data-act=compare]")
    page.wait(lambda: page.shown(".answers"))
    page.press("k")
    page.wait(lambda: any(row["path"] == "/api/others" and row["chips"] == ["replay"] for row in page.rows()) or
              page.shown(".fresh"))


def test_a_request_is_copied_as_curl(page, inspector):
    inspector.send("POST", "/api/jobs", '{"a": 1}')
    open_newest(page, inspector, "/api/jobs")
    page.run("navigator.clipboard.writeText = (text) => { window.copied = text; return Promise.resolve(); }")
    page.press("c")
    page.wait(lambda: "curl " in (page.run("return window.copied") or "") and "/api/jobs" in page.run("return window.copied"))
