"""The detail of an exchange: what it says, and how bodies and headers are shown."""

import json

import pytest

from fake_inspector import fields
from page import Keys
import samples

JSON = {"content_type": "application/json"}


def open_one(page, fake, record, tab="both"):
    page.open(fake, f"#traffic?open=seq:{record['seq']}&tab={tab}")
    page.wait(lambda: page.shown(".section-head h3") or page.shown(".waterfall"))


def test_a_click_opens_the_exchange_with_both_sides(page, inspector):
    inspector.send("POST", "/api/jobs", '{"name": "reindex", "replicas": 3}')
    page.open(inspector)
    row = page.wait_for_path("/api/jobs")
    page.open_row(row["seq"])
    assert page.text(".detail-url").endswith("/api/jobs")
    page.wait(lambda: '"name": "reindex",' in page.text(".side:first-child .json"))
    page.wait(lambda: '"ok": true' in page.text(".side:last-child .json"))
    assert "application/json" in page.text(".side:last-child .pairs")
    assert page.chosen()["seq"] == row["seq"]


def test_a_failed_exchange_opens_with_its_verdict(page, fake):
    open_one(page, fake, samples.failed_post(fake))
    assert page.text(".verdict.bad b") == "Upstream api closed the connection before the first byte of its answer"
    assert page.text(".verdict p") == (
        "Sightglass answered 502 after 3.02 s. It did not try again: POST may have taken effect.")
    assert page.text(".strip-legend").split("\n") == ["Connect 2 ms", "Send <1 ms", "Wait 3.02 s", "Receive <1 ms"]


def test_others_that_failed_alike_are_one_click_away(page, fake):
    samples.plain(fake, 60, "GET", "/api/me", 200, 5)
    samples.failed_post(fake, 50)
    samples.failed_post(fake, 40)
    open_one(page, fake, samples.failed_post(fake))
    page.wait(lambda: "2 others like this" in page.text(".verdict"))
    page.click_word("2 others like this")
    page.wait_for_rows(3)
    assert page.tokens() == [
        "method:POST", "path:/api/clusters/prod-weu-1/deployments/checkout/scale", "status:502"]


@pytest.mark.parametrize(("make", "tone", "words"), [
    (samples.timed_out, "bad", "Upstream metrics sent no first byte within 10 s"),
    (samples.client_left, "warn", "The client left after 2.14 s"),
    (samples.broken_off, "bad", "Sightglass broke the client's connection after 812 ms"),
    (samples.cut_logs, "info", "256 KiB of 4.2 MiB are kept here; the client got all of it."),
    (lambda fake: samples.plain(fake, 1, "GET", "/api/audit", 403, 7), "warn", "403 from upstream api"),
    (lambda fake: fake.add("GET", "/nowhere", 404, upstream=None, error="no route covers /nowhere"), "warn",
     "Sightglass answered 404"),
])
def test_each_way_to_fail_has_its_sentence(page, fake, make, tone, words):
    open_one(page, fake, make(fake))
    page.wait(lambda: words in page.text(f".verdict.{tone}"))


def test_what_was_redacted_is_marked_in_its_place(page, fake):
    open_one(page, fake, samples.failed_post(fake))
    page.wait(lambda: page.all(".side:first-child .json .lock"))
    assert page.run("return document.querySelector('.json .lock').closest('.json-line').textContent") == (
        '"token": redacted')
    locks = page.run("return [...document.querySelectorAll('.pairs .lock')].map((e) => e.closest('tr').textContent)")
    assert locks == ["AuthorizationBearer redacted", "Cookieredacted"]
    assert "Headers\n10 · 2 redacted" in page.text(".section-head.headers")
    assert "1 value and 2 headers were redacted before they were shown." in page.text(".side:first-child")


def test_a_tagged_redaction_shows_its_hash(page, fake):
    record = fake.add(request_headers=fields(cookie="[redacted:1f3a9c]"), query="token=[redacted:1f3a9c]")
    open_one(page, fake, record)
    assert page.text(".pairs .lock") == "redacted 1f3a9c"
    assert page.text(".detail-url .lock") == "redacted 1f3a9c"


def test_a_body_that_was_cut_says_how_much_is_kept_and_how_to_keep_more(page, fake):
    open_one(page, fake, samples.cut_logs(fake))
    note = page.wait(lambda: page.text(".side:last-child .note-box"))
    assert note == ("The first 256 KiB of 4.2 MiB are kept. The client got all of it. XXH3 of the whole body: "
                    "9f2ac04d77c1e0b2a5d3f6887e4961be. To keep more: --capture-body 5MiB")
    page.wait_for_rows(1)
    assert page.rows()[0]["chips"] == ["cut"]


def test_a_long_body_is_laid_out_in_parts(page, fake):
    open_one(page, fake, samples.cut_logs(fake), "response")
    page.wait(lambda: page.find("pre.text"))
    length = "return [...document.querySelectorAll('pre.text')].reduce((sum, e) => sum + e.textContent.length, 0)"
    assert 40000 < page.run(length) <= 65536
    for _ in range(8):
        if not page.find(".more button"):
            break
        page.run("document.querySelector('.more button').click()")
    assert page.run(length) == 262144


def test_json_is_shown_as_it_was_sent(page, fake):
    body = '{"big": 12345678901234567890, "b": 1.50, "b": 2, "10": "x", "9": "\\u00e4", "empty": {}, "list": []}'
    open_one(page, fake, fake.add(response_headers=fields(**JSON), response_body=body), "response")
    page.wait(lambda: page.find(".json"))
    assert page.text(".json").split("\n") == [
        "{", '"big": 12345678901234567890,', '"b": 1.50,', '"b": 2,', '"10": "x",', '"9": "\\u00e4",',
        '"empty": {},', '"list": []', "}"]


def test_json_that_was_cut_is_shown_up_to_the_cut(page, fake):
    whole = json.dumps({"items": [{"id": i} for i in range(50)]})
    record = fake.add(response_headers=fields(**JSON), response_body=whole[:100], response_body_truncated=True,
                      response_size_bytes=len(whole))
    open_one(page, fake, record, "response")
    page.wait(lambda: "… cut here" in page.text(".json"))


def test_what_calls_itself_json_and_is_not_is_shown_as_text(page, fake):
    open_one(page, fake, fake.add(response_headers=fields(**JSON), response_body='{"a": tru'), "response")
    page.wait(lambda: page.text("pre.text") == '{"a": tru')
    assert not page.find(".json")


def test_a_large_json_body_is_folded_and_long_lists_come_in_parts(page, fake):
    body = json.dumps({"items": [{"id": i, "name": "node"} for i in range(5000)]})
    open_one(page, fake, fake.add(response_headers=fields(**JSON), response_body=body), "response")
    page.wait(lambda: page.find(".json"))
    assert "5,000 items" in page.text(".json")
    assert len(page.all(".json details")) == 2
    page.click(".json details details > summary")
    page.wait(lambda: len(page.all(".json details")) == 202)
    page.run("[...document.querySelectorAll('.json-line .link')].pop().click()")
    page.wait(lambda: len(page.all(".json details")) == 402)


def test_a_body_as_raw_text_and_as_bytes(page, fake):
    record = fake.add(response_headers=fields(**JSON), response_body='{"a":  1}')
    open_one(page, fake, record, "response")
    page.wait(lambda: page.find(".json"))
    page.click_word("Raw")
    page.wait(lambda: page.text("pre.text") == '{"a":  1}')
    page.click_word("Hex")
    page.wait(lambda: page.text("pre.hex") == "00000000  7b 22 61 22 3a 20 20 31  7d                       {\"a\":  1}")


def test_a_compressed_body_is_shown_decoded(page, fake):
    record = fake.add(response_headers=fields(content_encoding="gzip", **JSON),
                      response_body='{"inside": true}', response_body_decoded="gzip", response_size_bytes=36)
    open_one(page, fake, record, "response")
    page.wait(lambda: '"inside": true' in page.text(".json"))
    assert "Shown decoded from gzip; 36 B as it was sent." in page.text(".note-box")


def test_what_is_to_be_said_of_a_body_that_is_not_shown_is_said(page, fake):
    record = fake.add(response_headers=fields(content_encoding="rot13", **JSON), response_size_bytes=36,
                      response_body_redacted=True, response_body_note="its coding is not known")
    open_one(page, fake, record, "response")
    page.wait(lambda: "Of this body: its coding is not known." in page.text(".note-box"))


def test_a_picture_is_shown_from_a_blob_of_its_checked_type(page, fake):
    record = fake.add(response_headers=fields(content_type="image/png"), response_body=samples.png(48, 32))
    open_one(page, fake, record, "response")
    page.wait(lambda: page.text("figcaption") == "image/png, 48 × 32")
    assert page.find("figure img").get_attribute("src").startswith("blob:")


def test_what_calls_itself_a_picture_and_is_none_is_not_drawn(page, fake):
    svg = '<svg xmlns="http://www.w3.org/2000/svg"><script>document.title="owned"</script></svg>'
    one = fake.add(response_headers=fields(content_type="image/svg+xml"), response_body=svg)
    two = fake.add(response_headers=fields(content_type="image/png"), response_body=b"\x00\x01\xfe not a picture")
    open_one(page, fake, one, "response")
    page.wait(lambda: page.text("pre.text") == svg)
    open_one(page, fake, two, "response")
    page.wait(lambda: page.text("pre.hex").startswith("00000000  00 01 fe"))
    assert page.find("figure") is None


def test_the_detail_fills_in_as_the_answer_comes(page, fake):
    running = fake.begin("GET", "/api/slow")
    open_one(page, fake, running)
    page.wait(lambda: "No answer yet" in page.text(".side:last-child"))
    fake.finish(running, 200, response_headers=fields(**JSON), response_body='{"late": 1}', response_size_bytes=11)
    page.wait(lambda: '"late": 1' in page.text(".side:last-child .json"))
    assert page.text(".detail-line .status") == "200"


def test_what_was_unfolded_stays_while_an_exchange_runs(page, fake):
    body = json.dumps({"a": {"b": {"c": {"d": {"e": {"f": 1}}}}}})
    running = fake.begin("POST", "/api/slow", request_headers=fields(**JSON), request_body=body)
    open_one(page, fake, running)
    page.wait(lambda: page.find(".json summary"))
    unfold = """document.querySelectorAll('.json details').forEach((e) => { e.open = true; });
        return document.querySelector('.json').textContent;"""
    page.wait(lambda: '"f": 1' in page.run(unfold))
    first = page.text(".detail-duration")
    reads = len(fake.requests)
    page.wait(lambda: page.text(".detail-duration") != first and len(fake.requests) > reads + 6)
    assert page.run("return [...document.querySelectorAll('.json details')].every((e) => e.open)")


def test_the_timing_tab_has_the_phases_and_the_facts(page, fake):
    open_one(page, fake, samples.failed_post(fake), "timing")
    words = page.text(".timing")
    for part in ("Connect\n2 ms", "Total\n3.02 s", "Connection\tfresh", "Client\t10.4.2.17, HTTP/1.1", "State\tupstream_failed"):
        assert part in words, words


def test_trailers_stand_after_the_headers(page, fake):
    record = fake.add(response_headers=fields(**JSON), response_trailers=fields(server_timing="total;dur=3"))
    open_one(page, fake, record, "response")
    page.wait(lambda: "total;dur=3" in page.text(".side"))
    assert page.text(".section-head.trailers").startswith("Trailers")


def test_an_old_link_says_that_the_exchange_is_gone(page, fake):
    page.expects_refusals = True
    fake.add(path="/api/things")
    page.open(fake, "#traffic?open=seq:4711")
    page.wait(lambda: "This exchange is no longer kept" in page.text(".detail"))
    assert "--capture-entries 5000" in page.text(".detail")
    page.click_word("Close", ".detail")
    page.wait(lambda: not page.shown(".detail"))
    assert page.address == "#traffic"


def test_a_link_may_name_the_request_id(page, fake):
    record = fake.add(path="/api/things", request_id="a/b+c=d@e")
    fake.add(path="/api/others")
    page.open(fake, "#traffic?open=a/b%2Bc=d@e")
    page.wait(lambda: page.text(".detail-url").endswith("/api/things"))
    page.wait(lambda: page.chosen() and page.chosen()["seq"] == record["seq"])
    assert page.paths() == ["/api/others", "/api/things"]
    assert not page.shown(".fresh")


def test_a_detail_that_cannot_be_fetched_can_be_tried_again(page, fake):
    page.expects_refusals = True
    record = fake.add(path="/api/things")
    page.open(fake)
    page.wait_for_rows(1)
    fake.refuse = (500, "out of order")
    page.click(f"#row-{record['seq']} .cell-path")
    page.wait(lambda: "out of order" in page.text(".detail"))
    fake.refuse = None
    page.click_word("Try again", ".detail")
    page.wait(lambda: page.shown(".side .section-head h3"))


def test_headers_body_and_id_can_be_copied(page, fake):
    record = fake.add(response_headers=fields(**JSON), response_body='{"a": 1}')
    open_one(page, fake, record, "response")
    page.wait(lambda: page.find(".json"))
    page.run("""Object.defineProperty(navigator, 'clipboard', {
        value: { writeText: async (text) => { window.copied = text; } }, configurable: true });""")
    for label, text in (("Copy the body", '{"a": 1}'), ("Copy the headers", "Content-Type: application/json")):
        page.click(f'[aria-label="{label}"]')
        page.wait(lambda t=text: page.run("return window.copied") == t)
    page.click(".detail-facts .link")
    page.wait(lambda: page.run("return window.copied") == record["request_id"])
    assert page.text("#toast") == "Copied the request ID"


def test_a_body_can_be_saved_from_its_own_address(page, fake):
    record = fake.add(response_headers=fields(**JSON), response_body='{"a": 1}')
    open_one(page, fake, record, "response")
    link = page.wait(lambda: page.find(".section-head a"))
    assert link.get_attribute("href") == f"{fake.url}api/requests/seq:{record['seq']}/response-body"


def test_the_divider_moves_by_keys_and_keeps_its_place(page, fake):
    record = fake.add()
    open_one(page, fake, record)
    width = "return document.querySelector('.list').getBoundingClientRect().width"
    before = page.run(width)
    page.find(".divider").send_keys(Keys.ARROW_LEFT, Keys.ARROW_LEFT)
    page.wait(lambda: abs(page.run(width) - (before - 32)) < 2)
    open_one(page, fake, record)
    assert abs(page.run(width) - (before - 32)) < 2
    page.run("document.querySelector('.divider').dispatchEvent(new MouseEvent('dblclick'))")
    page.wait(lambda: abs(page.run(width) - before) < 2)
