// SPDX-License-Identifier: MIT
import assert from "node:assert/strict";
import test from "node:test";
import { Ollama } from "ollama";
import { breaking, collect, stage } from "./stage.mjs";

const CHAT = { model: "m", messages: [{ role: "user", content: "Hi" }] };
const line = (content, done) => `${JSON.stringify({
  model: "m", created_at: "2026-01-01T00:00:00Z", done,
  message: { role: "assistant", content } })}\n`;
const ANSWERS = {
  "POST /api/chat": ({ stream }) => stream
    ? { type: "application/x-ndjson",
        pieces: [line("Hel", false), line("lo", false), line("", true)] }
    : { json: JSON.parse(line("Hello", true)) },
  "POST /api/embed": () => ({ json: { model: "m", embeddings: [[0.5, 0.25]] } }),
};

async function client(t) {
  const { url, ...rest } = await stage(t, ANSWERS);
  return { api: new Ollama({ host: url, fetch: rest.fetch }), ...rest };
}

test("ollama: a chat asked twice is a miss, then the same as a hit", async (t) => {
  const { api, seen } = await client(t);
  const first = await api.chat(CHAT);
  const again = await api.chat(CHAT);
  assert.equal(first.message.content, "Hello");
  assert.deepEqual(again, first);
  assert.deepEqual(seen, ["upstream", "cache"]);
});

test("ollama: an embedding asked twice is a miss, then the same as a hit", async (t) => {
  const { api, seen } = await client(t);
  const first = await api.embed({ model: "m", input: "Hi" });
  const again = await api.embed({ model: "m", input: "Hi" });
  assert.deepEqual(first.embeddings, [[0.5, 0.25]]);
  assert.deepEqual(again, first);
  assert.deepEqual(seen, ["upstream", "cache"]);
});

test("ollama: one entry answers both forms", async (t) => {
  for (const first of [true, false]) {
    const { api, seen } = await client(t);
    const text = async (stream) => {
      const answer = await api.chat({ ...CHAT, stream });
      const parts = stream ? await collect(answer) : [answer];
      return parts.map((one) => one.message.content).join("");
    };
    for (const stream of [first, !first, first, !first])
      assert.equal(await text(stream), "Hello");
    assert.deepEqual(seen, ["upstream", "cache", "cache", "cache"]);
  }
});

// Thinking, text and a tool call; calls come whole, in one line.
const CALLS = [{ function: { name: "add", arguments: { a: 1 } } }];
const LINE = { model: "m", created_at: "2026-01-01T00:00:00Z" };
const END = { done: true, done_reason: "stop", prompt_eval_count: 3, eval_count: 5 };
const says = (rest) => ({ ...LINE, message: { role: "assistant", content: "", ...rest } });
const TOOLS = { "POST /api/chat": ({ stream }) => stream === false
  ? { json: { ...says({ content: "Hello", thinking: "So...", tool_calls: CALLS }), ...END } }
  : { type: "application/x-ndjson", pieces: [
    says({ thinking: "So" }), says({ thinking: "..." }), says({ content: "Hel" }),
    says({ content: "lo" }), says({ tool_calls: CALLS }), { ...says({}), ...END },
  ].map((line) => `${JSON.stringify(line.done ? line : { ...line, done: false })}\n`) } };

for (const first of [true, false])
  test(`ollama: one entry answers both forms: tools, ${first ? "stream" : "whole"} first`,
    async (t) => {
      const { url, seen, fetch } = await stage(t, TOOLS);
      const api = new Ollama({ host: url, fetch });
      for (const stream of [first, true, false, true, false]) {
        const answer = await api.chat({ ...CHAT, stream });
        const parts = stream ? await collect(answer) : [answer];
        const said = (name) => parts.map((one) => one.message[name] ?? "").join("");
        assert.deepEqual([said("thinking"), said("content")], ["So...", "Hello"]);
        assert.deepEqual(parts.flatMap((one) => one.message.tool_calls ?? []), CALLS);
        const { done, done_reason, prompt_eval_count, eval_count } = parts.at(-1);
        assert.deepEqual({ done, done_reason, prompt_eval_count, eval_count }, END);
      }
      assert.deepEqual(seen, ["upstream", "cache", "cache", "cache", "cache"]);
    });

test("ollama: a stream passes", async (t) => {
  const { api } = await client(t);
  const parts = await collect(await api.chat({ ...CHAT, stream: true }));
  assert.equal(parts.map((part) => part.message.content).join(""), "Hello");
});

test("ollama: a stream that breaks is an error that says why", async (t) => {
  const { arrive, find } = breaking(ANSWERS["POST /api/chat"]);
  const { url, fetch } = await stage(t, { "POST /api/chat": find });
  const api = new Ollama({ host: url, fetch });
  const seen = [];
  await assert.rejects(async () => {
    for await (const one of await api.chat({ ...CHAT, stream: true })) {
      seen.push(one.message.content);
      arrive();
    }
  }, /the upstream broke off its answer/);
  assert.equal(seen[0], "Hel");
});
