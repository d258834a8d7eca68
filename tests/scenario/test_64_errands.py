# SPDX-License-Identifier: MIT
"""What the proxy asks of its upstreams on its own account."""

import contextlib
import hashlib
import json
import signal
import threading

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


def info(sha, **more):
    return {"model_id": "org/m", "model_sha": sha, "model_dtype": "float16", **more}


def tags(**digests):
    return {"models": [{"name": f"{name}:latest", "model": f"{name}:latest", "size": 1,
                        "digest": digest} for name, digest in digests.items()]}


@pytest.fixture
def probed(proxy, up):
    """Makes (a proxy, what its upstream replies when it is asked for its revision)."""
    def make(path, body, every="20ms", **more):
        reply = up.always("GET", path).reply(json=body)
        px = proxy({"upstreams": {"up": {"url": up.url, "token": {"value": "up-token"},
                                         "revision": {"probe": path, "every": every}}}, **more})
        return px, reply
    return make


def test_another_model_is_another_question_and_the_first_one_may_come_back(probed, up):
    px, reply = probed("/info", info("1"))
    for sha, compute in (("1", "upstream"), ("1", "cache"), ("2", "upstream"), ("2", "cache"),
                         ("1", "cache"), ("2", "cache")):
        reply.reply(json=info(sha, uptime=len(up.requests)))
        up.wait_for(3, "GET", "/info")
        if compute == "upstream":
            up.expect("POST", CHAT).reply(json={**SAID, "id": sha})
        answer = px.post(CHAT, ASKED)
        assert (answer["x-compute-type"], answer.json["id"]) == (compute, sha)
    assert {one["authorization"] for one in up.requests} == {"Bearer up-token"}
    assert px.log.count("the revision of its model is ") == 4
    counts = px.stop()
    assert (counts["misses"], counts["stored"], counts["hits"]) == (2, 2, 4)


def test_of_many_models_that_counts_which_is_asked(probed, up):
    px, reply = probed("/api/tags", tags(m="1", n="1"))
    up.expect("POST", CHAT).reply(json=SAID)
    assert px.post(CHAT, ASKED)["x-compute-type"] == "upstream"
    reply.reply(json=tags(n="2", m="1"))
    up.wait_for(3, "GET", "/api/tags")
    assert px.post(CHAT, ASKED)["x-compute-type"] == "cache"
    assert px.post(CHAT, {**ASKED, "model": "m:latest"}).status == 599      # another question
    up.faults.clear()
    reply.reply(json=tags(n="2"))
    up.wait_for(3, "GET", "/api/tags")
    for _again in range(2):
        up.expect("POST", CHAT).reply(json=SAID)
        assert "fwd=bypass" in px.post(CHAT, ASKED)["cache-status"]


def test_after_a_call_that_failed_no_old_answer_is_given(probed, up):
    """The engine comes back with another model, long before it is asked in turn."""
    px, reply = probed("/info", info("1"), every="1h")
    up.expect("POST", CHAT).reply(json={**SAID, "id": "1"})
    for compute in ("upstream", "cache", "cache"):
        assert px.post(CHAT, ASKED)["x-compute-type"] == compute
    reply.reply(json=info("2"))
    assert px.post(CHAT, ASKED).json["id"] == "1"       # nobody could know
    up.expect("POST", CHAT).hang_up()
    assert px.post(CHAT, numbered(1)).status == 502
    up.expect("POST", CHAT).reply(json={**SAID, "id": "2"})
    for compute in ("upstream", "cache"):
        answer = px.post(CHAT, ASKED)
        assert (answer["x-compute-type"], answer.json["id"]) == (compute, "2")
    assert len(up.came("GET", "/info")) == 2


@pytest.mark.parametrize("reply", [
    lambda probe: probe.reply(404), lambda probe: probe.reply(json={"status": "ok"}),
    lambda probe: probe.reply(body=b"<html>"), lambda probe: probe.hang_up(),
    lambda probe: probe.reply(503, json=info("1"))])
def test_where_the_model_is_not_known_nothing_is_kept(probed, up, reply):
    px, probe = probed("/info", info("1"))
    up.expect("POST", CHAT).reply(json=SAID)
    assert "stored" in px.post(CHAT, ASKED)["cache-status"]
    reply(probe)
    up.wait_for(3, "GET", "/info")
    for _again in range(2):
        up.expect("POST", CHAT).reply(json=SAID)
        assert "fwd=bypass" in px.post(CHAT, ASKED)["cache-status"]
    only = {"Cache-Control": "only-if-cached"}
    assert px.post(CHAT, ASKED, only).status == 504
    probe.reply(json=info("1"))
    up.wait_for(3, "GET", "/info")
    assert px.post(CHAT, ASKED, only)["x-compute-type"] == "cache"
    assert px.log.count("says nothing of its models at /info") == 1


def test_the_first_question_waits_until_it_is_known(proxy, up):
    said = threading.Event()
    up.expect("GET", "/info").reply_raw(b"HTTP/1.1 200 OK\r\nContent-Length: 16\r\n\r\n", said,
                                        b'{"model_id":"m"}', close=False)
    px = proxy({"upstreams": {"up": {"url": up.url,
                                     "revision": {"probe": "/info", "every": "1h"}}}})
    with px.connect() as one, px.connect() as other:
        one.ask("POST", CHAT, ASKED)
        other.ask("POST", CHAT, ASKED)
        assert px.get("/healthz").status == 200
        assert not up.came("POST", CHAT)
        up.expect("POST", CHAT).reply(json=SAID)
        said.set()
        assert {one.answer().status, other.answer().status} == {200}
    assert px.post(CHAT, ASKED)["x-compute-type"] == "cache"


def test_commands_say_what_only_a_server_knows(probed):
    px, _reply = probed("/info", info("1"))
    (px.directory / "q.json").write_text(json.dumps(ASKED))
    said = px.command("explain", "q.json").stdout
    assert "passed by: its upstream is asked for its revision" in said
    px.config["cache"]["mode"] = "replay"
    (px.directory / "reprise.yaml").write_text(json.dumps(px.config))
    wrong = px.command("check")
    assert wrong.returncode == 2 and "replay asks no upstream for its revision" in wrong.stderr


MODELS = "/v1/models"


def digest(key):
    return "sha256:" + hashlib.sha256(key.encode()).hexdigest()


def listing(*ids):
    return {"object": "list", "data": [{"id": one, "object": "model", "created": 7}
                                       for one in ids]}


def listed(answer):
    assert answer.status == 200 and answer["content-type"] == "application/json"
    return [(model["id"], model["owned_by"]) for model in answer.json["data"]]


def test_the_lists_of_upstreams_are_one_by_team_and_route(proxy, upstream):
    one, two, three = upstream(), upstream(), upstream()
    one.expect("GET", MODELS).reply(json=listing("t5-base", "t5-large", "gpt", "org/x"))
    two.expect("GET", MODELS).reply(json=listing("bert", "gpt", "t5-small", "org/x", "bert"))
    three.expect("GET", MODELS).reply(500)
    px = proxy({
        "upstreams": {"one": {"url": one.url, "token": {"value": "token-of-one"}},
                      "two": {"url": two.url}, "three": {"url": three.url}},
        "teams": {"all": {"key": digest("all")},
                  "some": {"key": digest("some"), "models": ["t5-*", "bert"],
                           "deny": "t5-large"},
                  "own": {"key": digest("own"), "models": "own-*"}},
        "routes": [{"model": "t5-*", "to": "one"}, {"model": "own-*", "to": "three"},
                   {"model": "org/*", "to": "one", "team": "some"},
                   {"model": ["qwen", "*"], "to": "two"}]})
    assert px.get(MODELS).status == px.get(f"{MODELS}/gpt").status == 401
    for team, models in (
            ("all", [("qwen", "two"), ("t5-base", "one"), ("t5-large", "one"), ("bert", "two"),
                     ("gpt", "two"), ("org/x", "two")]),
            ("some", [("bert", "two"), ("t5-base", "one")]), ("own", [])):
        by = {"Authorization": f"Bearer {team}"}
        assert listed(px.get(MODELS, by)) == models
        for name in ("t5-base", "bert", "org%2Fx", "org/x", "own-1"):
            answer = px.get(f"{MODELS}/{name}", by)
            plain = name.replace("%2F", "/")
            owner = dict(models).get(plain)
            assert answer.status == (200 if owner else 404)
            if owner:
                assert answer.json == {"id": plain, "object": "model", "created": 0,
                                       "owned_by": owner}
            else:
                assert answer.json["error"]["code"] == "model_not_found"
    assert [r["authorization"] for r in one.requests] == ["Bearer token-of-one"]


def test_a_crowd_asks_for_the_list_once(proxy, upstream):
    one, two = upstream(), upstream()
    said = threading.Event()
    body = json.dumps(listing("a-1")).encode()
    one.expect("GET", MODELS).reply_raw(
        b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body), said, body)
    px = proxy({"upstreams": {"one": {"url": one.url}, "two": {"url": two.url}},
                "routes": [{"model": "a-*", "to": "one"}, {"model": "b", "to": "two"}]})
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(px.connect()) for _ in range(20)]
        for client in clients:
            client.ask("GET", MODELS)
        said.set()
        for client in clients:
            assert listed(client.answer()) == [("b", "two"), ("a-1", "one")]
    assert listed(px.get(MODELS)) == [("b", "two"), ("a-1", "one")]


def test_whose_token_is_the_client_s_is_not_asked(proxy, upstream):
    one, two = upstream(), upstream()
    two.expect("GET", MODELS).hang_up()
    px = proxy({"upstreams": {"one": {"url": one.url, "token": {"client": True}},
                              "two": {"url": two.url}},
                "routes": [{"model": ["a", "a-*"], "to": "one"}, {"model": "*", "to": "two"}]})
    assert listed(px.get(MODELS, {"Authorization": "Bearer of-a-client"})) == [("a", "one")]


@pytest.mark.parametrize("body", [
    b"", b"[", b"{\"data\":7}", b"\xff\xfe", b'{"data":[{"id":"a\\nb"},{"id":"' + b"x" * 300
    + b'"},{"id":["y"]}]}', b" " * (5 << 20)])
def test_a_list_that_is_none_is_none(proxy, upstream, body):
    one, two = upstream(), upstream()
    one.expect("GET", MODELS).reply(body=body)
    px = proxy({"upstreams": {"one": {"url": one.url}, "two": {"url": two.url}},
                "routes": [{"model": "*", "to": "one"}]})
    assert listed(px.get(MODELS)) == []
    assert px.get("/healthz").status == 200


def test_the_list_of_the_only_upstream_is_its_own(px, up):
    up.expect("GET", MODELS).reply(json={"data": ["theirs"]})
    assert px.get(MODELS).json == {"data": ["theirs"]}
    up.expect("GET", f"{MODELS}/x").reply(404, json={"theirs": True})
    assert px.get(f"{MODELS}/x").json == {"theirs": True}


def reload(px):
    (px.directory / "reprise.yaml").write_text(json.dumps(px.config))
    seen = len(px.lines)
    px.process.send_signal(signal.SIGHUP)
    px.wait_for_line(r"reloaded$", seen)


def test_a_new_configuration_changes_what_is_asked(checked):
    px, a, b, health = checked
    health.reply(500)
    a.wait_for(4, "GET", "/health")
    b.expect("POST", CHAT).reply(json=SAID)
    assert px.post(CHAT, numbered(1))["x-reprise-upstream"] == "b"
    del px.config["upstreams"]["a"]["health"]
    px.config["upstreams"]["a"]["revision"] = {"probe": "/info"}
    a.always("GET", "/info").reply(json=info("1"))
    reload(px)
    for compute in ("upstream", "cache"):
        if compute == "upstream":
            a.expect("POST", CHAT).reply(json=SAID)
        assert px.post(CHAT, numbered(2))["x-compute-type"] == compute
    asked = len(a.came("GET", "/health"))
    for _again in range(2):     # it is asked anew, and old answers are there
        reload(px)
        assert px.post(CHAT, numbered(2))["x-compute-type"] == "cache"
    assert len(a.came("GET", "/health")) == asked
    assert len(a.came("GET", "/info")) == 3
