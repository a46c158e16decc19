"""The filter: tokens, text, the two switches, and the address they stand in."""

import pytest

from page import Keys


@pytest.fixture
def mixed(fake):
    fake.add("GET", "/api/nodes", 200)
    fake.add("POST", "/api/jobs", 201, duration_ms=1500.0)
    fake.add("GET", "/api/metrics", 404)
    fake.add("GET", "/api/me", 502, state="upstream_failed", route="/api/me", duration_ms=300.0)
    fake.add("DELETE", "/api/jobs/7", 0, state="client_aborted")
    return fake


@pytest.mark.parametrize(("typed", "paths"), [
    ("status:404 ", ["/api/metrics"]),
    ("status:4xx ", ["/api/metrics"]),
    ("status:>=400 ", ["/api/me", "/api/metrics"]),
    ("method:post ", ["/api/jobs"]),
    ("path:/api/me ", ["/api/me", "/api/metrics"]),
    ("path:/api/*s ", ["/api/metrics", "/api/jobs", "/api/nodes"]),
    ("route:/api/me ", ["/api/me"]),
    ("state:client_aborted ", ["/api/jobs/7"]),
    ("slower:250ms ", ["/api/me", "/api/jobs"]),
    ("slower:1s ", ["/api/jobs"]),
    ("method:GET status:5xx ", ["/api/me"]),
    ("nodes", ["/api/nodes"]),
])
def test_each_token_lets_pass_what_the_api_would(page, mixed, typed, paths):
    page.open(mixed)
    page.wait_for_rows(5)
    page.type_filter(typed)
    page.wait(lambda: page.paths() == paths)
    asked = mixed.listing({"limit": "1000", **page.run("""
        const query = new URLSearchParams(location.hash.split('?')[1]);
        return Object.fromEntries(query);
    """)})
    assert [item["path"] for item in asked["items"]] == paths


def test_the_filter_works_on_the_program_too(page, inspector):
    inspector.send("GET", "/api/nodes")
    inspector.send("POST", "/api/jobs", '{"name": "reindex-nightly"}')
    inspector.send("GET", "/status/404")
    page.open(inspector)
    page.wait_for_rows(3)
    page.type_filter("status:4xx ")
    page.wait(lambda: page.paths() == ["/status/404"])
    page.press(Keys.BACKSPACE, *[Keys.BACKSPACE] * len("status:4xx"))
    page.wait_for_rows(3)
    page.press("reindex-nightly")
    page.wait(lambda: page.paths() == ["/api/jobs"])


def test_text_is_found_in_headers_and_bodies_by_the_server(page, fake):
    fake.add(path="/api/a", response_body="the needle is here")
    fake.add(path="/api/b", request_headers=[{"name": "X-Tag", "value": "needle"}])
    fake.add(path="/api/c")
    page.open(fake)
    page.wait_for_rows(3)
    page.type_filter("needle")
    page.wait(lambda: page.paths() == ["/api/b", "/api/a"])
    fake.add(path="/api/d", response_body="another needle")
    fake.add(path="/api/e")
    page.wait(lambda: page.paths() == ["/api/d", "/api/b", "/api/a"])


def test_text_is_found_in_an_answer_that_came_later(page, fake):
    running = fake.begin("GET", "/api/slow")
    fake.add(path="/api/other")
    page.open(fake, "#traffic?q=needle")
    page.wait(lambda: "No exchange matches" in page.text(".tail"))
    fake.finish(running, 200, response_body="needle")
    page.wait(lambda: page.paths() == ["/api/slow"])


def test_a_match_that_the_page_does_not_hold_is_fetched(page, fake):
    fake.capacity = 7000
    fake.add("PUT", "/api/the-oldest")
    for i in range(6000):
        fake.add(path=f"/api/{i}")
    page.open(fake)
    page.wait(lambda: page.text(".count") == "5,000 exchanges")
    page.type_filter("method:PUT ")
    page.wait(lambda: page.paths() == ["/api/the-oldest"])


def test_errors_only_by_its_button_and_by_its_key(page, mixed):
    page.open(mixed)
    page.wait_for_rows(5)
    assert page.text(".errors-only .badge") == "3"
    page.click(".errors-only")
    page.wait(lambda: page.paths() == ["/api/jobs/7", "/api/me", "/api/metrics"])
    assert page.text(".count") == "3 of 5"
    page.send("x")
    page.wait_for_rows(5)


def test_an_exchange_that_fails_while_errors_only_is_on_appears(page, fake):
    running = fake.begin("GET", "/api/slow")
    page.open(fake, "#traffic?errors=1")
    page.wait(lambda: "No exchange matches" in page.text(".tail"))
    fake.finish(running, 500)
    page.wait(lambda: page.paths() == ["/api/slow"])


def test_the_address_holds_the_filter_and_gives_it_back(page, mixed):
    page.open(mixed)
    page.wait_for_rows(5)
    page.type_filter("status:>=400 path:/api/* slower:250ms me")
    page.wait(lambda: page.paths() == ["/api/me"])
    address = page.run("return location.hash")
    assert page.address == "#traffic?status=>=400&path=/api/*&min_duration_ms=250&q=me"
    page.open(mixed, address)
    page.wait(lambda: page.paths() == ["/api/me"])
    assert page.tokens() == ["status:>=400", "path:/api/*", "slower:250ms"]
    assert page.find(".filter-input").get_property("value") == "me"


def test_a_value_that_the_api_does_not_take_is_said_and_not_applied(page, mixed):
    page.open(mixed)
    page.wait_for_rows(5)
    page.type_filter("status:many ")
    page.wait(lambda: page.text(".filter-problem") == "status takes 404, 5xx, >=400")
    assert page.all(".token") == []
    page.open(mixed, "#traffic?status=many&method=POST")
    page.wait(lambda: page.paths() == ["/api/jobs"])
    assert "status:many is left out" in page.text("#toast")


def test_backspace_reopens_the_last_token_and_a_click_removes_one(page, mixed):
    page.open(mixed)
    page.wait_for_rows(5)
    page.type_filter("method:GET status:404 ")
    page.wait_for_rows(1)
    page.press(Keys.BACKSPACE)
    page.wait(lambda: page.find(".filter-input").get_property("value") == "status:404")
    page.wait_for_rows(3)
    page.click(".token")
    page.wait(lambda: page.all(".token") == [])


def test_the_list_of_keys_offers_keys_and_values(page, mixed):
    page.open(mixed)
    page.wait_for_rows(5)
    page.click(".filter-input")
    page.wait(lambda: page.shown(".suggestions"))
    page.press(Keys.ARROW_DOWN, Keys.ENTER)
    page.wait(lambda: page.find(".filter-input").get_property("value") == "status:")
    page.press(Keys.ARROW_DOWN, Keys.ENTER)
    page.wait(lambda: page.paths() == ["/api/me"])
    assert page.tokens() == ["status:5xx"]


def test_where_nothing_matches_the_page_says_what_hides_it(page, mixed):
    page.open(mixed, "#traffic?path=/nothing&errors=1")
    page.wait(lambda: "5 are kept, and none passes path:/nothing, errors only" in page.text(".tail"))
    page.click_word("Clear the filter")
    page.wait_for_rows(5)
    assert page.address == "#traffic"
