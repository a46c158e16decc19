"""A plugin of client.authentication.k8s.io: a script that prints what it is to print, and says with
what it was run."""

import json
import time


class Plugin:
    def __init__(self, folder):
        self.path = folder / "plugin"
        self.runs = folder / "runs"
        self.runs.write_text("")

    def write(self, commands):
        script = f'#!/bin/sh\necho "$KUBERNETES_EXEC_INFO" >>{self.runs}\n{commands}\n'
        new = self.path.with_suffix(".new")
        new.write_text(script)
        new.chmod(0o700)
        new.replace(self.path)

    def answer(self, token=None, certificate=None, lives_s=None):
        status = {}
        if token is not None:
            status["token"] = token
        if certificate is not None:
            status["clientCertificateData"] = certificate.certificate.read_text()
            status["clientKeyData"] = certificate.key.read_text()
        if lives_s is not None:
            ends = time.gmtime(time.time() + lives_s)
            status["expirationTimestamp"] = time.strftime("%Y-%m-%dT%H:%M:%SZ", ends)
        whole = {
            "apiVersion": "client.authentication.k8s.io/v1",
            "kind": "ExecCredential",
            "status": status,
        }
        self.write(f"cat <<'END'\n{json.dumps(whole)}\nEND")

    def count(self):
        return self.runs.read_text().count("\n")

    @property
    def user(self):
        return {
            "exec": {
                "apiVersion": "client.authentication.k8s.io/v1",
                "command": str(self.path),
                "interactiveMode": "Never",
                "provideClusterInfo": True,
            }
        }
