"""Pictures of each view and state, for the eye and for the README.

They are written into build-results/pictures, or $SIGHTGLASS_PICTURES.
"""

import os
from pathlib import Path

import pytest

import samples

FOLDER = Path(os.environ.get("SIGHTGLASS_PICTURES") or Path(__file__).resolve().parents[2] / "build-results" / "pictures")
SIZES = {"light": (1440, 900, False), "dark": (1440, 900, True), "narrow": (360, 740, False)}


@pytest.fixture
def shown(page, fake, request):
    """The page in one of the sizes, over the sample traffic."""
    width, height, dark = SIZES[request.param]
    fake.upstreams = samples.sample_upstreams()
    samples.sample_traffic(fake)
    page.size(width, height)
    page.dark(dark)
    page.look = request.param
    yield page
    page.dark(False)


def take(page, name):
    """Keeps what is shown now."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    page.driver.save_screenshot(str(FOLDER / f"{name}-{page.look}.png"))


def open_at(page, fake, path, **more):
    record = next(each for each in reversed(fake.records) if path in each["path"])
    extra = "".join(f"&{key}={value}" for key, value in more.items())
    page.open(fake, f"#traffic?open=seq:{record['seq']}{extra}")
    page.wait(lambda: page.shown(".side .section-head h3") or page.shown(".waterfall"))
    page.wait(lambda: not page.shown(".skeleton"))
    return record


every_size = pytest.mark.parametrize("shown", SIZES, indirect=True)


@every_size
def test_the_traffic(shown, fake):
    shown.open(fake)
    shown.wait(lambda: len(shown.rows()) > 5 and shown.text(".fact-p95 dd"))
    take(shown, "traffic")


@every_size
def test_the_detail_of_each_kind(shown, fake):
    for name, path in (("post", "checkout/scale"), ("ws", "/api/exec/"), ("sse", "/api/events/stream"), ("cut", "/logs"),
                       ("timeout", "/api/metrics/range"), ("left", "/api/reports/usage"), ("picture", "ines.png")):
        open_at(shown, fake, path, **({"tab": "response"} if shown.look == "narrow" and name in ("ws", "sse") else {}))
        take(shown, name)
    open_at(shown, fake, "checkout/scale", tab="timing")
    shown.wait(lambda: shown.shown(".beside"))
    take(shown, "timing")


@every_size
def test_the_editor_and_a_replay(shown, fake):
    fake.replay_answer = {"status": 200, "duration_ms": 188.0, "response_body": '{"replicas": 6, "ready": 4}',
                          "response_headers": samples.answered()}
    open_at(shown, fake, "checkout/scale")
    shown.click("[data-act=edit]")
    shown.wait(lambda: shown.run("return document.querySelector('.editor-body')?.value"))
    take(shown, "edit")
    shown.click_word("Cancel", ".editor")
    shown.expects_refusals = True
    shown.click("[data-act=replay]")
    shown.wait(lambda: shown.shown(".verdict.warn"))
    take(shown, "refused")
    shown.click("[data-act=edit-refused]")
    shown.wait(lambda: shown.run("return document.querySelector('.editor-body')?.value"))
    shown.click_word("Send", ".editor")
    shown.click("[data-act=compare]")
    shown.wait(lambda: shown.shown(".answers"))
    take(shown, "compared")
    shown.click("[data-act=compare]")
    shown.wait(lambda: shown.shown(".detail-body .side"))
    take(shown, "replayed")


@every_size
def test_the_pages(shown, fake):
    for name, ready in (("polls", ".polls-table"), ("routes", ".routes-table"), ("upstreams", ".card h3")):
        shown.open(fake, f"#{name}")
        shown.wait(lambda selector=ready: shown.shown(selector))
        shown.wait(lambda: shown.shown("#views .badge.bad"))
        take(shown, name)
    shown.open(fake, "#compare?from=before-cache&to=with-cache")
    shown.wait(lambda: shown.shown(".compare-table"))
    take(shown, "compare")


@every_size
def test_the_states(shown, fake):
    shown.open(fake)
    shown.wait(lambda: len(shown.rows()) > 5)
    shown.press("p")
    shown.wait(lambda: shown.shown(".banner.warn"))
    fake.paused = False
    shown.scroll_to(300)
    take(shown, "paused")
    shown.press("p")
    shown.wait(lambda: not shown.shown(".banner.warn"))
    shown.scroll_to(0)
    shown.wait(lambda: not shown.shown(".fresh"))
    fake.fall_behind(38)
    fake.add(path="/api/after")
    shown.wait(lambda: shown.shown(".gap-line"))
    take(shown, "gap")
    shown.press("?")
    shown.wait(lambda: shown.shown("#keys"))
    take(shown, "keys")
    fake.clear()
    shown.open(fake)
    shown.wait(lambda: "Waiting for the" in shown.text(".tail"))
    take(shown, "first")
