"""A network of the test's own: a new user, mount and network namespace, for which no rights are
needed where the system lets users make one.

    with Namespace({"/etc/resolv.conf": path}) as namespace:
        sightglass(origin, namespace=namespace)            # a process inside
        namespace.run("ip", "link", "add", ...)            # as root of that network
        namespace.socket(socket.AF_INET, socket.SOCK_DGRAM) # a socket inside, held by the test

Inside there is a loopback interface that is up, with 127.0.0.0/8 and, where the system has IPv6,
::1: every port is free. A socket belongs to the network that it was made in, whoever holds it: so
the test's own threads play client, upstream and name server as ever, and only ask for their sockets
here.
"""

import fcntl
import json
import shutil
import socket
import struct
import subprocess
import sys
import threading

SIOCGIFFLAGS, SIOCSIFFLAGS = 0x8913, 0x8914
IFF_UP = 0x1
REQUEST_SIZE = 256


class Unavailable(Exception):
    """This machine permits no such namespace; the sentence says why."""


class Namespace:
    def __init__(self, files=None):
        """`files`: path inside → path of the file that is seen there; both exist."""
        self.files = {str(inside): str(seen) for inside, seen in (files or {}).items()}
        self.keeper = None
        self.requests = None
        self.lock = threading.Lock()

    def __enter__(self):
        for tool in ("unshare", "nsenter", "mount"):
            if shutil.which(tool) is None:
                raise Unavailable(f"there is no {tool} here")
        self.requests, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.keeper = subprocess.Popen(
            ["unshare", "--user", "--map-root-user", "--mount", "--net"]
            + [sys.executable, __file__, str(theirs.fileno()), json.dumps(self.files)],
            pass_fds=[theirs.fileno()],
            stdin=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        theirs.close()
        if self.requests.recv(REQUEST_SIZE) != b"ready":
            reason = self.keeper.stderr.read().strip()
            self.__exit__()
            raise Unavailable(f"no namespace of our own: {reason}")
        return self

    def __exit__(self, *_):
        """The network ends with the last process and socket in it."""
        self.requests.close()
        self.keeper.wait()
        self.keeper.stderr.close()

    def command(self, *arguments):
        """What to run in the place of this command, so that it runs inside, as root of that network
        alone and with the same process id. Paths have to be absolute."""
        enter = ["nsenter", "--target", str(self.keeper.pid), "--preserve-credentials"]
        return [*enter, "--user", "--mount", "--net", "--", *arguments]

    def run(self, *arguments, **options):
        """Runs a command inside to its end; returns its output."""
        command = self.command(*arguments)
        return subprocess.run(
            command, check=True, stdout=subprocess.PIPE, text=True, **options
        ).stdout

    def socket(self, family=socket.AF_INET, kind=socket.SOCK_STREAM):
        """A new socket of the network inside, for this process; it may outlive the namespace."""
        with self.lock:
            self.requests.send(json.dumps([family, kind]).encode())
            message, descriptors, _, _ = socket.recv_fds(self.requests, REQUEST_SIZE, 1)
        if not descriptors:
            raise OSError(message.decode())
        return socket.socket(family, kind, fileno=descriptors[0])


# What keeps the namespace: a process that is inside, and makes sockets.


def raise_loopback():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        name, flags = struct.unpack(
            "16sh", fcntl.ioctl(any_socket, SIOCGIFFLAGS, struct.pack("16sh", b"lo", 0))
        )
        fcntl.ioctl(any_socket, SIOCSIFFLAGS, struct.pack("16sh", name, flags | IFF_UP))


def serve_sockets(requests):
    """Until the test closes its end, or is gone."""
    while request := requests.recv(REQUEST_SIZE):
        try:
            with socket.socket(*json.loads(request)) as made:
                socket.send_fds(requests, [b"made"], [made.fileno()])
        except OSError as error:
            requests.send(str(error).encode())


def keep(requests, files):
    raise_loopback()
    for inside, seen in files.items():
        if subprocess.run(["mount", "--bind", seen, inside]).returncode != 0:
            sys.exit(1)  # mount has said why
    requests.send(b"ready")
    serve_sockets(requests)


if __name__ == "__main__":
    keep(socket.socket(fileno=int(sys.argv[1])), json.loads(sys.argv[2]))
