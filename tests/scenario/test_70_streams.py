# SPDX-License-Identifier: MIT
"""Streams pass piece by piece: each next piece leaves only when the last has arrived."""

import threading

import pytest

from play import Gone

CHAT_PATH, OLLAMA_PATH = "/v1/chat/completions", "/api/chat"
CHAT = {"model": "m", "messages": [{"role": "user", "content": "Hi"}], "stream": True}
EVENTS = [b'data: {"choices":[{"index":0,"delta":{"content":"%d"}}]}\n\n' % i for i in range(4)]
EVENTS += [b"data: [DONE]\n\n"]
LINES = [b'{"model":"m","message":{"content":"%d"},"done":false}\n' % i for i in range(4)]
SSE, NDJSON = "text/event-stream", "application/x-ndjson"
SSE_HEAD = (b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
            b"Transfer-Encoding: chunked\r\n\r\n")


def chunk(data):
    return b"%x\r\n%s\r\n" % (len(data), data)


@pytest.mark.parametrize("path, kind, pieces", [
    (CHAT_PATH, SSE, EVENTS), (OLLAMA_PATH, NDJSON, LINES)])
def test_a_stream_passes_piece_by_piece(px, up, path, kind, pieces):
    arrived = [threading.Event() for _piece in pieces]
    script = [step for pair in zip(pieces, arrived) for step in pair]
    up.expect("POST", path).reply(headers={"Content-Type": kind}, chunks=script)
    with px.connect() as client:
        client.ask("POST", path, CHAT)
        head = client.head()
        assert head.status == 200 and head["Content-Type"] == kind
        assert head["Cache-Status"] == "reprise; fwd=bypass; fwd-status=200"
        assert head["x-compute-type"] == "upstream"
        for piece, event in zip(pieces, arrived):
            assert client.chunk() == piece
            event.set()
        assert client.chunk() == b""
        client.ask("GET", "/healthz")
        assert client.answer().status == 200
    assert px.stop() == {"requests": 2, "bypasses": 1, "own_answers": 1}


def test_streams_are_not_stored(px, up):
    for _twice in range(2):
        up.expect("POST", CHAT_PATH).reply(headers={"Content-Type": SSE}, chunks=EVENTS)
        assert px.post(CHAT_PATH, CHAT).body == b"".join(EVENTS)
    assert px.stop() == {"requests": 2, "bypasses": 2}


def test_ollama_streams_unless_told_not_to(px, up):
    question = {"model": "m", "messages": [{"role": "user", "content": "Hi"}]}
    up.expect("POST", OLLAMA_PATH).reply(headers={"Content-Type": NDJSON}, chunks=LINES)
    assert "fwd=bypass" in px.post(OLLAMA_PATH, question)["Cache-Status"]
    assert px.stop()["bypasses"] == 1


def test_an_error_instead_of_a_stream_passes(px, up):
    up.expect("POST", CHAT_PATH).reply(429, json={"error": {"message": "slow down"}})
    answer = px.post(CHAT_PATH, CHAT)
    assert (answer.status, answer.error) == (429, "slow down")
    assert px.stop()["bypasses"] == 1


@pytest.mark.parametrize("end", [b"", b"50\r\ndata: {", b"xyz\r\n"],
                         ids=["no last chunk", "a cut chunk", "a bad chunk"])
def test_a_broken_stream_is_cut(px, up, end):
    arrived = threading.Event()
    up.expect("POST", CHAT_PATH).reply_raw(SSE_HEAD + chunk(EVENTS[0]), arrived, end)
    with px.connect() as client:
        client.ask("POST", CHAT_PATH, CHAT)
        client.head()
        assert client.chunk() == EVENTS[0]
        arrived.set()
        assert b"0\r\n\r\n" not in client.rest()
    assert px.get("/healthz").status == 200
    assert px.stop() == {"requests": 2, "streams_broken": 1, "own_answers": 1}


def test_a_stream_that_never_begins_is_502(px, up):
    up.expect("POST", CHAT_PATH).hang_up()
    assert px.post(CHAT_PATH, CHAT).status == 502
    assert px.stop()["upstream_failures"] == 1


def test_a_stream_to_an_old_client_ends_with_the_connection(px, up):
    up.expect("POST", CHAT_PATH).reply(headers={"Content-Type": SSE}, chunks=EVENTS)
    body = b'{"model":"m","messages":[],"stream":true}'
    with px.connect() as client:
        client.send(b"POST /v1/chat/completions HTTP/1.0\r\nContent-Length: %d\r\n\r\n"
                    % len(body) + body)
        head = client.head()
        assert head["Transfer-Encoding"] is None and head["Content-Length"] is None
        assert client.rest() == b"".join(EVENTS)
    assert px.stop()["bypasses"] == 1


def test_a_client_that_leaves_ends_the_transfer(px, up):
    stream = up.expect("POST", CHAT_PATH).never_answer(SSE_HEAD + chunk(EVENTS[0]))
    with px.connect() as client:
        client.ask("POST", CHAT_PATH, CHAT)
        client.head()
        assert client.chunk() == EVENTS[0]
        client.reset()
    assert stream.gone.wait(20)
    assert px.stop() == {"requests": 1, "clients_gone": 1}


def test_a_slow_client_holds_the_upstream_back(px, up):
    piece = b"data: " + b"x" * 65000 + b"\n\n"
    n_pieces = 400      # 26 MB: far more than the proxy and the kernel may hold
    up.expect("POST", CHAT_PATH).reply(headers={"Content-Type": SSE}, chunks=[piece] * n_pieces)
    up.expect("POST", "/models/m").reply(json=[{"translation_text": "x"}])
    with px.connect() as client:
        client.ask("POST", CHAT_PATH, CHAT)
        client.head()
        assert px.post("/models/m", {"inputs": "meanwhile"}).status == 200
        length = 0
        while (part := client.chunk()):
            length += len(part)
    assert length == n_pieces * len(piece)
    assert px.stop() == {"requests": 2, "bypasses": 1, "misses": 1, "stored": 1}


def test_the_end_of_the_drain_time_cuts_streams(proxy, up):
    px = proxy({"drain_timeout": "0s", "upstreams": {"up": {"url": up.url}}})
    stream = up.expect("POST", CHAT_PATH).never_answer(SSE_HEAD + chunk(EVENTS[0]))
    with px.connect() as client:
        client.ask("POST", CHAT_PATH, CHAT)
        client.head()
        assert client.chunk() == EVENTS[0]
        assert px.stop()["shutdowns"] == 1
        with pytest.raises(Gone):
            client.chunk()
    assert stream.gone.wait(20)
