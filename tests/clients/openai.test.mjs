// SPDX-License-Identifier: MIT
import assert from "node:assert/strict";
import test from "node:test";
import OpenAI from "openai";
import { breaking, collect, sse, stage } from "./stage.mjs";

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

// Both forms of one answer, by what is asked: text, a tool call, two choices with usage.
const CALL = { id: "t1", type: "function", function: { name: "add", arguments: '{"a":1}' } };
const USAGE = { prompt_tokens: 1, completion_tokens: 2, total_tokens: 3 };
const whole = (choices) => ({
  id: "1", object: "chat.completion", created: 1, model: "m", choices, usage: USAGE });
const message = (index, rest, finish_reason) =>
  ({ index, message: { role: "assistant", ...rest }, finish_reason });
const part = (index, delta, finish_reason = null) => [null, {
  id: "1", object: "chat.completion.chunk", created: 1, model: "m", usage: null,
  choices: [{ index, delta, finish_reason }] }];
const END = [[null, { id: "1", object: "chat.completion.chunk", created: 1, model: "m",
  choices: [], usage: USAGE }], [null, "[DONE]"]];
const FORMS = {
  text: {
    whole: whole([message(0, { content: "Hello" }, "stop")]),
    stream: [part(0, { role: "assistant", content: "" }), part(0, { content: "Hel" }),
      part(0, { content: "lo" }), part(0, {}, "stop"), ...END],
  },
  tools: {
    whole: whole([message(0, { content: null, tool_calls: [CALL] }, "tool_calls")]),
    stream: [part(0, { role: "assistant", content: null }),
      part(0, { tool_calls: [{ index: 0, ...CALL, function: { name: "add", arguments: "" } }] }),
      part(0, { tool_calls: [{ index: 0, function: { arguments: '{"a"' } }] }),
      part(0, { tool_calls: [{ index: 0, function: { arguments: ":1}" } }] }),
      part(0, {}, "tool_calls"), ...END],
  },
  choices: {
    whole: whole([message(0, { content: "A" }, "stop"), message(1, { content: "B" }, "length")]),
    stream: [part(0, { role: "assistant", content: "A" }),
      part(1, { role: "assistant", content: "B" }), part(1, {}, "length"), part(0, {}, "stop"),
      ...END],
  },
};

for (const [name, forms] of Object.entries(FORMS))
  for (const first of ["stream", "whole"])
    test(`openai: one entry answers both forms: ${name}, ${first} first`, async (t) => {
      const { url, seen, fetch } = await stage(t, { "POST /v1/chat/completions": ({ stream }) =>
        stream ? sse(...forms.stream) : { json: forms.whole } });
      const api = new OpenAI({ baseURL: `${url}/v1`, apiKey: "unused", maxRetries: 0, fetch });
      const read = {
        whole: () => api.chat.completions.create(QUESTION),
        stream: () => api.chat.completions.stream(
          { ...QUESTION, stream_options: { include_usage: true } }).finalChatCompletion(),
      };
      // What the SDK makes of a stream has more members than what came whole.
      const shown = ({ choices, usage }) => ({ usage, choices: choices.map((choice) => ({
        index: choice.index, finish_reason: choice.finish_reason, role: choice.message.role,
        content: choice.message.content, calls: (choice.message.tool_calls ?? []).map(
          (call) => [call.id, call.type, call.function.name, call.function.arguments]) })) });
      const answers = [await read[first]()];
      for (const form of ["stream", "whole", "stream", "whole"])
        answers.push(await read[form]());
      for (const answer of answers)
        assert.deepEqual(shown(answer), shown(forms.whole));
      assert.deepEqual(seen, ["upstream", "cache", "cache", "cache", "cache"]);
    });

// Thoughts come under a name of their own, which the SDK hands on as it is.
for (const first of ["stream", "whole"])
  test(`openai: one entry answers both forms: reasoning, ${first} first`, async (t) => {
    const thoughtful = { reasoning_content: "So...", content: "Hello" };
    const { url, seen, fetch } = await stage(t, { "POST /v1/chat/completions": ({ stream }) =>
      stream ? sse(part(0, { role: "assistant", content: "" }),
        part(0, { reasoning_content: "So" }), part(0, { reasoning_content: "..." }),
        part(0, { content: "Hel" }), part(0, { content: "lo" }), part(0, {}, "stop"), ...END)
        : { json: whole([message(0, thoughtful, "stop")]) } });
    const api = new OpenAI({ baseURL: `${url}/v1`, apiKey: "unused", maxRetries: 0, fetch });
    const said = (parts, name) => parts.map((one) => one?.[name] ?? "").join("");
    const read = {
      whole: async () => [(await api.chat.completions.create(QUESTION)).choices[0].message],
      stream: async () => (await collect(await api.chat.completions.create(
        { ...QUESTION, stream: true }))).map((one) => one.choices[0]?.delta),
    };
    for (const form of [first, "stream", "whole", "stream", "whole"]) {
      const parts = await read[form]();
      for (const [name, text] of Object.entries(thoughtful))
        assert.equal(said(parts, name), text);
    }
    assert.deepEqual(seen, ["upstream", "cache", "cache", "cache", "cache"]);
  });

test("openai: an error of ours is an error to the SDK", async (t) => {
  const { api } = await client(t);
  await assert.rejects(
    api.chat.completions.create(QUESTION, { headers: { "Cache-Control": "only-if-cached" } }),
    (error) => error.status === 504 && error.type === "server_error" &&
      /not in the cache/.test(error.message));
});

test("openai: a stream that breaks is an APIError that says why", async (t) => {
  const { arrive, find } = breaking(ANSWERS["POST /v1/chat/completions"]);
  const { url, fetch } = await stage(t, { "POST /v1/chat/completions": find });
  const api = new OpenAI({ baseURL: `${url}/v1`, apiKey: "unused", maxRetries: 0, fetch });
  const stream = await api.chat.completions.create({ ...QUESTION, stream: true });
  const seen = [];
  await assert.rejects(async () => {
    for await (const one of stream) {
      seen.push(one.choices[0].delta.content);
      arrive();
    }
  }, (error) => error instanceof OpenAI.APIError && error.code === "upstream_closed" &&
    /broke off/.test(error.message));
  assert.equal(seen[0], "");
});

test("openai: H-85: an upstream that is down is not asked without end", async (t) => {
  const { url, fetch, requests } = await stage(t, {
    "POST /v1/chat/completions": () => ({ status: 503, json: { error: { message: "down" } } }),
  });
  const api = new OpenAI({ baseURL: `${url}/v1`, apiKey: "unused", fetch });
  await assert.rejects(() => api.chat.completions.create(QUESTION), { status: 503 });
  assert.ok(requests.length <= 3, `${requests.length} calls`);    // its own two retries
});
