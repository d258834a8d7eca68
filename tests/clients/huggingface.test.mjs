// SPDX-License-Identifier: MIT
import assert from "node:assert/strict";
import test from "node:test";
import { InferenceClient } from "@huggingface/inference";
import { breaking, collect, sse, stage } from "./stage.mjs";

const CHAT = { messages: [{ role: "user", content: "Hi" }], max_tokens: 5 };
const chunk = (content, finish_reason = null) => [null, {
  id: "1", object: "chat.completion.chunk", created: 1, model: "m",
  choices: [{ index: 0, delta: { role: "assistant", content }, finish_reason }],
}];
const ANSWERS = {
  "POST /models/t5-base": () => ({ json: [{ translation_text: "Guten Morgen." }] }),
  "POST /models/org/m/v1/chat/completions": ({ stream }) => stream
    ? sse(chunk("Hel"), chunk("lo", "stop"), [null, "[DONE]"])
    : { json: { id: "1", object: "chat.completion", created: 1, model: "m", choices: [{
      index: 0, message: { role: "assistant", content: "Hello" }, finish_reason: "stop" }] } },
};

async function client(t, path) {
  const { url, ...rest } = await stage(t, ANSWERS);
  const options = { endpointUrl: url + path, fetch: rest.fetch, retry_on_error: false };
  return { api: new InferenceClient("unused", options), ...rest };
}

test("@huggingface/inference: a translation asked twice is a miss, then a hit", async (t) => {
  const { api, seen, requests } = await client(t, "/models/t5-base");
  const first = await api.translation({ inputs: "Good morning." });
  const again = await api.translation({ inputs: "Good morning." });
  assert.equal(first.translation_text, "Guten Morgen.");
  assert.deepEqual(again, first);
  assert.deepEqual(seen, ["upstream", "cache"]);
  assert.equal(requests[0].headers.authorization, "Bearer team-token");
});

test("@huggingface/inference: a chat asked twice is a miss, then a hit", async (t) => {
  const { api, seen } = await client(t, "/models/org/m");
  const first = await api.chatCompletion(CHAT);
  const again = await api.chatCompletion(CHAT);
  assert.equal(first.choices[0].message.content, "Hello");
  assert.deepEqual(again, first);
  assert.deepEqual(seen, ["upstream", "cache"]);
});

test("@huggingface/inference: one entry answers both forms", async (t) => {
  const { api, seen } = await client(t, "/models/org/m");
  const read = {
    whole: async () => (await api.chatCompletion(CHAT)).choices[0].message.content,
    stream: async () => (await collect(api.chatCompletionStream(CHAT)))
      .map((one) => one.choices[0].delta.content ?? "").join(""),
  };
  for (const form of ["stream", "whole", "stream", "whole"])
    assert.equal(await read[form](), "Hello");
  assert.deepEqual(seen, ["upstream", "cache", "cache", "cache"]);
});

test("@huggingface/inference: a stream passes", async (t) => {
  const { api } = await client(t, "/models/org/m");
  const chunks = await collect(api.chatCompletionStream(CHAT));
  assert.equal(chunks.map((one) => one.choices[0].delta.content).join(""), "Hello");
});

test("@huggingface/inference: a stream that breaks is an error that says why", async (t) => {
  const path = "POST /models/org/m/v1/chat/completions";
  const { arrive, find } = breaking(ANSWERS[path]);
  const { url, fetch } = await stage(t, { [path]: find });
  const options = { endpointUrl: `${url}/models/org/m`, fetch, retry_on_error: false };
  const api = new InferenceClient("unused", options);
  const seen = [];
  await assert.rejects(async () => {
    for await (const one of api.chatCompletionStream(CHAT)) {
      seen.push(one.choices[0].delta.content);
      arrive();
    }
  }, /the upstream broke off its answer/);
  assert.equal(seen[0], "Hel");
});
