# SPDX-License-Identifier: MIT
"""What a route sets, strips and puts in: upstream, in the key, and in what is said of it."""

import json

import pytest

from test_30_dialects import CHAT, CHAT_ANSWER, QUESTIONS, SHAPES, TEXT
from test_65_reload import reload
from test_87_commands import settle

CHAT_PATH, HF_PATH = "/v1/chat/completions", "/models/m"
EXPLAIN = {"x-reprise-explain": "1"}
SSE = "text/event-stream"
EVENTS = [b'data: {"choices":[{"index":0,"delta":{"content":"a"}}]}\n\n',
          b'data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\n',
          b"data: [DONE]\n\n"]
EDITS = {"set": {"temperature": 0, "reasoning": {"effort": "low"}},
         "strip": ["user", "logit_bias"], "default": {"max_tokens": 256}}
MUST_BE_OBJECT = "one strict JSON object"


@pytest.fixture
def editing(proxy, up):
    """editing(set=..., strip=..., default=...): one worker, so that it knows what it has seen."""
    def make(upstream=None, **route):
        return proxy({"upstreams": {"up": {"url": up.url, **(upstream or {})}}, "workers": 1,
                      "routes": [{"model": "*", "to": "up", **route}]})
    return make


def sent(px, up, body, path=CHAT_PATH, headers=(), answer=CHAT_ANSWER):
    """What goes upstream of BODY, which must be a miss."""
    expected = up.expect("POST", path).reply(json=answer)
    answered = px.post(path, body, headers)
    assert answered.status == 200 and answered["x-compute-type"] == "upstream"
    return expected.request.body


@pytest.mark.parametrize("body, forwarded", [
    (b'{ "model" :"m",\n\t"messages": [] ,"user":"me", "temperature" : 0.70, "max_tokens": 5}\r\n',
     b'{ "model" :"m",\n\t"messages": [], "temperature" : 0, "max_tokens": 5,'
     b'"reasoning":{"effort":"low"}}\r\n'),
    (b'{"user":{"a":[1]},"logit_bias" : {} , "model":"m","max_tokens":null,"n":1.50}',
     b'{"model":"m","max_tokens":null,"n":1.50,"temperature":0,"reasoning":{"effort":"low"}}'),
    (b'{"us\\u0065r":1,"model":"\\u006d","reasoning":null,"temper\\u0061ture":0}',
     b'{"model":"\\u006d","reasoning":{"effort":"low"},"temper\\u0061ture":0,"max_tokens":256}'),
    (b"{}", b'{"temperature":0,"reasoning":{"effort":"low"},"max_tokens":256}'),
    (b'{"user":1}', b'{"temperature":0,"reasoning":{"effort":"low"},"max_tokens":256}'),
    # what is inside of others is theirs
    (b'{"messages":[{"user":1,"temperature":1}],"max_tokens":1,"temperature":0,'
     b'"reasoning":{"effort":"low"}}', None),
])
def test_the_rest_is_as_the_client_wrote_it(editing, up, body, forwarded):
    px = editing(**EDITS)
    assert sent(px, up, body) == (forwarded or body)
    assert px.post(CHAT_PATH, body)["x-compute-type"] == "cache"


def test_questions_that_differ_in_what_is_edited_are_one(editing, up):
    px = editing(**EDITS)
    sent(px, up, {**CHAT, "temperature": 1})
    for same in ({}, {"temperature": 0}, {"temperature": 0.5, "logit_bias": {"1": 2}},
                 {"max_tokens": 256}, {"reasoning": {"effort": "high"}, "user": "me"}):
        assert px.post(CHAT_PATH, {**CHAT, **same})["x-compute-type"] == "cache"
    for other in ({"max_tokens": 5}, {"max_tokens": None}, {"top_p": 0.5}):
        sent(px, up, {**CHAT, **other})
    assert px.stop() == {"requests": 9, "misses": 4, "hits": 5, "stored": 4}


def test_another_route_has_other_questions(proxy, up):
    """And what a route edits is the question: edited by another one, it is that one's."""
    px = proxy({"upstreams": {"up": {"url": up.url}}, "routes": [
        {"model": "cold", "to": "up", "set": {"temperature": 0}, "rewrite_model": "m"},
        {"model": "*", "to": "up"}]})
    assert json.loads(sent(px, up, {**CHAT, "model": "cold"})) == {**CHAT, "temperature": 0}
    sent(px, up, CHAT)
    assert px.post(CHAT_PATH, {**CHAT, "temperature": 0})["x-compute-type"] == "cache"


def test_what_is_set_decides_whether_an_answer_is_drawn_by_chance(editing, up):
    px = editing(set={"temperature": 0}, cache={"store": "deterministic"})
    sent(px, up, {**CHAT, "temperature": 1})
    assert px.post(CHAT_PATH, CHAT)["x-compute-type"] == "cache"


def test_what_is_stripped_makes_a_question_of_it(editing, up):
    """Stateful responses pass by, but not where their state is taken out."""
    px = editing(set={"store": False}, strip=["previous_response_id"])
    body = {"model": "m", "input": "Hi", "store": True, "previous_response_id": "r1"}
    answer = {"id": "1", "status": "completed", "output": [{"type": "message"}]}
    forwarded = sent(px, up, body, "/v1/responses", answer=answer)
    assert json.loads(forwarded) == {"model": "m", "input": "Hi", "store": False}
    assert px.post("/v1/responses", body)["x-compute-type"] == "cache"


@pytest.mark.parametrize("path, question, answer", QUESTIONS, ids=[row[0] for row in QUESTIONS])
def test_every_api_is_edited(editing, up, path, question, answer):
    px = editing(set={"a": 1.5}, strip="b", default={"c": ["x"]}, path="*")
    forwarded = sent(px, up, {"b": 2, **question, "a": 2}, path, answer=answer)
    plain = json.dumps(question)[1:-1].encode()
    assert forwarded == b"{" + plain + b', "a": 1.5,"c":["x"]}'
    for body in ({**question, "a": 3}, {**question, "c": ["x"]}, {**question, "b": 1}):
        assert px.post(path, body).json == answer
    assert px.stop() == {"requests": 4, "misses": 1, "hits": 3, "stored": 1}


def test_a_stream_is_edited_and_stays_one(editing, up):
    px = editing(**EDITS)
    expected = up.expect("POST", CHAT_PATH).reply(headers={"Content-Type": SSE}, chunks=EVENTS)
    body = {**CHAT, "stream": True, "user": "me"}
    answers = [px.post(CHAT_PATH, body) for _twice in range(2)]
    assert [answer.body for answer in answers] == 2 * [b"".join(EVENTS)]
    assert [answer["x-compute-type"] for answer in answers] == ["upstream", "cache"]
    assert expected.request.json == {
        **CHAT, "stream": True, "temperature": 0, "reasoning": {"effort": "low"},
        "max_tokens": 256}
    whole = px.post(CHAT_PATH, CHAT)
    assert whole["x-compute-type"] == "cache" and whole.json["choices"]


def test_edits_go_with_alias_usage_and_what_is_for_us(editing, up):
    px = editing({"include_usage": True}, rewrite_model="other", set={"temperature": 0},
                 strip="user", default={"n": 1})
    expected = up.expect("POST", CHAT_PATH).reply(headers={"Content-Type": SSE}, chunks=EVENTS)
    body = (b'{"cache": {"ttl": 60}, "user": 1, "model": "m", "messages": [], "stream": true,'
            b' "temperature": 2}')
    assert px.post(CHAT_PATH, body).status == 200
    assert expected.request.body == (
        b'{"stream_options":{"include_usage":true}, "model": "other", "messages": [],'
        b' "stream": true, "temperature": 0,"n":1}')


def test_a_route_that_leaves_out_edits_too(editing, up):
    px = editing(set={"a": 1}, default={"tag": "x"}, cache={"ignore": ["/tag", "/messages/*/id"]})
    sent(px, up, {**CHAT, "tag": 1})
    assert px.post(CHAT_PATH, {**CHAT, "tag": 2, "a": 5})["x-compute-type"] == "cache"
    sent(px, up, {**CHAT, "other": 1})


def test_without_a_cache_it_is_edited_all_the_same(editing, up):
    px = editing(**EDITS, cache=False)
    for _twice in range(2):
        assert b'"user":' not in sent(px, up, {**CHAT, "user": "me"})
    assert px.stop() == {"requests": 2, "bypasses": 2}


def test_what_is_not_stored_is_edited_too(editing, up):
    """Links to pictures expire; what may be known of who asks need not go there either."""
    px = editing(strip="user")
    forwarded = sent(px, up, {"model": "m", "prompt": "x", "user": "me"},
                     "/v1/images/generations", answer={"data": []})
    assert json.loads(forwarded) == {"model": "m", "prompt": "x"}


def test_what_no_dialect_reads_passes(editing, up):
    px = editing(**EDITS)
    body = b'{"user": "me", "metadata": {}}'
    assert sent(px, up, body, "/v1/batches", answer={"id": "b"}) == body


EVASIONS = {
    "a name twice": (b'{"inputs": "a", "user": 1, "user": 2}', {}),
    "the same, spelled otherwise": (b'{"inputs": "a", "user": 1, "\\u0075ser": 2}', {}),
    "a name twice further in": (b'{"inputs": {"a": 1, "a": 2}, "user": 1}', {}),
    "no strict JSON": (b'{"inputs": "a", "user": 1,}', {}),
    "cut": (b'{"inputs": "a", "user": 1', {}),
    "two": (b'{"user": 1}{"user": 1}', {}),
    "a list": (b'[{"user": 1}]', {"Content-Type": "application/json"}),
    "a mark of order": (b'\xef\xbb\xbf{"user": 1}', {"Content-Type": "text/plain"}),
    "UTF-16": ('{"user": 1}'.encode("utf-16"), {"Content-Type": "application/octet-stream"}),
    "as text": (b' {"user": 1}', {"Content-Type": "text/plain"}),
    "as sound": (b'{"user": 1}', {"Content-Type": "audio/wav"}),
    "as a form": (b'{"user": 1}', {"Content-Type": "multipart/form-data; boundary=x"}),
    "words sent as JSON": (b"just text", {"Content-Type": "application/json"}),
}


@pytest.mark.parametrize("case", EVASIONS)
def test_nobody_gets_round_it(editing, case):
    body, fields = EVASIONS[case]
    px = editing(strip="user")
    for path in (HF_PATH, CHAT_PATH, "/anything"):
        answer = px.post(path, body, fields)
        assert answer.status == 400 and MUST_BE_OBJECT in answer.error
        assert answer["Cache-Status"] == "reprise; detail=bad_body"
        assert answer["x-compute-type"] == "none"
    assert px.stop() == {"requests": 3, "refused": 3}


@pytest.mark.parametrize("path", SHAPES)
def test_the_refusal_has_the_shape_of_the_api(editing, path):
    px = editing(set={"a": 1})
    answer = px.post(path, b'{"a": 1, "a": 2}')
    assert answer.status == 400 and SHAPES[path](answer.json)
    assert px.post(path, b"").status == 400


def test_only_the_default_lets_other_bodies_pass(editing, up):
    px = editing(default={"a": 1})
    for body, fields in EVASIONS.values():
        assert sent(px, up, body, HF_PATH, fields, TEXT) == body


def test_sound_and_forms_are_not_edited(editing, up):
    px = editing(**EDITS)
    form = (b'--b\r\nContent-Disposition: form-data; name="model"\r\n\r\nw\r\n'
            b'--b\r\nContent-Disposition: form-data; name="user"\r\n\r\nme\r\n--b--\r\n')
    for path, body, kind in ((HF_PATH, b"RIFF\0\1{", "audio/wav"),
                             ("/v1/audio/transcriptions", form, "multipart/form-data; boundary=b")):
        assert sent(px, up, body, path, {"Content-Type": kind}, {"text": "x"}) == body
        assert px.post(path, body, {"Content-Type": kind})["x-compute-type"] == "cache"


def test_a_cache_member_is_no_way_round(editing, up):
    """LiteLLM's goes no further than here, any other is the upstream's: both are edited."""
    px = editing(**EDITS)
    edited = {**CHAT, "temperature": 0, "reasoning": {"effort": "low"}, "max_tokens": 256}
    own = {**CHAT, "user": "me", "temperature": 1, "cache": {"no-cache": True}}
    assert json.loads(sent(px, up, own)) == edited
    for other in ("mine", {"type": "ephemeral"}):
        body = {**CHAT, "user": "me", "temperature": 1, "cache": other}
        assert json.loads(sent(px, up, body)) == {**edited, "cache": other}
        assert px.post(CHAT_PATH, {**body, "user": "you"})["x-compute-type"] == "cache"
    assert px.post(CHAT_PATH, CHAT)["x-compute-type"] == "cache"


def test_what_is_stripped_asks_nothing_of_the_cache(editing, up):
    px = editing(strip="cache")
    sent(px, up, CHAT)
    for cache in ({"no-cache": True}, {"namespace": "mine"}, "mine"):
        assert px.post(CHAT_PATH, {**CHAT, "cache": cache})["x-compute-type"] == "cache"
    assert json.loads(sent(px, up, {**CHAT, "cache": 1, "n": 2})) == {**CHAT, "n": 2}


def test_what_is_set_asks_it(editing, up):
    px = editing(set={"options": {"use_cache": False}})
    for _twice in range(2):
        forwarded = sent(px, up, {"inputs": "a", "options": {"use_cache": True}}, HF_PATH,
                         answer=TEXT)
        assert json.loads(forwarded) == {"inputs": "a", "options": {"use_cache": False}}


def test_fields_still_ask_of_the_cache(editing, up):
    px = editing(**EDITS)
    sent(px, up, CHAT)
    sent(px, up, CHAT, headers={"Cache-Control": "no-cache"})
    sent(px, up, CHAT, headers={"x-reprise-namespace": "mine"})
    mine = px.post(CHAT_PATH, CHAT, {"x-reprise-namespace": "mine", **EXPLAIN})
    assert mine["x-reprise-namespace"] == "namespace:mine"


def test_what_was_seen_before_is_known_by_its_bytes(editing, up):
    """The model stands elsewhere in the edited body than in the one that came."""
    px = editing(**EDITS)
    body = {"user": "me", "logit_bias": {}, **CHAT}
    sent(px, up, body)
    with px.connect() as client:
        def ask(more):
            client.ask("POST", CHAT_PATH, {**body, **more}, EXPLAIN)
            return client.answer()
        first, again, other = ask({}), ask({}), ask({"user": "you"})
    assert [answer["x-reprise-fingerprint"] for answer in (first, again, other)] == \
        ["hit", "hit", "miss"]
    assert {answer["x-reprise-key"] for answer in (first, again, other)} == {first["x-reprise-key"]}
    for answer in (first, again, other):
        assert answer["x-compute-type"] == "cache"
        assert set(answer["x-reprise-left-out"].split()) == {"/user", "/logit_bias", "/model"}


def test_what_is_known_and_gone_is_edited_again(editing, up):
    px = editing(**EDITS, rewrite_model="other")
    body = {"user": "me", **CHAT}
    first = sent(px, up, body)
    settle(px.command, 1)
    assert px.command("cache", "purge", "--model", "other").returncode == 0
    expected = up.expect("POST", CHAT_PATH).reply(json=CHAT_ANSWER)
    answer = px.post(CHAT_PATH, body, EXPLAIN)
    assert answer["x-reprise-fingerprint"] == "hit" and "fwd=" in answer["Cache-Status"]
    assert expected.request.body == first and b'"user":' not in first
    assert px.post(CHAT_PATH, {**body, "user": "you"})["x-compute-type"] == "cache"


def test_what_is_known_is_so_of_one_configuration(editing, up):
    px = editing(set={"n": 1})
    sent(px, up, CHAT)
    assert px.post(CHAT_PATH, CHAT, EXPLAIN)["x-reprise-fingerprint"] == "hit"
    for edits in ({"n": 2}, {"n": 3, "top_k": 1}):
        route = {"model": "*", "to": "up", "set": edits}
        assert reload(px, {"routes": [route]}) == "reloaded"
        assert json.loads(sent(px, up, CHAT)) == {**CHAT, **edits}
        assert px.post(CHAT_PATH, CHAT)["x-compute-type"] == "cache"


def test_explain_tells_what_was_edited(editing, up):
    px = editing(**EDITS)
    body = {"user": "me", "max_tokens": 5, **CHAT, "temperature": 0}
    sent(px, up, body)
    settle(px.command, 1)
    key = px.post(CHAT_PATH, body, EXPLAIN)["x-reprise-key"]
    told = px.command("explain", "-", stdin=json.dumps(body)).stdout
    assert "\nset        reasoning\nstrip      user\nleft out   /" in told
    assert f"\nkey        {key}\n" in told and "a hit" in told
    told = px.command("explain", "-", stdin=json.dumps(CHAT)).stdout
    assert "\nset        temperature reasoning\ndefault    max_tokens\nleft out   /model\n" in told
    assert "strip" not in told
    told = px.command("explain", "-", stdin='{"user": 1, "user": 2}').stdout
    assert MUST_BE_OBJECT in told and "400" in told


def test_explain_tells_nothing_where_nothing_is_edited(px):
    told = px.command("explain", "-", stdin=json.dumps(CHAT)).stdout
    assert not {"set", "strip", "default"} & {line.split()[0] for line in told.splitlines()}
