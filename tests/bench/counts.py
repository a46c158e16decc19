"""One job: count a server's system calls and allocations while it is under a load.

System calls come from the kernel's tracepoints by `perf stat`, which hardly slows the server; where
these cannot be had, from `strace -c`, under which a server is so slow that it waits less often than
it would."""

import collections
import os
import re
import shutil
import signal
import struct
import subprocess

TRACEPOINTS = "/sys/kernel/tracing/events/syscalls"
# Those that proxies make of a request; each takes perf some hundredths of a second to begin and end
# with. What is not among them is counted as `other`.
CALLS = (
    "read readv recvfrom recvmsg write writev sendto sendmsg splice epoll_wait epoll_pwait epoll_ctl "
    "poll accept4 connect close setsockopt getsockopt ioctl getrandom clock_gettime brk futex"
).split()
STOP_S = 10


def _has_tracepoints():
    """perf mounts their file system when it first wants one."""
    if not os.access(TRACEPOINTS, os.X_OK):
        argv = ["perf", "stat", "-e", "raw_syscalls:sys_enter", "--", "true"]
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        subprocess.run(argv, stdin=subprocess.DEVNULL, timeout=STOP_S, check=False, **quiet)
    return os.access(TRACEPOINTS, os.X_OK)


class SyscallMeter:
    """What happens within its `with` block, in `calls`: a Counter by name.

    None where neither tool works."""

    def __init__(self, server, folder):
        self.server = server
        self.file = os.path.join(folder, "syscalls")
        self.calls = None

    def __enter__(self):
        self.tracer, self.stop, self.read = None, None, None
        if shutil.which("perf") and _has_tracepoints():
            self._start_perf()
        elif shutil.which("strace"):
            self._start_strace()
        return self

    def _start(self, argv, **streams):
        self.tracer = subprocess.Popen(
            argv,
            text=True,
            **{"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, **streams},
        )

    def _start_perf(self):
        known = [call for call in CALLS if os.path.isdir(f"{TRACEPOINTS}/sys_enter_{call}")]
        events = ",".join(
            ["raw_syscalls:sys_enter"] + [f"syscalls:sys_enter_{call}" for call in known]
        )
        pids = ",".join(str(pid) for pid in self.server.pids())
        # perf counts while its command runs. `cat` says that it does, and ends when it is told to.
        self._start(
            ["perf", "stat", "-x", ";", "-e", events, "-p", pids, "-o", self.file, "--", "cat"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        try:
            self.tracer.stdin.write("counting\n")
            self.tracer.stdin.flush()
        except BrokenPipeError:
            pass
        if self.tracer.stdout.readline() == "counting\n":
            self.stop, self.read = self.tracer.stdin.close, self._read_perf

    def _start_strace(self):
        pids = [argument for pid in self.server.pids() for argument in ("-p", str(pid))]
        self._start(["strace", "-c", "-f", "-o", self.file, *pids], stderr=subprocess.PIPE)
        for _ in self.server.pids():
            if "attached" not in self.tracer.stderr.readline():
                return
        self.stop, self.read = lambda: self.tracer.send_signal(signal.SIGINT), self._read_strace

    def __exit__(self, *_):
        if self.tracer is None:
            return
        if self.stop is not None:
            self.stop()
        else:
            self.tracer.kill()
        try:
            self.tracer.wait(STOP_S)
        except subprocess.TimeoutExpired:
            self.tracer.kill()
            self.tracer.wait()
        for stream in (self.tracer.stdout, self.tracer.stderr):
            if stream is not None:
                stream.close()
        if self.read is not None:
            with open(self.file) as file:
                self.calls = self.read(file.read())

    @staticmethod
    def _read_perf(text):
        found = {
            name: int(count)
            for count, name in re.findall(r"^(\d+);;[a-z_]+:sys_enter_?(\w*)", text, re.M)
        }
        every = found.pop("", 0)
        found["other"] = max(0, every - sum(found.values()))
        return collections.Counter({name: count for name, count in found.items() if count})

    @staticmethod
    def _read_strace(text):
        lines = [line.split() for line in text.splitlines()]
        return collections.Counter(
            {
                line[-1]: int(line[3])
                for line in lines
                if len(line) >= 5 and line[3].isdigit() and line[-1] != "total"
            }
        )


class AllocationMeter:
    """What happens within its `with` block, in `count`: calls that ask for memory.

    The server has to be started with `environment()`."""

    def __init__(self, stage):
        self.library = stage.program("libbench_allocation_counter.so")
        self.file = os.path.join(stage.workplace.new_folder("allocations"), "count")
        with open(self.file, "wb") as file:
            file.write(struct.pack("=Q", 0))
        os.chmod(self.file, 0o666)

    def environment(self):
        return {"LD_PRELOAD": self.library, "BENCH_ALLOCATIONS": self.file}

    def _read(self):
        with open(self.file, "rb") as file:
            return struct.unpack("=Q", file.read())[0]

    def __enter__(self):
        self.before = self._read()
        return self

    def __exit__(self, *_):
        self.count = self._read() - self.before
