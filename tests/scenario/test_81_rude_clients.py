# SPDX-License-Identifier: MIT
"""Clients without manners, by their numbers: what they get, what it costs, what is left of it.

Deadlines (C2) are played in tests/replay/scripts, where time is the script's; TLS (C9) and
false names (C10) have files of their own.
"""

import contextlib
import itertools
import os
import re
import socket
import threading

import pytest

import play
from play import dump, head_of
from test_20_http import REFUSED, post
from test_82_limits_of_the_machine import memory, metric, peak, until

PATH = "/models/m"
TEXT = [{"translation_text": "x"}]
MB = 1 << 20


def is_counted():
    """Are sizes and times those of the program, not of a sanitizer?"""
    return not any(word in str(play.BUILD) for word in ("asan", "tsan"))


def pour(client, head, piece, times):
    """How much the proxy let us send of HEAD and PIECE, TIMES over, until it would have no more."""
    sent = 0
    with contextlib.suppress(OSError):
        for data in itertools.chain([head], itertools.repeat(piece, times)):
            client.sock.sendall(data)
            sent += len(data)
    return sent


@pytest.mark.parametrize("status, head, piece, times", [
    (431, b"GET / HTTP/1.1\r\nHost: p\r\nX: ", b"a" * MB, 100),
    (431, b"GET / HTTP/1.1\r\nHost: p\r\n", b"X: a\r\n" * 10000, 100),
    (414, b"GET /", b"a" * 4096, 256),
], ids=["100 MB", "1M fields", "1 MB target"])
def test_heads_without_end(px, status, head, piece, times):
    """C1."""
    before = peak(px)
    with px.connect() as client:
        pour(client, head, piece, times)
        with contextlib.suppress(play.Gone):    # the end may come as a reset
            assert client.answer("GET").status == status
    assert px.get("/healthz").status == 200
    if is_counted():
        assert peak(px) - before < MB
    assert px.stop()["refused"] == 1


def test_half_a_connection(px, up):
    """C3: FIN behind a whole request is no farewell, within one it is."""
    up.expect("POST", PATH).reply(json=TEXT)
    for data, status in ((post("a"), 200), (post("a")[:-1], None)):
        with px.connect() as client:
            client.send(data)
            client.sock.shutdown(socket.SHUT_WR)
            assert status is None or client.answer("POST").status == status
            assert client.is_at_end()
    assert px.stop()["clients_gone"] == 1


def descriptors(px):
    return len(os.listdir(f"/proc/{px.process.pid}/fd"))


@pytest.mark.parametrize("has_begun", [False, True])
def test_a_thousand_leave_at_once(proxy, up, has_begun):
    """C4: in the middle of a stream, or before it began."""
    px = proxy({"upstreams": {"up": {"url": up.url}}, "admin": "127.0.0.1:0"})
    asked = up.expect("POST", "/v1/chat/completions").never_answer(
        *([b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: {}\n\n"]
          if has_begun else []))
    assert metric(px, "connections") == 0
    before = descriptors(px)
    question = {"model": "m", "stream": True, "messages": [{"role": "user", "content": "a"}]}
    clients = [px.connect() for _ in range(1000)]
    for client in clients:
        client.ask("POST", "/v1/chat/completions", question)
    asked.wait()
    until(lambda: metric(px, "followers") == 999)
    if has_begun:
        for client in clients:
            assert client.head().status == 200
    for client in clients:
        client.reset()
    assert asked.gone.wait(play.TIMEOUT)        # nobody waits, so nobody is asked
    until(lambda: metric(px, "connections") == 0)
    assert metric(px, "flights") == metric(px, "followers") == memory(px) == 0
    until(lambda: descriptors(px) <= before)
    counted = px.stop()
    assert counted["clients_gone"] + counted.get("streams_broken", 0) == 1000


def test_ten_thousand_hits_that_are_not_read(proxy, up):
    """C5: in their order, when they are read at last; until then the questions wait."""
    px = proxy({"upstreams": {"up": {"url": up.url}}, "admin": "127.0.0.1:0", "workers": 1})
    body = dump([{"translation_text": "x" * 2000}])
    up.expect("POST", PATH).reply(200, body, headers={"Content-Type": "application/json"})
    assert px.post(PATH, {"inputs": "a"}).body == body
    n, question = 10000, dump({"inputs": "a"})
    before = peak(px)
    with px.connect() as client:
        sender = threading.Thread(target=lambda: [client.send(head_of(
            f"POST {PATH} HTTP/1.1", [("Host", "p"), ("Content-Length", len(question)),
                                      ("x-request-id", i)]) + question) for i in range(n)])
        sender.start()
        begun = metric(px, "connections")
        until(lambda: is_stuck(px))
        assert begun == 1 and hits(px) < n
        if is_counted():
            assert peak(px) - before < MB
        for i in range(n):
            answer = client.answer("POST")
            assert (answer["x-request-id"], answer["x-compute-type"]) == (str(i), "cache")
        sender.join()
    assert px.stop()["hits"] == n


def hits(px):
    found = re.search(r'result="hit"} (\d+)$', px.admin("GET", "/metrics").body.decode(), re.M)
    return int(found[1]) if found else 0


def is_stuck(px):
    """Has the socket been full for as long as it takes to ask twice?"""
    seen = hits(px)
    return seen > 0 and all(hits(px) == seen for _ in range(50))


# What a smuggler sends before a second request, beside what test_20_http has.
HIDDEN = b"POST /models/smuggled HTTP/1.1\r\nHost: p\r\nContent-Length: 2\r\n\r\n{}"
SMUGGLED = {
    "body of a GET": b"GET /models/m HTTP/1.1\r\nHost: p\r\nContent-Length: %d\r\n\r\n",
    "body of a HEAD": b"HEAD /models/m HTTP/1.1\r\nHost: p\r\nContent-Length: %d\r\n\r\n",
    "body of a DELETE": b"DELETE /models/m HTTP/1.1\r\nHost: p\r\nContent-Length: %d\r\n\r\n",
    "unknown method": b"BREW /models/m HTTP/1.1\r\nHost: p\r\nContent-Length: %d\r\n\r\n",
    "length with zeros": b"POST /models/m HTTP/1.1\r\nHost: p\r\nContent-Length: 000%d\r\n\r\n",
    "length of 0 first": b"POST /models/m HTTP/1.1\r\nHost: p\r\nContent-Length: 0\r\n"
                         b"Content-Length: %d\r\n\r\n",
    "a list of lengths": b"POST /models/m HTTP/1.1\r\nHost: p\r\nContent-Length: 0, %d\r\n\r\n",
    "length in hex": b"POST /models/m HTTP/1.1\r\nHost: p\r\nContent-Length: 0x%x\r\n\r\n",
    "length and a space": b"POST /models/m HTTP/1.1\r\nHost: p\r\nContent-Length : %d\r\n\r\n",
    "length on a fold": b"POST /models/m HTTP/1.1\r\nHost: p\r\nX: a\r\n Content-Length: %d\r\n"
                        b"\r\n",
    "length behind a CR": b"POST /models/m HTTP/1.1\r\nHost: p\r\nX: a\rContent-Length: %d\r\n\r\n",
    "length behind a LF": b"POST /models/m HTTP/1.1\r\nHost: p\r\nX: a\nContent-Length: %d\r\n\r\n",
    "both, chunked first": b"POST /models/m HTTP/1.1\r\nHost: p\r\nTransfer-Encoding: chunked\r\n"
                           b"Content-Length: %d\r\n\r\n0\r\n\r\n",
    "both, chunked hidden": b"POST /models/m HTTP/1.1\r\nHost: p\r\nContent-Length: %d\r\n"
                            b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    "chunked, spelled oddly": b"POST /models/m HTTP/1.1\r\nHost: p\r\n"
                              b"Transfer-Encoding: \x0bchunked\r\nX: %d\r\n\r\n0\r\n\r\n",
    "chunked twice": b"POST /models/m HTTP/1.1\r\nHost: p\r\nTransfer-Encoding: chunked\r\n"
                     b"Transfer-Encoding: identity\r\nX: %d\r\n\r\n0\r\n\r\n",
    "chunk size too large": b"POST /models/m HTTP/1.1\r\nHost: p\r\nTransfer-Encoding: chunked"
                            b"\r\nX: %d\r\n\r\n10000000000000000\r\n",
    "chunk size with a sign": b"POST /models/m HTTP/1.1\r\nHost: p\r\nTransfer-Encoding: chunked"
                              b"\r\nX: %d\r\n\r\n-1\r\n",
    "chunk without its CRLF": b"POST /models/m HTTP/1.1\r\nHost: p\r\nTransfer-Encoding: chunked"
                              b"\r\nX: %d\r\n\r\n1\r\naX0\r\n\r\n",
    "lengths in the trailer": b"POST /models/m HTTP/1.1\r\nHost: p\r\nTransfer-Encoding: chunked"
                              b"\r\n\r\n1\r\na\r\n0\r\nContent-Length: %d\r\n\r\n",
    "old version": b"POST /models/m HTTP/0.9\r\nHost: p\r\nContent-Length: %d\r\n\r\n",
    "two spaces": b"POST  /models/m HTTP/1.1\r\nHost: p\r\nContent-Length: %d\r\n\r\n",
    "a tab": b"POST\t/models/m HTTP/1.1\r\nHost: p\r\nContent-Length: %d\r\n\r\n",
    "Connection names it": b"POST /models/m HTTP/1.1\r\nHost: p\r\nContent-Length: %d\r\n"
                           b"Connection: Content-Length\r\n\r\n",
}
# Those whose second request is one, behind a first that is over.
WHOLE = {"lengths in the trailer"}


@pytest.mark.parametrize("case", [*SMUGGLED, *(f"refused: {name}" for name in REFUSED)])
def test_a_smuggler_gets_one_request_through_at_most(px, up, case):
    """C6: and what arrives is framed in one way, whatever was meant by it."""
    if case in SMUGGLED:
        data = SMUGGLED[case] % len(HIDDEN) + HIDDEN
    else:
        data = REFUSED[case.removeprefix("refused: ")][1] + HIDDEN
    for method in ("POST", "GET", "HEAD", "DELETE"):
        up.expect(method, PATH).reply(json=TEXT)
    if case in WHOLE:
        up.expect("POST", "/models/smuggled").reply(json=TEXT)
    with px.connect() as client:
        client.send(data)
        client.sock.shutdown(socket.SHUT_WR)
        client.rest()
    assert px.get("/healthz").status == 200
    for request in up.requests:
        framing = [name.lower() for name, _ in request.fields
                   if name.lower() in ("content-length", "transfer-encoding")]
        assert len(framing) <= 1
    assert [one.target for one in up.requests].count(PATH) <= 1
    assert all(one.target == PATH or case in WHOLE for one in up.requests)
    up.expected.clear()
    px.stop()


def cpu_of(px, up, body):
    up.expect("POST", "/v1/chat/completions").reply(400, json={"error": "x"})
    before = px.cpu_seconds()
    assert px.post("/v1/chat/completions", body).status in (400, 413)
    up.expected.clear()
    return px.cpu_seconds() - before


def members(n):
    return b'{"model":"m"' + b',"a":1' * n + b"}"


@pytest.mark.parametrize("make", [
    lambda n: b"[" * n, lambda n: b'{"model":"m","n":' + b"9" * n + b"}",
    lambda n: members(n // 6), lambda n: b"\0" * n, lambda n: b"\xff\xfe" * (n // 2),
    lambda n: b'{"a":' * (n // 5),
], ids=["[", "digits", "one name", "NULs", "no UTF-8", "objects"])
def test_bodies_cost_by_their_length(proxy, up, make):
    """C7: eight times as much is not sixty-four times the work."""
    px = proxy({"upstreams": {"up": {"url": up.url}}})
    small, large = (min(cpu_of(px, up, make(n) + b" " * i) for i in range(3))
                    for n in (MB, 8 * MB))
    assert large < 24 * small + 0.1
    px.stop()


def test_names_that_meet_in_a_hash_cost_no_more(px, up):
    """C8: under h * 33 + c the names of all bodies are one."""
    n = 14
    meeting = ["".join(pair) for pair in itertools.product(("Ez", "FY"), repeat=n)]
    others = [f"{i * 2654435761 % 2**32:028d}" for i in range(len(meeting))]
    meet, other = (min(cpu_of(px, up, dump({"model": "m", "x": i, **dict.fromkeys(names, 1)}))
                       for i in range(3)) for names in (meeting, others))
    assert meet < 3 * other + 0.05
    px.stop()


def test_a_client_that_reads_nothing_of_a_stream_holds_little(proxy, up):
    """C2: its upstream waits."""
    px = proxy({"upstreams": {"up": {"url": up.url}}, "admin": "127.0.0.1:0",
                "routes": [{"to": "up", "cache": False}]})
    flood = threading.Event()
    events = b"data: " + b"x" * 65000 + b"\n\n"
    up.expect("POST", "/v1/chat/completions").reply_raw(
        b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n", flood,
        *[events] * 1500)
    before = peak(px)
    with px.connect() as client:
        client.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.ask("POST", "/v1/chat/completions", {"model": "m", "stream": True})
        assert client.head().status == 200
        flood.set()
        until(lambda: memory(px) > MB)
        assert memory(px) < 8 * MB
        if is_counted():
            assert peak(px) - before < 16 * MB
        client.reset()
    until(lambda: memory(px) == 0)
    px.stop()
