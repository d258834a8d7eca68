# SPDX-License-Identifier: MIT
"""What the proxy asks of its upstreams on its own account."""

import pytest

CHAT = "/v1/chat/completions"
ASKED = {"model": "m", "messages": [{"role": "user", "content": "a"}]}
SAID = {"id": "c", "object": "chat.completion", "created": 1, "model": "m", "choices": [
    {"index": 0, "message": {"role": "assistant", "content": "x"}, "finish_reason": "stop"}]}


def numbered(number):
    return {**ASKED, "seed": number}


@pytest.fixture
def checked(proxy, upstream):
    """(a proxy in front of two upstreams, a, b); the first is checked all the time."""
    a, b = upstream(), upstream()
    health = a.always("GET", "/health").reply()
    px = proxy({"upstreams": {"a": {"url": a.url, "token": {"value": "token-of-a"},
                                    "health": "/health every 20ms"},
                              "b": {"url": b.url, "token": {"value": "token-of-b"}}},
                "routes": [{"model": "*", "to": ["a", "b"]}]})
    a.wait_for(3, "GET", "/health")
    return px, a, b, health


@pytest.mark.parametrize("reply", [
    lambda health: health.reply(503), lambda health: health.hang_up(),
    lambda health: health.reply(302, headers={"Location": "/ready"}),
    lambda health: health.reply_raw(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nwell")])
def test_an_upstream_that_is_not_well_is_passed_over_until_it_is(checked, reply):
    px, a, b, health = checked
    a.expect("POST", CHAT).reply(json=SAID)
    assert px.post(CHAT, numbered(1))["x-reprise-upstream"] == "a"
    reply(health)
    a.wait_for(4, "GET", "/health")
    b.expect("POST", CHAT).reply(json=SAID)
    assert px.post(CHAT, numbered(2))["x-reprise-upstream"] == "b"
    health.reply(200)
    a.wait_for(3, "GET", "/health")
    a.expect("POST", CHAT).reply(json=SAID)
    assert px.post(CHAT, numbered(3))["x-reprise-upstream"] == "a"
    assert px.log.count("is not well") == 1 and px.log.count("is well again") == 1
    assert {one["authorization"] for one in a.requests} == {"Bearer token-of-a"}
    assert {one["authorization"] for one in b.requests} == {"Bearer token-of-b"}
    assert a.came("GET", "/health")[0]["user-agent"].startswith("reprise/")


def test_a_check_without_an_answer_is_given_up(checked):
    px, a, b, health = checked
    health.never_answer()
    a.wait_for(4, "GET", "/health")
    b.expect("POST", CHAT).reply(json=SAID)
    assert px.post(CHAT, ASKED)["x-reprise-upstream"] == "b"
    assert px.stop()["misses"] == 1


def test_where_all_are_unwell_it_is_said(proxy, up):
    health = up.always("GET", "/health").reply(500)
    px = proxy({"upstreams": {"up": {"url": up.url, "health": "/health every 20ms"}}})
    up.wait_for(4, "GET", "/health")
    answer = px.post(CHAT, ASKED)
    assert (answer.status, answer["retry-after"]) == (503, "1")
    assert answer["cache-status"].endswith("detail=upstreams_unavailable")
    health.reply()
    up.wait_for(3, "GET", "/health")
    up.expect("POST", CHAT).reply(json=SAID)
    assert px.post(CHAT, ASKED).status == 200


def test_in_replay_nothing_is_checked(proxy, up):
    px = proxy({"cache": {"mode": "replay"},
                "upstreams": {"up": {"url": up.url, "health": "/health every 10ms"}}})
    for _again in range(20):
        assert px.post(CHAT, ASKED).status == 504
    assert not up.requests
