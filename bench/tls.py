#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A hit over TLS 1.3, over connections that are kept alive: against nginx that does nothing but
`return 200` over the same, and against the same hit without TLS.

    BUILD=build bench/tls.py

One worker on one core, wrk on another, CONNECTIONS connections; an answer of 1 kB.  wrk takes the
cipher, which both sides must speak.
"""

import contextlib
import socket

import stage

ROUNDS = 9
SECONDS = 1
LENGTH = 134
FLOOR_CPU = 1.3                 # at most so many times the CPU of nginx that only returns


def cipher_of(server):
    with socket.create_connection(("127.0.0.1", server.port), stage.TIMEOUT) as sock:
        with stage.trusting().wrap_socket(sock) as secure:
            return f"{secure.version()}, {secure.cipher()[0]}"


def same_cipher(servers):
    ciphers = {name: cipher_of(server) for name, server in servers.items() if server.is_secure}
    if len(set(ciphers.values())) != 1:
        raise stage.Failed(f"not the same cipher on both sides: {ciphers}")
    return ciphers.popitem()[1]


def run():
    question = stage.task_question(LENGTH)
    with stage.directory() as place, stage.upstream() as up, contextlib.ExitStack() as stack:
        pair = stage.certificate(place)
        tls = {"tls": dict(zip(("certificate", "key"), map(str, pair)))}
        servers = {
            "px": stack.enter_context(stage.reprise(place / "tls", up.server_port, more=tls)),
            "plain": stack.enter_context(stage.reprise(place / "plain", up.server_port)),
            "floor": stack.enter_context(stage.nginx(
                place / "nginx", up.server_port, LENGTH, pair=pair))[1],
        }
        for name in ("px", "plain"):
            stage.warm(servers[name], stage.TASK, question)
        table = stage.Table(f"A hit over TLS ({same_cipher(servers)}): CPU time of requests, "
                            "one core")
        with up.closed():
            loads = stage.alternate({name: lambda server=server: stage.load(
                server, stage.TASK, "post.lua", SECONDS, QUESTION=question)
                for name, server in servers.items()}, ROUNDS)
    px, plain, floor = (loads[name] for name in ("px", "plain", "floor"))
    table.row(f"hit, {LENGTH} B: times the CPU of nginx `return 200`", px, floor,
              px.cpu / floor.cpu, ("<=", FLOOR_CPU))
    table.row(f"hit, {LENGTH} B: times the CPU of one without TLS", px, plain,
              px.cpu / plain.cpu, None)
    return table.missed


if __name__ == "__main__":
    stage.main(run)
