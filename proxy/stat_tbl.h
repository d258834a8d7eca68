/* SPDX-License-Identifier: MIT */
/*
 * stat_tbl.h - everything that is counted: name, what it means.  Expanded in
 * stats.h and stats.c, where STAT is undefined again.  Those of end_tbl.h are
 * reprise_requests_total by result, the others reprise_NAME_total (metrics).
 */
STAT(requests,		"Requests begun")
STAT(hits,		"Answered from the cache")
STAT(misses,		"Answered by an upstream, for questions that may be stored")
STAT(stale,		"Answered from the cache past its time, while or for want of a new answer")
STAT(refreshes,		"Answers fetched anew behind one that was given: expired, or soon to be")
STAT(retries,		"Calls made again after one that failed")
STAT(held,		"Requests held because their model was being loaded")
STAT(collapsed,		"Answered by the upstream call of another request")
STAT(bypasses,		"Passed to an upstream without looking in the cache")
STAT(own_answers,	"Answered by Reprise itself: health, CORS")
STAT(refused,		"Refused: malformed, too large, no route, not in the cache")
STAT(upstream_failures,	"Upstreams that failed before their answer was passed on")
STAT(streams_broken,	"Answers broken off after their first byte was passed on")
STAT(clients_gone,	"Clients that left before their answer")
STAT(handshakes_failed,	"TLS connections that ended before they were open")
STAT(shutdowns,		"Requests cut off by the end of the drain time")
STAT(stored,		"Answers handed to the store")
STAT(store_refused,	"Answers not stored because the store was busy or paused")
STAT(store_errors,	"Failed reads of the store, taken for misses")
STAT(memory_refused,	"Refused since bodies and answers took all the memory they may")
STAT(accept_pauses,	"Times that clients had to wait, as descriptors or memory were short")
STAT(connections_refused, "Connections closed at once: too many from one address")
STAT(proxy_headers_refused, "Connections closed for a PROXY header: bad, late, of a stranger")
