"""The panel as a test sees it. One job: find and do things in the page, waiting for what is to come."""

import json

from selenium.common.exceptions import StaleElementReferenceException
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.wait import WebDriverWait

PATIENCE = 15

# What stands in the rows that are in the page, from top to bottom.
ROWS = """
return [...document.querySelectorAll('.row')]
    .filter((row) => !row.hidden)
    .sort((a, b) => a.getAttribute('aria-rowindex') - b.getAttribute('aria-rowindex'))
    .map((row) => ({
        seq: Number(row.id.slice(4)),
        index: Number(row.getAttribute('aria-rowindex')) - 2,
        chosen: row.getAttribute('aria-selected') === 'true',
        failed: row.classList.contains('failed'),
        status: row.querySelector('.cell-status').textContent,
        method: row.querySelector('.cell-method').textContent,
        path: row.querySelector('.path').title,
        duration: row.querySelector('.cell-duration').textContent,
        chips: [...row.querySelectorAll('.chip')].map((chip) => chip.textContent),
    }));
"""


class Page:
    def __init__(self, driver):
        self.driver = driver
        self.inspector = None
        self.expects_refusals = False

    # --- the page as a whole

    def open(self, inspector, address=""):
        self.inspector = inspector
        self.driver.get("about:blank")
        self.driver.get(inspector.url + address)
        self.wait(lambda: self.find(".view"))
        return self

    def size(self, width, height):
        metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)

    def dark(self, on):
        features = [{"name": "prefers-color-scheme", "value": "dark" if on else "light"}]
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})

    def run(self, script, *arguments):
        return self.driver.execute_script(script, *arguments)

    def wait(self, condition, seconds=PATIENCE):
        """The condition's first true value. A mere assertion in it may fail until the time is over."""

        def holds(_):
            try:
                return condition()
            except (AssertionError, StaleElementReferenceException):
                return False

        return WebDriverWait(self.driver, seconds, poll_frequency=0.05).until(holds)

    def breaches(self):
        """What the browser reported against the Content-Security-Policy."""
        return [json.loads(report) for report in getattr(self.inspector, "csp_reports", [])]

    @property
    def address(self):
        return self.run("return decodeURIComponent(location.hash)")

    # --- elements

    def find(self, selector):
        found = self.driver.find_elements(By.CSS_SELECTOR, selector)
        return found[0] if found else None

    def all(self, selector):
        return self.driver.find_elements(By.CSS_SELECTOR, selector)

    def text(self, selector):
        """What a reader sees of the first one; '' where there is none. One step: the page may change between two."""
        return self.run("""const found = document.querySelector(arguments[0]);
            return found && found.checkVisibility() ? found.innerText.trim() : '';""", selector)

    def tokens(self):
        return self.run("return [...document.querySelectorAll('.token')].map((token) => token.textContent)")

    def shown(self, selector):
        script = "return document.querySelector(arguments[0])?.checkVisibility() ?? false"
        return self.run(script, selector)

    def click(self, selector):
        self.wait(lambda: self.find(selector)).click()

    def click_word(self, word, within="body"):
        """Clicks the button or link of that word."""
        script = """return [...document.querySelectorAll(arguments[1] + ' :is(button, a)')]
            .find((each) => (each.querySelector('.button-word') ?? each).textContent.trim() === arguments[0] && each.offsetParent !== null);"""
        self.wait(lambda: self.run(script, word, within)).click()

    def press(self, *keys):
        ActionChains(self.driver).send_keys(*keys).perform()

    def type_filter(self, text):
        self.click(".filter-input")
        self.press(text)

    # --- the table

    def rows(self):
        return self.run(ROWS)

    def paths(self):
        return [row["path"] for row in self.rows()]

    def chosen(self):
        chosen = [row for row in self.rows() if row["chosen"]]
        return chosen[0] if chosen else None

    def wait_for_rows(self, count):
        self.wait(lambda: len(self.rows()) == count)

    def wait_for_path(self, path):
        return self.wait(lambda: next((row for row in self.rows() if row["path"] == path), None))

    def open_row(self, seq):
        self.click(f"#row-{seq} .cell-path")
        self.wait(lambda: self.shown(".side .section-head h3"))

    def scroll_to(self, top):
        self.run("document.getElementById('grid').scrollTop = arguments[0]", top)

    def send(self, *keys):
        """Keys for the table."""
        self.find("#grid").send_keys(*keys)


__all__ = ["Keys", "Page"]
