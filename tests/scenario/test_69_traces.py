# SPDX-License-Identifier: MIT
"""Traces of clients go on to the upstream."""

import re

import pytest

QUESTION = {"inputs": "one"}
PATH = "/models/t5-base"
TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
PARENT = f"00-{TRACE}-{SPAN}-01"


def parts(request):
    found = re.fullmatch(r"00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})", request["traceparent"])
    assert found and set(found[2]) != {"0"}
    return found.groups()


def test_a_call_is_a_span_of_its_own_in_the_clients_trace(proxy, up):
    px = proxy({"upstreams": {"up": {"url": up.url}}, "log": {"access": True}})
    one = up.expect("POST", PATH).reply(json=["a"])
    px.post(PATH, QUESTION, {"TraceParent": PARENT, "tracestate": "a=1,b=2"})
    trace, span, flags = parts(one.wait())
    assert (trace, flags) == (TRACE, "01") and span != SPAN
    assert one.request["tracestate"] == "a=1,b=2"
    px.wait_for_line(rf"<6>request .* miss .* trace={TRACE}$")


def test_flags_go_on_and_what_is_unknown_does_not(px, up):
    for i, (flags, told) in enumerate({"00": "00", "03": "03", "fe": "02"}.items()):
        one = up.expect("POST", PATH).reply(json=["a"])
        px.post(PATH, {"inputs": f"{i}"}, {"traceparent": f"00-{TRACE}-{SPAN}-{flags}"})
        assert parts(one.wait())[2] == told


def test_each_attempt_is_another_span(proxy, upstream):
    bad, good = upstream(), upstream()
    px = proxy({"upstreams": {"bad": {"url": bad.url}, "good": {"url": good.url}},
                "routes": [{"to": ["bad", "good"]}]})
    one = bad.expect("POST", PATH).reply(500)
    two = good.expect("POST", PATH).reply(json=["a"])
    assert px.post(PATH, QUESTION, {"traceparent": PARENT}).status == 200
    first, second = parts(one.wait()), parts(two.wait())
    assert first[0] == second[0] == TRACE and first[1] != second[1]


def test_traces_are_no_part_of_a_key(px, up):
    up.expect("POST", PATH).reply(json=["a"])
    px.post(PATH, QUESTION, {"traceparent": PARENT})
    for headers in ({}, {"traceparent": PARENT.replace("0af", "0ab"), "tracestate": "x=y"},
                    {"traceparent": "nonsense"}):
        assert px.post(PATH, QUESTION, headers)["Cache-Status"].startswith("reprise; hit")


@pytest.mark.parametrize("parent", [
    "nonsense", PARENT.upper(), PARENT + "-x", f"ff-{TRACE}-{SPAN}-01", f"00-{'0' * 32}-{SPAN}-01"])
def test_what_is_no_traceparent_is_ignored(px, up, parent):
    one = up.expect("POST", PATH).reply(json=["a"])
    px.post(PATH, QUESTION, {"traceparent": parent, "tracestate": "a=1"})
    assert one.wait()["traceparent"] is None and one.request["tracestate"] is None


def test_two_of_them_are_none(px, up):
    one = up.expect("POST", PATH).reply(json=["a"])
    px.post(PATH, QUESTION, {"traceparent": PARENT, "Traceparent": PARENT})
    assert one.wait()["traceparent"] is None


def test_one_for_the_connection_alone_stays_here(px, up):
    one = up.expect("POST", PATH).reply(json=["a"])
    px.post(PATH, QUESTION, {"traceparent": PARENT, "Connection": "traceparent"})
    assert one.wait()["traceparent"] is None


def test_none_is_made_where_none_was(px, up):
    one = up.expect("POST", PATH).reply(json=["a"])
    px.post(PATH, QUESTION, {"tracestate": "a=1"})
    assert one.wait()["traceparent"] is None and one.request["tracestate"] is None
