#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Streams: a crowd with one question, the delay of first bytes, streams given again, misses.

    BUILD=build bench/stream.py

bench/crowd.c is the upstream and its clients by one clock, on a core of its own.  Misses go
to an nginx that only returns, on the core of wrk; over a single connection all are on one
core: only one of them works at a time, and how long a core takes to wake is not asked.
"""

import contextlib
import pathlib
import statistics
import subprocess
import threading
import time

import stage

CLIENTS, EVENTS, GAP_MSEC = 1000, 200, 10
LAG_MSEC = 50
FIRST_ROUNDS, FIRST_USEC = 400, 150
STREAM_KB = 64
REPLAYED_EVENTS, REPLAYED_RATE = 500, 5000
ROUNDS, LOAD_SECONDS = 3, 2
MISS_CPU = 2
MISS_ROUNDS, MISS_REQUESTS, MISS_USEC = 7, 2000, 100
QUESTION = stage.task_question(4200)
NEW_QUESTION = QUESTION[:-20] + " no. ##########.\"}"


class Crowd:
    """bench-crowd, from its upstream's port to what it saw."""

    def __init__(self, *arguments):
        command = [*stage.pinned(stage.CLIENT), str(stage.BUILD / "bench-crowd"), *arguments]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        text=True)
        self.port = int(self.process.stdout.readline())

    def play(self, port):
        told = self.process.communicate(f"{port}\n", timeout=4 * stage.TIMEOUT)[0]
        if self.process.returncode != 0:
            raise stage.Failed("bench-crowd did not finish")
        return list(map(int, told.split()))


def memory_kb(pid):
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1])
    raise stage.Failed("the proxy has no memory")


def crowd_rows(table, place):
    crowd = Crowd(str(CLIENTS), str(EVENTS), str(GAP_MSEC))
    with stage.reprise(place / "crowd", crowd.port) as px:
        before, peak, is_over = memory_kb(px.pid), [0], threading.Event()

        def watch():
            while not is_over.wait(0.05):
                peak[0] = max(peak[0], memory_kb(px.pid))
        watcher = threading.Thread(target=watch)
        watcher.start()
        try:
            calls, complete, same, lag = crowd.play(px.port)
        finally:
            is_over.set()
            watcher.join()
    table.row(f"{CLIENTS} clients, one stream of {EVENTS} events: upstream calls", calls, 1, calls,
              ("<=", 1))
    table.row("of them complete and identical", min(complete, same), CLIENTS,
              min(complete, same) / CLIENTS, (">=", 1))
    table.row(f"median end after the upstream's: times {LAG_MSEC} ms", f"{lag / 1000:.1f} ms",
              f"{LAG_MSEC} ms", lag / 1000 / LAG_MSEC, ("<=", 1))
    each = (peak[0] - before) / CLIENTS
    table.row(f"memory for each: times {STREAM_KB} kB", f"{each:.1f} kB", f"{STREAM_KB} kB",
              each / STREAM_KB, ("<=", 1))


def first_row(table, place):
    first = Crowd("first", str(FIRST_ROUNDS))
    with stage.reprise(place / "first", first.port) as px:
        direct, proxied = first.play(px.port)
    table.row(f"first byte of a stream, later than directly: times {FIRST_USEC} us",
              f"{proxied} us", f"{direct} us", (proxied - direct) / FIRST_USEC, ("<=", 1))


def replay_row(table, place):
    crowd = Crowd("1", str(REPLAYED_EVENTS), "0")
    question = ('{"model":"m","stream":true,"messages":[{"role":"user","content":"1"}]}')
    with stage.reprise(place / "replay", crowd.port) as px:
        crowd.play(px.port)
        time.sleep(stage.COMMIT_TIME)
        loads = stage.alternate({"replay": lambda: stage.load(
            px, stage.CHAT, "post.lua", LOAD_SECONDS, QUESTION=question)}, ROUNDS)
    table.row(f"streams of {REPLAYED_EVENTS} events given again: times {REPLAYED_RATE}/s",
              loads["replay"], f"{REPLAYED_RATE}/s", loads["replay"].rate / REPLAYED_RATE,
              (">=", 1))


class Misses:
    """Questions that nobody has asked before."""

    first = 0

    def __init__(self, server):
        self.server = server

    def load(self):
        Misses.first += 1000000
        return stage.load(self.server, stage.TASK, "draw.lua", LOAD_SECONDS,
                          QUESTION=NEW_QUESTION, FIRST=str(self.first), COUNT="1", IN_TURN="1")


@contextlib.contextmanager
def passing_on(place, core):
    """(what answers, {how: what passes misses on to it})"""
    place.mkdir()
    with contextlib.ExitStack() as stack:
        enter = stack.enter_context
        up = enter(stage.nginx(place / "up", 1, len(QUESTION), stage.CLIENT))[1]
        yield up, {
            "stored": enter(stage.reprise(place / "stored", up.port, cores=(core,), size="4GB")),
            "not stored": enter(stage.reprise(place / "not", up.port, cores=(core,),
                                              caches=False)),
            "nginx": enter(stage.nginx(place / "nginx", up.port, len(QUESTION), core,
                                       caches=False))[0],
        }


def miss_rows(table, place):
    with passing_on(place / "misses", stage.SERVER) as (_, servers):
        loads = stage.alternate({how: Misses(server).load for how, server in servers.items()},
                                ROUNDS)
    nginx = loads.pop("nginx")
    for how, load in loads.items():
        table.row(f"a miss of 4.2 kB, {how}: times the CPU of nginx's proxy_pass", load, nginx,
                  load.cpu / nginx.cpu, ("<=", MISS_CPU))


def latency_rows(table, place):
    with passing_on(place / "latency", stage.CLIENT) as (up, servers):
        request = stage.write_request(place, NEW_QUESTION)
        times = {how: [] for how in ("direct", *servers)}
        for _ in range(MISS_ROUNDS):
            for how, server in {"direct": up, **servers}.items():
                Misses.first += 1000000
                times[how].append(stage.latency(server, request, MISS_REQUESTS, "200",
                                                str(Misses.first)))
    direct, stored, passed, nginx = map(statistics.median, times.values())
    for how, late in (("stored", stored - direct), ("not stored", passed - direct)):
        table.row(f"a miss of 4.2 kB, {how}: later than directly: times {MISS_USEC} us",
                  f"{late:.1f} us", f"{nginx - direct:.1f} us", late / MISS_USEC, ("<=", 1))


def run():
    table = stage.Table("Streams and misses, one worker")
    with stage.directory() as place:
        crowd_rows(table, place)
        first_row(table, place)
        replay_row(table, place)
        miss_rows(table, place)
        latency_rows(table, place)
    return table.missed


if __name__ == "__main__":
    stage.main(run)
