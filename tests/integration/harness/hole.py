"""An address that can vanish: nothing that is sent to it or from it arrives any more, and nobody
is told. What a machine that lost its power, or a firewall that drops, looks like.

In a network of the test's own: the address is local until it vanishes; then the way to it is a
cable at whose other end nobody listens. """

import subprocess

from harness.namespace import Unavailable

ADDRESS = "10.9.9.9"
CABLE = [
    "link add hole type veth peer name end",
    "link set hole up",
    "link set end up",
    "address add 10.9.9.1/24 dev hole",
    # Who asks for its hardware address is answered here, or connecting would fail by itself soon.
    f"neighbour add {ADDRESS} lladdr 02:00:00:00:00:09 nud permanent dev hole",
]


class Hole:
    def __init__(self, namespace):
        self.namespace = namespace
        self.address = ADDRESS
        try:
            for command in CABLE:
                self._ip(command)
            self.come_back()
        except (OSError, subprocess.CalledProcessError) as error:
            raise Unavailable(f"no cable in a network of our own: {error}") from error

    def _ip(self, command):
        self.namespace.run("ip", *command.split(), stderr=subprocess.PIPE)

    def vanish(self):
        self._ip(f"address del {ADDRESS}/32 dev lo")

    def come_back(self):
        self._ip(f"address add {ADDRESS}/32 dev lo")
