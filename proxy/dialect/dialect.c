/* SPDX-License-Identifier: MIT */
/*
 * dialect.c - whose request it is, and what any dialect reads out of a body.
 */
#include "proxy/dialect/dialect.h"

#include <string.h>

#include "proxy/dialect/dialect_priv.h"

#define MODEL_ID_MAX	200

const struct dialect *const dialects[] = {
	&dialect_openai, &dialect_anthropic, &dialect_ollama, &dialect_hf, &dialect_tei,
	&dialect_tgi, &dialect_llama, &dialect_raw, NULL,
};

const char *const watched_places[] = {
	[WATCHED_MODEL] = "/model",
	[WATCHED_STREAM] = "/stream",
	[WATCHED_USE_CACHE] = "/options/use_cache",
	[WATCHED_STORE] = "/store",
	/* State of a server, the web, the clock, or sound that is billed by the second. */
	[WATCHED_LIVE] = "/previous_response_id", "/conversation", "/background",
	"/web_search_options", "/kv_transfer_params", "/t_max_predict_ms", "/audio",
	"/_debug_render_only", NULL,
};

const struct dialect *
dialect_find(const char *name)
{
	for (const struct dialect *const *d = dialects; *d != NULL; d++)
		if (strcmp((*d)->name, name) == 0)
			return *d;
	return NULL;
}

void
dialect_recognise(const struct request_head *head, struct call *ret_call)
{
	*ret_call = (struct call){ 0 };
	for (const struct dialect *const *d = dialects; *d != NULL; d++)
		if ((*d)->recognise(head, ret_call))
			return;
	unreachable("raw takes everything");
}

struct bytes
without_v1(struct bytes path)
{
	return bytes_has_prefix(path, "/v1/") ? bytes_skip(path, strlen("/v1")) : path;
}

bool
recognise_path(const struct dialect *dialect, const struct request_head *head, struct bytes path,
    struct call *call)
{
	const struct path_row *row = dialect->rows;

	while (row->path != NULL && !bytes_eq_str(path, row->path))
		row++;
	if (row->path == NULL)
		return false;
	call->dialect = dialect;
	call->rules = row->rules;
	call->path_class = row->path_class;
	call->row_flags = row->flags;
	call->is_json_answer = (row->flags & ROW_JSON) != 0;
	call->is_inference = bytes_eq_str(head->method, "POST") && (row->flags & ROW_PLAIN) == 0;
	return true;
}

static bool
is_no(struct bytes value)
{
	return bytes_eq_str_nocase(value, "false") || bytes_eq_str(value, "0");
}

static void
read_directives(struct call *call, const struct fields *fields)
{
	bool has_cache_control = false;

	for (size_t i = 0; i < fields->n; i++)
		if (bytes_eq_str_nocase(fields->list[i].name, "cache-control")) {
			policy_read_request(&call->directives, fields->list[i].value);
			has_cache_control = true;
		}
	if (!has_cache_control && fields_has_token(fields, "pragma", "no-cache"))
		call->directives.no_cache = true;
	if (is_no(fields_get(fields, "x-use-cache")))
		call->directives.no_cache = true;
	if (bytes_eq_str(fields_get(fields, "x-load-model"), "0")) {
		call->directives.only_if_cached = true;
		call->legacy_only_if_cached = true;
	}
}

static bool
is_said(const struct canon_value *value)
{
	return value->type != CANON_ABSENT && value->type != CANON_NULL &&
	    value->type != CANON_FALSE;
}

/* Does the answer follow from the body alone? */
static bool
is_stateless(const struct call *call, const struct canon *canon)
{
	if ((call->row_flags & ROW_STATEFUL) != 0 &&
	    canon->watched[WATCHED_STORE].type != CANON_FALSE)
		return false;
	for (size_t i = WATCHED_LIVE; watched_places[i] != NULL; i++)
		if (is_said(&canon->watched[i]))
			return false;
	return true;
}

static void
read_watched(struct call *call, const struct canon *canon)
{
	const struct canon_value *model = &canon->watched[WATCHED_MODEL];
	enum canon_type stream = canon->watched[WATCHED_STREAM].type;

	if (!call->model_in_path && (call->row_flags & ROW_MODEL) != 0 &&
	    model->type == CANON_STRING) {
		call->model = model->text;
		call->model_raw = model->raw;
	}
	if (stream == CANON_TRUE || stream == CANON_FALSE)
		call->wants_stream = stream == CANON_TRUE;
	if (canon->watched[WATCHED_USE_CACHE].type == CANON_FALSE)
		call->directives.no_cache = true;
	call->is_inference = call->is_inference && is_stateless(call, canon);
}

/*
 * Does the server read the body as JSON?  Plain text that happens to be a JSON
 * number is not that number.  The form type is what curl -d says of anything.
 */
static bool
is_sent_as_json(const struct fields *fields)
{
	struct bytes type = fields_get(fields, "content-type");

	return type.len == 0 || type_is_json(type) ||
	    type_has_prefix(type, "application/x-www-form-urlencoded");
}

int
call_read_body(struct call *call, const struct request_head *head, struct bytes body,
    struct arena *arena)
{
	struct canon canon;
	int r;

	read_directives(call, &head->fields);
	call->canonical = body;
	call->wants_stream = (call->row_flags & (ROW_STREAMS | ROW_ALWAYS_STREAMS)) != 0;
	if (call->rules == NULL || body.len == 0)
		return 0;
	r = canon_make(body, call->rules, arena, &canon);
	if (r < 0)
		return r;
	if (r > 0) {	/* not one strict text: keyed and forwarded as it is, its state unknown */
		call->is_inference = call->is_inference && (call->row_flags & ROW_STATEFUL) == 0;
		return 0;
	}
	if (is_sent_as_json(&head->fields)) {
		call->is_canonical = true;
		call->canonical = canon.text;
	}
	read_watched(call, &canon);
	if ((call->row_flags & ROW_ALWAYS_STREAMS) != 0)
		call->wants_stream = true;
	return 0;
}

static bool
is_id_char(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	    c == '.' || c == '_' || c == '-';
}

static bool
is_id_segment(struct bytes segment)
{
	for (size_t i = 0; i < segment.len; i++)
		if (!is_id_char(segment.ptr[i]))
			return false;
	return segment.len > 0 && !bytes_eq_str(segment, ".") && !bytes_eq_str(segment, "..");
}

bool
model_id_is_valid(struct bytes id)
{
	size_t colon = bytes_find_char(id, ':');
	struct bytes name = bytes_first(id, colon);

	if (id.len > MODEL_ID_MAX)
		return false;
	if (colon < id.len && !is_id_segment(bytes_skip(id, colon + 1)))
		return false;
	do {
		size_t slash = bytes_find_char(name, '/');

		if (!is_id_segment(bytes_first(name, slash)))
			return false;
		if (slash == name.len)
			return true;
		name = bytes_skip(name, slash + 1);
	} while (name.len > 0);
	return false;
}

static int
hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* An escape that hides a byte with a meaning in paths, or that is none. */
static bool
is_bad_escape(struct bytes rest)
{
	int high, low, byte;

	if (rest.len < 3)
		return true;
	high = hex_digit(rest.ptr[1]);
	low = hex_digit(rest.ptr[2]);
	byte = high * 16 + low;
	return high < 0 || low < 0 || byte < 0x20 || byte == 0x7f || strchr("/\\.", byte) != NULL;
}

bool
path_is_valid(struct bytes path)
{
	struct bytes rest = path;

	if (!bytes_has_prefix(path, "/") || bytes_has_prefix(path, "//"))
		return false;
	for (size_t i = 0; i < path.len; i++) {
		unsigned char c = (unsigned char)path.ptr[i];

		if (c <= 0x20 || c >= 0x7f || c == '\\' || c == '#')
			return false;
		if (c == '%' && is_bad_escape(bytes_skip(path, i)))
			return false;
	}
	while (rest.len > 0) {
		struct bytes segment = bytes_cut(&rest, '/');

		if (bytes_eq_str(segment, ".") || bytes_eq_str(segment, ".."))
			return false;
	}
	return true;
}
