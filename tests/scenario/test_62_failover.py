# SPDX-License-Identifier: MIT
"""Another upstream takes the place of one that fails, and no token goes where it is not at home."""

import collections
import contextlib
import threading

import pytest

CHAT, SSE = "/v1/chat/completions", "text/event-stream"
ASKED = {"model": "m", "messages": [{"role": "user", "content": "a"}]}
SAID = {"id": "c", "object": "chat.completion", "created": 1, "model": "m", "choices": [
    {"index": 0, "message": {"role": "assistant", "content": "x"}, "finish_reason": "stop"}]}
ERROR = {"error": {"message": "x"}}


@pytest.fixture
def two(proxy, upstream):
    """(a proxy in front of two upstreams, a, b); each has a token of its own."""
    def make(route=None):
        a, b = upstream(), upstream()
        px = proxy({"upstreams": {"a": {"url": a.url, "token": {"value": "token-of-a"}},
                                  "b": {"url": b.url, "token": {"value": "token-of-b"}}},
                    "routes": [{"model": "*", "to": ["a", "b"], **(route or {})}]})
        return px, a, b
    return make


def test_the_second_answers_where_the_first_fails(two):
    px, a, b = two()
    a.expect("POST", CHAT).hang_up()
    b.expect("POST", CHAT).reply(json=SAID)
    answer = px.post(CHAT, ASKED)
    assert (answer.status, answer["x-reprise-upstream"]) == (200, "b")
    assert answer["x-reprise-fallback"] == "1" and "stored" in answer["cache-status"]
    hit = px.post(CHAT, ASKED)
    assert (hit["x-compute-type"], hit["x-reprise-upstream"]) == ("cache", None)
    assert [r["authorization"] for r in a.requests] == ["Bearer token-of-a"]
    assert [r["authorization"] for r in b.requests] == ["Bearer token-of-b"]


@pytest.mark.parametrize("status", [408, 409, 424, 425, 429, 500, 502, 503, 504, 529])
def test_or_says_what_another_may_say_better(two, status):
    px, a, b = two()
    a.expect("POST", CHAT).reply(status, json=ERROR)
    b.expect("POST", CHAT).reply(json=SAID)
    assert px.post(CHAT, ASKED)["x-reprise-upstream"] == "b"


@pytest.mark.parametrize("status", [400, 401, 403, 404, 413, 422])
def test_an_error_of_the_question_is_told(two, status):
    px, a, _b = two()
    a.expect("POST", CHAT).reply(status, json=ERROR)
    answer = px.post(CHAT, ASKED)
    assert (answer.status, answer["x-reprise-upstream"]) == (status, "a")
    assert answer["x-reprise-fallback"] is None


def test_where_all_fail_the_last_is_told(two):
    px, a, b = two()
    a.expect("POST", CHAT).reply(503, json=ERROR)
    b.expect("POST", CHAT).reply(500, json={"error": {"message": "of b"}})
    answer = px.post(CHAT, ASKED)
    assert (answer.status, answer.error, answer["x-should-retry"]) == (500, "of b", "false")


def test_a_stream_is_taken_over_before_its_first_byte_only(two):
    px, a, b = two()
    events = [b'data: {"choices":[{"index":0,"delta":{"content":"x"}}]}\n\n',
              b'data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\n',
              b"data: [DONE]\n\n"]
    a.expect("POST", CHAT).reply(503, json=ERROR)
    b.expect("POST", CHAT).reply(headers={"Content-Type": SSE}, chunks=events)
    answer = px.post(CHAT, {**ASKED, "stream": True})
    assert answer.body == b"".join(events) and answer["x-reprise-upstream"] == "b"
    seen = threading.Event()
    a.expect("POST", CHAT).reply_raw(
        b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
        + b"%x\r\n%s\r\n" % (len(events[0]), events[0]), seen)
    with px.connect() as client:
        client.ask("POST", CHAT, {**ASKED, "stream": True, "seed": 1})
        assert client.head()["x-reprise-upstream"] == "a"
        assert client.chunk() == events[0]
        seen.set()
        assert b'"code":"upstream_closed"' in client.chunk()
        assert client.chunk() == b"" and client.is_at_end()


def test_what_may_do_something_is_not_done_twice(two):
    """A path that no API is known by, and an error that came from beyond it."""
    px, a, b = two()
    a.expect("POST", "/fine-tunes").reply(500, json=ERROR)
    assert px.post("/fine-tunes", {"model": "m"}).status == 500
    assert not b.requests


@pytest.mark.parametrize("target", ["http://b.example/v1/chat/completions", "//b.example/x"])
def test_a_token_goes_nowhere_else_whatever_an_upstream_says(two, target):
    """A redirect is an answer like another: it is passed on, not followed."""
    px, a, b = two()
    a.expect("POST", CHAT).reply(307, headers={"Location": b.url + CHAT})
    answer = px.post(CHAT, ASKED, {"Host": "b.example", "X-Forwarded-Host": target})
    assert answer.status == 307 and not b.requests
    assert a.requests[0]["host"] == a.url.removeprefix("http://")


def test_what_is_answered_to_one_client_alone_is_not_given_to_another(proxy, upstream):
    """H-27, also where only the second upstream is asked with the client's own credentials."""
    a, b = upstream(), upstream()
    px = proxy({"upstreams": {"a": {"url": a.url, "token": {"value": "token-of-a"}},
                              "b": {"url": b.url, "token": {"client": True}}},
                "routes": [{"model": "*", "to": ["a", "b"]}]})
    for owner in ("one", "other"):
        a.expect("POST", CHAT).hang_up()
        b.expect("POST", CHAT).reply(json={**SAID, "owner": owner})
        for compute in ("upstream", "cache"):
            answer = px.post(CHAT, ASKED, {"Authorization": f"Bearer key-of-{owner}"})
            assert (answer["x-compute-type"], answer.json["owner"]) == (compute, owner)
    assert [r["authorization"] for r in b.requests] == ["Bearer key-of-one", "Bearer key-of-other"]


def test_five_failures_in_a_row_and_it_is_left_alone(two):
    px, a, b = two()
    for n in range(5):
        a.expect("POST", CHAT).hang_up()
        b.expect("POST", CHAT).reply(json=SAID)
        assert px.post(CHAT, {**ASKED, "seed": n}).status == 200
    b.expect("POST", CHAT).reply(json=SAID)
    assert px.post(CHAT, {**ASKED, "seed": 5})["x-reprise-upstream"] == "b"
    assert len(a.requests) == 5
    counts = px.stop()
    assert counts["retries"] == 5


def test_a_crowd_fails_over_as_one(two):
    px, a, b = two()
    call = a.expect("POST", CHAT).hang_up()
    b.expect("POST", CHAT).reply(json=SAID)
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(px.connect()) for _ in range(20)]
        for client in clients:
            client.ask("POST", CHAT, ASKED)
        answers = [client.answer() for client in clients]
    call.wait()
    assert {answer.status for answer in answers} == {200}
    assert len(b.requests) == 1


def test_weights_are_shares_of_the_requests(two):
    """Exactly, over both workers; and what one answered is in the cache for all."""
    px, a, b = two({"to": {"a": 3, "b": 1}})
    chosen = collections.Counter()
    for n in range(40):
        for up in (a, b):
            up.expect("POST", CHAT).reply(json=SAID)
        chosen[px.post(CHAT, {**ASKED, "seed": n})["x-reprise-upstream"]] += 1
        assert px.post(CHAT, {**ASKED, "seed": n})["x-compute-type"] == "cache"
    assert chosen == {"a": 30, "b": 10}
    assert (len(a.requests), len(b.requests)) == (30, 10)
    for up in (a, b):
        up.expected.clear()


def test_the_least_busy_is_asked(two):
    px, a, b = two({"balance": "least_busy"})
    go_on = threading.Event()
    slow = a.expect("POST", CHAT).reply_raw(go_on)
    with px.connect() as client:
        client.ask("POST", CHAT, ASKED)
        slow.wait()
        for n in range(3):
            b.expect("POST", CHAT).reply(json=SAID)
            answer = px.post(CHAT, {**ASKED, "seed": n})
            assert (answer["x-reprise-upstream"], answer["x-reprise-fallback"]) == ("b", None)
        b.expect("POST", CHAT).reply(json=SAID)
        go_on.set()
        answer = client.answer()
        assert (answer["x-reprise-upstream"], answer["x-reprise-fallback"]) == ("b", "1")


@pytest.fixture
def several(proxy, up):
    """A proxy whose one upstream has three tokens."""
    return proxy({"upstreams": {"up": {"url": up.url, "tokens": [
        {"env": "TOKEN_1"}, {"value": "token-2"}, {"env": "TOKEN_3"}]}}},
        env={"TOKEN_1": "token-1", "TOKEN_3": "token-3"})


def used(up):
    return [request["authorization"].removeprefix("Bearer token-") for request in up.requests]


def test_tokens_are_used_in_turn(several, up):
    for n in range(12):
        up.expect("POST", CHAT).reply(json=SAID)
        assert several.post(CHAT, {**ASKED, "seed": n}, {"Authorization": "Bearer x"}).status == 200
    assert used(up) == ["1", "2", "3"] * 4


@pytest.mark.parametrize("status", [401, 402, 403, 429])
@pytest.mark.parametrize("is_stream", [False, True])
def test_another_token_takes_the_place_of_one_that_is_refused(several, up, status, is_stream):
    up.expect("POST", CHAT).reply(status, json=ERROR)
    up.expect("POST", CHAT).reply(json=SAID)
    assert several.post(CHAT, {**ASKED, "stream": is_stream}).json == SAID
    for n in range(2):
        up.expect("POST", CHAT).reply(json=SAID)
        assert several.post(CHAT, {**ASKED, "seed": n}).status == 200
    assert used(up) == ["1", "2", "3", "2"]
    counts = several.stop()
    assert counts["retries"] == 1
    assert "refuses token 1 of its list" in several.log and "token-1" not in several.log


def test_where_all_are_refused_the_last_answer_is_told(several, up):
    for n in range(3):
        up.expect("POST", CHAT).reply(429, json={"error": {"message": f"{n}"}},
                                      headers={"Retry-After": 600 - n})
    answer = several.post(CHAT, ASKED)
    assert (answer.status, answer.error, answer["retry-after"]) == (429, "2", "598")
    up.expect("POST", CHAT).reply(json=SAID)
    assert several.post(CHAT, ASKED).status == 200
    assert used(up) == ["1", "2", "3", "3"]


def test_any_other_error_is_none_of_the_token(several, up):
    up.expect("POST", CHAT).reply(404, json=ERROR)
    assert several.post(CHAT, ASKED).status == 404
    assert used(up) == ["1"]


def revised(px, **options):
    """Starts it again with these options of its upstreams or, as "route", of its route."""
    for name, option in options.items():
        (px.config["routes"][0] if name == "route" else px.config["upstreams"][name]).update(option)
    px.restart()


def test_a_new_model_gives_no_old_answers(two):
    px, a, _b = two()
    a.expect("POST", CHAT).reply(json=SAID)
    px.post(CHAT, ASKED)
    revised(px, a={"revision": "1"})
    a.expect("POST", CHAT).reply(json=SAID)
    assert px.post(CHAT, ASKED)["x-compute-type"] == "upstream"
    for _ in range(2):
        assert px.post(CHAT, ASKED)["x-compute-type"] == "cache"
    revised(px, route={"revision": "2"})
    a.expect("POST", CHAT).reply(json=SAID)
    assert px.post(CHAT, ASKED)["x-compute-type"] == "upstream"
    revised(px, route={"revision": "1"})
    assert px.post(CHAT, ASKED)["x-compute-type"] == "cache"


def test_nor_is_that_of_another_kept_under_its_name(two):
    px, a, b = two()
    revised(px, a={"revision": "1"}, b={"revision": "2"})
    for _ in range(2):
        a.expect("POST", CHAT).hang_up()
        b.expect("POST", CHAT).reply(json=SAID)
        answer = px.post(CHAT, ASKED)
        assert answer["x-reprise-upstream"] == "b" and "stored" not in answer["cache-status"]
    revised(px, b={"revision": "1"})
    a.expect("POST", CHAT).hang_up()
    b.expect("POST", CHAT).reply(json=SAID)
    assert "stored" in px.post(CHAT, ASKED)["cache-status"]
