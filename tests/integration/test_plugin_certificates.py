"""Plugins of client.authentication.k8s.io that answer with a client certificate and its key: the
upstream sees it, and nothing outlives it."""

import json
import threading

import pytest

from harness.kubernetes import write_kubeconfig
from harness.plugin import Plugin
from harness.wire import until


@pytest.fixture
def plugin(tmp_path):
    return Plugin(tmp_path)


@pytest.fixture
def mutual(secure_serving, authority):
    """Answers whoever shows a certificate, and knows which."""
    return secure_serving(authority.server(wants=authority))


@pytest.fixture
def url(authority, mutual, plugin, tmp_path):
    return write_kubeconfig(tmp_path / "config", authority, mutual.url, plugin.user)


def credential_of(proxy):
    return proxy.inspector.json("/api/upstreams")["items"][0]["credential"]


def detail(response):
    return json.loads(response.body)["detail"]


def serials(origin):
    return [request.peer.peer_serial for request in origin.requests]


def test_the_upstream_sees_the_certificate(sightglass, authority, mutual, plugin, url):
    own = authority.issue()
    plugin.answer(certificate=own)
    proxy = sightglass(url)
    client = proxy.connect()
    for _ in range(3):
        assert client.get(b"/x").body == b"/x"
    assert serials(mutual) == [own.serial] * 3
    assert mutual.handshakes == 1
    assert not mutual.requests[0].has("Authorization")
    key = own.key.read_text().splitlines()[1]
    assert key not in proxy.stderr.text() + proxy.inspector.get("/api/upstreams").body.decode()


def test_a_token_beside_it_goes_into_the_requests(sightglass, authority, mutual, plugin, url):
    own = authority.issue()
    plugin.answer(token="t0ken", certificate=own)
    assert sightglass(url).connect().get(b"/x").body == b"/x"
    assert serials(mutual) == [own.serial]
    assert mutual.requests[0].one("Authorization") == b"Bearer t0ken"


@pytest.mark.parametrize("lives_s", [None, 3 * 86400, 600])
def test_it_ends_when_the_certificate_does_or_earlier(
    sightglass, authority, mutual, plugin, url, lives_s
):
    own = authority.issue(lives_s=3600)
    plugin.answer(certificate=own, lives_s=lives_s)
    proxy = sightglass(url)
    shown = credential_of(proxy)
    assert (shown["kind"], shown["error"]) == ("client_certificate", None)
    if lives_s == 600:
        assert shown["expires_at"] < own.ends - 2000
    else:
        assert shown["expires_at"] == own.ends


@pytest.mark.parametrize("lives_s", [None, 3 * 86400])
def test_within_its_margin_each_request_has_a_connection_of_its_own(
    sightglass, authority, mutual, plugin, url, lives_s
):
    """Whatever end the plugin told beside it."""
    own = authority.issue(lives_s=3600)
    plugin.answer(certificate=own, lives_s=lives_s)
    client = sightglass(url, credential={"safety_margin": "1h"}).connect()
    for _ in range(3):
        assert client.get(b"/x").body == b"/x"
    assert serials(mutual) == [own.serial] * 3
    assert mutual.handshakes == 3


def test_the_plugin_is_asked_again_before_the_certificate_ends(
    sightglass, authority, mutual, plugin, url
):
    """Though it told no end; and no request fails on the way."""
    first, second = authority.issue(lives_s=5), authority.issue()
    plugin.answer(certificate=first)
    client = sightglass(url, credential={"safety_margin": "1s"}).connect()
    assert client.get(b"/x").body == b"/x"
    plugin.answer(certificate=second)
    pause = threading.Event()

    def renewed():
        pause.wait(0.02)
        assert client.get(b"/x").body == b"/x"
        return serials(mutual)[-1] == second.serial

    until(renewed, "the second certificate")
    assert set(serials(mutual)) == {first.serial, second.serial}
    assert plugin.count() == 2
    assert mutual.handshakes < len(mutual.requests) / 4, "connections were kept in between"


def test_one_that_has_expired_is_not_shown(sightglass, authority, mutual, plugin, url):
    plugin.answer(certificate=authority.issue_expired())
    proxy = sightglass(url)
    client = proxy.connect()
    refused = client.get(b"/x")
    assert refused.status == 502
    assert detail(refused).startswith("upstream api: there is no credential from kubeconfig ")
    assert 'the certificate "clientCertificateData" expired at ' in detail(refused)
    assert "clientCertificateData" in credential_of(proxy)["error"]
    assert mutual.opened == 0
    own = authority.issue()
    plugin.answer(certificate=own)
    until(lambda: client.get(b"/x").status == 200, "the next run")
    assert serials(mutual) == [own.serial]


def test_a_key_of_another_certificate_is_said_to_be(sightglass, authority, mutual, plugin, url):
    own, other = authority.issue(), authority.issue()
    own.key = other.key
    plugin.answer(certificate=own)
    refused = sightglass(url).connect().get(b"/x")
    assert refused.status == 502
    assert (
        'the key "clientKeyData" does not belong to the certificate "clientCertificateData"'
        in detail(refused)
    )
    assert mutual.opened == 0
