# SPDX-License-Identifier: MIT
"""Questions and answers in files, where a route says so, and no credential in them."""

import json
import stat

QUESTION = {"inputs": "one"}
PATH = "/models/t5-base"
CHAT = "/v1/chat/completions"
TOKEN = "the-token-of-the-upstream"


def serve(proxy, up, directory, **more):
    return proxy({
        "upstreams": {"up": {"url": up.url, "token": {"value": TOKEN}}}, "admin": "127.0.0.1:0",
        "routes": [{"model": "t5-*", "to": "up", "log_bodies": str(directory)}, {"to": "up"}],
        **more})


def lines_in(directory):
    files = list(directory.iterdir()) if directory.exists() else []
    return [json.loads(line) for file in files for line in file.read_text().splitlines()]


def test_a_line_has_the_question_and_the_answer(proxy, up, tmp_path):
    px = serve(proxy, up, tmp_path / "bodies")
    up.expect("POST", PATH).reply(json=["\u00e4\n"])
    up.expect("POST", "/models/other").reply(json=["b"])
    with px.connect() as client:
        for path in (PATH, PATH, "/models/other"):
            client.ask("POST", path, QUESTION, {"x-request-id": "r1"})
            assert client.answer().status == 200
    px.stop()
    first, second = lines_in(tmp_path / "bodies")
    del first["time"]
    assert first == {
        "id": "r1", "method": "POST", "path": PATH, "model": "t5-base", "result": "miss",
        "status": 200, "request": '{"inputs": "one"}', "request_bytes": 17,
        "request_is_cut": False, "response": '["\u00e4\\n"]', "response_bytes": 8,
        "response_is_cut": False}
    assert second["result"] == "hit" and second["response"] == first["response"]
    assert "<4>routes[0]: its questions and answers are written to " in px.log
    (file,) = (tmp_path / "bodies").iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700


def test_credentials_are_not_in_it(proxy, up, tmp_path):
    px = serve(proxy, up, tmp_path / "bodies")
    answer = f"you sent {TOKEN}, hf_abcdefghij, and my-own-password"
    up.expect("POST", PATH).reply(json=[answer])
    px.post(PATH, {"inputs": "rp-0123456789 sk-proj-aaaabbbb my-own-password"},
            {"Authorization": "Bearer my-own-password", "x-api-key": "another-one"})
    px.stop()
    (line,) = lines_in(tmp_path / "bodies")
    assert line["request"] == '{"inputs": "[redacted] [redacted] [redacted]"}'
    assert line["response"] == '["you sent [redacted], [redacted], and [redacted]"]'


def test_a_stream_is_there_as_it_was_given(proxy, up, tmp_path):
    px = proxy({"upstreams": {"up": {"url": up.url}},
                "routes": [{"to": "up", "log_bodies": str(tmp_path / "bodies")}]})
    event = b'data: {"choices":[{"index":0,"delta":{"content":"x"},"finish_reason":"stop"}]}\n\n'
    up.expect("POST", CHAT).reply(headers={"Content-Type": "text/event-stream"},
                                  chunks=[event, b"data: [DONE]\n\n"])
    chat = {"model": "m", "stream": True, "messages": [{"role": "user", "content": "x"}]}
    assert px.post(CHAT, chat).status == 200
    px.stop()
    (line,) = lines_in(tmp_path / "bodies")
    assert line["response"] == (event + b"data: [DONE]\n\n").decode()


def test_what_is_long_is_cut_and_what_is_no_text_is_left_out(proxy, up, tmp_path):
    px = serve(proxy, up, tmp_path / "bodies")
    up.expect("POST", PATH).reply(body=b"\0" * 100, headers={"Content-Type": "image/png"})
    px.post(PATH, {"inputs": "x" * 100000})
    px.stop()
    (line,) = lines_in(tmp_path / "bodies")
    assert len(line["request"]) == 65536 and line["request_is_cut"]
    assert line["request_bytes"] == 100014
    assert line["response"] is None and line["response_bytes"] == 100


def test_a_directory_that_cannot_be_written_costs_nothing_but_lines(proxy, up, tmp_path):
    (tmp_path / "file").write_text("")
    px = serve(proxy, up, tmp_path / "file" / "bodies")
    up.expect("POST", PATH).reply(json=["a"])
    for _ in range(20):
        assert px.post(PATH, QUESTION).status == 200
    px.wait_for_line("<4>log_bodies .*: Not a directory; what cannot be written is dropped")
    for _ in range(1000):
        dropped = json.loads(px.admin("GET", "/stats").body)["log"]["bodies_dropped"]
        if dropped == 20:
            break
    assert dropped == 20
    assert px.log.count("Not a directory") == 1
