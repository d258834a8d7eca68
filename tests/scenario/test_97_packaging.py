# SPDX-License-Identifier: MIT
"""What an operator gets beside the program: the units, and all that `make install` does."""

import os
import re
import shutil
import subprocess

import pytest

from play import BUILD, REPRISE, ROOT, TIMEOUT

SYSTEMD = ROOT / "systemd"
EXPOSURE_MAX = 15       # tenths; the unit is at 11

needs_systemd = pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="no systemd")


def run(*command, **how):
    return subprocess.run([str(word) for word in command], timeout=TIMEOUT, check=False,
                          capture_output=True, text=True, **how)


@pytest.fixture
def units(tmp_path):
    """The units, as they would be installed with the program that was built."""
    for name in ("reprise.service", "reprise.socket"):
        text = (SYSTEMD / name).read_text()
        (tmp_path / name).write_text(text.replace("/usr/local/bin/reprise", REPRISE))
    return tmp_path


@needs_systemd
def test_systemd_understands_every_line(units):
    for extra in ((), ("reprise.service.d/gpu.conf",)):
        for name in extra:
            (units / name).parent.mkdir()
            shutil.copy(SYSTEMD / "gpu.conf", units / name)
        done = run("systemd-analyze", "verify", "--man=no", units / "reprise.service",
                   units / "reprise.socket")
        assert (done.returncode, done.stderr) == (0, "")


@needs_systemd
def test_the_unit_takes_away_what_is_not_needed(units):
    done = run("systemd-analyze", "security", "--offline=true", f"--threshold={EXPOSURE_MAX}",
               units / "reprise.service")
    assert done.returncode == 0, done.stdout[-400:]


@needs_systemd
def test_the_user_and_the_folders_are_made(tmp_path):
    (tmp_path / "etc").mkdir()
    done = run("systemd-sysusers", f"--root={tmp_path}", SYSTEMD / "reprise.sysusers")
    assert done.returncode == 0, done.stderr
    assert "reprise:" in (tmp_path / "etc/passwd").read_text()
    assert "reprise:" in (tmp_path / "etc/group").read_text()
    if os.geteuid() == 0:       # who else could give them away?
        done = run("systemd-tmpfiles", f"--root={tmp_path}", "--create",
                   SYSTEMD / "reprise.tmpfiles")
        assert done.returncode == 0, done.stderr
        modes = {name: oct((tmp_path / name).stat().st_mode & 0o777)
                 for name in ("etc/reprise", "var/cache/reprise", "run/reprise")}
        assert modes == {"etc/reprise": "0o750", "var/cache/reprise": "0o700",
                         "run/reprise": "0o755"}


def test_the_configuration_of_the_service_is_right():
    assert run(REPRISE, "check", "-c", SYSTEMD / "reprise.yaml").returncode == 0


@pytest.fixture
def make(tmp_path):
    """`make GOAL` into a folder of the test."""
    def goal(name):
        env = {key: value for key, value in os.environ.items() if not key.startswith("MAKE")}
        done = run("make", "-s", "DEPS=0", f"BUILD={BUILD.relative_to(ROOT)}",
                   f"DESTDIR={tmp_path}", "PREFIX=/opt", name, cwd=ROOT, env=env)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout
    return goal


def files_in(folder):
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def test_install_and_uninstall(make, tmp_path):
    config = tmp_path / "etc/reprise/reprise.yaml"
    assert "systemctl enable --now reprise" in make("install")
    installed = files_in(tmp_path)
    assert installed == {
        "etc/reprise/reprise.yaml", "opt/bin/reprise",
        "opt/lib/systemd/system/reprise.service", "opt/lib/systemd/system/reprise.socket",
        "opt/lib/sysusers.d/reprise.conf", "opt/lib/tmpfiles.d/reprise.conf",
        "opt/share/man/man1/reprise.1", "opt/share/man/man5/reprise.yaml.5",
        "opt/share/bash-completion/completions/reprise",
        "opt/share/doc/reprise/examples/reprise.yaml",
        "opt/share/doc/reprise/examples/gpu.conf"}
    unit = (tmp_path / "opt/lib/systemd/system/reprise.service").read_text()
    assert re.findall(r"Exec(\w+)=/opt/bin/reprise ", unit) == ["Start", "Reload"]
    assert run(tmp_path / "opt/bin/reprise", "--version").returncode == 0
    assert config.stat().st_mode & 0o777 == 0o640
    config.write_text("mine")
    make("install")
    assert config.read_text() == "mine"
    make("uninstall")
    assert files_in(tmp_path) == {"etc/reprise/reprise.yaml"}


def test_the_package_needs_what_the_build_needs():
    control = (ROOT / "debian/control").read_text()
    needed = re.findall(r"=(lib\S+-dev|zlib1g-dev)", (ROOT / "tests/deps").read_text())
    assert len(needed) > 8
    assert [name for name in needed if name not in control] == []
