// SPDX-License-Identifier: MIT
import assert from "node:assert/strict";
import test from "node:test";
import { Ollama } from "ollama";
import { collect, stage } from "./stage.mjs";

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

test("ollama: a stream passes", async (t) => {
  const { api } = await client(t);
  const parts = await collect(await api.chat({ ...CHAT, stream: true }));
  assert.equal(parts.map((part) => part.message.content).join(""), "Hello");
});
