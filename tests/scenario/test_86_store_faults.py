# SPDX-License-Identifier: MIT
"""The cache's file is killed, damaged or taken away while a server serves from it."""

import json
import os
import signal
import subprocess
import time

import pytest

from play import REPRISE, TIMEOUT, Gone

PATH = "/models/m"
QUESTIONS = [{"inputs": f"question {n}"} for n in range(20)]
GUARD_EXIT = 70


def answer_to(question):
    return [{"translation_text": question["inputs"].upper() * 500}]


def ask(px, question):
    """What the answer says of where it came from; it must be the right one."""
    answer = px.post(PATH, question)
    assert answer.status == 200 and answer.json == answer_to(question)
    return answer["x-compute-type"]


def fill(px, up):
    for question in QUESTIONS:
        up.expect("POST", PATH).reply(json=answer_to(question))
        assert ask(px, question) == "upstream"


def is_filled(px):
    return [ask(px, question) for question in QUESTIONS] == ["cache"] * len(QUESTIONS)


def data_of(px):
    return px.directory / "cache" / "data.mdb"


def set_aside(px):
    return sorted(data_of(px).parent.glob("data.mdb.bad-*"))


def is_served_afresh(px, up):
    """With an empty cache in place of the bad one, which is kept, and says so once."""
    assert px.log.count("moved aside, starting with an empty one") == 1
    assert len(set_aside(px)) == 1
    up.expect("POST", PATH).reply(json=answer_to(QUESTIONS[0]))
    return [ask(px, QUESTIONS[0]) for _twice in range(2)] == ["upstream", "cache"]


def cut(file, length):
    os.truncate(file, length)


def overwrite(file, _length):
    with open(file, "r+b") as data:
        data.write(b"garbage!" * (file.stat().st_size // 8))


def replace(file, _length):
    other = file.with_name("other")
    other.write_bytes(b"garbage!" * 10000)
    other.rename(file)


@pytest.mark.parametrize("change, length", [
    (cut, 0), (cut, 8192), (cut, 50000), (overwrite, None), (replace, None)])
def test_a_file_that_is_changed_in_use_costs_one_restart_at_most(px, up, change, length):
    """F10: it goes on, or ends with one line; the next one sets the file aside."""
    fill(px, up)
    px.restart()
    assert is_filled(px)
    change(data_of(px), length)
    for question in QUESTIONS:
        up.expect("POST", PATH).reply(json=answer_to(question))
    try:
        for question in QUESTIONS:
            ask(px, question)
        px.process.send_signal(signal.SIGTERM)
    except (Gone, ConnectionError):
        pass
    code = px.process.wait(TIMEOUT)
    px.reader.join(TIMEOUT)
    up.expected.clear()         # how many were asked for depends on when it ended
    assert code in (0, GUARD_EXIT), px.log
    assert px.log.count("the cache file could not be read") == (code == GUARD_EXIT)
    px.kill()
    px.start()
    if code == 0 and not set_aside(px):     # an empty file is a fresh cache
        assert length == 0
    else:
        assert is_served_afresh(px, up)
    px.restart()
    assert "moved aside" not in px.log


@pytest.mark.parametrize("content", [b"garbage!" * 10000, b"\0" * 40960])
def test_a_file_that_is_none_is_set_aside(px, up, content):
    """F9."""
    fill(px, up)
    px.stop()
    data_of(px).write_bytes(content)
    px.start()
    assert is_served_afresh(px, up)
    assert set_aside(px)[0].read_bytes() == content


def test_a_killed_server_has_its_cache_again(px, up):
    """F1: and nothing is set aside for it."""
    fill(px, up)
    px.restart()
    for _again in range(5):
        assert is_filled(px)
        px.kill()
        px.start()
    assert is_filled(px)
    assert "moved aside" not in px.log and not set_aside(px)


def test_a_second_server_is_told_which_path_is_in_use(px):
    """F13: exit code 2, and the first one goes on."""
    done = subprocess.run(
        [REPRISE, "serve", "-c", "reprise.yaml"], cwd=px.directory, timeout=TIMEOUT,
        capture_output=True, text=True, env=px.env)
    assert done.returncode == 2
    assert f"{px.directory}/cache" in done.stderr and "another process" in done.stderr
    assert px.get("/healthz").status == 200


def test_a_slow_client_gets_what_it_asked_for_whatever_is_evicted(px, up):
    """H-53: the pages an answer came from are written over while it is still being sent."""
    large = [{"translation_text": "slow " * 600000}]
    up.expect("POST", PATH).reply(json=large)
    assert px.post(PATH, {"inputs": "large"}).json == large
    px.restart()
    slow = [px.connect() for _each in range(4)]
    for client in slow:
        client.ask("POST", PATH, {"inputs": "large"})
    heads = [client.head() for client in slow]
    assert [head["x-compute-type"] for head in heads] == ["cache"] * 4
    for n in range(40):
        up.expect("POST", PATH).reply(json=[{"translation_text": f"{n:7} " * 300000}])
        assert px.post(PATH, {"inputs": f"other {n}"})["x-compute-type"] == "upstream"
    assert data_of(px).stat().st_size > 50_000_000      # so much that it had to be used again
    for client, head in zip(slow, heads):
        with client:
            assert json.loads(client.exactly(int(head["Content-Length"]))) == large


def small(proxy, up, size="1MB", **more):
    return proxy({"upstreams": {"up": {"url": up.url}},
                  "cache": {"path": "cache", "size": size, **more}})


def store(px, up, number, length=30000):
    up.expect("POST", PATH).reply(json=[{"translation_text": "x" * length}])
    assert px.post(PATH, {"inputs": f"large {number}"}).status == 200


def wait_for_line(px, text):
    deadline = time.monotonic() + TIMEOUT
    while text not in px.log:
        assert time.monotonic() < deadline, px.log
        time.sleep(0.05)
    return next(line for line in px.log.splitlines() if text in line)


def test_a_command_that_stands_still_is_named(proxy, up):
    """F12: an export into a pipe that nobody reads holds its pages."""
    px = small(proxy, up)
    for number in range(20):
        store(px, up, number)
    time.sleep(0.2)
    export = subprocess.Popen(
        [REPRISE, "cache", "export", "-c", str(px.directory / "reprise.yaml")],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, cwd=px.directory)
    deadline = time.monotonic() + TIMEOUT
    try:
        while "keeps space from being used" not in px.log:
            assert time.monotonic() < deadline, px.log
            number += 1
            store(px, up, number)
        assert f"process {export.pid} " in wait_for_line(px, "keeps space")
        assert data_of(px).stat().st_size <= 1.3 * 2**20
    finally:
        export.kill()
        export.wait()
        export.stdout.close()


def test_a_full_disk_is_named_and_costs_only_storing(proxy, up, tmp_path):
    """F3, with a real file system of 2 MB."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(disk)]
    if os.geteuid() != 0 or subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("no file system may be mounted here")
    try:
        px = small(proxy, up, "64MB", path=str(disk / "cache"))
        number = 0
        while "the disk is full" not in px.log:
            assert number < 100, px.log
            store(px, up, number, 200000)
            number += 1
            time.sleep(0.06)
        assert "serving goes on" in px.log
        assert px.post(PATH, {"inputs": "large 0"})["x-compute-type"] == "cache"
        px.stop()
    finally:
        subprocess.run(["umount", str(disk)], check=True)
