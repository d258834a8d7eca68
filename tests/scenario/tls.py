# SPDX-License-Identifier: MIT
"""An authority of the test's own, and what it vouches for."""

import socket
import ssl
import subprocess

import play

CONFIG = """
[ca]
default_ca = own
[own]
database = {dir}/index
serial = {dir}/serial
new_certs_dir = {dir}
certificate = {dir}/own-ca.pem
private_key = {dir}/own-ca.key
default_md = sha256
policy = any
copy_extensions = copy
unique_subject = no
[any]
commonName = supplied
"""
ALWAYS = ("20200101000000Z", "20491231000000Z")
OVER = ("20200101000000Z", "20200102000000Z")


class Authority:
    """Signs certificates with the openssl command, in DIRECTORY, which is made."""

    def __init__(self, directory):
        directory.mkdir(exist_ok=True)
        self.directory = directory
        self.file = directory / "own-ca.pem"
        (directory / "index").touch()
        (directory / "serial").write_text("01\n")
        (directory / "ca.conf").write_text(CONFIG.format(dir=directory))
        self.make_key("own-ca")
        openssl("req", "-x509", "-key", directory / "own-ca.key", "-out", self.file,
                "-subj", "/CN=authority of a test", "-days", "3650")

    def make_key(self, name):
        openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256",
                "-out", self.directory / f"{name}.key")

    def issue(self, name, subject="IP:127.0.0.1", time=ALWAYS):
        """(certificate, key) for SUBJECT, good at TIME."""
        key, asked = self.directory / f"{name}.key", self.directory / f"{name}.csr"
        certificate = self.directory / f"{name}.pem"
        self.make_key(name)
        openssl("req", "-new", "-key", key, "-out", asked, "-subj", f"/CN={name}",
                "-addext", f"subjectAltName={subject}")
        openssl("ca", "-batch", "-notext", "-config", self.directory / "ca.conf",
                "-in", asked, "-out", certificate, "-startdate", time[0], "-enddate", time[1])
        return certificate, key


def openssl(*arguments):
    done = subprocess.run(["openssl", *map(str, arguments)], capture_output=True, text=True,
                          check=False, timeout=60)
    assert done.returncode == 0, done.stderr


def server_context(certificate, key):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return context


def client_context(authority, version=None, certificate=None):
    """A client that believes AUTHORITY alone, and may show a (certificate, key)."""
    context = ssl.create_default_context(cafile=authority.file)
    context.options &= ~ssl.OP_IGNORE_UNEXPECTED_EOF
    if version:
        context.minimum_version = context.maximum_version = version
    if certificate:
        context.load_cert_chain(*certificate)
    return context


def connect(px, context, name="127.0.0.1", **how):
    """A client of PX that asks for NAME."""
    host, port = px.address.rsplit(":", 1)
    sock = socket.create_connection((host, int(port)), play.TIMEOUT)
    try:
        return play.Client(context.wrap_socket(sock, server_hostname=name, **how))
    except BaseException:
        sock.close()
        raise
