# SPDX-License-Identifier: MIT
"""Traces of clients go on to the upstream."""

import json
import re
import signal

import pytest

import play

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


@pytest.fixture
def collector(upstream):
    """Takes what it is sent; .spans() is what came, by their ids."""
    class Collector(play.Upstream):
        def take(self, request):
            with self.lock:
                self.requests.append(request)
            taken = play.Expectation(request.method, request.target)
            return taken.reply(json={"partialSuccess": {}})

        def spans(self):
            found = {}
            for request in self.requests:
                assert (request.method, request.target) == ("POST", "/v1/traces")
                assert request["content-type"] == "application/json"
                for resource in request.json["resourceSpans"]:
                    assert attributes(resource["resource"])["service.name"] == "reprise"
                    for span in resource["scopeSpans"][0]["spans"]:
                        assert span["spanId"] not in found
                        found[span["spanId"]] = span
            return found
    one = Collector()
    yield one
    one.close()
    one.check()


def attributes(span):
    return {one["key"]: next(iter(one["value"].values())) for one in span["attributes"]}


def record(proxy, up, collector, **more):
    return proxy({"upstreams": {"up": {"url": up.url}}, "admin": "127.0.0.1:0",
                  "log": {"otlp": collector.url + "/v1/traces", "access": True}, **more})


CHAT = {"model": 'gpt "4"', "messages": [{"role": "user", "content": "x"}]}
ANSWER = {"choices": [{"index": 0, "finish_reason": "stop",
                       "message": {"role": "assistant", "content": "x"}}],
          "usage": {"prompt_tokens": 12, "completion_tokens": 3, "total_tokens": 15}}


def test_a_collector_gets_a_span_for_the_request_and_one_for_its_call(proxy, up, collector):
    px = record(proxy, up, collector)
    one = up.expect("POST", "/v1/chat/completions").reply(json=ANSWER)
    px.post("/v1/chat/completions", CHAT, {"traceparent": PARENT, "x-request-id": "r1"})
    px.stop()
    spans = collector.spans().values()
    request, = (span for span in spans if span["kind"] == 2)
    call, = (span for span in spans if span["kind"] == 3)
    assert request["traceId"] == call["traceId"] == TRACE
    assert request["parentSpanId"] == SPAN and call["parentSpanId"] == request["spanId"]
    assert parts(one.request) == (TRACE, call["spanId"], "01")
    assert request["name"] == call["name"] == 'chat gpt "4"'
    begin, end = (int(request[f"{name}TimeUnixNano"]) for name in ("start", "end"))
    assert begin <= int(call["startTimeUnixNano"]) <= int(call["endTimeUnixNano"]) <= end
    assert attributes(request) == {
        "gen_ai.operation.name": "chat", "gen_ai.provider.name": "openai",
        "gen_ai.request.model": 'gpt "4"', "gen_ai.usage.input_tokens": "12",
        "gen_ai.usage.output_tokens": "3", "http.request.method": "POST",
        "url.path": "/v1/chat/completions", "http.response.status_code": "200",
        "reprise.result": "miss", "reprise.route": "*", "reprise.request_id": "r1"}
    host, port = up.address.split(":")
    assert attributes(call) == {
        "gen_ai.operation.name": "chat", "gen_ai.provider.name": "openai",
        "gen_ai.request.model": 'gpt "4"', "http.request.method": "POST",
        "http.response.status_code": "200", "reprise.upstream": "up",
        "server.address": host, "server.port": port}
    assert "status" not in request and "status" not in call


def test_a_hit_is_a_span_alone_in_a_trace_of_its_own(proxy, up, collector):
    px = record(proxy, up, collector)
    one = up.expect("POST", PATH).reply(json=["a"])
    with px.connect() as client:
        for _ in range(2):
            client.ask("POST", PATH, QUESTION)
            client.answer()
    px.stop()
    spans = list(collector.spans().values())
    assert len(spans) == 3 and len({span["traceId"] for span in spans}) == 2
    hit, = (span for span in spans if attributes(span).get("reprise.result") == "hit")
    assert "parentSpanId" not in hit and hit["name"] == "POST t5-base"
    assert f" trace={hit['traceId']}" in px.log
    miss, = (span for span in spans if attributes(span).get("reprise.result") == "miss")
    assert parts(one.request)[0] == miss["traceId"] and one.request["tracestate"] is None


def test_what_is_not_sampled_is_not_sent(proxy, up, collector):
    px = record(proxy, up, collector)
    one = up.expect("POST", PATH).reply(json=["a"])
    px.post(PATH, QUESTION, {"traceparent": PARENT[:-1] + "0"})
    px.stop()
    assert parts(one.request)[::2] == (TRACE, "00")
    assert not collector.requests


def test_each_attempt_is_told_and_what_it_failed_of(proxy, up, upstream, collector):
    gone = upstream()
    gone.close()
    px = record(proxy, up, collector, upstreams={"up": {"url": up.url}, "gone": {"url": gone.url}},
                routes=[{"to": ["gone", "up"]}])
    up.expect("POST", PATH).reply(500, json={"error": "x"})
    assert px.post(PATH, QUESTION).status == 500
    px.stop()
    spans = collector.spans().values()
    calls = {attributes(span)["reprise.upstream"]: span for span in spans if span["kind"] == 3}
    assert attributes(calls["gone"])["error.type"] == "connect"
    assert attributes(calls["up"])["http.response.status_code"] == "500"
    assert all(span["status"] == {"code": 2} for span in spans) and len(spans) == 3


def test_many_are_sent_before_their_time(proxy, up, collector):
    px = record(proxy, up, collector)
    up.expect("POST", PATH).reply(json=["a"])
    with px.connect() as client:
        for _ in range(1100):
            client.ask("POST", PATH, QUESTION)
            client.answer()
    px.stop()
    assert len(collector.requests) >= 2
    assert len(collector.spans()) == 1101


def test_a_collector_that_is_away_is_not_missed(proxy, up, collector):
    collector.close()
    px = record(proxy, up, collector)
    up.expect("POST", PATH).reply(json=["a"])
    with px.connect() as client:
        for _ in range(9000):
            client.ask("POST", PATH, QUESTION)
            assert client.answer().status == 200
    px.wait_for_line("<4>log.otlp: the collector cannot be reached; spans are kept as far as there "
                     "is room")
    assert json.loads(px.admin("GET", "/stats").body)["log"]["spans_dropped"] > 0
    assert "\nreprise_spans_dropped_total " in px.admin("GET", "/metrics").body.decode()


def test_what_a_collector_refuses_is_dropped(proxy, up, upstream):
    refusing = upstream()
    px = proxy({"upstreams": {"up": {"url": up.url}}, "log": {"otlp": refusing.url + "/v1/traces"}})
    up.expect("POST", PATH).reply(json=["a"])
    px.post(PATH, QUESTION)
    refusing.expect("POST", "/v1/traces").reply(400)
    px.stop()
    assert "<4>log.otlp: the collector answers 400; " in px.log


def test_a_reload_says_where_traces_go(proxy, up, collector):
    px = proxy({"upstreams": {"up": {"url": up.url}}})
    up.expect("POST", PATH).reply(json=["a"])
    px.post(PATH, QUESTION)
    px.config["log"] = {"otlp": collector.url + "/v1/traces"}
    (px.directory / "reprise.yaml").write_text(json.dumps(px.config))
    px.process.send_signal(signal.SIGHUP)
    px.wait_for_line("<6>reloaded")
    px.post(PATH, QUESTION)
    px.stop()
    assert [attributes(span)["reprise.result"] for span in collector.spans().values()] == ["hit"]
