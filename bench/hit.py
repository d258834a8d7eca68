#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A hit of Reprise against nginx that does nothing but `return 200`.

    BUILD=build bench/hit.py

Both have one worker on one core, the client another; both answer the same bytes.
Rounds alternate, so that what else the machine does falls on both alike.  Latency
is what a client sees over one connection that is kept alive.  Exits 1 when the
median of Reprise is more than LIMIT times that of nginx.
"""

import contextlib
import http.client
import json
import os
import pathlib
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time

LIMIT = 1.3
ROUNDS = 11
REQUESTS = 10000                # in a round
CONNECTIONS = 32
LOAD_ROUNDS = 3
LOAD_SECONDS = 2
START_TIMEOUT = 20
QUESTION_LENGTH = 134
PATH = "/models/t5-base"
HERE = pathlib.Path(__file__).resolve().parent
BUILD = pathlib.Path(os.environ.get("BUILD", "build"))


class Failed(Exception):
    """The measurement could not be made; the text says why."""


def pinned(core):
    cores = sorted(os.sched_getaffinity(0))
    return ["taskset", "-c", str(cores[core % len(cores)])]


def question():
    """The translation of the demo, made as long as was said."""
    def make(padding):
        text = f"Translate English to German: My name is Wolfgang.{'.' * padding}"
        return json.dumps({"inputs": text}).encode()
    body = make(QUESTION_LENGTH - len(make(0)))
    assert len(body) == QUESTION_LENGTH
    return body


@contextlib.contextmanager
def running(command, **how):
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, **how)
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(START_TIMEOUT)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def announced_port(pipe, name, last_line):
    """The port that a program of ours says it listens on; its further log is read away."""
    port = None
    for line in pipe:
        match = re.search(r"listening on .*:(\d+)$", line.strip())
        port = int(match.group(1)) if match else port
        if last_line in line:
            break
    if port is None:
        raise Failed(f"{name} did not start")
    threading.Thread(target=pipe.read, daemon=True).start()
    return port


@contextlib.contextmanager
def engine():
    command = [str(BUILD / "demo-engine"), "--listen", "127.0.0.1:0", "--delay", "0ms"]
    with running(command, stdout=subprocess.PIPE, text=True) as process:
        yield announced_port(process.stdout, "demo-engine", "listening on")


@contextlib.contextmanager
def reprise(directory, upstream_port):
    config = directory / "reprise.yaml"
    config.write_text(json.dumps({
        "listen": "127.0.0.1:0",
        "workers": 1,
        "cache": {"path": str(directory / "cache"), "size": "64MB"},
        "upstreams": {"engine": {"url": f"http://127.0.0.1:{upstream_port}"}},
    }))
    command = [*pinned(0), str(BUILD / "reprise"), "serve", "-c", str(config)]
    with running(command, stderr=subprocess.PIPE, text=True) as process:
        yield announced_port(process.stderr, "reprise", "ready")


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


@contextlib.contextmanager
def nginx(directory, answer):
    program = shutil.which("nginx") or "/usr/sbin/nginx"
    port = free_port()
    config = directory / "nginx.conf"
    text = (HERE / "nginx.conf").read_text()
    for name, value in (("DIR", str(directory)), ("PORT", str(port)),
                        ("ANSWER", answer.decode().replace("'", "\\'"))):
        text = text.replace(f"@{name}@", value)
    config.write_text(text)
    command = [*pinned(0), program, "-p", str(directory), "-c", str(config)]
    with running(command, stderr=subprocess.DEVNULL) as process:
        wait_for(port, process)
        yield port


def wait_for(port, process):
    deadline = time.monotonic() + START_TIMEOUT
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(OSError):
            socket.create_connection(("127.0.0.1", port)).close()
            return
        time.sleep(0.01)
    raise Failed("nginx did not start")


def ask(port, body):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=START_TIMEOUT)
    connection.request("POST", PATH, body, {"Content-Type": "application/json"})
    response = connection.getresponse()
    answer = response.read()
    connection.close()
    if response.status != 200:
        raise Failed(f"port {port} answered {response.status}: {answer.decode()}")
    return response.headers.get("x-compute-type"), answer


def warm(port, body):
    """Ask until the answer comes from the cache: it is stored a moment after it was given."""
    deadline = time.monotonic() + START_TIMEOUT
    while time.monotonic() < deadline:
        computed_by, answer = ask(port, body)
        if computed_by == "cache":
            return answer
    raise Failed("the question never came from the cache")


def latency(port, request_file, mark):
    """(min, p50, p99) of a round, in microseconds."""
    command = [*pinned(1), str(BUILD / "bench-latency"), str(port), str(request_file),
               str(REQUESTS), *mark]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise Failed(done.stderr)
    return [int(word) / 1000 for word in done.stdout.split()]


def load(port, body):
    """Requests per second over many connections."""
    command = [*pinned(1), "wrk", "-t1", f"-c{CONNECTIONS}", f"-d{LOAD_SECONDS}s",
               "-s", str(HERE / "post.lua"), f"http://127.0.0.1:{port}{PATH}"]
    done = subprocess.run(command, capture_output=True, text=True, check=False,
                          env={**os.environ, "QUESTION": body.decode()})
    match = re.search(r"Requests/sec:\s*([\d.]+)", done.stdout)
    if not match or "Non-2xx" in done.stdout:
        raise Failed(f"wrk: {done.stdout}{done.stderr}")
    return float(match.group(1))


def measure(ports, body, request_file):
    """{name: ([min, p50, p99], requests per second)}, medians over the rounds."""
    marks = {"reprise": ["x-compute-type: cache"], "nginx": []}
    latencies = {name: [] for name in ports}
    loads = {name: [] for name in ports}
    for _ in range(ROUNDS):
        for name, port in ports.items():
            latencies[name].append(latency(port, request_file, marks[name]))
    for _ in range(LOAD_ROUNDS):
        for name, port in ports.items():
            loads[name].append(load(port, body))
    return {name: ([statistics.median(column) for column in zip(*latencies[name])],
                   statistics.median(loads[name])) for name in ports}


def report(results, answer):
    print(f"a question of {QUESTION_LENGTH} bytes, an answer of {len(answer)}, keep-alive, "
          f"one core each; medians of {ROUNDS} rounds of {REQUESTS}\n")
    print(f"{'':<20}{'min':>9}{'p50':>9}{'p99':>9}{f'req/s, {CONNECTIONS} connections':>26}")
    for name, label in (("nginx", "nginx return 200"), ("reprise", "reprise, a hit")):
        times, rate = results[name]
        print(f"{label:<20}" + "".join(f"{t:>6.1f} us" for t in times) + f"{rate:>26,.0f}")
    ratio = results["reprise"][0][1] / results["nginx"][0][1]
    print(f"{'ratio':<20}{'':>9}{ratio:>9.2f}{'':>9}"
          f"{results['reprise'][1] / results['nginx'][1]:>26.2f}\n")
    if ratio > LIMIT:
        print(f"too slow: the median is {ratio:.2f} times that of nginx, more than {LIMIT}")
        return 1
    print(f"fine: the median is {ratio:.2f} times that of nginx, at most {LIMIT} is asked for")
    return 0


def main():
    body = question()
    with contextlib.ExitStack() as stack:
        directory = pathlib.Path(stack.enter_context(
            tempfile.TemporaryDirectory(prefix="reprise-bench-")))
        os.chmod(directory, 0o755)      # the worker of nginx is another user
        px = stack.enter_context(reprise(directory, stack.enter_context(engine())))
        answer = warm(px, body)
        ports = {"nginx": stack.enter_context(nginx(directory, answer)), "reprise": px}
        request_file = directory / "request"
        request_file.write_bytes(
            f"POST {PATH} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(body)}\r\n\r\n".encode() + body)
        return report(measure(ports, body, request_file), answer)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Failed as failure:
        sys.exit(f"bench: {failure}")
