-- SPDX-License-Identifier: MIT
-- For wrk: one question, as the script that starts it made it.
wrk.method = "POST"
wrk.body = os.getenv("QUESTION")
wrk.headers["Content-Type"] = "application/json"
if os.getenv("KEY") then
	wrk.headers["Authorization"] = "Bearer " .. os.getenv("KEY")
end
