"""What the panel's tests share: an inspector to look at, and a browser to look with.

The inspector is the stand-in of fake_inspector.py. Where SIGHTGLASS_BINARY names a program, the tests
that are marked `both` run against that instead: see real_inspector.py. All others make records that only
the stand-in can make, and are skipped then.
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


def pytest_configure(config):
    config.addinivalue_line("markers", "both: runs against the stand-in and against the real program")


def pytest_collection_modifyitems(items):
    if BINARY:
        skip = pytest.mark.skip(reason="needs records that only the stand-in can make")
        for item in items:
            if item.get_closest_marker("both") is None:
                item.add_marker(skip)


@pytest.fixture
def fake():
    """The stand-in, listening."""
    inspector = FakeInspector().start()
    yield inspector
    inspector.stop()


@pytest.fixture
def inspector(request):
    """An inspector with send(method, path, body) that makes an exchange: the real one where there is one."""
    if not BINARY:
        yield request.getfixturevalue("fake")
        return
    real = RealInspector(BINARY).start()
    yield real
    real.stop()


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
    browser.execute_script("localStorage.clear()") if shown.opened else None
    errors = [entry for entry in browser.get_log("browser") if entry["level"] in ("SEVERE", "WARNING")]
    if shown.expects_refusals:
        errors = [entry for entry in errors if entry["source"] != "network"]
    browser.get("about:blank")
    assert not errors, json.dumps(errors, indent=1)
    assert shown.breaches() == []
