# SPDX-License-Identifier: MIT
"""What an operator does to a server that is in use: to end it, to start it anew, to stop it for
a while.  Reloads are in test_65_reload.py (O1, O2, O6), watchdogs in test_97_watchdog.py (O10)."""

import json
import signal
import socket
import threading

import pytest

import play
from manager import Ear, Managed, listening

CHAT = "/v1/chat/completions"
T5 = "/models/t5-base"
EVENTS = [b'data: {"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":[{'
          b'"index":0,"delta":{"content":"%d"},"finish_reason":null}]}\n\n' % i for i in range(3)]


def test_o3_who_was_accepted_is_answered_before_it_ends(proxy, up):
    """H-14. A hit, a miss, its follower, a stream and its follower, all under way at SIGTERM."""
    px = proxy({"upstreams": {"up": {"url": up.url}}})
    up.expect("POST", T5).reply(json=["known"])
    px.post(T5, {"inputs": "known"})
    missed = up.expect("POST", T5)
    missed.reply(json=["new"])
    miss_goes_on = missed.hold()
    go_on = threading.Event()
    streamed = up.expect("POST", CHAT)
    streamed.reply_raw(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
                       b"Transfer-Encoding: chunked\r\n\r\n", *(b"%x\r\n%s\r\n" % (len(e), e)
                                                                for e in EVENTS[:1]), go_on,
                       *(b"%x\r\n%s\r\n" % (len(e), e) for e in [
                           *EVENTS[1:], b"data: [DONE]\n\n"]), b"0\r\n\r\n")
    asked = {"model": "m", "messages": [{"role": "user", "content": "x"}], "stream": True}
    clients = {name: px.connect() for name in ("hit", "miss", "follower", "stream", "tail")}
    clients["miss"].ask("POST", T5, {"inputs": "new"})
    missed.wait()
    clients["follower"].ask("POST", T5, {"inputs": "new"})
    clients["stream"].ask("POST", CHAT, asked)
    assert clients["stream"].head().status == 200 and clients["stream"].chunk() == EVENTS[0]
    clients["tail"].ask("POST", CHAT, asked)
    assert clients["tail"].head().status == 200 and clients["tail"].chunk() == EVENTS[0]
    px.process.send_signal(signal.SIGTERM)
    px.wait_for_line("ending")
    clients["hit"].ask("POST", T5, {"inputs": "known"})     # it had connected before
    assert clients["hit"].answer().json == ["known"]
    miss_goes_on.set()
    go_on.set()
    assert clients["miss"].answer().json == ["new"]
    assert clients["follower"].answer().json == ["new"]
    for name in ("stream", "tail"):
        rest = b"".join(iter(clients[name].chunk, b""))
        assert rest == b"".join(EVENTS[1:]) + b"data: [DONE]\n\n"
    for client in clients.values():
        client.close()
    px.wait()
    px.start()
    assert px.post(T5, {"inputs": "new"})["x-compute-type"] == "cache"      # it was written down


def test_o4_a_second_signal_ends_it_at_once(proxy, up):
    px = proxy({"upstreams": {"up": {"url": up.url}}})
    asked = up.expect("POST", T5)
    asked.never_answer()
    with px.connect() as client:
        client.ask("POST", T5, {"inputs": "x"})
        asked.wait()
        px.process.send_signal(signal.SIGTERM)
        px.wait_for_line("ending; answering")
        px.process.send_signal(signal.SIGTERM)
        px.wait()
        assert client.rest() == b""


def test_o4_one_that_is_killed_while_it_ends_comes_back(proxy, up):
    px = proxy({"upstreams": {"up": {"url": up.url}}})
    up.expect("POST", T5).reply(json=["known"])
    px.post(T5, {"inputs": "known"})
    while json.loads(px.command("cache", "stats", "--json").stdout)["entries"] < 1:
        pass
    asked = up.expect("POST", T5)
    asked.never_answer()
    with px.connect() as client:
        client.ask("POST", T5, {"inputs": "x"})
        asked.wait()
        px.process.send_signal(signal.SIGTERM)
        px.wait_for_line("ending")
        px.kill()
    px.start()
    assert px.post(T5, {"inputs": "known"})["x-compute-type"] == "cache"


def test_o5_nobody_is_refused_while_the_service_manager_starts_it_anew(tmp_path, up):
    """The socket is the manager's; clients come all the time, three servers one after another."""
    sock, ear = listening(), Ear(tmp_path / "notify")
    px = Managed(tmp_path, {"upstreams": {"up": {"url": up.url}}}, ear, {"http": sock})
    up.expect("POST", T5).reply(json=["known"])
    px.post(T5, {"inputs": "known"})
    is_over, faults, answers = threading.Event(), [], []

    def ask():
        try:
            while not is_over.is_set():
                wire = socket.create_connection(sock.getsockname(), play.TIMEOUT)
                with play.Client(wire) as client:
                    client.ask("POST", T5, {"inputs": "known"})
                    answers.append(client.answer().json == ["known"])
        except Exception as fault:      # whatever it is, the test must hear of it
            faults.append(fault)
    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for _ in range(3):
        before = len(answers)
        px.restart()
        while len(answers) < before + 20 and not faults:
            px.post(T5, {"inputs": "known"})
    is_over.set()
    for thread in threads:
        thread.join(play.TIMEOUT)
    px.stop()
    ear.close()
    sock.close()
    assert not faults and all(answers), faults


@pytest.mark.parametrize("has_come", [True, False])
def test_f18_what_comes_while_it_is_stopped_is_read_before_its_time_is_over(proxy, up, has_come):
    """The rest of the request is there when it goes on, or it never comes."""
    px = proxy({"upstreams": {"up": {"url": up.url}}})
    up.expect("POST", T5).reply(json=["a"])
    with px.connect() as client:
        client.method = "POST"
        client.send(b"POST /models/t5-base HTTP/1.1\r\nHost: x\r\nContent-Length: 14\r\n\r\n")
        px.process.send_signal(signal.SIGSTOP)
        if has_come:
            client.send(b'{"inputs":"x"}')
        px.process.send_signal(signal.SIGCONT)
        if not has_come:
            client.send(b'{"inputs":"x"}')
        assert client.answer().json == ["a"]
