# SPDX-License-Identifier: MIT
"""What Prometheus reads, by its own parser."""

import json
import shutil
import subprocess

import pytest
from prometheus_client.parser import text_string_to_metric_families

import play

QUESTION = {"inputs": "one"}
PATH = "/models/t5-base"
KEY = "sha256:19d92d82c4c8cccc4f7e6b2dc55950632676084d20c7a7baf8ea765f9aac972b"    # rp-a


class Metrics(dict):
    """{name: {sorted labels: value}}"""

    def __init__(self, text):
        super().__init__()
        self.families = list(text_string_to_metric_families(text))
        for family in self.families:
            for sample in family.samples:
                labels = tuple(sorted(sample.labels.items()))
                series = self.setdefault(sample.name, {})
                assert labels not in series, f"{sample.name}{labels} twice"
                series[labels] = sample.value

    def get_one(self, name, **labels):
        return self.get("reprise_" + name, {}).get(tuple(sorted(labels.items())), 0)


def scrape(px):
    answer = px.admin("GET", "/metrics")
    assert answer.status == 200
    assert answer["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert answer.body.endswith(b"\n")
    return Metrics(answer.body.decode())


def scrape_until(px, name, value, **labels):
    """An answer is counted after it has gone."""
    for _ in range(1000):
        metrics = scrape(px)
        if metrics.get_one(name, **labels) == value:
            return metrics
    raise AssertionError(f"{name}{labels} is {metrics.get_one(name, **labels)}, not {value}")


def scrape_after(px, n):
    """When all of N requests are counted, by whatever workers."""
    for _ in range(1000):
        metrics = scrape(px)
        if sum(metrics.get("reprise_requests_total", {}).values()) == n:
            return metrics
    raise AssertionError(f"not {n}: {metrics.get('reprise_requests_total')}")


def serve(proxy, up, **more):
    return proxy({"upstreams": {"up": {"url": up.url}}, "admin": "127.0.0.1:0", **more})


def test_requests_are_counted_by_route_and_result(proxy, up):
    px = serve(proxy, up, routes=[{"model": ["t5-*", "bert"], "to": "up"},
                                  {"path": "/other", "dialect": "raw", "to": "up"}])
    up.expect("POST", PATH).reply(json=["a"])
    for _ in range(3):
        px.post(PATH, QUESTION)
    up.expect("POST", "/other").reply(503)
    px.post("/other", QUESTION)
    px.post("/models/gpt", QUESTION)
    px.get("/healthz")
    metrics = scrape_after(px, 6)
    assert metrics.get_one("requests_total", route="", result="own") == 1
    assert metrics.get_one("requests_total", route="t5-*,bert", result="miss") == 1
    assert metrics.get_one("requests_total", route="t5-*,bert", result="hit") == 2
    assert metrics.get_one("requests_total", route="", result="refused") == 1
    assert metrics.get_one("upstream_responses_total", upstream="up", code="200") == 1
    assert metrics.get_one("upstream_responses_total", upstream="up", code="503") == 1
    assert metrics.get_one("stored_total") == 1


def test_durations_are_histograms(proxy, up):
    px = serve(proxy, up)
    up.expect("POST", PATH).reply(json=["a"])
    for _ in range(5):
        px.post(PATH, QUESTION)
    metrics = scrape_after(px, 5)
    assert metrics.get_one("overhead_seconds_count", result="hit") == 4
    assert metrics.get_one("overhead_seconds_bucket", result="hit", le="+Inf") == 4
    assert metrics.get_one("overhead_seconds_sum", result="hit") > 0
    bounds = [float(dict(labels)["le"]) for labels in metrics["reprise_overhead_seconds_bucket"]
              if ("result", "hit") in labels]
    assert min(bounds) == 5e-6 and bounds == sorted(bounds)
    counts = [value for labels, value in metrics["reprise_overhead_seconds_bucket"].items()
              if ("result", "hit") in labels]
    assert counts == sorted(counts)
    assert metrics.get_one("upstream_request_duration_seconds_count", upstream="up") == 1
    assert metrics.get_one("upstream_first_byte_seconds_count", upstream="up") == 1


def test_time_at_the_upstream_is_no_overhead(proxy, up):
    """It answers when we have seen that much time go by; ours is only a part of the rest."""
    px = serve(proxy, up)
    asked = up.expect("POST", PATH)
    asked.reply(json=["a"])
    held = asked.hold()
    with px.connect() as client:
        client.ask("POST", PATH, QUESTION)
        asked.wait()
        for _ in range(200):
            scrape(px)
        held.set()
        client.answer()
    metrics = scrape_until(px, "overhead_seconds_count", 1, result="miss")
    ours = metrics.get_one("overhead_seconds_sum", result="miss")
    theirs = metrics.get_one("upstream_request_duration_seconds_sum", upstream="up")
    assert 0 < ours < theirs
    px.post(PATH, QUESTION)
    metrics = scrape_until(px, "requests_total", 1, route="*", result="hit")
    assert metrics.get_one("saved_seconds_total", route="*") > 0


def test_teams_are_a_label(proxy, up):
    px = serve(proxy, up, teams={"a": {"key": KEY}})
    up.expect("POST", PATH).reply(json=["a"])
    px.post(PATH, QUESTION, {"x-api-key": "rp-a"})
    px.post(PATH, QUESTION)
    metrics = scrape_after(px, 2)
    assert metrics.get_one("requests_total", route="", result="refused") == 1
    assert metrics.get_one("requests_total", route="*", team="a", result="miss") == 1


def test_tokens_and_money_are_counted_by_what_gave_them(proxy, up):
    px = serve(proxy, up, teams={"a": {"key": KEY, "rate": "10/h", "tokens": "1k/h"}},
               prices=[{"model": "*", "input": 100000, "output": 200000}])
    answer = {"id": "x", "object": "chat.completion", "created": 1, "model": "m", "choices": [
        {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "y"}}],
        "usage": {"prompt_tokens": 3, "completion_tokens": 5, "total_tokens": 8}}
    up.expect("POST", "/v1/chat/completions").reply(json=answer)
    for _ in range(3):
        px.post("/v1/chat/completions", {"model": "m", "messages": []}, {"x-api-key": "rp-a"})
    metrics = scrape_until(px, "tokens_total", 6, team="a", direction="input", source="cache")
    assert metrics.get_one("tokens_total", team="a", direction="output", source="cache") == 10
    assert metrics.get_one("tokens_total", team="a", direction="input", source="upstream") == 3
    assert metrics.get_one("tokens_total", team="a", direction="output", source="upstream") == 5
    assert metrics.get_one("cost_dollars_total", team="a") == 1.3
    assert metrics.get_one("saved_cost_dollars_total", team="a") == 2.6
    assert metrics.get_one("limit_remaining", team="a", limit="requests") == 9
    assert metrics.get_one("limit_remaining", team="a", limit="tokens") == 1000 - 8


def test_upstreams_say_how_they_are(proxy, up):
    px = serve(proxy, up, routes=[{"to": "up", "retries": 0}])
    metrics = scrape(px)
    assert metrics.get_one("upstream_healthy", upstream="up") == 1
    assert metrics.get_one("upstream_breaker", upstream="up") == 0
    for i in range(5):
        up.expect("POST", PATH).hang_up()
        px.post(PATH, {"inputs": str(i)})
    scrape_until(px, "upstream_breaker", 1, upstream="up")


def test_labels_are_bounded_whatever_clients_ask(proxy, up):
    px = serve(proxy, up, routes=[{"model": "t5-*", "to": "up"}])
    before = scrape(px).get("reprise_requests_total", {})
    for i in range(50):
        px.post(f"/models/no-such-{i}", QUESTION)
    metrics = scrape_until(px, "requests_total", 50, route="", result="refused")
    assert before == {} and len(metrics["reprise_requests_total"]) == 1


def test_labels_are_escaped(proxy, up):
    px = serve(proxy, up, routes=[{"model": 'a"b\\c', "to": "up"}, {"model": "*", "to": "up"}])
    up.expect("POST", "/v1/chat/completions").reply(503)
    px.post("/v1/chat/completions", {"model": 'a"b\\c', "messages": []})
    metrics = scrape_until(px, "requests_total", 1, route='a"b\\c', result="miss")
    assert metrics


def test_counters_go_on_over_a_reload(proxy, up):
    px = serve(proxy, up, routes=[{"model": "t5-*", "to": "up"}])
    up.expect("POST", PATH).reply(json=["a"])
    for _ in range(2):
        px.post(PATH, QUESTION)
    routes = [{"model": "bert-*", "to": "up"}, {"model": "t5-*", "to": "up"}]
    (px.directory / "reprise.yaml").write_text(json.dumps({**px.config, "routes": routes}))
    assert px.command("reload").returncode == 0
    px.post(PATH, QUESTION)
    scrape_until(px, "requests_total", 2, route="t5-*", result="hit")
    up.expect("POST", "/models/bert-base").reply(json=["b"])
    px.post("/models/bert-base", QUESTION)
    scrape_until(px, "requests_total", 1, route="bert-*", result="miss")


def test_gauges_say_what_is_now(proxy, up):
    px = serve(proxy, up)
    asked = up.expect("POST", PATH)
    asked.reply(json=["a"])
    held = asked.hold()
    with px.connect() as first, px.connect() as second:
        first.ask("POST", PATH, QUESTION)
        asked.wait()
        second.ask("POST", PATH, QUESTION)
        metrics = scrape_until(px, "followers", 1)
        assert metrics.get_one("flights") == 1 and metrics.get_one("connections") == 2
        held.set()
        first.answer()
        second.answer()
    scrape_until(px, "flights", 0)
    scrape_until(px, "entries", 1)
    scrape_until(px, "connections", 0)


def test_a_call_that_fails_or_is_left_is_counted_as_such(proxy, up):
    px = serve(proxy, up)
    up.expect("POST", PATH).hang_up()
    px.post(PATH, QUESTION)
    scrape_until(px, "upstream_responses_total", 1, upstream="up", code="failed")
    up.expect("POST", "/v1/chat/completions").never_answer()
    with px.connect() as client:
        client.ask("POST", "/v1/chat/completions", {"model": "m", "messages": [], "stream": True})
        scrape_until(px, "flights", 1)
        client.reset()
    scrape_until(px, "upstream_responses_total", 1, upstream="up", code="cancelled")


def test_promtool_finds_nothing(proxy, up):
    if shutil.which("promtool") is None:
        pytest.skip("promtool is not installed")
    px = serve(proxy, up)
    up.expect("POST", PATH).reply(json=["a"])
    for _ in range(3):
        px.post(PATH, QUESTION)
    text = px.admin("GET", "/metrics").body
    done = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True,
                          check=False, timeout=play.TIMEOUT)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
