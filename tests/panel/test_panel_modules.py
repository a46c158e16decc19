"""The modules that only compute, asked directly."""

import json
import random

import pytest


@pytest.fixture(scope="module")
def ask():
    """ask(page, module, body): what `body`, a function's body with the module as `m`, returns."""

    def ask_module(page, module, body):
        script = f"""const done = arguments[arguments.length - 1];
            import(new URL('panel/{module}.js', document.baseURI)).then((m) => {{
                const run = (m) => {{ {body} }};
                done({{ value: run(m) }});
            }}).catch((error) => done({{ error: String(error.stack) }}));"""
        answer = page.driver.execute_async_script(script)
        assert "error" not in answer, answer["error"]
        return answer["value"]

    return ask_module


@pytest.fixture
def opened(page, fake):
    return page.open(fake)


def test_durations_have_three_digits_at_most(opened, ask):
    values = [0, 0.4, 1, 86.4, 999.4, 999.6, 3021, 9994, 9996, 59900, 59960, 262000, 3600000, 7500000]
    words = ask(opened, "format", f"return {values}.map((ms) => m.duration(ms));")
    assert words == ["<1 ms", "<1 ms", "1 ms", "86 ms", "999 ms", "1.00 s", "3.02 s", "9.99 s", "10.0 s", "59.9 s",
                     "1 m 00 s", "4 m 22 s", "1 h 00 m", "2 h 05 m"]


def test_sizes_have_binary_units(opened, ask):
    values = [0, 241, 999, 1000, 48211, 182733, 1023488, 4404019, 33554432, 1 << 34]
    words = ask(opened, "format", f"return {values}.map((bytes) => m.size(bytes));")
    assert words == ["0 B", "241 B", "999 B", "1.0 KiB", "47.1 KiB", "178 KiB", "1.0 MiB", "4.2 MiB", "32.0 MiB",
                     "16.0 GiB"]


def test_the_middle_of_a_path_gives_way_never_its_last_segment(opened, ask):
    fold = """return [['/api/clusters/prod-weu-1/deployments/checkout/scale', '', 30], ['/api/me', '?a=1', 30],
        ['/api/me', '?a=1', 9], ['/api/me', '?abcdefgh', 12], ['/' + 'x'.repeat(100), '', 20], ['/a/b/', '', 3]]
        .map(([path, query, room]) => m.foldPath(path, query, room));"""
    folded = ask(opened, "format", fold)
    assert folded[0] == ["/api/clusters/prod-weu-…/scale", ""]
    assert folded[1] == ["/api/me", "?a=1"]
    assert folded[2] == ["/api/me", ""]
    assert folded[3] == ["/api/me", "?abc…"]
    assert all(len(path) <= room for (path, _), room in zip(folded[:5], (30, 30, 9, 12, 20)))


def test_globs_match_as_shells_do(opened, ask):
    cases = [("/api/*", "/api/x", True), ("/api/*", "/apix", False), ("*/scale", "/a/b/scale", True),
             ("/a*b*c", "/aXbYc", True), ("/a*b*c", "/aXc", False), ("*", "", True), ("/a*a", "/a", False),
             ("/a**b", "/ab", True), ("*" * 200 + "b", "a" * 5000, False)]
    pairs = [[pattern, path] for pattern, path, _ in cases]
    assert ask(opened, "filter", f"return {pairs}.map(([p, t]) => m.globMatches(p, t));") == [c[2] for c in cases]


READ = """const read = (text, cut) => {
    const work = m.readJson(text, cut);
    for (;;) { const { done, value } = work.next(); if (done) return value; }
};"""


def test_what_is_not_json_is_not_read(opened, ask):
    texts = ["", " ", "{", "}", "[1,]", "[,1]", '{"a"}', '{"a":}', '{"a":1,}', "{a:1}", "01", "1 2", "nul", "tru e",
             "'a'", '"a', '["a" "b"]', "[1}", '{"a":1]', "\u00a01", "1.", "-", "+1"]
    read = f"{READ} return {json.dumps(texts)}.filter((text) => read(text, false) !== null);"
    assert ask(opened, "json_reader", read) == []


def test_what_is_json_is_read_whole(opened, ask):
    script = READ + r"""
        const show = (node) => node.kids
            ? (node.kind === 'array' ? '[' : '{') + node.kids.map((kid) => (kid.key ? kid.key + ':' : '') + show(kid)).join()
                + (node.kind === 'array' ? ']' : '}')
            : node.raw;
        const texts = ['[]', '{}', '{"a":[1,-2.5e+3,true,false,null]}', '"\\"\\\\"', '[[[]],{"x":{}}]', '0'];
        return texts.map((text) => show(read(' ' + text + '\n', false)) === text);"""
    assert ask(opened, "json_reader", script) == [True] * 6


def test_json_that_was_cut_anywhere_is_read_up_to_there(opened, ask):
    script = READ + r"""
        const text = '{"a": [1, {"b": "x\\"y"}, true], "c": null}';
        const failed = [];
        for (let end = 1; end < text.length; end += 1) {
            const root = read(text.slice(0, end), true);
            if (root === null || root.kind !== 'object' || root.cut !== true) failed.push(text.slice(0, end));
        }
        return failed;"""
    assert ask(opened, "json_reader", script) == []


def test_depth_and_length_cost_no_stack(opened, ask):
    script = READ + r"""
        const deep = '['.repeat(200000) + ']'.repeat(200000);
        const long = '[' + '1,'.repeat(200000) + '1]';
        const slashes = '"' + '\\\\'.repeat(100000) + '"';
        return [read(deep, false).kind, read(long, false).kids.length, read(slashes, false).raw.length];"""
    assert ask(opened, "json_reader", script) == ["array", 200001, 200002]


def test_an_address_for_curl_is_the_proxys(opened, ask):
    script = """const at = (origin) => new URL(origin);
        return [
            m.curlCommand(['127.0.0.1:8080'], at('http://127.0.0.1:8080')),
            m.curlCommand(['0.0.0.0:8080'], at('http://10.1.2.3:8080')),
            m.curlCommand(['0.0.0.0:8080'], at('http://10.1.2.3:9000')),
            m.curlCommand(['unix:/run/sg.sock'], at('http://127.0.0.1:9000')),
            m.curlCommand([], at('http://127.0.0.1:9000')),
        ];"""
    assert ask(opened, "states", script) == [
        "curl -i http://127.0.0.1:8080/", "curl -i http://10.1.2.3:8080/", "curl -i http://10.1.2.3:8080/",
        "curl -i --unix-socket /run/sg.sock http://localhost/", "curl -i http://127.0.0.1:9000/"]


def test_a_pace_is_found_where_there_is_one(opened, ask):
    rng = random.Random(3)
    steady = [i * 5 + rng.random() * 0.05 for i in range(40)]
    threes = sorted(i * 5 + j * 0.2 + rng.random() * 0.05 for i in range(20) for j in range(3))
    apart = sorted([i * 2.0 for i in range(40)] + [0.7 + i * 2.0 for i in range(40)])
    paused = [i * 5.0 for i in range(20)] + [200 + i * 5.0 for i in range(20)]
    hurried = sorted([i * 3.0 for i in range(20)] + [6.5, 14, 14.8, 32, 41.2])
    chance = sorted(rng.random() * 300 for _ in range(60))
    script = f"return {[steady, threes, apart, paused, hurried, chance, [1, 2, 3], []]}.map((starts) => m.paceOf(starts));"
    found = ask(opened, "steadiness", script)
    assert [pace and (round(pace["every"], 1), pace["together"]) for pace in found] == [
        (5.0, 1), (5.0, 3), (2.0, 2), (5.0, 1), (3.0, 1), None, None, None]


def test_a_difference_makes_one_text_the_other(opened, ask):
    rng = random.Random(5)
    pairs = []
    for _ in range(40):
        first = [rng.choice("abcde") for _ in range(rng.randrange(30))]
        second = [line for line in first if rng.random() > 0.2]
        for _ in range(rng.randrange(6)):
            second.insert(rng.randrange(len(second) + 1), rng.choice("abcxyz"))
        pairs.append(["\n".join(first), "\n".join(second)])
    script = f"""return {json.dumps(pairs)}.map(([a, b]) => {{
        const lines = m.differenceOf(a, b);
        const left = (sign) => lines.filter(([each]) => each === ' ' || each === sign).map(([, line]) => line).join('\\n');
        return lines.some(([sign]) => sign === '…') || lines.length === 0
            ? a === b || lines.length > 0 : left('−') === a && left('+') === b;
    }});"""
    assert ask(opened, "difference", script) == [True] * 40


def test_differences_are_bounded(opened, ask):
    script = """const many = Array.from({ length: 3000 }, (_, i) => `a${i}`).join('\\n');
        const others = many.replaceAll('a', 'b');
        const start = performance.now();
        const all = m.differenceOf(many, others).length;
        return [all, m.differenceOf('x\\n'.repeat(5000), 'y'), performance.now() - start];""".replace("\\\\", "\\")
    found = ask(opened, "difference", script)
    assert found[0] == 6000 and found[1] is None and found[2] < 1000


def test_calls_saved_are_those_while_an_answer_is_on_its_way_or_fresh(opened, ask):
    script = """const row = (ts, ms, caller = 'a', path = '/x') =>
            ({ ts, duration: ms, live: false, poll: caller === '', caller, path, query: '' });
        return [
            m.callsSavedBy([row(0, 100), row(0.05, 100), row(0.2, 100), row(5, 100)], 2),
            m.callsSavedBy([row(0, 100), row(1, 100), row(2, 100), row(3, 100)], 2),
            m.callsSavedBy([row(0, 10, 'a'), row(1, 10, 'b')], 5),
            m.callsSavedBy([row(0, 10, ''), row(1, 10, '')], 5),
            m.callsSavedBy([row(0, 10, '', '/x'), row(1, 10, '', '/y')], 5),
        ];"""
    assert ask(opened, "advice", script) == [2, 2, 0, 1, 0]


def test_the_prefix_of_a_route_ends_before_its_first_identifier(opened, ask):
    script = "return ['/api/me', '/api/jobs/{id}', '/api/jobs/{id}/logs', '/{id}'].map((path) => m.prefixOf(path));"
    assert ask(opened, "advice", script) == ["/api/me", "/api/jobs", "/api/jobs", "/"]


def test_paths_belong_to_the_route_that_folds_them(opened, ask):
    script = """const items = ['/api/jobs/{id}', '/api/jobs/last', '/deep/…'].map((path) => m.toRoute({ method: 'GET', path }));
        const names = new m.RouteNames(items);
        return ['/api/jobs/17', '/api/jobs/last', '/api/jobs/17/logs', '/deep/a/b/c', '/api/users/4f2c81aa-1b2c-4d5e-8f90-000000000000',
            '/api/v1/dashboard/overview'].map((path) => names.of('GET', path).name);"""
    assert ask(opened, "routes_model", script) == [
        "/api/jobs/{id}", "/api/jobs/{id}", "/api/jobs/{id}/logs", "/deep/…", "/api/users/{id}", "/api/v1/dashboard/overview"]


def test_changes_below_five_percent_are_the_same(opened, ask):
    script = """return [[100, 104.9], [100, 95.1], [100, 106], [100, 50], [0, 3], [3, 0], [0, 0]]
        .map(([before, after]) => m.changeWords(before, after).word);"""
    assert ask(opened, "comparison", script) == ["same", "same", "+6 %", "−50 %", "new", "gone", "–"]


def test_all_settings_are_one_text(opened, ask):
    script = """const routes = (prefix) => ({ form: 'yaml', code: `routes:\\n  - prefix: ${prefix}\\n    capture: row` });
        return m.settingsOf([
            { poll: { method: 'GET', path: '/a' }, advice: [{ form: 'field', code: 'ETag: "x"' }, routes('/a')] },
            { poll: { method: 'GET', path: '/b' }, advice: [routes('/b')] },
            { poll: { method: 'GET', path: '/c' }, advice: [] },
        ]);""".replace("\\\\", "\\")
    assert ask(opened, "poll_settings", script) == {"polls": 2, "text": "\n".join([
        "routes:", "  - prefix: /a", "    capture: row", "  - prefix: /b", "    capture: row",
        "# What the API would send in its answers:", "#   GET /a   ETag: \"x\""])}
