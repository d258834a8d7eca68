-- SPDX-License-Identifier: MIT
-- For wrk: the question, as hit.py made it.
wrk.method = "POST"
wrk.body = os.getenv("QUESTION")
wrk.headers["Content-Type"] = "application/json"
