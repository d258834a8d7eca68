# SPDX-License-Identifier: MIT
"""How much a team may use: requests, tokens, money, calls at once."""

import contextlib
import json
import re
import select
import threading
import time

import pytest

import play
from test_52_teams import by, teams

CHAT = "/v1/chat/completions"
SSE = "text/event-stream"
PRICES = [{"model": "gpt*", "input": 2.5, "output": 10}]


def asks(n, **more):
    return {"model": "gpt", "messages": [{"role": "user", "content": str(n)}], **more}


def says(usage=(1000, 2000)):
    answer = {"id": "c", "object": "chat.completion", "created": 1, "model": "gpt", "choices": [
        {"index": 0, "message": {"role": "assistant", "content": "x"}, "finish_reason": "stop"}]}
    if usage:
        answer["usage"] = {"prompt_tokens": usage[0], "completion_tokens": usage[1]}
    return answer


@pytest.fixture
def gate(proxy, up):
    """Makes a proxy with such teams, and prices, in front of `up`."""
    def make(route=None, upstream=None, **rules):
        return proxy({"upstreams": {"up": {"url": up.url, **(upstream or {})}},
                      "routes": [{"model": "*", "to": "up", **(route or {})}],
                      "prices": PRICES, "teams": teams(**rules)})
    return make


def refused(answer, code):
    assert answer.status == 429 and answer.json["error"]["code"] == code, answer
    assert answer.json["error"]["type"] == "rate_limit_error"
    return answer


def test_of_a_thousand_at_once_a_hundred_pass(gate, up):
    """On two workers, over 250 connections, four times."""
    px = gate(a={"rate": "100/h"})
    for _ in range(100):
        up.expect("POST", CHAT).reply(json=says())
    statuses = []
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(px.connect()) for _ in range(250)]
        for turn in range(4):
            for i, client in enumerate(clients):
                client.ask("POST", CHAT, asks(turn * 1000 + i), by("a"))
            statuses += [client.answer().status for client in clients]
    assert (statuses.count(200), statuses.count(429)) == (100, 900)


def test_what_is_left_is_told(gate, up):
    px = gate(a={"rate": "2/h", "tokens": "1M/day"}, b={})
    up.expect("POST", CHAT).reply(json=says())
    answer = px.post(CHAT, asks(1), by("a"))
    assert answer["x-ratelimit-limit-requests"] == "2"
    assert answer["x-ratelimit-remaining-requests"] == "1"
    assert answer["ratelimit-policy"] == '"requests";q=2;w=3600, "tokens";q=1000000;w=86400'
    up.expect("POST", CHAT).reply(json=says())
    answer = px.post(CHAT, asks(2), by("a"))
    assert answer["x-ratelimit-remaining-requests"] == "0"
    assert int(answer["x-ratelimit-remaining-tokens"]) <= 997000
    answer = refused(px.post(CHAT, asks(3), by("a")), "rate_limit_exceeded")
    assert 1700 < int(answer["retry-after"]) <= 1800 and answer["x-should-retry"] == "false"
    assert answer["ratelimit"].startswith('"requests";r=0;t=')
    # What is in the cache, and what another team asks, is another thing.
    hit = px.post(CHAT, asks(1), by("a"))
    assert hit["x-compute-type"] == "cache" and hit["ratelimit"] is None
    up.expect("POST", CHAT).reply(json=says())
    assert px.post(CHAT, asks(3), by("b"))["x-ratelimit-limit-requests"] is None


def test_what_an_upstream_has_left_is_not_said_again(px, up):
    """A hit is no news of it, and clients pass over such fields beside an Age."""
    fields = {"RateLimit": '"api";r=7;t=55', "RateLimit-Policy": '"api";q=500;w=300',
              "x-ratelimit-remaining-tokens": "9", "ratelimit-remaining": "7",
              "anthropic-ratelimit-requests-remaining": "3", "Retry-After": "1"}
    up.expect("POST", CHAT).reply(json=says(), headers=fields)
    first = px.post(CHAT, asks(1))
    assert all(first[name] == value for name, value in fields.items())
    hit = px.post(CHAT, asks(1))
    assert hit["x-compute-type"] == "cache" and hit["Age"] is not None
    assert all(hit[name] is None for name in fields)


def test_hits_count_if_the_team_says_so(gate, up):
    px = gate(a={"rate": "3/h", "count_hits": True})
    up.expect("POST", CHAT).reply(json=says())
    assert [px.post(CHAT, asks(1), by("a")).status for _ in range(4)] == [200, 200, 200, 429]


def test_a_crowd_is_charged_once(gate, up):
    px = gate(a={"rate": "1/h"})
    together = threading.Event()
    up.expect("POST", CHAT).reply_raw(
        together, b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
        b"Content-Length: %d\r\n\r\n%s" % (len(play.dump(says())), play.dump(says())))
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(px.connect()) for _ in range(10)]
        for client in clients:
            client.ask("POST", CHAT, asks(1), by("a"))
        together.set()
        assert {client.answer().status for client in clients} == {200}


def test_tokens_are_charged_when_they_are_known(gate, up):
    px = gate(a={"tokens": "4k/day"})
    for n in range(2):
        up.expect("POST", CHAT).reply(json=says())
        assert px.post(CHAT, asks(n), by("a")).status == 200
    answer = refused(px.post(CHAT, asks(2), by("a")), "rate_limit_exceeded")
    assert int(answer["retry-after"]) > 3600


def test_those_of_a_stream_too(gate, up):
    px = gate(upstream={"include_usage": True}, a={"tokens": "100/day"})
    chunk = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "gpt"}
    events = [{**chunk, "choices": [{"index": 0, "delta": {"content": "x"}}]},
              {**chunk, "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]},
              {**chunk, "choices": [], "usage": {"prompt_tokens": 60, "completion_tokens": 41}}]
    pieces = [b"data: %s\n\n" % play.dump(event) for event in events] + [b"data: [DONE]\n\n"]
    up.expect("POST", CHAT).reply(headers={"Content-Type": SSE}, chunks=pieces)
    assert b"usage" not in px.post(CHAT, asks(1, stream=True), by("a")).body
    refused(px.post(CHAT, asks(2), by("a")), "rate_limit_exceeded")


def test_what_tells_nothing_is_charged_by_its_length(gate, up):
    px = gate(a={"tokens": "100/day"})
    up.expect("POST", CHAT).reply(json={**says(usage=None), "extra": "x" * 400})
    assert px.post(CHAT, asks(1), by("a")).status == 200
    refused(px.post(CHAT, asks(2), by("a")), "rate_limit_exceeded")


def test_an_error_costs_nothing(gate, up):
    px = gate(a={"tokens": "100/day", "budget": "1 USD/day"})
    for n in range(3):
        up.expect("POST", CHAT).reply(500, json={"error": {"message": "x"}})
        assert px.post(CHAT, asks(n), by("a")).status == 500


def test_what_cost_nothing_counts_over_a_restart_too(gate, up):
    px = gate(a={"rate": "2/h"})
    for n in range(2):
        up.expect("POST", CHAT).reply(500, json={"error": {"message": "x"}})
        assert px.post(CHAT, asks(n), by("a")).status == 500
    px.restart()
    refused(px.post(CHAT, asks(2), by("a")), "rate_limit_exceeded")


def spent(px, team="a"):
    """As a command sees it in the file."""
    done = px.command("cache", "stats", "--json")
    return json.loads(done.stdout)["teams"].get(team, {}).get("this_month", 0)


def until_written(px, dollars):
    deadline = time.monotonic() + play.TIMEOUT
    while spent(px) != pytest.approx(dollars):
        assert time.monotonic() < deadline, f"{spent(px)} were written"


def test_a_budget_holds_over_a_restart_and_a_kill(gate, up):
    px = gate(a={"budget": "0.04 USD/month"})
    up.expect("POST", CHAT).reply(json=says())      # 0.0025 + 0.02 dollars
    assert px.post(CHAT, asks(1), by("a")).status == 200
    px.restart()
    assert spent(px) == pytest.approx(0.0225)
    up.expect("POST", CHAT).reply(json=says())
    assert px.post(CHAT, asks(2), by("a")).status == 200
    until_written(px, 0.045)
    px.kill()
    px.start()
    answer = refused(px.post(CHAT, asks(3), by("a")), "insufficient_quota")
    assert int(answer["retry-after"]) >= 1 and "budget" in answer.error
    assert px.post(CHAT, asks(1), by("a"))["x-compute-type"] == "cache"
    table = px.command("cache", "stats").stdout
    assert re.search(r" 0\.0450 +\d+ +\d+ +0\.0\d+  a\n", table)


def test_a_budget_without_a_price_lets_nothing_through(gate):
    px = gate(a={"budget": "1 USD/month"})
    answer = refused(px.post(CHAT, {**asks(1), "model": "other"}, by("a")), "no_price")
    assert answer["x-should-retry"] == "false" and answer["retry-after"] is None


HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"


@pytest.fixture
def held(up):
    """Two calls that are answered when their events are set."""
    body = play.dump(says())
    events = [threading.Event(), threading.Event()]
    calls = [up.expect("POST", CHAT).reply_raw(event, HEAD % len(body) + body, close=False)
             for event in events]
    return list(zip(calls, events))


def test_one_call_at_once_for_a_team(gate, held):
    px = gate(a={"concurrency": 1})
    (first, go), (second, go_on) = held
    with px.connect() as one, px.connect() as two:
        one.ask("POST", CHAT, asks(1), by("a"))
        first.wait()
        two.ask("POST", CHAT, asks(2), by("a"))
        assert not second.came.is_set()
        go.set()
        assert one.answer().status == 200
        second.wait()
        go_on.set()
        assert two.answer().status == 200


def test_one_call_at_once_on_a_route_and_one_that_waits(gate, held):
    """Of two that come together, one waits and one is refused, whichever comes first."""
    px = gate(route={"concurrency": 1, "queue": 1}, a={})
    (first, go), (second, go_on) = held
    with px.connect() as one, px.connect() as two, px.connect() as three:
        one.ask("POST", CHAT, asks(1), by("a"))
        first.wait()
        two.ask("POST", CHAT, asks(2), by("a"))
        three.ask("POST", CHAT, asks(3), by("a"))
        ready, _, _ = select.select([two.sock, three.sock], [], [], play.TIMEOUT)
        late, waiting = (two, three) if ready[0] is two.sock else (three, two)
        refused(late.answer(), "queue_full")
        assert not second.came.is_set()
        go.set()
        assert one.answer().status == 200
        second.wait()
        go_on.set()
        assert waiting.answer().status == 200


def saved(px, team=None):
    """Hits, tokens of input and of output, dollars: as a command sees them in the file."""
    stats = json.loads(px.command("cache", "stats", "--json").stdout)
    row = stats["teams"].get(team, {}) if team else stats
    return tuple(row.get(name, 0) for name in (
        "hits", "saved_input_tokens", "saved_output_tokens", "saved"))


def until_saved(px, team, *numbers):
    deadline = time.monotonic() + play.TIMEOUT
    while saved(px, team) != pytest.approx(numbers):
        assert time.monotonic() < deadline, f"{saved(px, team)} were written"


def test_what_hits_save_is_counted_by_team_and_survives_a_kill(gate, up):
    px = gate(a={}, b={})
    up.expect("POST", CHAT).reply(json=says())      # 0.0025 + 0.02 dollars
    px.post(CHAT, asks(1), by("a"))
    for team in "bbab":
        assert px.post(CHAT, asks(1), by(team))["x-compute-type"] == "cache"
    until_saved(px, "b", 3, 3000, 6000, 0.0675)
    until_saved(px, "a", 1, 1000, 2000, 0.0225)
    px.kill()
    px.start()
    assert saved(px) == pytest.approx((4, 4000, 8000, 0.09))
    assert spent(px, "a") == pytest.approx(0.0225) and spent(px, "b") == 0
    assert px.post(CHAT, asks(1), by("b"))["x-compute-type"] == "cache"
    px.stop()
    assert saved(px, "b") == pytest.approx((4, 4000, 8000, 0.09))
    models = json.loads(px.command("cache", "stats", "--json").stdout)["models"]
    assert models["gpt"]["hits"] >= 1 and models["gpt"]["saved"] > 0.02
    table = px.command("cache", "stats").stdout
    assert "saved: 5000 tokens of input, 10000 of output, 0.1125 USD\n" in table
    assert "        4000         8000       0.0900  b\n" in table


def test_without_teams_there_is_a_total(proxy, up):
    px = proxy({"upstreams": {"up": {"url": up.url}}, "prices": PRICES})
    up.expect("POST", CHAT).reply(json=says())
    for _ in range(3):
        assert px.post(CHAT, asks(1)).status == 200
    px.stop()
    assert saved(px) == pytest.approx((2, 2000, 4000, 0.045))
    assert json.loads(px.command("cache", "stats", "--json").stdout)["teams"] == {}
    key = px.command("cache", "ls").stdout.split()[0]
    assert "tokens   1000 of input, 2000 of output\n" in px.command("cache", "show", key).stdout


def test_an_answer_that_tells_nothing_saves_no_one_knows_what(proxy, up):
    px = proxy({"upstreams": {"up": {"url": up.url}}, "prices": PRICES})
    up.expect("POST", CHAT).reply(json=says(usage=None))
    for _ in range(2):
        assert px.post(CHAT, asks(1)).status == 200
    px.stop()
    assert saved(px) == (1, 0, 0, 0)
    key = px.command("cache", "ls").stdout.split()[0]
    assert "tokens" not in px.command("cache", "show", key).stdout


@pytest.mark.parametrize("path, question, error", [
    ("/v1/messages", {"model": "x", "max_tokens": 1, "messages": []}, "type"),
    ("/api/chat", {"model": "x", "messages": []}, None), ("/models/x", {"inputs": "x"}, None)])
def test_each_api_is_told_in_its_shape(gate, path, question, error):
    px = gate(a={"budget": "1 USD/day"})
    answer = px.post(path, question, by("a"))
    assert answer.status == 429 and "price" in answer.error
    assert error is None or answer.json["error"][error] == "rate_limit_error"
