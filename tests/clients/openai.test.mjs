// SPDX-License-Identifier: MIT
import assert from "node:assert/strict";
import test from "node:test";
import OpenAI from "openai";
import { collect, sse, stage } from "./stage.mjs";

const QUESTION = { model: "m", messages: [{ role: "user", content: "Hi" }], temperature: 0 };
const chunk = (delta, finish_reason = null) => [null, {
  id: "1", object: "chat.completion.chunk", created: 1, model: "m",
  choices: [{ index: 0, delta, finish_reason }],
}];
const ANSWERS = {
  "POST /v1/chat/completions": ({ stream }) => stream
    ? sse(chunk({ role: "assistant", content: "" }), chunk({ content: "Hel" }),
      chunk({ content: "lo" }), chunk({}, "stop"), [null, "[DONE]"])
    : { json: { id: "1", object: "chat.completion", created: 1, model: "m", choices: [{
      index: 0, message: { role: "assistant", content: "Hello" }, finish_reason: "stop" }] } },
  // The SDK asks for base64 unless told otherwise, and decodes what comes as that.
  "POST /v1/embeddings": () => ({ json: { object: "list", model: "m", data: [{
    object: "embedding", index: 0,
    embedding: Buffer.from(new Float32Array([0.5, 0.25]).buffer).toString("base64") }] } }),
};

async function client(t) {
  const { url, ...rest } = await stage(t, ANSWERS);
  const options = { baseURL: `${url}/v1`, apiKey: "unused", maxRetries: 0, fetch: rest.fetch };
  return { api: new OpenAI(options), ...rest };
}

test("openai: a chat asked twice is a miss, then the same as a hit", async (t) => {
  const { api, seen, requests } = await client(t);
  const first = await api.chat.completions.create(QUESTION);
  const again = await api.chat.completions.create(QUESTION);
  assert.equal(first.choices[0].message.content, "Hello");
  assert.deepEqual(again, first);
  assert.deepEqual(seen, ["upstream", "cache"]);
  assert.equal(requests[0].headers.authorization, "Bearer team-token");
});

test("openai: an embedding asked twice is a miss, then the same as a hit", async (t) => {
  const { api, seen } = await client(t);
  const first = await api.embeddings.create({ model: "m", input: "Hi" });
  const again = await api.embeddings.create({ model: "m", input: "Hi" });
  assert.deepEqual([...first.data[0].embedding], [0.5, 0.25]);
  assert.deepEqual(again, first);
  assert.deepEqual(seen, ["upstream", "cache"]);
});

test("openai: a stream passes", async (t) => {
  const { api } = await client(t);
  const chunks = await collect(await api.chat.completions.create({ ...QUESTION, stream: true }));
  assert.equal(chunks.map((one) => one.choices[0].delta.content ?? "").join(""), "Hello");
});

test("openai: an error of ours is an error to the SDK", async (t) => {
  const { api } = await client(t);
  await assert.rejects(
    api.chat.completions.create(QUESTION, { headers: { "Cache-Control": "only-if-cached" } }),
    (error) => error.status === 504 && error.type === "server_error" &&
      /not in the cache/.test(error.message));
});
