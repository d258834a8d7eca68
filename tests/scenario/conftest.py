# SPDX-License-Identifier: MIT
"""Fixtures: `up` is a scripted upstream, `px` a proxy in front of it, both checked at the end."""

import faulthandler

import pytest

import play

GUARD = 120     # seconds after which a hung test shows where it hangs


@pytest.fixture(autouse=True)
def guard():
    faulthandler.dump_traceback_later(GUARD, exit=True)
    yield
    faulthandler.cancel_dump_traceback_later()


@pytest.fixture
def upstream():
    """Makes upstreams: upstream(), upstream(unix_socket_path), upstream(tls_context=...)."""
    made = []

    def make(path=None, tls_context=None):
        made.append(play.Upstream(path, tls_context))
        return made[-1]
    yield make
    for one in made:
        one.close()
    for one in made:
        one.check()


@pytest.fixture
def up(upstream):
    return upstream()


@pytest.fixture
def proxy(tmp_path):
    """Makes proxies: proxy(configuration, env={...}, descriptors=(SOFT, HARD)).

    What is missing in the configuration is filled in.
    """
    made = []

    def make(config, env=None, descriptors=None):
        directory = tmp_path / f"proxy{len(made)}"
        directory.mkdir()
        made.append(play.Proxy(directory, config, env, descriptors))
        return made[-1]
    yield make
    try:
        for one in made:
            if one.process is not None:
                one.stop()
    finally:
        for one in made:
            one.kill()


@pytest.fixture
def px(proxy, up):
    return proxy({"upstreams": {"up": {"url": up.url}}})
