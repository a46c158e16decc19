"""What the panel's tests share: an inspector to look at, and a browser to look with.

    /usr/bin/python3 -m pytest tests/panel

SIGHTGLASS_BINARY    the program; where it is absent, what is tested against it is skipped

Most tests use the stand-in of fake_inspector.py, which can show records of every kind at will. Those that ask for
`inspector` run twice: against the stand-in, and against the program (real_inspector.py), so that the two agree.
"""

import json
import os

import pytest
from selenium import webdriver
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service

from fake_inspector import FakeInspector
from page import Page
from real_inspector import RealInspector

FLAGS = ("--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync", "--window-size=1440,900")
BINARY = os.environ.get("SIGHTGLASS_BINARY")


@pytest.fixture
def start_fake(browser):
    """start_fake(prepare=..., **options): a stand-in of those options, listening once `prepare` has filled it."""
    started = []

    def start(prepare=lambda fake: None, **options):
        inspector = FakeInspector(**options)
        started.append(inspector)
        prepare(inspector)
        return inspector.start()

    yield start
    leave(browser)
    for inspector in started:
        inspector.stop()


@pytest.fixture
def fake(start_fake):
    """The stand-in, listening."""
    return start_fake()


@pytest.fixture(params=["fake", "real"])
def inspector(request, browser):
    """An inspector with send(method, path, body), which makes an exchange."""
    if request.param == "fake":
        yield request.getfixturevalue("fake")
        return
    if not BINARY:
        pytest.skip("no SIGHTGLASS_BINARY")
    real = RealInspector(BINARY).start()
    yield real
    leave(browser)
    real.stop()


def leave(browser):
    """So that the page does not miss an inspector that is about to end."""
    browser.get("about:blank")


@pytest.fixture(scope="session")
def browser(tmp_path_factory):
    options = Options()
    options.binary_location = "/usr/bin/chromium"
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    for flag in FLAGS:
        options.add_argument(flag)
    options.add_argument(f"--user-data-dir={tmp_path_factory.mktemp('browser')}")
    driver = webdriver.Chrome(options=options, service=Service("/usr/bin/chromedriver"))
    yield driver
    driver.quit()


@pytest.fixture
def page(browser):
    """The page, at 1440 x 900 and light. After each test: no error in the console, no breach of the policy.

    A refused request is logged by the browser as an error too; a test that provokes one says so by
    `page.expects_refusals = True`.
    """
    browser.get_log("browser")
    shown = Page(browser)
    shown.size(1440, 900)
    yield shown
    leave(browser)
    errors = [entry for entry in browser.get_log("browser") if entry["level"] in ("SEVERE", "WARNING")]
    if shown.expects_refusals:
        errors = [entry for entry in errors if entry["source"] != "network"]
    absent = getattr(shown.inspector, "absent", ())
    errors = [entry for entry in errors if not any(row in entry["message"] for row in absent)]
    assert not errors, json.dumps(errors, indent=1)
    assert shown.breaches() == []
