# SPDX-License-Identifier: MIT
"""The demo shows what it promises, and leaves nothing running."""

import os
import signal
import subprocess
import sys

import pytest

from play import REPRISE, ROOT, TIMEOUT

BUILD = os.path.dirname(REPRISE)
DEMO = [sys.executable, str(ROOT / "tests" / "engine" / "demo.py")]
ENGINE = os.path.join(BUILD, "demo-engine")


@pytest.fixture
def engine():
    """The demo engine's address; it must end with exit code 0."""
    process = subprocess.Popen([ENGINE, "--delay", "0s"], stdout=subprocess.PIPE, text=True)
    yield process.stdout.readline().split()[-1]
    process.terminate()
    assert process.wait(TIMEOUT) == 0
    process.stdout.close()


def test_the_demo_sees_cpu_cache_cache():
    done = subprocess.run([*DEMO, "demo", "--build", BUILD, "--delay", "10ms"],
                          capture_output=True, text=True, timeout=3 * TIMEOUT)
    assert done.returncode == 0, done.stderr
    rows = [line.split("  ") for line in done.stdout.splitlines() if "reprise; " in line]
    assert [[cell.strip() for cell in row if cell][1] for row in rows] == ["cpu", "cache", "cache"]
    assert "Mein Name ist Wolfgang." in done.stdout


def test_the_demo_says_what_is_missing(tmp_path):
    done = subprocess.run([*DEMO, "demo", "--build", str(tmp_path)],
                          capture_output=True, text=True, timeout=TIMEOUT)
    assert done.returncode == 1
    assert "demo-engine" in done.stderr and "Traceback" not in done.stderr


def test_a_demo_that_is_ended_leaves_nothing(tmp_path):
    process = subprocess.Popen([*DEMO, "demo", "--build", BUILD, "--delay", "3600s"],
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                               env={**os.environ, "TMPDIR": str(tmp_path)})
    while not list(tmp_path.glob("reprise-demo-*/cache/*")):
        assert process.poll() is None
    process.send_signal(signal.SIGTERM)
    # The pipes close only once the children, which hold them too, are gone.
    _out, err = process.communicate(timeout=3 * TIMEOUT)
    assert process.returncode == 130 and "Traceback" not in err
    assert list(tmp_path.iterdir()) == []


def test_the_engine_says_that_it_is_no_model():
    done = subprocess.run([ENGINE, "--help"], capture_output=True, text=True, timeout=TIMEOUT)
    assert done.returncode == 0 and "no model" in done.stdout


def test_the_engine_speaks_through_the_proxy(proxy, engine):
    px = proxy({"upstreams": {"engine": {"url": f"http://{engine}"}}})
    asked = {"model": "demo", "messages": [{"role": "user", "content": "Thank you."}]}
    chat = px.post("/v1/chat/completions", asked)
    assert chat.json["choices"][0]["message"]["content"] == "Danke."
    stream = px.post("/v1/chat/completions", {**asked, "stream": True})
    assert stream.body.endswith(b"data: [DONE]\n\n") and b"Danke." in stream.body
    vector = px.post("/v1/embeddings", {"model": "demo", "input": "Hi"})
    assert len(vector.json["data"][0]["embedding"]) == 8
    qa = px.post("/models/qa", {"inputs": {"question": "Who?", "context": "I am Wolfgang."}})
    assert (qa.json["answer"], qa.json["start"], qa.json["end"]) == ("Wolfgang", 5, 13)
    made_up = px.post("/models/t5-base", {"inputs": "Anything else"})
    assert "no model" in made_up.json[0]["translation_text"]
    assert px.post("/models/t5-base", {"inputs": 7}).error
    assert px.stop()["stored"] == 4
