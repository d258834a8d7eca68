# SPDX-License-Identifier: MIT
"""What a route changes in answers that come from the cache, and how fast they come."""

import json
import time

import pytest

CHAT_PATH, SSE = "/v1/chat/completions", "text/event-stream"
CHAT = {"model": "m", "messages": [{"role": "user", "content": "Hi"}], "stream": True}
WHOLE = {"model": "m", "messages": CHAT["messages"]}
USAGE = {"prompt_tokens": 7, "completion_tokens": 2, "total_tokens": 9,
         "prompt_tokens_details": {"cached_tokens": 3}}
ANSWER = {"id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": "m", "choices": [
    {"index": 0, "message": {"role": "assistant", "content": "Ho"}, "finish_reason": "stop"}],
    "usage": USAGE}


def event(delta, reason=None, **more):
    return b"data: %s\n\n" % json.dumps({
        "id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "m",
        "choices": [{"index": 0, "delta": delta, "finish_reason": reason}], **more}).encode()


EVENTS = [event({"role": "assistant", "content": ""}), event({"content": "H"}),
          event({"content": "o"}), event({}, "stop"), b"data: [DONE]\n\n"]


def data_of(stream):
    """The objects of its events but the last, which is [DONE]."""
    events = stream.decode().split("\n\n")
    assert events[-2:] == ["data: [DONE]", ""]
    return [json.loads(event.removeprefix("data: ")) for event in events[:-2]]


@pytest.fixture
def replaying(proxy, up):
    """Makes a proxy whose one route has these cache options, and which knows this answer."""
    def make(route, question, **reply):
        px = proxy({"upstreams": {"up": {"url": up.url}},
                    "routes": [{"model": "*", "to": "up", "cache": route}]})
        up.expect("POST", CHAT_PATH).reply(**reply)
        px.first = px.post(CHAT_PATH, question)
        return px
    return make


def test_each_answer_may_have_an_id_and_a_time_of_its_own(replaying):
    px = replaying({"fresh_ids": True}, WHOLE, json=ANSWER)
    assert px.first.json == ANSWER
    answers = [px.post(CHAT_PATH, WHOLE) for _ in range(3)]
    assert {answer["x-compute-type"] for answer in answers} == {"cache"}
    answers = [answer.json for answer in answers]
    ids = {answer.pop("id") for answer in answers}
    assert len(ids) == 3 and all(id.startswith("chatcmpl-") and len(id) == 25 for id in ids)
    assert all(abs(answer.pop("created") - time.time()) < 100 for answer in answers)
    assert all(answer == {k: v for k, v in ANSWER.items() if k not in ("id", "created")}
               for answer in answers)


def test_a_stream_has_one_id_in_all_its_events(replaying):
    px = replaying({"fresh_ids": True}, CHAT, headers={"Content-Type": SSE}, chunks=EVENTS)
    first, second = (data_of(px.post(CHAT_PATH, CHAT).body) for _ in range(2))
    ids = [{event["id"] for event in stream} for stream in (first, second)]
    assert len(ids[0]) == len(ids[1]) == 1 and ids[0] != ids[1]
    assert [event["choices"] for event in first] == [
        event["choices"] for event in data_of(b"".join(EVENTS))]
    whole = px.post(CHAT_PATH, WHOLE).json
    assert whole["id"] not in ("chatcmpl-1", *ids[0], *ids[1])


def test_an_answer_from_the_cache_may_say_that_it_used_nothing(replaying):
    px = replaying({"usage_on_hit": "zero"}, WHOLE, json=ANSWER)
    assert px.first.json["usage"] == USAGE
    zeros = {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0,
             "prompt_tokens_details": {"cached_tokens": 0}}
    assert px.post(CHAT_PATH, WHOLE).json == {**ANSWER, "usage": zeros}
    asking = {**CHAT, "stream_options": {"include_usage": True}}
    assert data_of(px.post(CHAT_PATH, asking).body)[-1]["usage"] == zeros


def test_by_default_what_comes_again_is_what_came(replaying):
    px = replaying({}, WHOLE, json=ANSWER)
    assert px.post(CHAT_PATH, WHOLE).body == px.first.body


def test_a_stream_at_a_pace_is_the_same_stream(replaying):
    px = replaying({"replay_pace": "500/s"}, CHAT, headers={"Content-Type": SSE}, chunks=EVENTS)
    with px.connect() as client:
        for _ in range(3):
            client.ask("POST", CHAT_PATH, CHAT)
            answer = client.answer()
            assert (answer["x-compute-type"], answer.body) == ("cache", px.first.body)


PLAIN = [event({"role": "assistant", "content": ""}), event({"content": "Ho"}),
         event({}, "stop"), b"data: [DONE]\n\n"]
TELLING = [event({"role": "assistant", "content": ""}, usage=None),
           event({"content": "Ho"}, usage=None), event({}, "stop", usage=None),
           b"data: %s\n\n" % json.dumps({
               "id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "m",
               "choices": [], "usage": USAGE}).encode(),
           b"data: [DONE]\n\n"]


@pytest.fixture
def asking(proxy, up):
    """Makes a proxy that asks its upstream for the usage, and whose route is like this."""
    def make(**route):
        return proxy({"upstreams": {"up": {"url": up.url, "include_usage": True}},
                      "routes": [{"model": "*", "to": "up", **route}]})
    return make


def test_usage_is_asked_for_and_kept_from_who_did_not_ask(asking, up):
    px = asking()
    up.expect("POST", CHAT_PATH).reply(headers={"Content-Type": SSE}, chunks=TELLING)
    first = px.post(CHAT_PATH, CHAT)
    assert up.requests[0].json == {**CHAT, "stream_options": {"include_usage": True}}
    assert b"usage" not in first.body and first["x-compute-type"] == "upstream"
    assert data_of(first.body) == data_of(b"".join(PLAIN))
    again = px.post(CHAT_PATH, CHAT)
    assert (again["x-compute-type"], again.body) == ("cache", first.body)
    told = px.post(CHAT_PATH, {**CHAT, "stream_options": {"include_usage": True}})
    assert (told["x-compute-type"], told.body) == ("cache", b"".join(TELLING))
    assert px.post(CHAT_PATH, WHOLE).json["usage"] == USAGE


@pytest.mark.parametrize("options, sent", [
    ({}, {"include_usage": True}), (None, {"include_usage": True}),
    ({"include_usage": False}, {"include_usage": True}),
    ({"other": [1]}, {"include_usage": True, "other": [1]})])
def test_whatever_the_client_says_of_it(asking, up, options, sent):
    px = asking(rewrite_model="n")
    up.expect("POST", CHAT_PATH).reply(headers={"Content-Type": SSE}, chunks=TELLING)
    question = {"cache": {"ttl": 60}, **CHAT, "stream_options": options}
    assert b"usage" not in px.post(CHAT_PATH, question).body
    assert up.requests[0].json == {**CHAT, "model": "n", "stream_options": sent}


def test_who_asks_gets_it_as_it_came(asking, up):
    px = asking()
    up.expect("POST", CHAT_PATH).reply(headers={"Content-Type": SSE}, chunks=TELLING)
    question = {**CHAT, "stream_options": {"include_usage": True}}
    for _ in range(2):
        assert px.post(CHAT_PATH, question).body == b"".join(TELLING)
    assert up.requests[0].json == question


def test_whole_answers_and_other_apis_are_not_asked(asking, up):
    px = asking()
    up.expect("POST", CHAT_PATH).reply(json=ANSWER)
    assert px.post(CHAT_PATH, WHOLE).json == ANSWER
    up.expect("POST", "/v1/messages").reply(503)
    px.post("/v1/messages", CHAT)
    assert [request.json for request in up.requests] == [WHOLE, CHAT]


def test_an_upstream_that_does_not_tell_is_no_trouble(asking, up):
    px = asking()
    up.expect("POST", CHAT_PATH).reply(headers={"Content-Type": SSE}, chunks=EVENTS)
    for _ in range(2):
        assert px.post(CHAT_PATH, CHAT).body == b"".join(EVENTS)
    up.expect("POST", CHAT_PATH).reply(headers={"Content-Type": SSE}, chunks=TELLING)
    question = {**CHAT, "stream_options": {"include_usage": True}}
    assert px.post(CHAT_PATH, question).body == b"".join(TELLING)


def test_without_a_cache_it_is_kept_from_the_client_too(asking, up):
    """And an event larger than what is read ahead passes."""
    px = asking(cache=False)
    large = event({"content": "x" * 3_000_000}, usage=None)
    pieces = [*TELLING[:1], large[:2_000_000], large[2_000_000:], *TELLING[1:]]
    up.expect("POST", CHAT_PATH).reply(headers={"Content-Type": SSE}, chunks=pieces)
    events = data_of(px.post(CHAT_PATH, CHAT).body)
    assert [event["choices"][0]["delta"].get("content") for event in events] == [
        "", "x" * 3_000_000, "Ho", None]
