"""Settings: three ways to say each, one meaning, and every mistake named with its place."""

import re

import pytest
import yaml

from harness.exchange import exchange
from harness.process import run, write_config

GOOD = {"listen": ["127.0.0.1:0"], "upstreams": [{"name": "api", "url": "http://127.0.0.1:1"}]}


def refused(tmp_path, text, *flags, **options):
    """Runs with this YAML; expects exit 2; returns the lines of stderr."""
    path = tmp_path / "bad.yaml"
    path.write_text(text)
    result = run("--config", str(path), *flags, **options)
    assert result.returncode == 2, (result.returncode, result.stderr)
    lines = result.stderr.splitlines()
    assert lines and all(line.startswith("sightglass: ") for line in lines), lines
    return lines


def test_help_names_every_setting_that_there_is():
    result = run("--help")
    assert result.returncode == 0 and result.stderr == ""
    for flag in (
        "--listen", "--upstream", "--exclude-get", "--config", "--workers", "--inspector-prefix",
        "--inspector-listen", "--inspector-token", "--inspector-token-file", "--no-inspector",
        "--capture-entries", "--capture-memory", "--capture-body", "--capture-rows",
        "--log-format", "--log-level", "--access-log", "--demo", "--check", "--version", "--help",
    ):  # fmt: skip
        assert re.search(rf"(?m){flag}\b", result.stdout), flag


def test_version_is_a_line():
    result = run("--version")
    assert result.returncode == 0
    assert re.match(r"^sightglass \d+\.\d+\.\d+", result.stdout)


def test_check_prints_the_effective_configuration_and_the_most_memory():
    result = run("--check", "--upstream", "http://127.0.0.1:9", "--capture-entries", "77")
    assert result.returncode == 0, result.stderr
    settings = yaml.safe_load(result.stdout)
    assert settings["inspector"]["capture"]["entries"] == 77
    assert settings["upstreams"][0]["url"] == "http://127.0.0.1:9"
    assert "memory" in (result.stdout + result.stderr).lower()


def test_what_check_prints_is_a_configuration(tmp_path):
    first = run("--check", "--config", write_config(tmp_path / "a.yaml", GOOD))
    assert first.returncode == 0
    (tmp_path / "b.yaml").write_text(first.stdout)
    second = run("--check", "--config", str(tmp_path / "b.yaml"))
    assert second.returncode == 0, second.stderr
    assert yaml.safe_load(second.stdout) == yaml.safe_load(first.stdout)


def test_check_never_prints_a_secret():
    result = run("--check", "--upstream", "http://127.0.0.1:9", "--inspector-token", "s3cr3t-token")
    assert result.returncode == 0 and "s3cr3t" not in result.stdout + result.stderr


def test_check_reports_every_error_at_once(tmp_path):
    lines = refused(
        tmp_path,
        "listen: [nonsense]\nworkers: many\nlimits:\n  headers: -1\n",
        "--check",
        "--upstream",
        "http://127.0.0.1:9",
    )
    assert len(lines) == 3


@pytest.mark.parametrize(
    "text, line, key",
    [
        ("lisen: [':0']\n", 1, "lisen"),
        ("workers: 1\ntimeouts:\n  headers: 1s\n", 3, "timeouts.headers"),
        ("\n\nworkers: many\n", 3, "workers"),
        ("timeouts: {header: soon}\n", 1, "timeouts.header"),
        ("limits:\n  header_bytes: 64Kib2\n", 2, "limits.header_bytes"),
        ("limits:\n  headers: -5\n", 2, "limits.headers"),
        ("listen: 'nonsense'\n", 1, "listen"),
        ("listen:\n  - 127.0.0.1:0\n  - 127.0.0.1:99999\n", 3, "listen"),
        ("upstreams:\n  - name: a\n    url: gopher://x\n", 3, "upstreams[0].url"),
        ("upstreams:\n  - name: a\n    url: http://x\n    pool: {max_idel: 3}\n", 4, "max_idel"),
        ("routes:\n  - prefix: api\n", 2, "routes[0].prefix"),
        ("routes:\n  - prefix: /a\n    capture: everything\n", 3, "routes[0].capture"),
        ("routes:\n  - prefix: /a\n    upstream: nobody\n", 3, "routes[0].upstream"),
        ("trusted_proxies: [10.0.0.0/33]\n", 1, "trusted_proxies"),
        ("request_id: {inbound: maybe}\n", 1, "request_id.inbound"),
        ("request_id: {header: 'Bad Name'}\n", 1, "request_id.header"),
        ("inspector:\n  prefix: _inspector\n", 2, "inspector.prefix"),
        ("inspector:\n  capture: {entries: lots}\n", 2, "inspector.capture.entries"),
        ("inspector: {redact: {mode: shout}}\n", 1, "inspector.redact.mode"),
        ("log: {format: xml}\n", 1, "log.format"),
        ("log: {level: loud}\n", 1, "log.level"),
        ("timeouts: 5\n", 1, "timeouts"),
        ("upstreams: none\n", 1, "upstreams"),
    ],
    ids=lambda value: value if isinstance(value, str) and "\n" not in value else "",
)
def test_a_mistake_is_named_with_file_line_and_key(tmp_path, text, line, key):
    flags = () if "upstreams:" in text else ("--upstream", "http://127.0.0.1:9")
    lines = refused(tmp_path, text, *flags)
    place = f"{tmp_path}/bad.yaml:{line}: "
    assert any(place in each and key in each for each in lines), lines


@pytest.mark.parametrize(
    "text, nearest",
    [
        ("lisen: [':0']\n", "listen"),
        ("timeouts: {keepalive: 1s}\n", "keep_alive"),
        ("limits: {header_byte: 1}\n", "header_bytes"),
        ("upstream: []\n", "upstreams"),
        ("inspector: {capture: {entrys: 1}}\n", "entries"),
    ],
)
def test_an_unknown_key_names_the_nearest_known_one(tmp_path, text, nearest):
    lines = refused(tmp_path, text, "--upstream", "http://127.0.0.1:9")
    assert any(nearest in line for line in lines), lines


def test_a_yaml_that_is_none_says_where(tmp_path):
    lines = refused(tmp_path, "workers: 1\nlisten: [unclosed\n", "--upstream", "http://a")
    assert re.search(r"bad\.yaml:\d+: ", lines[0])


def test_a_key_given_twice_is_a_mistake(tmp_path):
    lines = refused(tmp_path, "workers: 1\nworkers: 2\n", "--upstream", "http://127.0.0.1:9")
    assert any("bad.yaml:2: " in line and "workers" in line for line in lines)


@pytest.mark.parametrize(
    "flags, word",
    [
        (("--exclud-get", "/x"), "--exclude-get"),
        (("--workers",), "--workers"),
        (("--workers", "0"), "--workers"),
        (("--workers", "-3"), "--workers"),
        (("--listen", "nonsense"), "--listen"),
        (("--capture-memory", "12parsecs"), "--capture-memory"),
        (("--log-level", "loud"), "--log-level"),
        (("--exclude-get", "no-slash"), "--exclude-get"),
        (("--upstream", "gopher://x"), "--upstream"),
        (("stray",), "stray"),
    ],
)
def test_a_bad_flag_is_exit_2_and_named(flags, word):
    base = () if "--upstream" in flags else ("--upstream", "http://127.0.0.1:9")
    result = run(*base, *flags)
    assert result.returncode == 2 and word in result.stderr and not result.stdout
    assert all(line.startswith("sightglass: ") for line in result.stderr.splitlines())


def test_a_bad_variable_is_exit_2_and_named():
    result = run("--upstream", "http://127.0.0.1:9", env={"SIGHTGLASS_WORKERS": "many"})
    assert result.returncode == 2 and "SIGHTGLASS_WORKERS" in result.stderr


def test_no_upstream_at_all_says_what_to_do():
    result = run("--listen", "127.0.0.1:0")
    assert result.returncode == 2 and "upstream" in result.stderr


def test_a_file_that_is_not_there_is_exit_2():
    result = run("--config", "/nowhere/at/all.yaml")
    assert result.returncode == 2 and "/nowhere/at/all.yaml" in result.stderr


@pytest.mark.parametrize("key", ["static", "aggregates"])
def test_what_is_not_built_yet_is_refused_as_unknown(tmp_path, key):
    """Nothing is accepted and then ignored."""
    lines = refused(tmp_path, f"{key}: []\n", "--upstream", "http://127.0.0.1:9")
    assert any(key in line for line in lines)
    assert f"--{key}" not in run("--help").stdout


def effective(tmp_path, *flags, config=None, env=None):
    arguments = ["--check", "--upstream", "http://127.0.0.1:9", *flags]
    if config is not None:
        arguments += ["--config", write_config(tmp_path / "c.yaml", config)]
    result = run(*arguments, env=env)
    assert result.returncode == 0, result.stderr
    return yaml.safe_load(result.stdout)


def test_a_flag_beats_the_environment_beats_the_file_beats_the_default(tmp_path):
    config = {"inspector": {"capture": {"entries": 1}}}
    env = {"SIGHTGLASS_CAPTURE_ENTRIES": "2"}

    def entries(**given):
        flags = given.pop("flags", ())
        return effective(tmp_path, *flags, **given)["inspector"]["capture"]["entries"]

    assert entries() == 1000
    assert entries(config=config) == 1
    assert entries(config=config, env=env) == 2
    assert entries(config=config, env=env, flags=("--capture-entries", "3")) == 3


@pytest.mark.parametrize(
    "written, size",
    [("1048576", 1 << 20), ("1024KiB", 1 << 20), ("2MiB", 2 << 20), ("1GiB", 1 << 30)],
)
def test_sizes(tmp_path, written, size):
    def memory(value):
        return effective(tmp_path, "--capture-memory", value)["inspector"]["capture"]["memory"]

    assert memory(written) == memory(str(size))


@pytest.mark.parametrize("written, same", [("1000ms", "1s"), ("60s", "1m"), ("0", "0s")])
def test_durations(tmp_path, written, same):
    def header(value):
        return effective(tmp_path, config={"timeouts": {"header": value}})["timeouts"]["header"]

    assert header(written) == header(same)


def test_flags_with_an_equals_sign(tmp_path):
    assert effective(tmp_path, "--capture-entries=7")["inspector"]["capture"]["entries"] == 7


def test_the_defaults_are_those_of_the_documentation(tmp_path):
    settings = effective(tmp_path)
    limits, timeouts = settings["limits"], settings["timeouts"]
    pool = settings["upstreams"][0]["pool"]
    assert settings["listen"] == ["127.0.0.1:8080"]
    assert (limits["headers"], limits["body_bytes"]) == (200, 0)
    assert limits["header_bytes"] in ("64KiB", 65536)
    assert (timeouts["header"], timeouts["body"], timeouts["drain"]) == ("10s", "30s", "30s")
    assert timeouts["keep_alive"] in ("75s", "75000ms")
    assert (pool["max_connections"], pool["max_idle"], pool["queue"]) == (50, 20, 1000)


def test_the_file_drives_a_real_process(sightglass, origin):
    proxy = sightglass(origin, config={"inspector": {"capture": {"entries": 5}}})
    assert proxy.inspector.json("/api/requests")["capacity"] == 5
    assert exchange(proxy, origin)[1].body == b"fine"
