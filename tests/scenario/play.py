# SPDX-License-Identifier: MIT
"""What a scenario is made of: a scripted upstream, the real proxy, and clients.

The upstream speaks HTTP over plain sockets, so that it can lie, stall and hang
up as no library would let it.  Nothing here sleeps: whoever waits, waits for a
line, a byte or an event, at most TIMEOUT seconds, and then fails.
"""

import contextlib
import dataclasses
import json
import os
import pathlib
import re
import resource
import signal
import socket
import ssl
import struct
import subprocess
import threading
import time

TIMEOUT = 20
ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = ROOT / os.environ.get("BUILD", "build")
REPRISE = os.environ.get("REPRISE", str(BUILD / "reprise"))
HEAD_END = b"\r\n\r\n"
SANITIZER_REPORT = re.compile(r"Sanitizer|runtime error:|assertion .* failed", re.IGNORECASE)


class Gone(Exception):
    """The other side closed the connection."""


class Wire:
    """A connection, read by what HTTP is made of."""

    def __init__(self, sock):
        sock.settimeout(TIMEOUT)
        self.sock = sock
        self.pending = b""

    def more(self):
        try:
            data = self.sock.recv(65536)
        except ConnectionError:
            data = b""
        if not data:
            raise Gone
        self.pending += data

    def until(self, mark):
        while mark not in self.pending:
            self.more()
        found, self.pending = self.pending.split(mark, 1)
        return found + mark

    def exactly(self, length):
        while len(self.pending) < length:
            self.more()
        found, self.pending = self.pending[:length], self.pending[length:]
        return found

    def rest(self):
        """All there is until the other side closes."""
        with contextlib.suppress(Gone):
            while True:
                self.more()
        found, self.pending = self.pending, b""
        return found

    def chunk(self):
        data = self.exactly(int(self.until(b"\r\n").split(b";")[0], 16))
        self.until(b"\r\n")
        return data

    def message(self, has_body=True):
        """(start line, [(name, value)], body), the body by its framing."""
        start, fields = parse_head(self.until(HEAD_END))
        length = get(fields, "content-length")
        if not has_body:
            return start, fields, b""
        if get(fields, "transfer-encoding"):
            return start, fields, b"".join(iter(self.chunk, b""))
        if length is not None:
            return start, fields, self.exactly(int(length))
        return start, fields, b"" if has_no_length(start) else self.rest()

    def send(self, data):
        with contextlib.suppress(ConnectionError):
            self.sock.sendall(data)

    def close(self):
        with contextlib.suppress(OSError):
            self.sock.shutdown(socket.SHUT_RDWR)
        self.sock.close()


def parse_head(head):
    start, *lines = head.decode("latin-1").split("\r\n")
    fields = [tuple(part.strip() for part in line.split(":", 1)) for line in lines if line]
    return start, fields


def get(fields, name):
    """The value of the field NAME, None if it is missing; it must not be there twice."""
    values = [value for field, value in fields if field.lower() == name.lower()]
    assert len(values) < 2, f"{name} stands {len(values)} times"
    return values[0] if values else None


def has_no_length(start):
    return not start.startswith("HTTP/") or start.split()[1] in ("204", "304")


@dataclasses.dataclass
class Answer:
    """What a client got."""

    status: int
    fields: list
    body: bytes

    def __getitem__(self, name):
        return get(self.fields, name)

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def error(self):
        """The message of an error in any of the shapes that APIs give it."""
        error = self.json["error"]
        return error["message"] if isinstance(error, dict) else error


@dataclasses.dataclass
class Request:
    """What the upstream got."""

    method: str
    target: str
    fields: list
    body: bytes

    def __getitem__(self, name):
        return get(self.fields, name)

    @property
    def json(self):
        return json.loads(self.body)


class Expectation:
    """One request that will come, and what becomes of it."""

    def __init__(self, method, target):
        self.method, self.target = method, target
        self.request = None
        self.came = threading.Event()
        self.gone = threading.Event()       # the proxy closed the connection under us
        self.play = lambda wire: self.fail("has no reply")

    def fail(self, why):
        raise AssertionError(f"{self.method} {self.target} {why}")

    def reply(self, status=200, body=b"", *, json=None, headers=(), chunks=None, length=None):
        """An answer; CHUNKS may hold events to wait for; LENGTH is what it claims to have."""
        fields = list(dict(headers).items())
        if json is not None:
            body = dump(json)
            fields.insert(0, ("Content-Type", "application/json"))
        if chunks is not None:
            fields.append(("Transfer-Encoding", "chunked"))
        else:
            fields.append(("Content-Length", len(body) if length is None else length))
        head = head_of(f"HTTP/1.1 {status} Scripted", fields)

        def play(wire):
            wire.send(head + body)
            for piece in chunks or ():
                send_chunk(wire, piece)
            if chunks is not None:
                wire.send(b"0\r\n\r\n")
            if length is not None and length != len(body):
                raise Gone
        self.play = play
        return self

    def reply_raw(self, *pieces, close=True):
        """These very bytes, then the end of the connection."""
        def play(wire):
            for piece in pieces:
                send_piece(wire, piece)
            if close:
                raise Gone
        self.play = play
        return self

    def hang_up(self):
        return self.reply_raw()

    def never_answer(self, *pieces):
        """After PIECES, nothing any more; GONE is set when the proxy has had enough."""
        def play(wire):
            for piece in pieces:
                send_piece(wire, piece)
            wire.sock.settimeout(None)
            wire.rest()
            self.gone.set()
            raise Gone
        self.play = play
        return self

    def hold(self):
        """Its answer waits for the event that comes back."""
        go_on, reply = threading.Event(), self.play
        self.play = lambda wire: (go_on.wait(TIMEOUT), reply(wire))
        return go_on

    def wait(self):
        assert self.came.wait(TIMEOUT), f"{self.method} {self.target} did not come"
        return self.request


def dump(value):
    return json.dumps(value, ensure_ascii=False).encode()


def head_of(start, fields):
    lines = [start, *(f"{name}: {value}" for name, value in fields)]
    return "\r\n".join(lines).encode("latin-1") + HEAD_END


def send_piece(wire, piece):
    if isinstance(piece, threading.Event):
        assert piece.wait(TIMEOUT), "the script waited in vain"
    else:
        wire.send(piece)


def send_chunk(wire, piece):
    if not isinstance(piece, threading.Event):
        piece = b"%x\r\n%s\r\n" % (len(piece), piece)
    send_piece(wire, piece)


class Upstream:
    """Answers what it was told to expect; anything else fails the test."""

    def __init__(self, path=None, tls_context=None):
        self.listener = listen_on(path)
        self.tls_context = tls_context
        self.address = path or "%s:%d" % self.listener.getsockname()
        scheme = "unix:" if path else "https://" if tls_context else "http://"
        self.url = f"{scheme}{self.address}"
        self.expected, self.requests, self.faults, self.wires = [], [], [], []
        self.standing = []
        self.lock = threading.Lock()
        self.has_come = threading.Condition(self.lock)
        self.is_open = True
        threading.Thread(target=self.accept, daemon=True).start()

    def expect(self, method, target):
        expectation = Expectation(method, target)
        with self.lock:
            self.expected.append(expectation)
        return expectation

    def always(self, method, target):
        """Whatever number of such requests comes, also none; what it replies may change."""
        expectation = Expectation(method, target)
        with self.lock:
            self.standing.append(expectation)
        return expectation

    def came(self, method, target):
        return [one for one in self.requests if (one.method, one.target) == (method, target)]

    def wait_for(self, number, method, target):
        """Until so many more of these have come."""
        with self.lock:
            number += len(self.came(method, target))
            assert self.has_come.wait_for(
                lambda: len(self.came(method, target)) >= number, TIMEOUT), self.requests

    def accept(self):
        with contextlib.suppress(OSError):
            while self.is_open:
                wire = Wire(self.listener.accept()[0])
                wire.sock.settimeout(None)      # an idle connection may stay idle
                self.wires.append(wire)
                threading.Thread(target=self.serve, args=[wire], daemon=True).start()

    def serve(self, wire):
        try:
            with contextlib.suppress(Gone, ssl.SSLError):     # who refuses us hangs up
                if self.tls_context:
                    wire.sock = self.tls_context.wrap_socket(wire.sock, server_side=True)
                while True:
                    self.answer(wire)
        except Exception as fault:      # whatever it is, the test must hear of it
            if self.is_open:
                self.faults.append(fault)
        wire.close()

    def answer(self, wire):
        start, fields, body = wire.message()
        method, target, _version = start.split(" ")
        request = Request(method, target, fields, body)
        expectation = self.take(request)
        if expectation is None:
            wire.send(head_of("HTTP/1.1 599 Unexpected", [("Content-Length", 0)]))
            return
        expectation.request = request
        expectation.came.set()
        expectation.play(wire)

    def take(self, request):
        with self.lock:
            self.requests.append(request)
            self.has_come.notify_all()
            for expectation in self.expected + self.standing:
                if (expectation.method, expectation.target) == (request.method, request.target):
                    if expectation in self.expected:
                        self.expected.remove(expectation)
                    return expectation
        self.faults.append(AssertionError(f"unexpected: {request}"))
        return None

    def check(self):
        assert not self.faults, self.faults
        left = [f"{one.method} {one.target}" for one in self.expected]
        assert not left, f"never asked for: {left}"

    def close(self):
        self.is_open = False
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        for wire in self.wires:
            wire.close()


def listen_on(path):
    listener = socket.socket(socket.AF_UNIX if path else socket.AF_INET)
    listener.bind(str(path) if path else ("127.0.0.1", 0))
    listener.listen(64)
    return listener


class Proxy:
    """The real program with a configuration of its own, from `ready` to exit code 0."""

    options = ()        # of the command, beside its file

    def __init__(self, directory, config, env=None, descriptors=None):
        self.directory = pathlib.Path(directory)
        self.config = {
            "listen": "127.0.0.1:0",
            "workers": 2,
            "cache": {"path": str(self.directory / "cache"), "size": "64MB"},
            **config,
        }
        self.env = {"PATH": os.environ["PATH"], "HOME": str(self.directory), **(env or {})}
        for name in ("ASAN_OPTIONS", "UBSAN_OPTIONS", "LSAN_OPTIONS"):
            if name in os.environ:
                self.env[name] = os.environ[name]
        self.descriptors = descriptors      # soft and hard limit; None: ours
        self.counted = {}
        self.process = None
        self.has_line = threading.Condition()
        self.start()

    def start(self):
        file = self.directory / "reprise.yaml"
        file.write_text(json.dumps(self.config, indent=1))      # JSON is YAML
        self.lines, self.is_ready = [], threading.Event()
        self.process = self.launch([REPRISE, "serve", "-c", str(file), *self.options])
        self.reader = threading.Thread(target=self.read_log, daemon=True)
        self.reader.start()
        if not (self.is_ready.wait(TIMEOUT) and self.address):
            self.kill()
            raise AssertionError(f"not ready:\n{self.log}")

    def launch(self, command, **how):
        return subprocess.Popen(
            command, **{"env": self.env, "cwd": self.directory, "stdin": subprocess.DEVNULL,
                        "stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE, "text": True,
                        "errors": "replace", "preexec_fn": self.limit, **how})

    def limit(self):
        if self.descriptors is not None:
            resource.setrlimit(resource.RLIMIT_NOFILE, self.descriptors)

    def read_log(self):
        for line in self.process.stderr:
            with self.has_line:
                self.lines.append(line.rstrip("\n"))
                self.has_line.notify_all()
            if re.fullmatch(r"(<\d>)?ready\n", line):
                self.is_ready.set()
        self.is_ready.set()

    @property
    def log(self):
        return "\n".join(self.lines)

    @property
    def address(self):
        found = re.search(r"listening on ([^ \n]+:\d+)$", self.log, re.MULTILINE)
        return found and found[1]

    def wait_for_line(self, pattern, seen=0):
        """The first line behind the SEEN first whose end matches PATTERN, from there on."""
        until = time.monotonic() + TIMEOUT
        while time.monotonic() < until:
            for line in self.lines[seen:]:
                found = re.search(pattern, line)
                if found:
                    return found[0]
            with self.has_line:
                self.has_line.wait(0.1)
        raise AssertionError(f"no line {pattern}:\n{self.log}")

    @property
    def admin_address(self):
        return re.findall(r"admin on (\S+:\d+)$", self.log, re.MULTILINE)[-1]

    def connect_admin(self):
        host, port = self.admin_address.rsplit(":", 1)
        return Client(socket.create_connection((host.strip("[]"), int(port)), TIMEOUT))

    def admin(self, method, target, body=b"", headers=()):
        with self.connect_admin() as client:
            client.ask(method, target, body, {"Host": "localhost", **dict(headers)})
            return client.answer()

    def stop(self):
        """SIGTERM; the counters it leaves behind."""
        self.process.send_signal(signal.SIGTERM)
        return self.wait()

    def wait(self):
        code = self.process.wait(TIMEOUT)
        self.reader.join(TIMEOUT)
        self.process.stderr.close()
        self.process = None
        assert code == 0, f"exit code {code}:\n{self.log}"
        assert not SANITIZER_REPORT.search(self.log), self.log
        line = next(line for line in self.lines if "counted:" in line)
        self.counted = {name: int(value) for name, value in re.findall(r"(\w+)=(\d+)", line)}
        return self.counted

    def cpu_seconds(self):
        """What all its threads took so far: clock_getcpuclockid(3)."""
        return time.clock_gettime((~self.process.pid << 3) | 2)

    def kill(self):
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process.stderr.close()

    def wait_for_handover(self):
        """Until another server may take its place."""
        until = time.monotonic() + TIMEOUT
        while not (self.directory / "cache" / "handover.sock").exists():
            assert time.monotonic() < until, self.log
            with self.has_line:
                self.has_line.wait(0.05)

    def restart(self):
        self.stop()
        self.start()

    def command(self, *arguments, stdin=None, config="reprise.yaml"):
        """Runs a command with our configuration: its exit code, output and errors."""
        done = subprocess.run(
            [REPRISE, *arguments, "-c", str(self.directory / config)], text=True,
            input=stdin, capture_output=True, timeout=TIMEOUT, check=False, env=self.env,
            cwd=self.directory)
        assert not SANITIZER_REPORT.search(done.stderr), done.stderr
        return done

    def connect(self, source=None):
        """A connection, from the address SOURCE of the loopback if that is given."""
        host, port = self.address.rsplit(":", 1)
        return Client(socket.create_connection((host, int(port)), TIMEOUT,
                                               source and (source, 0)))

    def connect_unix(self, path):
        sock = socket.socket(socket.AF_UNIX)
        sock.connect(path)
        return Client(sock)

    def request(self, method, target, body=b"", headers=()):
        with self.connect() as client:
            client.ask(method, target, body, headers)
            return client.answer()

    def post(self, target, body, headers=()):
        return self.request("POST", target, body, headers)

    def get(self, target, headers=()):
        return self.request("GET", target, b"", headers)


class Client(Wire):
    """A client on one connection; what it asks may be anything."""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def ask(self, method, target, body=b"", headers=()):
        if not isinstance(body, bytes):
            body = dump(body)
        fields = {"Host": "proxy", **dict(headers)}
        if body or method == "POST":
            fields = {"Content-Length": len(body), **fields}
        self.method = method
        self.send(head_of(f"{method} {target} HTTP/1.1", fields.items()) + body)

    def answer(self, method=None):
        start, fields, body = self.message(has_body=(method or self.method) != "HEAD")
        return Answer(int(start.split()[1]), fields, body)

    def head(self):
        """The head of an answer whose body is read piece by piece."""
        start, fields = parse_head(self.until(HEAD_END))
        return Answer(int(start.split()[1]), fields, b"")

    def reset(self):
        """Leave as a killed client does; a mere close could be half of one (H-11)."""
        linger = struct.pack("ii", 1, 0)
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self.sock.close()

    def is_at_end(self):
        """Nothing came any more but the end."""
        return self.rest() == b""


def exchange(client, data):
    """Send DATA as it is, read one answer."""
    client.method = "POST"
    client.send(data)
    return client.answer()
