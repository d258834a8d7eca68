// SPDX-License-Identifier: MIT
// What the tests of the SDKs share: an upstream with canned answers, and the real proxy before it.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const REPRISE = process.env.REPRISE ??
  fileURLToPath(new URL("../../build/reprise", import.meta.url));

// Answers by "METHOD path": { json } or { type, pieces } of a stream; one that has a promise
// BREAKS breaks off in the middle of an event when that is kept.
async function startUpstream(answers) {
  const requests = [];
  const server = createServer(async (request, response) => {
    let body = "";
    for await (const piece of request)
      body += piece;
    requests.push({ path: request.url, headers: request.headers, body: JSON.parse(body) });
    const find = answers[`${request.method} ${request.url}`];
    const answer = find?.(requests.at(-1).body) ?? { status: 599, json: { error: "unexpected" } };
    response.writeHead(answer.status ?? 200, { "content-type": answer.type ?? "application/json" });
    for (const piece of answer.pieces ?? [JSON.stringify(answer.json)])
      response.write(piece);
    if (answer.breaks) {
      await answer.breaks;
      response.write("data: {", () => response.destroy());
    } else {
      response.end();
    }
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return { server, requests, url: `http://127.0.0.1:${server.address().port}` };
}

// Resolves to the address once the proxy says that it is ready.
async function whenReady(child) {
  const lines = [];
  let address;
  for await (const line of createInterface({ input: child.stderr })) {
    lines.push(line);
    address = /listening on (\S+)/.exec(line)?.[1] ?? address;
    if (/^(<\d>)?ready$/.test(line)) {
      child.stderr.resume();
      return address;
    }
  }
  throw new Error(`the proxy did not start:\n${lines.join("\n")}`);
}

// A proxy in front of ANSWERS for the time of one test T, and a fetch that notes what it saw.
export async function stage(t, answers) {
  const directory = await mkdtemp(join(tmpdir(), "reprise-clients-"));
  t.after(() => rm(directory, { recursive: true }));
  const upstream = await startUpstream(answers);
  t.after(() => {
    upstream.server.close();
    upstream.server.closeAllConnections();
  });
  const file = join(directory, "reprise.yaml");
  await writeFile(file, JSON.stringify({
    listen: "127.0.0.1:0",
    cache: { path: join(directory, "cache"), size: "64MB" },
    upstreams: { up: { url: upstream.url, token: { value: "team-token" } } },
  }));
  const child = spawn(REPRISE, ["serve", "-c", file], { stdio: ["ignore", "ignore", "pipe"] });
  t.after(async () => {
    const ended = once(child, "exit");
    child.kill();
    const [code] = await ended;
    if (code !== 0)
      throw new Error(`the proxy ended with exit code ${code}`);
  });
  const url = `http://${await whenReady(child)}`;
  const seen = [];
  const spy = async (...args) => {
    const response = await fetch(...args);
    seen.push(response.headers.get("x-compute-type"));
    return response;
  };
  return { url, seen, fetch: spy, requests: upstream.requests };
}

export function sse(...events) {
  const text = (data) => typeof data === "string" ? data : JSON.stringify(data);
  const pieces = events.map(([name, data]) =>
    `${name ? `event: ${name}\n` : ""}data: ${text(data)}\n\n`);
  return { type: "text/event-stream", pieces };
}

// Answers that break off once the promise ARRIVED is kept; keep it with ARRIVE().
export function breaking(find) {
  let arrive;
  const arrived = new Promise((resolve) => { arrive = resolve; });
  return { arrive, find: (body) => {
    const answer = find(body);
    return { ...answer, pieces: answer.pieces.slice(0, 2), breaks: arrived };
  } };
}

export async function collect(iterable) {
  const list = [];
  for await (const item of iterable)
    list.push(item);
  return list;
}
