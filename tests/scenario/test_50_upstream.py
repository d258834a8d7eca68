# SPDX-License-Identifier: MIT
"""What goes upstream, where to, and with whose credentials."""

import pytest

CHAT_PATH, MESSAGES_PATH, HF_PATH = "/v1/chat/completions", "/v1/messages", "/models/m"
CHAT = {"model": "m", "messages": [{"role": "user", "content": "Hi"}]}
CHAT_ANSWER = {"id": "1", "object": "chat.completion", "model": "m", "choices": [{
    "index": 0, "message": {"role": "assistant", "content": "Hello"}, "finish_reason": "stop"}]}
MESSAGE = {"id": "1", "type": "message", "role": "assistant", "model": "m",
           "content": [{"type": "text", "text": "Hello"}], "stop_reason": "end_turn"}
TEXT = [{"translation_text": "Hallo"}]
CREDENTIALS = {
    "Authorization": "Bearer client-key", "x-api-key": "client-key", "api-key": "client-key",
    "Cookie": "session=client-key", "Proxy-Authorization": "Basic client-key",
}


def one(up, **more):
    return {"upstreams": {"up": {"url": up.url, **more}}}


@pytest.mark.parametrize("path, answer, name, value", [
    (CHAT_PATH, CHAT_ANSWER, "Authorization", "Bearer team-token"),
    (HF_PATH, TEXT, "Authorization", "Bearer team-token"),
    (MESSAGES_PATH, MESSAGE, "x-api-key", "team-token"),
])
def test_the_token_is_put_in_as_the_api_wants_it(proxy, up, path, answer, name, value):
    px = proxy(one(up, token={"env": "TOKEN"}), env={"TOKEN": "team-token"})
    expected = up.expect("POST", path).reply(json=answer)
    assert px.post(path, CHAT, CREDENTIALS).status == 200
    assert expected.request[name] == value
    assert "client-key" not in str(expected.request.fields)
    assert str(expected.request.fields).count("team-token") == 1
    assert px.stop()["misses"] == 1


@pytest.mark.parametrize("header, value", [
    ("authorization", "Bearer team-token"), ("api-key", "team-token")])
def test_the_token_goes_where_the_upstream_says(proxy, up, header, value):
    px = proxy(one(up, token={"value": "team-token"}, token_header=header))
    expected = up.expect("POST", MESSAGES_PATH).reply(json=MESSAGE)
    px.post(MESSAGES_PATH, CHAT)
    assert expected.request[header] == value
    assert str(expected.request.fields).count("team-token") == 1
    assert px.stop()["misses"] == 1


def test_a_token_is_read_from_a_file(proxy, up, tmp_path):
    (tmp_path / "token").write_text("team-token\n")
    px = proxy(one(up, token={"file": str(tmp_path / "token")}))
    expected = up.expect("POST", HF_PATH).reply(json=TEXT)
    px.post(HF_PATH, CHAT)
    assert expected.request["Authorization"] == "Bearer team-token"
    assert px.stop()["misses"] == 1


def test_credentials_of_clients_stay_here(px, up):
    expected = up.expect("POST", HF_PATH).reply(json=TEXT)
    px.post(HF_PATH, CHAT, CREDENTIALS)
    assert "client-key" not in str(expected.request.fields)
    assert px.stop()["misses"] == 1


def test_credentials_go_upstream_where_they_are_asked_for_and_keep_answers_apart(proxy, up):
    px = proxy(one(up, token={"client": True}))
    for who in ("one", "two"):
        expected = up.expect("POST", HF_PATH).reply(json=[{"translation_text": who}])
        for kind in ("upstream", "cache"):
            answer = px.post(HF_PATH, CHAT, {"Authorization": f"Bearer {who}"})
            assert answer["x-compute-type"] == kind
            assert answer.json == [{"translation_text": who}]
        assert expected.request["Authorization"] == f"Bearer {who}"
    assert px.stop() == {"requests": 4, "misses": 2, "hits": 2, "stored": 2}


def test_a_token_goes_to_its_own_upstream_only(proxy, upstream):
    a, b = upstream(), upstream()
    px = proxy({
        "upstreams": {"a": {"url": a.url, "token": {"value": "token-of-a"}},
                      "b": {"url": b.url, "token": {"value": "token-of-b"}}},
        "routes": [{"model": "a-*", "to": "a"}, {"model": "*", "to": "b"}],
    })
    at_a = a.expect("POST", "/models/a-1").reply(json=TEXT)
    at_b = b.expect("POST", "/models/b-1").reply(json=TEXT)
    px.post("/models/a-1", CHAT)
    px.post("/models/b-1", CHAT)
    assert at_a.request["Authorization"] == "Bearer token-of-a"
    assert at_b.request["Authorization"] == "Bearer token-of-b"
    assert px.stop()["misses"] == 2


def test_noise_and_hop_by_hop_fields_stay_here(px, up):
    noise = {"User-Agent": "canary", "X-Stainless-Lang": "canary", "X-Reprise-Thing": "canary",
             "X-Amzn-Trace-Id": "canary", "X-Unknown": "canary", "OpenAI-Organization": "canary",
             "Keep-Alive": "canary", "TE": "canary", "Connection": "lora", "lora": "canary"}
    expected = up.expect("POST", CHAT_PATH).reply(json=CHAT_ANSWER)
    px.post(CHAT_PATH, CHAT, noise)
    assert "canary" not in str(expected.request.fields)
    assert expected.request["Host"] == up.address
    assert expected.request["Expect"] is None
    assert px.stop()["misses"] == 1


def test_fields_that_change_the_answer_go_upstream_and_into_the_key(px, up):
    for version in ("2023-06-01", "2024-01-01"):
        expected = up.expect("POST", MESSAGES_PATH).reply(json=MESSAGE)
        for kind in ("upstream", "cache"):
            answer = px.post(MESSAGES_PATH, CHAT, {"anthropic-version": version})
            assert answer["x-compute-type"] == kind
        assert expected.request["anthropic-version"] == version
    assert px.stop()["misses"] == 2


def test_the_original_bytes_are_forwarded(px, up):
    body = b'{ "model":"m",\n\t"messages" : [{"content":"\\u0048i","role":"user"}], "seed":1e2 }'
    expected = up.expect("POST", CHAT_PATH).reply(json=CHAT_ANSWER)
    px.post(CHAT_PATH, body, {"Content-Type": "application/json"})
    assert expected.request.body == body
    assert expected.request["Content-Type"] == "application/json"
    assert px.stop()["misses"] == 1


def test_an_alias_takes_the_place_of_the_model_in_the_body(proxy, up):
    px = proxy({**one(up), "routes": [{"model": "nick", "to": "up", "rewrite_model": "org/m"}]})
    expected = up.expect("POST", CHAT_PATH).reply(json={**CHAT_ANSWER, "model": "org/m"})
    px.post(CHAT_PATH, b'{"a":"nick", "model" : "ni\\u0063k", "messages":[]}')
    assert expected.request.body == b'{"a":"nick", "model" : "org/m", "messages":[]}'
    assert px.stop()["misses"] == 1


def test_an_alias_takes_the_place_of_the_model_in_the_path(proxy, up):
    px = proxy({**one(up), "routes": [{"model": "nick", "to": "up", "rewrite_model": "org/m"}]})
    up.expect("POST", "/models/org/m/pipeline/translation").reply(json=TEXT)
    assert px.post("/models/nick/pipeline/translation", {"inputs": "a"}).json == TEXT
    assert px.stop()["misses"] == 1


def test_the_first_route_that_takes_a_request_wins(proxy, upstream):
    ups = {name: upstream() for name in ("path", "dialect", "glob", "rest")}
    px = proxy({
        "upstreams": {name: {"url": up.url} for name, up in ups.items()},
        "routes": [
            {"path": "/models/*", "model": "both-*", "to": "path"},
            {"dialect": "anthropic", "to": "dialect"},
            {"model": ["both-*", "t5-*"], "to": "glob"},
            {"to": ["rest", "path"]},
        ],
    })
    ups["path"].expect("POST", "/models/both-1").reply(json=TEXT)
    ups["dialect"].expect("POST", MESSAGES_PATH).reply(json=MESSAGE)
    ups["glob"].expect("POST", CHAT_PATH).reply(json=CHAT_ANSWER)
    ups["glob"].expect("POST", "/models/t5-base").reply(json=TEXT)
    ups["rest"].expect("POST", "/models/T5-base").reply(json=TEXT)
    ups["rest"].expect("POST", "/embed").reply(json=[[0.5]])
    for path, model in (("/models/both-1", ""), (MESSAGES_PATH, "both-1"), (CHAT_PATH, "both-1"),
                        ("/models/t5-base", ""), ("/models/T5-base", ""), ("/embed", "")):
        assert px.post(path, {**CHAT, "model": model, "inputs": "a"}).status == 200, path
    assert px.stop()["misses"] == 6


def test_the_path_of_the_url_is_kept(proxy, up):
    px = proxy({"upstreams": {"up": {"url": up.url + "/hf-inference"}}})
    up.expect("POST", "/hf-inference/models/m?a=b").reply(json=TEXT)
    assert px.post("/models/m?a=b", CHAT).status == 200
    assert px.stop()["misses"] == 1


def test_an_upstream_may_be_a_unix_socket(proxy, upstream, tmp_path):
    up = upstream(tmp_path / "engine.sock")
    px = proxy({"upstreams": {"up": {"url": up.url}}})
    up.expect("POST", HF_PATH).reply(json=TEXT)
    assert px.post(HF_PATH, CHAT).json == TEXT
    assert px.post(HF_PATH, CHAT)["x-compute-type"] == "cache"
    assert px.stop()["hits"] == 1


def test_redirects_are_not_followed(proxy, upstream):
    up, elsewhere = upstream(), upstream()
    px = proxy(one(up, token={"value": "team-token"}))
    up.expect("POST", HF_PATH).reply(307, headers={"Location": elsewhere.url + "/models/m"})
    answer = px.post(HF_PATH, CHAT)
    assert answer.status == 307 and answer["Location"] == elsewhere.url + "/models/m"
    assert elsewhere.requests == []
    assert px.stop() == {"requests": 1, "misses": 1}


def test_the_proxy_environment_is_ignored(proxy, upstream):
    up, elsewhere = upstream(), upstream()
    px = proxy(one(up), env={"http_proxy": elsewhere.url, "ALL_PROXY": elsewhere.url})
    up.expect("POST", HF_PATH).reply(json=TEXT)
    assert px.post(HF_PATH, CHAT).json == TEXT
    assert elsewhere.requests == []
    assert px.stop()["misses"] == 1
