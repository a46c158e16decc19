"""haproxy as an upstream that is not always there: its own folder, port and process, in front of an
origin of the test's."""

import os
import pathlib
import shutil
import socket
import subprocess
import time

from harness.nginx import free_port
from harness.wire import DEADLINE_S

CONFIG = """
global
    nbthread 1
    maxconn 2000
    stats socket {folder}/control mode 600 level admin

defaults
    mode http
    timeout connect 10s
    timeout client 60s
    timeout server 60s
    timeout http-keep-alive 60s
{defaults}

frontend in
    bind 127.0.0.1:{port} backlog 4096
{frontend}
    default_backend origin

backend origin
    server origin 127.0.0.1:{origin} maxconn 1000
"""


def find_haproxy():
    """Where distributions keep it is not always in a user's PATH."""
    found = shutil.which("haproxy", path=os.environ.get("PATH", "") + ":/usr/local/sbin:/usr/sbin")
    assert found, "haproxy is not installed"
    return found


def indented(lines):
    return "\n".join("    " + line for line in lines)


class Haproxy:
    def __init__(self, folder, origin_port, frontend=(), defaults=()):
        """`frontend` and `defaults` are lines for these sections, behind what is there."""
        self.folder = pathlib.Path(folder)
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.config = self.folder / "haproxy.cfg"
        self.config.write_text(
            CONFIG.format(
                folder=self.folder,
                port=self.port,
                origin=origin_port,
                frontend=indented(frontend),
                defaults=indented(defaults),
            )
        )
        self.start()

    def start(self):
        self.process = subprocess.Popen(
            [find_haproxy(), "-db", "-f", self.config],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
        end = time.monotonic() + DEADLINE_S
        while True:
            assert self.process.poll() is None, self.process.stderr.read().decode()
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return
            except OSError:
                assert time.monotonic() < end, "haproxy does not listen"
                time.sleep(0.02)

    def control(self, command):
        """Says this on its control socket; returns the answer."""
        with socket.socket(socket.AF_UNIX) as sock:
            sock.settimeout(DEADLINE_S)
            sock.connect(str(self.folder / "control"))
            sock.sendall(command.encode() + b"\n")
            return b"".join(iter(lambda: sock.recv(4096), b"")).decode()

    def stop(self):
        """Ends at once: all connections break off."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(DEADLINE_S)
        self.process.stderr.close()

    close = stop
