"""What clients and upstreams choose is shown, and never becomes part of the page."""

import json
from pathlib import Path

from fake_inspector import PANEL
from samples import HOSTILE, hostile

ALIEN = """return [...document.querySelectorAll('img, script, iframe, object, embed, svg script, [onerror], [onload]')]
    .filter((element) => !(element.src || '').startsWith(location.origin + location.pathname + 'panel/'))
    .map((element) => element.outerHTML);"""


def test_markup_in_every_place_is_text(page, fake):
    record = hostile(fake)
    page.open(fake)
    row = page.wait_for_path(record["path"] + "?" + record["query"])
    page.open_row(row["seq"])
    page.wait(lambda: "onerror" in page.text(".side:first-child .json"))
    for tab in ("both", "request", "response", "timing"):
        page.open(fake, f"#traffic?open=seq:{record['seq']}&tab={tab}")
        page.wait(lambda: page.shown(".section-head h3") or page.shown(".waterfall"))
        assert page.run(ALIEN) == []
    page.click_word("Response", ".tabs")
    page.click_word("Hex", ".side")
    page.wait(lambda: page.find("pre.hex"))
    assert HOSTILE in page.text(".detail-url")
    assert page.run(ALIEN) == []
    assert page.driver.title == "Sightglass · Traffic"


def test_a_hostile_address_is_text_too(page, fake):
    fake.add()
    page.expects_refusals = True
    for address in (f"#traffic?q={HOSTILE}", f"#traffic?path={HOSTILE}&open={HOSTILE}", "#__proto__?x=1",
                    "#traffic?open=../../../..&tab=__proto__", "#traffic?constructor=1&status=constructor"):
        page.open(fake, address)
        page.wait(lambda: page.text("#live-word") == "Live")
        assert page.run(ALIEN) == []
        assert page.driver.title == "Sightglass · Traffic"


def test_the_sources_have_no_way_to_make_markup_of_text():
    banned = ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "new Function",
              "DOMParser", "createContextualFragment", "setHTML", "srcdoc", "javascript:")
    for file in PANEL.glob("*.js"):
        text = file.read_text()
        assert [word for word in banned if word in text] == [], file.name


def test_the_sources_name_no_other_host():
    allowed = ("http://www.w3.org/2000/svg", "http://localhost/", "http://${first", "https:'")
    for file in [*PANEL.glob("*.js"), *PANEL.glob("*.css"), *PANEL.glob("*.html")]:
        text = file.read_text()
        for name in allowed:
            text = text.replace(name, "")
        assert "http:" not in text.replace("'http:'", "") and "https:" not in text and "@import" not in text, file.name


def test_the_page_holds_no_inline_script_or_style():
    text = Path(PANEL / "index.html").read_text()
    assert "<style" not in text and " style=" not in text and " on" not in text.replace(" one", "")
    assert text.count("<script") == 1 and 'src="panel/main.js"></script>' in text


def test_the_policy_is_enforced_in_these_tests(page, fake):
    fake.add()
    page.open(fake)
    page.wait_for_rows(1)
    page.run("""const image = document.createElement('div');
        image.setAttribute('style', 'color: red');
        document.body.append(image);""")
    page.wait(lambda: fake.csp_reports)
    assert json.loads(fake.csp_reports[0])["csp-report"]["effective-directive"] == "style-src-attr"
    fake.csp_reports.clear()
    page.driver.get_log("browser")
