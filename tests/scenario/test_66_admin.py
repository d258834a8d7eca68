# SPDX-License-Identifier: MIT
"""What the administrator asks of a running server, and who else may not (H-75)."""

import json
import os
import socket
import stat

import pytest

import play

QUESTION = {"inputs": "one"}
PATH = "/models/t5-base"
JSON = {"Content-Type": "application/json"}
LOCAL = {"Host": "localhost"}


@pytest.fixture
def px(proxy, up):
    return proxy({"upstreams": {"up": {"url": up.url}}, "admin": "127.0.0.1:0"})


def private(px):
    """A client on the socket in the cache's directory."""
    sock = socket.socket(socket.AF_UNIX)
    sock.connect(str(px.directory / "cache" / "admin.sock"))
    return play.Client(sock)


def test_the_server_lives_and_is_ready(px):
    for path, said in (("/healthz", "ok"), ("/readyz", "ready")):
        answer = px.admin("GET", path)
        assert answer.status == 200 and answer.json == {"status": said}
        assert answer["x-compute-type"] == "none"
        assert answer["cache-control"] == "no-store"
        assert px.admin("HEAD", path).body == b""


def test_questions_follow_one_another_on_a_connection(px):
    with px.connect_admin() as client:
        for _ in range(3):
            client.ask("GET", "/healthz", headers=LOCAL)
            assert client.answer().status == 200
        client.send(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n" * 2)
        client.method = "GET"
        assert client.answer().status == 200
        assert client.answer().status == 200
        client.ask("GET", "/healthz", headers={**LOCAL, "Connection": "close"})
        assert client.answer()["connection"] == "close"
        assert client.is_at_end()


def test_the_counters_of_all_workers_are_added(px, up):
    up.expect("POST", PATH).reply(json=["a"])
    for _ in range(4):
        px.post(PATH, QUESTION)
    for _ in range(1000):       # an answer is counted after it has gone
        stats = px.admin("GET", "/stats").json
        if stats["requests"]["hits"] == 3:
            break
    assert stats["workers"] == 2
    assert stats["requests"]["requests"] == 4
    assert stats["requests"]["hits"] == 3
    assert stats["cache"]["size"] == 64 << 20
    assert stats["cache"]["path"] == str(px.directory / "cache")


def test_other_paths_and_methods(px):
    assert px.admin("GET", "/").status == 404
    assert px.admin("GET", PATH).status == 404
    assert px.admin("POST", "/stats", b"{}", JSON).status == 405
    assert px.admin("GET", "/purge").status == 405
    answer = px.admin("GET", "/stat")
    assert answer["content-type"] == "application/problem+json"
    assert answer.json["status"] == 404 and "/stats" in answer.json["detail"]


def test_a_malformed_question_is_told_so(px):
    with px.connect_admin() as client:
        client.send(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\n\r\n")
        client.method = "GET"
        assert client.answer().status == 400
        assert client.is_at_end()


@pytest.mark.parametrize("asked, text", [
    ({"model": "t5-*"}, "gone"), ({"all": True}, "gone"), ({"model": "bert-*"}, "there"),
    ({"older_than": "1d"}, "there"), ({"team": "a"}, "there"), ({"key": "0" * 32}, "there"),
    ({"all": True, "model": "bert-*"}, "there")])
def test_a_purge_voids_at_once(px, up, asked, text):
    up.expect("POST", PATH).reply(json=["a"])
    px.post(PATH, QUESTION)
    answer = px.admin("POST", "/purge", asked, JSON)
    assert answer.status == 200 and answer.json == {"status": "purged"}
    if text == "gone":
        up.expect("POST", PATH).reply(json=["b"])
    assert px.post(PATH, QUESTION).json == (["b"] if text == "gone" else ["a"])


@pytest.mark.parametrize("asked", [
    {}, [], b"", b"{", {"modle": "x"}, {"all": False}, {"model": 1}, {"older_than": 7},
    {"older_than": "7"}, {"key": "abc"}, b'{"all":true,"all":true}'])
def test_a_purge_that_is_not_understood_voids_nothing(px, up, asked):
    up.expect("POST", PATH).reply(json=["a"])
    px.post(PATH, QUESTION)
    answer = px.admin("POST", "/purge", asked, JSON)
    assert answer.status == 400 and answer.json["detail"]
    assert px.post(PATH, QUESTION)["x-compute-type"] == "cache"


@pytest.mark.parametrize("headers, status", [
    ({"Host": "evil.example"}, 403), ({"Host": "evil.example:8081"}, 403),
    ({"Host": "localhost.evil.example"}, 403), ({"Host": "localhost:1"}, 200),
    ({"Host": "127.0.0.1"}, 200), ({"Host": "[::1]:8081"}, 200), ({"Host": "127.1.2.3"}, 200),
    ({"Host": "127.evil.example"}, 403)])
def test_h75_a_name_that_was_rebound_is_not_ours(px, headers, status):
    assert px.admin("GET", "/stats", headers=headers).status == status


@pytest.mark.parametrize("headers", [
    {}, {"Content-Type": "text/plain"}, {"Content-Type": "application/x-www-form-urlencoded"},
    {**JSON, "Origin": "http://evil.example"}, {**JSON, "Origin": "null"},
    {"Content-Type": "application/jsonp"}])
def test_h75_a_page_can_change_nothing(px, up, headers):
    up.expect("POST", PATH).reply(json=["a"])
    px.post(PATH, QUESTION)
    assert px.admin("POST", "/purge", {"all": True}, headers).status == 403
    assert px.post(PATH, QUESTION)["x-compute-type"] == "cache"


def test_the_clients_listener_has_none_of_it(px, up):
    for path in ("/stats", "/readyz", "/metrics"):
        up.expect("GET", path).reply(404)
        assert px.get(path).status == 404
    up.expect("POST", "/purge").reply(404)
    assert px.post("/purge", {"all": True}).status == 404


def test_only_its_user_reaches_the_private_socket(px):
    directory = px.directory / "cache"
    assert stat.S_IMODE(os.stat(directory).st_mode) == 0o700
    with private(px) as client:
        client.ask("GET", "/readyz", headers={"Host": "whoever"})
        assert client.answer().status == 200
    assert px.admin("POST", "/reload", {}, JSON).status == 404


def test_reload_says_its_verdict(px, up):
    file = px.directory / "reprise.yaml"
    done = px.command("reload")
    assert (done.returncode, done.stdout, done.stderr) == (0, "reloaded\n", "")
    file.write_text(json.dumps({**px.config, "workers": 5}))
    done = px.command("reload")
    assert done.returncode == 0
    assert done.stderr == "workers has changed, which takes a restart\n"
    file.write_text(json.dumps({**px.config, "wokers": 5}))
    done = px.command("reload")
    assert done.returncode == 2 and 'did you mean "workers"' in done.stderr


def test_reload_tells_what_the_server_finds_wrong(px):
    """Its file may be another one than that of the command."""
    (px.directory / "other.yaml").write_text(json.dumps(px.config))
    (px.directory / "reprise.yaml").write_text("upstreams: {}")
    done = px.command("reload", config="other.yaml")
    assert done.returncode == 2
    assert "there must be one" in done.stderr and "nothing was changed" in done.stderr


def test_reload_is_over_when_it_says_so(px, up, upstream):
    other = upstream()
    for i in range(10):
        now, url = (up, up.url) if i % 2 else (other, other.url)
        (px.directory / "reprise.yaml").write_text(
            json.dumps({**px.config, "upstreams": {"up": {"url": url}}}))
        assert px.command("reload").returncode == 0
        now.expect("POST", PATH).reply(json=[i])
        assert px.post(PATH, {"inputs": str(i)}).json == [i]


def test_reload_without_a_server(px):
    px.stop()
    done = px.command("reload")
    assert done.returncode == 1 and "no server that could be asked" in done.stderr
    px.start()
    assert px.command("reload").returncode == 0


def test_the_socket_goes_with_the_server(px):
    px.stop()
    assert not (px.directory / "cache" / "admin.sock").exists()
    px.start()


def test_the_admin_address_may_change(px):
    first = px.admin_address
    (px.directory / "reprise.yaml").write_text(json.dumps({**px.config, "admin": "[::1]:0"}))
    assert px.command("reload").returncode == 0
    assert px.admin_address != first and px.admin_address.startswith("[::1]")
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(tuple(first.split(":")), play.TIMEOUT)
    (px.directory / "reprise.yaml").write_text(json.dumps({**px.config, "admin": None}))
    px.command("reload")
    assert px.process.poll() is None


def test_an_admin_address_of_another_is_told_and_serving_goes_on(proxy, up, upstream):
    other = upstream()
    px = proxy({"upstreams": {"up": {"url": up.url}}, "admin": other.address})
    assert "there is no admin listener" in px.log
    assert px.get("/healthz").status == 200


def test_an_open_admin_listener_is_warned_of(proxy, up):
    px = proxy({"upstreams": {"up": {"url": up.url}}, "admin": "0.0.0.0:0"})
    assert "is open to whoever reaches it" in px.log


def test_while_it_ends_it_is_not_ready(proxy, up):
    px = proxy({"upstreams": {"up": {"url": up.url}}, "admin": "127.0.0.1:0"})
    asked = up.expect("POST", PATH)
    asked.reply(json=["a"])
    held = asked.hold()
    with px.connect() as client, px.connect_admin() as admin:
        client.ask("POST", PATH, QUESTION)
        asked.wait()
        px.process.terminate()
        px.wait_for_line("ending")
        admin.ask("GET", "/readyz", headers=LOCAL)
        assert admin.answer().status == 503
        held.set()
        assert client.answer().json == ["a"]
    px.wait()


def test_many_administrators_wait_outside(px):
    clients = [px.connect_admin() for _ in range(64)]
    clients[0].ask("GET", "/healthz", headers=LOCAL)
    assert clients[0].answer().status == 200
    with px.connect_admin() as one_more:
        assert one_more.is_at_end()
    clients[1].ask("GET", "/healthz", headers=LOCAL)
    assert clients[1].answer().status == 200
    for client in clients:
        client.close()
