#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What it costs to do nothing: connections that are kept, and a large cache nobody asks
(H-13, F17).

    BUILD=build bench/idle.py

Memory is what the process has for itself (Pss_Anon): the pages of the cache's file belong to
the kernel, which takes them back when it likes.  Connections come from two addresses of the
loopback; each has been answered once, and is asked again at the end.
"""

import contextlib
import os
import pathlib
import resource
import socket
import subprocess

import stage

CLIENTS = int(os.environ.get("CLIENTS", "10000"))
ENTRIES = int(os.environ.get("ENTRIES", "1000000"))
SOURCES = ("127.0.0.1", "127.0.0.2")
CONNECTION_KB = 4
IDLE_MB = 15
LENGTH = 134
CACHE_SIZE = "64GB"             # as bench-fill's: nothing is evicted
QUESTION = stage.task_question(LENGTH)[:-20] + " no. ##########.\"}"


def own_kb(server):
    """The memory that is the process's own."""
    for line in pathlib.Path(f"/proc/{server.pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss_Anon:"):
            return int(line.split()[1])
    raise stage.Failed("the kernel does not tell what memory is the process's own")


def raise_limit():
    wanted, (soft, hard) = CLIENTS + 100, resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < wanted * 1.5:
        raise stage.Failed(f"{CLIENTS} connections need ulimit -n {wanted * 3 // 2}, not {hard}")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, wanted), hard))


def request(question):
    return (f"POST {stage.TASK} HTTP/1.1\r\nHost: p\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(question)}\r\n\r\n{question}").encode()


def ask_all(clients, data):
    """Each asks in turn; how many got an answer from the cache."""
    answered = 0
    for sock in clients:
        sock.sendall(data)
        got = b""
        while not got.endswith(b"]"):
            piece = sock.recv(65536)
            if not piece:
                break
            got += piece
        answered += b"\r\nx-compute-type: cache\r\n" in got
    return answered


def connection_row(table, place):
    question = stage.task_question(LENGTH)
    with contextlib.ExitStack() as stack:
        up = stack.enter_context(stage.upstream())
        px = stack.enter_context(stage.reprise(place / "clients", up.server_port))
        stage.warm(px, stage.TASK, question)
        before = own_kb(px)
        clients = [stack.enter_context(socket.create_connection(
            ("127.0.0.1", px.port), stage.TIMEOUT, (SOURCES[i % len(SOURCES)], 0)))
            for i in range(CLIENTS)]
        first = ask_all(clients, request(question))
        each = (own_kb(px) - before) / CLIENTS
        again = ask_all(clients, request(question))
    table.row(f"memory of each of {CLIENTS} idle connections: times {CONNECTION_KB} kB",
              f"{each:.2f} kB", "", each / CONNECTION_KB, ("<=", 1))
    table.row("of them answered from the cache, and again after all others",
              min(first, again), CLIENTS, min(first, again) / CLIENTS, (">=", 1))


def cache_row(table, place):
    place = place / "cache"
    place.mkdir()
    command = [str(stage.BUILD / "bench-fill"), str(place / "cache"), stage.TASK, QUESTION,
               stage.answers()[stage.TASK], str(ENTRIES)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise stage.Failed(done.stderr)
    with stage.reprise(place, size=CACHE_SIZE) as px:
        idle = own_kb(px) / 1024
        if stage.ask(px, stage.TASK, QUESTION.replace("#" * 10, f"{7:010}"))[0] != "cache":
            raise stage.Failed("what was filled in is not in the cache")
    table.row(f"memory after a start with {ENTRIES / 1000000:g}M entries: times {IDLE_MB} MB",
              f"{idle:.1f} MB", "", idle / IDLE_MB, ("<=", 1))


def run():
    raise_limit()
    table = stage.Table("Doing nothing: memory of the process's own", peer="asked for")
    with stage.directory() as place:
        connection_row(table, place)
        cache_row(table, place)
    return table.missed


if __name__ == "__main__":
    stage.main(run)
