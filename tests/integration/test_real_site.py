"""A real site behind nginx, through the proxy, with real clients: unchanged in every byte that
matters."""

import gzip
import hashlib
import http.client
import random
import subprocess

import pytest

from harness.wire import DEADLINE_S

PAGE = b"""<!doctype html><title>Dashboard</title><link rel=stylesheet href=/app.css>
<script src=/js/app.js type=module></script>
<img src=/img/logo.png><a href=/files/report.pdf download>Report</a>
"""


@pytest.fixture
def site(nginx):
    chance = random.Random(1)
    nginx.write("index.html", PAGE)
    nginx.write("app.css", b"body { color: black }\n" * 500)
    nginx.write("js/app.js", b"export const answer = 42;\n" * 2000)
    nginx.write("img/logo.png", b"\x89PNG\r\n\x1a\n" + chance.randbytes(70_000))
    nginx.write("files/report.pdf", b"%PDF-1.7\n" + chance.randbytes(5 << 20))
    nginx.write("empty.txt", b"")
    return nginx


PATHS = ["/", "/app.css", "/js/app.js", "/img/logo.png", "/files/report.pdf", "/empty.txt",
         "/missing", "/moved/x"]  # fmt: skip
# What belongs to one connection or one moment, and what the proxy adds.
OWN = {"connection", "keep-alive", "date", "x-connection", "x-request-id", "via"}


def fetch(port, path, method="GET", **headers):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=DEADLINE_S)
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    connection.request(method, path, headers=named)
    response = connection.getresponse()
    body = response.read()
    connection.close()
    fields = [(k.lower(), v) for k, v in response.getheaders() if k.lower() not in OWN]
    return response.status, response.reason, fields, body


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("path", PATHS)
def test_each_resource_is_the_same_with_and_without_the_proxy(sightglass, site, path, method):
    proxy = sightglass(site)
    direct = fetch(site.port, path, method, Host="site.example")
    assert fetch(proxy.port, path, method, Host="site.example") == direct


def test_ranges_pass(sightglass, site):
    proxy = sightglass(site)
    whole = (site.html / "files/report.pdf").read_bytes()
    status, _, fields, body = fetch(proxy.port, "/files/report.pdf", Range="bytes=1000-1999")
    assert status == 206 and body == whole[1000:2000]
    assert ("content-range", f"bytes 1000-1999/{len(whole)}") in fields
    status, _, _, body = fetch(proxy.port, "/files/report.pdf", Range="bytes=0-9,20-29")
    assert status == 206 and whole[:10] in body and whole[20:30] in body
    assert fetch(proxy.port, "/files/report.pdf", Range="bytes=99999999-")[0] == 416


def test_compressed_answers_pass_compressed(sightglass, site):
    proxy = sightglass(site)
    status, _, fields, body = fetch(proxy.port, "/app.css", Accept_Encoding="gzip")
    assert status == 200 and ("content-encoding", "gzip") in fields
    assert gzip.decompress(body) == (site.html / "app.css").read_bytes()


def test_validators_work_through_it(sightglass, site):
    proxy = sightglass(site)
    _, _, fields, _ = fetch(proxy.port, "/app.css")
    known = dict(fields)
    status, _, _, body = fetch(proxy.port, "/app.css", If_None_Match=known["etag"])
    assert (status, body) == (304, b"")
    status, _, _, body = fetch(proxy.port, "/app.css", If_Modified_Since=known["last-modified"])
    assert (status, body) == (304, b"")
    assert fetch(proxy.port, "/app.css", If_None_Match='"other"')[0] == 200


def test_a_page_with_all_its_parts_over_one_connection(sightglass, site):
    proxy = sightglass(site)
    connection = http.client.HTTPConnection("127.0.0.1", proxy.port, timeout=DEADLINE_S)
    for turn in range(3):
        for path in PATHS:
            connection.request("GET", path)
            response = connection.getresponse()
            body = response.read()
            assert len(body) == int(response.headers.get("Content-Length", len(body)))
            assert not response.will_close
    connection.close()


def curl(*arguments):
    return subprocess.run(
        ["curl", "--silent", "--show-error", "--max-time", "30", "--noproxy", "*", *arguments],
        capture_output=True,
        check=True,
    ).stdout


def test_curl_downloads_and_resumes(sightglass, site, tmp_path):
    proxy = sightglass(site)
    whole = (site.html / "files/report.pdf").read_bytes()
    target = tmp_path / "report.pdf"
    target.write_bytes(whole[:12345])
    curl("--continue-at", "-", "--output", str(target), proxy.url + "/files/report.pdf")
    assert target.read_bytes() == whole


def test_curl_uploads_with_expect_continue_and_chunked(sightglass, site, tmp_path):
    proxy = sightglass(site)
    body = random.Random(2).randbytes(3 << 20)
    source = tmp_path / "up"
    source.write_bytes(body)
    (site.html / "put").mkdir()
    for name, fields in (
        ("sized", ["--header", "Expect: 100-continue"]),
        ("chunked", ["--header", "Transfer-Encoding: chunked"]),
        ("plain", ["--header", "Expect:"]),
    ):
        code = curl(
            "--upload-file", str(source), *fields, "--output", "/dev/null",
            "--write-out", "%{http_code}", f"{proxy.url}/put/{name}",
        )  # fmt: skip
        assert code in (b"201", b"204")
        stored = (site.html / "put" / name).read_bytes()
        assert hashlib.sha256(stored).digest() == hashlib.sha256(body).digest()


@pytest.mark.parametrize(
    "field", ["Expect:", "Transfer-Encoding: chunked", "Expect: 100-continue"]
)
def test_curl_hears_that_its_upload_is_too_large_while_it_sends(sightglass, site, tmp_path, field):
    proxy = sightglass(site, config={"limits": {"body_bytes": "64KiB"}})
    source = tmp_path / "up"
    source.write_bytes(bytes(20 << 20))
    code = curl(
        "--upload-file", str(source), "--header", field, "--output", "/dev/null",
        "--write-out", "%{http_code}", f"{proxy.url}/put/large",
    )  # fmt: skip
    assert code == b"413"


def test_curl_asks_many_at_once(sightglass, site):
    proxy = sightglass(site, workers=2)
    urls = [f"{proxy.url}/js/app.js?{n}" for n in range(50)]
    out = curl("--parallel", "--parallel-max", "16", "--write-out", "%{http_code}\n",
               *[a for url in urls for a in ("--output", "/dev/null", url)])  # fmt: skip
    assert out.split() == [b"200"] * 50


def test_curl_speaks_http_1_0(sightglass, site):
    proxy = sightglass(site)
    assert curl("--http1.0", proxy.url + "/app.css") == (site.html / "app.css").read_bytes()


def test_curl_asks_for_h2c_and_gets_http_1_1(sightglass, site):
    proxy = sightglass(site)
    version = curl("--http2", "--write-out", "%{http_version}", "--output", "/dev/null", proxy.url)
    assert version == b"1.1"


def test_curl_over_a_unix_socket(sightglass, site, tmp_path):
    path = str(tmp_path / "in.sock")
    sightglass(site, listen=[f"unix:{path}"])
    assert curl("--unix-socket", path, "http://localhost/app.css").startswith(b"body {")
