"""The view of the upstreams: a card each, how they stand, and that it follows what happens."""

import pytest

import samples
from fake_inspector import upstream
from page import Keys
from test_panel_layout import CONTRAST, SIDEWAYS

CARDS = """return [...document.querySelectorAll('.card')].map((card) => ({
    name: card.querySelector('h3').textContent,
    chip: card.querySelector('.chip').textContent,
    bad: card.classList.contains('bad'),
    pool: card.querySelector('.pool-bar').getAttribute('aria-label'),
    numbers: Object.fromEntries([...card.querySelectorAll('.numbers > div')].map((each) =>
        [each.querySelector('dt').textContent, each.querySelector('dd').textContent])),
    facts: Object.fromEntries([...card.querySelectorAll('.card-facts dt')].filter((term) => !term.hidden).map((term) =>
        [term.textContent, term.nextElementSibling.textContent])),
    reasons: [...card.querySelectorAll('.reasons li')].map((each) => each.textContent),
    last: [...card.querySelectorAll('.last tbody tr')].map((row) => row.lastElementChild.textContent),
}));"""


@pytest.fixture
def sampled(fake):
    fake.upstreams = samples.sample_upstreams()
    return fake


def cards(page):
    return {card["name"]: card for card in page.run(CARDS)}


def show(page, inspector):
    page.open(inspector, "#upstreams")
    page.wait(lambda: page.shown(".card h3"))
    return page


@pytest.fixture
def shown(page, sampled):
    return show(page, sampled)


def test_each_upstream_has_a_card_the_degraded_first(shown):
    assert list(cards(shown)) == ["metrics", "api", "cluster", "reports"]
    assert [card["chip"] for card in cards(shown).values()] == ["breaker open", "healthy", "healthy", "not used yet"]
    assert [name for name, card in cards(shown).items() if card["bad"]] == ["metrics"]


def test_a_card_says_what_the_pool_does(shown):
    cluster = cards(shown)["cluster"]
    assert cluster["pool"] == "2 active, 6 idle, 0 waiting, of 50 connections"
    numbers = cluster["numbers"]
    assert (numbers["reuse"], numbers["opened"], numbers["retried"], numbers["failures"]) == ("99.1 %", "11", "0", "0")
    assert cluster["facts"]["TLS"] == "TLSv1.3, 11 handshakes, 82 % resumed"
    assert cluster["facts"]["Queue"] == "empty; 12 waited so far, 86 ms each"
    assert cluster["facts"]["Credential"].startswith(("expires in 41 m 00 s", "expires in 40 m "))
    api = cards(shown)["api"]
    assert "TLS" not in api["facts"], "it is plain"
    assert api["facts"]["Credential"] == "none" and api["facts"]["Breaker"] == "closed"


def test_a_degraded_one_says_why(shown):
    metrics = cards(shown)["metrics"]
    assert metrics["facts"]["Breaker"].startswith("Open, tries again ")
    assert metrics["facts"]["Queue"] == "4 waiting, each for at most 5 s"
    assert metrics["reasons"] == ["21 refused by the breaker", "6 no first byte in time", "3 refused"]
    assert metrics["last"] == ["no first byte in time"] * 5
    assert metrics["numbers"]["failures"] == "30"


def test_figures_count_and_nothing_else_moves(page, fake):
    fake.upstreams = [upstream("api", opened=100)]
    show(page, fake)
    page.run("document.querySelector('.card').dataset.same = 'yes'")
    page.wait(lambda: cards(page)["api"]["numbers"]["connects/s"] == "0")
    fake.upstreams = [upstream("api", opened=150, active=4)]
    page.wait(lambda: cards(page)["api"]["numbers"]["opened"] == "150")
    assert float(cards(page)["api"]["numbers"]["connects/s"]) > 5
    assert cards(page)["api"]["pool"].startswith("4 active")
    assert page.find(".card").get_attribute("data-same") == "yes"
    assert page.find(".history-picture").get_attribute("aria-label").startswith("Over the last 5 minutes at most 4 ")


def test_the_badge_counts_the_degraded_in_every_view(page, sampled):
    page.open(sampled)
    page.wait(lambda: page.shown("#views .badge.bad"))
    assert page.find("#views a[href='#upstreams']").get_attribute("textContent") == "Upstreams 1 degraded"
    sampled.upstreams = [upstream("api")]
    page.wait(lambda: not page.shown("#views .badge.bad"))


def test_one_that_becomes_degraded_is_said_at_once_and_comes_first(page, fake):
    fake.upstreams = [upstream("api"), upstream("jobs")]
    show(page, fake)
    assert list(cards(page)) == ["api", "jobs"]
    assert page.find("#alerts").get_attribute("textContent") == ""
    fake.upstreams = [upstream("api"), upstream("jobs", reachable=False)]
    page.wait(lambda: list(cards(page)) == ["jobs", "api"])
    assert page.find("#alerts").get_attribute("textContent") == "Upstream jobs: not reachable"
    fake.upstreams = [upstream("api"), upstream("jobs")]
    page.wait(lambda: page.find("#announcements").get_attribute("textContent") == "Upstream jobs is healthy again")


def test_a_failed_credential_is_degraded_and_told(page, fake):
    failed = {"kind": "exec", "expires_at": None, "error": "kubelogin: exit 1"}
    fake.upstreams = [upstream("cluster", credential=failed)]
    show(page, fake)
    assert cards(page)["cluster"]["chip"] == "credential failed"
    assert cards(page)["cluster"]["facts"]["Credential"] == "exec: kubelogin: exit 1"


def test_views_change_by_key_link_and_back(page, sampled):
    sampled.add(path="/api/things")
    page.open(sampled)
    page.wait_for_path("/api/things")
    page.press("4")
    page.wait(lambda: page.shown(".card h3") and not page.shown(".grid"))
    assert page.address == "#upstreams" and page.driver.title == "Sightglass · Upstreams"
    assert page.find("#views [aria-current]").text.startswith("Upstreams")
    page.click("#views a[href='#traffic']")
    page.wait(lambda: page.shown(".grid") and not page.shown(".card"))
    page.wait_for_path("/api/things")
    page.driver.back()
    page.wait(lambda: page.shown(".card h3"))
    page.press("1")
    sampled.add(path="/api/later")
    page.wait_for_path("/api/later")


def test_the_way_past_the_frame_leads_to_the_cards(shown):
    shown.press(Keys.TAB)
    shown.press(Keys.ENTER)
    shown.wait(lambda: shown.run("return document.activeElement.classList.contains('page')"))


def test_a_lost_connection_keeps_the_cards_and_says_so(page, sampled):
    page.expects_refusals = True
    show(page, sampled)
    sampled.stop()
    page.wait(lambda: page.shown(".view.page .banner.bad"))
    assert list(cards(page)) == ["metrics", "api", "cluster", "reports"]
    sampled.start()
    page.click_word("Try now", ".banner")
    page.wait(lambda: not page.shown(".banner"))


def test_what_an_upstream_is_called_stays_text(page, fake):
    hostile = "<img src=x onerror=alert(1)>"
    fake.upstreams = [upstream("api", url=f"http://{hostile}", failures={hostile: 1},
                               credential={"kind": hostile, "expires_at": None, "error": None})]
    show(page, fake)
    assert not page.all(".card img")
    assert cards(page)["api"]["reasons"] == [f"1 {hostile}"]


@pytest.mark.parametrize(("width", "height"), [(360, 740), (760, 700), (1000, 700), (1440, 900)])
def test_nothing_scrolls_sideways(page, sampled, width, height):
    page.size(width, height)
    show(page, sampled)
    overflowing = [name for name in page.run(SIDEWAYS) if name != "card-url"]
    assert overflowing == []
    page.run("const view = document.querySelector('.view.page'); view.scrollTop = view.scrollHeight")
    assert page.run("return document.querySelector('.view.page').scrollTop > 0"), "the last card can be reached"
    if width == 360:
        small = page.run("return [...document.querySelectorAll('#views a')].filter((a) => a.offsetHeight < 36).length")
        assert small == 0


def test_both_schemes_have_readable_words(page, sampled):
    for dark in (False, True):
        page.dark(dark)
        show(page, sampled)
        assert page.run(CONTRAST) == [], dark
    page.dark(False)


def test_the_real_upstream_is_shown(page, inspector):
    inspector.send("GET", "/api/things")
    inspector.send("GET", "/api/things")
    show(page, inspector)
    [card] = cards(page).values()
    assert card["chip"] == "healthy" and card["facts"]["Breaker"] == "closed"
    assert int(card["numbers"]["opened"]) >= 1 and card["numbers"]["failures"] == "0"
