#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The package in a fresh Debian: installed, started, upgraded, booted, removed, purged.

    tests/package/check_deb.py FOLDER        where `make deb` left it

Needs root and debootstrap, and systemd-nspawn for the boot; what is missing is named.
"""

import contextlib
import os
import pathlib
import re
import shutil
import stat
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "scenario"))

import manager      # noqa: E402
import play         # noqa: E402

T5 = "/models/t5-base"
QUESTION = {"inputs": "Good morning."}
PATH = "/usr/sbin:/usr/bin:/sbin:/bin"
CONFIG = pathlib.Path("etc/reprise/reprise.yaml")
MARK = "# The operator was here.\n"
TOKEN = "package-canary"


class Root:
    """A fresh system in a folder."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)

    def make(self):
        uri, codename = mirror()
        run("debootstrap", "--variant=minbase", codename, self.folder, uri)
        shutil.copy("/etc/resolv.conf", self.folder / "etc/resolv.conf")
        # Where no manager runs none is asked to start anything.
        self.write("usr/sbin/policy-rc.d", "#!/bin/sh\nexit 101\n").chmod(0o755)

    def write(self, path, text):
        (self.folder / path).write_text(text)
        return self.folder / path

    def run(self, *command):
        env = {"PATH": PATH, "DEBIAN_FRONTEND": "noninteractive",
               "LC_ALL": "C"}
        return run("chroot", self.folder, *command, env=env)

    def install(self, package):
        shutil.copy(package, self.folder / "root")
        self.run("apt-get", "-qq", "-y", "--no-install-recommends", "-o",
                 "Dpkg::Options::=--force-confold", "install", f"/root/{package.name}")

    def mode_of(self, path):
        """As ls has it: -rw-r----- root reprise."""
        return self.run("stat", "-c", "%A %U %G", f"/{path}").strip()

    def find(self):
        """What has our name, but in the papers of others."""
        found = self.run("find", "/", "-xdev", "-name", "*reprise*", "-not", "-path", "/proc/*",
                         "-not", "-path", "/root/*", "-not", "-path", "/var/log/*")
        return found.split()

    @contextlib.contextmanager
    def proc(self):
        run("mount", "-t", "proc", "proc", self.folder / "proc")
        try:
            yield
        finally:
            run("umount", self.folder / "proc")


class Installed(manager.Managed):
    """The installed program, started by hand as its user, on the installed configuration."""

    def __init__(self, root, ear):
        self.root = root
        super().__init__(root.folder.parent, {}, ear)

    def launch(self, _command, **how):
        command = ["chroot", "--userspec=reprise:reprise", str(self.root.folder),
                   "/usr/bin/reprise", "serve"]
        return super().launch(command, env={"PATH": PATH, "NOTIFY_SOCKET": "/run/notify"},
                              **how)

    address = "unix"    # is asked for by who waits until it is ready

    def connect(self):
        sock = play.socket.socket(play.socket.AF_UNIX)
        sock.connect(str(self.root.folder / "run/reprise/reprise.sock"))
        return play.Client(sock)


def run(*command, **how):
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True,
                          check=False, stdin=subprocess.DEVNULL, **how)
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(map(str, command))}: exit code {done.returncode}\n"
                         f"{done.stdout}{done.stderr}")
    return done.stdout


def step(what):
    print(f"check-deb: {what}", flush=True)


def mirror():
    """(URI, codename): where this machine itself gets its packages from."""
    codename = re.search(r"^VERSION_CODENAME=(\w+)$",
                         pathlib.Path("/etc/os-release").read_text(), re.MULTILINE)[1]
    uris = run("apt-get", "indextargets", "--format", "$(REPO_URI)", "Created-By: Packages",
               f"Codename: {codename}")
    return uris.split()[0], codename


def next_version(package, folder):
    """The same package, one version later."""
    tree = folder / "next"
    run("dpkg-deb", "-R", package, tree)
    control = tree / "DEBIAN/control"
    control.write_text(re.sub(r"^(Version: .*)$", r"\1+next", control.read_text(),
                              flags=re.MULTILINE))
    shipped = tree / CONFIG
    shipped.write_text(shipped.read_text() + "# The package has changed it too.\n")
    return pathlib.Path(run("dpkg-deb", "-b", tree, folder).split("'")[-2])


def check_install(root, package):
    with root.proc():
        root.install(package)
        assert root.mode_of(CONFIG) == "-rw-r----- root reprise"
        assert root.mode_of("etc/reprise") == "drwxr-x--- root reprise"
        assert root.mode_of("var/cache/reprise") == "drwx------ reprise reprise"
        assert "fine" in root.run("reprise", "check")
        assert root.run("reprise", "--version").startswith("reprise/")
    enabled = root.folder / "etc/systemd/system/multi-user.target.wants/reprise.service"
    assert enabled.is_symlink(), "the service is not enabled"


def configure(root, up):
    """What an operator does first."""
    config = root.folder / CONFIG
    text = config.read_text().replace("127.0.0.1:8080", "unix:/run/reprise/reprise.sock")
    text = re.sub(r"url: .*", f"url: {up.url}", text)
    config.write_text(text + MARK)      # in place: owner and mode stay


def check_service(root, ear, expected):
    """It says that it is ready, answers, and ends well."""
    px = Installed(root, ear)
    try:
        assert ear.next() == "READY=1"
        assert px.get("/healthz").status == 200
        answer = px.post(T5, QUESTION)
        assert (answer.status, answer["x-compute-type"]) == (200, expected), answer
        px.stop()
        assert ear.next() == "STOPPING=1"
    finally:
        px.kill()


def check_kept(root):
    assert root.run("cat", f"/{CONFIG}").endswith(MARK)
    assert root.mode_of(CONFIG) == "-rw-r----- root reprise"
    assert (root.folder / "var/cache/reprise/data.mdb").stat().st_size > 0


def check_upgrade(root, package):
    with root.proc():
        root.install(package)
    assert "+next" in root.run("dpkg-query", "-W", "-f", "${Version}", "reprise")
    check_kept(root)


def check_boot(root):
    """Under systemd itself, with all that the unit takes away; then removed there."""
    credentials = root.folder / "etc/credstore"
    (credentials / "reprise.hf").write_text(TOKEN)
    config = root.folder / CONFIG
    config.write_text(config.read_text().replace("#token:", "token:"))
    shutil.copy(HERE / "ask.pl", root.folder / "root/ask.pl")
    shutil.copy(HERE / "booted.sh", root.folder / "root/booted.sh")
    shutil.copy(HERE / "booted.service", root.folder / "etc/systemd/system")
    (root.folder / "usr/sbin/policy-rc.d").unlink()
    wants = root.folder / "etc/systemd/system/multi-user.target.wants"
    (wants / "booted.service").symlink_to("../booted.service")
    # On a machine that systemd does not run there is nobody to register with.
    apart = [] if os.path.isdir("/run/systemd/system") else ["--register=no", "--keep-unit"]
    done = subprocess.run(
        ["systemd-nspawn", "-b", "--console=pipe", "--private-network", *apart, "-D",
         str(root.folder)], stdin=subprocess.DEVNULL, capture_output=True, timeout=120, check=False)
    log = root.folder / "root/booted.log"
    if not log.exists():
        step("SKIPPED: the boot; systemd-nspawn cannot: " +
             done.stderr.decode(errors="replace").strip()[-500:])
        return
    said = log.read_text()
    assert said.endswith("all is well\n"), said
    assert TOKEN not in said
    (wants / "booted.service").unlink()


def check_purge(root):
    with root.proc():
        if "installed" in root.run("dpkg-query", "-W", "-f", "${db:Status-Status}", "reprise"):
            root.run("dpkg", "--remove", "reprise")
        assert not (root.folder / "usr/bin/reprise").exists()
        check_kept(root)
        root.run("dpkg", "--purge", "reprise")
    assert root.find() == [], root.find()


def missing():
    names = [] if os.geteuid() == 0 else ["root"]
    return names + [name for name in ("debootstrap",) if not shutil.which(name)]


def check(root, package, folder):
    step("a fresh system")
    root.make()
    step("install")
    check_install(root, package)
    up, ear = play.Upstream(), manager.Ear(root.folder / "run/notify")
    os.chmod(root.folder / "run/notify", stat.S_IRWXU | stat.S_IRWXG | stat.S_IRWXO)
    configure(root, up)
    step("serve, as its user")
    up.expect("POST", T5).reply(json=["Guten Morgen."])
    check_service(root, ear, "upstream")
    step("upgrade: cache and configuration stay")
    check_upgrade(root, next_version(package, folder))
    check_service(root, ear, "cache")
    up.check()
    up.close()
    if shutil.which("systemd-nspawn"):
        step("boot: the unit, the socket, an upgrade and the removal under systemd")
        check_boot(root)
    else:
        step("SKIPPED: the boot, which needs systemd-nspawn (systemd-container)")
    step("purge: nothing is left")
    check_purge(root)


def main():
    packages = [path for path in pathlib.Path(sys.argv[1]).glob("reprise_*.deb")]
    assert len(packages) == 1, packages
    if missing():
        step(f"SKIPPED: it needs {' and '.join(missing())}")
        return
    if shutil.which("lintian"):
        step("lintian")
        run("lintian", "--fail-on", "error,warning", "--allow-root",
            *pathlib.Path(sys.argv[1]).glob("*.changes"))
    with tempfile.TemporaryDirectory(prefix="reprise-deb-") as folder:
        folder = pathlib.Path(folder)
        check(Root(folder / "root"), packages[0], folder)
    step("all is well")


if __name__ == "__main__":
    main()
