# SPDX-License-Identifier: MIT
"""Upstreams that fail: a clear answer, nothing of it stored, and on it goes."""

import socket
import threading

import pytest

from play import Gone, Wire, dump

PATH = "/models/m"
QUESTION = {"inputs": "a"}
GOOD = [{"translation_text": "good"}]
JSON = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
BODY = dump(GOOD)
WHOLE = JSON + b"Content-Length: %d\r\n\r\n" % len(BODY) + BODY

BROKEN = {
    "nothing at all": [],
    "a cut head": [b"HTTP/1.1 200 OK\r\nContent-Le"],
    "no head": [b"hello\r\n\r\n"],
    "less than its length": [JSON + b"Content-Length: 1000\r\n\r\n" + BODY],
    "two lengths": [JSON + b"Content-Length: 5\r\nContent-Length: 29\r\n\r\n" + BODY],
    "length and chunks": [JSON + b"Content-Length: 29\r\nTransfer-Encoding: chunked\r\n\r\n"
                          b"1d\r\n" + BODY + b"\r\n0\r\n\r\n"],
    "a cut chunk": [JSON + b"Transfer-Encoding: chunked\r\n\r\n50\r\n" + BODY],
    "no last chunk": [JSON + b"Transfer-Encoding: chunked\r\n\r\n1d\r\n" + BODY + b"\r\n"],
    "a bad chunk": [JSON + b"Transfer-Encoding: chunked\r\n\r\nxyz\r\n" + BODY],
}
PASSED_ON = {
    # status, content type, body: passed as it is, and not stored
    "500": (500, "application/json", b'{"error":"broken"}'),
    "404": (404, "application/json", b'{"error":"Model m does not exist"}'),
    "429": (429, "text/plain", b"slow down"),
    "503 loading": (503, "application/json", b'{"error":"loading","estimated_time":20.0}'),
    "201": (201, "application/json", BODY),
    "an error in a 200": (200, "application/json", b'{"error":"overloaded"}'),
    "another type": (200, "text/html", b"<html>sign in</html>"),
    "half a JSON": (200, "application/json", b'[{"translation_text":'),
    "an empty body": (200, "application/json", b""),
    "an empty list": (200, "application/json", b"[]"),
}


def is_served_after(px, up):
    """The next asking goes upstream again, so nothing was stored; what it brings is stored."""
    up.expect("POST", PATH).reply(json=GOOD)
    kinds = [px.post(PATH, QUESTION)["x-compute-type"] for _twice in range(2)]
    return kinds == ["upstream", "cache"]


def test_an_upstream_that_is_down_is_502(proxy, up):
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        px = proxy({"upstreams": {"up": {"url": "http://127.0.0.1:%d" % nobody.getsockname()[1]}}})
        answer = px.post(PATH, QUESTION)
    assert answer.status == 502 and answer.error and answer["x-compute-type"] == "none"
    assert px.get("/healthz").status == 200
    assert px.stop() == {"requests": 2, "upstream_failures": 1, "own_answers": 1}


def test_an_upstream_that_hangs_is_504(proxy, up):
    px = proxy({"upstreams": {"up": {"url": up.url, "timeouts": {"first_byte": "50ms"}}}})
    hung = up.expect("POST", PATH).never_answer()
    answer = px.post(PATH, QUESTION)
    assert answer.status == 504 and answer.error and answer["x-compute-type"] == "none"
    assert hung.gone.wait(20)
    assert px.stop() == {"requests": 1, "upstream_failures": 1}


def test_an_upstream_that_stalls_in_its_answer_is_504(proxy, up):
    px = proxy({"upstreams": {"up": {"url": up.url, "timeouts": {"idle": "50ms"}}}})
    hung = up.expect("POST", PATH).never_answer(JSON + b"Content-Length: 1000\r\n\r\n" + BODY)
    assert px.post(PATH, QUESTION).status == 504
    assert hung.gone.wait(20)
    assert px.stop() == {"requests": 1, "upstream_failures": 1}


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_answer_is_502_and_not_stored(px, up, case):
    up.expect("POST", PATH).reply_raw(*BROKEN[case])
    answer = px.post(PATH, QUESTION)
    assert answer.status == 502 and answer.error and answer["x-compute-type"] == "none"
    assert is_served_after(px, up)
    assert px.stop() == {"requests": 3, "upstream_failures": 1, "misses": 1, "hits": 1,
                         "stored": 1}


def test_more_than_its_length_is_cut(px, up):
    up.expect("POST", PATH).reply_raw(WHOLE + b"HTTP/1.1 200 OK\r\n\r\n")
    assert px.post(PATH, QUESTION).json == GOOD
    up.expect("POST", PATH).reply(json=GOOD)
    assert px.post(PATH, {"inputs": "next"}).json == GOOD
    px.stop()


def test_a_reused_connection_that_dies_is_no_second_post(px, up):
    up.expect("POST", PATH).reply(json=GOOD)
    px.post(PATH, {"inputs": "first"})
    up.expect("POST", PATH).hang_up()
    assert px.post(PATH, QUESTION).status == 502
    assert len(up.requests) == 2
    assert px.stop()["upstream_failures"] == 1


def end_while_idle(may_end, has_ended):
    """Answer, keep the connection, and end it when it may be."""
    def play(wire):
        wire.send(WHOLE)
        assert may_end.wait(20)
        wire.close()
        has_ended.set()
        raise Gone
    return play


def test_an_idle_connection_that_ends_is_not_looked_at_again_and_again(proxy, upstream):
    up, other = upstream(), upstream()
    px = proxy({"workers": 1, "upstreams": {
        "up": {"url": up.url}, "other": {"url": other.url, "timeouts": {"first_byte": "500ms"}},
    }, "routes": [{"model": "other", "to": "other"}, {"model": "*", "to": "up"}]})
    may_end, has_ended = threading.Event(), threading.Event()
    up.expect("POST", PATH).play = end_while_idle(may_end, has_ended)
    assert px.post(PATH, {"inputs": "first"}).json == GOOD
    may_end.set()
    assert has_ended.wait(20)
    # While this is waited for, there is nothing else to do.
    other.expect("POST", "/models/other").never_answer()
    used = px.cpu_seconds()
    assert px.post("/models/other", QUESTION).status == 504
    assert px.cpu_seconds() - used < 0.2
    assert is_served_after(px, up)
    assert px.stop()["upstream_failures"] == 1


def test_a_connection_that_never_got_through_leaves_nothing_behind(proxy):
    with socket.socket() as busy:
        busy.bind(("127.0.0.1", 0))
        busy.listen(0)
        with socket.create_connection(busy.getsockname()):
            url = "http://127.0.0.1:%d" % busy.getsockname()[1]
            px = proxy({"workers": 1, "upstreams": {
                "hasty": {"url": url, "timeouts": {"connect": "50ms"}}, "patient": {"url": url},
            }, "routes": [{"model": "hasty", "to": "hasty"}, {"model": "*", "to": "patient"}]})
            assert px.post("/models/hasty", QUESTION).status == 504
            with px.connect() as client:
                # Its socket has the number of the one before, and waits as that did.
                client.ask("POST", PATH, dump(QUESTION))
                busy.accept()[0].close()
                with Wire(busy.accept()[0]).sock as sock:
                    sock.sendall(WHOLE)
                    assert client.answer().json == GOOD
    px.stop()


@pytest.mark.parametrize("case", PASSED_ON)
def test_what_is_no_good_answer_is_passed_on_and_not_stored(px, up, case):
    status, kind, body = PASSED_ON[case]
    up.expect("POST", PATH).reply(status, body, headers={
        "Content-Type": kind, "Retry-After": "7"})
    answer = px.post(PATH, QUESTION)
    assert (answer.status, answer["Content-Type"], answer.body) == (status, kind, body)
    assert answer["Retry-After"] == "7" and answer["x-compute-type"] == "upstream"
    assert answer["Cache-Status"] == f"reprise; fwd=miss; fwd-status={status}"
    assert is_served_after(px, up)
    assert px.stop() == {"requests": 3, "misses": 2, "hits": 1, "stored": 1}


@pytest.mark.parametrize("name, value", [
    ("Cache-Control", "no-store"), ("Cache-Control", "private, max-age=3"), ("Vary", "*")])
def test_an_upstream_may_forbid_storing(px, up, name, value):
    up.expect("POST", PATH).reply(json=GOOD, headers={name: value})
    assert px.post(PATH, QUESTION).json == GOOD
    assert is_served_after(px, up)
    assert px.stop()["stored"] == 1


def test_an_error_that_is_null_is_no_error(px, up):
    up.expect("POST", PATH).reply(json={"generated_text": "x", "error": None})
    px.post(PATH, QUESTION)
    assert px.post(PATH, QUESTION)["x-compute-type"] == "cache"
    assert px.stop()["hits"] == 1


def test_bad_fields_of_an_upstream_do_not_split_our_answer(px, up):
    up.expect("POST", PATH).reply_raw(
        JSON + b"X-A: a\rSet-Cookie: b=c\r\nX-B: kept\r\n"
        b"Content-Length: %d\r\n\r\n" % len(BODY) + BODY)
    for _miss_and_hit in range(2):
        answer = px.post(PATH, QUESTION)
        assert answer["Set-Cookie"] is None
        assert b"\r" not in b"".join(value.encode() for _name, value in answer.fields)
        if answer.status != 200:
            up.expect("POST", PATH).reply(json=GOOD)
    px.stop()


def test_a_client_that_leaves_ends_the_transfer(px, up):
    """A stream's, that is; test_75_crowd.py has what may be kept."""
    hung = up.expect("POST", PATH).never_answer()
    with px.connect() as client:
        client.ask("POST", PATH, {**QUESTION, "stream": True})
        hung.wait()
        client.reset()
    assert hung.gone.wait(20)
    assert px.stop() == {"requests": 1, "clients_gone": 1}
