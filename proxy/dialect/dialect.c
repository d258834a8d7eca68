/* SPDX-License-Identifier: MIT */
/*
 * dialect.c - whose request it is, and what any dialect reads out of a body.
 */
#include "proxy/dialect/dialect.h"

#include <errno.h>
#include <string.h>

#include "proxy/dialect/dialect_priv.h"
#include "proxy/dialect/multipart.h"

#define MODEL_ID_MAX	200
#define MARKS_MAX	7	/* bytes: a mark of order in UTF-32, and zeros */

const struct dialect *const dialects[] = {
	&dialect_openai, &dialect_anthropic, &dialect_ollama, &dialect_hf, &dialect_tei,
	&dialect_tgi, &dialect_llama, &dialect_raw, NULL,
};

const char *const watched_places[] = WATCHED_LIST(WATCHED_NOWHERE, WATCHED_NOWHERE,
    WATCHED_NOWHERE, WATCHED_NOWHERE, WATCHED_NOWHERE, WATCHED_NOWHERE);

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
	for (size_t i = WATCHED_LIVE; i < WATCHED_LIVE_END; i++)
		if (is_said(&canon->watched[i]))
			return false;
	return true;
}

/*
 * LiteLLM's object is ours and goes no further; anything else of that name is an
 * upstream's, and then the body counts as it is.
 */
static void
read_own_member(struct call *call, const struct canon_value *value, struct bytes body,
    struct arena *arena)
{
	if (value->type == CANON_ABSENT)
		return;
	if (value->type == CANON_OBJECT &&
	    control_read_object(&call->controls, value->raw, arena)) {
		call->own_member = value->raw;
		return;
	}
	call->form = KEY_RAW;
	call->canonical = body;
}

static enum wait
wait_of(enum canon_type said)
{
	if (said == CANON_TRUE)
		return WAIT_YES;
	return said == CANON_FALSE ? WAIT_NO : WAIT_UNSAID;
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
	call->stream_options = canon->watched[WATCHED_STREAM_OPTIONS].raw;
	call->include_usage = canon->watched[WATCHED_USAGE].raw;
	call->wants_usage = call->wants_stream && canon->watched[WATCHED_USAGE].type == CANON_TRUE;
	if (canon->watched[WATCHED_USE_CACHE].type == CANON_FALSE)
		call->controls.directives.no_cache = true;
	if (call->controls.wait == WAIT_UNSAID)
		call->controls.wait = wait_of(canon->watched[WATCHED_WAIT].type);
	call->is_inference = call->is_inference && is_stateless(call, canon);
	call->is_sampled = is_sampled(call, canon);
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

/* What stands before an object in other encodings than ours: marks of order, zeros, space. */
static size_t
count_marks(struct bytes body)
{
	size_t n = 0, n_marks = 0;

	for (; n < body.len; n++) {
		unsigned char c = (unsigned char)body.ptr[n];

		if (strchr(" \t\r\n", c) != NULL && c != '\0')
			continue;
		if (memchr("\0\xef\xbb\xbf\xfe\xff", c, 6) == NULL || ++n_marks > MARKS_MAX)
			break;
	}
	return n;
}

bool
body_may_be_object(const struct fields *fields, struct bytes body)
{
	size_t at = count_marks(body);

	return is_sent_as_json(fields) || (at < body.len && body.ptr[at] == '{');
}

/* The rules of the path with IGNORE beside its neutral places. */
static int
join_rules(const struct canon_rules *rules, const char *const *ignore, struct arena *arena,
    struct canon_rules *ret_rules)
{
	size_t n_neutral = 0, n_ignore = 0;
	const char **places;

	*ret_rules = *rules;
	if (ignore == NULL)
		return 0;
	while (rules->neutral != NULL && rules->neutral[n_neutral] != NULL)
		n_neutral++;
	while (ignore[n_ignore] != NULL)
		n_ignore++;
	places = arena_alloc(arena, (n_neutral + n_ignore + 1) * sizeof(*places));
	if (places == NULL)
		return -E2BIG;
	if (n_neutral > 0)
		memcpy(places, rules->neutral, n_neutral * sizeof(*places));
	memcpy(places + n_neutral, ignore, (n_ignore + 1) * sizeof(*places));
	ret_rules->neutral = places;
	return 0;
}

static int
read_json(struct call *call, const struct request_head *head, struct bytes body,
    const char *const *ignore, struct arena *arena)
{
	struct canon_rules rules;
	struct canon canon;
	int r = join_rules(call->rules, ignore, arena, &rules);

	if (r == 0)
		r = canon_make(body, &rules, arena, &canon);
	if (r < 0)
		return r;
	if (r > 0) {	/* not one strict text: keyed and forwarded as it is, its state unknown */
		call->is_inference = call->is_inference && (call->row_flags & ROW_STATEFUL) == 0;
		return 0;
	}
	if (is_sent_as_json(&head->fields)) {
		call->form = KEY_JSON;
		call->canonical = canon.text;
		call->is_object = canon.type == CANON_OBJECT;
	}
	read_watched(call, &canon);
	read_own_member(call, &canon.watched[WATCHED_CACHE], body, arena);
	return 0;
}

/* A form with files; false if it is none that can be read in one way only. */
static int
read_parts(struct call *call, const struct request_head *head, struct bytes body,
    struct arena *arena)
{
	struct multipart *parts = arena_alloc(arena, sizeof(*parts));
	int r;

	if (parts == NULL)
		return -E2BIG;
	if (multipart_read(fields_get(&head->fields, "content-type"), body, parts) != 0)
		return 0;
	r = multipart_key(parts, arena, &call->canonical);
	if (r < 0)
		return r;
	call->form = KEY_PARTS;
	if (!call->model_in_path)
		call->model = call->model_raw = multipart_get(parts, "model");
	call->wants_stream = bytes_eq_str(multipart_get(parts, "stream"), "true");
	if ((call->row_flags & ROW_WARM) != 0)
		call->is_sampled = is_warm(multipart_get(parts, "temperature"));
	return 0;
}

int
call_read_body(struct call *call, const struct request_head *head, struct bytes body,
    const char *const *ignore, struct arena *arena)
{
	int r;

	call->canonical = body;
	call->form = KEY_RAW;
	call->is_object = false;
	call->is_sampled = (call->row_flags & ROW_SAMPLED) != 0;
	call->wants_stream = (call->row_flags & (ROW_STREAMS | ROW_ALWAYS_STREAMS)) != 0;
	if (call->rules == NULL || body.len == 0)
		return 0;
	if (bytes_has_prefix_nocase(fields_get(&head->fields, "content-type"), "multipart/"))
		return read_parts(call, head, body, arena);
	r = read_json(call, head, body, ignore, arena);
	if ((call->row_flags & ROW_ALWAYS_STREAMS) != 0)
		call->wants_stream = true;
	return r;
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
