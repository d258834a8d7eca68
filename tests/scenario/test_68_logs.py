# SPDX-License-Identifier: MIT
"""What is logged, and that nobody waits for whoever reads it."""

import contextlib
import json
import re
import signal
import socket
import subprocess
import time

import pytest

import play

QUESTION = {"inputs": "one"}
PATH = "/models/t5-base"
LONG_PATH = "/models/" + "y" * 180


class Unread(play.Proxy):
    """Whose log is read until it is ready, and then by nobody."""

    def read_log(self):
        for line in self.process.stderr:
            self.lines.append(line.rstrip("\n"))
            if line == "<6>ready\n":
                break
        self.is_ready.set()

    def end(self):
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(play.TIMEOUT)
        self.process.stderr.close()
        self.process = None
        return code


@pytest.fixture
def unread(tmp_path, up):
    made = []

    def make(**config):
        directory = tmp_path / "unread"
        directory.mkdir()
        made.append(Unread(directory, {
            "upstreams": {"up": {"url": up.url}}, "admin": "127.0.0.1:0", **config}))
        return made[-1]
    yield make
    for one in made:
        one.kill()


def counter_of(px, name):
    text = px.admin("GET", "/metrics").body.decode()
    return int(float(re.search(rf"^reprise_{name} (\S+)$", text, re.MULTILINE)[1]))


def ask_often(px, n):
    """The same question, for a model whose name fills a line."""
    ids = {"x-request-id": "i" * 200}
    with px.connect() as client:
        for _ in range(n):
            client.ask("POST", LONG_PATH, QUESTION, ids)
            assert client.answer().status == 200


def test_a_full_pipe_holds_up_no_request_and_no_end(unread, up):
    px = unread(log={"access": True})
    up.expect("POST", LONG_PATH).reply(json=["a"])
    ask_often(px, 6000)
    assert counter_of(px, "log_dropped_total") > 0
    assert json.loads(px.admin("GET", "/stats").body)["log"]["dropped"] > 0
    assert px.end() == 0


def test_a_reader_that_comes_back_is_told_what_it_missed(unread, up):
    px = unread(log={"access": True})
    up.expect("POST", LONG_PATH).reply(json=["a"])
    ask_often(px, 6000)
    pipe = px.process.stderr
    told = next(line for line in pipe if "dropped" in line)
    assert re.fullmatch(r"<4>\d+ lines of the log were dropped: nobody read them in time\n", told)
    px.process.send_signal(signal.SIGTERM)
    rest = pipe.read()
    assert "<6>counted:" in rest
    assert px.end() == 0


def test_a_reader_that_died_is_not_missed(unread, up):
    px = unread(log={"access": True})
    up.expect("POST", LONG_PATH).reply(json=["a"])
    px.process.stderr.close()
    ask_often(px, 100)
    assert px.end() == 0


def connect_unix(path):
    until = time.monotonic() + play.TIMEOUT
    while True:
        sock = socket.socket(socket.AF_UNIX)
        try:
            sock.connect(str(path))
            return play.Client(sock)
        except OSError:
            sock.close()
            assert time.monotonic() < until, "does not listen"


def test_a_closed_stderr_is_nobody_elses_file(tmp_path, up):
    """Whatever is opened first must not get the log: it would be the cache's."""
    up.expect("POST", PATH).reply(json=["a"])
    path = tmp_path / "socket"
    file = tmp_path / "reprise.yaml"
    file.write_text(json.dumps({
        "listen": f"unix:{path}", "cache": {"path": str(tmp_path / "cache")},
        "upstreams": {"up": {"url": up.url}}, "log": {"access": True, "level": "debug"}}))
    process = subprocess.Popen(
        ["sh", "-c", 'exec "$@" <&- >&- 2>&-', "-", play.REPRISE, "serve", "-c", str(file)])
    try:
        with connect_unix(path) as client:
            for _ in range(20):
                client.ask("POST", PATH, QUESTION)
                assert client.answer().status == 200
        process.send_signal(signal.SIGTERM)
        assert process.wait(play.TIMEOUT) == 0
    finally:
        with contextlib.suppress(OSError):
            process.kill()
        process.wait()
    verified = subprocess.run([play.REPRISE, "cache", "verify", "-c", str(file)], text=True,
                              capture_output=True, timeout=play.TIMEOUT, check=False)
    assert verified.returncode == 0, verified.stdout + verified.stderr
