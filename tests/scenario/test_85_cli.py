# SPDX-License-Identifier: MIT
"""The command line: what it says, and its exit codes."""

import json
import os
import re
import subprocess

import pytest

from play import REPRISE, TIMEOUT


@pytest.fixture
def run(tmp_path):
    """Runs `reprise ARGUMENTS` to its end."""
    def command(*arguments, **env):
        return subprocess.run(
            [REPRISE, *arguments], cwd=tmp_path, timeout=TIMEOUT, capture_output=True, text=True,
            env={"PATH": os.environ["PATH"], "HOME": str(tmp_path), **env})
    return command


@pytest.fixture
def file(tmp_path):
    def write(text):
        path = tmp_path / "reprise.yaml"
        path.write_text(text)
        return str(path)
    return write


GOOD = "upstreams:\n  up: {url: 'http://127.0.0.1:1'}\n"


def test_help_names_the_commands(run):
    done = run("--help")
    assert done.returncode == 0
    assert all(word in done.stdout for word in ("serve", "check", "schema", "REPRISE_CONFIG"))


def test_version_is_a_line(run):
    done = run("--version")
    assert done.returncode == 0 and re.match(r"reprise/\d+\.\d+", done.stdout, re.IGNORECASE)


@pytest.mark.parametrize("arguments", [
    [], ["frobnicate"], ["serve", "--frobnicate"], ["check", "extra"], ["schema", "-c", "x"],
    ["check", "--listen", "127.0.0.1:1"]])
def test_wrong_usage_is_2(run, arguments):
    done = run(*arguments)
    assert done.returncode == 2 and done.stderr and not done.stdout


def test_schema_is_json(run):
    done = run("schema")
    assert done.returncode == 0
    schema = json.loads(done.stdout)
    assert {"listen", "cache", "upstreams", "routes"} <= set(schema["properties"])


def test_a_good_file_is_fine(run, file):
    assert run("check", "-c", file(GOOD)).returncode == 0


def test_the_environment_names_the_file(run, file):
    assert run("check", REPRISE_CONFIG=file(GOOD)).returncode == 0
    assert run("check", REPRISE_CONFIG="/nowhere/at/all.yaml").returncode == 2


@pytest.mark.parametrize("text, place, words", [
    (GOOD + "cahce: {ttl: 1d}\n", "3:1", ["cahce", "cache"]),
    (GOOD + "cache:\n  tll: 1d\n", "4:3", ["cache.tll", "ttl"]),
    (GOOD + "cache:\n  ttl: soon\n", "4:8", ["cache.ttl"]),
    (GOOD + "routes:\n  - {model: a, to: upp}\n", "4:20", ["routes[0].to", "up"]),
    ("upstreams:\n  up: {compute: cpu}\n", "2:7", ["upstreams.up", "url"]),
    (GOOD + "workers: [1\n", "4:1", []),
])
def test_a_bad_file_is_shown_where_it_is_bad(run, file, text, place, words):
    path = file(text)
    done = run("check", "-c", path)
    assert done.returncode == 2
    assert f"{path}:{place}: " in done.stderr
    assert all(word in done.stderr for word in words), done.stderr


def test_every_error_is_shown(run, file):
    done = run("check", "-c", file(GOOD + "a: 1\nb: 2\n"))
    assert len(done.stderr.splitlines()) == 2


def test_a_secret_is_not_shown(run, file):
    upstream = "{url: 'http://x', token: {valeu: hush-hush}}"
    done = run("check", "-c", file(f"upstreams:\n  up: {upstream}\n"))
    assert done.returncode == 2 and "hush" not in done.stderr


def test_a_credential_is_needed_by_the_service_alone(run, file, tmp_path):
    """Where the manager gives none, who looks at the configuration or the cache has none."""
    path = file("upstreams:\n  up: {url: 'http://127.0.0.1:1', token: {credential: hf}}\n"
                "cache: {path: cache}\n")
    done = run("check", "-c", path)
    assert done.returncode == 0 and "credentials were not looked at" in done.stderr
    assert run("cache", "stats", "-c", path).returncode != 2
    done = run("serve", "-c", path)
    assert done.returncode == 2 and "this credential is not set" in done.stderr
    given = {"CREDENTIALS_DIRECTORY": str(tmp_path)}
    assert run("check", "-c", path, **given).returncode == 2
    (tmp_path / "hf").write_text("token")
    done = run("check", "-c", path, **given)
    assert done.returncode == 0 and not done.stderr


def test_a_missing_file_is_2(run):
    done = run("serve", "-c", "/nowhere/at/all.yaml")
    assert done.returncode == 2 and "/nowhere/at/all.yaml" in done.stderr


def test_a_busy_address_is_1(run, file, up):
    config = f"listen: {up.address}\ncache: {{path: cache}}\n" + GOOD
    done = run("serve", "-c", file(config))
    assert done.returncode == 1
    assert any(up.address in line and "cannot listen" in line
               for line in done.stderr.splitlines()), done.stderr


def test_a_cache_in_use_is_refused(run, file, px):
    config = f"listen: 127.0.0.1:0\ncache: {{path: {px.directory}/cache}}\n" + GOOD
    done = run("serve", "-c", file(config))
    assert done.returncode == 2 and "another process" in done.stderr
    assert px.get("/healthz").status == 200
