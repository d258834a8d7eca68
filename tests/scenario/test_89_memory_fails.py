# SPDX-License-Identifier: MIT
"""F16: allocations whose size a peer chooses fail; the request gets an error or is closed, and the
process goes on."""

import contextlib

import pytest

import play

SHIM = play.BUILD / "faults/nomem.so"
PATH = "/models/t5-base"


@pytest.mark.skipif(not SHIM.exists(), reason="sanitizers have an allocator of their own")
@pytest.mark.parametrize("every", [1, 2, 3, 5, 7, 11])
def test_f16_large_allocations_fail_and_the_process_stays(proxy, upstream, every):
    up = upstream()
    px = proxy({"upstreams": {"up": {"url": up.url}}, "admin": "127.0.0.1:0"},
               {"LD_PRELOAD": str(SHIM), "NOMEM_SIZE": "131072", "NOMEM_EVERY": str(every)})
    pid, statuses = px.process.pid, []
    for i in range(30):
        with contextlib.suppress(play.Gone, ConnectionError):
            up.expected.clear()
            up.expect("POST", PATH).reply(json=["x" * 300000])
            statuses.append(px.post(PATH, {"inputs": str(i) + "y" * 200000}).status)
        up.faults.clear()
    up.expected.clear()
    assert set(statuses) <= {200, 413, 502, 503}
    assert px.process.pid == pid and px.process.poll() is None
    up.expect("POST", PATH).reply(json=["small"])
    assert px.post(PATH, {"inputs": "small"}).json == ["small"]
    assert 200 not in statuses or every > 1
