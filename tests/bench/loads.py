"""One job: put one load on one port and say how it went.

Whatever is to be counted meanwhile comes as `meter`, a context that is entered when the load starts
and left when it has ended."""

import contextlib
import json
import os
import signal
import subprocess
import threading

HERE = os.path.dirname(os.path.abspath(__file__))
GRACE_S = 20


class LoadFailed(RuntimeError):
    pass


def run(stage, workload, port, seconds, meter=None):
    """A dict: requests, rps, p50_us, p99_us, skipped, from `pace` and `dashboard` also p999_us and
    max_us. LoadFailed where a single request failed."""
    generator = _GENERATORS[workload.generator]
    seconds = max(seconds, workload.least_seconds)
    done = generator(stage, workload, port, seconds, meter or contextlib.nullcontext())
    if done["errors"] or not done["requests"]:
        raise LoadFailed(f"{workload.title}: {done}")
    done["rps"] = done["requests"] / done["seconds"]
    done.setdefault("skipped", 0)
    return done


@contextlib.contextmanager
def _started(stage, argv, seconds):
    """A generator that has ended when the block is left, and is ended when it takes too long."""
    process = subprocess.Popen(
        argv,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: os.sched_setaffinity(0, {stage.load_core}),
    )
    watch = threading.Timer(seconds + GRACE_S, process.kill)
    watch.start()
    try:
        yield process
    finally:
        watch.cancel()
        process.kill()
        process.communicate()


def _result(process):
    """Its last line, which is JSON."""
    last = ""
    for last in iter(process.stdout.readline, ""):
        if last.startswith("{"):
            done = json.loads(last)
            if done["errors"]:
                process.kill()  # it has said all
                done["told"] = process.stderr.read().strip()
            return done
    raise LoadFailed(
        f"{process.args[0]}: {process.stderr.read().strip() or last.strip() or 'took too long'}"
    )


def _wrk(stage, workload, port, seconds, meter):
    # Its -d takes whole seconds, but an interrupt ends it as its time's end would.
    argv = ["wrk", "-t1", f"-c{workload.connections}", f"-d{int(seconds) + GRACE_S}s"]
    argv += ["-s", os.path.join(HERE, "wrk.lua"), f"http://127.0.0.1:{port}{workload.path}"]
    if workload.post_bytes:
        argv += ["--", "POST", str(workload.post_bytes)]
    with meter, _started(stage, argv, seconds) as process:
        end = threading.Timer(seconds, process.send_signal, [signal.SIGINT])
        end.start()
        try:
            return _result(process)
        finally:
            end.cancel()


def _when_ready(stage, argv, seconds, meter):
    """Of a generator that opens its connections first: these are not measured, and stay open."""
    with _started(stage, argv, seconds) as process:
        if process.stdout.readline() != "ready\n":
            raise LoadFailed(f"{argv[0]}: {process.stderr.read().strip()}")
        with meter:
            process.stdin.write("go\n")
            process.stdin.flush()
            return _result(process)


def _dashboard(stage, workload, port, seconds, meter):
    argv = [stage.program("bench_dashboard"), str(port), str(round(seconds * 1000))]
    return _when_ready(stage, argv, seconds, meter)


def _pace(stage, workload, port, seconds, meter):
    argv = [stage.program("bench_pace"), str(port), workload.path, str(workload.connections)]
    argv += [str(workload.rate), str(round(seconds * 1000)), str(workload.post_bytes)]
    if workload.tls == "client":
        argv.append("tls")
    return _when_ready(stage, argv, seconds, meter)


def _visits(stage, workload, port, seconds, meter):
    argv = [stage.program("bench_visits"), str(port), workload.path, str(workload.connections)]
    argv += [str(round(seconds * 1000)), workload.visit]
    done = _when_ready(stage, argv, seconds, meter)
    if workload.visit == "resumed" and done["resumed"] != done["requests"]:
        raise LoadFailed(f"{workload.title}: of {done['requests']} {done['resumed']} were resumed")
    return done


_GENERATORS = {"wrk": _wrk, "dashboard": _dashboard, "pace": _pace, "visits": _visits}
