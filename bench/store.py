#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Storing: how many answers a second the scribe commits, and what hits notice of it.

    BUILD=build bench/store.py

The scribe is given answers of 1 kB by threads of its own process: first as fast as it takes
them, then RATE a second inside the proxy, on the one core that it has, while wrk asks for
hits.  That leaves the fetching of misses out; what they cost is measured last.
"""

import os
import signal
import subprocess
import time

import stage

RATE = 20000
SECONDS = 4                     # of storing alone
STORES = (("room left", "16GB", False), ("full, one goes for each that comes", "64MB", True))
ROUNDS = 5
LOAD_SECONDS = 1
HITS = 0.8                      # of the hits without storing
STORED = 0.95                   # of RATE, all told
MISS_CONNECTIONS = 8
QUESTION = stage.task_question(134)
NEW_QUESTION = QUESTION[:-20] + " no. ##########.\"}"


def scribe_rows(table, place):
    for name, size, must_evict in STORES:
        command = [str(stage.BUILD / "bench-store"), str(place / name), size, str(SECONDS)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise stage.Failed(done.stderr)
        rate, evicted, cpu = map(int, done.stdout.split())
        if must_evict != (evicted > 0):
            raise stage.Failed(f"a store of {size} evicted {evicted} entries a second")
        table.row(f"stored, {name}: times {RATE / 1000:g}k/s",
                  f"{cpu / 1000:.2f} us, {rate / 1000:.1f}k/s", f"{RATE / 1000:g}k/s",
                  rate / RATE, (">=", 1))


def hits(px):
    return stage.load(px, stage.TASK, "post.lua", LOAD_SECONDS, QUESTION=QUESTION)


def beside_rows(table, place):
    storing_for = 0

    def hits_while_storing():
        nonlocal storing_for
        os.kill(px.pid, signal.SIGUSR2)
        began = time.monotonic()
        load = hits(px)
        os.kill(px.pid, signal.SIGUSR2)
        storing_for += time.monotonic() - began
        return load
    with stage.upstream() as up:
        with stage.reprise(place / "beside", up.server_port, size="1GB", store_rate=RATE) as px:
            stage.warm(px, stage.TASK, QUESTION)
            with up.closed():
                loads = stage.alternate({"alone": lambda: hits(px), "both": hits_while_storing},
                                        ROUNDS)
    table.row(f"hits/s while {RATE / 1000:g}k/s are stored: times those while nothing is",
              loads["both"], loads["alone"], loads["both"].rate / loads["alone"].rate,
              (">=", HITS))
    stored = px.log.number("stored ") / storing_for
    table.row(f"stored in the meantime: times {RATE / 1000:g}k/s", f"{stored / 1000:.1f}k/s",
              f"{RATE / 1000:g}k/s", stored / RATE, (">=", STORED))


class Misses:
    """Questions that nobody has asked before."""

    def __init__(self, px):
        self.px = px
        self.first = 0

    def environment(self):
        self.first += 1000000
        return {"QUESTION": NEW_QUESTION, "FIRST": str(self.first), "COUNT": "1", "IN_TURN": "1"}

    def alone(self):
        return stage.load(self.px, stage.TASK, "draw.lua", LOAD_SECONDS, **self.environment())

    def with_hits(self):
        """(CPU seconds, hits, misses) of some time of both."""
        command = stage.wrk(self.px, stage.TASK, "draw.lua", LOAD_SECONDS, MISS_CONNECTIONS)
        before = self.px.cpu()
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True,
                              env={**os.environ, **self.environment()}) as process:
            load = hits(self.px)
            misses = stage.asked(process.communicate()[0])[0]
        return self.px.cpu() - before, load.total, misses


def miss_rows(table, place):
    """The upstream is nginx, which only returns, on the core of wrk."""
    with stage.nginx(place / "nginx", 1, len(QUESTION), core=stage.CLIENT) as (_, floor):
        with stage.reprise(place / "misses", floor.port, size="1GB") as px:
            stage.warm(px, stage.TASK, QUESTION)
            misses = Misses(px)
            loads = stage.alternate({"hit": lambda: hits(px), "miss": misses.alone}, ROUNDS)
            cpu, n_hits, n_misses = map(sum, zip(*(misses.with_hits() for _ in range(ROUNDS))))
    hit, miss = loads["hit"].cpu, loads["miss"].cpu
    table.row("a miss, fetched and stored: times the CPU of a hit", loads["miss"], loads["hit"],
              miss / hit, None)
    alone = (n_hits * hit + n_misses * miss) / 1e6
    table.row(f"{n_hits / n_misses:.1f} hits beside each miss: times the CPU of both apart",
              f"{cpu:.2f} s", f"{alone:.2f} s", cpu / alone, None)


def run():
    table = stage.Table("Storing: CPU time and rate, answers of 1 kB")
    with stage.directory() as place:
        scribe_rows(table, place)
        beside_rows(table, place)
        miss_rows(table, place)
    return table.missed


if __name__ == "__main__":
    stage.main(run)
