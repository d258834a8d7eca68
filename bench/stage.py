# SPDX-License-Identifier: MIT
"""What the benchmarks stand on: servers, each on a core of its own, wrk on another, and a
table that knows what must be reached.

What is compared is CPU time per request, the time that all threads of a server took, by
the kernel's own clock: on a shared machine it is steadier than requests per second, and a
load generator slower than the server does not hide the server.  Rounds alternate between
the sides, so that what else the machine does falls on all alike, and medians are taken.
"""

import contextlib
import dataclasses
import http.client
import http.server
import json
import os
import pathlib
import random
import re
import shutil
import signal
import socket
import ssl
import statistics
import subprocess
import sys
import tempfile
import threading
import time

TIMEOUT = 20
COMMIT_TIME = 0.3               # the scribe waits 0.05 s for a batch
CONNECTIONS = 32
ANSWER_LENGTH = 1024
SERVER, CLIENT = 0, -1          # which of the cores that may be used: the first, the last
TASK = "/models/t5-base"
CHAT = "/v1/chat/completions"
HERE = pathlib.Path(__file__).resolve().parent
BUILD = pathlib.Path(os.environ.get("BUILD", "build"))
WORDS = ("the a cache proxy answer question model token river light house morning train with "
         "without under over from into small large quiet early second every other").split()


class Failed(Exception):
    """The measurement could not be made; the text says why."""


def words(length, seed=1):
    """So many bytes of text, always the same."""
    draw = random.Random(seed)
    text = " ".join(draw.choice(WORDS) for _ in range(length // 2 + 1))
    return text[:length]


def padded(make, length):
    """make(text) with as much text as brings it to LENGTH bytes."""
    made = make(words(length - len(make(""))))
    assert len(made) == length
    return made


def task_question(length):
    """A question to a translation model."""
    return padded(lambda text: json.dumps(
        {"inputs": f"Translate English to German: {text}"}, separators=(",", ":")), length)


def answers(length=ANSWER_LENGTH):
    """What an upstream answers, by path."""
    def chat(text):
        return json.dumps({
            "id": "chatcmpl-1", "object": "chat.completion", "created": 0, "model": "t5-base",
            "choices": [{"index": 0, "message": {"role": "assistant", "content": text},
                         "finish_reason": "stop"}],
            "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}})
    return {TASK: padded(lambda text: json.dumps([{"translation_text": text}]), length),
            CHAT: padded(chat, length)}


@contextlib.contextmanager
def directory():
    """A directory of our own, gone at the end; the worker of nginx is another user."""
    with tempfile.TemporaryDirectory(prefix="reprise-bench-") as name:
        os.chmod(name, 0o755)
        yield pathlib.Path(name)


def pinned(*cores):
    allowed = sorted(os.sched_getaffinity(0))
    return ["taskset", "-c", ",".join(str(allowed[core % len(allowed)]) for core in cores)]


@contextlib.contextmanager
def running(command, **how):
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, **how)
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(TIMEOUT)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def cpu_seconds(pid):
    """What all threads of a process took, those that ended too: clock_getcpuclockid(3)."""
    return time.clock_gettime((~pid << 3) | 2)


@dataclasses.dataclass
class Server:
    """A program that listens on PORT of the loopback."""

    port: int
    pid: int
    log: "Log" = None
    is_secure: bool = False

    def pids(self):
        children = pathlib.Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text()
        return [self.pid, *map(int, children.split())]

    def cpu(self):
        return sum(map(cpu_seconds, self.pids()))


class Log:
    """What a program of ours says, read as it comes."""

    def __init__(self, pipe):
        self.lines = []
        for line in pipe:
            self.lines.append(line)
            if "ready" in line:
                break
        else:
            raise Failed(f"reprise did not start:\n{''.join(self.lines)}")
        self.thread = threading.Thread(target=self.lines.extend, args=(pipe,), daemon=True)
        self.thread.start()

    def number(self, pattern):
        """The number in the last line that holds PATTERN."""
        found = re.findall(pattern + r"(\d+)\n", "".join(self.lines))
        if not found:
            raise Failed(f"the log has no {pattern}:\n{''.join(self.lines)}")
        return int(found[-1])

    def end(self):
        """To be called once the program has ended."""
        self.thread.join(TIMEOUT)


class Answering(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        body = self.server.answers[self.path].encode()
        self.send_response(200 if self.server.is_open else 503)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class Upstream(http.server.ThreadingHTTPServer):
    """Answers while caches are warmed; while it is closed a miss is an error, and seen."""

    daemon_threads = True
    block_on_close = False

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Answering)
        self.answers = answers()
        self.is_open = True

    @contextlib.contextmanager
    def closed(self):
        self.is_open = False
        try:
            yield
        finally:
            self.is_open = True


@contextlib.contextmanager
def upstream():
    with Upstream() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


def write_config(place, upstream_port, workers, size, more):
    config = place / "reprise.yaml"
    config.write_text(json.dumps({
        "listen": "127.0.0.1:0",
        "workers": workers,
        "cache": {"path": str(place / "cache"), "size": size},
        "upstreams": {"engine": {"url": f"http://127.0.0.1:{upstream_port}"}},
        **more,
    }))
    return config


@contextlib.contextmanager
def reprise(place, upstream_port=1, workers=1, cores=(SERVER,), size="64MB", store_rate=None,
            caches=True, more=None):
    """The proxy, with its cache in PLACE; without an upstream, a miss is an error.

    With STORE_RATE so many new answers a second are stored beside, while bench/store.c is told.
    Without CACHES its route has no cache; MORE is what else stands in the configuration.
    """
    place.mkdir(exist_ok=True)
    routes = {} if caches else {"routes": [{"model": "*", "to": "engine", "cache": False}]}
    config = write_config(place, upstream_port, workers, size, {**routes, **(more or {})})
    program = [BUILD / "reprise", "serve", "-c", config]
    if store_rate:
        program = [BUILD / "bench-store", config, store_rate]
    with running([*pinned(*cores), *map(str, program)], stderr=subprocess.PIPE,
                 text=True) as process:
        log = Log(process.stderr)
        yield Server(log.number("listening on .*:"), process.pid, log, "tls" in (more or {}))
    log.end()


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


@contextlib.contextmanager
def nginx(place, upstream_port, question_length, core=SERVER, caches=True, pair=None):
    """Two servers of one worker: (that which caches POSTs, that which only returns).

    Without CACHES the first only passes on; with PAIR, a certificate and its key, the second
    speaks TLS 1.3.
    """
    place.mkdir(exist_ok=True)
    program = shutil.which("nginx") or "/usr/sbin/nginx"
    ports = free_port(), free_port()
    config = place / "nginx.conf"
    text = (HERE / "nginx.conf").read_text()
    # The buffer of an answer holds the key as well, and that is the question.
    for name, value in (("DIR", place), ("CACHE", ports[0]), ("FLOOR", ports[1]),
                        ("UPSTREAM", upstream_port), ("ANSWER", answers()[TASK]),
                        ("STORE", "answers" if caches else "off"),
                        ("SECURE", nginx_tls(*pair) if pair else ""),
                        ("BODY", question_length + 1024),
                        ("BUFFER", question_length + 4096)):
        text = text.replace(f"@{name}@", str(value))
    config.write_text(text)
    command = [*pinned(core), program, "-p", str(place), "-c", str(config)]
    with running(command, stderr=subprocess.DEVNULL) as process:
        wait_for(ports[1], process)
        yield [Server(ports[0], process.pid),
               Server(ports[1], process.pid, is_secure=pair is not None)]


def nginx_tls(certificate, key):
    return (f" ssl; ssl_certificate {certificate}; ssl_certificate_key {key}; "
            "ssl_protocols TLSv1.3")


def certificate(place):
    """(a certificate, its key) that nobody vouches for."""
    pair = place / "tls.pem", place / "tls.key"
    done = subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
         "-nodes", "-days", "30", "-subj", "/CN=bench", "-out", pair[0], "-keyout", pair[1]],
        capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise Failed(done.stderr)
    return pair


def trusting():
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def wait_for(port, process):
    deadline = time.monotonic() + TIMEOUT
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(OSError):
            socket.create_connection(("127.0.0.1", port)).close()
            return
        time.sleep(0.01)
    raise Failed("nginx did not start")


def ask(server, path, body, key=None):
    """(where it was computed, the answer)"""
    connection = http.client.HTTPSConnection(
        "127.0.0.1", server.port, timeout=TIMEOUT, context=trusting()
    ) if server.is_secure else http.client.HTTPConnection(
        "127.0.0.1", server.port, timeout=TIMEOUT)
    fields = {"Content-Type": "application/json"}
    if key:
        fields["Authorization"] = f"Bearer {key}"
    with contextlib.closing(connection):
        connection.request("POST", path, body, fields)
        response = connection.getresponse()
        answer = response.read().decode()
    if response.status != 200:
        raise Failed(f"port {server.port} answered {response.status}: {answer}")
    return response.headers.get("x-compute-type"), answer


def warm(server, path, body, key=None):
    """Ask until the answer comes from the cache, first from the queue, then from the file."""
    deadline = time.monotonic() + TIMEOUT
    while time.monotonic() < deadline:
        if ask(server, path, body, key)[0] == "cache":
            time.sleep(COMMIT_TIME)
            return
        time.sleep(0.01)
    raise Failed("the question never came from the cache")


@dataclasses.dataclass
class Load:
    """What wrk saw, and what it cost the server."""

    total: float                # requests
    rate: float                 # in a second
    cpu: float                  # of the server, microseconds per request

    def __str__(self):
        return f"{self.cpu:.2f} us, {self.rate / 1000:,.1f}k/s"


def wrk(server, path, script, seconds, connections=CONNECTIONS):
    """The command that asks as SCRIPT says."""
    return [*pinned(CLIENT), "wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "-s",
            str(HERE / script),
            f"http{'s' if server.is_secure else ''}://127.0.0.1:{server.port}{path}"]


def asked(output):
    """(requests, per second) of what wrk printed; anything but 200 is a failure."""
    total = re.search(r"(\d+) requests in", output)
    rate = re.search(r"Requests/sec:\s*([\d.]+)", output)
    if not total or not rate or "Non-2xx" in output or "Socket errors" in output:
        raise Failed(f"wrk: {output}")
    return int(total.group(1)), float(rate.group(1))


def load(server, path, script, seconds, **environment):
    """What so many seconds of wrk saw, and what they cost the server."""
    before = server.cpu()
    done = subprocess.run(wrk(server, path, script, seconds), capture_output=True, text=True,
                          check=False, env={**os.environ, **environment})
    cpu = server.cpu() - before
    total, rate = asked(done.stdout + done.stderr)
    return Load(total, rate, cpu * 1e6 / total)


def write_request(place, question):
    """A file with a whole request, as bench-latency sends it."""
    path = place / "request"
    path.write_bytes(
        f"POST {TASK} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(question)}\r\n\r\n{question}".encode())
    return path


def latency(server, request, requests, *more):
    """The median of so many requests, one after another, in microseconds."""
    command = [*pinned(CLIENT), str(BUILD / "bench-latency"), str(server.port), str(request),
               str(requests), *more]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise Failed(done.stderr)
    return int(done.stdout.split()[1]) / 1000


def median(loads):
    columns = zip(*(dataclasses.astuple(load) for load in loads))
    return Load(*map(statistics.median, columns))


def alternate(sides, rounds):
    """{name: median} of so many rounds of {name: what to call for a Load}, in turn."""
    loads = {name: [] for name in sides}
    for _ in range(rounds):
        for name, measure in sides.items():
            loads[name].append(measure())
    return {name: median(list_) for name, list_ in loads.items()}


class Table:
    """Rows as they are measured.  MISSED counts those that did not reach what they must."""

    def __init__(self, title, ours="reprise", peer="peer"):
        self.missed = 0
        print(f"\n### {title}\n\n| what | {ours} | {peer} | ratio | must reach | |\n"
              "|---|---|---|---|---|---|", flush=True)

    def row(self, what, ours, peer, ratio, must):
        """MUST is (">=" or "<=", bound), or None where nothing is asked for."""
        verdict, wanted = "", ""
        if must is not None:
            sign, bound = must
            reached = ratio >= bound if sign == ">=" else ratio <= bound
            verdict, wanted = "yes" if reached else "**no**", f"{sign} {bound:g}"
            self.missed += not reached
        print(f"| {what} | {ours} | {peer} | {ratio:.2f} | {wanted} | {verdict} |", flush=True)


def main(run):
    """RUN gives how many rows missed what they must reach.  Who ends us ends what we started."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: sys.exit("bench: ended"))
    try:
        sys.exit(1 if run() else 0)
    except Failed as failure:
        sys.exit(f"bench: {failure}")
