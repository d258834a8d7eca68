/* SPDX-License-Identifier: MIT */
/*
 * end_tbl.h - why a request ended: name, the counter it adds to, word in the
 * access log.  Expanded where END is defined, which is undefined again there.
 */
END(END_HIT,		hits,			"hit")
END(END_MISS,		misses,			"miss")
END(END_STALE,		stale,			"stale")
END(END_COLLAPSED,	collapsed,		"collapsed")
END(END_BYPASS,		bypasses,		"bypass")
END(END_OWN,		own_answers,		"own")
END(END_REFUSED,	refused,		"refused")
END(END_UPSTREAM_FAILED, upstream_failures,	"upstream-failed")
END(END_STREAM_BROKEN,	streams_broken,		"stream-broken")
END(END_CLIENT_GONE,	clients_gone,		"client-gone")
END(END_SHUTDOWN,	shutdowns,		"shutdown")
