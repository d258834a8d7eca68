# SPDX-License-Identifier: MIT
"""Many ask the same at once, on both workers: one upstream call.  The replays of 32-coalesced
and the following play each order of things; here threads meet as they happen to."""

import contextlib
import threading

import pytest

T5 = "/models/t5-base"
QUESTION = {"inputs": "Good morning."}
ANSWER = [{"translation_text": "Guten Morgen. " * 1000}]
CROWD = 40


@contextlib.contextmanager
def crowd(px, n=CROWD):
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(px.connect()) for _ in range(n)]
        for client in clients:
            client.ask("POST", T5, QUESTION)
        yield clients


def held_reply(up, **reply):
    """A call that is answered when the event is set."""
    release = threading.Event()
    call = up.expect("POST", T5).reply(**reply)
    play = call.play

    def held(wire):
        assert release.wait(30)
        play(wire)
    call.play = held
    return call, release


def test_a_crowd_makes_one_call(px, up):
    call, release = held_reply(up, json=ANSWER, headers={"x-compute-type": "gpu"})
    with crowd(px) as clients:
        call.wait()
        release.set()
        answers = [client.answer() for client in clients]
    assert all((a.status, a.json) == (200, ANSWER) for a in answers)
    assert {a["x-compute-type"] for a in answers} <= {"gpu", "cache"}
    collapsed = [a for a in answers if a["Cache-Status"].endswith("; collapsed")]
    assert all(a["x-compute-type"] == "gpu" for a in collapsed)
    counts = px.stop()
    assert counts["misses"] == counts["stored"] == 1
    assert counts.get("collapsed", 0) == len(collapsed)
    assert counts.get("collapsed", 0) + counts.get("hits", 0) == CROWD - 1


def test_crowd_after_crowd(px, up):
    for n in range(20):
        up.expect("POST", T5).reply(json=ANSWER)
        with contextlib.ExitStack() as stack:
            clients = [stack.enter_context(px.connect()) for _ in range(8)]
            for client in clients:
                client.ask("POST", T5, {"inputs": str(n)})
            assert all(client.answer().json == ANSWER for client in clients)
    assert px.stop()["misses"] == 20


def test_a_failure_is_that_of_all_who_waited(px, up):
    """And of no one else: who comes later makes a call of its own."""
    release = threading.Event()
    call = up.expect("POST", T5).reply_raw(release)
    later = up.expect("POST", T5).reply(json=ANSWER)
    with crowd(px, 8) as clients:
        call.wait()
        release.set()
        answers = [client.answer() for client in clients]
    assert {answer.status for answer in answers} <= {502, 200}
    failed = sum(answer.status == 502 for answer in answers)
    if not later.came.is_set():
        assert failed == 8 and px.post(T5, QUESTION).json == ANSWER
    counts = px.stop()
    assert counts["upstream_failures"] == failed >= 1 and counts["stored"] == 1


def test_the_first_leaves_and_the_call_goes_on(px, up):
    call, release = held_reply(up, json=ANSWER)
    with px.connect() as first, px.connect() as second:
        first.ask("POST", T5, QUESTION)
        call.wait()
        second.ask("POST", T5, QUESTION)
        first.reset()
        release.set()
        assert second.answer().json == ANSWER
    counts = px.stop()
    assert counts["stored"] == 1
    assert counts.get("collapsed", 0) + counts.get("hits", 0) == 1


@pytest.mark.parametrize("kind", [None, "whole", "all"])
def test_what_all_left_is_finished(proxy, up, kind):
    cache = {} if kind is None else {"finish_abandoned": kind}
    px = proxy({"upstreams": {"up": {"url": up.url}},
                "routes": [{"model": "*", "to": "up", "cache": cache}]})
    call, release = held_reply(up, json=ANSWER)
    with px.connect() as client:
        client.ask("POST", T5, QUESTION)
        call.wait()
        client.reset()
    release.set()
    assert px.post(T5, QUESTION).json == ANSWER
    assert px.stop()["stored"] == 1


def test_what_all_left_is_dropped_if_the_route_says_so(proxy, up):
    px = proxy({"upstreams": {"up": {"url": up.url}},
                "routes": [{"model": "*", "to": "up", "cache": {"finish_abandoned": "none"}}]})
    call = up.expect("POST", T5).never_answer()
    with px.connect() as client:
        client.ask("POST", T5, QUESTION)
        call.wait()
        client.reset()
    assert call.gone.wait(30)
    assert px.stop() == {"requests": 1, "clients_gone": 1}


def test_an_answer_too_large_to_be_kept_is_shared_as_it_comes(proxy, up):
    """By those who asked before it outgrew: one worker, so that a later answer shows that."""
    px = proxy({"upstreams": {"up": {"url": up.url}}, "workers": 1,
                "routes": [{"model": "*", "to": "up", "cache": {"max_entry": "1kB"}}]})
    body = b"x" * 3000000
    together = threading.Event()
    up.expect("POST", T5).reply(headers={"Content-Type": "application/json"},
                                chunks=[together, body])
    with crowd(px, 3) as clients:
        answers = [None] * 3

        def read(i):
            answers[i] = clients[i].answer().body
        threads = [threading.Thread(target=read, args=[i]) for i in range(3)]
        for thread in threads:
            thread.start()
        for _ in range(2):
            assert px.get("/healthz").status == 200
        together.set()
        for thread in threads:
            thread.join()
    assert answers == [body] * 3
    assert px.stop() == {"requests": 5, "misses": 1, "collapsed": 2, "own_answers": 2}
