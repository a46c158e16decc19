"""The process under test: started with flags or a YAML file, watched on both outputs, ended by its
own id."""

import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import threading
import time

import yaml

from harness.inspector_client import Inspector
from harness.raw_client import Client
from harness.wire import DEADLINE_S, until

REPOSITORY = pathlib.Path(__file__).resolve().parents[3]
BINARY = os.environ.get("SIGHTGLASS_BINARY", str(REPOSITORY / "build" / "sightglass"))
LISTENING = re.compile(r"listening on (unix:[^\s\",]+|\[[0-9a-f:.]+\]:\d+|[0-9.]*:\d+)")
SANITIZER = re.compile(r"ERROR: \w+Sanitizer|WARNING: ThreadSanitizer|runtime error:")


def environment(extra=None):
    """The test's environment without any setting of Sightglass that happens to be in it."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith("SIGHTGLASS_")}
    return {**kept, **(extra or {})}


def run(*arguments, env=None, timeout=DEADLINE_S):
    """Runs the binary to its end: for --help, --check and settings that are refused."""
    return subprocess.run(
        [BINARY, *arguments],
        env=environment(env),
        capture_output=True,
        text=True,
        timeout=timeout,
        stdin=subprocess.DEVNULL,
    )


class Output:
    """The lines of a pipe, read by a thread as they come."""

    def __init__(self, pipe):
        self.lines = []
        self.changed = threading.Condition()
        self.thread = threading.Thread(target=self._read, args=(pipe,), daemon=True)
        self.thread.start()

    def _read(self, pipe):
        for line in pipe:
            with self.changed:
                self.lines.append(line.rstrip("\n"))
                self.changed.notify_all()

    def text(self):
        return "\n".join(self.lines)

    def wait_for(self, find, what):
        """The first true value of find(line), over the lines there are and those to come."""
        end = time.monotonic() + DEADLINE_S
        seen = 0
        with self.changed:
            while True:
                for line in self.lines[seen:]:
                    value = find(line)
                    if value:
                        return value
                seen = len(self.lines)
                left = end - time.monotonic()
                assert left > 0, f"no {what} in:\n{self.text()[-3000:]}"
                self.changed.wait(left)


class Sightglass:
    def __init__(self, arguments, listeners=1, env=None, read_stdout=True, namespace=None):
        """`namespace`: where it runs (namespace.py); its clients connect there."""
        self.namespace = namespace
        self.arguments = [BINARY, *arguments]
        if namespace is not None:
            self.arguments = namespace.command(*self.arguments)
        self.clients = []
        self.process = subprocess.Popen(
            self.arguments,
            env=environment(env),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
        )
        self.pid = self.process.pid
        self.stderr = Output(self.process.stderr)
        self.stdout = Output(self.process.stdout) if read_stdout else None
        self.expected_exit = 0
        self.addresses = []
        try:
            self._wait_until_it_listens(listeners)
        except BaseException:
            self.process.kill()
            self.process.wait()
            raise

    def _wait_until_it_listens(self, listeners):
        def listening():
            self.addresses = list(dict.fromkeys(LISTENING.findall(self.stderr.text())))
            if len(self.addresses) < listeners:
                assert self.process.poll() is None, (
                    f"exit {self.process.returncode} at the start: {self.stderr.text()}"
                )
            return len(self.addresses) >= listeners

        until(listening, f"{listeners} listeners announced on stderr")

    # Where it is

    def address(self, index=0):
        """What connect() takes: (host, port), or the path of a unix socket."""
        text = self.addresses[index]
        if text.startswith("unix:"):
            return text[len("unix:") :]
        host, port = text.rsplit(":", 1)
        return host.strip("[]") or "127.0.0.1", int(port)

    @property
    def port(self):
        return self.address()[1]

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    # Who talks to it

    def connect(self, index=0, **options):
        """A client's connection, closed with the test."""
        client = Client(self.address(index), network=self.namespace or socket, **options)
        self.clients.append(client)
        return client

    def refuses_connections(self, index=0):
        """Whether it accepts none any more."""
        try:
            socket.create_connection(self.address(index), timeout=DEADLINE_S).close()
        except (ConnectionRefusedError, ConnectionResetError):  # reset: it was not accepted yet
            return True
        return False

    @property
    def inspector(self):
        return Inspector("127.0.0.1", self.port)

    # What it says

    def access_log(self, **wanted):
        """The first access log line with these members, waited for."""

        def matches(line):
            entry = json.loads(line)
            return entry.get("msg") == "access" and all(
                entry.get(key) == value for key, value in wanted.items()
            ) and entry

        return self.stdout.wait_for(matches, f"access log line with {wanted}")

    def access_lines(self):
        return [json.loads(line) for line in list(self.stdout.lines)]

    # What it takes

    def _status_kib(self, field):
        text = pathlib.Path(f"/proc/{self.pid}/status").read_text()
        return int(re.search(rf"^{field}:\s+(\d+) kB", text, re.M)[1])

    def forget_peak_memory(self):
        """From here on peak_memory_kib() tells the peak since now."""
        pathlib.Path(f"/proc/{self.pid}/clear_refs").write_text("5")

    def peak_memory_kib(self):
        return self._status_kib("VmHWM")

    def memory_kib(self):
        return self._status_kib("VmRSS")

    def cpu_ticks(self):
        fields = pathlib.Path(f"/proc/{self.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return int(fields[11]) + int(fields[12])

    def open_files(self):
        return len(os.listdir(f"/proc/{self.pid}/fd"))

    # Its end

    def signal(self, number):
        self.process.send_signal(number)

    def stand_still(self):
        """Does nothing until it is sent SIGCONT, though the system goes on taking what is sent to
        it. A process of one worker that sleeps now then hears of things in their order."""
        until(lambda: self._is("S"), "it sleeps")
        self.signal(signal.SIGSTOP)
        until(lambda: self._is("T"), "it stands still")

    def _is(self, state):
        stat = pathlib.Path(f"/proc/{self.pid}/stat").read_text()
        return stat.rsplit(")", 1)[1].split()[0] == state

    def wait(self, timeout=DEADLINE_S):
        """The exit code, once both outputs are read to their ends."""
        code = self.process.wait(timeout)
        for output in (self.stdout, self.stderr):
            if output is not None:
                output.thread.join(timeout)
        return code

    def alive(self):
        return self.process.poll() is None

    def stop(self):
        """SIGTERM, then what every test expects of every process: a clean exit, and no sanitizer's
        report."""
        for client in self.clients:
            client.close()
        if self.alive():
            self.signal(signal.SIGTERM)
        try:
            code = self.wait()
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise AssertionError(
                f"still running {DEADLINE_S:.0f} s after SIGTERM:\n{self.stderr.text()[-3000:]}"
            ) from None
        report = SANITIZER.search(self.stderr.text())
        assert not report, self.stderr.text()[-8000:]
        assert code == self.expected_exit, f"exit {code}: {self.stderr.text()[-3000:]}"


def write_config(path, config):
    path.write_text(yaml.safe_dump(config, sort_keys=False))
    return str(path)
