# SPDX-License-Identifier: MIT
"""What is stored, for how long, under which name, and how a client steers it."""

import pytest

CHAT = "/v1/chat/completions"
QUESTION = {"model": "m", "messages": [{"role": "user", "content": "Hello"}]}
COLD = {**QUESTION, "temperature": 0}


def says(text, model="m", number=1):
    return {"id": f"chatcmpl-{number}", "created": number, "model": model, "choices": [
        {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}]}


def text_of(answer):
    return answer.json["choices"][0]["message"]["content"]


@pytest.fixture
def caching(proxy, up):
    """Makes a proxy whose one route has these cache options, and the cache those."""
    def make(route=None, cache=None, **top):
        config = {"upstreams": {"up": {"url": up.url}},
                  "routes": [{"model": "*", "to": "up", **({"cache": route} if route else {})}],
                  **top}
        if cache:
            config["cache"] = {"path": "cache", "size": "64MB", **cache}
        return proxy(config)
    return make


def ask_twice(px, up, question=QUESTION, answer=None, headers=(), path=CHAT):
    """The second answer's compute type; one call upstream is expected if it is `cache`."""
    up.expect("POST", path).reply(json=answer or says("Hi"))
    assert px.post(path, question, headers).status == 200
    return lambda: px.post(path, question, headers)["x-compute-type"]


def test_the_default_is_to_store_what_was_sampled_too(caching, up):
    assert ask_twice(caching(), up)() == "cache"


def test_deterministic_stores_only_what_was_not_drawn_by_chance(caching, up):
    px = caching({"store": "deterministic"})
    assert ask_twice(px, up, COLD)() == "cache"
    for _ in range(2):
        up.expect("POST", CHAT).reply(json=says("Hi"))
        assert px.post(CHAT, QUESTION)["cache-status"] == "reprise; fwd=bypass; fwd-status=200"


def test_never_stores_nothing(caching, up):
    px = caching({"store": "never"})
    for _ in range(2):
        up.expect("POST", CHAT).reply(json=says("Hi"))
        assert px.post(CHAT, QUESTION)["cache-status"] == "reprise; fwd=miss; fwd-status=200"


def test_what_a_route_ignores_does_not_count(caching, up):
    px = caching({"ignore": ["/tag", "/messages/*/name"]})
    up.expect("POST", CHAT).reply(json=says("Hi"))
    px.post(CHAT, {**QUESTION, "tag": 1})
    other = {"model": "m", "messages": [{"role": "user", "name": "x", "content": "Hello"}]}
    assert px.post(CHAT, other)["x-compute-type"] == "cache"
    assert up.requests[0].json["tag"] == 1      # it goes upstream all the same
    up.expect("POST", CHAT).reply(json=says("Hi"))
    assert px.post(CHAT, {**QUESTION, "tags": 1})["x-compute-type"] == "upstream"


def test_the_same_bytes_are_known_again(px, up):
    """By their fingerprint: the answers are those of the canonical form."""
    up.expect("POST", CHAT).reply(json=says("Hi"))
    up.expect("POST", CHAT).reply(json=says("Ho"))
    other = {**QUESTION, "messages": [{"role": "user", "content": "Hellp"}]}
    px.post(CHAT, QUESTION)
    for _ in range(3):
        assert text_of(px.post(CHAT, QUESTION)) == "Hi"
    assert text_of(px.post(CHAT, other)) == "Ho"
    for _ in range(3):
        assert text_of(px.post(CHAT, other)) == "Ho"
        assert text_of(px.post("/chat/completions", QUESTION)) == "Hi"


def test_fields_that_count_do_so_for_the_same_bytes_too(px, up):
    for beta in ("a", "b"):
        up.expect("POST", CHAT).reply(json=says(beta))
        px.post(CHAT, QUESTION, {"OpenAI-Beta": beta})
    for _ in range(3):
        for beta in ("a", "b"):
            answer = px.post(CHAT, QUESTION, {"OpenAI-Beta": beta})
            assert (answer["x-compute-type"], text_of(answer)) == ("cache", beta)


def test_an_expired_answer_to_the_same_bytes_is_asked_for_anew(caching, up):
    px = caching()
    up.expect("POST", CHAT).reply(json=says("old"), headers={"Reprise-Cache-Control": "max-age=0"})
    up.expect("POST", CHAT).reply(json=says("new"))
    assert "stored" not in px.post(CHAT, QUESTION)["cache-status"]
    assert text_of(px.post(CHAT, QUESTION)) == "new"
    assert px.post(CHAT, QUESTION)["x-compute-type"] == "cache"


def test_a_new_answer_counts_before_it_is_on_disk(px, up):
    """Also where an expired one is there already."""
    for text in ("old", "new"):
        up.expect("POST", CHAT).reply(json=says(text))
    px.post(CHAT, QUESTION, {"x-reprise-ttl": "1ms"})
    px.restart()
    assert text_of(px.post(CHAT, QUESTION)) == "new"
    answer = px.post(CHAT, QUESTION)
    assert (answer["x-compute-type"], text_of(answer)) == ("cache", "new")


TROUBLE = {"error": {"message": "slowly", "type": "overloaded"}}


@pytest.fixture
def expired(caching, up):
    """Makes a proxy whose answer to the question, "old", has just expired and is on disk."""
    def make(route, question=QUESTION):
        px = caching(route)
        up.expect("POST", CHAT).reply(json=says("old"))
        px.post(CHAT, question, {"x-reprise-ttl": "1ms"})
        px.restart()
        return px
    return make


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504, 529])
def test_an_old_answer_is_better_than_an_upstream_in_trouble(expired, up, status):
    px = expired({"stale_if_error": "1d"})
    up.expect("POST", CHAT).reply(status, json=TROUBLE)
    answer = px.post(CHAT, QUESTION)
    assert (answer.status, text_of(answer)) == (200, "old")
    assert answer["cache-status"] == f"reprise; fwd=stale; fwd-status={status}"
    assert answer["x-compute-type"] == "cache" and int(answer["age"]) >= 0


def test_or_than_one_that_is_not_there(expired, up):
    px = expired({"stale_if_error": "1d"})
    up.expect("POST", CHAT).hang_up()
    answer = px.post(CHAT, QUESTION)
    assert (answer.status, text_of(answer)) == (200, "old")
    assert answer["cache-status"] == "reprise; fwd=stale"


def test_an_error_of_the_question_is_told(expired, up):
    px = expired({"stale_if_error": "1d"})
    up.expect("POST", CHAT).reply(400, json={"error": {"message": "no such parameter"}})
    assert px.post(CHAT, QUESTION).status == 400


def test_without_leave_no_old_answer_is_given(expired, up):
    px = expired({})
    up.expect("POST", CHAT).reply(503, json=TROUBLE)
    assert px.post(CHAT, QUESTION).status == 503


def test_an_old_answer_is_given_as_a_stream_too(expired, up):
    px = expired({"stale_if_error": "1d"})
    up.expect("POST", CHAT).reply(503, json=TROUBLE)
    answer = px.post(CHAT, {**QUESTION, "stream": True})
    assert answer["content-type"].startswith("text/event-stream")
    assert b'"old"' in answer.body and answer.body.endswith(b"data: [DONE]\n\n")


def test_what_was_purged_is_not_given_even_then(expired, up):
    px = expired({"stale_if_error": "1d", "stale_while_revalidate": "1d"})
    assert px.command("cache", "purge", "--all").returncode == 0
    up.expect("POST", CHAT).reply(503, json=TROUBLE)
    assert px.post(CHAT, QUESTION).status == 503


def test_an_old_answer_at_once_and_a_new_one_behind_it(expired, up):
    px = expired({"stale_while_revalidate": "1d"})
    refresh = up.expect("POST", CHAT).reply(json=says("new"))
    answer = px.post(CHAT, QUESTION)
    assert text_of(answer) == "old" and answer["x-compute-type"] == "cache"
    assert answer["cache-status"].startswith("reprise; hit; ttl=-")
    refresh.wait()
    while text_of(px.post(CHAT, QUESTION)) == "old":
        pass
    assert len(up.requests) == 2


LOADING = {"error": "Model t5 is currently loading", "estimated_time": 20.0}


def test_who_asks_for_a_model_that_is_being_loaded_is_held_until_it_is_there(px, up):
    """Asked for in the body, as Hugging Face's clients do."""
    up.expect("POST", "/models/t5").reply(503, json=LOADING)
    up.expect("POST", "/models/t5").reply(json=[{"translation_text": "Hallo"}])
    question = {"inputs": "Hello", "options": {"wait_for_model": True}}
    answer = px.post("/models/t5", question)
    assert (answer.status, answer["x-compute-type"]) == (200, "upstream")
    assert px.post("/models/t5", {"inputs": "Hello"})["x-compute-type"] == "cache"


def test_who_does_not_is_told(px, up):
    up.expect("POST", "/models/t5").reply(503, json=LOADING)
    answer = px.post("/models/t5", {"inputs": "Hello"})
    assert (answer.status, answer.json) == (503, LOADING)


def test_who_is_held_is_told_at_the_end_of_the_server(px, up):
    asked = up.expect("POST", "/models/t5").reply(503, json=LOADING)
    with px.connect() as client:
        client.ask("POST", "/models/t5", {"inputs": "Hello"}, {"x-wait-for-model": "1"})
        asked.wait()
        px.stop()
        assert client.answer().status == 503


TIMES = [   # the answer's fields, the route's options, the request's fields, the ttl
    ({"Cache-Control": "max-age=60"}, None, {}, 60),
    ({"Cache-Control": "max-age=60, s-maxage=90"}, None, {}, 90),
    ({"Cache-Control": "max-age=0, no-cache"}, None, {}, 30 * 86400),
    ({"Cache-Control": "max-age=99999999"}, None, {}, 30 * 86400),
    ({"Cache-Control": "max-age=60"}, {"ttl": "1h"}, {}, 3600),
    ({"Reprise-Cache-Control": "max-age=60", "Cache-Control": "no-store"}, {"ttl": "1h"}, {}, 60),
    ({}, {"ttl": "1h"}, {"x-reprise-ttl": "10m"}, 600),
    ({}, None, {"x-reprise-ttl": "5"}, 5),
    ({}, None, {"cf-aig-cache-ttl": "7"}, 7),
    ({"Cache-Control": "private"}, {"ttl": "1h", "store": "always"}, {}, 3600),
]


@pytest.mark.parametrize("fields, route, asked, ttl", TIMES, ids=range(len(TIMES)))
def test_how_long_an_answer_holds(caching, up, fields, route, asked, ttl):
    px = caching(route)
    up.expect("POST", CHAT).reply(json=says("Hi"), headers=fields)
    px.post(CHAT, QUESTION, asked)
    status = px.post(CHAT, QUESTION)["cache-status"]
    left = int(status.removeprefix("reprise; hit; ttl="))
    assert ttl - 5 <= left <= ttl


def test_a_bad_time_is_refused(px):
    answer = px.post(CHAT, QUESTION, {"x-reprise-ttl": "soon"})
    assert answer.status == 400 and "x-reprise-ttl" in answer.error


@pytest.mark.parametrize("route, size, stored", [
    ({"max_entry": "2kB"}, 3000, False), ({"max_entry": "4kB"}, 3000, True), (None, 3000, False)])
def test_larger_answers_pass_unstored(caching, up, route, size, stored):
    px = caching(route, {"max_entry": "2kB"})
    up.expect("POST", CHAT).reply(json=says("x" * size))
    answer = px.post(CHAT, QUESTION)
    assert len(text_of(answer)) == size
    assert ("stored" in answer["cache-status"]) == stored


def test_a_namespace_is_a_cache_of_its_own(px, up):
    for name in ("a", "b", None):
        headers = {"x-reprise-namespace": name} if name else {}
        up.expect("POST", CHAT).reply(json=says(f"from {name}"))
        px.post(CHAT, QUESTION, headers)
        assert up.requests[-1]["x-reprise-namespace"] is None
        assert text_of(px.post(CHAT, QUESTION, headers)) == f"from {name}"


BODY_CONTROLS = [
    {"no-cache": True}, {"no-store": True}, {"ttl": 60}, {"s-maxage": 600}, {"namespace": "a"}]


@pytest.mark.parametrize("control", BODY_CONTROLS, ids=lambda c: next(iter(c)))
def test_the_cache_object_of_litellm_stays_here(px, up, control):
    up.expect("POST", CHAT).reply(json=says("Hi"))
    px.post(CHAT, b'{"cache": %s, "model":"m",  "messages":[]}' % dump(control))
    assert up.requests[0].body == b'{ "model":"m",  "messages":[]}'


def dump(value):
    return str(value).replace("'", '"').replace("True", "true").encode()


def test_the_cache_object_steers_the_cache(px, up):
    up.expect("POST", CHAT).reply(json=says("one"))
    up.expect("POST", CHAT).reply(json=says("two"))
    up.expect("POST", CHAT).reply(json=says("three"))
    assert text_of(px.post(CHAT, {**QUESTION, "cache": {}})) == "one"
    assert text_of(px.post(CHAT, QUESTION)) == "one"
    assert text_of(px.post(CHAT, {**QUESTION, "cache": {"no-cache": True}})) == "two"
    assert text_of(px.post(CHAT, {"cache": {"ttl": 5}, **QUESTION})) == "two"
    assert text_of(px.post(CHAT, {**QUESTION, "cache": {"namespace": "a"}})) == "three"
    assert text_of(px.post(CHAT, QUESTION)) == "two"


def test_another_cache_member_is_the_upstreams(px, up):
    for value in ("on", {"type": "ephemeral"}):
        up.expect("POST", CHAT).reply(json=says("Hi"))
        px.post(CHAT, {**QUESTION, "cache": value})
        assert up.requests[-1].json["cache"] == value
    assert px.post(CHAT, {**QUESTION, "cache": "on"})["x-compute-type"] == "cache"


def test_variants_are_given_in_turn(caching, up):
    px = caching({"variants": 3})
    for number, text in enumerate("abc"):
        up.expect("POST", CHAT).reply(json=says(text, number=number))
        assert text_of(px.post(CHAT, QUESTION)) == text
    assert [text_of(px.post(CHAT, QUESTION)) for _ in range(7)] == list("abcabca")


def test_variants_that_say_the_same_are_one(caching, up):
    px = caching({"variants": 3})
    for number, text in enumerate("aba"):
        up.expect("POST", CHAT).reply(json=says(text, number=number))
        assert text_of(px.post(CHAT, QUESTION)) == text
    assert [text_of(px.post(CHAT, QUESTION)) for _ in range(5)] == list("ababa")


def test_what_is_not_sampled_has_no_variants(caching, up):
    px = caching({"variants": 3})
    assert ask_twice(px, up, COLD)() == "cache"


def test_replay_never_goes_upstream(caching, up):
    px = caching()
    assert ask_twice(px, up)() == "cache"
    px.config["cache"]["mode"] = "replay"
    px.restart()
    assert px.post(CHAT, QUESTION)["x-compute-type"] == "cache"
    for answer in (px.post(CHAT, COLD), px.get("/v1/models"),
                   px.post(CHAT, {**COLD, "stream": True}),
                   px.post(CHAT, QUESTION, {"Cache-Control": "no-cache"})):
        assert answer.status == 504 and "replay" in answer.error
    assert px.post(CHAT, {**QUESTION, "stream": True})["x-compute-type"] == "cache"


def test_record_asks_anew_each_time(caching, up):
    px = caching(cache={"mode": "record"})
    for text in ("one", "two"):
        up.expect("POST", CHAT).reply(json=says(text))
        answer = px.post(CHAT, QUESTION)
        assert text_of(answer) == text and "stored" in answer["cache-status"]


def test_questions_need_not_be_kept(caching, up, tmp_path):
    px = caching(cache={"store_requests": False})
    secret = {**QUESTION, "messages": [{"role": "user", "content": "a rare word: zyxwv"}]}
    assert ask_twice(px, up, secret)() == "cache"
    up.expect("POST", CHAT).reply(json=says("Ho"))
    px.post(CHAT, COLD)
    px.stop()
    [data] = tmp_path.glob("**/data.mdb")
    assert b"zyxwv" not in data.read_bytes()
    px.start()
    again = {"messages": secret["messages"], "model": "m"}
    assert px.post(CHAT, again)["x-compute-type"] == "cache"


def test_an_answer_by_another_model_is_not_kept_where_there_is_a_fallback(proxy, up, upstream):
    px = proxy({"upstreams": {"up": {"url": up.url}, "other": {"url": upstream().url}},
                "routes": [{"model": "*", "to": ["up", "other"]}]})
    for model, is_kept in (("another", False), ("m-2024-08-06", True)):
        up.expect("POST", CHAT).reply(json=says("Hi", model=model))
        assert ("stored" in px.post(CHAT, QUESTION)["cache-status"]) == is_kept


def form(boundary, **parts):
    body = "".join(f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"{more}\r\n\r\n'
                   f"{data}\r\n" for name, (more, data) in parts.items())
    return f"{body}--{boundary}--\r\n".encode()


def test_a_form_is_keyed_by_its_parts(px, up):
    path = "/v1/audio/transcriptions"
    up.expect("POST", path).reply(json={"text": "Hello"})
    for boundary in ("aaa", "bbb"):
        body = form(boundary, model=("", "whisper"), file=('; filename="x.wav"', "RIFF"))
        answer = px.post(path, body, {"Content-Type": f"multipart/form-data; boundary={boundary}"})
        assert answer.json == {"text": "Hello"}
    assert answer["x-compute-type"] == "cache"
    assert b"--aaa" in up.requests[0].body


def test_a_form_names_its_model(proxy, up):
    px = proxy({"upstreams": {"up": {"url": up.url}},
                "routes": [{"model": "whisper*", "to": "up", "rewrite_model": "large-v3"}]})
    up.expect("POST", "/v1/audio/transcriptions").reply(json={"text": "Hello"})
    body = form("x", file=('; filename="x.wav"', "RIFF"), model=("", "whisper-1"))
    px.post("/v1/audio/transcriptions", body, {"Content-Type": "multipart/form-data; boundary=x"})
    assert up.requests[0].body == body.replace(b"whisper-1", b"large-v3")
