// SPDX-License-Identifier: MIT
// An upstream that offers HTTP/2 over TLS: h2_upstream.mjs CERTIFICATE KEY.  It
// says which version it was asked in.
import { readFileSync } from "node:fs";
import { createSecureServer } from "node:http2";

const [certificate, key] = process.argv.slice(2);
const server = createSecureServer(
  { cert: readFileSync(certificate), key: readFileSync(key), allowHTTP1: true },
  (request, response) => {
    request.resume().on("end", () => {
      const answer = JSON.stringify([{ generated_text: `HTTP/${request.httpVersion}` }]);
      response.setHeader("content-type", "application/json");
      if (request.url.endsWith("cut")) {
        response.write(answer.slice(0, 5), () => response.stream.close(2));
      } else {
        response.end(answer);
      }
    });
  },
);
server.listen(0, "127.0.0.1", () => console.log(server.address().port));
