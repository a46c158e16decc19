"""The modules that only compute, asked directly."""

import json

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
