"""An upstream that a kubeconfig describes: server, CA, and who we are, as kubectl and k3s write it;
with plugins that say who we are."""

import contextlib
import json
import shutil
import subprocess
import time

import pytest
import yaml

from harness.kubernetes import (
    EVENTS,
    LOG,
    PODS,
    KubernetesApi,
    user_of,
    write_kubeconfig,
)
from harness.plugin import Plugin
from harness.process import run
from harness.wire import until

TOKEN = "s3cr3t.token-of-the-cluster"


def detail(response):
    return json.loads(response.body)["detail"]


@pytest.fixture
def api(sightglass, authority):
    """A function that makes one."""
    made = []

    def make(**options):
        made.append(KubernetesApi(authority, **options))
        return made[-1]

    yield make
    for server in made:
        with contextlib.suppress(OSError):
            server.close()


def expect_pods(client):
    response = client.get(b"/api/v1/pods")
    assert response.status == 200, response.body
    assert json.loads(response.body) == PODS


def test_pods_of_a_k3s_are_listed_by_certificate(sightglass, authority, api, tmp_path):
    server = api(client_certificate=True)
    user = user_of(authority.issue(subject="system:admin"))
    url = write_kubeconfig(tmp_path / "k3s.yaml", authority, server.url, user)
    client = sightglass(url).connect()
    expect_pods(client)
    watched = client.get(b"/api/v1/pods?watch=1")
    assert [json.loads(line) for line in watched.body.splitlines()] == EVENTS
    assert client.get(b"/api/v1/namespaces/default/pods/web-0/log").body == LOG
    assert server.opened == 1


def test_pods_are_listed_by_token(sightglass, authority, api, tmp_path):
    server = api(token=TOKEN)
    url = write_kubeconfig(tmp_path / "config", authority, server.url, {"token": TOKEN})
    proxy = sightglass(url)
    client = proxy.connect()
    expect_pods(client)
    assert server.requests[-1][1] == [f"Bearer {TOKEN}"]
    assert client.get(b"/api/v1/pods", b"Authorization: Bearer own").status == 401
    assert server.requests[-1][1] == ["Bearer own"]
    assert TOKEN not in proxy.stderr.text() + run("--check", *proxy.arguments[1:]).stdout


@pytest.mark.skipif(shutil.which("kubectl") is None, reason="kubectl is not installed")
def test_what_kubectl_writes_is_read_and_kubectl_goes_through(
    sightglass, authority, api, tmp_path
):
    server = api(token=TOKEN)
    path = tmp_path / "config"

    def kubectl(*arguments):
        command = ["kubectl", f"--kubeconfig={path}", *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout

    ca = f"--certificate-authority={authority.ca.certificate}"
    kubectl("config", "set-cluster", "there", f"--server={server.url}", ca, "--embed-certs=true")
    kubectl("config", "set-credentials", "me", f"--token={TOKEN}")
    kubectl("config", "set-context", "it", "--cluster=there", "--user=me")
    kubectl("config", "set-context", "other", "--cluster=nowhere", "--user=me")
    kubectl("config", "use-context", "other")
    proxy = sightglass(f"kubeconfig:{path}?context=it")
    expect_pods(proxy.connect())
    listed = subprocess.run(
        ["kubectl", f"--server={proxy.url}", "get", "--raw", "/api/v1/pods"],
        check=True,
        capture_output=True,
        env={"HOME": str(tmp_path), "PATH": "/usr/local/bin:/usr/bin:/bin"},
    )
    assert json.loads(listed.stdout) == PODS


def test_the_environment_says_which_file(sightglass, authority, api, tmp_path):
    server = api(token=TOKEN)
    write_kubeconfig(tmp_path / "config", authority, server.url, {"token": TOKEN})
    expect_pods(sightglass("kubeconfig:", env={"KUBECONFIG": str(tmp_path / "config")}).connect())


def test_a_token_file_that_changes_is_read_again(sightglass, authority, api, tmp_path):
    server = api(token={"new"})
    (tmp_path / "token").write_text("old")
    user = {"tokenFile": str(tmp_path / "token")}
    url = write_kubeconfig(tmp_path / "config", authority, server.url, user)
    client = sightglass(url).connect()
    assert client.get(b"/api/v1/pods").status == 401
    (tmp_path / "token").write_text("new")
    until(lambda: client.get(b"/api/v1/pods").status == 200, "the new token")


def test_another_server_asks_for_a_restart(sightglass, authority, api, tmp_path):
    server = api(token=TOKEN)
    url = write_kubeconfig(tmp_path / "config", authority, server.url, {"token": TOKEN})
    proxy = sightglass(url)
    write_kubeconfig(tmp_path / "config", authority, "https://127.0.0.1:1", {"token": TOKEN})
    proxy.stderr.wait_for(lambda line: "names another server now" in line, "a warning")
    expect_pods(proxy.connect())


def refused(url, *lines, **more):
    settings = {"upstreams": [{"name": "api", "url": url, **more}]}
    path = lines[0]
    path.write_text(yaml.safe_dump(settings))
    result = run("--check", "--config", str(path))
    assert result.returncode == 2, result.stdout
    return result.stderr


def test_what_the_kubeconfig_says_cannot_be_said_beside_it(authority, tmp_path):
    url = write_kubeconfig(tmp_path / "config", authority, "https://a:1", {"token": TOKEN})
    path = tmp_path / "sightglass.yaml"
    (tmp_path / "token").write_text("x")
    error = refused(url, path, tls={"ca": str(authority.ca.certificate)})
    assert "upstreams[0].tls.ca: the upstream's kubeconfig says it" in error
    error = refused(url, path, credential={"bearer_file": str(tmp_path / "token")})
    assert "upstreams[0].credential.bearer_file: the upstream's kubeconfig says who" in error


def test_a_certificate_for_some_methods_alone_is_refused(authority, tmp_path):
    user = user_of(authority.issue())
    url = write_kubeconfig(tmp_path / "config", authority, "https://a:1", user)
    error = refused(url, tmp_path / "sightglass.yaml", credential={"use_for": ["GET"]})
    assert "upstreams[0].credential.use_for: the user has a client certificate" in error


def test_a_kubeconfig_that_cannot_be_used_stops_the_start(authority, tmp_path):
    path = tmp_path / "sightglass.yaml"
    url = write_kubeconfig(tmp_path / "config", authority, "https://a:1", {"token": "a b"})
    error = refused(url, path)
    assert f"{tmp_path}/config:" in error and "token: it holds a space" in error
    assert "there is no context gone" in refused(url + "?context=gone", path)


# Plugins


@pytest.fixture
def plugin(tmp_path):
    return Plugin(tmp_path)


def test_a_plugin_says_who_we_are(sightglass, authority, api, plugin, tmp_path):
    server = api(token=TOKEN)
    plugin.answer(TOKEN, lives_s=3600)
    url = write_kubeconfig(tmp_path / "config", authority, server.url, plugin.user)
    expect_pods(sightglass(url).connect())
    info = json.loads(plugin.runs.read_text())
    assert info["spec"]["cluster"]["server"] == server.url


def test_a_plugin_is_asked_again_before_the_end(sightglass, authority, api, plugin, tmp_path):
    server = api(token={"one", "two"})
    plugin.answer("one", lives_s=5)
    url = write_kubeconfig(tmp_path / "config", authority, server.url, plugin.user)
    client = sightglass(url, credential={"safety_margin": "1s"}).connect()
    expect_pods(client)
    plugin.answer("two", lives_s=3600)

    def renewed():
        expect_pods(client)
        return server.requests[-1][1] == ["Bearer two"]

    until(renewed, "the second token, and no failure on the way")


def test_a_plugin_that_fails_at_the_start_is_told_and_tried_again(
    sightglass, authority, api, plugin, tmp_path
):
    server = api(token=TOKEN)
    plugin.write("echo 'please log in first' >&2; exit 1")
    url = write_kubeconfig(tmp_path / "config", authority, server.url, plugin.user)
    proxy = sightglass(url)
    client = proxy.connect()
    response = client.get(b"/api/v1/pods")
    assert response.status == 502
    assert "upstream api: there is no credential from kubeconfig " in detail(response)
    assert detail(response).endswith("plugin ended with status 1: please log in first")
    proxy.stderr.wait_for(lambda line: "please log in first" in line, "a line that says so")
    assert server.requests == []
    plugin.answer(TOKEN)
    until(lambda: client.get(b"/api/v1/pods").status == 200, "the next run")


def test_a_plugin_that_is_not_there_stops_the_start(authority, tmp_path):
    user = {
        "exec": {
            "apiVersion": "client.authentication.k8s.io/v1",
            "command": "no-such-plugin",
            "installHint": "It comes with the cluster's command line.",
        }
    }
    url = write_kubeconfig(tmp_path / "config", authority, "https://a:1", user)
    error = refused(url, tmp_path / "sightglass.yaml")
    assert "no-such-plugin is in no folder of PATH; It comes with" in error


@pytest.mark.slow
def test_a_plugin_that_hangs_holds_up_the_start_for_10_s(
    sightglass, authority, api, plugin, tmp_path
):
    server = api(token=TOKEN)
    plugin.write("sleep 1000")
    url = write_kubeconfig(tmp_path / "config", authority, server.url, plugin.user)
    began = time.monotonic()
    proxy = sightglass(url)
    assert 9 < time.monotonic() - began < 15
    response = proxy.connect().get(b"/api/v1/pods")
    assert response.status == 502
    assert "was not done within 10000 ms and was killed" in detail(response)


def test_a_plugin_that_hangs_does_not_hold_up_the_end(
    sightglass, authority, api, plugin, tmp_path
):
    server = api(token=TOKEN)
    plugin.answer(TOKEN, lives_s=4)
    url = write_kubeconfig(tmp_path / "config", authority, server.url, plugin.user)
    proxy = sightglass(url, credential={"safety_margin": "1s"})
    plugin.write("sleep 1000")
    until(lambda: plugin.count() == 2, "the second run")
    began = time.monotonic()
    proxy.stop()
    assert time.monotonic() - began < 5
