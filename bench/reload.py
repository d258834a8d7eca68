#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A new configuration every second under full load: nothing fails, nobody waits for long.

    BUILD=build bench/reload.py

Two workers; wrk asks for what is in the cache over connections that are kept alive, and is
counted as failed for any answer but 200 and any connection that breaks.
"""

import contextlib
import os
import re
import signal
import subprocess
import threading
import time

import stage

RELOADED_SECONDS = 60
QUIET_SECONDS = 20              # before, and again after
EVERY = 1
P99_TIMES = 2
LENGTH = 134
UNITS = {"us": 1, "ms": 1e3, "s": 1e6}


@contextlib.contextmanager
def reloading(server):
    """Send SIGHUP every second; yields how often it was taken."""
    taken, end = [], threading.Event()
    before = len(server.log.lines)

    def send():
        while not end.wait(EVERY):
            os.kill(server.pid, signal.SIGHUP)
    thread = threading.Thread(target=send)
    thread.start()
    try:
        yield taken
    finally:
        end.set()
        thread.join()
        time.sleep(stage.COMMIT_TIME)
        taken.append(sum("reloaded" in line for line in server.log.lines[before:]))


def p99(server, seconds, question):
    """(microseconds, requests per second) of so many seconds."""
    command = stage.wrk(server, stage.TASK, "post.lua", seconds)
    command.insert(command.index("wrk") + 1, "--latency")
    done = subprocess.run(command, capture_output=True, text=True, check=True,
                          env={**os.environ, "QUESTION": question})
    _total, rate = stage.asked(done.stdout)
    value, unit = re.search(r"99%\s+([\d.]+)(us|ms|s)", done.stdout).groups()
    return float(value) * UNITS[unit], rate


def run():
    table = stage.Table("A reload every second, under full load")
    question = stage.task_question(LENGTH)
    with stage.directory() as place, stage.upstream() as up:
        with stage.reprise(place / "reprise", up.server_port, workers=2, cores=(0, 1)) as px:
            stage.warm(px, stage.TASK, question)
            with up.closed():
                quiet = [p99(px, QUIET_SECONDS, question)]
                with reloading(px) as taken:
                    reloaded, rate = p99(px, RELOADED_SECONDS, question)
                quiet.append(p99(px, QUIET_SECONDS, question))
    usual, usual_rate = (sum(values) / 2 for values in zip(*quiet))
    if taken[0] < RELOADED_SECONDS / EVERY * 0.9:
        raise stage.Failed(f"only {taken[0]} reloads were taken")
    table.row(f"p99 of hits while {taken[0]} reloads are taken, none failed: times that without",
              f"{reloaded:.0f} us, {rate / 1000:.1f}k/s",
              f"{usual:.0f} us, {usual_rate / 1000:.1f}k/s",
              reloaded / usual, ("<=", P99_TIMES))
    return table.missed


if __name__ == "__main__":
    stage.main(run)
