# SPDX-License-Identifier: MIT
"""F20: every connection to the upstream is gone at once, with calls in flight."""

import socket
import struct
import threading

import pytest

import play

N = 8
CASES = {
    "hf": ("/models/t5-base", lambda n: {"inputs": str(n)}, lambda body: body["error"]),
    "openai": ("/v1/chat/completions", lambda n: {"model": "m", "messages": [
        {"role": "user", "content": str(n)}]}, lambda body: body["error"]["message"]),
    "anthropic": ("/v1/messages", lambda n: {"model": "m", "max_tokens": 5, "messages": [
        {"role": "user", "content": str(n)}]}, lambda body: body["error"]["message"]),
    "ollama": ("/api/chat", lambda n: {"model": "m", "stream": False, "messages": [
        {"role": "user", "content": str(n)}]}, lambda body: body["error"]),
}


def reset(wire):
    wire.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    wire.sock.close()
    raise play.Gone


@pytest.mark.parametrize("api", CASES)
@pytest.mark.parametrize("head", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"])
def test_f20_calls_in_flight_are_502_once_and_not_kept(proxy, up, api, head):
    path, question, message = CASES[api]
    px = proxy({"upstreams": {"up": {"url": up.url}}})
    go = threading.Event()

    def fall(wire):
        wire.send(head)
        go.wait(play.TIMEOUT)
        reset(wire)
    asked = [up.expect("POST", path) for _ in range(N)]
    for each in asked:
        each.play = fall
    clients = [px.connect() for _ in range(2 * N)]      # two for each question
    for i, client in enumerate(clients):
        client.ask("POST", path, question(i % N))
    for each in asked:
        each.wait()
    go.set()
    for client in clients:
        answer = client.answer()
        assert answer.status == 502 and message(answer.json)
        client.close()
    assert len(up.requests) == N        # not one was sent twice (H-30)
    assert px.post(path, question(0))["x-compute-type"] == "none"       # nor kept
