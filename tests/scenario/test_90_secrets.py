# SPDX-License-Identifier: MIT
"""No token, key, prompt or answer in any log, whatever happens."""

import contextlib
import json

import pytest

CANARIES = ["canary-token", "canary-key", "canary-prompt", "canary-answer", "canary-query"]
KEYS = {"Authorization": "Bearer canary-key", "x-api-key": "canary-key", "Cookie": "a=canary-key"}
PATH = "/models/m"
QUESTION = {"inputs": "canary-prompt"}
ANSWER = [{"translation_text": "canary-answer"}]


def everything_happens(px, up):
    """A hit, a miss, refusals, and failures of every kind, all with canaries in them."""
    up.expect("POST", PATH).reply(json=ANSWER)
    px.post(PATH, QUESTION, KEYS)
    px.post(PATH, QUESTION, KEYS)
    up.expect("POST", PATH + "?key=canary-query").reply(500, json={"error": "canary-answer"})
    px.post(PATH + "?key=canary-query", QUESTION, KEYS)
    up.expect("POST", PATH).reply_raw(b"HTTP/1.1 200 OK\r\ncanary-answer")
    px.post(PATH, {"inputs": "canary-prompt, cut"}, KEYS)
    px.post("/models/../m?key=canary-query", QUESTION, KEYS)
    px.post(PATH, QUESTION, {**KEYS, "Expect": "canary-key"})
    px.post(PATH, QUESTION, {**KEYS, "Transfer-Encoding": "chunked"})
    px.post("/v1/chat/completions", QUESTION, {**KEYS, "Cache-Control": "only-if-cached"})
    up.expect("POST", "/v1/chat/completions").reply(
        headers={"Content-Type": "text/event-stream"}, chunks=[b"data: canary-answer\n\n"])
    px.post("/v1/chat/completions", {**QUESTION, "stream": True}, KEYS)


@pytest.mark.parametrize("log", [{}, {"access": True}, {"level": "debug", "access": True}],
                         ids=["default", "access", "debug"])
def test_no_log_tells(proxy, up, log):
    px = proxy({"log": log, "upstreams": {"up": {"url": up.url, "token": {"env": "TOKEN"}}}},
               env={"TOKEN": "canary-token"})
    everything_happens(px, up)
    assert px.stop()["requests"] == 9
    told = [canary for canary in CANARIES if canary in px.log]
    assert told == [], px.log


def test_nor_does_one_of_several_that_is_refused(proxy, up):
    px = proxy({"log": {"level": "debug", "access": True}, "upstreams": {"up": {
        "url": up.url, "tokens": [{"value": "canary-token-1"}, {"value": "canary-token-2"}]}}})
    for _ in range(2):
        up.expect("POST", PATH).reply(401, json={"error": "no"})
    assert "canary-token" not in str(px.post(PATH, QUESTION))
    px.stop()
    assert "refuses token 2" in px.log and "canary-token" not in px.log


def test_no_answer_of_ours_tells_the_token(proxy, up):
    px = proxy({"upstreams": {"up": {"url": up.url, "token": {"value": "canary-token"}}}})
    up.expect("POST", PATH).hang_up()
    answers = [px.post(PATH, QUESTION), px.post("/models/..", QUESTION),
               px.get("/healthz"), px.request("OPTIONS", PATH)]
    assert "canary-token" not in str(answers)
    px.stop()


def test_no_credential_is_stored(proxy, up):
    px = proxy({"upstreams": {"up": {"url": up.url, "token": {"client": True}}}})
    up.expect("POST", PATH).reply(json=ANSWER, headers={"Set-Cookie": "a=canary-key"})
    px.post(PATH, QUESTION, KEYS)
    assert px.post(PATH, QUESTION, KEYS)["x-compute-type"] == "cache"
    px.stop()
    stored = b"".join(file.read_bytes() for file in (px.directory / "cache").iterdir())
    assert b"canary-prompt" in stored and b"canary-key" not in stored


def test_h71_what_was_replaced_is_counted_in_memory(proxy, up, capsys):
    """Zeroing is best effort, since libcurl copies; that memory is nobody's to read is the wall."""
    px = proxy({"upstreams": {"up": {"url": up.url, "token": {"value": "canary-first-token"}}}})
    up.expect("POST", PATH).reply(json=ANSWER)
    px.post(PATH, QUESTION)
    config = {**px.config, "upstreams": {"up": {"url": up.url, "token": {"value": "another"}}}}
    (px.directory / "reprise.yaml").write_text(json.dumps(config))
    assert px.command("reload").returncode == 0
    pid = px.process.pid
    asked = up.expect("POST", PATH).reply(json=ANSWER)
    px.post(PATH, {"inputs": "another"})
    assert asked.request["authorization"] == "Bearer another"
    try:
        found = memory_of(pid).count(b"canary-first-" + b"token")
    except PermissionError:
        return      # as it should be, for all but root
    with capsys.disabled():
        print(f"\nH-71: a token that was replaced stands {found} times in memory")


def memory_of(pid):
    """What it has written to: its anonymous memory."""
    read = b""
    with open(f"/proc/{pid}/maps", encoding="ascii") as maps, \
            open(f"/proc/{pid}/mem", "rb", 0) as memory:
        for line in maps:
            span, rights, _offset, _device, inode = line.split()[:5]
            first, last = (int(end, 16) for end in span.split("-"))
            if "rw" in rights and inode == "0" and last - first < 1 << 28:
                with contextlib.suppress(OSError):
                    memory.seek(first)
                    read += memory.read(last - first)
    return read
