-- SPDX-License-Identifier: MIT
-- For wrk: one question, as the script that starts it made it.
wrk.method = "POST"
wrk.body = os.getenv("QUESTION")
wrk.headers["Content-Type"] = "application/json"
