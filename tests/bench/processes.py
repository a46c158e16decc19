"""One job: start what is measured on a core of its own, and end it by its own id in any case."""

import os
import resource
import shutil
import signal
import socket
import subprocess
import tempfile
import time

LISTEN_S = 20.0  # varnish compiles its settings first
STOP_S = 5.0
DESCRIPTORS = 65536  # enough for 20,000 clients and as many upstream connections


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def raise_descriptor_limit():
    """As many descriptors as this process may have, as far as they are of use; the hard limit, too, is
    raised where that is allowed. What it starts inherits them."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with open("/proc/sys/fs/nr_open") as file:
        system = int(file.read())
    known = system if hard == resource.RLIM_INFINITY else hard
    wanted = min(DESCRIPTORS, system)
    if known < wanted:
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, wanted))
            return wanted
        except (ValueError, OSError):
            pass  # not allowed
    usable = min(known, wanted)
    resource.setrlimit(resource.RLIMIT_NOFILE, (usable, hard))
    return usable


def end_on_signals():
    """What ends this process ends what it has started: `with` blocks are left as on an error."""

    def leave(number, _):
        raise SystemExit(128 + number)

    signal.signal(signal.SIGTERM, leave)
    signal.signal(signal.SIGHUP, leave)


class Server:
    """A process and its children, all on `core` until they are moved."""

    def __init__(self, name, argv, port, core, folder, environment=None):
        self.name = name
        self.port = port
        self.cores = {core}
        self.log = os.path.join(folder, "stderr")
        with open(self.log, "w") as log:
            self.process = subprocess.Popen(
                argv,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=log,
                cwd=folder,
                env={**os.environ, **(environment or {})},
                preexec_fn=lambda: os.sched_setaffinity(0, {core}),
            )

    def wait_until_listening(self):
        end = time.monotonic() + LISTEN_S
        while time.monotonic() < end:
            if self.process.poll() is not None:
                raise RuntimeError(
                    f"{self.name} ended with {self.process.returncode}: {self.last_words()}"
                )
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.02)
        raise RuntimeError(f"{self.name} does not listen: {self.last_words()}")

    def last_words(self):
        with open(self.log, errors="replace") as log:
            return log.read()[-500:].strip()

    def pids(self):
        """The process, its children and theirs."""
        found = [self.process.pid]
        for pid in found:
            for thread in threads_of(pid):
                try:
                    with open(f"/proc/{pid}/task/{thread}/children") as children:
                        found += [int(child) for child in children.read().split()]
                except (FileNotFoundError, ProcessLookupError):
                    pass
        return found

    def move_to(self, *cores):
        if self.cores != set(cores):
            for pid in self.pids():
                for thread in threads_of(pid):
                    os.sched_setaffinity(thread, cores)
            self.cores = set(cores)

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(STOP_S)
            except subprocess.TimeoutExpired:
                for pid in reversed(self.pids()):
                    os.kill(pid, signal.SIGKILL)
                self.process.wait()


def threads_of(pid):
    try:
        return [int(thread) for thread in os.listdir(f"/proc/{pid}/task")]
    except (FileNotFoundError, ProcessLookupError):
        return []


class Workplace:
    """A temporary folder for settings and logs. What was started in it ends with it."""

    def __enter__(self):
        self.folder = tempfile.mkdtemp(prefix="sightglass-bench-")
        os.chmod(self.folder, 0o755)  # nginx's and varnish's workers are other users
        self.servers = []
        return self

    def __exit__(self, *_):
        for server in reversed(self.servers):
            server.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def new_folder(self, name):
        folder = tempfile.mkdtemp(prefix=f"{name}-", dir=self.folder)
        os.chmod(folder, 0o755)
        return folder

    def start(self, *arguments, **named):
        """A Server (its arguments) that listens."""
        server = Server(*arguments, **named)
        self.servers.append(server)
        server.wait_until_listening()
        return server

    def stop(self, server):
        server.stop()
        self.servers.remove(server)
