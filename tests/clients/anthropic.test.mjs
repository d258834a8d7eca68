// SPDX-License-Identifier: MIT
import assert from "node:assert/strict";
import test from "node:test";
import Anthropic from "@anthropic-ai/sdk";
import { breaking, sse, stage } from "./stage.mjs";

const QUESTION = { model: "m", max_tokens: 5, messages: [{ role: "user", content: "Hi" }] };
const MESSAGE = {
  id: "1", type: "message", role: "assistant", model: "m", stop_reason: "end_turn",
  stop_sequence: null, content: [{ type: "text", text: "Hello" }],
  usage: { input_tokens: 1, output_tokens: 1 },
};
const event = (data) => [data.type, data];
const delta = (text) =>
  event({ type: "content_block_delta", index: 0, delta: { type: "text_delta", text } });
const ANSWERS = {
  "POST /v1/messages": ({ stream }) => stream
    ? sse(event({ type: "message_start", message: { ...MESSAGE, content: [], stop_reason: null } }),
      event({ type: "content_block_start", index: 0, content_block: { type: "text", text: "" } }),
      delta("Hel"), delta("lo"), event({ type: "content_block_stop", index: 0 }),
      event({ type: "message_delta", usage: { output_tokens: 1 },
        delta: { stop_reason: "end_turn" } }),
      event({ type: "message_stop" }))
    : { json: MESSAGE },
};

async function client(t) {
  const { url, ...rest } = await stage(t, ANSWERS);
  const options = { baseURL: url, apiKey: "unused", maxRetries: 0, fetch: rest.fetch };
  return { api: new Anthropic(options), ...rest };
}

test("@anthropic-ai/sdk: a message asked twice is a miss, then the same as a hit", async (t) => {
  const { api, seen, requests } = await client(t);
  const first = await api.messages.create(QUESTION);
  const again = await api.messages.create(QUESTION);
  assert.equal(first.content[0].text, "Hello");
  assert.deepEqual(again, first);
  assert.deepEqual(seen, ["upstream", "cache"]);
  assert.equal(requests[0].headers["x-api-key"], "team-token");
});

// Thinking, text and a tool call, as blocks of one message.
const BLOCKS = [{ type: "thinking", thinking: "So...", signature: "sig" },
  { type: "text", text: "Hello" }, { type: "tool_use", id: "t1", name: "add", input: { a: 1 } }];
const TOLD = { ...MESSAGE, content: BLOCKS, stop_reason: "tool_use",
  usage: { input_tokens: 1, output_tokens: 9 } };
const block = (index, start, ...deltas) => [
  event({ type: "content_block_start", index, content_block: start }),
  ...deltas.map((one) => event({ type: "content_block_delta", index, delta: one })),
  event({ type: "content_block_stop", index })];
const TOLD_STREAM = sse(
  event({ type: "message_start", message: { ...TOLD, content: [], stop_reason: null,
    usage: { input_tokens: 1, output_tokens: 0 } } }),
  ...block(0, { type: "thinking", thinking: "", signature: "" },
    { type: "thinking_delta", thinking: "So..." }, { type: "signature_delta", signature: "sig" }),
  ...block(1, { type: "text", text: "" }, { type: "text_delta", text: "Hel" },
    { type: "text_delta", text: "lo" }),
  ...block(2, { type: "tool_use", id: "t1", name: "add", input: {} },
    { type: "input_json_delta", partial_json: '{"a"' },
    { type: "input_json_delta", partial_json: ":1}" }),
  event({ type: "message_delta", delta: { stop_reason: "tool_use", stop_sequence: null },
    usage: { output_tokens: 9 } }),
  event({ type: "message_stop" }));

for (const first of ["stream", "whole"])
  test(`@anthropic-ai/sdk: one entry answers both forms, ${first} first`, async (t) => {
    const { url, seen, fetch } = await stage(t, { "POST /v1/messages": ({ stream }) =>
      stream ? TOLD_STREAM : { json: TOLD } });
    const api = new Anthropic({ baseURL: url, apiKey: "unused", maxRetries: 0, fetch });
    const read = {
      whole: () => api.messages.create(QUESTION),
      stream: () => api.messages.stream(QUESTION).finalMessage(),
    };
    for (const form of [first, "stream", "whole", "stream", "whole"]) {
      const { content, stop_reason, usage } = await read[form]();
      assert.deepEqual({ content, stop_reason, usage },
        { content: BLOCKS, stop_reason: "tool_use", usage: TOLD.usage });
    }
    assert.deepEqual(seen, ["upstream", "cache", "cache", "cache", "cache"]);
  });

test("@anthropic-ai/sdk: a stream passes", async (t) => {
  const { api } = await client(t);
  const message = await api.messages.stream(QUESTION).finalMessage();
  assert.equal(message.content[0].text, "Hello");
});

test("@anthropic-ai/sdk: an error of ours is an error to the SDK", async (t) => {
  const { api } = await client(t);
  await assert.rejects(
    api.messages.create(QUESTION, { headers: { "Cache-Control": "only-if-cached" } }),
    (error) => error.status === 504 && error.error.error.type === "timeout_error");
});

test("@anthropic-ai/sdk: a stream that breaks is an APIError that says why", async (t) => {
  const { arrive, find } = breaking(ANSWERS["POST /v1/messages"]);
  const { url, fetch } = await stage(t, { "POST /v1/messages": find });
  const api = new Anthropic({ baseURL: url, apiKey: "unused", maxRetries: 0, fetch });
  const stream = await api.messages.create({ ...QUESTION, stream: true });
  const seen = [];
  await assert.rejects(async () => {
    for await (const one of stream) {
      seen.push(one.type);
      arrive();
    }
  }, (error) => error instanceof Anthropic.APIError && /api_error/.test(error.message) &&
    /broke off/.test(error.message));
  assert.equal(seen[0], "message_start");
});
