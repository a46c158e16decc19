"""What can be done with an exchange: send it again, edited or not, compare the answers, copy it as curl."""

import json
import time

import pytest

import samples
from fake_inspector import fields
from page import Keys
from test_panel_layout import CONTRAST, SIDEWAYS

JSON = fields(content_type="application/json")
CATCH = "navigator.clipboard.writeText = (text) => { window.copied = text; return Promise.resolve(); }"


def open_one(page, fake, record, tab="both"):
    page.open(fake, f"#traffic?open=seq:{record['seq']}&tab={tab}")
    page.wait(lambda: page.shown(".side .section-head h3"))
    page.wait(lambda: page.shown("[data-act=replay]") and not page.shown(".skeleton"))


def body_field(page):
    return page.run("return document.querySelector('.editor-body').value")


# --- curl


def test_curl_is_copied_by_button_and_by_key(page, fake):
    record = fake.add("POST", "/api/it's $(here)")
    open_one(page, fake, record)
    page.run(CATCH)
    page.click("[data-act=curl]")
    page.wait(lambda: page.text("#toast") == "Copied as curl. What was redacted is left out.")
    expected = """curl -X POST 'http://127.0.0.1/api/it'"'"'s $(here)'"""
    assert page.run("return window.copied") == expected
    page.run("window.copied = ''")
    page.press("c")
    page.wait(lambda: page.run("return window.copied") == expected)


def test_a_program_without_curl_is_said(page, fake):
    page.expects_refusals = True
    fake.absent = {"curl"}
    open_one(page, fake, fake.add())
    page.press("c")
    page.wait(lambda: page.text("#toast") == "Nothing was copied. Sightglass answered 404: not in this version.")


# --- replay


def test_a_read_is_sent_again_at_once_and_its_answer_stands_beside(page, fake):
    fake.replay_answer = {"status": 200, "duration_ms": 188.0, "response_size_bytes": 402}
    open_one(page, fake, fake.add("GET", "/api/things", 502, state="upstream_failed", duration_ms=3021.0))
    assert page.find("[data-act=replay]").get_attribute("class") == "button primary"
    page.press("r")
    page.wait(lambda: page.text("#toast").startswith("Replayed as exchange "))
    original, replayed = page.run("return [...document.querySelectorAll('.replayed > div')].map((each) => each.innerText)")
    assert original.split() == ["Original", "502", "3.02", "s", "0", "B"]
    assert replayed.split()[:6] == ["Replay", "200", "188", "ms", "402", "B"]
    assert fake.replays == [{}]


def test_by_key_alone_nothing_is_changed(page, fake):
    open_one(page, fake, fake.add("DELETE", "/api/things/1"))
    page.press("r")
    page.wait(lambda: page.text(".detail-ask b") == "DELETE again? Enter sends")
    page.press(Keys.ESCAPE)
    page.wait(lambda: not page.shown(".detail-ask"))
    assert page.shown(".detail") and fake.replays == []
    page.press("r")
    page.wait(lambda: page.run("return document.activeElement.dataset.act") == "send-again")
    page.press(Keys.ENTER)
    page.wait(lambda: page.shown("[data-act=compare]"))
    assert fake.replays == [{}]


def test_by_button_it_is_sent_at_once(page, fake):
    open_one(page, fake, fake.add("DELETE", "/api/things/1"))
    page.click("[data-act=replay]")
    page.wait(lambda: fake.replays == [{}])


def test_one_that_cannot_be_honest_says_why_and_opens_the_editor_at_the_hole(page, fake):
    page.expects_refusals = True
    open_one(page, fake, samples.failed_post(fake))
    page.click("[data-act=replay]")
    page.wait(lambda: page.text(".verdict.warn b") == "This request cannot be sent again as it was")
    assert "notify.token was redacted; send a body of your own." in page.text(".verdict.warn p")
    page.click("[data-act=edit-refused]")
    page.wait(lambda: page.run("return document.activeElement.className") == "editor-body")
    page.press("t0ken")
    page.wait(lambda: '"token": "t0ken"' in body_field(page))
    page.find(".editor-body").send_keys(Keys.CONTROL, Keys.ENTER)
    page.wait(lambda: page.shown("[data-act=compare]"))
    [changes] = [each for each in fake.replays if each]
    assert json.loads(changes["body"])["notify"]["token"] == "t0ken"


def test_a_program_without_replay_is_said(page, fake):
    page.expects_refusals = True
    fake.absent = {"replay"}
    open_one(page, fake, fake.add())
    page.press("r")
    page.wait(lambda: page.text(".detail .verdict.bad p") == "Sightglass answered 404: not in this version.")


def test_one_that_takes_its_time_is_followed_to_its_end(page, fake):
    fake.replay_answer = {"status": 0, "state": "active", "duration_ms": None, "timing": {}}
    open_one(page, fake, fake.add())
    page.press("r")
    page.wait(lambda: "···" in page.text(".replayed"))
    fake.finish(fake.records[-1], 201, 900.0)
    page.wait(lambda: "201" in page.text(".replayed") and "900 ms" in page.text(".replayed"))


def test_a_replay_belongs_to_its_exchange(page, fake):
    other = fake.add(path="/api/other")
    open_one(page, fake, fake.add())
    page.press("r")
    page.wait(lambda: page.shown(".replayed"))
    page.click(f"#row-{other['seq']} .cell-path")
    page.wait(lambda: page.text(".detail-url").endswith("/api/other"))
    assert not page.shown(".replayed")


def test_the_new_exchange_can_be_opened_and_is_marked(page, fake):
    open_one(page, fake, fake.add(path="/api/things"))
    page.press("r")
    page.wait(lambda: page.text("#toast").startswith("Replayed as exchange "))
    page.click("[data-act=open-replay]")
    page.wait(lambda: page.address.startswith(f"#traffic?open=seq:{fake.last_seq}"))
    page.press(Keys.ESCAPE, Keys.ESCAPE)
    page.wait(lambda: page.rows() and page.rows()[0]["chips"] == ["replay"])


def test_of_a_poll_nothing_can_be_sent(page, fake):
    fake.add_poll()
    page.open(fake, "#traffic?polls=1")
    page.wait_for_rows(1)
    page.send(Keys.HOME)
    page.wait(lambda: page.shown(".note-box"))
    assert not page.shown(".actions")
    for key in ("r", "e", "c"):
        page.press(key)
    page.wait(lambda: page.text("#toast").startswith("Only its row is kept"))
    assert fake.replays == []


# --- the editor


def test_the_editor_holds_what_may_be_sent_again(page, fake):
    record = fake.add("PUT", "/api/things/1", query="a=1&token=[redacted]", request_body='{"a":{"b":1}}', request_headers=JSON
                      + fields(host="x", content_length="13", authorization="Bearer [redacted]", accept="*/*", via="1.1 y",
                               x_forwarded_for="10.0.0.1", cookie="[redacted]"))
    open_one(page, fake, record)
    page.press("e")
    page.wait(lambda: page.run("return document.activeElement.value") == "/api/things/1?a=1&token=")
    assert page.run("return document.querySelector('.editor select').value") == "PUT"
    headers = page.run("return document.querySelector('.editor textarea').value")
    assert headers == "Content-Type: application/json\nAccept: */*"
    assert body_field(page) == '{\n  "a": {\n    "b": 1\n  }\n}'
    assert "2 redacted headers are left out." in page.text(".editor")


def test_what_was_edited_is_sent_and_what_was_not_goes_as_it_was(page, fake):
    open_one(page, fake, fake.add("POST", "/api/things", request_body='{"a":1}', request_headers=JSON))
    page.press("e")
    page.wait(lambda: body_field(page))
    path = page.find(".editor-target input")
    path.clear()
    path.send_keys("/api/others?x=1")
    page.find(".editor textarea").send_keys("\nX-Try: 2")
    page.run("const select = document.querySelector('.editor select'); select.value = 'PATCH'")
    page.click_word("Send", ".editor")
    page.wait(lambda: fake.replays)
    assert fake.replays == [{"method": "PATCH", "path": "/api/others?x=1", "headers": [
        {"name": "Content-Type", "value": "application/json"}, {"name": "X-Try", "value": "2"}]}]
    page.wait(lambda: not page.shown(".editor") and page.shown(".replayed"))


def test_what_is_no_header_or_no_path_is_not_sent(page, fake):
    open_one(page, fake, fake.add())
    page.press("e")
    page.wait(lambda: page.shown(".editor"))
    page.find(".editor textarea").send_keys("no header")
    page.click_word("Send", ".editor")
    page.wait(lambda: page.text(".editor .problem") == "“no header” is no header; one reads Name: value")
    page.find(".editor textarea").clear()
    page.find(".editor-target input").clear()
    page.click_word("Send", ".editor")
    page.wait(lambda: page.text(".editor .problem") == "A path begins with /")
    assert fake.replays == []


def test_what_was_typed_survives_a_refusal_and_is_given_up_by_escape(page, fake):
    page.expects_refusals = True
    open_one(page, fake, fake.add(request_body="a", request_headers=JSON))
    page.press("e")
    page.wait(lambda: body_field(page) == "a")
    page.find(".editor-body").send_keys("bc")
    fake.refuse = (503, "draining")
    page.click_word("Send", ".editor")
    page.wait(lambda: page.text(".editor .problem") == "Sightglass answered 503: draining.")
    assert body_field(page) == "abc"
    fake.refuse = None
    page.find(".editor-body").send_keys(Keys.ESCAPE)
    page.wait(lambda: not page.shown(".editor") and page.shown(".side"))
    assert page.shown(".detail")


def test_a_binary_body_goes_as_it_was_captured(page, fake):
    open_one(page, fake, fake.add("POST", "/api/upload", request_body=bytes(range(256))))
    page.press("e")
    page.wait(lambda: page.find(".editor-body") and not page.find(".editor-body").is_enabled())
    page.click_word("Send", ".editor")
    page.wait(lambda: fake.replays and "body" not in fake.replays[0])


def test_a_tab_leaves_the_editor(page, fake):
    open_one(page, fake, fake.add())
    page.press("e")
    page.wait(lambda: page.shown(".editor"))
    page.click_word("Response", ".tabs")
    page.wait(lambda: not page.shown(".editor") and page.shown(".side"))


# --- two answers


def compare(page, fake, before, after, **more):
    fake.replay_answer = {"response_body": after, "response_headers": JSON, **more}
    open_one(page, fake, fake.add(response_body=before, response_headers=JSON))
    page.press("r")
    page.click("[data-act=compare]")
    page.wait(lambda: page.shown(".answers"))


def difference(page):
    return page.run("""return [...document.querySelectorAll('.difference > div')].map((line) =>
        line.dataset.sign + [...line.childNodes].filter((each) => each.nodeType === 3).map((each) => each.data).join(''));""")


def test_two_answers_are_compared_line_by_line(page, fake):
    compare(page, fake, '{"a": 1, "b": [1, 2], "c": null}', '{"a": 1, "b": [1, 3], "c": null, "d": 0}', status=201)
    assert difference(page) == [" {", '   "a": 1,', '   "b": [', "     1,", "−    2", "+    3", "   ],", '−  "c": null', '+  "c": null,',
                                '+  "d": 0', " }"]
    assert "2 lines gone, 3 new" in page.text(".answers")
    facts = page.run("return [...document.querySelectorAll('.answers-table tbody tr')].map((row) => row.innerText.split('\\t'))")
    assert facts[0] == ["Status", "200", "201"]
    page.click("[data-act=compare]")
    page.wait(lambda: not page.shown(".answers") and page.shown(".side"))


def test_equal_answers_are_the_same(page, fake):
    compare(page, fake, '{"a":1}', '{ "a": 1 }')
    assert "Bodies the same" in " ".join(page.text(".answers").split())
    assert not page.shown(".difference")


def test_long_equal_parts_are_left_out(page, fake):
    rows = [{"id": i} for i in range(100)]
    changed = [*rows[:50], {"id": "x"}, *rows[51:]]
    compare(page, fake, json.dumps(rows), json.dumps(changed))
    lines = difference(page)
    assert len(lines) < 15 and lines[0] == "149 equal lines" and lines[-1] == "146 equal lines"


def test_binary_answers_are_not_compared_by_line(page, fake):
    compare(page, fake, bytes(range(200)), bytes(range(201)))
    assert "not both text" in page.text(".answers") and "they differ" in page.text(".answers")


def test_hostile_answers_are_text(page, fake):
    record = samples.hostile(fake)
    fake.replay_answer = {"response_body": f"<b>{samples.HOSTILE}", "status": 200, "upstream": samples.HOSTILE,
                          "response_headers": [{"name": samples.HOSTILE, "value": samples.HOSTILE}]}
    open_one(page, fake, record)
    page.press("e")
    page.wait(lambda: page.shown(".editor"))
    page.find(".editor textarea").clear()
    page.run("document.querySelector('.editor-target input').value = '/api/x'")
    page.click_word("Send", ".editor")
    page.click("[data-act=compare]")
    page.wait(lambda: samples.HOSTILE in page.text(".difference"))
    assert not page.all(".detail img, .detail script") and page.driver.title == "Sightglass · Traffic"


# --- looks


@pytest.mark.parametrize(("width", "height"), [(360, 740), (760, 700), (1000, 700), (1440, 900)])
def test_nothing_scrolls_sideways(page, fake, width, height):
    page.size(width, height)
    fake.replay_answer = {"response_body": json.dumps({"long": "x" * 300})}
    open_one(page, fake, samples.failed_post(fake), "request")
    page.click("[data-act=edit]")
    page.wait(lambda: body_field(page))
    assert page.run(SIDEWAYS) == []
    if width == 360:
        assert page.run("""return [...document.querySelectorAll('.detail .actions button, .editor :is(input, select)')]
            .filter((each) => each.offsetParent && each.offsetHeight < 36).map((each) => each.className)""") == []
    page.click_word("Send", ".editor")
    page.click("[data-act=compare]")
    page.wait(lambda: page.shown(".answers"))
    assert page.run(SIDEWAYS) == []


def test_both_schemes_have_readable_words(page, fake):
    fake.replay_answer = {"response_body": '{"other": 1}', "response_headers": JSON}
    record = samples.failed_post(fake)
    for dark in (False, True):
        page.dark(dark)
        open_one(page, fake, record)
        page.press("e")
        page.wait(lambda: body_field(page))
        assert page.run(CONTRAST) == [], dark
        page.click_word("Send", ".editor")
        page.click("[data-act=compare]")
        page.wait(lambda: page.shown(".answers"))
        time.sleep(0.1)
        assert page.run(CONTRAST) == [], dark
    page.dark(False)
