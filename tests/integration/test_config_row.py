"""`api/config`: the settings in effect, as --check prints them, and no secret among them."""

import yaml

from harness.process import run


def test_it_is_what_check_prints(sightglass, origin, tmp_path):
    routes = [{"prefix": "/api", "capture": "headers"}]
    proxy = sightglass(origin, "--exclude-get", "/polls", config={"routes": routes}, workers=2)
    answer = proxy.inspector.get("/api/config")
    assert answer.status == 200
    assert answer.headers["Content-Type"] == "application/yaml"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    shown = yaml.safe_load(answer.body)
    assert shown["workers"] == 2
    assert shown["upstreams"][0]["url"] == origin.url
    assert [(r["prefix"], r["capture"]) for r in shown["routes"]] == [
        ("/api", "headers"),
        ("/polls", "row"),
    ]
    written = tmp_path / "again.yaml"
    written.write_bytes(answer.body)
    checked = run("--config", str(written), "--check")
    assert checked.returncode == 0
    assert yaml.safe_load(checked.stdout) == shown


def test_no_token_stands_in_it(sightglass, origin):
    proxy = sightglass(origin, "--inspector-token", "a-very-secret-token")
    bearer = {"Authorization": "Bearer a-very-secret-token"}
    for headers in ({}, bearer):
        answer = proxy.inspector.ask("GET", "/api/config", headers)
        assert answer.status == 200
        assert b"a-very-secret-token" not in answer.body
    assert proxy.inspector.get("/api/config", Via="1.1 x").status == 401
    assert proxy.inspector.get("/api/config?x=1").status == 400
