"""The routes: figures, order, filter, and the way to their traffic."""

import pytest

import samples
from fake_rows import route
from test_panel_layout import CONTRAST, SIDEWAYS

LINES = """return [...document.querySelectorAll('.routes-table tbody tr')].map((line) =>
    [...line.children].map((cell) => cell.textContent.trim()));"""


@pytest.fixture
def shown(page, fake):
    fake.routes = samples.sample_routes()
    return show(page, fake)


def show(page, fake, address="#routes"):
    page.open(fake, address)
    page.wait(lambda: page.shown(".routes-table"))
    return page


def paths(page):
    return [line[0] for line in page.run(LINES)]


def sorts(page):
    return page.run("""return [...document.querySelectorAll('.routes-table th[aria-sort]')]
        .filter((head) => head.getAttribute('aria-sort') !== 'none')
        .map((head) => [head.textContent, head.getAttribute('aria-sort')]);""")


def test_each_route_has_its_figures(shown):
    line = next(line for line in shown.run(LINES) if line[0] == "POST/api/clusters/{id}/deployments/{id}/scale")
    assert line[1:6] == ["full", "41", "212 ms", "460 ms", "3.02 s"]
    assert line[7:] == ["4.9 %", "1.00", "–"]
    health = shown.run(LINES)[0]
    assert (health[0], health[1], health[7], health[9]) == ("GET/api/clusters/{id}/health", "row", "0 %", "71 %")
    tunnel = next(line for line in shown.run(LINES) if "exec" in line[0])
    assert tunnel[3:6] == ["open", "", ""]


def test_the_most_frequent_comes_first_and_each_head_sorts(shown):
    counts = [int(line[2]) for line in shown.run(LINES)]
    assert counts == sorted(counts, reverse=True) and sorts(shown) == [["Count", "descending"]]
    shown.click_word("p99", ".routes-table")
    assert sorts(shown) == [["p99", "descending"]] and shown.run(LINES)[0][0].endswith("/api/exec/{id}")
    assert shown.address == "#routes?sort=p99"
    shown.click_word("p99", ".routes-table")
    assert sorts(shown) == [["p99", "ascending"]] and shown.run(LINES)[0][0] == "GET/api/audit"
    shown.click_word("Route", ".routes-table")
    names = [path.split("/", 1)[-1] for path in paths(shown)]
    assert names == sorted(names) and sorts(shown) == [["Route", "ascending"]]
    shown.click_word("Unchanged", ".routes-table")
    assert shown.run(LINES)[-1][9] == "–", "what has no figure comes last"


def test_the_order_and_the_filter_stand_in_the_address(page, fake):
    fake.routes = samples.sample_routes()
    show(page, fake, "#routes?sort=errors&q=/api/*range")
    assert paths(page) == ["GET/api/metrics/range"]
    page.find(".page-filter input").clear()
    page.find(".page-filter input").send_keys("post scale")
    page.wait(lambda: paths(page) == ["POST/api/clusters/{id}/deployments/{id}/scale"])
    assert page.address == "#routes?sort=errors&q=post+scale"
    page.press(" none")
    page.wait(lambda: "No route matches" in page.text(".view.page .empty"))


def test_the_spread_is_drawn_on_the_one_scale(shown):
    drawn = shown.run("""const line = [...document.querySelectorAll('.routes-table tbody tr')]
            .find((each) => each.textContent.includes('/scale'));
        const at = (part, name) => parseFloat(line.querySelector('.' + part).getAttribute(name));
        return [at('spread-p50', 'cx'), at('spread-p95', 'x'), at('spread-p99', 'cx')];""")
    assert drawn == pytest.approx([58.16, 66.57, 87.0], abs=0.05)


def test_a_line_opens_the_traffic_that_it_counts(page, fake):
    fake.add("POST", "/api/clusters/prod/deployments/checkout/scale")
    fake.add("GET", "/api/clusters/prod/deployments/checkout/scale")
    fake.add("POST", "/api/elsewhere")
    fake.add_poll(path="/api/monitor/aks")
    fake.routes = [route("/api/clusters/{id}/deployments/{id}/scale", "POST"), route("/api/monitor/aks", capture="row", route="")]
    show(page, fake)
    page.click(".routes-table tbody tr:first-child td:nth-child(3)")
    page.wait_for_rows(1)
    assert page.tokens() == ["method:POST", "path:/api/clusters/*/deployments/*/scale", "route:/api"]
    page.driver.back()
    page.wait(lambda: page.shown(".routes-table"))
    page.click_word("/api/monitor/aks", ".routes-table")
    page.wait(lambda: [row["path"] for row in page.rows()] == ["/api/monitor/aks"])


def test_figures_count_and_the_lines_stay(page, fake):
    fake.routes = [route("/api/one", count=5), route("/api/two", count=3)]
    show(page, fake)
    page.run("document.querySelector('.routes-table tbody tr').dataset.same = 'yes'")
    fake.routes = [route("/api/one", count=9), route("/api/two", count=4)]
    page.wait(lambda: [line[2] for line in page.run(LINES)] == ["9", "4"])
    assert page.find(".routes-table tbody tr").get_attribute("data-same") == "yes"


def test_a_program_without_them_is_said(page, fake):
    page.expects_refusals = True
    fake.absent = {"api/routes"}
    page.open(fake, "#routes")
    page.wait(lambda: "it has no api/routes" in page.text(".view.page .empty"))
    fake.absent = set()
    page.press("1")
    page.press("3")
    page.wait(lambda: "Nothing has ended yet" in page.text(".view.page .empty"))


def test_a_refusal_is_said(page, fake):
    page.expects_refusals = True
    fake.refuse = (503, "draining")
    page.open(fake, "#routes")
    page.wait(lambda: "Sightglass answered 503: draining." in page.text(".view.page .empty"))


def test_the_real_program_counts_its_routes(page, inspector):
    for _ in range(3):
        inspector.send("GET", "/api/things/17")
    if "api/routes" in getattr(inspector, "absent", ()):
        pytest.skip("this program has no api/routes")
    if hasattr(inspector, "routes"):
        inspector.routes = [route("/api/things/{id}", count=3)]
    show(page, inspector)
    page.wait(lambda: [line[2] for line in page.run(LINES) if line[0] == "GET/api/things/{id}"] == ["3"])


def test_hostile_names_are_text(page, fake):
    fake.routes = [route("/api/" + samples.HOSTILE, samples.HOSTILE, capture=samples.HOSTILE)]
    show(page, fake)
    assert samples.HOSTILE in page.text(".routes-table tbody")
    assert not page.all(".view img, .view script")


@pytest.mark.parametrize(("width", "height"), [(360, 740), (760, 700), (1000, 700), (1440, 900)])
def test_nothing_scrolls_sideways(page, fake, width, height):
    fake.routes = [*samples.sample_routes(), route("/api/" + "long/" * 30 + "end")]
    page.size(width, height)
    show(page, fake)
    assert [name for name in page.run(SIDEWAYS) if name not in ("route-path", "spread-head")] == []


def test_both_schemes_have_readable_words(page, fake):
    fake.routes = samples.sample_routes()
    for dark in (False, True):
        page.dark(dark)
        show(page, fake)
        assert page.run(CONTRAST) == [], dark
    page.dark(False)
