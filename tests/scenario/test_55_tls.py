# SPDX-License-Identifier: MIT
"""Upstreams over TLS: certificates are always verified, HTTP/2 is taken where it is offered."""

import pathlib
import subprocess

import pytest

import play
import tls

HERE = pathlib.Path(__file__).resolve().parent
QUESTION = {"inputs": "My name is Wolfgang."}
ANSWER = [{"generated_text": "Hello"}]
TOKEN = {"value": "hf_canary"}


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return tls.Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def secure(upstream, authority):
    """Makes upstreams with a certificate of the authority."""
    def make(**how):
        return upstream(tls_context=tls.server_context(*authority.issue("upstream", **how)))
    return make


def test_a_certificate_of_a_named_authority_is_trusted(proxy, secure, authority):
    up = secure()
    up.expect("POST", "/models/m").reply(json=ANSWER)
    px = proxy({"upstreams": {"up": {"url": up.url, "ca_file": str(authority.file),
                                     "token": TOKEN}}})
    assert px.post("/models/m", QUESTION).status == 200
    assert px.post("/models/m", QUESTION)["x-compute-type"] == "cache"
    assert up.requests[0]["authorization"] == "Bearer hf_canary"


def test_an_authority_may_be_named_for_all_upstreams(proxy, secure, authority):
    up = secure()
    up.expect("POST", "/models/m").reply(json=ANSWER)
    px = proxy({"ca_file": str(authority.file), "upstreams": {"up": {"url": up.url}}})
    assert px.post("/models/m", QUESTION).status == 200


@pytest.mark.parametrize("how, is_known", [
    ({}, False), ({"subject": "DNS:other.example"}, True), ({"time": tls.OVER}, True),
], ids=["unknown authority", "another host", "expired"])
def test_a_certificate_that_is_not_right_gets_no_request(proxy, secure, authority, how, is_known):
    up = secure(**how)
    ca_file = {"ca_file": str(authority.file)} if is_known else {}
    px = proxy({"upstreams": {"up": {"url": up.url, "token": TOKEN, **ca_file}}})
    answer = px.post("/models/m", QUESTION)
    assert answer.status == 502 and "TLS" in answer.error
    assert not up.requests


@pytest.fixture
def h2(authority):
    files = authority.issue("h2")
    process = subprocess.Popen(["node", HERE / "h2_upstream.mjs", *files], text=True,
                               stdout=subprocess.PIPE)
    yield f"https://127.0.0.1:{int(process.stdout.readline())}"
    process.kill()
    process.wait()
    process.stdout.close()


def test_http_2_is_spoken_where_it_is_offered(proxy, h2, authority):
    px = proxy({"ca_file": str(authority.file), "upstreams": {"up": {"url": h2}}})
    miss = px.post("/models/m", QUESTION)
    assert miss.json == [{"generated_text": "HTTP/2.0"}]
    assert "stored" in miss["cache-status"]
    hit = px.post("/models/m", QUESTION)
    assert hit["x-compute-type"] == "cache" and hit.body == miss.body


def test_a_cut_http_2_answer_is_502(proxy, h2, authority):
    px = proxy({"ca_file": str(authority.file), "upstreams": {"up": {"url": h2}}})
    assert px.post("/models/cut", QUESTION).status == 502


def test_timeouts_hold_over_tls(proxy, secure, authority):
    up = secure()
    hanging = up.expect("POST", "/models/m").never_answer()
    px = proxy({"ca_file": str(authority.file), "upstreams": {"up": {
        "url": up.url, "timeouts": {"first_byte": "50ms"}}}})
    assert px.post("/models/m", QUESTION).status == 504
    assert hanging.gone.wait(play.TIMEOUT)
