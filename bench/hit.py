#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A hit: against nginx that caches POSTs, against nginx that does nothing but `return 200`,
against the same hit spelled otherwise each time, and with two workers against one.

    BUILD=build bench/hit.py

One worker on one core, wrk on another, CONNECTIONS connections; an answer of 1 kB.
Latency is what a client sees over one connection that is kept alive.
"""

import contextlib
import json
import os
import random
import statistics

import stage

ROUNDS = 3
SECONDS = 1
LATENCY_ROUNDS = 11
LATENCY_REQUESTS = 10000        # in a round
# Bytes of a question, and how many times the hits of nginx's cache are asked for.  The largest
# is what nginx can cache at all: it counts key and head in 16 bits.
SIZES = {134: 1.5, 4200: 5, 64000: 15}
FLOOR_CPU = 1.25                # at most so many times the CPU of nginx that only returns
FLOOR_LATENCY = 1.3
RESPELLED_CPU = 1.5
TWO_WORKERS_CPU = 1.1
TWO_WORKERS_ROUNDS = 9          # one shares its core with wrk where there are but two
CHAT_LENGTH = 4200
TURNS = 8
SPELLINGS = 300000              # that a run may begin with


def name_of(length):
    return f"{length} B" if length < 1000 else f"{length / 1000:g} kB"


def against_nginx(table, place, up, px):
    for length, least in SIZES.items():
        question = stage.task_question(length)
        stage.warm(px, stage.TASK, question)
        with stage.nginx(place / f"nginx-{length}", up.server_port, length) as (cache, floor):
            check_nginx(cache, question)
            with up.closed():
                loads = stage.alternate({name: lambda server=server: stage.load(
                    server, stage.TASK, "post.lua", SECONDS, QUESTION=question)
                    for name, server in (("px", px), ("cache", cache), ("floor", floor))}, ROUNDS)
            px_load, cache_load, floor_load = (loads[name] for name in ("px", "cache", "floor"))
            table.row(f"hit, {name_of(length)}: times the hits of nginx's POST cache", px_load,
                      cache_load, cache_load.cpu / px_load.cpu, (">=", least))
            table.row(f"hit, {name_of(length)}: times the CPU of nginx `return 200`", px_load,
                      floor_load, px_load.cpu / floor_load.cpu,
                      ("<=", FLOOR_CPU) if length == min(SIZES) else None)
            if length == min(SIZES):
                latency_row(table, place, {"px": px, "floor": floor}, question)


def check_nginx(cache, question):
    stage.ask(cache, stage.TASK, question)
    if stage.ask(cache, stage.TASK, question)[0] != "HIT":
        raise stage.Failed("nginx does not cache the question")


def latency_row(table, place, servers, question):
    request = stage.write_request(place, question)
    marks = {"px": ["x-compute-type: cache"], "floor": []}
    times = {name: [] for name in servers}
    for _ in range(LATENCY_ROUNDS):
        for name, server in servers.items():
            times[name].append(stage.latency(server, request, LATENCY_REQUESTS, *marks[name]))
    px, floor = (statistics.median(times[name]) for name in ("px", "floor"))
    table.row(f"hit, {name_of(len(question))}: median latency, against nginx `return 200`",
              f"{px:.1f} us", f"{floor:.1f} us", px / floor, ("<=", FLOOR_LATENCY))


def chat_members():
    """The members of a conversation of CHAT_LENGTH, form feeds where white space may go."""
    def members(text):
        contents = [f'{stage.words(CHAT_LENGTH // 10, seed)}\n\nand "so" on\n'
                    for seed in range(TURNS)] + [text]
        messages = ",".join(f'{{"role":"{"assistant" if i % 2 else "user"}",\f"content":'
                            f'{json.dumps(content)}}}' for i, content in enumerate(contents))
        return "\n".join(['"model":\f"t5-base"', f'"messages":\f[{messages}]',
                          '"temperature":\f0.7', '"top_p":\f0.95', '"max_tokens":\f256',
                          '"seed":\f17'])
    return stage.padded(members, CHAT_LENGTH)


def respelled_row(table, up, px):
    members = chat_members()
    plain = "{" + members.replace("\n", ",").replace("\f", "") + "}"
    stage.warm(px, stage.CHAT, plain)
    draw = random.Random()

    def load(**how):
        return stage.load(px, stage.CHAT, "respell.lua", SECONDS, MEMBERS=members,
                          FIRST=str(draw.randrange(SPELLINGS)), **how)
    with up.closed():
        loads = stage.alternate({"other": load, "same": lambda: load(SAME="1")}, ROUNDS)
    table.row(f"hit, {name_of(CHAT_LENGTH)}, spelled otherwise each time: times the "
              "CPU of the same bytes", loads["other"], loads["same"],
              loads["other"].cpu / loads["same"].cpu, ("<=", RESPELLED_CPU))


def two_workers_row(table, place, up):
    question = stage.task_question(min(SIZES))
    cores = (0, 1) if len(os.sched_getaffinity(0)) > 1 else (0,)
    with contextlib.ExitStack() as stack:
        servers = {}
        for workers in (1, 2):
            servers[workers] = stack.enter_context(stage.reprise(
                place / f"workers-{workers}", up.server_port, workers=workers, cores=cores))
            stage.warm(servers[workers], stage.TASK, question)
        stack.enter_context(up.closed())
        loads = stage.alternate({workers: lambda server=server: stage.load(
            server, stage.TASK, "post.lua", SECONDS, QUESTION=question)
            for workers, server in servers.items()}, TWO_WORKERS_ROUNDS)
    table.row("hit, two workers: times the CPU of one worker", loads[2], loads[1],
              loads[2].cpu / loads[1].cpu, ("<=", TWO_WORKERS_CPU))


def run():
    table = stage.Table("A hit: CPU time and rate of requests, one core")
    with stage.directory() as place, stage.upstream() as up:
        with stage.reprise(place / "reprise", up.server_port) as px:
            against_nginx(table, place, up, px)
            respelled_row(table, up, px)
        two_workers_row(table, place, up)
    return table.missed


if __name__ == "__main__":
    stage.main(run)
