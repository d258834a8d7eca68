#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What it costs to be seen: a hit with its line in the log against one without, and a scrape
of ten thousand series.

    BUILD=build bench/metrics.py

What is counted for metrics is counted always, and is in both sides of the first row.
"""

import contextlib
import http.client
import statistics
import time

import stage

ROUNDS = 9
SECONDS = 1
LENGTH = 134
LOG_CPU = 1.1
ROUTES, TEAMS = 100, 100
SCRAPES = 20
SCRAPE_MS = 10


def scrape(server, port):
    """(ms of the CPU of SERVER, ms until all of it is here, lines of requests)"""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=stage.TIMEOUT)
    with contextlib.closing(connection):
        began, cpu = time.monotonic(), server.cpu()
        connection.request("GET", "/metrics")
        text = connection.getresponse().read()
        took, cpu = (time.monotonic() - began) * 1e3, (server.cpu() - cpu) * 1e3
    return cpu, took, text.count(b"\nreprise_requests_total{")


def log_row(table, place, up, question):
    """Both write to a pipe that a thread of ours empties, on the other core."""
    sides = {"off": {}, "on": {"log": {"access": True}}}
    with contextlib.ExitStack() as stack:
        servers = {}
        for name, more in sides.items():
            servers[name] = stack.enter_context(stage.reprise(
                place / name, up.server_port, more=more))
            stage.warm(servers[name], stage.TASK, question)
        with up.closed():
            loads = stage.alternate({name: lambda server=server: stage.load(
                server, stage.TASK, "post.lua", SECONDS, QUESTION=question)
                for name, server in servers.items()}, ROUNDS)
    table.row("hit with a line in the log: times the CPU of one without", loads["on"],
              loads["off"], loads["on"].cpu / loads["off"].cpu, ("<=", LOG_CPU))


def fill(server, config):
    """A request for each pair of route and team, answered without an upstream."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=stage.TIMEOUT)
    with contextlib.closing(connection):
        for team in range(TEAMS):
            for route in range(ROUTES):
                connection.request("POST", f"/models/m{route}", b'{"inputs":"x"}', {
                    "Authorization": f"Bearer {config.key_of(team, 0)}",
                    "Cache-Control": "only-if-cached"})
                connection.getresponse().read()


def scrape_row(table, place, up):
    import team as config
    admin = stage.free_port()
    more = {
        "admin": f"127.0.0.1:{admin}",
        "teams": {f"team-{i}": {"key": config.digest(config.key_of(i, 0))} for i in range(TEAMS)},
        "routes": [{"model": f"m{i}", "to": "engine"} for i in range(ROUTES)],
    }
    with stage.reprise(place / "scraped", up.server_port, more=more) as server:
        fill(server, config)
        cpu, times, series = zip(*(scrape(server, admin) for _ in range(SCRAPES)))
    if series[-1] != ROUTES * TEAMS:
        raise stage.Failed(f"{series[-1]} series, not {ROUTES * TEAMS}")
    took, cpu = statistics.median(times), statistics.median(cpu)
    table.row(f"a scrape of {series[-1]} series: ms of CPU (and until a client has all of it)",
              f"{cpu:.1f} ms", f"({took:.1f} ms)", cpu, ("<=", SCRAPE_MS))


def run():
    table = stage.Table("What it costs to be seen")
    with stage.directory() as place, stage.upstream() as up:
        log_row(table, place, up, stage.task_question(LENGTH))
        scrape_row(table, place, up)
    return table.missed


if __name__ == "__main__":
    stage.main(run)
