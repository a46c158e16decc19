"""`openssl s_server` as an upstream: TLS with the whims of its flags. Its own process and port."""

import re
import subprocess

from harness.wire import DEADLINE_S


class OpensslServer:
    def __init__(self, certificate, *flags):
        self.process = subprocess.Popen(
            [
                *("openssl", "s_server", "-accept", "127.0.0.1:0", "-naccept", "1000"),
                *("-cert", certificate.certificate, "-key", certificate.key, *flags),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        for line in self.process.stdout:
            listens = re.match(r"ACCEPT (127\.0\.0\.1:\d+)", line)
            if listens:
                self.url = "https://" + listens[1]
                return
        raise AssertionError("openssl s_server does not listen")

    def close(self):
        self.process.kill()
        self.process.wait(DEADLINE_S)
        self.process.stdin.close()
        self.process.stdout.close()
