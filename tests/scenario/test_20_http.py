# SPDX-License-Identifier: MIT
"""HTTP/1.1 towards clients: connections, framing, limits, and what a smuggler would try."""

import socket

import pytest

from play import dump, exchange

PATH = "/models/m"
ANSWER = [{"translation_text": "x"}]


def post(text, *fields, version="1.1"):
    """A POST in bytes, with a length."""
    body = dump({"inputs": text})
    lines = [f"POST {PATH} HTTP/{version}", "Host: proxy", f"Content-Length: {len(body)}", *fields]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def test_a_connection_is_kept(px, up):
    up.expect("POST", PATH).reply(json=ANSWER)
    with px.connect() as client:
        kinds = [exchange(client, post("a"))["x-compute-type"] for _ in range(3)]
    assert kinds == ["upstream", "cache", "cache"]
    assert px.stop()["requests"] == 3


def test_pipelined_requests_are_answered_in_order(px, up):
    for text in "abc":
        up.expect("POST", PATH).reply(json=[{"translation_text": text}])
        px.post(PATH, {"inputs": text})
    up.expect("POST", PATH).reply(json=[{"translation_text": "slow"}])
    with px.connect() as client:
        client.send(post("a") + post("new") + post("b") + post("c"))
        client.method = "POST"
        texts = [client.answer().json[0]["translation_text"] for _ in range(4)]
    assert texts == ["a", "slow", "b", "c"]
    assert px.stop() == {"requests": 7, "misses": 4, "hits": 3, "stored": 4}


def test_a_chunked_body_is_the_same_question(px, up):
    up.expect("POST", PATH).reply(json=ANSWER)
    px.post(PATH, {"inputs": "a"})
    head = b"POST /models/m HTTP/1.1\r\nHost: p\r\nTransfer-Encoding: chunked\r\n\r\n"
    with px.connect() as client:
        hit = exchange(client, head + b'9;x="y"\r\n{"inputs"\r\n6\r\n: "a"}\r\n0\r\n\r\n')
        assert hit["x-compute-type"] == "cache"
    assert px.stop()["hits"] == 1


def test_a_body_goes_upstream_with_its_length(px, up):
    expected = up.expect("POST", PATH).reply(json=ANSWER)
    head = b"POST /models/m HTTP/1.1\r\nHost: p\r\nTransfer-Encoding: chunked\r\n\r\n"
    with px.connect() as client:
        exchange(client, head + b'f\r\n{"inputs": "a"}\r\n0\r\n\r\n')
    assert expected.request["Transfer-Encoding"] is None
    assert expected.request.body == b'{"inputs": "a"}'
    assert px.stop()["misses"] == 1


def test_trailers_are_dropped(px, up):
    expected = up.expect("POST", PATH).reply(json=ANSWER)
    head = b"POST /models/m HTTP/1.1\r\nHost: p\r\nTransfer-Encoding: chunked\r\n\r\n"
    trailer = b"0\r\nAuthorization: Bearer trailer\r\nContent-Length: 3\r\nlora: x\r\n\r\n"
    with px.connect() as client:
        exchange(client, head + b'f\r\n{"inputs": "a"}\r\n' + trailer)
    assert expected.request["Authorization"] is None and expected.request["lora"] is None
    assert px.stop()["misses"] == 1


def test_100_continue_comes_before_the_body(px, up):
    """H-12."""
    up.expect("POST", PATH).reply(json=ANSWER)
    head, body = post("a", "Expect: 100-continue").split(b"\r\n\r\n")
    with px.connect() as client:
        client.send(head + b"\r\n\r\n")
        assert client.until(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
        assert exchange(client, body).status == 200
    assert px.stop()["misses"] == 1


def test_no_100_continue_for_what_is_too_large(proxy, up):
    """H-12."""
    px = proxy({"max_body": "1kB", "upstreams": {"up": {"url": up.url}}})
    with px.connect() as client:
        answer = exchange(client, b"POST /models/m HTTP/1.1\r\nHost: p\r\n"
                          b"Expect: 100-continue\r\nContent-Length: 2000\r\n\r\n")
        assert answer.status == 413 and answer["Connection"] == "close"
    assert px.stop()["refused"] == 1


def test_other_expectations_are_refused(px):
    """H-12."""
    with px.connect() as client:
        assert exchange(client, post("a", "Expect: miracles")).status == 417
    assert px.stop()["refused"] == 1


def test_head_has_no_body(px, up):
    up.expect("HEAD", "/v1/models").reply_raw(
        b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 17\r\n\r\n")
    with px.connect() as client:
        client.ask("HEAD", "/v1/models")
        answer = client.answer()
        assert answer.status == 200 and answer["Content-Length"] == "17"
        client.ask("GET", "/healthz")
        assert client.answer().json == {"status": "ok"}
    assert px.stop() == {"requests": 2, "bypasses": 1, "own_answers": 1}


def test_health_is_ours(px):
    answer = px.get("/healthz")
    assert (answer.status, answer["x-compute-type"]) == (200, "none")
    assert px.stop()["own_answers"] == 1


def test_http_1_0_closes_unless_asked(px, up):
    up.expect("POST", PATH).reply(json=ANSWER)
    with px.connect() as client:
        kept = exchange(client, post("a", "Connection: keep-alive", version="1.0"))
        assert kept["Connection"].lower() == "keep-alive"
        assert exchange(client, post("a", version="1.0"))["x-compute-type"] == "cache"
        assert client.is_at_end()
    assert px.stop()["hits"] == 1


def test_a_client_that_asks_to_close_is_closed(px, up):
    up.expect("POST", PATH).reply(json=ANSWER)
    with px.connect() as client:
        assert exchange(client, post("a", "Connection: close"))["Connection"] == "close"
        assert client.is_at_end()
    assert px.stop()["misses"] == 1


def test_a_client_may_close_its_half(px, up):
    up.expect("POST", PATH).reply(json=ANSWER)
    with px.connect() as client:
        client.send(post("a"))
        client.sock.shutdown(socket.SHUT_WR)
        assert client.answer("POST").json == ANSWER
        assert client.is_at_end()
    assert px.stop()["misses"] == 1


def test_a_browser_may_ask(px, up):
    answer = px.request("OPTIONS", PATH, headers={
        "Origin": "http://page", "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization, x-use-cache"})
    assert answer.status in (200, 204)
    assert answer["Access-Control-Allow-Origin"] in ("*", "http://page")
    assert "POST" in answer["Access-Control-Allow-Methods"]
    assert answer["Access-Control-Allow-Headers"] == "authorization, x-use-cache"
    assert px.stop() == {"requests": 1, "own_answers": 1}


@pytest.mark.parametrize("field", ["x-compute-type", "x-compute-time", "x-reprise-origin",
                                   "cache-status", "age", "x-request-id"])
def test_a_browser_may_see_where_it_was_computed(px, up, field):
    up.expect("POST", PATH).reply(json=ANSWER, headers={
        "Access-Control-Allow-Origin": "http://upstream"})
    for _miss_and_hit in range(2):
        answer = px.post(PATH, {"inputs": "a"}, {"Origin": "http://page"})
        assert answer["Access-Control-Allow-Origin"] in ("*", "http://page")
        exposed = answer["Access-Control-Expose-Headers"].lower().replace(" ", "").split(",")
        assert field in exposed
    assert px.stop()["hits"] == 1


LONG = b"a" * 70000
REFUSED = {
    "no request line": (400, b"hello\r\n\r\n"),
    "bare LF": (400, b"GET /healthz HTTP/1.1\nHost: p\n\n"),
    "CR in a value": (400, b"GET /healthz HTTP/1.1\r\nHost: p\r\nX: a\rb\r\n\r\n"),
    "NUL in a value": (400, b"GET /healthz HTTP/1.1\r\nHost: p\r\nX: a\0b\r\n\r\n"),
    "folded field": (400, b"GET /healthz HTTP/1.1\r\nHost: p\r\nX: a\r\n b\r\n\r\n"),
    "space before colon": (400, b"GET /healthz HTTP/1.1\r\nHost: p\r\nX : a\r\n\r\n"),
    "empty field name": (400, b"GET /healthz HTTP/1.1\r\nHost: p\r\n: a\r\n\r\n"),
    "no Host": (400, b"GET /healthz HTTP/1.1\r\n\r\n"),
    "two Hosts": (400, b"GET /healthz HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"),
    "Host with a path": (400, b"GET /healthz HTTP/1.1\r\nHost: a/b\r\n\r\n"),
    "version 2.0": (505, b"GET /healthz HTTP/2.0\r\nHost: p\r\n\r\n"),
    "HTTP/2 preface": (505, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
    "CONNECT": (405, b"CONNECT evil:443 HTTP/1.1\r\nHost: evil:443\r\n\r\n"),
    "TRACE": (405, b"TRACE / HTTP/1.1\r\nHost: p\r\n\r\n"),
    "length and chunked": (400, b"POST / HTTP/1.1\r\nHost: p\r\nContent-Length: 3\r\n"
                           b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    "two lengths": (400, b"POST / HTTP/1.1\r\nHost: p\r\nContent-Length: 3\r\n"
                    b"Content-Length: 4\r\n\r\nabcd"),
    "signed length": (400, b"POST / HTTP/1.1\r\nHost: p\r\nContent-Length: +3\r\n\r\nabc"),
    "unknown coding": (501, b"POST / HTTP/1.1\r\nHost: p\r\nTransfer-Encoding: zip\r\n\r\n"),
    "chunked not last": (400, b"POST / HTTP/1.1\r\nHost: p\r\n"
                         b"Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n"),
    "chunked on 1.0": (400, b"POST / HTTP/1.0\r\nHost: p\r\n"
                       b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    "bad chunk": (400, b"POST / HTTP/1.1\r\nHost: p\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n"),
    "long head": (431, b"GET / HTTP/1.1\r\nHost: p\r\n" + b"X: aaaaaaaaaaaaaaaa\r\n" * 90
                  + b"Y: " + LONG),
    "many fields": (431, b"GET / HTTP/1.1\r\nHost: p\r\n" + b"X: a\r\n" * 101 + b"\r\n"),
    "long target": (414, b"GET /" + LONG[:9000] + b" HTTP/1.1\r\nHost: p\r\n\r\n"),
    "huge length": (413, b"POST / HTTP/1.1\r\nHost: p\r\n"
                    b"Content-Length: 9223372036854775807\r\n\r\n"),
    "many empty lines": (400, b"\r\n" * 100),
    "long chunk extension": (400, b"POST / HTTP/1.1\r\nHost: p\r\nTransfer-Encoding: chunked\r\n"
                             b"\r\n1;" + LONG * 2),
}


@pytest.mark.parametrize("case", REFUSED)
def test_bad_requests_are_refused_and_closed(px, case):
    status, data = REFUSED[case]
    with px.connect() as client:
        answer = exchange(client, data)
        assert answer.status in ((status, 413) if case == "long chunk extension" else (status,))
        assert answer["Connection"] == "close" and answer["x-compute-type"] == "none"
        assert answer.json["error"]
        assert client.is_at_end()
    assert px.get("/healthz").status == 200
    assert px.stop() == {"requests": 2, "refused": 1, "own_answers": 1}


def test_nothing_behind_a_bad_request_is_read(px, up):
    with px.connect() as client:
        bad = (b"POST / HTTP/1.1\r\nHost: p\r\nContent-Length: 1\r\n"
               b"Transfer-Encoding: chunked\r\n\r\n")
        assert exchange(client, bad + post("smuggled")).status == 400
        assert client.is_at_end()
    assert up.requests == []
    assert px.stop()["requests"] == 1


def test_a_body_over_the_limit_is_refused(proxy, up):
    px = proxy({"max_body": "1kB", "upstreams": {"up": {"url": up.url}}})
    up.expect("POST", PATH).reply(json=ANSWER)
    assert px.post(PATH, b'"' + b"a" * 1022 + b'"').status == 200
    assert px.post(PATH, b'"' + b"a" * 1023 + b'"').status == 413
    head = b"POST /models/m HTTP/1.1\r\nHost: p\r\nTransfer-Encoding: chunked\r\n\r\n"
    with px.connect() as client:
        assert exchange(client, head + b"401\r\n" + b"a" * 1025).status == 413
    assert px.stop() == {"requests": 3, "misses": 1, "refused": 2, "stored": 1}


def test_an_upgrade_is_ignored(px, up):
    with px.connect() as client:
        answer = exchange(client, b"GET /healthz HTTP/1.1\r\nHost: p\r\nConnection: Upgrade\r\n"
                          b"Upgrade: h2c\r\n\r\n")
        assert answer.status == 200
        assert exchange(client, b"GET /healthz HTTP/1.1\r\nHost: p\r\n\r\n").status == 200
    assert px.stop()["own_answers"] == 2


def test_a_byte_at_a_time_is_a_request_too(px, up):
    up.expect("POST", PATH).reply(json=ANSWER)
    with px.connect() as client:
        client.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in post("a"):
            client.send(bytes([byte]))
        assert client.answer("POST").json == ANSWER
    assert px.stop()["misses"] == 1
