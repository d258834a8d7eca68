# SPDX-License-Identifier: MIT
"""`reprise cache ...` and `reprise explain`, beside a running server."""

import gzip
import json
import re
import signal
import subprocess
import time

import pytest

import play

CHAT = "/v1/chat/completions"


def chat(text, **more):
    return {"model": "gpt", "messages": [{"role": "user", "content": text}], **more}


def says(text):
    return {"id": "1", "model": "gpt", "choices": [
        {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}]}


@pytest.fixture
def reprise(px):
    return px.command


def settle(reprise, n):
    """What was handed to the scribe is in the file a moment later."""
    deadline = time.monotonic() + play.TIMEOUT
    while time.monotonic() < deadline:
        if stats(reprise)["entries"] == n:
            return
    raise AssertionError(f"there never were {n} entries")


def stats(reprise):
    done = reprise("cache", "stats", "--json")
    return json.loads(done.stdout) if done.returncode == 0 else {"entries": None}


@pytest.fixture
def filled(px, up, reprise):
    """A proxy with three answers, two of one model."""
    for text in ("one", "two"):
        up.expect("POST", CHAT).reply(json=says(f"to {text}"))
        px.post(CHAT, chat(text))
    up.expect("POST", "/models/t5").reply(json=[{"translation_text": "drei"}])
    px.post("/models/t5", {"inputs": "three"})
    settle(reprise, 3)
    return px


def test_stats_count_by_model(filled, reprise):
    for _ in range(4):
        filled.post(CHAT, chat("one"))
    filled.stop()
    counted = stats(reprise)
    assert counted["entries"] == 3 and counted["hits"] == 4
    assert counted["models"]["gpt"]["entries"] == 2 and counted["models"]["gpt"]["hits"] == 4
    assert counted["models"]["t5"]["hits"] == 0
    table = reprise("cache", "stats").stdout
    assert re.search(r"^ +2 .* 4 +0.0000  gpt$", table, re.MULTILINE)
    filled.start()


def test_ls_shows_the_newest_first(filled, reprise):
    lines = reprise("cache", "ls").stdout.splitlines()
    assert [line.rsplit("  ", 1)[1] for line in lines] == ["three", "two", "one"]
    assert len(reprise("cache", "ls", "--limit", "1").stdout.splitlines()) == 1
    only = reprise("cache", "ls", "--model", "t*").stdout
    assert "three" in only and "one" not in only


def test_ls_keeps_to_one_line(px, up, reprise):
    up.expect("POST", CHAT).reply(json=says("x"))
    px.post(CHAT, chat("a\n\x1b[31m" + "ü" * 200))
    settle(reprise, 1)
    [line] = reprise("cache", "ls").stdout.splitlines()
    assert "\x1b" not in line and line.endswith("ü...")


def test_show_takes_the_beginning_of_a_key(filled, reprise):
    key = reprise("cache", "ls", "--limit", "1").stdout.split()[0]
    shown = reprise("cache", "show", key[:8]).stdout
    assert "model    t5" in shown and '{"inputs":"three"}' in shown and "drei" in shown
    full = re.search(r"key +([0-9a-f]{32})", shown)[1]
    assert reprise("cache", "show", full).stdout == shown
    missing = reprise("cache", "show", "0123456789")
    assert missing.returncode == 1 and "no key begins with" in missing.stderr


def test_a_purge_holds_at_once_and_after_a_restart(filled, reprise, up):
    assert reprise("cache", "purge", "--model", "g*", "--dry-run").stdout == \
        "2 entries would be purged\n"
    assert filled.post(CHAT, chat("one"))["x-compute-type"] == "cache"
    assert reprise("cache", "purge", "--model", "g*").returncode == 0
    up.expect("POST", CHAT).reply(json=says("anew"))
    assert filled.post(CHAT, chat("one"))["x-compute-type"] == "upstream"
    assert filled.post("/models/t5", {"inputs": "three"})["x-compute-type"] == "cache"
    filled.restart()
    up.expect("POST", CHAT).reply(json=says("anew"))
    assert filled.post(CHAT, chat("two"))["x-compute-type"] == "upstream"
    assert filled.post(CHAT, chat("one"))["x-compute-type"] == "cache"


def test_a_purge_names_a_key_or_an_age_or_everything(filled, reprise):
    key = re.search(r"key +(\w{32})", reprise("cache", "show", reprise(
        "cache", "ls", "--limit", "1").stdout.split()[0]).stdout)[1]
    assert reprise("cache", "purge", "--older-than", "1h", "--dry-run").stdout.startswith("0 ")
    assert reprise("cache", "purge", "--key", key).returncode == 0
    assert stats(reprise)["entries"] == 2
    assert reprise("cache", "purge", "--all").returncode == 0
    assert stats(reprise)["entries"] == 0


@pytest.mark.parametrize("name", ["out.jsonl", "out.jsonl.gz"])
def test_what_was_exported_is_imported_elsewhere(filled, proxy, reprise, up, name):
    exported = reprise("cache", "export", name)
    assert exported.returncode == 0 and "questions and answers" in exported.stderr
    data = (filled.directory / name).read_bytes()
    lines = (gzip.decompress(data) if name.endswith(".gz") else data).decode().splitlines()
    assert len(lines) == 3 and all(json.loads(line)["body"] for line in lines)
    filled.stop()
    other = proxy({"upstreams": {"up": {"url": up.url}}})
    done = subprocess.run(
        [play.REPRISE, "cache", "import", "-c", str(other.directory / "reprise.yaml"),
         str(filled.directory / name)], capture_output=True, text=True, check=True,
        timeout=play.TIMEOUT)
    assert done.stdout.startswith("3 of 3 entries written")
    assert other.post(CHAT, chat("two"))["x-compute-type"] == "cache"
    filled.start()


def test_a_stream_is_one_elsewhere_too(px, proxy, reprise, up):
    stream = (b'data: {"choices":[{"index":0,"delta":{"content":"eins"},"finish_reason":"stop"}]}'
              b"\n\ndata: [DONE]\n\n")
    up.expect("POST", CHAT).reply(headers={"Content-Type": "text/event-stream"}, chunks=[stream])
    assert px.post(CHAT, chat("x", stream=True)).body == stream
    px.restart()        # now it is on disk
    assert reprise("cache", "export", "out.jsonl").returncode == 0
    other = proxy({"upstreams": {"up": {"url": up.url}}})
    subprocess.run([play.REPRISE, "cache", "import", "-c", str(other.directory / "reprise.yaml"),
                    str(px.directory / "out.jsonl")], check=True, timeout=play.TIMEOUT)
    assert other.post(CHAT, chat("x", stream=True)).body == stream
    whole = other.post(CHAT, chat("x"))
    assert (whole["x-compute-type"], whole["Content-Type"]) == ("cache", "application/json")
    assert whole.json["choices"][0]["message"]["content"] == "eins"


def test_the_tokens_of_an_answer_go_along(px, proxy, reprise, up):
    up.expect("POST", CHAT).reply(
        json={**says("x"), "usage": {"prompt_tokens": 7, "completion_tokens": 0}})
    px.post(CHAT, chat("x"))
    px.restart()
    reprise("cache", "export", "out.jsonl")
    line = json.loads((px.directory / "out.jsonl").read_text())
    assert (line["input_tokens"], line["output_tokens"]) == (7, 0)
    other = proxy({"upstreams": {"up": {"url": up.url}}})
    files = {"good": line, "bad": {**line, "input_tokens": -1},
             "worse": {**line, "output_tokens": "7"}}
    for name, text in files.items():
        (other.directory / name).write_text(json.dumps(text))
    assert other.command("cache", "import", "good").stdout.startswith("1 of 1")
    assert other.command("cache", "import", "bad").returncode == 1
    assert other.command("cache", "import", "worse").returncode == 1
    assert other.post(CHAT, chat("x"))["x-compute-type"] == "cache"
    other.stop()
    assert stats(other.command)["saved_input_tokens"] == 7
    key = other.command("cache", "ls").stdout.split()[0]
    assert "tokens   7 of input, 0 of output\n" in other.command("cache", "show", key).stdout


def test_import_keeps_the_newer_and_never_undoes_a_purge(filled, reprise, up):
    reprise("cache", "export", "out.jsonl")
    assert reprise("cache", "import", "out.jsonl").stdout.startswith("0 of 3")
    reprise("cache", "purge", "--all")
    reprise("cache", "import", "out.jsonl")
    up.expect("POST", CHAT).reply(json=says("anew"))
    assert filled.post(CHAT, chat("one"))["x-compute-type"] == "upstream"       # H-63


def test_import_says_which_line_is_none(filled, reprise):
    (filled.directory / "bad.jsonl").write_text('\n{"made": 1}\n')
    done = reprise("cache", "import", "bad.jsonl")
    assert done.returncode == 1 and "bad.jsonl:2: no entry of an export" in done.stderr
    assert reprise("cache", "import", "missing.jsonl").returncode == 1


def test_warm_sends_requests_through_the_proxy(px, up, reprise):
    lines = [{"path": CHAT, "body": chat(f"number {n}")} for n in range(5)]
    for _ in lines:
        up.expect("POST", CHAT).reply(json=says("x"))
    (px.directory / "warm.jsonl").write_text("\n".join(map(json.dumps, lines)) + "\n\n")
    url = f"http://{px.address}"
    first = reprise("cache", "warm", "--jobs", "3", "--url", url, "warm.jsonl")
    assert (first.returncode, first.stdout) == (0, "0 were there, 5 computed, 0 failed\n")
    again = reprise("cache", "warm", "--url", url, "warm.jsonl")
    assert again.stdout == "5 were there, 0 computed, 0 failed\n"
    (px.directory / "warm.jsonl").write_text('{"path": "x"}\n')
    bad = reprise("cache", "warm", "--url", url, "warm.jsonl")
    assert bad.returncode == 1 and "line 1: no request" in bad.stderr


def test_verify_reads_everything(filled, reprise):
    assert reprise("cache", "verify").stdout == "3 entries, 0 damaged\n"
    filled.stop()
    file = filled.directory / "cache" / "data.mdb"
    file.write_bytes(file.read_bytes().replace(b"drei", b"vier"))
    done = reprise("cache", "verify")
    assert done.returncode == 1 and done.stdout.endswith("3 entries, 1 damaged\n")
    filled.start()


def test_compact_works_without_a_server_alone(filled, reprise):
    refused = reprise("cache", "compact")
    assert refused.returncode == 1 and "stop it first" in refused.stderr
    filled.stop()
    done = reprise("cache", "compact")
    assert done.returncode == 0 and re.fullmatch(r"[\d.]+ kB before, [\d.]+ kB now\n", done.stdout)
    filled.start()
    assert filled.post(CHAT, chat("one"))["x-compute-type"] == "cache"


def test_explain_tells_a_hit(filled, reprise):
    told = reprise("explain", "-", stdin=json.dumps({"user": "me", **chat("one")})).stdout
    assert "a hit" in told and re.search(r"^left out +/user /model$", told, re.MULTILINE)
    assert f"path       {CHAT}" in told


def test_explain_tells_a_miss_by_what_comes_nearest(filled, reprise):
    told = reprise("explain", "-", stdin=json.dumps(chat("three", temperature=1))).stdout
    assert "none: a miss" in told and "differs in 2 places" in told
    assert re.search(r"^  only here +/temperature$", told, re.MULTILINE)
    assert re.search(r"^  differs +/messages/0/content$", told, re.MULTILINE)


def test_explain_agrees_with_the_server(filled, reprise):
    answer = filled.post(CHAT, chat("one"), {"x-reprise-explain": "1"})
    told = reprise("explain", "-", stdin=json.dumps(chat("one"))).stdout
    assert f"key        {answer['x-reprise-key']}" in told
    assert answer["x-reprise-namespace"] == "shared"
    assert answer["x-reprise-left-out"] == "/model"


def test_an_answer_explains_itself(px, up):
    """On one connection: each worker has fingerprints of its own."""
    up.expect("POST", CHAT).reply(json=says("x"))
    mine, explain = {"x-reprise-namespace": "mine"}, {"x-reprise-explain": "1"}
    with px.connect() as client:
        def ask(fields):
            client.ask("POST", CHAT, chat("a", user="me"), fields)
            return client.answer()
        miss, hit, silent = ask({**mine, **explain}), ask({**mine, **explain}), ask(mine)
    assert miss["x-reprise-fingerprint"] == "miss"
    assert hit["x-compute-type"] == "cache" and hit["x-reprise-fingerprint"] == "hit"
    assert hit["x-reprise-key"] == miss["x-reprise-key"]
    assert hit["x-reprise-namespace"] == "namespace:mine"
    assert hit["x-reprise-left-out"] == "/model /user"
    assert silent["x-reprise-key"] is None


@pytest.mark.parametrize("body, why", [
    ({"prompt": "x", "stream": True, "n_predict": 3}, "it asks for a stream"),
    (chat("x", web_search_options={}), "depends on more than its body")])
def test_explain_tells_what_passes_by(reprise, body, why):
    path = ("--path", "/completion") if "prompt" in body else ()
    assert why in reprise("explain", *path, "-", stdin=json.dumps(body)).stdout


def test_without_a_cache_there_is_nothing_to_see(reprise, px):
    px.stop()
    for file in (px.directory / "cache").iterdir():
        file.unlink()
    for command in ("stats", "ls", "verify", "compact"):
        done = reprise("cache", command)
        assert done.returncode == 1 and "there is none yet" in done.stderr
    assert "there is no cache yet" in reprise("explain", "-", stdin="{}").stdout
    px.start()


def test_a_command_that_stands_still_is_no_harm(filled, up, reprise):
    """A reader that is stopped in the middle keeps nobody from an answer (F12)."""
    process = subprocess.Popen(
        [play.REPRISE, "cache", "export", "-c", str(filled.directory / "reprise.yaml")],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    process.send_signal(signal.SIGSTOP)
    up.expect("POST", CHAT).reply(json=says("x"))
    assert filled.post(CHAT, chat("new")).status == 200
    process.kill()
    process.wait()
    process.stdout.close()
