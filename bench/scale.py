#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A hit among many entries against one among few, and how long a full cache takes to start.

    BUILD=build SCALE=10000000 bench/scale.py

Entries hold 1 kB; SCALE is how many the largest cache has (10 million take 14 GB of disk in
TMPDIR, for the time of the run).  Questions are drawn evenly over all entries, after a
time of warming: the file is then in memory and in the tables of pages.  The proxy has no
upstream, so that a miss would be an error.
"""

import contextlib
import os
import pathlib
import re
import shutil
import statistics
import subprocess
import tempfile
import time

import stage

SMALL = 1000
SCALE = max(SMALL, int(os.environ.get("SCALE", "10000000")))
SIZES = sorted({SMALL, min(1000000, SCALE), SCALE})
ENTRY_BYTES = 1500              # on disk, with its place in the index
SPARE_BYTES = 2 << 30
READ_BYTES = 16 << 20
READS_MAX = 0.001               # of hits may read the disk, or the cache is not warm
CACHE_SIZE = "64GB"             # as bench-fill's: nothing is evicted
ROUNDS = 5
SECONDS = 2
WARM_SECONDS = 20               # in which each page of the largest is met many times
STARTS = 7
HIT_CPU = 1.5
START_MSEC = 100
QUESTION = stage.task_question(134)[:-20] + " no. ##########.\"}"


def count(n):
    return f"{n / 1000000:g}M" if n >= 1000000 else f"{n / 1000:g}k"


def why_not(n):
    """None, or why so many entries cannot be measured here."""
    free = shutil.disk_usage(tempfile.gettempdir()).free
    wanted = n * ENTRY_BYTES + SPARE_BYTES
    if free < wanted:
        return f"{wanted >> 30} GB of disk are needed, {free >> 30} GB are free in TMPDIR"
    memory = available_memory()
    if memory < wanted:
        return f"{wanted >> 30} GB of memory are needed to be warm, {memory >> 30} GB are free"
    return None


def available_memory():
    match = re.search(r"MemAvailable:\s*(\d+) kB", pathlib.Path("/proc/meminfo").read_text())
    return int(match.group(1)) << 10


def fill(place, n):
    place.mkdir()
    command = [str(stage.BUILD / "bench-fill"), str(place / "cache"), stage.TASK, QUESTION,
               stage.answers()[stage.TASK], str(n)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise stage.Failed(done.stderr)


def read_all(file):
    """What the kernel may have thrown out of its memory is in it again."""
    with open(file, "rb", buffering=0) as data:
        while data.read(READ_BYTES):
            pass


def disk_reads(px):
    """Major faults of the proxy."""
    return int(pathlib.Path(f"/proc/{px.pid}/stat").read_text().rpartition(")")[2].split()[9])


def check(px, n):
    """What was filled in is what the proxy looks for."""
    for i in (0, n // 2, n - 1):
        if stage.ask(px, stage.TASK, QUESTION.replace("#" * 10, f"{i:010}"))[0] != "cache":
            raise stage.Failed(f"question {i} does not come from the cache: "
                               "does bench/fill.c make questions as proxy/forward.c does?")


def load(px, n, seconds=SECONDS):
    return stage.load(px, stage.TASK, "draw.lua", seconds, QUESTION=QUESTION, FIRST="0",
                      COUNT=str(n))


def hit_rows(table, places):
    with contextlib.ExitStack() as stack:
        servers = {}
        for n, place in reversed(places.items()):
            servers[n] = stack.enter_context(stage.reprise(place, size=CACHE_SIZE))
            check(servers[n], n)
            read_all(place / "cache" / "data.mdb")
            load(servers[n], n, max(1, WARM_SECONDS * n // max(places)))
        reads = {n: disk_reads(px) for n, px in servers.items()}
        loads = stage.alternate({n: lambda n=n, px=px: load(px, n)
                                 for n, px in servers.items()}, ROUNDS)
        reads = {n: disk_reads(px) - reads[n] for n, px in servers.items()}
    few = loads[SMALL]
    for n in places:
        share = reads[n] / (loads[n].total * ROUNDS)
        if share > READS_MAX:
            print(f"| {count(n)} entries: not warm, {share:.1%} of the hits read the disk; is "
                  "memory short? | | | | | |", flush=True)
        if n != SMALL:
            table.row(f"hit, {count(n)} entries: times the CPU of one among {count(SMALL)}",
                      loads[n], few, loads[n].cpu / few.cpu,
                      ("<=", HIT_CPU) if n == max(SIZES) else None)


def start_msec(place):
    """From exec to the line that says `ready`."""
    before = time.perf_counter()
    with stage.reprise(place, size=CACHE_SIZE):
        return (time.perf_counter() - before) * 1000


def start_row(table, places):
    times = {n: [] for n in places}
    for _ in range(STARTS):
        for n, place in places.items():
            times[n].append(start_msec(place))
    medians = {n: statistics.median(list_) for n, list_ in times.items()}
    n = max(places)
    table.row(f"start, {count(n)} entries: times {START_MSEC} ms (peer: {count(SMALL)} entries)",
              f"{medians[n]:.1f} ms", f"{medians[SMALL]:.1f} ms", medians[n] / START_MSEC,
              ("<=", 1) if n == max(SIZES) else None)


def run():
    table = stage.Table("Many entries: CPU time and rate of hits, one core", peer="1k entries")
    with stage.directory() as place:
        places = {}
        for n in SIZES:
            reason = why_not(n)
            if reason:
                print(f"| {count(n)} entries: skipped, {reason} | | | | | |", flush=True)
                continue
            places[n] = place / count(n)
            fill(places[n], n)
        hit_rows(table, places)
        start_row(table, places)
    return table.missed


if __name__ == "__main__":
    stage.main(run)
