# SPDX-License-Identifier: MIT
"""When descriptors, connections or memory run short: those who are there are served."""

import contextlib
import re
import resource
import time

import pytest

import play
from play import Gone, TIMEOUT, dump, head_of
from test_65_reload import reload

PATH = "/models/m"
TEXT = [{"translation_text": "x"}]
ROUNDS = 300


def metric(px, name):
    answer = px.admin("GET", "/metrics")
    return float(re.search(rf"^reprise_{name} (\S+)$", answer.body.decode(), re.MULTILINE)[1])


def until(reached):
    """Ask again until it is so."""
    end = time.monotonic() + TIMEOUT
    while not reached():
        assert time.monotonic() < end, "it never came to be"


def ask_often(px, client):
    """The CPU time that the proxy takes while CLIENT asks."""
    before = px.cpu_seconds()
    for _ in range(ROUNDS):
        client.ask("GET", "/healthz")
        assert client.answer().status == 200
    return px.cpu_seconds() - before


def test_without_descriptors_clients_wait_and_nobody_spins(proxy, up):
    """H-10, F15."""
    px = proxy({"upstreams": {"up": {"url": up.url}}}, descriptors=(64, 64))
    with contextlib.ExitStack() as stack:
        first = stack.enter_context(px.connect())
        alone = ask_often(px, first)
        crowd = [stack.enter_context(px.connect()) for _ in range(200)]
        px.wait_for_line("as many as descriptors allow")
        assert ask_often(px, first) < 3 * alone + 0.1
        crowd[0].ask("GET", "/healthz")
        assert crowd[0].answer().status == 200
        assert sum("descriptors" in line for line in px.lines) == 1
    up.expect("POST", PATH).reply(json=TEXT)
    assert px.post(PATH, {"inputs": "a"}).status == 200
    assert px.stop()["accept_pauses"] > 0


def test_where_accepting_fails_it_pauses(proxy, up):
    """H-10: others took the descriptors that clients were to have."""
    px = proxy({"upstreams": {"up": {"url": up.url}}})
    with contextlib.ExitStack() as stack:
        first = stack.enter_context(px.connect())
        alone = ask_often(px, first)
        hard = resource.prlimit(px.process.pid, resource.RLIMIT_NOFILE)[1]
        resource.prlimit(px.process.pid, resource.RLIMIT_NOFILE, (8, hard))
        for _ in range(20):
            stack.enter_context(px.connect())
        px.wait_for_line("cannot accept: Too many open files")
        assert ask_often(px, first) < 3 * alone + 0.1
        assert sum("cannot accept" in line for line in px.lines) == 1
        resource.prlimit(px.process.pid, resource.RLIMIT_NOFILE, (hard, hard))
        assert px.get("/healthz").status == 200
    assert px.stop()["accept_pauses"] > 0


def test_all_descriptors_but_a_few_are_for_clients(proxy, up):
    """The soft limit is no limit (H-10)."""
    px = proxy({"upstreams": {"up": {"url": up.url}}, "admin": "127.0.0.1:0"},
               descriptors=(256, 2000))
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(px.connect()) for _ in range(1100)]
        clients[-1].ask("GET", "/healthz")
        assert clients[-1].answer().status == 200
        until(lambda: metric(px, "connections") == 1100)
    until(lambda: metric(px, "connections") == 0)
    assert "accept_pauses" not in px.stop()


def is_served(client):
    client.ask("GET", "/healthz")
    try:
        return client.answer().status == 200
    except Gone:
        return False


def test_of_one_address_so_many_connections(proxy, up):
    px = proxy({"upstreams": {"up": {"url": up.url}}, "connections_per_address": 3})
    with contextlib.ExitStack() as stack:
        mine = [stack.enter_context(px.connect()) for _ in range(3)]
        assert all(is_served(client) for client in mine)
        assert not is_served(stack.enter_context(px.connect()))
        assert is_served(stack.enter_context(px.connect("127.0.0.2")))
        assert all(is_served(client) for client in mine)
        mine[0].close()
        until(lambda: is_served(stack.enter_context(px.connect())))
    assert px.stop()["connections_refused"] >= 1


def test_proxies_in_front_and_unix_sockets_are_not_counted(proxy, up, tmp_path):
    px = proxy({"upstreams": {"up": {"url": up.url}}, "connections_per_address": 1,
                "listen": ["127.0.0.1:0", f"unix:{tmp_path}/s"],
                "trusted_proxies": "127.0.0.2"})
    with contextlib.ExitStack() as stack:
        for source in ("127.0.0.2", "127.0.0.2", "127.0.0.1"):
            assert is_served(stack.enter_context(px.connect(source)))
        for _ in range(2):
            assert is_served(stack.enter_context(px.connect_unix(f"{tmp_path}/s")))
        assert not is_served(stack.enter_context(px.connect("127.0.0.1")))
    assert px.stop()["connections_refused"] == 1


MB = 1 << 20
CHAT = "/v1/chat/completions"


def ended(px):
    text = px.admin("GET", "/metrics").body.decode()
    return sum(int(n) for n in re.findall(r"^reprise_requests_total\S* (\d+)$", text, re.M))


def memory(px):
    return metric(px, "memory_bytes")


def peak(px):
    """The most memory the process ever had, in bytes."""
    status = open(f"/proc/{px.process.pid}/status", encoding="ascii").read()
    return int(re.search(r"VmHWM:\s+(\d+)", status)[1]) * 1024


def begin(px, stack, target, length, sent):
    """A client that promises a body of LENGTH and sends so much of it."""
    client = stack.enter_context(px.connect())
    client.method = "POST"
    fields = [("Host", "p"), ("Content-Length", length)]
    client.send(head_of(f"POST {target} HTTP/1.1", fields) + b" " * sent)
    return client


def assert_shed(answer):
    assert (answer.status, answer["Retry-After"]) == (503, "1")
    assert answer["x-should-retry"] != "false"
    assert "overloaded" in answer["Cache-Status"]


def test_over_the_memory_limit_new_bodies_are_refused(proxy, up):
    """H-83: many clients, large bodies."""
    px = proxy({"upstreams": {"up": {"url": up.url}}, "admin": "127.0.0.1:0",
                "memory_limit": "24MB", "max_body": "3MB"})
    up.expect("POST", PATH).reply(json=TEXT)
    assert px.post(PATH, {"inputs": "a"}).status == 200
    before = peak(px)
    with contextlib.ExitStack() as stack:
        for _ in range(40):             # none of them is whole: they hold what they sent
            begin(px, stack, CHAT, 3 * MB, 3 * MB - 1)
        until(lambda: memory(px) > 20 * MB)
        late = begin(px, stack, CHAT, 3 * MB, 0)
        answer = late.answer()          # before the body, in OpenAI's shape
        assert_shed(answer)
        assert answer.json["error"]["code"] == "overloaded"
        assert late.is_at_end()
        assert px.post(PATH, {"inputs": "a"})["x-compute-type"] == "cache"
        up.expect("POST", PATH).reply(json=TEXT)
        assert px.post(PATH, {"inputs": "b"}).status == 200
        assert memory(px) <= 24 * MB
        if not any(word in str(play.BUILD) for word in ("asan", "tsan")):
            assert peak(px) - before < 48 * MB
    until(lambda: memory(px) == 0)
    up.expect("POST", CHAT).reply(400, json={"error": "x"})
    assert px.post(CHAT, b" " * 3 * MB).status == 400
    until(lambda: memory(px) == 0)
    assert px.stop()["memory_refused"] >= 1


def test_a_body_in_chunks_is_refused_when_it_grows(proxy, up):
    px = proxy({"upstreams": {"up": {"url": up.url}}, "admin": "127.0.0.1:0",
                "memory_limit": "4MB", "max_body": "512kB"})
    with contextlib.ExitStack() as stack:
        for _ in range(8):
            begin(px, stack, CHAT, MB // 2, MB // 2 - 1)
        until(lambda: memory(px) == 4 * MB)
        client = stack.enter_context(px.connect())
        client.method = "POST"
        client.send(head_of(f"POST {CHAT} HTTP/1.1", [("Host", "p"),
                                                      ("Transfer-Encoding", "chunked")]))
        client.send(b"%x\r\n%s\r\n" % (MB // 4, b" " * (MB // 4)))
        answer = client.answer()
        assert_shed(answer)
        assert answer.json["error"]["code"] == "overloaded"
    until(lambda: memory(px) == 0)
    assert px.stop()["memory_refused"] == 1


def test_a_limit_that_is_lowered_holds_for_who_comes_then(proxy, up):
    px = proxy({"upstreams": {"up": {"url": up.url}}, "admin": "127.0.0.1:0",
                "memory_limit": "0B", "max_body": "64kB"})
    with contextlib.ExitStack() as stack:
        for _ in range(16):
            begin(px, stack, CHAT, 65536, 65535)
        until(lambda: memory(px) == MB)
        for limit, status in (("512kB", 503), ("0B", 400)):
            assert reload(px, {"memory_limit": limit}) == "reloaded"
            if status == 400:
                up.expect("POST", CHAT).reply(400, json={"error": "x"})
            assert px.post(CHAT, b" " * 60000).status == status
    px.stop()


@pytest.mark.parametrize("kind", ["application/json", "application/octet-stream"])
def test_a_large_answer_passes_in_small_pieces(proxy, up, kind):
    """What an upstream sends is bounded too, and arrives all the same."""
    px = proxy({"upstreams": {"up": {"url": up.url}}, "admin": "127.0.0.1:0",
                "memory_limit": "256kB", "max_body": "32kB"})
    body = dump([{"translation_text": "x" * 6 * MB}])
    up.expect("POST", PATH).reply(200, body, headers={"Content-Type": kind})
    answer = px.post(PATH, {"inputs": "a"})
    assert (answer.status, answer.body) == (200, body)
    until(lambda: memory(px) == 0)
    px.stop()


def test_who_does_not_take_an_answer_is_bounded_too(proxy, up, tmp_path):
    """C2, C5: a large answer from the cache, asked for and not read, again and again."""
    px = proxy({"upstreams": {"up": {"url": up.url}}, "admin": "127.0.0.1:0",
                "memory_limit": "16MB", "max_body": "2MB",
                "cache": {"path": str(tmp_path / "c"), "size": "1GB"}})
    body = dump([{"translation_text": "x" * 7 * MB}])
    up.expect("POST", PATH).reply(200, body, headers={"Content-Type": "application/json"})
    assert px.post(PATH, {"inputs": "a"}).body == body
    before = peak(px)
    with contextlib.ExitStack() as stack:
        for _ in range(20):
            client = stack.enter_context(px.connect())
            client.ask("POST", PATH, {"inputs": "a"})
        until(lambda: ended(px) == 21)
        assert 0 < memory(px) <= 16 * MB
        if not any(word in str(play.BUILD) for word in ("asan", "tsan")):
            assert peak(px) - before < 64 * MB
    until(lambda: memory(px) == 0)
    assert px.post(PATH, {"inputs": "a"}).body == body
    px.stop()
