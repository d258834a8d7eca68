# SPDX-License-Identifier: MIT
"""Every API that is known: a miss, a hit, and errors in its own shape."""

import pytest

CHAT = {"model": "m", "messages": [{"role": "user", "content": "Hi"}]}
CHAT_ANSWER = {"id": "1", "object": "chat.completion", "model": "m", "choices": [{
    "index": 0, "message": {"role": "assistant", "content": "Hello"}, "finish_reason": "stop"}]}
TEXT_ANSWER = {"id": "1", "object": "text_completion", "model": "m", "choices": [{
    "index": 0, "text": "Hello", "finish_reason": "stop"}]}
EMBEDDING = {"object": "list", "model": "m", "data": [{
    "object": "embedding", "index": 0, "embedding": [0.5, 0.25]}]}
MESSAGE = {"id": "1", "type": "message", "role": "assistant", "model": "m",
           "content": [{"type": "text", "text": "Hello"}], "stop_reason": "end_turn"}
INPUTS = {"inputs": "Hi"}
TEXT = [{"translation_text": "Hallo"}]

QUESTIONS = [
    # path, question, answer
    ("/models/org/m", INPUTS, TEXT),
    ("/pipeline/translation/org/m", INPUTS, TEXT),
    ("/models/org/m/pipeline/translation", INPUTS, TEXT),
    ("/hf-inference/models/org/m", INPUTS, TEXT),
    ("/hf-inference/models/org/m/pipeline/translation", INPUTS, TEXT),
    ("/models/org/m/v1/chat/completions", CHAT, CHAT_ANSWER),
    ("/hf-inference/models/org/m/v1/chat/completions", CHAT, CHAT_ANSWER),
    ("/v1/chat/completions", CHAT, CHAT_ANSWER),
    ("/chat/completions", CHAT, CHAT_ANSWER),
    ("/v1/completions", {"model": "m", "prompt": "Hi"}, TEXT_ANSWER),
    ("/v1/embeddings", {"model": "m", "input": "Hi"}, EMBEDDING),
    ("/embeddings", {"model": "m", "input": "Hi"}, EMBEDDING),
    ("/v1/messages", {**CHAT, "max_tokens": 5}, MESSAGE),
    ("/v1/messages?beta=true", {**CHAT, "max_tokens": 5}, MESSAGE),
    ("/api/chat", {**CHAT, "stream": False},
     {"model": "m", "message": {"role": "assistant", "content": "Hello"}, "done": True}),
    ("/api/generate", {"model": "m", "prompt": "Hi", "stream": False},
     {"model": "m", "response": "Hello", "done": True}),
    ("/api/embed", {"model": "m", "input": "Hi"}, {"model": "m", "embeddings": [[0.5]]}),
    ("/embed", INPUTS, [[0.5, 0.25]]),
    ("/predict", INPUTS, [{"label": "a", "score": 0.5}]),
    ("/rerank", {"query": "a", "texts": ["b"]}, [{"index": 0, "score": 0.5}]),
    ("/generate", INPUTS, {"generated_text": "Hello"}),
    ("/completion", {"prompt": "Hi"}, {"content": "Hello", "stop": True}),
]


@pytest.mark.parametrize("path, question, answer", QUESTIONS, ids=[row[0] for row in QUESTIONS])
def test_the_same_question_is_a_hit(px, up, path, question, answer):
    expected = up.expect("POST", path).reply(json=answer)
    first, again = px.post(path, question), px.post(path, question)
    assert expected.request.json == question
    assert [first["x-compute-type"], again["x-compute-type"]] == ["upstream", "cache"]
    assert first.body == again.body and again.json == answer
    assert px.stop() == {"requests": 2, "misses": 1, "hits": 1, "stored": 1}


def test_paths_that_differ_in_form_share_an_answer(px, up):
    up.expect("POST", "/v1/chat/completions").reply(json=CHAT_ANSWER)
    px.post("/v1/chat/completions", CHAT)
    assert px.post("/chat/completions", CHAT)["x-compute-type"] == "cache"
    assert px.stop()["hits"] == 1


def test_apis_share_no_answers(px, up):
    up.expect("POST", "/v1/chat/completions").reply(json=CHAT_ANSWER)
    px.post("/v1/chat/completions", CHAT)
    up.expect("POST", "/v1/messages").reply(json=MESSAGE)
    assert px.post("/v1/messages", CHAT).json == MESSAGE
    assert px.stop()["misses"] == 2


def test_gets_pass_and_are_not_stored(px, up):
    for _twice in range(2):
        up.expect("GET", "/v1/models").reply(json={"object": "list", "data": []})
        answer = px.get("/v1/models")
        assert answer.json["data"] == []
        assert answer["Cache-Status"] == "reprise; fwd=bypass; fwd-status=200"
    assert px.stop() == {"requests": 2, "bypasses": 2}


def test_stateful_responses_pass(px, up):
    question = {"model": "m", "input": "Hi"}
    for _twice in range(2):
        up.expect("POST", "/v1/responses").reply(json={"id": "1", "output": [{"type": "x"}]})
        assert "fwd=bypass" in px.post("/v1/responses", question)["Cache-Status"]
    assert px.stop()["bypasses"] == 2


def test_a_body_that_is_no_json_is_forwarded_as_it_is(px, up):
    for body in (b'{"inputs": "a", "inputs": "b"}', b"just text", b'{"inputs": "cut'):
        expected = up.expect("POST", "/models/m").reply(json=TEXT)
        assert px.post("/models/m", body).status == 200
        assert expected.request.body == body
        assert px.post("/models/m", body)["x-compute-type"] == "cache"
    assert px.stop()["hits"] == 3


def test_binary_questions_are_keyed_by_their_type(px, up):
    for kind in ("audio/flac", "audio/x-raw;rate=16000", "audio/x-raw;rate=8000"):
        expected = up.expect("POST", "/models/m").reply(json={"text": "hello"})
        kinds = [px.post("/models/m", b"\0\1\2", {"Content-Type": kind})["x-compute-type"]
                 for _twice in range(2)]
        assert kinds == ["upstream", "cache"]
        assert expected.request["Content-Type"] == kind and expected.request.body == b"\0\1\2"
    assert px.stop()["hits"] == 3


SHAPES = {
    "/models/m": lambda body: isinstance(body["error"], str),
    "/v1/chat/completions": lambda body: body["error"]["message"] and body["error"]["type"],
    "/v1/messages": lambda body: body["type"] == "error" and body["error"]["type"],
    "/api/chat": lambda body: isinstance(body["error"], str),
    "/embed": lambda body: isinstance(body["error"], str),
    "/generate": lambda body: isinstance(body["error"], str),
    "/completion": lambda body: body["error"]["message"],
}


@pytest.mark.parametrize("path", SHAPES)
def test_no_route_is_404_in_the_shape_of_the_api(proxy, up, path):
    px = proxy({"upstreams": {"up": {"url": up.url}},
                "routes": [{"model": "other", "to": "up"}]})
    answer = px.post(path, {"model": "m"})
    assert answer.status == 404 and SHAPES[path](answer.json)
    assert answer["x-compute-type"] == "none" and answer["x-request-id"]
    assert answer["Content-Type"] == "application/json"
    assert px.stop() == {"requests": 1, "refused": 1}


@pytest.mark.parametrize("path", SHAPES)
def test_a_dead_upstream_is_502_in_the_shape_of_the_api(px, up, path):
    up.expect("POST", path).hang_up()
    answer = px.post(path, {"model": "m", "stream": False})
    assert answer.status == 502 and SHAPES[path](answer.json)
    assert answer["x-compute-type"] == "none"
    assert px.stop() == {"requests": 1, "upstream_failures": 1}


def test_a_raw_path_goes_where_a_route_sends_it(proxy, up):
    px = proxy({"upstreams": {"up": {"url": up.url}},
                "routes": [{"path": "/own/*", "to": "up"}]})
    up.expect("POST", "/own/thing?a=1").reply(json={"x": 1})
    assert px.post("/own/thing?a=1", {"q": 1}).json == {"x": 1}
    assert px.post("/elsewhere", {"q": 1}).status == 404
    assert px.stop()["refused"] == 1
