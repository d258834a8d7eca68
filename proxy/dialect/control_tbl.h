/* SPDX-License-Identifier: MIT */
/*
 * control_tbl.h - the header fields by which clients steer a cache: name, when
 * it says something, what it then asks for.  Cloudflare's AI Gateway, Portkey and
 * Helicone documented those that are not ours or Hugging Face's.
 */
CONTROL("x-use-cache",			SAYS_NO,	CONTROL_NO_CACHE)
CONTROL("x-load-model",			SAYS_NO,	CONTROL_LEGACY_ONLY_IF_CACHED)
CONTROL("x-wait-for-model",		SAYS_YES,	CONTROL_WAIT)
CONTROL("x-wait-for-model",		SAYS_NO,	CONTROL_NO_WAIT)
CONTROL("cf-aig-skip-cache",		SAYS_YES,	CONTROL_NO_CACHE)
CONTROL("cf-aig-cache-ttl",		SAYS_TIME,	CONTROL_TTL)
CONTROL("x-portkey-cache-force-refresh", SAYS_YES,	CONTROL_NO_CACHE)
CONTROL("helicone-cache-enabled",	SAYS_NO,	CONTROL_BYPASS)
CONTROL("x-reprise-ttl",		SAYS_TIME,	CONTROL_TTL)
CONTROL("x-reprise-namespace",		SAYS_NAME,	CONTROL_NAMESPACE)
CONTROL("x-reprise-explain",		SAYS_YES,	CONTROL_EXPLAIN)
