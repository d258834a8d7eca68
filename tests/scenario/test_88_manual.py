# SPDX-License-Identifier: MIT
"""--help, the manual pages and the completion: true, and each knows what the others do."""

import re
import shutil
import subprocess

import pytest

from play import BUILD, REPRISE, ROOT, TIMEOUT


def run(*command, **how):
    return subprocess.run([str(word) for word in command], timeout=TIMEOUT, check=False,
                          capture_output=True, text=True, **how)


@pytest.mark.skipif(not shutil.which("mandoc"), reason="no mandoc")
@pytest.mark.parametrize("page", [ROOT / "docs/reprise.1", BUILD / "reprise.yaml.5"])
def test_a_manual_page_has_no_fault(page):
    done = run("mandoc", "-Tlint", page)
    # Whether other pages are installed is not ours to say.
    said = [line for line in done.stdout.splitlines() if "referenced manual" not in line]
    assert said == []


def commands():
    """{command: its --help}, for all that --help lists."""
    rows = run(REPRISE, "--help").stdout.partition("  COMMAND --help")[0]
    listed = re.findall(r"^  ((?:cache |key )?[a-z]+)(?= |$)", rows, re.MULTILINE)
    return {name: run(REPRISE, *name.split(), "--help") for name in listed}


def options_of(text):
    return set(re.findall(r"^  (?:-\w, )?(--[a-z-]+)", text, re.MULTILINE))


def test_every_command_has_help_with_an_example():
    assert len(commands()) > 10
    for name, done in commands().items():
        assert done.returncode == 0 and not done.stderr
        assert done.stdout.startswith(f"usage: reprise {name}")
        assert f"reprise {name}" in done.stdout.partition("example:")[2]
        in_usage = set(re.findall(r"--[a-z-]+", done.stdout.splitlines()[0]))
        assert in_usage <= options_of(done.stdout)


def test_the_manual_knows_every_command_and_option():
    page = (ROOT / "docs/reprise.1").read_text()
    for name, done in commands().items():
        assert re.search(rf"^\.(It )?Cm {name}\b", page, re.MULTILINE), name
        for option in options_of(done.stdout):
            assert f"Fl {option[1:]}" in page, option


def complete(*words):
    """What bash offers after these words."""
    script = (f"source {ROOT}/completion/reprise.bash; shift 0; COMP_WORDS=(\"$@\"); "
              "COMP_CWORD=$(($# - 1)); _reprise; printf '%s\\n' \"${COMPREPLY[@]}\"")
    done = run("bash", "--norc", "-c", script, "bash", "reprise", *words, cwd=ROOT / "docs")
    assert done.returncode == 0 and not done.stderr, done.stderr
    return set(done.stdout.split())


def test_completion_knows_every_command_and_option():
    for name, done in commands().items():
        first, *second = name.split()
        assert first in complete("")
        if second:
            assert second[0] in complete(first, "")
        assert complete(*name.split(), "--") == options_of(done.stdout) | {"--help"}, name


def test_completion_offers_files_where_they_belong():
    assert complete("check", "-c", "repr") == {"reprise.1", "reprise.yaml.5"}
    assert complete("explain", "repr") == {"reprise.1", "reprise.yaml.5"}
    assert complete("cache", "show", "repr") == set()
    assert complete("cache", "purge", "--model", "repr") == set()


def test_completion_finishes_words():
    assert complete("ch") == {"check"}
    assert complete("cache", "st") == {"stats"}
    assert complete("cache", "purge", "--dr") == {"--dry-run"}
