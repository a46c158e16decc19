"""haproxy as an upstream that is not always there: its own folder, port and process, in front of an
origin of the test's."""

import os
import pathlib
import shutil
import signal
import socket
import subprocess

from harness.nginx import free_port
from harness.wire import DEADLINE_S, until

LISTENS, ESTABLISHED = "0A", "01"  # as /proc/net/tcp has it
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
        self.processes = []
        self.start()

    def start(self):
        """Another process on the same port, as a reload makes one; it takes its connections from
        now on."""
        process = subprocess.Popen(
            [find_haproxy(), "-db", "-f", self.config],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
        self.processes.append(process)

        def listening():
            assert process.poll() is None, process.stderr.read().decode()
            return self.sockets(LISTENS) == len(self.processes)

        until(listening, "haproxy listens")

    def sockets(self, state):
        """How many it has on its port that are in this state."""
        with open("/proc/net/tcp") as file:
            lines = [line.split() for line in file.readlines()[1:]]
        return sum(
            fields[3] == state and int(fields[1].split(":")[1], 16) == self.port for fields in lines
        )

    def control(self, command):
        """Says this on its control socket; returns the answer."""
        with socket.socket(socket.AF_UNIX) as sock:
            sock.settimeout(DEADLINE_S)
            sock.connect(str(self.folder / "control"))
            sock.sendall(command.encode() + b"\n")
            return b"".join(iter(lambda: sock.recv(4096), b"")).decode()

    def stop(self, listening=True):
        """Ends the oldest process at once: its connections break off. Not `listening`: it leaves
        new connections to the others first."""
        process = self.processes.pop(0)
        if not listening:
            process.send_signal(signal.SIGUSR1)
            until(lambda: self.sockets(LISTENS) == len(self.processes), "it listens no more")
        if process.poll() is None:
            process.kill()
        process.wait(DEADLINE_S)
        process.stderr.close()

    def close(self):
        while self.processes:
            self.stop()
