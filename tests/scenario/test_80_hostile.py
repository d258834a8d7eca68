# SPDX-License-Identifier: MIT
"""Bad input: a clear error or the upstream's own; nothing crosses to another host."""

import contextlib
import socket

import pytest

from play import dump, exchange

PATH = "/models/m"
TEXT = [{"translation_text": "x"}]

GARBAGE = {
    "NULs": b"\0" * 1000,
    "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\xaa" * 500,
    "lines": b"\n\r\n\r\r\n" * 100,
    "high bytes": bytes(range(128, 256)) * 8 + b"\r\n\r\n",
    "JSON": b'{"inputs": "a"}\r\n\r\n',
}
BODIES = {
    "truncated": b'{"inputs": "a',
    "NULs": b'{"inputs": "a\0b"}',
    "only NULs": b"\0" * 64,
    "invalid UTF-8": b'{"inputs": "\xff\xfe\xc0\xaf"}',
    "lone surrogate": b'{"inputs": "\\ud800"}',
    "10,000 deep": b'{"inputs": ' + b"[" * 10000 + b"]" * 10000 + b"}",
    "10,000 deep, cut": b"[" * 10000,
    "10,000 deep objects": b'{"a":' * 10000 + b"1" + b"}" * 10000,
    "huge number": b'{"inputs": 1e999999999, "n": ' + b"9" * 5000 + b"}",
    "duplicate names": b'{"inputs": "a", "inputs": "b"}',
    "BOM": b'\xef\xbb\xbf{"inputs": "a"}',
    "NaN": b'{"inputs": NaN}',
    "trailing text": b'{"inputs": "a"} {"inputs": "b"}',
    "empty": b"",
}
BAD_PATHS = [
    "/models/../../etc/passwd", "/models/..", "/models/.", "/models/%2e%2e/admin",
    "/models/%2E%2E%2fadmin", "/models/a%2fb", "/models/a%5cb", "/models/a\\b", "/models/a%00b",
    "/models//evil", "/models/http://evil/", "/models/a@evil", "/models/a#b",
    "/models/org/../m", "/models/" + "a" * 300, "/models/a;b", "/pipeline/x/../../admin",
    "/v1/../admin", "//evil/models/m", "/models/\x7f", "/models/a b",
]


@pytest.mark.parametrize("case", GARBAGE)
def test_garbage_is_refused(px, up, case):
    with px.connect() as client:
        client.send(GARBAGE[case])
        client.sock.shutdown(socket.SHUT_WR)
        assert client.answer("POST").status in (400, 505)
    assert px.get("/healthz").status == 200
    assert up.requests == []
    px.stop()


@pytest.mark.parametrize("case", BODIES)
def test_a_strange_body_is_for_the_upstream_to_judge(px, up, case):
    expected = up.expect("POST", PATH).reply(400, json={"error": "bad body"})
    answer = px.post(PATH, BODIES[case])
    assert (answer.status, answer.error) == (400, "bad body")
    assert expected.request.body == BODIES[case]
    assert px.stop() == {"requests": 1, "misses": 1}


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/messages", "/api/chat", "/embed"])
@pytest.mark.parametrize("body", [b"[]", b"null", b"17", b'"text"', b'{"model":[]}',
                                  b'{"model":null,"messages":7}', b'{"stream":"yes"}'])
def test_bodies_of_the_wrong_shape_pass_too(px, up, path, body):
    expected = up.expect("POST", path).reply(422, json={"error": "bad body"})
    assert px.post(path, body).status == 422
    assert expected.request.body == body
    px.stop()


@pytest.mark.parametrize("path", BAD_PATHS)
def test_absurd_paths_go_nowhere(proxy, upstream, path):
    up, other = upstream(), upstream()
    px = proxy({"upstreams": {"up": {"url": up.url, "token": {"value": "canary"}},
                              "other": {"url": other.url}},
                "routes": [{"model": "other", "to": "other"}, {"to": "up"}]})
    answer = px.post(path, {"inputs": "a"})
    assert answer.status == 400 and answer.error
    assert up.requests == other.requests == []
    assert px.stop() == {"requests": 1, "refused": 1}


def test_an_absolute_target_chooses_no_host(px, upstream, up):
    other = upstream()
    up.expect("POST", PATH).reply(json=TEXT)
    for target, host in ((other.url + PATH, other.address), (other.url + PATH, "proxy")):
        answer = px.request("POST", target, {"inputs": "a"}, {"Host": host})
        assert answer.status in (200, 400)
    assert other.requests == []
    px.stop()


@pytest.mark.parametrize("model", ["../..", "%2e%2e", "http://evil/", "a\0b", "a\r\nX: y",
                                   "x" * 100000, "", 7, None, ["m"], {"a": 1}])
def test_absurd_models_in_a_body_choose_no_host(proxy, upstream, model):
    up, other = upstream(), upstream()
    px = proxy({"upstreams": {"up": {"url": up.url}, "other": {"url": other.url}},
                "routes": [{"model": "other", "to": "other"}, {"to": "up"}]})
    with contextlib.suppress(AssertionError):   # refusing it is as good as passing it on
        up.expect("POST", "/v1/chat/completions").reply(404, json={"error": "no such model"})
    answer = px.post("/v1/chat/completions", {"model": model, "messages": []})
    assert answer.status in (400, 404) and answer.json["error"]
    assert other.requests == []
    up.expected.clear()
    px.stop()


@pytest.mark.parametrize("name", ["api_base", "base_url", "url", "api_key"])
def test_no_field_chooses_a_host(px, upstream, up, name):
    other = upstream()
    up.expect("POST", PATH).reply(json=TEXT)
    assert px.post(PATH, {"inputs": "a", name: other.url}, {
        f"x-{name.replace('_', '-')}": other.url, "X-Forwarded-Host": other.address}).status == 200
    assert other.requests == []
    px.stop()


def test_a_head_of_100_megabytes_is_cut_off(px):
    with px.connect() as client:
        client.send(b"GET / HTTP/1.1\r\nHost: p\r\n")
        with contextlib.suppress(OSError):
            for _megabyte in range(100):
                client.sock.sendall(b"X-A: " + b"a" * (1 << 20) + b"\r\n")
    assert px.get("/healthz").status == 200
    assert px.stop()["refused"] == 1


def test_a_truncated_request_is_dropped(px, up):
    head = b"POST /models/m HTTP/1.1\r\nHost: p\r\nContent-Length: 15\r\n\r\n"
    whole = head + dump({"inputs": "a"})
    for length in range(1, len(whole)):
        with px.connect() as client:
            client.send(whole[:length])
            client.sock.shutdown(socket.SHUT_WR)
            client.rest()
    assert up.requests == []
    assert px.get("/healthz").status == 200
    assert px.stop().get("misses", 0) == 0


def test_many_tiny_chunks_are_a_body(px, up):
    expected = up.expect("POST", PATH).reply(json=TEXT)
    head = b"POST /models/m HTTP/1.1\r\nHost: p\r\nTransfer-Encoding: chunked\r\n\r\n"
    with px.connect() as client:
        assert exchange(client, head + b"1\r\na\r\n" * 20000 + b"0\r\n\r\n").status == 200
    assert expected.request.body == b"a" * 20000
    px.stop()
