/* SPDX-License-Identifier: MIT */
/*
 * schema.c - the table of options as JSON Schema (draft 2020-12).
 */
#include "config/schema.h"

#include <jansson.h>

#include "base/mem.h"
#include "base/num.h"
#include "config/config.h"
#include "config/edits.h"
#include "config/option.h"

#define DRAFT	"https://json-schema.org/draft/2020-12/schema"
#define WORD_MAX	64

static json_t *place_schema(enum option_place place);

static json_t *
typed(const char *type)
{
	return json_pack("{s:s}", "type", type);
}

static json_t *
pattern(const char *text)
{
	return json_pack("{s:s,s:s}", "type", "string", "pattern", text);
}

/* A size in bytes may stand without its unit, and is then a number to YAML. */
static json_t *
pattern_or_number(const char *text)
{
	return json_pack("{s:[s,s],s:s}", "type", "string", "integer", "pattern", text);
}

static json_t *
choices(const char *words)
{
	json_t *list = json_array();
	char word[WORD_MAX];

	while (option_next_choice(&words, word, sizeof(word)))
		json_array_append_new(list, json_string(word));
	return json_pack("{s:o}", "enum", list);
}

static json_t *
one_or_list(json_t *(*one)(void))
{
	return json_pack("{s:[o,o]}", "oneOf", one(),
	    json_pack("{s:s,s:o,s:i}", "type", "array", "items", one(), "minItems", 1));
}

static json_t *
weight(void)
{
	return json_pack("{s:s,s:i,s:i}", "type", "integer", "minimum", 1, "maximum",
	    CONFIG_WEIGHT_MAX);
}

static json_t *
text(void)
{
	return typed("string");
}

static json_t *
listen_one(void)
{
	return json_pack("{s:[o,o]}", "oneOf", text(), place_schema(PLACE_LISTEN));
}

static json_t *
key(void)
{
	return pattern("^sha256:[0-9A-Fa-f]{64}$");
}

/* One, a list, or each with its weight. */
static json_t *
targets(void)
{
	json_t *schema = one_or_list(text);

	json_array_append_new(json_object_get(schema, "oneOf"),
	    json_pack("{s:s,s:i,s:o}", "type", "object", "minProperties", 1,
	    "additionalProperties", weight()));
	return schema;
}

static json_t *
token(void)
{
	return json_pack("{s:s,s:b,s:i,s:i,s:{s:o,s:o,s:o,s:o,s:{s:b}}}", "type", "object",
	    "additionalProperties", 0, "minProperties", 1, "maxProperties", 1, "properties",
	    "env", typed("string"), "file", typed("string"), "credential", typed("string"),
	    "value", typed("string"), "client", "const", 1);
}

/* What a route may edit in a body: not what has an option of its own. */
static json_t *
member_name(void)
{
	return json_pack("{s:s,s:i,s:i,s:{s:[s,s]}}", "type", "string", "minLength", 1,
	    "maxLength", CONFIG_EDIT_NAME_MAX, "not", "enum", "model", "stream");
}

static json_t *
member_to_put_in(void)
{
	json_t *name = member_name();

	json_array_append_new(json_object_get(json_object_get(name, "not"), "enum"),
	    json_string("stream_options"));
	return name;
}

static json_t *
members(void)
{
	return json_pack("{s:s,s:i,s:i,s:o}", "type", "object", "minProperties", 1,
	    "maxProperties", CONFIG_EDITS_MAX, "propertyNames", member_to_put_in());
}

/* Any but the client's own. */
static json_t *
tokens(void)
{
	json_t *one = token();

	json_object_del(json_object_get(one, "properties"), "client");
	return json_pack("{s:s,s:i,s:o}", "type", "array", "minItems", 1, "items", one);
}

/* A count in the table has bounds and defaults in digits alone. */
static json_t *
number(const char *digits)
{
	uint64_t value = 0;
	int r = num_parse_u64(bytes_str(digits), &value);

	assert(r == 0);
	return json_integer((json_int_t)value);
}

static json_t *
count(const struct option *option)
{
	return json_pack("{s:s,s:o,s:o}", "type", "integer", "minimum", number(option->min),
	    "maximum", number(option->max));
}

static json_t *
default_value(const struct option *option)
{
	switch (option->type) {
	case OPTION_BOOL:
	case OPTION_ACCESS:
	case OPTION_SWITCH:
		return json_boolean(bytes_eq_str(bytes_str(option->def), "true"));
	case OPTION_COUNT:
		return number(option->def);
	default:
		return json_string(option->def);
	}
}

/* Of the types that are texts of one form. */
static const char *const patterns[] = {
	[OPTION_DURATION] = "^[0-9]+(ms|s|m|h|d)$",
	[OPTION_HEALTH] = "^/[^ ?#]*( every [0-9]+(ms|s|m|h|d))?$",
	[OPTION_RATE] = "^[0-9]+[kMG]?( (requests|tokens))?/(s|m|min|h|d|day)$",
	[OPTION_DATE] = "^[0-9]{4}-[0-9]{2}-[0-9]{2}([Tt ].+)?$",
	[OPTION_BUDGET] = "^[0-9]+([.][0-9]{1,6})? USD/(day|month)$",
	[OPTION_URL] = "^(https?://|unix:/)[^@?#]+$",
	[OPTION_PATH] = "^/[^ ?#]*$",
};

/* Of what has options of its own. */
static json_t *
inside_schema(const struct option *option)
{
	switch (option->type) {
	case OPTION_GROUP:
		return place_schema(option->inside);
	case OPTION_TLS:
		return json_pack("{s:[o,{s:s,s:o,s:i}]}", "oneOf", place_schema(option->inside),
		    "type", "array", "items", place_schema(option->inside), "minItems", 1);
	case OPTION_SWITCH:
		return json_pack("{s:[o,o]}", "oneOf", typed("boolean"),
		    place_schema(option->inside));
	case OPTION_UPSTREAMS:
	case OPTION_TEAMS:
		return json_pack("{s:s,s:i,s:o,s:o}", "type", "object", "minProperties", 1,
		    "propertyNames", pattern("^[A-Za-z0-9_-]+$"), "additionalProperties",
		    place_schema(option->inside));
	default:
		return json_pack("{s:s,s:i,s:o}", "type", "array", "minItems", 1, "items",
		    place_schema(option->inside));
	}
}

static json_t *
value_schema(const struct option *option)
{
	if (option->type < ARRAY_LEN(patterns) && patterns[option->type] != NULL)
		return pattern(patterns[option->type]);
	if (option->type >= OPTION_GROUP)
		return inside_schema(option);
	switch (option->type) {
	case OPTION_BOOL:
		return typed("boolean");
	case OPTION_COUNT:
		return count(option);
	case OPTION_SIZE:
		return pattern_or_number("^[0-9]+([kMGT]?B)?$");
	case OPTION_PRICE:
		return json_pack("{s:s,s:i}", "type", "number", "minimum", 0);
	case OPTION_CHOICE:
		return choices(option->choices);
	case OPTION_ACCESS:
		return json_pack("{s:[o,{s:s,s:i,s:o}]}", "oneOf", typed("boolean"),
		    "type", "array", "minItems", 1, "items", choices(option->choices));
	case OPTION_LISTEN:
		return one_or_list(listen_one);
	case OPTION_FILE_MODE:
		return pattern_or_number("^0?[0-7]{3}$");
	case OPTION_NETS:
	case OPTION_GLOBS:
	case OPTION_POINTERS:
	case OPTION_OF_TEAM:
		return one_or_list(text);
	case OPTION_TO:
		return targets();
	case OPTION_MEMBERS:
		return members();
	case OPTION_MEMBER_NAMES:
		return one_or_list(member_name);
	case OPTION_KEY:
		return key();
	case OPTION_KEYS:
		return one_or_list(key);
	case OPTION_TOKEN:
		return token();
	case OPTION_TOKENS:
		return tokens();
	case OPTION_REVISION:
		return json_pack("{s:[o,o]}", "oneOf", typed("string"),
		    place_schema(option->inside));
	default:
		return typed("string");
	}
}

static json_t *
place_schema(enum option_place place)
{
	json_t *properties = json_object(), *needed = json_array(), *value;
	const struct option *o = NULL;

	while ((o = option_next(place, o)) != NULL) {
		value = value_schema(o);
		json_object_set_new(value, "description", json_string(o->text));
		if (o->def != NULL)
			json_object_set_new(value, "default", default_value(o));
		json_object_set_new(properties, o->name, value);
		if (o->is_needed)
			json_array_append_new(needed, json_string(o->name));
	}
	return json_pack("{s:s,s:b,s:o,s:o}", "type", "object", "additionalProperties", 0,
	    "required", needed, "properties", properties);
}

char *
schema_text(void)
{
	json_t *root = place_schema(PLACE_TOP);
	char *text;

	json_object_set_new(root, "$schema", json_string(DRAFT));
	json_object_set_new(root, "title", json_string("Reprise"));
	text = json_dumps(root, JSON_INDENT(2));
	json_decref(root);
	assert(text != NULL);
	return text;
}
