"""The narrow and the middle layout, dark and light, and that nothing scrolls sideways."""

import pytest

import samples

SIDEWAYS = """return [...document.querySelectorAll('body *')]
    .filter((element) => element.scrollWidth > element.clientWidth + 1 && element.clientWidth > 0)
    .filter((element) => !element.closest('.hex, .json, .tokens, svg, .off-screen, .skip'))
    .filter((element) => !['clip', 'hidden'].includes(getComputedStyle(element).overflowX))
    .filter((element) => getComputedStyle(element).display !== 'inline')
    .map((element) => element.className || element.tagName);"""


CONTRAST = """
        const parse = (colour) => colour.match(/[\\d.]+/g).slice(0, 3)
            .map((part) => Number(part) * (colour.startsWith('color(') ? 255 : 1));
        const light = (colour) => {
            const [r, g, b] = parse(colour).map((v) => v / 255)
                .map((v) => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
            return 0.2126 * r + 0.7152 * g + 0.0722 * b;
        };
        const ground = (element) => {
            for (let each = element; each; each = each.parentElement) {
                const colour = getComputedStyle(each).backgroundColor;
                if (!/, 0\\)$|transparent/.test(colour)) return colour;
            }
            return 'rgb(255, 255, 255)';
        };
        return [...document.querySelectorAll('body *')]
            .filter((element) => element.offsetParent && !element.disabled && [...element.childNodes]
                .some((node) => node.nodeType === 3 && node.data.trim()))
            .map((element) => {
                const [a, b] = [light(getComputedStyle(element).color), light(ground(element))];
                return [(Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05), element.className, element.textContent.slice(0, 30)];
            })
            .filter(([ratio]) => ratio < 4.5);"""


@pytest.fixture
def sampled(fake):
    samples.sample_traffic(fake)
    return fake


@pytest.mark.parametrize(("width", "height"), [(360, 740), (760, 700), (1000, 700), (1440, 900)])
def test_nothing_scrolls_sideways(page, sampled, width, height):
    page.size(width, height)
    page.open(sampled)
    page.wait(lambda: len(page.rows()) > 5)
    assert page.run(SIDEWAYS) == []
    failed = next(row for row in page.rows() if row["status"] == "502")
    page.open_row(failed["seq"])
    for tab in ("Request", "Response", "Timing"):
        page.click_word(tab, ".tabs")
        assert page.run(SIDEWAYS) == []


def test_on_a_phone_the_detail_is_a_sheet_with_a_way_back(page, sampled):
    page.size(360, 740)
    page.open(sampled)
    page.wait(lambda: len(page.rows()) > 5)
    assert page.find(".row").size["height"] == 52
    page.open_row(page.rows()[1]["seq"])
    assert not page.shown(".grid")
    assert not page.shown(".filter-bar")
    assert [tab.text for tab in page.all("[role=tab]")] == ["Request", "Response", "Timing"]
    page.click('[aria-label="Back to the list"]')
    page.wait(lambda: page.shown(".grid") and not page.shown(".detail"))


def test_on_a_phone_targets_are_large_enough_for_a_finger(page, sampled):
    page.size(360, 740)
    page.open(sampled)
    page.wait(lambda: len(page.rows()) > 5)
    small = page.run("""return [...document.querySelectorAll('.filter-bar button, .filter, .tabs button')]
        .filter((element) => element.offsetParent && element.offsetHeight < 36).map((element) => element.className);""")
    assert small == []


def test_the_tab_both_is_there_in_the_wide_layout_only(page, sampled):
    page.open(sampled)
    page.wait(lambda: len(page.rows()) > 5)
    page.open_row(page.rows()[1]["seq"])
    assert len(page.all(".detail-body .side")) == 2
    page.size(1000, 700)
    page.wait(lambda: len(page.all(".detail-body .side")) == 1)
    page.size(1440, 900)
    page.wait(lambda: len(page.all(".detail-body .side")) == 2)


def test_rows_keep_their_order_when_the_layout_changes(page, sampled):
    page.open(sampled)
    page.wait(lambda: len(page.rows()) > 5)
    before = page.paths()[:5]
    page.size(360, 740)
    page.wait(lambda: page.find(".row").size["height"] == 52)
    tops = "return [...document.querySelectorAll('.row')].filter((e) => !e.hidden).map((e) => e.style.transform)"
    page.wait(lambda: "translateY(52px)" in page.run(tops))
    assert page.paths()[:5] == before


def test_both_schemes_have_readable_words(page, sampled):
    for dark in (False, True):
        page.dark(dark)
        page.open(sampled)
        page.wait(lambda: len(page.rows()) > 5)
        failed = next(row for row in page.rows() if row["status"] == "502")
        page.open_row(failed["seq"])
        page.wait(lambda: page.find(".json"))
        assert page.run(CONTRAST) == [], dark
    page.dark(False)
