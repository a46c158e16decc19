"""Dashboards that show the inspector: pages of origins that may read its API, and of those that may show its
panel in a frame."""

import pytest

FRIEND = "https://dashboard.example"
SECOND = "http://localhost:3000"


@pytest.fixture
def shared(sightglass, origin):
    return sightglass(
        origin,
        config={
            "inspector": {
                "allow_origins": [FRIEND, SECOND],
                "frame_ancestors": ["self", FRIEND],
            }
        },
    )


def read(proxy, origin, path="/api/requests"):
    return proxy.inspector.get(path, Origin=origin, Sec_Fetch_Site="cross-site")


@pytest.mark.parametrize("origin_of_page", [FRIEND, SECOND])
def test_a_page_of_an_allowed_origin_may_read(shared, origin_of_page):
    answer = read(shared, origin_of_page)
    assert answer.status == 200 and "items" in answer.json()
    assert answer.headers["Access-Control-Allow-Origin"] == origin_of_page
    assert "Origin" in answer.headers.get_all("Vary")
    assert "Access-Control-Allow-Credentials" not in answer.headers


def test_it_may_read_why_it_gets_no_more(shared):
    answer = read(shared, FRIEND, "/api/requests?no=such")
    assert answer.status == 400
    assert answer.headers["Access-Control-Allow-Origin"] == FRIEND


@pytest.mark.parametrize(
    "origin_of_page",
    ["https://dashboard.example:8443", "http://dashboard.example", "https://evil.example", "null"],
)
def test_a_page_of_any_other_origin_gets_nothing(shared, origin_of_page):
    answer = read(shared, origin_of_page)
    assert answer.status == 403 and b"items" not in answer.body
    assert "Access-Control-Allow-Origin" not in answer.headers
    assert "allow_origins" in answer.json()["detail"]


def test_the_question_before_a_read_with_a_token_is_answered(shared):
    asked = {"Access-Control-Request-Method": "GET", "Access-Control-Request-Headers": "authorization"}
    answer = shared.inspector.ask("OPTIONS", "/api/requests", {"Origin": FRIEND, **asked})
    assert answer.status == 204
    assert answer.headers["Access-Control-Allow-Origin"] == FRIEND
    assert "Authorization" in answer.headers["Access-Control-Allow-Headers"]
    assert answer.headers["Access-Control-Allow-Methods"] == "GET, HEAD"
    answer = shared.inspector.ask("OPTIONS", "/api/requests", {"Origin": "http://evil.example", **asked})
    assert "Access-Control-Allow-Origin" not in answer.headers


def test_reading_is_all_that_it_may(shared):
    answer = shared.inspector.ask("DELETE", "/api/requests", {"Origin": FRIEND})
    assert answer.status == 403


def test_the_panel_is_shown_in_frames_of_those_alone_that_may(shared, sightglass, origin):
    page = shared.inspector.get("/", Accept="text/html")
    assert page.headers["Content-Security-Policy"].endswith(f"frame-ancestors 'self' {FRIEND}")
    data = shared.inspector.get("/api/requests")
    assert data.headers["Content-Security-Policy"].find("frame-ancestors 'none'") > 0
    page = sightglass(origin).inspector.get("/", Accept="text/html")
    assert page.headers["Content-Security-Policy"].endswith("frame-ancestors 'none'")


def test_a_link_to_the_panel_may_be_followed_from_anywhere(shared):
    headers = {"Accept": "text/html", "Sec_Fetch_Site": "cross-site", "Sec_Fetch_Mode": "navigate"}
    assert shared.inspector.get("/", **headers).status == 200
