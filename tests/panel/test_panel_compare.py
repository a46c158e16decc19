"""Marks, and what changed between two of them."""

import time

import pytest

import samples
from fake_rows import compared, comparison, period
from test_panel_layout import CONTRAST, SIDEWAYS

LINES = """return [...document.querySelectorAll('.compare-table tbody tr')].map((line) =>
    [...line.children].map((cell) => cell.textContent.trim()));"""
FIGURES = """return [...document.querySelectorAll('.page-figures > div')].map((each) =>
    ['dd', 'dt'].map((tag) => each.querySelector(tag).textContent.trim()).join(' '));"""
BOTH = "#compare?from=before-cache&to=with-cache"


@pytest.fixture
def sampled(fake):
    samples.sample_traffic(fake)
    return fake


def show(page, fake, address=BOTH):
    page.open(fake, address)
    page.wait(lambda: page.shown(".compare-table"))
    return page


def test_totals_come_first_then_what_changed_most(page, sampled):
    show(page, sampled)
    lines = page.run(LINES)
    assert lines[0] == ["All routes", "135.0", "69.6", "−48 %", "", "49 ms", "32 ms", "−36 %", ""]
    assert lines[1] == ["GET/api/clusters/{id}/health", "60.0", "30.0", "−50 %", "", "9 ms", "5 ms", "−44 %", ""]
    by_name = {line[0]: line for line in lines}
    assert by_name["GET/api/clusters/{id}/pods"][3] == "same" and by_name["GET/api/clusters/{id}/pods"][7] == "same"
    assert by_name["GET/api/v1/dashboard/overview"][1:8] == ["–", "2.0", "new", "", "–", "143 ms", "new"]


def test_less_is_good_and_more_is_worse(page, fake):
    fake.marks = [{"name": "a", "ts": 1.0}, {"name": "b", "ts": 2.0}]
    fake.comparison = comparison("a", "b", [
        compared("/up", period(100, 10.0), period(100, 30.0)), compared("/down", period(100, 30.0), period(50, 10.0)),
        compared("/near", period(100, 100.0), period(104, 96.0)), compared("/gone", period(10, 5.0), period())])
    show(page, fake, "#compare?from=a&to=b")
    tones = page.run("""return Object.fromEntries([...document.querySelectorAll('.compare-table tbody tr')].map((line) =>
        [line.children[0].textContent, [3, 7].map((i) => line.children[i].firstChild.className)]));""")
    assert tones["GET/up"] == ["muted", "worse"] and tones["GET/down"] == ["good", "good"]
    assert tones["GET/near"] == ["muted", "muted"]
    assert {line[0]: line[3] for line in page.run(LINES)}["GET/gone"] == "gone"
    assert {line[0]: line[7] for line in page.run(LINES)}["GET/up"] == "+200 %"


def test_the_four_figures(page, sampled):
    show(page, sampled)
    assert page.run(FIGURES) == ["−48 % upstream calls per minute", "0.51 was 1.00 upstream calls per request",
                                 "−36 % mean latency", "137.0 was 135.0 requests per minute"]


def test_where_errors_are_counted_they_are_the_fourth_figure(page, sampled):
    sampled.comparison["from"]["total"]["errors"] = 6
    sampled.comparison["to"]["total"]["errors"] = 2
    show(page, sampled)
    assert page.run(FIGURES)[3] == "0.3 % was 0.9 % errors"


def test_the_same_table_can_be_copied_as_markdown(page, sampled):
    sampled.comparison["items"].append(compared("/api/a|b`c", period(10, 5.0), period(10, 5.0)))
    show(page, sampled)
    page.run("navigator.clipboard.writeText = (text) => { window.copied = text; return Promise.resolve(); }")
    page.click_word("Copy as Markdown")
    copied = page.wait(lambda: page.run("return window.copied")).split("\n")
    assert copied[0] == "Upstream calls a minute and mean latency, `before-cache` to `with-cache`:"
    assert copied[2].startswith("| Route | Calls/min before | after | change |")
    assert copied[4] == "| **All routes** | 135.0 | 69.6 | −48 % | 1.00 | 0.51 | 49 ms | 32 ms | −36 % |"
    assert copied[5].startswith("| `GET /api/clusters/{id}/health` | 60.0 | 30.0 | −50 % |")
    assert "| `GET /api/a\\|b'c` | 2.0 | 2.0 | same |" in "\n".join(copied)
    assert len(copied) == 4 + 10 + 1


def test_a_mark_is_set_by_key_in_any_view_and_compared_with_now(page, sampled):
    sampled.marks = []
    page.open(sampled)
    page.wait(lambda: len(page.rows()) > 5)
    page.press("m")
    page.wait(lambda: page.text("#toast").startswith("Marked: "))
    assert sampled.marks[0]["name"] == page.text("#toast")[len("Marked: "):]
    page.press("5")
    page.wait(lambda: page.shown(".compare-table"))
    options = page.run("return [...document.querySelectorAll('.pick select')].map((each) => each.selectedOptions[0].textContent)")
    assert options == [sampled.marks[0]["name"], "now"]


def test_marks_of_others_can_be_chosen_and_stand_in_the_address(page, sampled):
    show(page, sampled, "#compare")
    options = page.run("return [...document.querySelectorAll('.pick select')[0].options].map((each) => each.textContent)")
    assert [option.split(" · ")[0] for option in options] == ["with-cache", "before-cache", "start"]
    assert options[0].endswith(" · 5 min") and options[2].count(" · ") == 1
    page.run("""const [from] = document.querySelectorAll('.pick select');
        from.value = 'before-cache'; from.dispatchEvent(new Event('change'));""")
    page.wait(lambda: page.address == "#compare?from=before-cache")
    page.wait(lambda: any("api/compare?from=before-cache" in asked for asked in sampled.requests))


def test_without_a_mark_the_page_says_how_to_begin(page, fake):
    page.open(fake, "#compare")
    page.wait(lambda: "No mark yet" in page.text(".view.page .empty"))
    assert not page.shown(".pick")
    fake.marks = [{"name": "x", "ts": time.time()}]
    fake.comparison = comparison("x", "now", [])
    page.press("1")
    page.press("5")
    page.wait(lambda: "Nothing passed between these marks" in page.text(".view.page .empty"))


def test_a_mark_that_is_gone_is_said(page, sampled):
    page.expects_refusals = True
    page.open(sampled, "#compare?from=yesterday")
    page.wait(lambda: "no counters under yesterday" in page.text(".view.page .empty"))
    assert 'there is no mark "yesterday"' in page.text(".view.page .empty")


def test_a_program_without_marks_is_said(page, fake):
    page.expects_refusals = True
    fake.absent = {"api/marks", "api/compare"}
    page.open(fake, "#compare")
    page.wait(lambda: "it has no api/marks" in page.text(".view.page .empty").lower())
    page.press("m")
    page.wait(lambda: page.text("#toast") == "This Sightglass cannot mark: it has no api/marks.")


def test_the_real_program_compares(page, inspector):
    if "api/marks" in getattr(inspector, "absent", ()):
        pytest.skip("this program has no api/marks")
    if hasattr(inspector, "comparison"):
        inspector.comparison = comparison("now", "now", [compared("/api/things", period(2, 5.0), period(4, 5.0))])
    for _ in range(2):
        inspector.send("GET", "/api/things")
    page.open(inspector, "#compare")
    page.wait(lambda: "No mark yet" in page.text(".view.page .empty"))
    page.click_word("Mark now")
    for _ in range(4):
        inspector.send("GET", "/api/things")
    page.wait(lambda: page.run(LINES) and page.run(LINES)[1][0] == "GET/api/things")
    assert page.run(LINES)[0][0] == "All routes"


def test_hostile_names_are_text(page, fake):
    fake.marks = [{"name": samples.HOSTILE, "ts": time.time()}]
    fake.comparison = comparison(samples.HOSTILE, "now", [
        compared("/" + samples.HOSTILE, period(1, 1.0), period(1, 1.0), samples.HOSTILE)])
    show(page, fake, "#compare")
    assert samples.HOSTILE in page.text(".compare-table")
    assert not page.all(".view img, .view script") and page.driver.title == "Sightglass · Compare"


@pytest.mark.parametrize(("width", "height"), [(360, 740), (760, 700), (1000, 700), (1440, 900)])
def test_nothing_scrolls_sideways(page, sampled, width, height):
    page.size(width, height)
    show(page, sampled)
    assert [name for name in page.run(SIDEWAYS) if name != "route-path"] == []


def test_both_schemes_have_readable_words(page, sampled):
    for dark in (False, True):
        page.dark(dark)
        show(page, sampled)
        assert page.run(CONTRAST) == [], dark
    page.dark(False)
