-- SPDX-License-Identifier: MIT
-- For wrk: one question, spelled otherwise each time: its members in another
-- order, white space in other places.  Spellings come in turn from a mixed
-- count, so none comes twice in hundreds of thousands.  MEMBERS are the members of the
-- question, a line each, with a form feed where white space may go.
-- With SAME the same work is done and the first spelling is sent every time.
local SPACES = { "", " ", "\n", "  " }
local members = {}
for line in os.getenv("MEMBERS"):gmatch("[^\n]+") do
	local pieces = {}
	for piece in (line .. "\f"):gmatch("([^\f]*)\f") do
		pieces[#pieces + 1] = piece
	end
	members[#members + 1] = pieces
end
local same = os.getenv("SAME") ~= nil
local count = tonumber(os.getenv("FIRST"))
local head, first

-- The next digit of what is left of the count.
local function take(rest, base)
	return rest % base, math.floor(rest / base)
end

local function spell(rest)
	local left, out, digit = {}, {}, nil
	for i = 1, #members do
		left[i] = members[i]
	end
	while #left > 0 do
		digit, rest = take(rest, #left)
		out[#out + 1] = #out == 0 and "{" or ","
		for i, piece in ipairs(table.remove(left, digit + 1)) do
			if i > 1 then
				digit, rest = take(rest, #SPACES)
				out[#out + 1] = SPACES[digit + 1]
			end
			out[#out + 1] = piece
		end
	end
	out[#out + 1] = "}"
	return table.concat(out)
end

function init()
	local whole = wrk.format("POST", nil, { ["Content-Type"] = "application/json" }, "")
	head = whole:gsub("Content%-Length:[^\r]*\r\n", ""):gsub("\r\n$", "")
	first = spell(0)
end

function request()
	local body = spell(count)
	count = count + 1
	if same then
		body = first
	end
	return head .. "Content-Length: " .. #body .. "\r\n\r\n" .. body
end
