"""One job: what a process tree has cost, as /proc has it: time on a core, memory, wake-ups."""

import os
import re

from processes import threads_of


def _read(path):
    try:
        with open(path) as file:
            return file.read()
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return ""


def _threads(server):
    return [f"/proc/{pid}/task/{thread}" for pid in server.pids() for thread in threads_of(pid)]


def cpu_seconds_by_thread(server):
    """What each thread spent on a core; to the nanosecond where the kernel counts so."""
    spent = {}
    for thread in _threads(server):
        on_core = _read(f"{thread}/schedstat").split()
        if on_core:
            spent[thread] = int(on_core[0]) / 1e9
        elif stat := _read(f"{thread}/stat"):
            fields = stat.rsplit(")", 1)[1].split()
            spent[thread] = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return spent


def cpu_seconds(server):
    return sum(cpu_seconds_by_thread(server).values())


class CpuMeter:
    """What happens within its `with` block, in `seconds`."""

    def __init__(self, server):
        self.server = server

    def __enter__(self):
        self.before = cpu_seconds(self.server)
        return self

    def __exit__(self, *_):
        self.seconds = cpu_seconds(self.server) - self.before


def wake_ups(server):
    """How often its threads have gone to sleep of their own accord, as often as they woke."""
    pattern = r"^voluntary_ctxt_switches:\s+(\d+)"
    found = [re.search(pattern, _read(f"{thread}/status"), re.M) for thread in _threads(server)]
    return sum(int(match.group(1)) for match in found if match)


def _sum_kib(server, file, field):
    found = [
        re.search(rf"^{field}:\s+(\d+) kB", _read(f"/proc/{pid}/{file}"), re.M)
        for pid in server.pids()
    ]
    return sum(int(match.group(1)) for match in found if match)


def rss_kib(server):
    return _sum_kib(server, "status", "VmRSS")


def pss_kib(server):
    """As rss_kib, where a page that several processes share counts once."""
    return _sum_kib(server, "smaps_rollup", "Pss")


def mapping_pss_kib(server, least_kib, most_kib):
    """Of the anonymous mapping of a size between these; None where there is not exactly one."""
    found = []
    for pid in server.pids():
        # A mapping's first line has its addresses and, of a file's, the name as its sixth word.
        pieces = re.split(r"^([0-9a-f]+-[0-9a-f]+ .*)\n", _read(f"/proc/{pid}/smaps"), flags=re.M)
        for line, fields in zip(pieces[1::2], pieces[2::2]):
            size = re.search(r"^Size:\s+(\d+) kB", fields, re.M)
            pss = re.search(r"^Pss:\s+(\d+) kB", fields, re.M)
            if len(line.split()) != 5 or not size or not pss:
                continue
            if least_kib <= int(size.group(1)) <= most_kib:
                found.append(int(pss.group(1)))
    return found[0] if len(found) == 1 else None


def peak_rss_kib(server):
    return _sum_kib(server, "status", "VmHWM")


def forget_peak(server):
    for pid in server.pids():
        with open(f"/proc/{pid}/clear_refs", "w") as command:
            command.write("5")
