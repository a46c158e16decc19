"""One job: how each peer is set up, as a good administrator would, without an access log.

What a peer reads is in settings/; CHANGEABLE are the places in them that a part of the benchmark may
fill otherwise. A line of settings that begins with @client_tls@, @client_plain@, @upstream_tls@ or
@upstream_plain@ is there, or a comment, as that side speaks TLS or does not."""

import dataclasses
import os
import shutil
import subprocess

from processes import Workplace, free_port

TLS_NAME = "origin"  # what the certificate is of; settings/ say it, too
SETTINGS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "settings")
os.environ["PATH"] += os.pathsep + "/usr/sbin"  # where Debian has servers, not in a user's PATH
SPEAK_TLS = ("nginx", "haproxy", "sightglass-excluded", "sightglass-captured")
USUAL = ("relay", "nginx", "haproxy", "sightglass-excluded", "sightglass-captured")
# Who is measured in each n-th round only, where there are enough of them: what is judged, and what it
# is judged by, gets the time instead.
EVERY = {"haproxy": 3}
CHANGEABLE = {
    "upstream_connections": 512,  # that may be open, and idle
    "workers": 1,
    "entries": 1000,  # of Sightglass's ring
    "routes": "",  # more of Sightglass's
    "upstreams": "",  # more of Sightglass's
    "client_tls": False,
    "upstream_tls": False,
}
# `connections`, too: clients' and upstream ones that nginx may have in sum.


@dataclasses.dataclass
class Stage:
    """Where peers are started."""

    workplace: Workplace
    build: str  # the folder that CMake built in
    proxy_core: int
    load_core: int
    descriptors: int  # that a process may have
    origin_port: int = 0
    tls_origin_port: int = 0
    certificate: str = ""  # PEM; its key is beside it, in CERTIFICATE.key

    def program(self, name):
        return os.path.join(self.build, "tests", "bench", name)


def _settings(stage, template, folder, port, changes, **values):
    with open(os.path.join(SETTINGS, template)) as file:
        text = file.read()
    # An idle client costs most proxies one descriptor, a busy one two.
    connections = 24576 if stage.descriptors >= 50000 else min(8192, stage.descriptors // 2 - 64)
    places = {
        "folder": folder,
        "port": port,
        "descriptors": stage.descriptors,
        "connections": connections,
        "certificate": stage.certificate,
        **CHANGEABLE,
        **changes,
        **values,
    }
    places["origin"] = stage.tls_origin_port if places["upstream_tls"] else stage.origin_port
    for side in ("client", "upstream"):
        speaks_tls = places[f"{side}_tls"]
        places[f"{side}_tls"], places[f"{side}_plain"] = ("", "# ") if speaks_tls else ("# ", "")
    for name, value in places.items():
        text = text.replace(f"@{name}@", str(value))
    path = os.path.join(folder, template)
    with open(path, "w") as file:
        file.write(text)
    return path


def _relay(*buffer_bytes):
    def argv(stage, folder, port, changes):
        ports = [str(port), str(stage.origin_port)]
        return [stage.program("bench_relay"), *ports, *map(str, buffer_bytes)]

    return argv


def _nginx(request_id=""):
    def argv(stage, folder, port, changes):
        settings = _settings(stage, "nginx.conf", folder, port, changes, request_id=request_id)
        return ["nginx", "-e", "stderr", "-p", folder, "-c", settings]

    return argv


def _haproxy(stage, folder, port, changes):
    return ["haproxy", "-db", "-f", _settings(stage, "haproxy.cfg", folder, port, changes)]


def _sightglass(capture):
    def argv(stage, folder, port, changes):
        path = _settings(stage, "sightglass.yaml", folder, port, changes, capture=capture)
        return [os.path.join(stage.build, "sightglass"), "--config", path]

    return argv


def _h2o(stage, folder, port, changes):
    return ["h2o", "-m", "worker", "-c", _settings(stage, "h2o.conf", folder, port, changes)]


def _varnish(stage, folder, port, changes):
    settings = _settings(stage, "varnish.vcl", folder, port, changes)
    pools = ["-p", "thread_pools=1", "-p", "thread_pool_min=100", "-p", "thread_pool_max=2000"]
    listen = ["-a", f"127.0.0.1:{port}", "-T", "none", "-s", "malloc,64m"]
    return [
        "varnishd",
        "-F",
        "-j",
        "none",
        "-n",
        os.path.join(folder, "varnish"),
        "-f",
        settings,
        *listen,
        *pools,
    ]


def _mitmdump(*capture):
    def argv(stage, folder, port, changes):
        home = ["--set", f"confdir={folder}"]
        listen = ["--listen-host", "127.0.0.1", "--listen-port", str(port)]
        return [
            "mitmdump",
            "-q",
            *home,
            *listen,
            "--mode",
            f"reverse:http://127.0.0.1:{stage.origin_port}",
            *capture,
        ]

    return argv


_ARGV = {
    "relay": _relay(),
    # A little less than loopback's largest segment: a write of 64 KiB is a whole one and a runt.
    "relay-63k": _relay(63 * 1024 + 512),
    "nginx": _nginx(),
    "haproxy": _haproxy,
    "sightglass-excluded": _sightglass("row"),
    "sightglass-captured": _sightglass("full"),
    "nginx-request-id": _nginx("proxy_set_header X-Request-ID $request_id;"),
    "h2o": _h2o,
    "varnish": _varnish,
    "mitmdump": _mitmdump(),
    "mitmdump-w": _mitmdump("-w", "flows"),
}
NAMES = tuple(_ARGV)


def start(stage, name, environment=None, **changes):
    """A Server, with `changes` to CHANGEABLE."""
    folder = stage.workplace.new_folder(name)
    port = free_port()
    argv = _ARGV[name](stage, folder, port, changes)
    return stage.workplace.start(name, argv, port, stage.proxy_core, folder, environment)


def start_origin(stage):
    port = free_port()
    argv = [stage.program("bench_origin"), str(port)]
    origin = stage.workplace.start(
        "origin", argv, port, stage.load_core, stage.workplace.new_folder("origin")
    )
    stage.origin_port = port
    return origin


def start_tls_origin(stage):
    """A second one, with a certificate of its own, which proxies show to their clients, too."""
    folder = stage.workplace.new_folder("tls-origin")
    stage.certificate = _make_certificate(folder)
    port = free_port()
    argv = [stage.program("bench_origin"), str(port), stage.certificate, f"{stage.certificate}.key"]
    stage.workplace.start("tls-origin", argv, port, stage.load_core, folder)
    stage.tls_origin_port = port


def _make_certificate(folder):
    """Of ECDSA P-256, for the name "origin" and for 127.0.0.1; it is its own CA. haproxy looks for the
    key by this name."""
    path = os.path.join(folder, "certificate.pem")
    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    name = ["-subj", f"/CN={TLS_NAME}", "-addext", f"subjectAltName=DNS:{TLS_NAME},IP:127.0.0.1"]
    files = ["-keyout", f"{path}.key", "-out", path]
    done = subprocess.run(
        ["openssl", "req", "-x509", "-days", "2", *key, *name, *files],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        timeout=30,
    )
    if done.returncode:
        raise RuntimeError(f"openssl made no certificate: {done.stderr.strip()}")
    return path


def descriptors_of(name, connections):
    """How many a peer needs for idle clients: the relay has an upstream connection for each."""
    return connections * (2 if name.startswith("relay") else 1) + 200


def missing(stage, names, with_tls=False):
    """What is not here of the programs that these peers, the origin and the loads are."""
    own = ("origin", "dashboard", "pace", "visits")
    programs = {"wrk", *(stage.program(f"bench_{program}") for program in own)}
    if with_tls:
        programs.add("openssl")
    folder = stage.workplace.new_folder("missing")
    programs |= {_ARGV[name](stage, folder, 1, {})[0] for name in names}
    return sorted(program for program in programs if shutil.which(program) is None)


def versions(names):
    """A line for each peer that says what it is."""
    flags = {"nginx": "-v", "haproxy": "-v", "h2o": "-v", "varnish": "-V", "mitmdump": "--version"}
    lines = {}
    for name in names:
        program = name.split("-")[0]
        if program in flags:
            command = [{"varnish": "varnishd"}.get(program, program), flags[program]]
            done = subprocess.run(
                command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=30
            )
            lines[program] = done.stdout.splitlines()[0]
    return list(lines.values())
