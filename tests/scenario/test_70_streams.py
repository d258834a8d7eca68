# SPDX-License-Identifier: MIT
"""Streams pass piece by piece: each next piece leaves only when the last has arrived.  One
that ended well is kept, and answers whole askers too."""

import json
import threading

import pytest

from play import dump

CHAT_PATH, OLLAMA_PATH = "/v1/chat/completions", "/api/chat"
CHAT = {"model": "m", "messages": [{"role": "user", "content": "Hi"}], "stream": True}
EVENTS = [b'data: {"choices":[{"index":0,"delta":{"content":"%d"}}]}\n\n' % i for i in range(4)]
EVENTS += [b'data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\n',
           b"data: [DONE]\n\n"]
LINES = [b'{"model":"m","message":{"content":"%d"},"done":false}\n' % i for i in range(4)]
LINES += [b'{"model":"m","message":{"content":""},"done":true,"done_reason":"stop"}\n']
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
        assert head["Cache-Status"] == "reprise; fwd=miss; fwd-status=200"
        assert head["x-compute-type"] == "upstream"
        for piece, event in zip(pieces, arrived):
            assert client.chunk() == piece
            event.set()
        assert client.chunk() == b""
        client.ask("GET", "/healthz")
        assert client.answer().status == 200
    assert px.stop() == {"requests": 2, "misses": 1, "own_answers": 1, "stored": 1}


def test_a_stream_comes_again_as_it_was(px, up):
    up.expect("POST", CHAT_PATH).reply(headers={"Content-Type": SSE}, chunks=EVENTS)
    for compute in ("upstream", "cache", "cache"):
        answer = px.post(CHAT_PATH, CHAT)
        assert answer.body == b"".join(EVENTS)
        assert (answer["x-compute-type"], answer["Content-Type"]) == (compute, SSE)
    px.restart()
    assert px.post(CHAT_PATH, CHAT).body == b"".join(EVENTS)


WHOLE = {"model": "m", "messages": CHAT["messages"]}
ANSWER = {"id": "c", "object": "chat.completion", "created": 1, "model": "m", "choices": [
    {"index": 0, "message": {"role": "assistant", "content": "0123"}, "finish_reason": "stop"}]}


def text_of(stream):
    events = [json.loads(event[6:]) for event in stream.decode().split("\n\n")[:-2]]
    return "".join(event["choices"][0]["delta"].get("content") or "" for event in events)


@pytest.mark.parametrize("first, reply", [
    (CHAT, {"headers": {"Content-Type": SSE}, "chunks": EVENTS}), (WHOLE, {"json": ANSWER})],
    ids=["stream first", "whole first"])
def test_one_entry_answers_both_forms(px, up, first, reply):
    """Also by fingerprint, that is, when asked the second time."""
    up.expect("POST", CHAT_PATH).reply(**reply)
    px.post(CHAT_PATH, first)
    with px.connect() as client:
        def hit(question, content_type):
            client.ask("POST", CHAT_PATH, question)
            answer = client.answer()
            assert (answer["x-compute-type"], answer["Content-Type"]) == ("cache", content_type)
            return answer
        for _twice in range(2):
            message = hit(WHOLE, "application/json").json["choices"][0]["message"]
            assert message["content"] == "0123"
            stream = hit(CHAT, SSE).body
            assert text_of(stream) == "0123" and stream.endswith(b"data: [DONE]\n\n")


@pytest.mark.parametrize("pieces", [
    EVENTS[:-2], EVENTS[:2] + [b'data: {"error":{"message":"overloaded"}}\n\n'] + EVENTS[-2:],
    [b"error: overloaded\n\n"], EVENTS[:-1] + [b'data: {"cut']],
    ids=["no finish", "an error event", "an error line", "a cut event"])
def test_a_stream_that_ends_badly_passes_and_is_not_kept(px, up, pieces):
    for _twice in range(2):
        up.expect("POST", CHAT_PATH).reply(headers={"Content-Type": SSE}, chunks=pieces)
        assert px.post(CHAT_PATH, CHAT).body == b"".join(pieces)
    assert px.stop() == {"requests": 2, "misses": 2}


def test_a_stream_until_the_connection_closes_is_kept_if_it_says_that_it_is_over(px, up):
    head = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n"
    up.expect("POST", CHAT_PATH).reply_raw(head + b"".join(EVENTS[:-1]))
    assert px.post(CHAT_PATH, CHAT).body == b"".join(EVENTS[:-1])
    up.expect("POST", CHAT_PATH).reply_raw(head + b"".join(EVENTS))
    assert px.post(CHAT_PATH, CHAT).body == b"".join(EVENTS)
    assert px.post(CHAT_PATH, CHAT)["x-compute-type"] == "cache"


def test_ollama_streams_unless_told_not_to(px, up):
    question = {"model": "m", "messages": [{"role": "user", "content": "Hi"}]}
    up.expect("POST", OLLAMA_PATH).reply(headers={"Content-Type": NDJSON}, chunks=LINES)
    assert px.post(OLLAMA_PATH, question).body == b"".join(LINES)
    hit = px.post(OLLAMA_PATH, {**question, "stream": False})
    assert hit["x-compute-type"] == "cache" and hit["Content-Type"] == "application/json"
    assert hit.json["message"]["content"] == "0123"
    assert px.stop()["hits"] == 1


def test_streams_that_are_not_understood_pass_by(px, up):
    path, question = "/completion", {"prompt": "Hi", "stream": True}
    for _twice in range(2):
        up.expect("POST", path).reply(headers={"Content-Type": SSE}, chunks=EVENTS)
        assert px.post(path, question)["Cache-Status"] == "reprise; fwd=bypass; fwd-status=200"
    assert px.stop() == {"requests": 2, "bypasses": 2}


def test_a_crowd_shares_a_live_stream(px, up):
    """Each piece leaves the upstream when all have the one before."""
    arrived = threading.Barrier(9)
    waits = [threading.Event() for _event in EVENTS]
    up.expect("POST", CHAT_PATH).reply(headers={"Content-Type": SSE}, chunks=[
        step for pair in zip(EVENTS, waits) for step in pair])
    bodies = []

    def read():
        with px.connect() as client:
            client.ask("POST", CHAT_PATH, CHAT)
            assert client.head().status == 200
            body = b""
            for n, wait in enumerate(waits):
                while len(body) < len(b"".join(EVENTS[:n + 1])):
                    body += client.chunk()
                if arrived.wait(30) == 0:
                    wait.set()
            assert client.chunk() == b""
            bodies.append(body)

    threads = [threading.Thread(target=read, daemon=True) for _ in range(9)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert bodies == [b"".join(EVENTS)] * 9
    assert px.stop() == {"requests": 9, "misses": 1, "collapsed": 8, "stored": 1}


def test_an_error_instead_of_a_stream_passes(px, up):
    up.expect("POST", CHAT_PATH).reply(429, json={"error": {"message": "slow down"}})
    answer = px.post(CHAT_PATH, CHAT)
    assert (answer.status, answer.error) == (429, "slow down")
    assert px.stop() == {"requests": 1, "misses": 1}


CLOSED = "the upstream broke off its answer; the request may be tried again"
TGI_PATH, MESSAGES_PATH = "/generate_stream", "/v1/messages"
# By API: a question, an event, and how it says that nothing more comes.
BREAKING = {
    "openai": (CHAT_PATH, CHAT, SSE, EVENTS[0],
               b'data: {"error":{"message":"%s","type":"server_error","param":null,'
               b'"code":"upstream_closed"}}\n\n'),
    "anthropic": (MESSAGES_PATH, {**CHAT, "max_tokens": 9}, SSE,
                  b'event: ping\ndata: {"type":"ping"}\n\n',
                  b'event: error\ndata: {"type":"error","error":{"type":"api_error",'
                  b'"message":"%s"}}\n\n'),
    "ollama": (OLLAMA_PATH, CHAT, NDJSON, LINES[0], b'{"error":"%s"}\n'),
    "tgi": (TGI_PATH, {"inputs": "Hi"}, SSE, b'data: {"token":{"text":"Hi"}}\n\n',
            b'data: {"error":"%s","error_type":"upstream_closed"}\n\n'),
}


def stream_head(kind):
    return SSE_HEAD.replace(SSE.encode(), kind.encode())


@pytest.mark.parametrize("api", BREAKING)
@pytest.mark.parametrize("end", [b"", b"50\r\ndata: {", b"xyz\r\n"],
                         ids=["no last chunk", "a cut chunk", "a bad chunk"])
def test_a_broken_stream_ends_as_its_api_says_errors(px, up, api, end):
    """It can be read to its end, which is an event of its own; and it is not kept."""
    path, question, kind, event, error = BREAKING[api]
    for n in range(2):
        arrived = threading.Event()
        up.expect("POST", path).reply_raw(stream_head(kind) + chunk(event), arrived, end)
        with px.connect() as client:
            client.ask("POST", path, question)
            client.head()
            assert client.chunk() == event
            arrived.set()
            last = client.chunk()
            assert last == error % CLOSED.encode() or b"xyz" in end and b"upstream_" in last
            assert client.chunk() == b"" and client.is_at_end()
    assert px.get("/healthz").status == 200
    assert px.stop() == {"requests": 3, "streams_broken": 2, "own_answers": 1}


@pytest.mark.parametrize("api", BREAKING)
def test_so_it_does_for_an_old_client(px, up, api):
    path, question, kind, event, error = BREAKING[api]
    arrived = threading.Event()
    up.expect("POST", path).reply_raw(
        stream_head(kind) + chunk(event), arrived, chunk(event[:9]))
    body = dump(question)
    with px.connect() as client:
        client.send(b"POST %s HTTP/1.0\r\nContent-Length: %d\r\n\r\n"
                    % (path.encode(), len(body)) + body)
        client.head()
        assert client.exactly(len(event)) == event
        arrived.set()
        assert client.rest() == error % CLOSED.encode()
    assert px.stop()["streams_broken"] == 1


def test_what_cannot_be_told_does_not_look_finished(px, up):
    """Nothing can be said in a stream that is not understood.  An old client takes the end of
    the connection for that of the body: it must be a reset."""
    body, piece = b'{"prompt":"Hi","stream":true}', b"data: 1\n\n"
    arrived = threading.Event()
    up.expect("POST", "/completion").reply_raw(SSE_HEAD + chunk(piece), arrived, b"xyz")
    with px.connect() as client:
        client.send(b"POST /completion HTTP/1.0\r\nContent-Length: %d\r\n\r\n" % len(body)
                    + body)
        client.head()
        assert client.exactly(len(piece)) == piece
        arrived.set()
        with pytest.raises(ConnectionResetError):
            client.sock.recv(65536)
    assert px.stop()["streams_broken"] == 1


def test_a_stream_with_a_length_is_cut(px, up):
    """There is no room in it for an error."""
    arrived = threading.Event()
    up.expect("POST", CHAT_PATH).reply_raw(
        b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: 999\r\n\r\n"
        + EVENTS[0], arrived)
    with px.connect() as client:
        client.ask("POST", CHAT_PATH, CHAT)
        assert client.head()["Content-Length"] == "999"
        assert client.exactly(len(EVENTS[0])) == EVENTS[0]
        arrived.set()
        assert client.rest() == b""
    assert px.stop()["streams_broken"] == 1


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
    assert px.stop()["stored"] == 1


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
    assert px.stop() == {"requests": 2, "misses": 2, "stored": 1}


@pytest.mark.parametrize("api", BREAKING)
def test_the_end_of_the_drain_time_ends_streams(proxy, up, api):
    """H-81."""
    path, question, kind, event, error = BREAKING[api]
    px = proxy({"drain_timeout": "0s", "upstreams": {"up": {"url": up.url}}})
    stream = up.expect("POST", path).never_answer(stream_head(kind) + chunk(event))
    with px.connect() as client, px.connect() as other:
        client.ask("POST", path, question)
        client.head()
        assert client.chunk() == event
        other.ask("POST", path, question)
        other.head()
        assert other.chunk() == event
        counts = px.stop()      # of two workers one may see the end of the other's call first
        assert counts["shutdowns"] + counts.get("streams_broken", 0) == 2
        for each in client, other:
            last = each.chunk()
            assert last.startswith(error.split(b"%s")[0].split(b"api_error")[0])
            assert b"the proxy is ending" in last or each is other
            assert each.chunk() == b"" and each.is_at_end()
    assert stream.gone.wait(20)
