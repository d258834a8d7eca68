-- SPDX-License-Identifier: MIT
-- For wrk: the questions FIRST to FIRST + COUNT - 1, drawn at random, or in
-- turn if IN_TURN.  QUESTION holds ten '#' where the number goes.
local first, count = tonumber(os.getenv("FIRST")), tonumber(os.getenv("COUNT"))
local in_turn = os.getenv("IN_TURN") ~= nil
local question = os.getenv("QUESTION")
local before, after = question:match("^(.-)##########(.*)$")
local head, at = nil, -1

function init()
	math.randomseed(os.time())
	local whole = wrk.format("POST", nil, { ["Content-Type"] = "application/json" }, question)
	head = whole:sub(1, #whole - #question) .. before
end

function request()
	at = in_turn and at + 1 or math.random(0, count - 1)
	return head .. string.format("%010d", first + at) .. after
end
