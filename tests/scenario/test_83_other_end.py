# SPDX-License-Identifier: MIT
"""Who is at the other end, by whose word; and who may connect to a file."""

import grp
import os
import re
import socket
import stat

import pytest

import tls
from play import head_of
from test_65_reload import reload

SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"
GOOD = {
    "v1": (b"PROXY TCP4 192.0.2.1 198.51.100.7 51000 443\r\n", "192.0.2.1"),
    "v1 of IPv6": (b"PROXY TCP6 2001:db8::1 ::1 51000 443\r\n", "2001:db8::1"),
    "v1 unknown": (b"PROXY UNKNOWN\r\n", "127.0.0.1"),
    "v2": (SIGNATURE + b"\x21\x11\0\x0c" + bytes([192, 0, 2, 9, 1, 2, 3, 4, 0, 1, 0, 2]),
           "192.0.2.9"),
    "v2 with more": (SIGNATURE + b"\x21\x11\x04\x0c" + bytes([192, 0, 2, 9, 1, 2, 3, 4, 0, 1, 0, 2])
                     + bytes(1024), "192.0.2.9"),
    "v2 local": (SIGNATURE + b"\x20\0\0\0", "127.0.0.1"),
}
BAD = {
    "none": b"",
    "a bad address": b"PROXY TCP4 192.0.2.256 198.51.100.7 51000 443\r\n",
    "no end": b"PROXY UNKNOWN " + b"x" * 200,
    "too large": SIGNATURE + b"\x21\x11\xff\xff",
    "no version": SIGNATURE + b"\x31\x11\0\0",
    "TLS": b"\x16\x03\x01\x02\x00\x01",
}
LOG = {"access": ["id", "ms", "client"]}
ASK = head_of("GET /healthz HTTP/1.1", [("Host", "p")])


def announced(proxy, up, **more):
    return proxy({"upstreams": {"up": {"url": up.url}}, "log": LOG,
                  "listen": {"address": "127.0.0.1:0", "proxy_protocol": True}, **more})


def ask(client, before=b"", headers=()):
    client.method = "GET"
    client.send(before + head_of("GET /healthz HTTP/1.1", [("Host", "p"), *headers]))
    return client.answer()


def client_of(px):
    """Who asked first, by the log; without the port."""
    line = px.wait_for_line(r"request \S+:.* ms=.*$")
    found = re.search(r" client=(\S+)", line)
    return found and re.sub(r"^([\d.]+):\d+$", r"\1", found[1])


@pytest.mark.parametrize("case", GOOD)
@pytest.mark.parametrize("cut", [False, True])
def test_a_proxy_says_whose_connection_it_is(proxy, up, case, cut):
    header, address = GOOD[case]
    px = announced(proxy, up)
    with px.connect() as client:
        client.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if cut:
            for byte in header:
                client.send(bytes([byte]))
            header = b""
        assert ask(client, header).status == 200
        assert client_of(px) == address
        assert ask(client).status == 200        # once for all requests
    assert "proxy_headers_refused" not in px.stop()


@pytest.mark.parametrize("case", BAD)
def test_what_does_not_begin_with_a_good_header_is_closed(proxy, up, case):
    px = announced(proxy, up)
    with px.connect() as client:
        client.send(BAD[case] + ASK)
        assert client.is_at_end()
    assert px.stop()["proxy_headers_refused"] == 1


def test_the_header_comes_before_tls(proxy, up, tmp_path):
    authority = tls.Authority(tmp_path / "authority")
    certificate, key = authority.issue("own")
    px = announced(proxy, up, tls={"certificate": str(certificate), "key": str(key)})
    with px.connect() as client:
        client.send(GOOD["v1"][0])
        client.sock = tls.client_context(authority).wrap_socket(
            client.sock, server_hostname="127.0.0.1")
        assert ask(client).status == 200
    assert client_of(px) == "192.0.2.1"
    px.stop()


def test_who_says_nothing_is_no_error(proxy, up):
    px = announced(proxy, up)
    with px.connect() as client:
        client.sock.shutdown(socket.SHUT_WR)
        assert client.is_at_end()
    with px.connect() as client:                # but half a header is one
        client.send(b"PROXY TCP4")
        client.sock.shutdown(socket.SHUT_WR)
        assert client.is_at_end()
    assert px.stop()["proxy_headers_refused"] == 1


def test_a_header_is_taken_only_where_it_is_asked_for(px):
    with px.connect() as client:
        assert ask(client, GOOD["v1"][0]).status == 400
    px.stop()


def test_a_header_is_believed_from_trusted_proxies_alone(proxy, up):
    """C10."""
    px = announced(proxy, up, trusted_proxies=["127.0.0.2"])
    with px.connect("127.0.0.2") as client:
        assert ask(client, GOOD["v1"][0]).status == 200
    assert client_of(px) == "192.0.2.1"
    with px.connect("127.0.0.1") as client:
        client.send(GOOD["v1"][0] + ASK)
        assert client.is_at_end()
    assert px.stop()["proxy_headers_refused"] == 1


def test_the_announced_address_counts(proxy, up):
    px = announced(proxy, up, connections_per_address=1, trusted_proxies=["127.0.0.0/8"])
    with px.connect() as one, px.connect() as two, px.connect() as other, px.connect() as local:
        assert ask(one, GOOD["v1"][0]).status == 200
        two.send(GOOD["v1"][0] + ASK)
        assert two.is_at_end()
        assert ask(other, GOOD["v2"][0]).status == 200
        assert ask(local, GOOD["v2 local"][0]).status == 200
    assert px.stop()["connections_refused"] == 1


def test_a_reload_changes_what_connections_begin_with(proxy, up):
    px = announced(proxy, up)
    address = px.address
    with px.connect() as old:
        assert ask(old, GOOD["v1"][0]).status == 200
        assert reload(px, {"listen": address}) == "reloaded"
        assert ask(old).status == 200
    assert px.get("/healthz").status == 200
    assert reload(px, {"listen": [{"address": address, "proxy_protocol": True}]}) == "reloaded"
    with px.connect() as client:
        client.send(ASK)
        assert client.is_at_end()
    px.stop()


@pytest.mark.parametrize("source, field, address", [
    ("127.0.0.2", "192.0.2.1", "192.0.2.1"),
    ("127.0.0.2", "192.0.2.66, 192.0.2.1, 127.0.0.3", "192.0.2.1"),
    ("127.0.0.2", "nonsense", "127.0.0.2"),
    ("127.0.0.1", "192.0.2.1", "127.0.0.1"),
])
def test_a_field_is_believed_from_trusted_proxies_alone(proxy, up, source, field, address):
    """C10."""
    px = proxy({"upstreams": {"up": {"url": up.url}}, "log": LOG,
                "trusted_proxies": ["127.0.0.2", "127.0.0.3"]})
    with px.connect(source) as client:
        assert ask(client, b"", [("X-Forwarded-For", field)]).status == 200
    assert client_of(px) == address
    px.stop()


@pytest.mark.parametrize("trusted, address", [([], None), (["unix:"], "192.0.2.1")])
def test_so_it_is_from_a_unix_socket(proxy, up, tmp_path, trusted, address):
    config = {"trusted_proxies": trusted} if trusted else {}
    px = proxy({"upstreams": {"up": {"url": up.url}}, "log": LOG,
                "listen": ["127.0.0.1:0", f"unix:{tmp_path}/s"], **config})
    with px.connect_unix(f"{tmp_path}/s") as client:
        assert ask(client, b"", [("X-Forwarded-For", "192.0.2.1")]).status == 200
    assert client_of(px) == address
    px.stop()


def test_nothing_of_it_goes_upstream(proxy, up):
    px = announced(proxy, up, trusted_proxies=["127.0.0.0/8"])
    asked = up.expect("POST", "/models/m").reply(json=[{"translation_text": "x"}])
    with px.connect() as client:
        client.send(GOOD["v1"][0])
        client.ask("POST", "/models/m", {"inputs": "a"}, {
            "X-Forwarded-For": "192.0.2.7", "X-Forwarded-Proto": "https", "X-Real-IP": "192.0.2.7",
            "X-Forwarded-Host": "h", "Forwarded": "for=192.0.2.7"})
        assert client.answer().status == 200
    told = [name.lower() for name, value in asked.request.fields
            if "forward" in name.lower() or "192.0.2" in value]
    assert told == []
    px.stop()


def mode_of(path):
    return stat.S_IMODE(os.stat(path).st_mode)


def test_a_unix_socket_has_its_mode(proxy, up, tmp_path):
    file = f"{tmp_path}/s"
    px = proxy({"upstreams": {"up": {"url": up.url}},
                "listen": ["127.0.0.1:0", {"address": f"unix:{file}", "mode": "0666"}]})
    assert mode_of(file) == 0o666
    with px.connect_unix(file) as client:
        assert ask(client).status == 200
    listen = ["127.0.0.1:0", {"address": f"unix:{file}", "mode": "0600"}]
    assert reload(px, {"listen": listen}) == "reloaded"
    assert mode_of(file) == 0o600
    with px.connect_unix(file) as client:
        assert ask(client).status == 200
    px.restart()
    assert mode_of(file) == 0o600
    px.stop()


@pytest.mark.skipif(os.getuid() != 0, reason="only root gives files to any group")
def test_a_unix_socket_has_its_group(proxy, up, tmp_path):
    group = next(one for one in grp.getgrall() if one.gr_gid != os.getgid())
    file = f"{tmp_path}/s"
    px = proxy({"upstreams": {"up": {"url": up.url}}, "listen": [
        "127.0.0.1:0", {"address": f"unix:{file}", "mode": "0660", "group": group.gr_name}]})
    assert os.stat(file).st_gid == group.gr_gid
    assert mode_of(file) == 0o660
    px.stop()


def test_check_knows_groups(proxy, up):
    px = proxy({"upstreams": {"up": {"url": up.url}}})
    (px.directory / "bad.yaml").write_text(
        "upstreams: {up: {url: 'http://x'}}\nlisten: {address: unix:/s, group: nobodys}\n")
    done = px.command("check", config="bad.yaml")
    assert done.returncode == 2
    assert done.stderr.endswith('bad.yaml:2:35: listen.group: there is no group "nobodys"\n')
    px.stop()
