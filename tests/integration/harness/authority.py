"""A certificate authority for one test, made by the openssl command."""

import pathlib
import subprocess


def openssl(*arguments):
    subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True)


class Authority:
    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.certificate = self.folder / "ca.crt"
        self.key = self.folder / "ca.key"
        openssl(
            *("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"),
            *("-nodes", "-days", 30, "-subj", "/CN=test CA"),
            *("-keyout", self.key, "-out", self.certificate),
        )

    def issue(self, name, days=30, subject="test"):
        """Certificate and key for localhost, in files called NAME.crt and NAME.key; over those that
        are there."""
        certificate, key = self.folder / f"{name}.crt", self.folder / f"{name}.key"
        request, extensions = self.folder / f"{name}.csr", self.folder / f"{name}.ext"
        extensions.write_text("subjectAltName=DNS:localhost,IP:127.0.0.1\n")
        openssl(
            *("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"),
            *("-nodes", "-subj", f"/CN={subject}", "-keyout", key, "-out", request),
        )
        openssl(
            *("x509", "-req", "-in", request, "-days", days, "-extfile", extensions),
            *("-CA", self.certificate, "-CAkey", self.key, "-CAcreateserial"),
            *("-out", certificate),
        )
        return certificate, key
