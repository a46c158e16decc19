"""Certificates, made by the openssl command for one run of the tests, and clients that trust them."""

import itertools
import os
import pathlib
import ssl
import subprocess
import time

KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
NAMES = "DNS:localhost,IP:127.0.0.1,IP:::1"
DAY_S = 86400
CONFIG = """
[ca]
default_ca = own
[own]
database = {folder}/index
serial = {folder}/serial
new_certs_dir = {folder}
unique_subject = no
default_md = sha256
policy = any
[any]
commonName = supplied
"""


def openssl(*arguments):
    result = subprocess.run(
        ["openssl", *map(str, arguments)], capture_output=True, text=True, stdin=subprocess.DEVNULL
    )
    assert result.returncode == 0, result.stderr


def date(seconds):
    """As openssl takes it."""
    return time.strftime("%Y%m%d%H%M%SZ", time.gmtime(seconds))


class Certificate:
    """A certificate and its key in PEM files; `ends` is when, in seconds since the epoch."""

    def __init__(self, folder, name, serial=None, ends=None):
        self.certificate = pathlib.Path(folder) / f"{name}.crt"
        self.key = pathlib.Path(folder) / f"{name}.key"
        self.serial = serial
        self.ends = ends

    @property
    def settings(self):
        """What the YAML says of it."""
        return {"certificate": str(self.certificate), "key": str(self.key)}

    def copy(self, other):
        """Writes another's certificate and key into these files."""
        self.certificate.write_bytes(other.certificate.read_bytes())
        self.key.write_bytes(other.key.read_bytes())
        self.serial, self.ends = other.serial, other.ends


class Authority:
    """A CA of the tests' own; what it issues is for localhost unless something else is asked for."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.serials = itertools.count(4096)
        self.ca = Certificate(self.folder, "ca")
        self.config = self.folder / "ca.cnf"
        self.config.write_text(CONFIG.format(folder=self.folder))
        (self.folder / "index").write_text("")
        openssl(
            "req", "-x509", *KEY, "-subj", "/CN=ca", "-days", 2,
            "-addext", "basicConstraints=critical,CA:TRUE",
            "-keyout", self.ca.key, "-out", self.ca.certificate,
        )  # fmt: skip

    @property
    def settings(self):
        """What an upstream's YAML says of it."""
        return {"ca": str(self.ca.certificate)}

    def issue(self, names=NAMES, subject="sightglass.test", lives_s=DAY_S):
        """`names`: a subjectAltName. Where `lives_s` is below 0 it has ended so long ago."""
        serial = next(self.serials)
        ends = int(time.time()) + lives_s
        made = Certificate(self.folder, serial, serial, ends)
        request, extensions = self.folder / f"{serial}.csr", self.folder / f"{serial}.ext"
        extensions.write_text(f"basicConstraints=critical,CA:FALSE\nsubjectAltName={names}\n")
        (self.folder / "serial").write_text(f"{serial:04x}\n")
        openssl("req", *KEY, "-subj", f"/CN={subject}", "-keyout", made.key, "-out", request)
        openssl(
            "ca", "-batch", "-notext", "-config", self.config, "-extfile", extensions,
            "-cert", self.ca.certificate, "-keyfile", self.ca.key,
            "-startdate", date(ends - 2 * DAY_S), "-enddate", date(ends),
            "-in", request, "-out", made.certificate,
        )  # fmt: skip
        return made

    def issue_expired(self):
        return self.issue(lives_s=-DAY_S)

    def client(self, version=None, protocols=None):
        """How a client is set up that trusts this CA and no other."""
        context = ssl.create_default_context(cafile=str(self.ca.certificate))
        if version is not None:
            context.minimum_version = context.maximum_version = version
        if protocols is not None:
            context.set_alpn_protocols(protocols)
        return context

    def server(self, certificate=None, version=None, protocols=None, wants=None):
        """How a server is set up, by a certificate of this CA. `wants`: whom (an authority) its
        clients' certificates have to be from; absent: it asks for none."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        shown = certificate or self.issue()
        context.load_cert_chain(shown.certificate, shown.key)
        if version is not None:
            context.minimum_version = context.maximum_version = version
        if protocols is not None:
            context.set_alpn_protocols(protocols)
        if wants is not None:
            context.load_verify_locations(wants.ca.certificate)
            context.verify_mode = ssl.CERT_REQUIRED
        return context


class Secret:
    """A folder with tls.crt and tls.key, and any further files, as the kubelet mounts a secret: each
    leads through the link ..data to a folder of its own for each state."""

    def __init__(self, folder, certificate, **more):
        """`more`: contents of further files by their names, in which _ stands for the dot."""
        self.folder = pathlib.Path(folder)
        self.folder.mkdir()
        self.states = itertools.count()
        self.current = None
        self.show(certificate, **more)
        for name in os.listdir(self.current):
            (self.folder / name).symlink_to(f"..data/{name}")
        self.settings = {
            "certificate": str(self.folder / "tls.crt"),
            "key": str(self.folder / "tls.key"),
        }

    def swap(self, certificate, key, **more):
        """The bytes of all files, all at once."""
        state = self.folder / f"..{next(self.states)}"
        state.mkdir()
        for name, content in {"tls_crt": certificate, "tls_key": key, **more}.items():
            (state / name.replace("_", ".")).write_bytes(content)
        link = self.folder / "..data_tmp"
        link.symlink_to(state.name)
        os.rename(link, self.folder / "..data")
        if self.current is not None:
            for file in self.current.iterdir():
                file.unlink()
            self.current.rmdir()
        self.current = state

    def show(self, certificate, **more):
        self.swap(certificate.certificate.read_bytes(), certificate.key.read_bytes(), **more)
