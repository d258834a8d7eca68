# SPDX-License-Identifier: MIT
"""The two things a service manager does for a service: it listens to it (sd_notify(3)),
and it hands it sockets (sd_listen_fds(3))."""

import socket
import sys

import play

# Between the manager and the program: the sockets become descriptors 3 and following.
HAND_OVER = """
import fcntl, os, sys
given = [fcntl.fcntl(int(fd), fcntl.F_DUPFD, 100) for fd in sys.argv[1].split(",")]
for at, fd in enumerate(given, 3):
    os.dup2(fd, at)
os.environ["LISTEN_PID"] = str(os.getpid())
os.execv(sys.argv[2], sys.argv[2:])
"""


class Ear:
    """Where a service says how it is; what it says for people to read is not listened to."""

    def __init__(self, path):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.sock.bind(str(path))
        self.sock.settimeout(play.TIMEOUT)

    def next(self):
        while (said := self.sock.recv(4096).decode()).startswith("STATUS="):
            pass
        return said

    def has_nothing(self):
        self.sock.setblocking(False)
        try:
            return not self.next()
        except BlockingIOError:
            return True
        finally:
            self.sock.settimeout(play.TIMEOUT)

    def close(self):
        self.sock.close()


class Managed(play.Proxy):
    """A proxy that a manager started: its EAR hears it, SOCKETS {name: socket} are passed."""

    def __init__(self, directory, config, ear, sockets=None):
        self.ear, self.sockets = ear, sockets or {}
        super().__init__(directory, config, {"NOTIFY_SOCKET": ear.sock.getsockname()})

    def launch(self, command, **how):
        if not self.sockets:
            return super().launch(command, **how)
        fds = [sock.fileno() for sock in self.sockets.values()]
        env = {**self.env, "LISTEN_FDS": str(len(fds)), "LISTEN_FDNAMES": ":".join(self.sockets)}
        hand_over = [sys.executable, "-c", HAND_OVER, ",".join(map(str, fds)), *command]
        return super().launch(hand_over, env=env, pass_fds=fds, **how)


def listening(address="127.0.0.1:0", *, reuse_port=False):
    """A socket as systemd makes them: it listens already, and may block."""
    if address.startswith("/"):
        sock = socket.socket(socket.AF_UNIX)
        sock.bind(address)
    else:
        host, port = address.rsplit(":", 1)
        sock = socket.socket()
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, reuse_port)
        sock.bind((host, int(port)))
    sock.listen(64)
    return sock


def healthz(address):
    """What /healthz answers at ADDRESS: host:port, or a path."""
    if address.startswith("/"):
        sock = socket.socket(socket.AF_UNIX)
        sock.settimeout(play.TIMEOUT)
        sock.connect(address)
    else:
        host, port = address.rsplit(":", 1)
        sock = socket.create_connection((host, int(port)), play.TIMEOUT)
    with play.Client(sock) as client:
        client.ask("GET", "/healthz")
        return client.answer().status


def listeners_on(port):
    """How many TCP sockets of this machine listen on PORT of 127.0.0.1."""
    with open("/proc/net/tcp", encoding="ascii") as table:
        rows = [line.split() for line in table]
    return sum(row[1] == f"0100007F:{port:04X}" and row[3] == "0A" for row in rows)
