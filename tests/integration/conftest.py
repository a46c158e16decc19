"""The integration tests: the real binary, real peers, and an upstream that misbehaves byte by byte.

    /usr/bin/python3 -m pytest tests/integration

SIGHTGLASS_BINARY      the binary under test; build/sightglass where absent
SIGHTGLASS_SANITIZED   1 where it was built with a sanitizer: then what measures time or memory
                       ("slow") is skipped
SIGHTGLASS_DEADLINE    seconds that a test waits for something before it fails; 30 where absent
SIGHTGLASS_SOAK        seconds that test_soak.py goes on; 12 where absent

What a test stands on is in harness/: process.py (the binary), raw_client.py and origin.py (exact
bytes on both sides), serving.py (an upstream that answers by itself), nginx.py, haproxy.py,
websocket_origin.py, inspector_client.py, certificates.py, tls_client.py, tls_origin.py and
openssl_server.py (the same over TLS), namespace.py and hole.py (networks of a test's own, and what
vanishes in them).
"""

import os
import socket

import pytest

pytest.register_assert_rewrite("harness")

from harness.certificates import Authority  # noqa: E402
from harness.hole import Hole  # noqa: E402
from harness.namespace import Namespace, Unavailable  # noqa: E402
from harness.nginx import Nginx  # noqa: E402
from harness.openssl_server import OpensslServer  # noqa: E402
from harness.origin import Origin  # noqa: E402
from harness.process import BINARY, Sightglass, write_config  # noqa: E402
from harness.serving import ServingOrigin  # noqa: E402
from harness.tls_origin import TlsOrigin, TlsServingOrigin  # noqa: E402
from harness.websocket_origin import WebSocketOrigin  # noqa: E402


def pytest_configure(config):
    config.addinivalue_line("markers", "slow: measures time or memory; skipped under sanitizers")
    if not os.access(BINARY, os.X_OK):
        pytest.exit(f"no binary at {BINARY}: build it, or set SIGHTGLASS_BINARY", returncode=2)


def pytest_collection_modifyitems(items):
    if os.environ.get("SIGHTGLASS_SANITIZED") == "1":
        skip = pytest.mark.skip(reason="a measurement, and the binary is built with a sanitizer")
        for item in items:
            if "slow" in item.keywords:
                item.add_marker(skip)


def settings_of(upstream, config, upstream_settings, workers):
    """The YAML as a dict: the test's `config`, with the upstream and its own settings in it."""
    whole = {"workers": workers, **config}
    if upstream is not None:
        first = {"name": "api", "url": getattr(upstream, "url", upstream), **upstream_settings}
        whole["upstreams"] = [first, *config.get("upstreams", [])]
    return whole


class Starter:
    """Starts processes on free ports, with a YAML file of the test's own, and stops each at the
    end."""

    def __init__(self, folder):
        self.folder = folder
        self.started = []

    def __call__(
        self,
        upstream=None,
        *flags,
        listen=("127.0.0.1:0",),
        listeners=None,
        workers=1,
        config=None,
        pool=None,
        upstream_timeouts=None,
        breaker=None,
        tls=None,
        credential=None,
        env=None,
        read_stdout=True,
        namespace=None,
    ):
        """`upstream`: an origin or a URL. `config`: YAML as a dict; `pool`, `upstream_timeouts`,
        `breaker`, `tls` and `credential` go to its first upstream.

        `namespace`: the network that it runs in.
        `listeners`: how many are announced, where a flag adds to those in `listen`.
        One worker unless the test says otherwise: so pools and the order of events are what the
        test expects.
        """
        upstream_settings = {}
        if pool is not None:
            upstream_settings["pool"] = pool
        if upstream_timeouts is not None:
            upstream_settings["timeouts"] = upstream_timeouts
        if breaker is not None:
            upstream_settings["breaker"] = breaker
        if tls is not None:
            upstream_settings["tls"] = tls
        if credential is not None:
            upstream_settings["credential"] = credential
        whole = settings_of(upstream, config or {}, upstream_settings, workers)
        path = self.folder / f"sightglass-{len(self.started)}.yaml"
        arguments = ["--config", write_config(path, whole)]
        for address in listen:
            arguments += ["--listen", address]
        process = Sightglass(
            [*arguments, *flags], listeners or len(listen), env, read_stdout, namespace
        )
        self.started.append(process)
        return process

    def stop(self):
        failures = []
        for process in self.started:
            try:
                process.stop()
            except AssertionError as failure:
                failures.append(str(failure))
        assert not failures, "\n".join(failures)


@pytest.fixture
def sightglass(tmp_path):
    starter = Starter(tmp_path)
    yield starter
    starter.stop()


@pytest.fixture(scope="module")
def shared_sightglass(tmp_path_factory):
    """For tables of cases that share one process, so that a case also shows that the one before
    left nothing behind."""
    starter = Starter(tmp_path_factory.mktemp("shared"))
    yield starter
    starter.stop()


@pytest.fixture(scope="session")
def authority(tmp_path_factory):
    """A CA that signs what a test asks for."""
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="session")
def certificate(authority):
    """For localhost; no test changes its files."""
    return authority.issue()


# The peers are set up after the starter and closed before it stops its processes: so nothing is
# left to drain.


@pytest.fixture
def origin(sightglass):
    peer = Origin()
    yield peer
    peer.close()


@pytest.fixture
def small_buffers(sightglass):
    """An upstream with a small receive buffer: so that little fits between here and there."""
    peer = Origin(receive_buffer=1 << 16)
    yield peer
    peer.close()


@pytest.fixture
def proxy(sightglass, origin):
    """The usual case: one process in front of an upstream that the test plays."""
    return sightglass(origin)


@pytest.fixture
def serving(sightglass):
    """A function that makes upstreams which answer by themselves."""
    made = []

    def make(answer=None, **where):
        made.append(ServingOrigin(answer, **where))
        return made[-1]

    yield make
    for upstream in made:
        upstream.close()


@pytest.fixture
def secure_origin(sightglass):
    """A function that makes upstreams over TLS that the test plays."""
    made = []

    def make(context):
        made.append(TlsOrigin(context))
        return made[-1]

    yield make
    for upstream in made:
        upstream.close()


@pytest.fixture
def secure_serving(sightglass):
    """A function that makes upstreams over TLS which answer by themselves."""
    made = []

    def make(context, answer=None):
        made.append(TlsServingOrigin(context, answer))
        return made[-1]

    yield make
    for upstream in made:
        upstream.close()


@pytest.fixture
def secure_nginx(sightglass, tmp_path):
    """A function that makes an nginx with a certificate and further directives."""
    made = []

    def make(certificate, *directives):
        folder = tmp_path / f"nginx-{len(made)}"
        folder.mkdir()
        made.append(Nginx(folder, certificate, *directives))
        return made[-1]

    yield make
    for upstream in made:
        upstream.close()


@pytest.fixture
def openssl_server(sightglass, certificate):
    """A function that starts `openssl s_server` with these flags, and returns its URL."""
    started = []

    def start(*flags):
        started.append(OpensslServer(certificate, *flags))
        return started[-1].url

    yield start
    for server in started:
        server.close()


@pytest.fixture
def nginx(sightglass, tmp_path):
    folder = tmp_path / "nginx"
    folder.mkdir()
    upstream = Nginx(folder)
    yield upstream
    upstream.close()


@pytest.fixture
def websocket_origin(sightglass):
    upstream = WebSocketOrigin()
    yield upstream
    upstream.close()


@pytest.fixture
def namespace():
    """A network of the test's own, where this machine permits one."""
    try:
        with Namespace() as made:
            yield made
    except Unavailable as reason:
        pytest.skip(str(reason))


@pytest.fixture
def hole(namespace):
    """An address in that network that vanishes when the test says so."""
    try:
        return Hole(namespace)
    except Unavailable as reason:
        pytest.skip(str(reason))


@pytest.fixture
def blackhole(sightglass):
    """An address that answers no SYN: a listener whose queue is full."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(0)
    fillers = []
    for _ in range(4):
        filler = socket.socket()
        filler.setblocking(False)
        filler.connect_ex(listener.getsockname())
        fillers.append(filler)
    yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    for sock in (*fillers, listener):
        sock.close()
