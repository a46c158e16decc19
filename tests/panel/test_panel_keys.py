"""The keyboard, and where the focus goes."""

import pytest

from page import Keys


@pytest.fixture
def ten(page, fake):
    for i in range(10):
        fake.add(path=f"/api/{i}", status=500 if i in (2, 5) else 200)
    page.open(fake)
    page.wait_for_rows(10)
    page.run("document.getElementById('grid').focus()")
    return page


def chosen_path(page):
    row = page.chosen()
    return row and row["path"]


def press_until(page, key, path):
    page.press(key)
    page.wait(lambda: chosen_path(page) == path)


def test_arrows_and_letters_choose(ten):
    press_until(ten, Keys.ARROW_DOWN, "/api/9")
    press_until(ten, Keys.ARROW_DOWN, "/api/8")
    press_until(ten, "j", "/api/7")
    press_until(ten, "k", "/api/8")
    press_until(ten, Keys.ARROW_UP, "/api/9")
    press_until(ten, Keys.END, "/api/0")
    press_until(ten, Keys.HOME, "/api/9")
    assert ten.address.startswith("#traffic?open=seq:")
    assert ten.find("#grid").get_attribute("aria-activedescendant") == f"row-{ten.chosen()['seq']}"


def test_pages_up_and_down(page, fake):
    for i in range(300):
        fake.add(path=f"/api/{i}")
    page.open(fake)
    page.wait_for_path("/api/299")
    page.send(Keys.HOME)
    page.wait(lambda: chosen_path(page) == "/api/299")
    page.press(Keys.PAGE_DOWN)
    page.wait(lambda: page.chosen()["index"] > 10)
    page.press(Keys.PAGE_UP)
    page.wait(lambda: page.chosen()["index"] == 0)


def test_failures_are_found_by_n(ten):
    press_until(ten, "n", "/api/5")
    press_until(ten, "n", "/api/2")
    press_until(ten, "N", "/api/5")


def test_enter_goes_into_the_detail_and_escape_back_and_out(ten):
    press_until(ten, Keys.ARROW_DOWN, "/api/9")
    ten.wait(lambda: ten.shown(".detail"))
    ten.press(Keys.ENTER)
    ten.wait(lambda: ten.run("return document.querySelector('.detail').contains(document.activeElement)"))
    ten.press(Keys.ESCAPE)
    ten.wait(lambda: ten.run("return document.activeElement.id") == "grid")
    assert ten.shown(".detail")
    ten.press(Keys.ESCAPE)
    ten.wait(lambda: not ten.shown(".detail"))
    assert ten.run("return document.activeElement.id") == "grid"


def test_brackets_change_the_tab(ten):
    press_until(ten, Keys.ARROW_DOWN, "/api/9")
    selected = "return document.querySelector('[role=tab][aria-selected=true]').textContent"
    ten.wait(lambda: ten.shown(".side .section-head h3"))
    ten.press("]")
    ten.wait(lambda: ten.run(selected) == "Request")
    ten.press("]", "]")
    ten.wait(lambda: ten.run(selected) == "Timing")
    ten.press("[")
    ten.wait(lambda: ten.run(selected) == "Response")
    assert "tab=response" in ten.address


def test_slash_goes_to_the_filter_and_escape_leaves_it(ten):
    ten.press("/")
    ten.wait(lambda: ten.run("return document.activeElement.className") == "filter-input")
    ten.press("x")
    assert ten.find(".errors-only").get_attribute("aria-pressed") == "false", "no key acts in a field"
    ten.press(Keys.ESCAPE)
    ten.wait(lambda: ten.run("return document.activeElement.id") == "grid")


def test_the_list_of_keys_opens_and_single_keys_can_be_switched_off(ten):
    ten.press("?")
    ten.wait(lambda: ten.shown("#keys"))
    assert "Errors only" in ten.text("#keys")
    assert "Sightglass 0.1.0" in ten.text("#keys")
    for action in ("Replay", "Copy as curl", "Edit and replay", "Pause, resume", "Mark now", "Views"):
        assert action in ten.text("#keys")
    ten.click("#keys input")
    ten.click_word("Close", "#keys")
    ten.run("document.getElementById('grid').focus()")
    ten.press("x")
    ten.press(Keys.ARROW_DOWN)
    ten.wait(lambda: chosen_path(ten) == "/api/9")
    assert ten.find(".errors-only").get_attribute("aria-pressed") == "false"
    ten.find("#grid").send_keys(Keys.ALT, "x")
    ten.wait(lambda: ten.find(".errors-only").get_attribute("aria-pressed") == "true")


def test_back_closes_what_was_opened(ten):
    press_until(ten, Keys.ARROW_DOWN, "/api/9")
    press_until(ten, Keys.ARROW_DOWN, "/api/8")
    ten.driver.back()
    ten.wait(lambda: not ten.shown(".detail"))
    assert ten.address == "#traffic"


def test_the_grid_says_how_many_rows_there_are(ten):
    grid = ten.find("#grid")
    assert grid.get_attribute("role") == "grid"
    assert grid.get_attribute("aria-rowcount") == "11"
    assert [row["index"] for row in ten.rows()] == list(range(10))


def test_a_click_on_a_point_of_the_picture_opens_its_exchange(page, fake):
    record = fake.add(path="/api/lonely", ago=150, duration_ms=100.0)
    page.open(fake)
    page.wait_for_rows(1)
    where = """const box = document.querySelector('.plot-canvas').getBoundingClientRect();
        return [box.left, box.top, box.width, box.height];"""
    left, top, width, height = page.run(where)
    click = """const [x, y] = arguments;
        document.querySelector('.plot-canvas').dispatchEvent(
            new PointerEvent('click', { clientX: x, clientY: y, bubbles: true }));"""

    def opened():
        # The point moves on with time: by its time and duration, on a scale of 5 minutes and 1 ms to 10 s.
        import time
        age = time.time() - record["ts"]
        x = left + width - 12 - age / 300 * (width - 12 - 52)
        y = top + height - 48 - 0.5 * (height - 48 - 8)
        page.run(click, x, y)
        return page.shown(".detail")

    page.wait(opened)
    assert chosen_path(page) == "/api/lonely"
