#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A hit with the key of a team that has limits, a budget and a part of the cache of its own:
against a hit where there are no teams, and among many teams, keys and routes against one team.

    BUILD=build bench/team.py

One worker on one core, wrk on another; an answer of 1 kB.
"""

import contextlib
import hashlib

import stage

ROUNDS = 9
SECONDS = 1
LENGTH = 134
KEY_CPU = 1.1                   # at most so many times the CPU of a hit without a key
MANY_CPU = 1.05
TEAMS, KEYS, ROUTES = 1000, 10, 500     # keys of each team
RULES = {"namespace": "team", "rate": "600/min", "tokens": "2M/day", "concurrency": 8,
         "budget": "50 USD/month"}


def key_of(team, number):
    """As long as a real one."""
    return "rp-" + hashlib.sha256(f"{team} {number}".encode()).hexdigest()[:43]


def digest(key):
    return "sha256:" + hashlib.sha256(key.encode()).hexdigest()


def gates(n_teams, n_keys, n_routes):
    """A configuration; the question is taken by the last route alone."""
    return {
        "teams": {f"team-{i}": {"keys": [digest(key_of(i, k)) for k in range(n_keys)], **RULES}
                  for i in range(n_teams)},
        "prices": [{"model": "*", "input": 1}],
        "routes": [{"model": f"model-{i}-*", "to": "engine"} for i in range(n_routes - 1)]
        + [{"model": "*", "to": "engine"}],
    }


def run():
    table = stage.Table("A hit with the key of a team: CPU time of requests, one core")
    question = stage.task_question(LENGTH)
    sides = {
        "open": ({}, None),
        "one": (gates(1, 1, 1), key_of(0, 0)),
        "many": (gates(TEAMS, KEYS, ROUTES), key_of(TEAMS - 1, KEYS - 1)),
    }
    with stage.directory() as place, stage.upstream() as up, contextlib.ExitStack() as stack:
        measures = {}
        for name, (more, key) in sides.items():
            server = stack.enter_context(stage.reprise(
                place / name, up.server_port, more=more))
            stage.warm(server, stage.TASK, question, key)
            how = {"QUESTION": question, **({"KEY": key} if key else {})}
            measures[name] = lambda server=server, how=how: stage.load(
                server, stage.TASK, "post.lua", SECONDS, **how)
        with up.closed():
            loads = stage.alternate(measures, ROUNDS)
    table.row("hit with a key: times the CPU of one without teams", loads["one"], loads["open"],
              loads["one"].cpu / loads["open"].cpu, ("<=", KEY_CPU))
    table.row(f"{TEAMS} teams, {TEAMS * KEYS} keys, {ROUTES} routes: times the CPU of one of "
              "each", loads["many"], loads["one"], loads["many"].cpu / loads["one"].cpu,
              ("<=", MANY_CPU))
    return table.missed


if __name__ == "__main__":
    stage.main(run)
