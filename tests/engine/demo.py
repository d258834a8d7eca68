#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Ask twice, wait once: Reprise in front of the demo engine.

    demo.py demo    ask one question three times, the third after a restart of the proxy;
                    exit 0 only if it was computed once and came from the cache twice
    demo.py run     the same set-up on 127.0.0.1:8080, until Ctrl-C
"""

import argparse
import contextlib
import http.client
import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import threading
import time

MODEL = "t5-base"
ENGINE_MODELS = [MODEL, "demo"]
QUESTION = "Translate English to German: My name is Wolfgang."
EXPECTED = ["cpu", "cache", "cache"]
HUGGING_FACE = "https://router.huggingface.co/hf-inference"
RUN_ADDRESS = "127.0.0.1:8080"
START_TIMEOUT = 20
STOP_TIMEOUT = 40


class Failed(Exception):
    """Something did not work; the text says what, for whoever ran us."""


class Interrupts:
    """SIGTERM and Ctrl-C, held back while a child is made: half made, it would be forgotten."""

    def __init__(self):
        self.are_held = self.came = False

    def on_signal(self, _number, _frame):
        self.came = True
        self.look()

    def look(self):
        if self.came and not self.are_held:
            self.came = False
            raise KeyboardInterrupt

    def hold(self, are_held):
        self.are_held = are_held
        self.look()


interrupts = Interrupts()


class Child:
    """A program of ours: its log is read as it comes, and it never outlives us."""

    def __init__(self, command, log, echo=False):
        self.name = pathlib.Path(command[0]).name
        self.lines = []
        self.echo = echo
        self.news = threading.Condition()
        self.log_is_open = True
        try:
            # A session of its own: Ctrl-C is for us, and we stop the children in order.
            self.process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, text=True, errors="replace",
                start_new_session=True, **{log: subprocess.PIPE})
        except OSError as error:
            raise Failed(f"{command[0]}: {error.strerror}; run make first") from None
        self.pipe = getattr(self.process, log)
        self.reader = threading.Thread(target=self.read_log, daemon=True)
        self.reader.start()

    def read_log(self):
        for line in self.pipe:
            with self.news:
                self.lines.append(line.rstrip("\n"))
                self.news.notify_all()
            if self.echo:
                print(f"{self.name}: {line}", end="", file=sys.stderr, flush=True)
        with self.news:
            self.log_is_open = False
            self.news.notify_all()

    def find(self, text):
        return next((line for line in self.lines if text in line), None)

    def wait_for(self, text):
        """The first log line that holds TEXT."""
        with self.news:
            self.news.wait_for(lambda: self.find(text) or not self.log_is_open, START_TIMEOUT)
            line = self.find(text)
        if line is None:
            raise Failed(f"{self.name} did not start; it said:\n{self.log()}")
        return line

    def address(self):
        return self.wait_for("listening on ").rsplit(" ", 1)[1]

    def log(self):
        return "\n".join(f"    {line}" for line in self.lines) or "    (nothing)"

    def stop(self):
        if self.process.poll() is None:
            self.process.terminate()
        try:
            self.process.wait(STOP_TIMEOUT)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.reader.join(STOP_TIMEOUT)
        self.pipe.close()


@contextlib.contextmanager
def running(command, log, echo=False):
    child = None
    interrupts.hold(True)
    try:
        try:
            child = Child(command, log, echo)
        finally:
            interrupts.hold(False)
        yield child
    finally:
        if child is not None:
            child.stop()


def engine(build, delay):
    return running([str(build / "demo-engine"), "--listen", "127.0.0.1:0", "--delay", delay],
                   log="stdout")


@contextlib.contextmanager
def proxy(build, config_file, echo=False):
    command = [str(build / "reprise"), "serve", "-c", str(config_file)]
    with running(command, log="stderr", echo=echo) as child:
        child.wait_for("ready")
        yield child


def write_config(directory, config):
    file = pathlib.Path(directory) / "reprise.yaml"
    file.write_text(json.dumps(config, indent=2) + "\n")    # JSON is YAML
    return file


def ask(address):
    """One request: where it was computed, how long it took, what the cache says, the answer."""
    body = json.dumps({"inputs": QUESTION})
    began = time.perf_counter()
    connection = http.client.HTTPConnection(address, timeout=60)
    try:
        connection.request("POST", f"/models/{MODEL}", body, {"Content-Type": "application/json"})
        response = connection.getresponse()
        text = response.read().decode(errors="replace").strip()
    except OSError as error:
        raise Failed(f"{address} did not answer: {error}") from None
    finally:
        connection.close()
    if response.status != 200:
        raise Failed(f"{address} answered {response.status}: {text}")
    return {
        "computed by": response.headers.get("x-compute-type", "-"),
        "time": f"{(time.perf_counter() - began) * 1000:.1f} ms",
        "Cache-Status": response.headers.get("Cache-Status", "-"),
        "answer": text,
    }


def print_table(rows):
    names = list(rows[0])
    widths = [max(len(name), *(len(row[name]) for row in rows)) for name in names]
    for row in [dict(zip(names, names)), *rows]:
        cells = [row[name].ljust(width) for name, width in zip(names, widths)]
        print("  ".join(cells).rstrip())
    sys.stdout.flush()


def print_answers(rows):
    answer = rows[0].pop("answer")
    for row in rows[1:]:
        row.pop("answer")
    print(f"POST /models/{MODEL}: {QUESTION}\n{answer}\n")
    print_table(rows)


def demo(build, delay):
    rows, logs = [], []
    with tempfile.TemporaryDirectory(prefix="reprise-demo-") as directory, \
            engine(build, delay) as up:
        config_file = write_config(directory, {
            "listen": "127.0.0.1:0",
            "cache": {"path": f"{directory}/cache", "size": "64MB"},
            "upstreams": {"engine": {"url": f"http://{up.address()}"}},
        })
        for requests in (["first", "the same again"], ["after a restart"]):
            with proxy(build, config_file) as px:
                rows += [{"request": name, **ask(px.address())} for name in requests]
            logs.append(px.log())
    print_answers(rows)
    seen = [row["computed by"] for row in rows]
    if seen != EXPECTED:
        raise Failed(f"expected {', '.join(EXPECTED)}; saw {', '.join(seen)}. "
                     "The proxy said:\n" + "\n    (restart)\n".join(logs))


def run_config(engine_address):
    hugging_face = {"url": HUGGING_FACE}
    if os.environ.get("HF_TOKEN"):
        hugging_face["token"] = {"env": "HF_TOKEN"}
    cache_home = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    os.makedirs(cache_home, exist_ok=True)
    return {
        "listen": RUN_ADDRESS,
        "cache": {"path": f"{cache_home}/reprise-run", "size": "1GB"},
        "upstreams": {"engine": {"url": f"http://{engine_address}"}, "hf": hugging_face},
        "routes": [{"model": ENGINE_MODELS, "to": "engine"}, {"model": "*", "to": "hf"}],
    }


def print_curl_lines(address):
    question = json.dumps({"inputs": QUESTION})
    chat = json.dumps({"model": "demo", "messages": [{"role": "user", "content": "Thank you."}]})
    stream = json.dumps({"model": "demo", "stream": True,
                         "messages": [{"role": "user", "content": "Good morning."}]})
    print(f"\nTo try, in another terminal:\n"
          f"  curl -i http://{address}/models/{MODEL} -d '{question}'\n"
          f"  curl -i http://{address}/v1/chat/completions -d '{chat}'\n"
          f"  curl -N http://{address}/v1/chat/completions -d '{stream}'\n")
    if os.environ.get("HF_TOKEN"):
        print("Other models go to the Hugging Face router, with your HF_TOKEN.")
    else:
        print("Other models go to the Hugging Face router; with HF_TOKEN set, it is put in.")
    print("Ctrl-C ends it.", flush=True)


def run(build, delay):
    with tempfile.TemporaryDirectory(prefix="reprise-run-") as directory, \
            engine(build, delay) as up:
        config_file = write_config(directory, run_config(up.address()))
        with proxy(build, config_file) as px:
            print_answers([{"request": name, **ask(RUN_ADDRESS)}
                           for name in ("first", "the same again")])
            print_curl_lines(RUN_ADDRESS)
            px.echo = True
            px.process.wait()
            raise Failed(f"the proxy ended by itself (exit code {px.process.returncode})")


def main():
    parser = argparse.ArgumentParser(description="Reprise in front of the demo engine")
    parser.add_argument("command", choices=["demo", "run"])
    parser.add_argument("--build", type=pathlib.Path, default=pathlib.Path("build"))
    parser.add_argument("--delay", default="650ms", help="of the engine (default: 650ms)")
    args = parser.parse_args()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, interrupts.on_signal)
    try:
        {"demo": demo, "run": run}[args.command](args.build, args.delay)
    except Failed as failure:
        print(f"{args.command}: {failure}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 0 if args.command == "run" else 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
