# SPDX-License-Identifier: MIT
"""TLS to clients: what is spoken, which certificate is shown, whose client is let in."""

import contextlib
import hashlib
import json
import os
import shutil
import signal
import socket
import ssl
import subprocess
import threading

import pytest

import play
import tls

QUESTION = {"inputs": "My name is Wolfgang."}
STREAM = {"model": "m", "stream": True, "messages": [{"role": "user", "content": "a"}]}
ANSWER = [{"generated_text": "Hello"}]
LARGE = os.urandom(1 << 19).hex()
KEY = "rp-a-key-of-one"
TLS_1_2, TLS_1_3 = ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return tls.Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def stranger(tmp_path_factory):
    return tls.Authority(tmp_path_factory.mktemp("stranger"))


@pytest.fixture(scope="module")
def own(authority):
    return authority.issue("own")


@pytest.fixture(scope="module")
def context(authority):
    return tls.client_context(authority)


def option(pair, client_ca=None):
    more = {"client_ca": str(client_ca)} if client_ca else {}
    return {"certificate": str(pair[0]), "key": str(pair[1]), **more}


@pytest.fixture
def secure(proxy, up, own):
    """Makes proxies that speak TLS."""
    def make(*pairs, client_ca=None, **config):
        options = [option(pair, client_ca) for pair in pairs or [own]]
        return proxy({"tls": options if len(options) > 1 else options[0],
                      "upstreams": {"up": {"url": up.url}}, **config})
    return make


def ask(client, body=None, headers=()):
    client.ask("POST", "/models/m", body or QUESTION, headers)
    return client.answer()


@pytest.mark.parametrize("version", [TLS_1_2, TLS_1_3])
def test_a_question_is_answered_over_tls(secure, up, authority, version):
    up.expect("POST", "/models/m").reply(json=ANSWER)
    client_context = tls.client_context(authority, version)
    client_context.set_alpn_protocols(["h2", "http/1.1"])
    with tls.connect(secure(), client_context) as client:
        assert client.sock.version() == version.name.replace("_", ".")
        assert client.sock.selected_alpn_protocol() == "http/1.1"
        assert client.sock.compression() is None
        miss, hit = ask(client), ask(client)
    assert miss.json == hit.json == ANSWER
    assert hit["x-compute-type"] == "cache"


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_older_versions_are_refused(secure, authority):
    client_context = tls.client_context(authority)
    client_context.set_ciphers("DEFAULT@SECLEVEL=0")
    client_context.minimum_version = client_context.maximum_version = ssl.TLSVersion.TLSv1_1
    px = secure()
    with pytest.raises(ssl.SSLError, match="ALERT_PROTOCOL_VERSION"):
        tls.connect(px, client_context)
    assert px.stop()["handshakes_failed"] == 1


def test_ciphers_without_forward_secrecy_are_refused(secure, authority):
    client_context = tls.client_context(authority, TLS_1_2)
    client_context.set_ciphers("ECDHE-ECDSA-AES256-SHA384:ECDHE-ECDSA-AES128-SHA")
    with pytest.raises(ssl.SSLError, match="HANDSHAKE_FAILURE"):
        tls.connect(secure(), client_context)


def test_who_speaks_http_2_alone_is_told_that_nobody_does(secure, authority):
    client_context = tls.client_context(authority)
    client_context.set_alpn_protocols(["h2"])
    with pytest.raises(ssl.SSLError, match="no application protocol"):
        tls.connect(secure(), client_context)


def common_name(client):
    (((_, name),),) = client.sock.getpeercert()["subject"]
    return name


def test_the_certificate_is_chosen_by_the_name_that_is_asked_for(secure, authority, own, context):
    px = secure(own, authority.issue("any", "DNS:*.models.test"),
                authority.issue("exact", "DNS:www.test,DNS:t5.models.test"))
    context = tls.client_context(authority)
    for name, shown in [("127.0.0.1", "own"), ("a.models.test", "any"),
                        ("t5.models.test", "exact"), ("WWW.test", "exact")]:
        with tls.connect(px, context, name) as client:
            assert common_name(client) == shown
    context.check_hostname = False
    for name in ("models.test", "a.b.models.test", "nobody.test"):
        with tls.connect(px, context, name) as client:
            assert common_name(client) == "own"


@pytest.mark.parametrize("how, name, why", [
    ({"time": tls.OVER}, "127.0.0.1", "expired"),
    ({}, "other.test", "Hostname mismatch"),
])
def test_a_client_that_verifies_refuses_what_is_not_right(
        secure, authority, context, how, name, why):
    px = secure(authority.issue("odd", **how))
    with pytest.raises(ssl.SSLCertVerificationError, match=why):
        tls.connect(px, context, name)
    if how:
        assert "tls.certificate: has expired; clients will refuse it" in px.log
        done = px.command("check")
        assert done.returncode == 0
        assert "warning: " in done.stderr and "reprise.yaml:" in done.stderr
        assert "tls.certificate: has expired" in done.stderr


@pytest.mark.parametrize("version", [TLS_1_2, TLS_1_3])
def test_a_session_is_resumed_whichever_worker_it_comes_to(secure, authority, version):
    px = secure(workers=4)
    context = tls.client_context(authority, version)
    with tls.connect(px, context) as client:
        client.ask("GET", "/healthz")
        assert client.answer().status == 200        # the ticket comes before it
        assert not client.sock.session_reused
        session = client.sock.session
    for _ in range(16):
        with tls.connect(px, context, session=session) as client:
            assert client.sock.session_reused
            client.ask("GET", "/healthz")
            assert client.answer().status == 200


def key_of(key):
    return "sha256:" + hashlib.sha256(key.encode()).hexdigest()


TEAMS = {"one": {"key": key_of(KEY)}, "two": {}, "late": {"expires": "2020-01-31"}}


@pytest.fixture
def gate(secure, authority):
    return secure(client_ca=authority.file, teams=TEAMS, log={"access": True})


@pytest.mark.parametrize("names, headers, team", [
    (("two", "IP:127.0.0.1"), {}, "two"),
    (("service-7", "DNS:host.test,DNS:two"), {}, "two"),
    (("two", "DNS:one"), {}, "two"),
    (("two", "IP:127.0.0.1"), {"Authorization": f"Bearer {KEY}"}, "one"),
    (("two", "IP:127.0.0.1"), {"Authorization": "Bearer unused"}, "two"),
    (("nobody", "IP:127.0.0.1"), {"x-api-key": KEY}, "one"),
    (("nobody", "DNS:TWO"), {}, None),
    (("late", "IP:127.0.0.1"), {}, None),
], ids=["common name", "DNS name", "the common name first", "a key goes first",
        "a key of nobody's", "a key alone", "nobody", "expired"])
def test_a_team_is_known_by_its_certificate(gate, up, authority, names, headers, team):
    if team:
        up.expect("POST", "/models/m").reply(json=ANSWER)
    with tls.connect(gate, tls.client_context(authority, certificate=authority.issue(*names))
                     ) as client:
        answer = ask(client, headers=headers)
    gate.stop()
    assert answer.status == (200 if team else 401)
    assert f"team={team} " in gate.log or not team


def test_it_is_known_by_it_in_a_session_that_is_resumed(gate, up, authority):
    up.expect("POST", "/models/m").reply(json=ANSWER)
    context = tls.client_context(authority, certificate=authority.issue("two"))
    with tls.connect(gate, context) as client:
        ask(client)
        session = client.sock.session
    with tls.connect(gate, context, session=session) as client:
        assert client.sock.session_reused
        assert ask(client)["x-compute-type"] == "cache"


@pytest.mark.parametrize("version", [TLS_1_2, TLS_1_3])
@pytest.mark.parametrize("is_strange", [True, False], ids=["a stranger", "nobody"])
def test_who_shows_no_certificate_of_the_authority_is_not_let_in(
        gate, authority, stranger, version, is_strange):
    shown = stranger.issue("two") if is_strange else None
    context = tls.client_context(authority, version, shown)
    with pytest.raises((ssl.SSLError, ConnectionError, play.Gone)):
        with tls.connect(gate, context, suppress_ragged_eofs=False) as client:
            ask(client)
    assert gate.stop() == {"handshakes_failed": 1}
    assert "handshake failed" not in gate.log


def test_with_certificates_alone_nobody_else_can_ask(secure, authority, up):
    up.expect("POST", "/models/m").reply(json=ANSWER)
    px = secure(client_ca=authority.file, listen="0.0.0.0:0")
    context = tls.client_context(authority, certificate=authority.issue("any-name"))
    with tls.connect(px, context) as client:
        assert ask(client).status == 200
    assert "is open to whoever reaches it" not in px.log


def test_unix_sockets_speak_plainly(secure, tmp_path, up):
    up.expect("POST", "/models/m").reply(json=ANSWER)
    path = tmp_path / "socket"
    secure(listen=["127.0.0.1:0", f"unix:{path}"])
    with socket.socket(socket.AF_UNIX) as sock:
        sock.connect(str(path))
        assert ask(play.Client(sock)).status == 200


def test_warm_speaks_tls_as_well(secure, up, authority):
    up.expect("POST", "/models/m").reply(json=ANSWER)
    px = secure(ca_file=str(authority.file))
    done = px.command("cache", "warm", "--url", f"https://{px.address}", "-",
                      stdin=json.dumps({"path": "/models/m", "body": QUESTION}) + "\n")
    assert done.stdout == "0 were there, 1 computed, 0 failed\n", done


def test_large_bodies_go_both_ways(secure, up, context):
    question, answer = {"inputs": LARGE}, [{"generated_text": LARGE[::-1]}]
    up.expect("POST", "/models/m").reply(json=answer)
    px = secure()
    with tls.connect(px, context) as client:
        assert ask(client, question).json == answer
        hit = ask(client, question)
        assert hit["x-compute-type"] == "cache" and hit.json == answer
    assert up.requests[0].json == question


@pytest.mark.parametrize("version", [TLS_1_2, TLS_1_3])
@pytest.mark.parametrize("size", [1, 1000, 16000, 16384, 17000, 40000, 500000])
def test_answers_of_any_length_are_whole(secure, up, authority, size, version):
    answer = [{"generated_text": "x" * size}]
    up.expect("POST", "/models/m").reply(json=answer)
    with tls.connect(secure(), tls.client_context(authority, version)) as client:
        assert [ask(client).json for _ in range(3)] == [answer] * 3


def test_a_slow_reader_gets_all_of_it(secure, up, context):
    answer = [{"generated_text": LARGE}]
    up.expect("POST", "/models/m").reply(json=answer)
    px = secure()
    with tls.connect(px, context) as client:
        ask(client)
    host, port = px.address.rsplit(":", 1)
    with socket.socket() as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        sock.connect((host, int(port)))
        with play.Client(context.wrap_socket(sock, server_hostname="127.0.0.1")) as client:
            for _ in range(2):          # the second waits until the first is taken
                client.ask("POST", "/models/m", QUESTION)
            assert [client.answer().json for _ in range(2)] == [answer] * 2


def test_a_stream_arrives_event_by_event(secure, up, context):
    went_on = threading.Event()
    up.expect("POST", "/v1/chat/completions").reply(
        headers={"Content-Type": "text/event-stream"},
        chunks=[b"data: {\"choices\":[{\"delta\":{\"content\":\"a\"}}]}\n\n", went_on,
                b"data: [DONE]\n\n"])
    with tls.connect(secure(), context) as client:
        client.ask("POST", "/v1/chat/completions", STREAM)
        assert client.head().status == 200
        assert b"delta" in client.chunk()
        went_on.set()
        assert b"[DONE]" in client.chunk()


def test_what_is_pipelined_waits_its_turn(secure, up, context):
    """More of it than is held at once: it stays where it is until there is room."""
    went_on = threading.Event()
    first = {"inputs": "first"}
    others = [{"inputs": f"{i} {LARGE[:80000]}"} for i in range(4)]
    up.expect("POST", "/models/m").reply(chunks=[went_on, play.dump(ANSWER)])
    for _ in others:
        up.expect("POST", "/models/m").reply(json=ANSWER)
    with tls.connect(secure(), context) as client:
        for question in [first, *others]:
            client.ask("POST", "/models/m", question)
        went_on.set()
        assert [client.answer().json for _ in range(5)] == [ANSWER] * 5


def test_who_says_fin_still_gets_an_answer(secure, up, context):
    up.expect("POST", "/models/m").reply(json=ANSWER)
    with tls.connect(secure(), context) as client:
        client.ask("POST", "/models/m", QUESTION)
        socket.socket.shutdown(client.sock, socket.SHUT_WR)     # without a close_notify
        assert client.answer().json == ANSWER


class Memory:
    """A client of whose bytes we are the carrier."""

    def __init__(self, px, context):
        host, port = px.address.rsplit(":", 1)
        self.sock = socket.create_connection((host, int(port)), play.TIMEOUT)
        self.came, self.going = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.ssl = context.wrap_bio(self.came, self.going, server_hostname="127.0.0.1")

    def until_done(self, call, *arguments):
        while True:
            try:
                return call(*arguments)
            except ssl.SSLWantReadError:
                self.carry()

    def carry(self):
        self.sock.sendall(self.going.read())
        data = self.sock.recv(65536)
        self.came.write(data) if data else self.came.write_eof()


def test_who_says_close_notify_still_gets_an_answer(secure, up, context):
    went_on = threading.Event()
    reply = up.expect("POST", "/models/m").reply(chunks=[went_on, play.dump(ANSWER)])
    client = Memory(secure(), context)
    with contextlib.closing(client.sock):
        client.until_done(client.ssl.do_handshake)
        body = play.dump(QUESTION)
        client.ssl.write(b"POST /models/m HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s"
                         % (len(body), body))
        with contextlib.suppress(ssl.SSLWantReadError):
            client.ssl.unwrap()
        client.sock.sendall(client.going.read())
        reply.wait()
        went_on.set()
        got = b""
        while b"Hello" not in got:
            got += client.until_done(client.ssl.read)
    assert got.startswith(b"HTTP/1.1 200 ")


def test_a_clean_end_is_told_from_a_broken_one(secure, up, context):
    px = secure()
    with tls.connect(px, context, suppress_ragged_eofs=False) as client:
        client.ask("GET", "/healthz", headers={"Connection": "close"})
        assert client.answer().status == 200
        assert client.is_at_end()
    seen = threading.Event()
    up.expect("POST", "/completion").reply_raw(
        b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
        b"Transfer-Encoding: chunked\r\n\r\n9\r\ndata: 1\n\n\r\n", seen, b"no chunk")
    with tls.connect(px, context, suppress_ragged_eofs=False) as client:
        client.ask("POST", "/completion", {"prompt": "Hi", "stream": True})
        assert client.head().status == 200
        assert client.chunk() == b"data: 1\n\n"
        seen.set()
        with pytest.raises((ssl.SSLError, ConnectionError)):
            client.sock.recv(65536)


@pytest.mark.parametrize("sent, is_counted", [
    (b"", False), (b"\x16\x03\x01\x02", True), (b"\x00" * 100, True),
    (b"\x16\x03\x01\x00\x05hello", True), (b"\x80\x2e\x01\x00\x02" + b"\x00" * 41, True),
], ids=["nothing", "a part", "zeros", "no hello", "SSL 2"])
def test_a_handshake_that_is_none_ends_the_connection_alone(secure, context, sent, is_counted):
    px = secure()
    with px.connect() as client:
        client.send(sent)
        client.sock.shutdown(socket.SHUT_WR)
        client.rest()
    with tls.connect(px, context) as client:
        client.ask("GET", "/healthz")
        assert client.answer().status == 200
    assert px.stop().get("handshakes_failed", 0) == is_counted
    assert "handshake failed" not in px.log


def test_who_speaks_plainly_is_told_to_use_https(secure):
    px = secure(teams={"one": {"key": key_of(KEY)}})
    for method in ("GET", "POST"):
        with px.connect() as client:
            client.ask(method, "/models/m", QUESTION if method == "POST" else b"",
                       {"Authorization": f"Bearer {KEY}"})
            answer = client.answer()
            assert answer.status == 400 and "https://" in answer.error
            assert answer["connection"] == "close" and client.is_at_end()
    assert px.stop()["refused"] == 2
    assert "handshakes_failed" not in px.counted


def reload(px, pattern):
    """SIGHUP; what stands in the log then."""
    seen = len(px.lines)
    px.process.send_signal(signal.SIGHUP)
    return px.wait_for_line(pattern, seen)


@pytest.fixture
def renewable(tmp_path, authority):
    """(A pair of files, what puts another certificate into them)."""
    pair = tmp_path / "tls.pem", tmp_path / "tls.key"

    def renew(name):
        for made, file in zip(authority.issue(name), pair):
            shutil.copy(made, file)
    renew("first")
    return pair, renew


def test_renewed_files_are_taken_by_a_reload(secure, renewable, context):
    pair, renew = renewable
    px = secure(pair)
    with tls.connect(px, context) as before:
        assert common_name(before) == "first"
        before.ask("GET", "/healthz")
        assert before.answer().status == 200
        renew("second")
        reload(px, "reloaded$")
        with tls.connect(px, context) as after:
            assert common_name(after) == "second"
        with tls.connect(px, context, session=before.sock.session) as again:
            assert again.sock.session_reused
        before.ask("GET", "/healthz")
        assert before.answer().status == 200


def test_files_that_cannot_be_used_change_nothing(secure, renewable, context):
    pair, renew = renewable
    px = secure(pair)
    renew("second")
    pair[1].unlink()
    line = reload(px, r"reload: .*tls\.key: .*: No such file or directory$")
    assert f"{px.directory}/reprise.yaml:" in line
    with tls.connect(px, context) as client:
        assert common_name(client) == "first"


def test_a_reload_brings_tls_and_takes_it_away(px, own, context):
    px.config["tls"] = option(own)
    (px.directory / "reprise.yaml").write_text(json.dumps(px.config))
    with px.connect() as before:
        before.ask("GET", "/healthz")
        assert before.answer().status == 200
        reload(px, "reloaded$")
        with tls.connect(px, context) as client:
            client.ask("GET", "/healthz")
            assert client.answer().status == 200
        before.ask("GET", "/healthz")
        assert before.answer().status == 200
    del px.config["tls"]
    (px.directory / "reprise.yaml").write_text(json.dumps(px.config))
    reload(px, "reloaded$")
    assert px.get("/healthz").status == 200


@pytest.fixture
def files(tmp_path, authority, own, stranger):
    other = stranger.issue("other")
    (tmp_path / "no.pem").write_text("no certificate\n")
    locked = tmp_path / "locked.key"
    subprocess.run(["openssl", "pkey", "-in", own[1], "-aes256", "-passout", "pass:x", "-out",
                    locked], check=True, capture_output=True, timeout=60)
    weak = tmp_path / "weak.pem", tmp_path / "weak.key"
    tls.openssl("req", "-x509", "-newkey", "rsa:1024", "-nodes", "-subj", "/CN=weak", "-out",
                weak[0], "-keyout", weak[1])
    return {"own": own, "no": (tmp_path / "no.pem",) * 2, "gone": (tmp_path / "gone",) * 2,
            "other": other, "locked": (own[0], locked), "weak": weak, "dir": (tmp_path,) * 2}


@pytest.mark.parametrize("certificate, key, client_ca, line", [
    ("gone", "own", None, "3:18: tls.certificate: {gone}: No such file or directory"),
    ("own", "gone", None, "4:10: tls.key: {gone}: No such file or directory"),
    ("own", "other", None, "4:10: tls.key: {other} does not belong to the certificate in {own}"),
    ("no", "own", None, "3:18: tls.certificate: {no} holds no certificate (PEM)"),
    ("own", "no", None, "4:10: tls.key: {no} holds no private key (PEM)"),
    ("own", "locked", None, "4:10: tls.key: {locked} needs a passphrase; write it without one, "
     "readable to the service alone"),
    ("weak", "weak", None, "3:18: tls.certificate: {weak}: ee key too small"),
    ("own", "own", "no", "5:16: tls.client_ca: {no} holds no certificate (PEM)"),
    ("own", "own", "gone", "5:16: tls.client_ca: {gone}: No such file or directory"),
])
def test_files_that_cannot_be_used_are_named(
        tmp_path, files, certificate, key, client_ca, line):
    config = tmp_path / "reprise.yaml"
    text = ("upstreams: {up: {url: http://127.0.0.1:1}}\ntls:\n"
            f"    certificate: {files[certificate][0]}\n    key: {files[key][1]}\n")
    if client_ca:
        text += f"    client_ca: {files[client_ca][0]}\n"
    config.write_text(text)
    paths = {name: pair[1] for name, pair in files.items()}
    paths["own"] = files["own"][0]
    if certificate == "weak":
        paths["weak"] = files["weak"][0]
    for command in ("check", "serve"):
        done = subprocess.run([play.REPRISE, command, "-c", config], capture_output=True,
                              text=True, check=False, timeout=play.TIMEOUT, cwd=tmp_path,
                              env={"HOME": str(tmp_path), "PATH": os.environ["PATH"]})
        assert done.returncode == 2, done.stderr
        assert f"{config}:{line.format(**paths)}\n" in done.stderr
