"""The certificate's files: what is wrong with them at the start, and what becomes of them while it
runs."""

import contextlib
import json
import signal
import threading

import pytest

from harness.certificates import Certificate, Secret
from harness.process import run, write_config
from harness.tls_client import TlsClient, connect_tls
from harness.wire import until


def refused(tmp_path, **tls):
    """Starts with these settings of `tls`; expects exit 2; returns the lines of stderr."""
    upstreams = [{"url": "http://127.0.0.1:9"}]
    config = write_config(tmp_path / "bad.yaml", {"tls": tls, "upstreams": upstreams})
    result = run("--config", config, "--listen", "127.0.0.1:0")
    assert result.returncode == 2, (result.returncode, result.stderr)
    return result.stderr.splitlines()


# At the start


def test_one_file_without_the_other_is_refused(tmp_path, certificate):
    (line,) = refused(tmp_path, certificate=str(certificate.certificate))
    assert "bad.yaml:2: tls.certificate: there is no tls.key" in line and "give both" in line
    (line,) = refused(tmp_path, key=str(certificate.key))
    assert "bad.yaml:2: tls.key: there is no tls.certificate" in line and "give both" in line


@pytest.mark.parametrize("setting", ["certificate", "key"])
@pytest.mark.parametrize("what", ["missing", "a folder", "empty", "no PEM"])
def test_a_file_that_cannot_be_used_is_named_with_its_setting(
    tmp_path, certificate, setting, what
):
    bad = tmp_path / "bad.pem"
    if what == "a folder":
        bad.mkdir()
    elif what != "missing":
        bad.write_text({"empty": "", "no PEM": "nothing of use\n"}[what])
    (line,) = refused(tmp_path, **{**certificate.settings, setting: str(bad)})
    assert f": tls.{setting}: " in line and f'"{bad}"' in line
    assert {
        "missing": "No such file or directory",
        "a folder": "Is a directory",
        "empty": "give PEM text",
        "no PEM": "give PEM text",
    }[what] in line


def test_a_key_of_another_certificate_is_refused(tmp_path, authority, certificate):
    other = authority.issue()
    (line,) = refused(tmp_path, certificate=str(certificate.certificate), key=str(other.key))
    assert ": tls.key: " in line and "does not belong" in line
    assert str(certificate.certificate) in line and str(other.key) in line


def test_an_expired_certificate_is_refused(tmp_path, authority):
    expired = authority.issue_expired()
    (line,) = refused(tmp_path, **expired.settings)
    assert ": tls.certificate: " in line and str(expired.certificate) in line
    assert "expired at" in line and "give one that is valid" in line


# While it runs


@pytest.fixture
def secret(tmp_path, authority):
    return Secret(tmp_path / "secret", authority.issue())


@pytest.fixture
def https(sightglass, serving, secret):
    return sightglass(serving(), config={"tls": secret.settings})


def shown(proxy, context):
    """The serial of the certificate that a new connection meets, which then serves a request."""
    client = connect_tls(proxy, context)
    assert client.get(b"/x").body == b"/x"
    serial = client.peer_serial
    client.close()
    return serial


def lines_with(proxy, text):
    return [line for line in list(proxy.stderr.lines) if text in line]


def expect_shown(proxy, context, certificate):
    until(
        lambda: shown(proxy, context) == certificate.serial,
        f"the certificate {certificate.serial} is shown",
    )


def test_a_secret_that_is_swapped_is_shown_to_the_next_connection(
    https, authority, secret
):
    context = authority.client()
    before = connect_tls(https, context)
    for _ in range(3):
        new = authority.issue()
        secret.show(new)
        expect_shown(https, context, new)
    assert before.get(b"/still").body == b"/still", "what was connected before goes on"


@pytest.mark.parametrize("how", ["written to", "renamed over"])
def test_files_that_change_in_other_ways_are_shown_too(
    sightglass, serving, authority, tmp_path, how
):
    first, second = authority.issue(), authority.issue()
    files = Certificate(tmp_path, "own")
    files.copy(first)
    proxy = sightglass(serving(), config={"tls": files.settings})
    assert shown(proxy, authority.client()) == first.serial
    for of in ("certificate", "key"):
        file, content = getattr(files, of), getattr(second, of).read_bytes()
        if how == "written to":
            file.write_bytes(content)
        else:
            (tmp_path / "new").write_bytes(content)
            (tmp_path / "new").rename(file)
    expect_shown(proxy, authority.client(), second)


def test_files_that_are_wrong_change_nothing_and_are_told_of_once(https, authority, secret):
    context = authority.client()
    first = shown(https, context)
    key = authority.issue().key.read_bytes()
    secret.swap(b"-----BEGIN CERTIFICATE-----\nbroken\n", key)
    until(lambda: lines_with(https, "stays in use"), "the broken file is told of")
    assert shown(https, context) == first
    (line,) = lines_with(https, "stays in use")
    assert json.loads(line)["level"] == "error" and secret.settings["certificate"] in line
    good = authority.issue()
    secret.show(good)
    expect_shown(https, context, good)
    assert len(lines_with(https, "stays in use")) == 1


def test_a_sighup_reads_them_again(https, authority):
    context = authority.client()
    first = shown(https, context)
    assert not lines_with(https, "read anew")
    https.signal(signal.SIGHUP)  # nothing has changed: nobody else would read them
    until(lambda: lines_with(https, "read anew"), "they are read again")
    assert shown(https, context) == first


def test_no_request_fails_while_certificates_change_all_the_time(
    sightglass, serving, authority, secret
):
    proxy = sightglass(serving(), workers=2, config={"tls": secret.settings})
    certificates = [authority.issue() for _ in range(6)]
    serials = {certificate.serial for certificate in certificates}
    seen, failures, done = set(), [], threading.Event()

    def ask_on_and_on(context):
        while not done.is_set():
            client = None
            try:
                client = TlsClient(proxy.address(), context)
                assert client.get(b"/x").body == b"/x"
                seen.add(client.peer_serial)
            except Exception as failure:  # whatever it is
                failures.append(failure)
            with contextlib.suppress(AttributeError):
                client.close()

    askers = [
        threading.Thread(target=ask_on_and_on, args=(authority.client(),)) for _ in range(3)
    ]
    for asker in askers:
        asker.start()
    pause = threading.Event()
    for turn in range(20):
        secret.show(certificates[turn % len(certificates)])
        pause.wait(0.2)
    last = authority.issue()
    secret.show(last)
    expect_shown(proxy, authority.client(), last)
    done.set()
    for asker in askers:
        asker.join()
    assert failures == []
    assert seen & serials, "none of them was ever shown"
