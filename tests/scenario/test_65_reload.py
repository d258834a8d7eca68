# SPDX-License-Identifier: MIT
"""A new configuration in a process that goes on, and what becomes of those under way (H-72, H-80,
O1, O2, O6)."""

import json
import signal
import socket
import threading

import pytest

import play

QUESTION = {"inputs": "one"}
PATH = "/models/t5-base"


def reload(px, config=None, text=None):
    """Write the configuration, send SIGHUP, wait for the verdict."""
    px.config = {**px.config, **(config or {})}
    file = px.directory / "reprise.yaml"
    file.write_text(text if text is not None else json.dumps(px.config, indent=1))
    seen = len(px.lines)
    px.process.send_signal(signal.SIGHUP)
    return px.wait_for_line(r"(reloaded|reload: nothing was changed)$", seen)


def test_new_requests_go_the_new_way(proxy, upstream):
    a, b = upstream(), upstream()
    px = proxy({"upstreams": {"up": {"url": a.url}}})
    a.expect("POST", PATH).reply(json=["a"])
    with px.connect() as client:        # the connection goes on
        client.ask("POST", PATH, QUESTION)
        assert client.answer().json == ["a"]
        assert reload(px, {"upstreams": {"up": {"url": b.url}}}) == "reloaded"
        client.ask("POST", PATH, QUESTION)
        assert client.answer()["x-compute-type"] == "cache"
        b.expect("POST", PATH).reply(json=["b"])
        client.ask("POST", PATH, {"inputs": "two"})
        assert client.answer().json == ["b"]


def test_who_is_under_way_goes_on_the_old_way(proxy, upstream):
    a, b = upstream(), upstream()
    px = proxy({"upstreams": {"up": {"url": a.url}}})
    asked = a.expect("POST", PATH)
    asked.reply(json=["a"])
    held = asked.hold()
    with px.connect() as client:
        client.ask("POST", PATH, QUESTION)
        asked.wait()
        assert reload(px, {"upstreams": {"other": {"url": b.url}}}) == "reloaded"
        held.set()
        assert client.answer().json == ["a"]
    assert px.post(PATH, QUESTION)["x-compute-type"] == "cache"


@pytest.mark.parametrize("text, said", [
    ("upstreams: {up: {url: 'http://x'}", "did not find expected"),
    ("listen: [", "did not find"),
    ("", "there must be one"),
    ("upstreams: {}", "there must be one"),
    ("upstreams: {up: {}}", '"url" is missing'),
    ("upstreams: {up: {url: nowhere}}", "url"),
    ("upstreams: {up: {url: 'http://x', token: {env: NOT_SET}}}", "is not set"),
    ("upstreams: {up: {url: 'http://x', token: {file: /no/such/file}}}", "No such file"),
    ("upstreams: {up: {url: 'http://x', tokn: 1}}", 'did you mean "token"'),
    ("upstreams: {up: {url: 'http://x'}}\nworkers: 0", "workers"),
    ("upstreams: {up: {url: 'http://x'}}\nworkers: two", "workers"),
    ("upstreams: {up: {url: 'http://x'}}\nroutes: [{to: down}]", "unknown upstream"),
    ("upstreams: {up: {url: 'http://x'}}\nroutes: []", "must not be empty"),
    ("upstreams: {a: {url: 'http://x'}, b: {url: 'http://x'}}", "say which request goes where"),
    ("upstreams: {up: {url: 'http://x'}}\nteams: {}", "must not be empty"),
    ("upstreams: {up: {url: 'http://x'}}\nteams: {a: {key: rp-x}}", "64 hexadecimal digits"),
    ("upstreams: {up: {url: 'http://x'}}\ncache: {ttl: 1y}", "is not a duration"),
    ("upstreams: {up: {url: 'http://x'}}\nprices: [{model: x, input: -1}]", "input"),
    ("upstreams: {up: {url: 'http://x'}}\nlisten: 256.0.0.1:80", "no such host"),
    ("\x00", "control characters"),
    ("a: *b", "must stand in quotes"),
])
def test_a_bad_file_changes_nothing_and_says_why(proxy, up, text, said):
    px = proxy({"upstreams": {"up": {"url": up.url}}})
    up.expect("POST", PATH).reply(json=["a"])
    px.post(PATH, QUESTION)
    assert reload(px, text=text) == "reload: nothing was changed"
    assert said in px.log
    assert px.post(PATH, QUESTION)["x-compute-type"] == "cache"
    up.expect("POST", PATH).reply(json=["b"])
    assert px.post(PATH, {"inputs": "two"}).json == ["b"]


def test_a_file_that_is_gone_changes_nothing(proxy, up):
    px = proxy({"upstreams": {"up": {"url": up.url}}})
    seen = len(px.lines)
    (px.directory / "reprise.yaml").unlink()
    px.process.send_signal(signal.SIGHUP)
    px.wait_for_line("reload: nothing was changed$", seen)
    assert "No such file" in px.log
    assert px.get("/healthz").status == 200


def test_what_takes_a_restart_says_so(proxy, up):
    px = proxy({"upstreams": {"up": {"url": up.url}}})
    up.expect("POST", PATH).reply(json=["a"])
    px.post(PATH, QUESTION)
    assert reload(px, {"workers": 3, "cache": {"path": "/nowhere", "size": "1GB"}}) == "reloaded"
    for option in ("workers", "cache.path", "cache.size"):
        assert f"reload: {option} has changed, which takes a restart" in px.log
    assert px.post(PATH, QUESTION)["x-compute-type"] == "cache"


def test_addresses_come_and_go(proxy, up):
    px = proxy({"upstreams": {"up": {"url": up.url}}})
    old = px.address
    path = str(px.directory / "socket")
    with px.connect() as kept:
        kept.ask("GET", "/healthz")
        assert kept.answer().status == 200
        assert reload(px, {"listen": ["127.0.0.1:0", f"unix:{path}"]}) == "reloaded"
        assert px.get("/healthz").status == 200     # the words are the same, and so is the socket
        sock = socket.socket(socket.AF_UNIX)
        sock.connect(path)
        with play.Client(sock) as client:
            client.ask("GET", "/healthz")
            assert client.answer().status == 200
        assert reload(px, {"listen": f"unix:{path}"}) == "reloaded"
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(tuple(old.split(":")), play.TIMEOUT)
        kept.ask("GET", "/healthz")                 # who is there stays
        assert kept.answer().status == 200


def test_an_address_may_grow(proxy, up):
    """From one host to all of them, on the port that is ours already."""
    px = proxy({"upstreams": {"up": {"url": up.url}}})
    port = px.address.rsplit(":", 1)[1]
    assert reload(px, {"listen": f"127.0.0.1:{port}"}) == "reloaded"
    assert px.log.count("listening on") == 1
    assert reload(px, {"listen": f"0.0.0.0:{port}"}) == "reloaded"
    assert px.get("/healthz").status == 200


def test_an_address_of_another_changes_nothing(proxy, up, upstream):
    px = proxy({"upstreams": {"up": {"url": up.url}}})
    other = upstream()
    listen = ["127.0.0.1:0", other.address]
    assert reload(px, {"listen": listen}) == "reload: nothing was changed"
    assert f"cannot listen on {other.address}: the address is in use" in px.log
    assert px.get("/healthz").status == 200


def test_teams_and_limits_change(proxy, up):
    px = proxy({"upstreams": {"up": {"url": up.url}}})
    key = "sha256:19d92d82c4c8cccc4f7e6b2dc55950632676084d20c7a7baf8ea765f9aac972b"
    assert reload(px, {"teams": {"a": {"key": key, "rate": "1/h"}}}) == "reloaded"
    assert px.post(PATH, QUESTION).status == 401
    up.expect("POST", PATH).reply(json=["a"])
    assert px.post(PATH, QUESTION, {"x-api-key": "rp-a"}).status == 200
    assert px.post(PATH, {"inputs": "two"}, {"x-api-key": "rp-a"}).status == 429
    assert reload(px, {"teams": {"a": {"key": key}}}) == "reloaded"
    up.expect("POST", PATH).reply(json=["b"])
    assert px.post(PATH, {"inputs": "two"}, {"x-api-key": "rp-a"}).status == 200


def test_a_renewed_token_is_taken_and_not_shown(proxy, up):
    px = proxy({"upstreams": {"up": {"url": up.url, "token": {"value": "canary-one"}}}})
    up.expect("POST", PATH).reply(json=["a"])
    px.post(PATH, QUESTION)
    token = px.directory / "token"
    token.write_text("canary-two\n")
    assert reload(px, {"upstreams": {"up": {"url": up.url, "token": {"file": str(token)}}}}) \
        == "reloaded"
    asked = up.expect("POST", PATH)
    asked.reply(json=["b"])
    px.post(PATH, {"inputs": "two"})
    assert asked.request["authorization"] == "Bearer canary-two"
    assert "upstreams.up.token is another one" in px.log
    assert "canary" not in px.log


def test_the_log_changes_its_level(proxy, up):
    px = proxy({"upstreams": {"up": {"url": up.url}}})
    assert reload(px, {"log": {"access": True}}) == "reloaded"
    px.get("/healthz")
    px.wait_for_line(r"GET /healthz", 0)


@pytest.mark.parametrize("workers", [1, 2])
def test_h80_nobody_is_refused_or_cut_by_reloads(proxy, up, workers):
    """New connections and kept ones, hits all the while; each reload changes all it can."""
    px = proxy({"upstreams": {"up": {"url": up.url}}, "workers": workers})
    up.expect("POST", PATH).reply(json=["a"])
    px.post(PATH, QUESTION)
    is_over, faults = threading.Event(), []

    def ask(keeps):
        try:
            while not is_over.is_set():
                with px.connect() as client:
                    for _ in range(20 if keeps else 1):
                        client.ask("POST", PATH, QUESTION)
                        assert client.answer().json == ["a"]
        except Exception as fault:      # whatever it is, the test must hear of it
            faults.append(fault)
    threads = [threading.Thread(target=ask, args=[i % 2]) for i in range(4)]
    for thread in threads:
        thread.start()
    for i in range(20):
        assert reload(px, {"max_body": f"{i + 1}MB", "log": {"access": bool(i % 2)}}) == "reloaded"
    is_over.set()
    for thread in threads:
        thread.join(play.TIMEOUT)
    assert not faults, faults


def test_a_token_in_the_place_of_a_refused_one_need_not_rest(proxy, up):
    def with_tokens(*tokens):
        return {"upstreams": {"up": {"url": up.url,
                                     "tokens": [{"value": token} for token in tokens]}}}
    px = proxy(with_tokens("old", "other"))
    up.expect("POST", PATH).reply(401, json={"error": "expired"})
    up.expect("POST", PATH).reply(json=["a"])
    assert px.post(PATH, {"inputs": "a"}).status == 200
    assert reload(px, with_tokens("new", "other")) == "reloaded"
    up.expect("POST", PATH).reply(json=["a"])
    assert px.post(PATH, {"inputs": "b"}).status == 200
    assert [request["authorization"] for request in up.requests] == [
        "Bearer old", "Bearer other", "Bearer new"]
    assert "upstreams.up.tokens are others" in px.log
