"""Certificates, made by the openssl command for one run of the tests, and clients that trust them."""

import itertools
import os
import pathlib
import ssl
import subprocess

KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
NAMES = "subjectAltName=DNS:localhost,IP:127.0.0.1,IP:::1"


def openssl(*arguments):
    result = subprocess.run(
        ["openssl", *map(str, arguments)], capture_output=True, text=True, stdin=subprocess.DEVNULL
    )
    assert result.returncode == 0, result.stderr


class Certificate:
    def __init__(self, folder, name, serial=None):
        self.certificate = folder / f"{name}.crt"
        self.key = folder / f"{name}.key"
        self.serial = serial

    @property
    def settings(self):
        """What the YAML says of it."""
        return {"certificate": str(self.certificate), "key": str(self.key)}


class Authority:
    """A CA of the tests' own; its certificates are for localhost."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.serials = itertools.count(4096)
        self.ca = Certificate(self.folder, "ca")
        openssl(
            "req", "-x509", *KEY, "-subj", "/CN=ca", "-days", 2,
            "-addext", "basicConstraints=critical,CA:TRUE",
            "-keyout", self.ca.key, "-out", self.ca.certificate,
        )  # fmt: skip

    def issue(self):
        serial = next(self.serials)
        made = Certificate(self.folder, serial, serial)
        openssl(
            "req", "-x509", *KEY, "-subj", "/CN=sightglass.test", "-days", 1,
            "-CA", self.ca.certificate, "-CAkey", self.ca.key, "-set_serial", serial,
            "-addext", "basicConstraints=critical,CA:FALSE", "-addext", NAMES,
            "-keyout", made.key, "-out", made.certificate,
        )  # fmt: skip
        return made

    def issue_expired(self):
        serial = next(self.serials)
        made = Certificate(self.folder, serial, serial)
        request = self.folder / f"{serial}.csr"
        openssl("req", *KEY, "-subj", "/CN=expired", "-keyout", made.key, "-out", request)
        openssl(
            "x509", "-req", "-in", request, "-days", -1, "-set_serial", serial,
            "-CA", self.ca.certificate, "-CAkey", self.ca.key, "-out", made.certificate,
        )  # fmt: skip
        return made

    def client(self, version=None, protocols=None):
        """How a client is set up that trusts this CA and no other."""
        context = ssl.create_default_context(cafile=str(self.ca.certificate))
        if version is not None:
            context.minimum_version = context.maximum_version = version
        if protocols is not None:
            context.set_alpn_protocols(protocols)
        return context


class Secret:
    """A folder with tls.crt and tls.key as the kubelet mounts a secret: both lead through the link
    ..data to a folder of their own for each state."""

    def __init__(self, folder, certificate):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir()
        self.states = itertools.count()
        self.current = None
        self.swap(certificate.certificate.read_bytes(), certificate.key.read_bytes())
        for name in ("tls.crt", "tls.key"):
            (self.folder / name).symlink_to(f"..data/{name}")
        self.settings = {
            "certificate": str(self.folder / "tls.crt"),
            "key": str(self.folder / "tls.key"),
        }

    def swap(self, certificate, key):
        """The bytes of both files, all at once."""
        state = self.folder / f"..{next(self.states)}"
        state.mkdir()
        (state / "tls.crt").write_bytes(certificate)
        (state / "tls.key").write_bytes(key)
        link = self.folder / "..data_tmp"
        link.symlink_to(state.name)
        os.rename(link, self.folder / "..data")
        if self.current is not None:
            for file in self.current.iterdir():
                file.unlink()
            self.current.rmdir()
        self.current = state

    def show(self, certificate):
        self.swap(certificate.certificate.read_bytes(), certificate.key.read_bytes())
