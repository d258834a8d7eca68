# SPDX-License-Identifier: MIT
"""What a request may ask of the cache."""

import pytest

PATH = "/models/m"
QUESTION = {"inputs": "a"}
OLD, NEW = [{"translation_text": "old"}], [{"translation_text": "new"}]
ANEW = {
    "x-use-cache": {"x-use-cache": "false"},
    "no-cache": {"Cache-Control": "no-cache"},
    "no-cache among others": {"Cache-Control": "foo=bar, No-Cache"},
    "Pragma": {"Pragma": "no-cache"},
}


@pytest.fixture
def stored(px, up):
    """A proxy that has the answer to QUESTION."""
    up.expect("POST", PATH).reply(json=OLD)
    px.post(PATH, QUESTION)
    return px


@pytest.mark.parametrize("case", ANEW)
def test_anew_is_computed_anew_and_kept(stored, up, case):
    up.expect("POST", PATH).reply(json=NEW)
    anew = stored.post(PATH, QUESTION, ANEW[case])
    assert anew.json == NEW
    assert anew["Cache-Status"] == "reprise; fwd=request; fwd-status=200; stored"
    again = stored.post(PATH, QUESTION)
    assert (again["x-compute-type"], again.json) == ("cache", NEW)
    assert stored.stop() == {"requests": 3, "misses": 2, "hits": 1, "stored": 2}


def test_use_cache_in_the_body_is_no_part_of_the_question(stored, up):
    up.expect("POST", PATH).reply(json=NEW)
    anew = stored.post(PATH, {**QUESTION, "options": {"use_cache": False}})
    assert anew.json == NEW and "fwd=request" in anew["Cache-Status"]
    assert stored.post(PATH, QUESTION).json == NEW
    assert stored.stop()["stored"] == 2


def test_use_cache_true_changes_nothing(stored):
    assert stored.post(PATH, QUESTION, {"x-use-cache": "true"})["x-compute-type"] == "cache"
    assert stored.stop()["hits"] == 1


def test_pragma_counts_only_without_cache_control(stored):
    fields = {"Pragma": "no-cache", "Cache-Control": "max-age=1000"}
    assert stored.post(PATH, QUESTION, fields)["x-compute-type"] == "cache"
    assert stored.stop()["hits"] == 1


def test_no_store_keeps_nothing(px, up):
    for _twice in range(2):
        up.expect("POST", PATH).reply(json=OLD)
        answer = px.post(PATH, QUESTION, {"Cache-Control": "no-store"})
        assert answer["Cache-Status"] == "reprise; fwd=miss; fwd-status=200"
    assert px.stop() == {"requests": 2, "misses": 2}


def test_no_store_may_be_answered_from_the_cache(stored):
    answer = stored.post(PATH, QUESTION, {"Cache-Control": "no-store"})
    assert answer["x-compute-type"] == "cache"
    assert stored.stop()["hits"] == 1


def test_only_if_cached_never_goes_upstream(px, up):
    answer = px.post(PATH, QUESTION, {"Cache-Control": "only-if-cached"})
    assert answer.status == 504 and answer["x-compute-type"] == "none" and answer.error
    assert up.requests == []
    assert px.stop() == {"requests": 1, "refused": 1}


def test_only_if_cached_takes_what_is_there(stored):
    answer = stored.post(PATH, QUESTION, {"Cache-Control": "only-if-cached"})
    assert answer.json == OLD
    assert stored.stop()["hits"] == 1


def test_only_if_cached_refuses_what_cannot_be_cached(px, up):
    answer = px.post(PATH, {**QUESTION, "stream": True}, {"Cache-Control": "only-if-cached"})
    assert answer.status == 504
    assert up.requests == []
    assert px.stop()["refused"] == 1


def test_x_load_model_0_is_the_old_form_of_it(px, up):
    answer = px.post(PATH, QUESTION, {"X-Load-Model": "0"})
    assert (answer.status, answer.json) == (200, {"error": "not loaded yet"})
    assert up.requests == []
    px.stop()


def test_max_age_bounds_the_age(stored, up):
    assert stored.post(PATH, QUESTION, {"Cache-Control": "max-age=1000"}).json == OLD
    up.expect("POST", PATH).reply(json=NEW)
    anew = stored.post(PATH, QUESTION, {"Cache-Control": "max-age=0, no-cache"})
    assert anew.json == NEW and "fwd=request" in anew["Cache-Status"]
    assert stored.stop()["hits"] == 1


def test_a_route_may_not_cache_at_all(proxy, up):
    px = proxy({"upstreams": {"up": {"url": up.url}}, "routes": [{"to": "up", "cache": False}]})
    for _twice in range(2):
        up.expect("POST", PATH).reply(json=OLD)
        answer = px.post(PATH, QUESTION)
        assert answer["Cache-Status"] == "reprise; fwd=bypass; fwd-status=200"
    assert px.stop() == {"requests": 2, "bypasses": 2}


def test_the_ttl_of_a_route_counts(proxy, up):
    px = proxy({"upstreams": {"up": {"url": up.url}},
                "routes": [{"to": "up", "cache": {"ttl": "7d"}}]})
    up.expect("POST", PATH).reply(json=OLD)
    px.post(PATH, QUESTION)
    ttl = int(px.post(PATH, QUESTION)["Cache-Status"].rpartition("=")[2])
    assert 6 * 86400 < ttl <= 7 * 86400
    assert px.stop()["hits"] == 1
