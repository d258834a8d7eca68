/* SPDX-License-Identifier: MIT */
/*
 * field_tbl.h - the header fields of requests that any API knows (PROTOCOLS.md
 * 2), and what becomes of each; every other one stays here (H-26).  Name, use.
 */
FIELD("accept",				FIELD_KEYED)
FIELD("anthropic-beta",			FIELD_KEYED)
FIELD("anthropic-version",		FIELD_KEYED)
FIELD("content-type",			FIELD_KEYED)
FIELD("lora",				FIELD_KEYED)
FIELD("openai-beta",			FIELD_KEYED)
FIELD("anthropic-dangerous-direct-browser-access", FIELD_NEUTRAL)
FIELD("idempotency-key",		FIELD_NEUTRAL)
FIELD("x-request-id",			FIELD_NEUTRAL)
FIELD("x-use-cache",			FIELD_NEUTRAL)
FIELD("x-wait-for-model",		FIELD_NEUTRAL)
FIELD("traceparent",			FIELD_TRACE)
FIELD("tracestate",			FIELD_TRACE)
FIELD("anthropic-user-profile-id",	FIELD_CREDENTIAL)
FIELD("api-key",			FIELD_CREDENTIAL)
FIELD("authorization",			FIELD_CREDENTIAL)
FIELD("cookie",				FIELD_CREDENTIAL)
FIELD("openai-organization",		FIELD_CREDENTIAL)
FIELD("openai-project",			FIELD_CREDENTIAL)
FIELD("x-api-key",			FIELD_CREDENTIAL)
FIELD("x-goog-api-key",			FIELD_CREDENTIAL)
FIELD("x-hf-bill-to",			FIELD_CREDENTIAL)
