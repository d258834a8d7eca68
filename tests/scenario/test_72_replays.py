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
