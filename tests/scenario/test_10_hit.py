# SPDX-License-Identifier: MIT
"""Ask twice, wait once."""

import re

T5 = "/models/t5-base"
QUESTION = {"inputs": "Good morning.", "parameters": {"temperature": 0.5, "top_k": 3}}
ANSWER = [{"translation_text": "Guten Morgen."}]


def test_the_second_asking_is_a_hit(px, up):
    up.expect("POST", T5).reply(json=ANSWER)
    assert px.post(T5, QUESTION)["x-compute-type"] == "upstream"
    again = px.post(T5, QUESTION)
    assert (again["x-compute-type"], again.status, again.json) == ("cache", 200, ANSWER)
    assert px.stop() == {"requests": 2, "misses": 1, "hits": 1, "stored": 1}


def test_a_miss_says_where_it_was_computed(px, up):
    up.expect("POST", T5).reply(json=ANSWER, headers={
        "x-compute-type": "gpu+optimized", "x-compute-time": "0.123"})
    miss = px.post(T5, QUESTION)
    assert miss["x-compute-type"] == "gpu+optimized"
    assert miss["x-compute-time"] == "0.123"
    assert miss["Cache-Status"] == "reprise; fwd=miss; fwd-status=200; stored"
    assert miss["Age"] is None and miss["x-reprise-origin"] is None
    assert re.fullmatch(r"[!-~]+", miss["x-request-id"])
    assert px.stop()["misses"] == 1


def test_a_hit_says_where_it_was_computed_once(px, up):
    up.expect("POST", T5).reply(json=ANSWER, headers={
        "x-compute-type": "gpu", "x-compute-time": "0.123", "x-compute-characters": "13"})
    px.post(T5, QUESTION)
    hit = px.post(T5, QUESTION)
    assert hit["x-compute-type"] == "cache" and hit["x-reprise-origin"] == "gpu"
    assert hit["x-compute-time"] is None
    assert hit["Content-Type"] == "application/json"
    assert re.fullmatch(r"reprise; hit; ttl=\d+", hit["Cache-Status"])
    assert re.fullmatch(r"\d+", hit["Age"])
    assert px.stop()["hits"] == 1


def test_an_upstream_has_the_compute_type_of_its_configuration(proxy, up):
    px = proxy({"upstreams": {"up": {"url": up.url, "compute": "cpu+optimized"}}})
    up.expect("POST", T5).reply(json=ANSWER)
    assert px.post(T5, QUESTION)["x-compute-type"] == "cpu+optimized"
    assert px.post(T5, QUESTION)["x-reprise-origin"] == "cpu+optimized"
    assert px.stop()["hits"] == 1


def test_time_is_measured_where_the_upstream_names_none(px, up):
    up.expect("POST", T5).reply(json=ANSWER)
    assert re.fullmatch(r"\d+\.\d{3}", px.post(T5, QUESTION)["x-compute-time"])
    assert px.stop()["misses"] == 1


def test_the_request_id_is_the_clients_or_ours(px, up):
    up.expect("POST", T5).reply(json=ANSWER, headers={"x-request-id": "theirs"})
    assert px.post(T5, QUESTION, {"x-request-id": "mine-1"})["x-request-id"] == "mine-1"
    assert px.post(T5, QUESTION, {"x-request-id": "mine-2"})["x-request-id"] == "mine-2"
    ours = {px.post(T5, QUESTION)["x-request-id"] for _ in range(3)}
    assert len(ours) == 3 and not ours & {"theirs", "mine-1"}
    assert px.stop()["hits"] == 4


def test_a_hit_survives_a_restart(px, up):
    up.expect("POST", T5).reply(json=ANSWER, headers={"x-compute-type": "cpu"})
    px.post(T5, QUESTION)
    px.restart()
    again = px.post(T5, QUESTION)
    assert (again["x-compute-type"], again["x-reprise-origin"]) == ("cache", "cpu")
    assert again.json == ANSWER
    assert px.stop() == {"requests": 1, "hits": 1}


def test_everyone_shares_a_hit(px, up):
    up.expect("POST", T5).reply(json=ANSWER)
    px.post(T5, QUESTION, {"Authorization": "Bearer one", "User-Agent": "one"})
    other = px.post(T5, QUESTION, {"Authorization": "Bearer two", "User-Agent": "two"})
    assert other["x-compute-type"] == "cache"
    assert px.stop()["hits"] == 1


def test_the_spelling_of_a_question_does_not_matter(px, up):
    up.expect("POST", T5).reply(json=ANSWER)
    px.post(T5, QUESTION)
    for spelling in (
            b'{"parameters":{"top_k":3,"temperature":0.5},"inputs":"Good morning."}',
            b'{ "inputs" : "Good\\u0020morning." ,\r\n\t'
            b'"parameters":{"temperature":5e-1,"top_k":3}}',
            b'{"inputs":"Good morning.","parameters":{"temperature":0.50,"top_k":3}}'):
        assert px.post(T5, spelling)["x-compute-type"] == "cache", spelling
    assert px.stop()["hits"] == 3


def test_another_value_is_another_question(px, up):
    others = [
        b'{"inputs":"good morning.","parameters":{"temperature":0.5,"top_k":3}}',
        b'{"inputs":"Good morning.","parameters":{"temperature":0.5,"top_k":4}}',
        b'{"inputs":"Good morning.","parameters":{"temperature":0.5}}',
        b'{"inputs":"Good morning.","parameters":{"temperature":0.5,"top_k":3.0}}',
        b'{"inputs":["Good morning."],"parameters":{"temperature":0.5,"top_k":3}}',
        b'{"inputs":"Good morning.","parameters":{"temperature":0.5,"top_k":3},"x":null}',
    ]
    up.expect("POST", T5).reply(json=ANSWER)
    px.post(T5, QUESTION)
    for other in others:
        up.expect("POST", T5).reply(json=ANSWER)
        assert px.post(T5, other)["x-compute-type"] == "upstream", other
    assert px.stop()["misses"] == 1 + len(others)


def test_another_model_is_another_question(px, up):
    for path in (T5, "/models/t5-small"):
        up.expect("POST", path).reply(json=ANSWER)
        assert px.post(path, QUESTION)["x-compute-type"] == "upstream"
    assert px.stop()["misses"] == 2


def test_neutral_fields_make_no_difference(px, up):
    chat = {"model": "m", "messages": [{"role": "user", "content": "Hi"}]}
    whole = {"id": "1", "object": "chat.completion", "model": "m", "choices": [{
        "index": 0, "message": {"role": "assistant", "content": "Hello"},
        "finish_reason": "stop"}]}
    up.expect("POST", "/v1/chat/completions").reply(json=whole)
    px.post("/v1/chat/completions", chat)
    for extra in ({"user": "someone"}, {"stream": False}):
        again = px.post("/v1/chat/completions", {**chat, **extra})
        assert again["x-compute-type"] == "cache", extra
    assert px.stop()["hits"] == 2


def test_cookies_of_an_upstream_are_not_replayed(px, up):
    up.expect("POST", T5).reply(json=ANSWER, headers={"Set-Cookie": "a=b", "x-kept": "yes"})
    px.post(T5, QUESTION)
    hit = px.post(T5, QUESTION)
    assert hit["x-compute-type"] == "cache" and hit["Set-Cookie"] is None
    assert px.stop()["hits"] == 1


def test_the_cache_is_for_nobody_elses_eyes(px, up):
    up.expect("POST", T5).reply(json=ANSWER)
    px.post(T5, QUESTION)
    px.stop()
    cache = px.directory / "cache"
    assert cache.stat().st_mode & 0o777 == 0o700
    assert {file.stat().st_mode & 0o777 for file in cache.iterdir()} == {0o600}
