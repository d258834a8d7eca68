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
    """H-84, F19."""
    px = unread(log={"access": True})
    up.expect("POST", LONG_PATH).reply(json=["a"])
    ask_often(px, 6000)
    assert counter_of(px, "log_dropped_total") > 0
    assert json.loads(px.admin("GET", "/stats").body)["log"]["dropped"] > 0
    assert px.end() == 0


def test_a_reader_that_comes_back_is_told_what_it_missed(unread, up):
    """H-84, O8: as when the journal is started anew."""
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
    """H-84, F19. Whatever is opened first must not get the log: it would be the cache's."""
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


def serve(proxy, up, **log):
    return proxy({"upstreams": {"up": {"url": up.url}}, "log": log})


def request_lines(px):
    return [line for line in px.lines if line.startswith("<6>request ")]


def test_a_line_tells_what_became_of_a_request(proxy, up):
    px = serve(proxy, up, access=True)
    up.expect("POST", PATH + "?token=sekrit").reply(json=["a"])
    with px.connect() as client:
        for i in ("r1", "r2"):
            client.ask("POST", PATH + "?token=sekrit", QUESTION, {"x-request-id": i})
            assert client.answer().status == 200
    px.stop()
    lines = request_lines(px)
    assert len(lines) == 2
    assert re.fullmatch(rf"<6>request r1: POST {PATH} model=t5-base upstream=up miss status=200 "
                        r"bytes=5 ms=\d+\.\d{3}", lines[0])
    assert re.fullmatch(rf"<6>request r2: POST {PATH} model=t5-base hit status=200 "
                        r"bytes=5 ms=\d+\.\d{3}", lines[1])
    assert "sekrit" not in px.log


def test_a_list_says_what_is_in_a_line(proxy, up):
    px = serve(proxy, up, access=["ms", "status", "client", "input_tokens", "output_tokens"])
    answer = {"choices": [{"index": 0, "finish_reason": "stop",
                           "message": {"role": "assistant", "content": "x"}}],
              "usage": {"prompt_tokens": 12, "completion_tokens": 3, "total_tokens": 15}}
    up.expect("POST", "/v1/chat/completions").reply(json=answer)
    chat = {"model": "m", "messages": [{"role": "user", "content": "x"}]}
    assert px.post("/v1/chat/completions", chat)["Cache-Status"].endswith("stored")
    assert px.post("/v1/chat/completions", chat)["Cache-Status"].startswith("reprise; hit")
    px.stop()
    for line in request_lines(px):
        assert re.fullmatch(r"<6>request status=200 ms=\d+\.\d{3} input_tokens=12 "
                            r"output_tokens=3 client=127\.0\.0\.1:\d+", line)
    assert len(request_lines(px)) == 2


class Json(play.Proxy):
    """Whose log is JSON, every line of it."""

    def read_log(self):
        self.told = []
        for text in self.process.stderr:
            line = json.loads(text)
            self.told.append(line)
            self.lines.append(line["message"])
            if line["message"] == "ready":
                self.is_ready.set()
        self.is_ready.set()


def test_json_is_an_object_a_line(tmp_path, up):
    px = Json(tmp_path, {"upstreams": {"up": {"url": up.url}},
                         "log": {"access": True, "format": "json", "level": "debug"}})
    try:
        up.expect("POST", PATH).reply(json=["a"])
        chat = {"model": 'a"b\n<3>c\u00e9', "messages": []}
        with px.connect() as client:
            client.ask("POST", PATH, QUESTION, {"x-request-id": 'r"1\xff'})
            client.answer()
            client.ask("POST", "/v1/chat/completions", chat, {"Cache-Control": "only-if-cached"})
            client.answer()
        px.stop()
    finally:
        px.kill()
    for line in px.told:
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", line["time"])
        assert line["level"] in ("debug", "info", "warn", "error")
    first, second = [line for line in px.told if line["message"] == "request"]
    del first["time"]
    assert isinstance(first.pop("ms"), float)
    assert first == {
        "level": "info", "message": "request", "id": 'r"1\ufffd', "method": "POST", "path": PATH,
        "model": "t5-base", "upstream": "up", "result": "miss", "status": 200, "bytes": 5}
    assert second["model"] == 'a"b\n<3>c\u00e9'
    assert (second["result"], second["status"]) == ("refused", 504)


def test_a_slow_request_tells_what_it_waited_for(proxy, up):
    px = serve(proxy, up, slow="1ms")
    been = play.threading.Event()
    one = up.expect("POST", PATH).reply(
        headers={"Content-Type": "application/json"}, chunks=[been, b'["a"]'])
    with px.connect() as client:
        client.ask("POST", PATH, QUESTION, {"x-request-id": "r1"})
        one.wait()
        until = time.monotonic() + 0.002
        while time.monotonic() < until:
            continue
        been.set()
        assert client.answer().status == 200
    assert px.wait_for_line(
        rf"<4>slow request r1: POST {PATH} model=t5-base route=\* upstream=up calls=1 miss "
        r"status=200 bytes=5 ms=[\d.]+ overhead_ms=[\d.]+ upstream_ms=[\d.]+ "
        r"client=127.0.0.1:\d+ waited_ms=fetch:[\d.]+$")


def test_a_reload_changes_the_log(proxy, up):
    px = serve(proxy, up)
    up.expect("POST", PATH).reply(json=["a"])
    px.post(PATH, QUESTION)
    px.config["log"] = {"access": ["result"], "format": "json"}
    (px.directory / "reprise.yaml").write_text(json.dumps(px.config))
    px.process.send_signal(signal.SIGHUP)
    px.wait_for_line('"message":"reloaded"')
    px.post(PATH, QUESTION)
    line = px.wait_for_line(r'^\{.*"message":"request".*\}$')
    assert json.loads(line)["result"] == "hit"
    px.process.send_signal(signal.SIGTERM)
    assert px.process.wait(play.TIMEOUT) == 0
    px.process = None
    assert "<6>request" not in px.log
