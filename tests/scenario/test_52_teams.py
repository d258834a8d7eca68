# SPDX-License-Identifier: MIT
"""Who may ask, of what, and which part of the cache is theirs."""

import hashlib
import json
import re
import subprocess
import threading

import pytest

import play

PATH = "/models/t5-base"
QUESTION = {"inputs": "a"}
ANSWER, OTHER = [{"translation_text": "x"}], [{"translation_text": "y"}]
CHAT = "/v1/chat/completions"
ASKED = {"model": "gpt", "messages": [{"role": "user", "content": "a"}]}
SAID = {"choices": [{"message": {"role": "assistant", "content": "x"}, "finish_reason": "stop"}]}
PAST, FUTURE = "2020-01-31", "2999-12-31T00:00:00+01:00"


def digest(key):
    return "sha256:" + hashlib.sha256(key.encode()).hexdigest()


def key_of(team):
    return f"rp-key-of-{team}"


def by(team, **more):
    return {"Authorization": f"Bearer {key_of(team)}", **more}


def teams(**rules):
    """{team: its rules} with a key each."""
    return {name: {"key": digest(key_of(name)), **rule} for name, rule in rules.items()}


@pytest.fixture
def gate(proxy, up):
    """Makes a proxy with such teams in front of `up`."""
    def make(more=None, **rules):
        return proxy({"upstreams": {"up": {"url": up.url, "token": {"value": "up-token"}}},
                      "log": {"access": True}, "teams": teams(**rules), **(more or {})})
    return make


def test_without_teams_whoever_reaches_us_may_ask(px, up):
    up.expect("POST", PATH).reply(json=ANSWER)
    assert px.post(PATH, QUESTION).json == ANSWER


@pytest.mark.parametrize("fields", [
    {"Authorization": "Bearer rp-key-of-a"}, {"Authorization": "bearer  rp-key-of-a "},
    {"x-api-key": "rp-key-of-a"}, {"api-key": "rp-key-of-a"},
    {"Authorization": "Bearer of another", "x-api-key": "rp-key-of-a"},
    {"Authorization": "Basic abc", "api-key": "rp-key-of-a"}])
def test_a_key_is_taken_where_clients_put_it_and_goes_no_further(gate, up, fields):
    px = gate(a={})
    expected = up.expect("POST", PATH).reply(json=ANSWER)
    assert px.post(PATH, QUESTION, fields).json == ANSWER
    assert px.post(PATH, QUESTION, fields)["x-compute-type"] == "cache"
    assert expected.request["Authorization"] == "Bearer up-token"
    assert "rp-key" not in str(expected.request)
    px.stop()
    assert "rp-key" not in px.log
    assert re.search(r"model=t5-base team=a hit status=200 ", px.log)


@pytest.mark.parametrize("fields", [
    {}, {"Authorization": "Bearer"}, {"Authorization": "Bearer "}, {"x-api-key": ""},
    {"Authorization": "Bearer rp-key-of-b"}, {"x-api-key": "Bearer rp-key-of-a"},
    {"Authorization": "rp-key-of-a"}, {"api-key": digest("rp-key-of-a")},
    {"Cookie": "key=rp-key-of-a"}])
def test_without_a_key_of_a_team_nobody_is_let_in(gate, up, fields):
    px = gate(a={})
    for answer in (px.post(PATH, QUESTION, fields), px.get("/v1/files", fields),
                   px.post("/models/../x", QUESTION, fields)):
        assert (answer.status, answer["WWW-Authenticate"]) == (401, "Bearer")
        assert answer["Cache-Status"] == "reprise; detail=invalid_api_key"
        assert "a key of a team is needed" in answer.error
    assert up.requests == []
    assert px.stop() == {"requests": 3, "refused": 3}
    assert "rp-key" not in px.log and " team=" not in px.log


def test_health_and_preflights_need_no_key(gate):
    px = gate(a={})
    assert px.get("/healthz").status == 200
    assert px.request("OPTIONS", PATH, headers={"Origin": "http://x"}).status == 204


SHAPES = {
    "hf": (PATH, QUESTION, lambda why, code, kind: {"error": why, "error_type": code}),
    "openai": (CHAT, {**ASKED, "model": "t5-base"}, lambda why, code, kind: {
        "error": {"message": why, "type": kind, "param": None, "code": code}}),
    "anthropic": ("/v1/messages", {**ASKED, "model": "t5-base"}, lambda why, code, kind: {
        "type": "error", "error": {"type": kind, "message": why}}),
    "ollama": ("/api/chat", {**ASKED, "model": "t5-base"},
               lambda why, code, kind: {"error": why}),
}


@pytest.mark.parametrize("api", SHAPES)
def test_each_api_hears_it_in_its_own_shape(gate, up, api):
    path, question, shape = SHAPES[api]
    px = gate(a={"deny": "t5-*"}, late={"expires": PAST})
    unknown = px.post(path, question)
    assert unknown.status == 401
    assert unknown.json == shape(
        "a key of a team is needed: as Authorization: Bearer, x-api-key or api-key",
        "invalid_api_key", "authentication_error")
    late = px.post(path, question, by("late"))
    assert (late.status, late["WWW-Authenticate"]) == (401, "Bearer")
    assert late.body == unknown.body
    denied = px.post(path, question, by("a"))
    assert (denied.status, denied["WWW-Authenticate"]) == (403, None)
    assert denied.json == shape("this key is not for this model", "model_not_allowed",
                                "permission_error")
    assert up.requests == []


def test_that_a_key_has_expired_is_for_the_log_alone(gate, up):
    """To who sends it, it is as none and as nobody's; the log says it once for each team."""
    px = gate(late={"expires": PAST}, later={"expires": PAST}, a={})
    without = px.post(PATH, QUESTION)
    for fields in (by("late"), by("later"), by("nobody"), by("late"), by("late")):
        answer = px.post(PATH, QUESTION, fields)
        names = [name for name, _value in answer.fields]
        assert (answer.status, answer.body) == (401, without.body)
        assert names == [name for name, _value in without.fields]
        assert answer["Cache-Status"] == without["Cache-Status"]
    px.stop()
    for team in "late", "later":
        assert px.log.count(f"<6>the keys of team {team} have expired") == 1
    assert "team a " not in px.log and "rp-key" not in px.log and up.requests == []


def test_a_key_may_have_time_left(gate, up):
    px = gate(a={"expires": FUTURE})
    up.expect("POST", PATH).reply(json=ANSWER)
    assert px.post(PATH, QUESTION, by("a")).json == ANSWER


def test_a_team_may_have_several_keys(proxy, up):
    px = proxy({"upstreams": {"up": {"url": up.url}},
                "teams": {"a": {"keys": [digest("old"), digest("new")]}}})
    up.expect("POST", PATH).reply(json=ANSWER)
    for key in ("old", "new"):
        assert px.post(PATH, QUESTION, {"x-api-key": key}).json == ANSWER
    assert px.stop()["hits"] == 1


@pytest.mark.parametrize("rule, model, status", [
    ({"models": "t5-*"}, "t5-base", 200), ({"models": ["x", "t5-*"]}, "t5-base", 200),
    ({"models": "t5-*"}, "bert", 403), ({"models": "t5-*"}, "T5-base", 403),
    ({"deny": "*-large"}, "t5-base", 200), ({"deny": "*-large"}, "t5-large", 403),
    ({"models": "t5-*", "deny": ["y", "t5-large"]}, "t5-large", 403),
    ({"models": "org/*"}, "org/t5", 200)])
def test_a_team_uses_what_it_may(gate, up, rule, model, status):
    px = gate(a=rule)
    if status == 200:
        up.expect("POST", f"/models/{model}").reply(json=ANSWER)
    assert px.post(f"/models/{model}", QUESTION, by("a")).status == status
    if status == 200:
        up.expect("GET", f"/models/{model}").reply(json={})
    assert px.get(f"/models/{model}", by("a")).status == status


@pytest.mark.parametrize("rule, status", [
    ({}, 200), ({"models": "*"}, 200), ({"models": "t5-*"}, 403), ({"deny": "x"}, 403)])
def test_who_may_not_use_all_must_name_what_it_uses(gate, up, rule, status):
    px = gate(a=rule)
    for path, body in (("/embed", b'{"inputs":"a"}'), ("/own", b"?"),
                       (CHAT, b'{"model":"t5-base","model":"x","messages":[]}')):
        if status == 200:
            up.expect("POST", path).reply(json=[[1.5]])
        answer = px.post(path, body, by("a"))
        assert answer.status == status
        assert status == 200 or "the request names none" in answer.error
    up.expect("GET", "/api/tags").reply(json={"models": []})
    assert px.get("/api/tags", by("a")).status == 200


def test_what_one_team_may_is_not_recalled_for_another(gate, up):
    px = gate({"workers": 1}, a={}, b={"models": "bert"}, c={})
    up.expect("POST", PATH).reply(json=ANSWER)
    for _again in range(3):
        assert px.post(PATH, QUESTION, by("a")).json == ANSWER
        assert px.post(PATH, QUESTION, by("b")).status == 403
        assert px.post(PATH, QUESTION).status == 401
        assert px.post(PATH, QUESTION, by("c"))["x-compute-type"] == "cache"
    again = px.post(PATH, QUESTION, by("a", **{"x-reprise-explain": "1"}))
    assert again["x-reprise-fingerprint"] == "hit"
    assert px.stop() == {"requests": 13, "misses": 1, "hits": 6, "refused": 6, "stored": 1}


def test_teams_share_the_cache_unless_told_otherwise(gate, up):
    px = gate(a={}, b={}, own={"namespace": "team"})
    up.expect("POST", PATH).reply(json=ANSWER)
    px.post(PATH, QUESTION, by("a"))
    assert px.post(PATH, QUESTION, by("b"))["x-compute-type"] == "cache"
    up.expect("POST", PATH).reply(json=OTHER)
    assert px.post(PATH, QUESTION, by("own")).json == OTHER
    assert px.post(PATH, QUESTION, by("own"))["x-compute-type"] == "cache"
    for team, answer in (("a", ANSWER), ("own", OTHER), ("b", ANSWER)):
        assert px.post(PATH, QUESTION, by(team)).json == answer
    told = px.post(PATH, QUESTION, by("own", **{"x-reprise-explain": "1"}))
    assert told["x-reprise-namespace"] == "team:own"
    assert px.stop()["misses"] == 2


def test_a_part_named_by_a_request_lies_in_that_of_its_team(gate, up):
    px = gate(a={}, b={}, own={"namespace": "team"}, other={"namespace": "team"})
    part = {"x-reprise-namespace": "p"}
    for team, answer in (("a", ANSWER), ("own", OTHER), ("other", [])):
        answer = answer or [{"translation_text": team}]
        up.expect("POST", PATH).reply(json=answer)
        for _twice in range(2):
            assert px.post(PATH, QUESTION, by(team, **part)).json == answer
    assert px.post(PATH, QUESTION, by("b", **part)).json == ANSWER
    told = px.post(PATH, QUESTION, by("own", **part, **{"x-reprise-explain": "1"}))
    assert told["x-reprise-namespace"] == "team:own namespace:p"
    px.stop()
    dry = px.command("cache", "purge", "--team", "own", "--dry-run").stdout
    assert dry.startswith("1 "), dry


def test_teams_of_one_cache_share_a_call(gate, up):
    px = gate(a={}, b={})
    go = threading.Event()
    first = up.expect("POST", PATH).reply(
        headers={"Content-Type": "application/json"}, chunks=[b"[", go, b'{"x":1}]'])
    with px.connect() as a, px.connect() as b:
        a.ask("POST", PATH, QUESTION, by("a"))
        first.wait()
        b.ask("POST", PATH, {**QUESTION}, by("b"))
        # Whoever asks something else now comes after it.
        up.expect("GET", "/api/tags").reply(json={})
        px.get("/api/tags", by("b"))
        go.set()
        assert a.answer().json == b.answer().json == [{"x": 1}]
    assert len(up.requests) == 2


def test_teams_of_their_own_never_share_a_call(gate, up):
    px = gate(a={"namespace": "team"}, b={"namespace": "team"}, c={})
    calls = [up.expect("POST", PATH) for _ in range(3)]
    both = threading.Event()
    for n, call in enumerate(calls):
        call.reply(headers={"Content-Type": "application/json"},
                   chunks=[b'[{"x":', both, b"%d}]" % n])
    clients = []
    for team, call in zip("abc", calls):
        clients.append(px.connect())
        clients[-1].ask("POST", PATH, QUESTION, by(team))
        call.wait()
    both.set()
    for n, client in enumerate(clients):
        with client:
            assert client.answer().json == [{"x": n}]
    assert px.stop() == {"requests": 3, "misses": 3, "stored": 3}


SPELLINGS = [
    PATH, PATH + "/", PATH + "?x=1", PATH + "?", PATH + ".css", PATH + ";x", PATH + ":tag",
    PATH + "/x.js", PATH + "%2fx", PATH + "/..%2fx", PATH + "/../t5-base", PATH + "//",
    PATH + "%00", PATH + "#x", "/" + PATH, "/./models/t5-base", "/models/org/t5-base",
    "/models/T5-base", "/pipeline/translation/t5-base", "/hf-inference" + PATH, "/v1" + PATH,
    "/v1/embeddings",
    "/v1/embeddings/x.css", "/v1/models/t5-base.css", CHAT, CHAT + "/", CHAT + ";x", "/api/chat",
    "/generate", "/generate_stream", "/"]


def test_no_spelling_of_a_path_leads_into_the_part_of_another(gate, up):
    px = gate(a={"namespace": "team"}, b={"namespace": "team"}, c={})
    for path in SPELLINGS:
        for team in "abc":
            for _twice in range(2):
                expected = up.expect("POST", path).reply(json=[{"generated_text": team}])
                answer = px.post(path, {**ASKED, **QUESTION, "input": "a"}, by(team))
                assert answer.status in (400, 404) or answer.json == [{"generated_text": team}]
                if expected.request is None:
                    up.expected.remove(expected)
    assert px.stop()["hits"] > 20


@pytest.mark.parametrize("level", ["info", "debug"])
def test_no_key_is_in_a_log_a_cache_or_an_answer(gate, up, level):
    px = gate({"log": {"level": level, "access": True}}, a={"namespace": "team"}, b={"deny": "*"},
              late={"expires": PAST})
    up.expect("POST", PATH).reply(json=ANSWER)
    up.expect("POST", PATH).hang_up()
    answers = [px.post(PATH, question, {name: key_of(team), "x-reprise-explain": "1"})
               for team, name, question in (
                   ("a", "x-api-key", QUESTION), ("a", "api-key", QUESTION),
                   ("b", "x-api-key", QUESTION), ("late", "api-key", QUESTION),
                   ("nobody", "x-api-key", QUESTION), ("a", "api-key", {"inputs": "cut"}))]
    assert [answer.status for answer in answers] == [200, 200, 403, 401, 401, 502]
    px.stop()
    stored = b"".join(file.read_bytes() for file in (px.directory / "cache").iterdir())
    for told in (str(answers), px.log, str(up.requests), stored.decode("latin-1")):
        assert "rp-key" not in told
        assert not any(digest(key_of(team))[7:] in told for team in ("a", "b", "late", "nobody"))


PASSED_OVER = [
    {"Cache-Control": "no-cache"}, {"Cache-Control": "no-store"}, {"Cache-Control": "max-age=0"},
    {"Pragma": "no-cache"}, {"x-use-cache": "false"}, {"helicone-cache-enabled": "false"},
    {"x-reprise-namespace": "p"}, {"x-reprise-ttl": "1"}, {"x-reprise-ttl": "nonsense"}]


@pytest.mark.parametrize("fields", PASSED_OVER, ids=str)
def test_a_team_without_controls_cannot_steer(gate, up, fields):
    px = gate(a={"controls": False}, b={})
    up.expect("POST", PATH).reply(json=ANSWER)
    miss = px.post(PATH, QUESTION, by("a", **fields))
    assert miss["Cache-Status"] == "reprise; fwd=miss; fwd-status=200; stored"
    for team in "ab":
        assert px.post(PATH, QUESTION, by(team))["Cache-Status"].startswith("reprise; hit; ttl=25")
    hit = px.post(PATH, QUESTION, by("a", **fields))
    assert hit["Cache-Status"].startswith("reprise; hit; ttl=25")


@pytest.mark.parametrize("fields", PASSED_OVER[:2], ids=str)
def test_one_with_controls_can(gate, up, fields):
    px = gate(a={})
    up.expect("POST", PATH).reply(json=ANSWER)
    up.expect("POST", PATH).reply(json=ANSWER)
    for _twice in range(2):
        assert px.post(PATH, QUESTION, by("a", **fields)).status == 200


def test_nor_by_only_if_cached(gate, up):
    px = gate(a={"controls": False})
    up.expect("POST", PATH).reply(json=ANSWER)
    assert px.post(PATH, QUESTION, by("a", **{"Cache-Control": "only-if-cached"})).json == ANSWER


@pytest.mark.parametrize("path, question, more, answer", [
    (PATH, QUESTION, {"options": {"use_cache": False}}, ANSWER),
    (CHAT, ASKED, {"cache": {"no-cache": True, "namespace": "p", "ttl": 1}}, SAID),
    (CHAT, ASKED, {"cache": {"no-store": True}}, SAID)], ids=str)
def test_nor_in_the_body(gate, up, path, question, more, answer):
    px = gate(a={"controls": False})
    up.expect("POST", path).reply(json=answer)
    for asked in ({**question, **more}, question, {**question, **more}, {**question, **more}):
        assert px.post(path, asked, by("a")).json == answer
    assert px.stop() == {"requests": 4, "misses": 1, "hits": 3, "stored": 1}


def test_a_route_may_be_for_a_team(proxy, upstream):
    fast, slow = upstream(), upstream()
    px = proxy({
        "upstreams": {"fast": {"url": fast.url}, "slow": {"url": slow.url}},
        "teams": teams(a={}, b={}, c={}),
        "routes": [{"team": ["a", "b"], "model": "t5-*", "to": "fast", "cache": False},
                   {"team": "c", "model": "bert", "to": "slow"},
                   {"model": "t5-*", "to": "slow"}]})
    for team, up in (("a", fast), ("b", fast), ("c", slow)):
        up.expect("POST", PATH).reply(json=ANSWER)
        assert px.post(PATH, QUESTION, by(team)).json == ANSWER
    assert px.post(PATH, QUESTION, by("c"))["x-compute-type"] == "cache"
    fast.expect("POST", PATH).reply(json=ANSWER)
    assert px.post(PATH, QUESTION, by("a"))["x-compute-type"] == "upstream"
    missing = px.post("/models/bert", QUESTION, by("a"))
    assert missing.status == 404 and missing["Cache-Status"].endswith("model_not_found")


def listed(answer):
    assert answer.status == 200 and answer["Cache-Status"] == "reprise"
    assert answer.json["object"] == "list"
    for model in answer.json["data"]:
        assert (model["object"], model["created"]) == ("model", 0)
    return {model["id"]: model["owned_by"] for model in answer.json["data"]}


def test_a_key_sees_the_models_it_may_use(proxy, upstream):
    one, two = upstream(), upstream()
    one.expect("GET", "/v1/models").reply(404)
    two.expect("GET", "/v1/models").hang_up()
    px = proxy({
        "upstreams": {"one": {"url": one.url}, "two": {"url": two.url}},
        "teams": teams(all={}, some={"models": ["t5-*", "bert"], "deny": "t5-large"},
                       named={"models": ["qwen", "t5-base"]}, none={"models": "x-*"}),
        "routes": [{"model": ["t5-base", "t5-large", "t5-*"], "to": "one"},
                   {"model": "gpt", "to": "one", "team": "all"},
                   {"model": ["t5-base", "bert", "*"], "to": "two"}]})
    assert px.get("/v1/models").status == 401
    for team, models in (
            ("all", {"t5-base": "one", "t5-large": "one", "gpt": "one", "bert": "two"}),
            ("some", {"t5-base": "one", "bert": "two"}),
            ("named", {"t5-base": "one", "qwen": "two"}), ("none", {})):
        assert listed(px.get("/v1/models", by(team))) == models
    bare = px.request("HEAD", "/v1/models", headers=by("all"))
    assert bare.status == 200 and int(bare["Content-Length"]) > 100


def test_several_upstreams_have_one_list(proxy, upstream):
    one, two = upstream(), upstream()
    two.expect("GET", "/v1/models").reply(404)
    px = proxy({"upstreams": {"one": {"url": one.url}, "two": {"url": two.url}},
                "routes": [{"model": "a", "to": "one"}, {"model": ["b", "*"], "to": "two"}]})
    assert listed(px.get("/v1/models")) == {"a": "one", "b": "two"}


def test_where_no_model_is_named_the_upstream_knows_more(gate, up):
    px = gate(a={}, b={"deny": "t5"})
    up.expect("GET", "/v1/models").reply(json={"data": [{"id": "t5"}, {"id": "bert"}]})
    assert listed(px.get("/v1/models", by("a"))) == {"t5": "up", "bert": "up"}
    assert listed(px.get("/v1/models", by("b"))) == {"bert": "up"}


def test_explain_knows_teams(gate):
    px = gate(a={"models": "t5-*", "namespace": "team"})
    (px.directory / "q.json").write_text('{"inputs":"a"}')

    def explain(*more):
        return px.command("explain", *more, "--path", PATH, "q.json")
    assert "scope      team:a\n" in explain("--team", "a").stdout
    assert "scope " not in explain().stdout
    wrong = explain("--team", "b")
    assert wrong.returncode == 2 and wrong.stderr == 'reprise: there is no team "b"\n'
    denied = px.command("explain", "--team", "a", "--path", "/models/bert", "q.json")
    assert denied.stdout.endswith("team       may not use this model: 403\n")


def key_command(*arguments):
    return subprocess.run([play.REPRISE, "key", *arguments], text=True, capture_output=True,
                          timeout=play.TIMEOUT, check=False)


def test_a_new_key_works_with_the_lines_it_comes_with(proxy, up):
    px = proxy({"upstreams": {"up": {"url": up.url}}})
    made = [key_command("new", "search-1").stdout.splitlines() for _ in range(2)]
    for key, *lines in made:
        assert re.fullmatch(r"rp-[A-Za-z0-9_-]{43}", key)
        assert lines == ["teams:", f'  search-1: {{key: "{digest(key)}"}}']
    assert made[0][0] != made[1][0]
    wrong = key_command("new", "a b")
    assert (wrong.returncode, wrong.stdout) == (2, "")
    assert key_command("new").returncode == 2
    px.config["teams"] = {"search-1": {"key": digest(made[0][0])}}
    px.restart()
    up.expect("POST", PATH).reply(json=ANSWER)
    assert px.post(PATH, QUESTION, {"x-api-key": made[0][0]}).json == ANSWER
    assert px.post(PATH, QUESTION, {"x-api-key": made[1][0]}).status == 401


OPEN = "is open to whoever reaches it; teams would say who may ask"


@pytest.mark.parametrize("listen, team, warns", [
    ("0.0.0.0:0", {}, True), ("[::]:0", {}, True), (":0", {}, True),
    ("0.0.0.0:0", {"teams": teams(a={})}, False), ("127.0.0.1:0", {}, False),
    ("[::1]:0", {}, False), ("localhost:0", {}, False), ("unix:/run/x", {}, False)])
def test_an_open_door_is_told_of(proxy, up, listen, team, warns):
    px = proxy({"upstreams": {"up": {"url": up.url}}})
    px.stop()
    config = {**px.config, **team, "listen": ["127.0.0.1:0", listen]}
    (px.directory / "reprise.yaml").write_text(json.dumps(config))
    checked = px.command("check")
    assert checked.returncode == 0 and checked.stdout == "the configuration is fine\n"
    assert checked.stderr == (f"warning: listen: {listen} {OPEN}\n" if warns else "")
