/* SPDX-License-Identifier: MIT */
/*
 * identity.c - a line "NAME DIGEST" for each model of Ollama's; of an engine that has
 * one model, whatever name it is asked by, one line "* HASH" over what makes it.
 */
#include "proxy/dialect/identity.h"

#include <jansson.h>

#include "base/mem.h"
#include "cache/digest.h"

#define HASH_LEN	32
#define NAME_MAX_LEN	256
#define DIGEST_MAX_LEN	128
#define ANY		"*"
#define LATEST		":latest"

/*
 * What makes a model: its file, and what the server would do with a question that says
 * nothing else.  The first of them must be there.
 */
static const char *const of_info[] = {
	"model_id", "model_sha", "model_dtype", "model_type", "auto_truncate",
	"max_input_length", "max_input_tokens", NULL,
};
static const char *const of_props[] = { "model_path", "build_info", "chat_template", NULL };
static const char *const of_settings[] = { "params", "n_ctx", NULL };

static void
pick(json_t *to, const json_t *from, const char *const *names)
{
	for (; *names != NULL; names++)
		if (json_object_get(from, *names) != NULL)
			json_object_set(to, *names, json_object_get(from, *names));
}

/* The members of ROOT that count, as one object; NULL if it is neither answer. */
static json_t *
picked(const json_t *root)
{
	json_t *what = json_object();

	if (json_is_string(json_object_get(root, of_info[0]))) {
		pick(what, root, of_info);
		return what;
	}
	if (json_is_string(json_object_get(root, of_props[0]))) {
		pick(what, root, of_props);
		pick(what, json_object_get(root, "default_generation_settings"), of_settings);
		return what;
	}
	json_decref(what);
	return NULL;
}

static int
add_one(json_t *what, struct buf *out)
{
	char *text = json_dumps(what, JSON_SORT_KEYS | JSON_COMPACT);
	char hex[DIGEST_HEX_LEN + 1];

	if (text == NULL)
		return IDENTITY_E_NONE;
	digest_hex(bytes_str(text), hex);
	xfree(text);
	return buf_addf(out, ANY " %.*s\n", HASH_LEN, hex);
}

/* A word of a line of ours. */
static bool
is_word(struct bytes text, size_t max)
{
	for (size_t i = 0; i < text.len; i++)
		if ((unsigned char)text.ptr[i] <= ' ' || text.ptr[i] == 0x7f)
			return false;
	return text.len > 0 && text.len <= max;
}

static struct bytes
string_of(const json_t *object, const char *name)
{
	const json_t *value = json_object_get(object, name);

	return (struct bytes){ json_string_value(value), json_string_length(value) };
}

static int
add_each(const json_t *models, struct buf *out)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < json_array_size(models); i++) {
		const json_t *model = json_array_get(models, i);
		struct bytes name = string_of(model, "name"), digest = string_of(model, "digest");

		if (is_word(name, NAME_MAX_LEN) && !bytes_eq_str(name, ANY) &&
		    is_word(digest, DIGEST_MAX_LEN))
			r = buf_addf(out, "%.*s %.*s\n", BYTES_ARG(name), BYTES_ARG(digest));
	}
	return r;
}

int
identity_read(struct bytes body, struct buf *out)
{
	json_t *root = json_loadb(body.ptr, body.len, 0, NULL), *what;
	int r = IDENTITY_E_NONE;

	if (json_is_array(json_object_get(root, "models"))) {
		r = add_each(json_object_get(root, "models"), out);
	} else {
		what = picked(root);
		if (what != NULL)
			r = add_one(what, out);
		json_decref(what);
	}
	json_decref(root);
	return r;
}

/* Ollama's "llama3.2" is its "llama3.2:latest". */
static bool
is_named(struct bytes name, struct bytes model)
{
	struct bytes rest = model;

	if (bytes_eq(name, model) || bytes_eq_str(name, ANY))
		return true;
	while (bytes_find_char(rest, '/') < rest.len)
		bytes_cut(&rest, '/');
	return bytes_find_char(rest, ':') == rest.len && bytes_has_suffix(name, LATEST) &&
	    bytes_eq(bytes_first(name, name.len - sizeof(LATEST) + 1), model);
}

struct bytes
identity_of(struct bytes text, struct bytes model)
{
	while (text.len > 0) {
		struct bytes digest = bytes_cut(&text, '\n'), name = bytes_cut(&digest, ' ');

		if (is_named(name, model))
			return digest;
	}
	return BYTES_NONE;
}
