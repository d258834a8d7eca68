/* SPDX-License-Identifier: MIT */
/*
 * control.c - header fields by the table, one object by hand.
 */
#include "proxy/dialect/control.h"

#include <string.h>

#include <jansson.h>

#include "base/num.h"

#define OWN_PREFIX	"x-reprise-"

enum says {
	SAYS_YES,
	SAYS_NO,
	SAYS_TIME,		/* seconds, or a duration where the field is ours */
	SAYS_NAME,
};

enum control {
	CONTROL_NO_CACHE,
	CONTROL_BYPASS,		/* neither look nor store */
	CONTROL_LEGACY_ONLY_IF_CACHED,
	CONTROL_TTL,
	CONTROL_NAMESPACE,
	CONTROL_EXPLAIN,
	CONTROL_WAIT,
	CONTROL_NO_WAIT,
};

static const struct row {
	struct bytes	name;
	enum says	says;
	enum control	control;
} table[] = {
#define CONTROL(name, says, control) { { name, sizeof(name) - 1 }, says, control },
#include "proxy/dialect/control_tbl.h"
#undef CONTROL
};

static bool
is_yes(struct bytes value)
{
	return bytes_eq_str_nocase(value, "true") || bytes_eq_str(value, "1");
}

static bool
is_no(struct bytes value)
{
	return bytes_eq_str_nocase(value, "false") || bytes_eq_str(value, "0");
}

static bool
read_seconds(uint64_t seconds, usec_t *ret_time)
{
	usec_t time;

	if (seconds > INT64_MAX || __builtin_mul_overflow((usec_t)seconds, USEC_PER_SEC, &time))
		return false;
	*ret_time = time;
	return true;
}

static bool
read_time(struct bytes value, bool is_own, usec_t *ret_time)
{
	uint64_t seconds;

	if (num_parse_u64(value, &seconds) == 0)
		return read_seconds(seconds, ret_time);
	return is_own && num_parse_duration(value, ret_time) == 0;
}

/* Does VALUE say what ROW asks for?  A time is then in *RET_TIME. */
static bool
says(const struct row *row, struct bytes value, usec_t *ret_time)
{
	switch (row->says) {
	case SAYS_YES:
		return is_yes(value);
	case SAYS_NO:
		return is_no(value);
	case SAYS_TIME:
		return read_time(value, bytes_has_prefix(row->name, OWN_PREFIX), ret_time);
	case SAYS_NAME:
		return value.len > 0 && value.len <= CONTROL_NAMESPACE_MAX;
	}
	unreachable("what a control says");
}

static void
set_control(struct controls *controls, enum control control, struct bytes value, usec_t time)
{
	switch (control) {
	case CONTROL_BYPASS:
		controls->directives.no_store = true;
		controls->directives.no_cache = true;
		break;
	case CONTROL_NO_CACHE:
		controls->directives.no_cache = true;
		break;
	case CONTROL_LEGACY_ONLY_IF_CACHED:
		controls->directives.only_if_cached = true;
		controls->is_legacy = true;
		break;
	case CONTROL_TTL:
		controls->has_ttl = true;
		controls->ttl = time;
		break;
	case CONTROL_NAMESPACE:
		controls->namespace = value;
		break;
	case CONTROL_EXPLAIN:
		controls->explains = true;
		break;
	case CONTROL_WAIT:
		controls->wait = WAIT_YES;
		break;
	case CONTROL_NO_WAIT:
		controls->wait = WAIT_NO;
		break;
	}
}

static const char *
fault_of(const struct row *row)
{
	if (row->says == SAYS_TIME)
		return "x-reprise-ttl is a number of seconds or a duration such as 10m";
	if (row->says == SAYS_NAME)
		return "x-reprise-namespace is a name of 1 to 128 bytes";
	return NULL;
}

static const char *
read_field(struct controls *controls, const struct field *field)
{
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		usec_t time = 0;

		if (!bytes_eq_nocase(table[i].name, field->name))
			continue;
		if (says(&table[i], field->value, &time))
			set_control(controls, table[i].control, field->value, time);
		else if (bytes_has_prefix(table[i].name, OWN_PREFIX))
			return fault_of(&table[i]);
	}
	return NULL;
}

const char *
control_read_fields(struct controls *controls, const struct fields *fields)
{
	bool has_cache_control = false;
	const char *fault = NULL;

	for (size_t i = 0; fault == NULL && i < fields->n; i++) {
		const struct field *field = &fields->list[i];

		if (bytes_eq_str_nocase(field->name, "cache-control")) {
			policy_read_request(&controls->directives, field->value);
			has_cache_control = true;
		} else {
			fault = read_field(controls, field);
		}
	}
	if (!has_cache_control && fields_has_token(fields, "pragma", "no-cache"))
		controls->directives.no_cache = true;
	return fault;
}

/* A member of LiteLLM's object; false if it is none that is known. */
static bool
read_member(struct controls *controls, const char *name, const json_t *value,
    struct arena *arena)
{
	struct directives *d = &controls->directives;
	struct bytes text = { json_string_value(value), json_string_length(value) };

	if (strcmp(name, "no-cache") == 0) {
		d->no_cache = d->no_cache || json_is_true(value);
	} else if (strcmp(name, "no-store") == 0) {
		d->no_store = d->no_store || json_is_true(value);
	} else if (strcmp(name, "ttl") == 0 && json_is_number(value)) {
		controls->has_ttl = read_seconds((uint64_t)json_number_value(value),
		    &controls->ttl);
	} else if (strcmp(name, "s-maxage") == 0 && json_is_number(value)) {
		d->has_max_age = read_seconds((uint64_t)json_number_value(value), &d->max_age);
	} else if (strcmp(name, "namespace") == 0 && json_is_string(value)) {
		if (text.len == 0 || text.len > CONTROL_NAMESPACE_MAX)
			return false;
		return arena_copy(arena, text, &controls->namespace) == 0;
	} else {
		return false;
	}
	return true;
}

bool
control_read_object(struct controls *controls, struct bytes object, struct arena *arena)
{
	json_t *root = json_loadb(object.ptr, object.len, 0, NULL), *value;
	struct controls read = *controls;
	bool is_known = json_is_object(root);
	const char *name;

	if (is_known)
		json_object_foreach(root, name, value)
			is_known = is_known && read_member(&read, name, value, arena);
	json_decref(root);
	if (is_known)
		*controls = read;
	return is_known;
}
