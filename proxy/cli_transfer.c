/* SPDX-License-Identifier: MIT */
/*
 * cli_transfer.c - entries as JSON Lines and back.  A line holds the parts of a
 * question and its answer, never a key's secret: the key is made anew where it
 * is imported.  Bytes that are no UTF-8 stand in base64, under NAME_base64.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>
#include <openssl/evp.h>
#include <zlib.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/glob.h"
#include "base/mem.h"
#include "base/num.h"
#include "proxy/cli_priv.h"

#define LINE_MAX_LEN	((size_t)256 << 20)
#define READ_LEN	((size_t)64 << 10)
#define BATCH_MAX	100
#define ARENA_MAX	((size_t)512 << 20)

/* A file to write to or read from; "-" is the standard one. */
static gzFile
open_file(const char *name, const char *mode)
{
	bool is_std = name == NULL || strcmp(name, "-") == 0;

	if (is_std)
		return gzdopen(dup(mode[0] == 'r' ? STDIN_FILENO : STDOUT_FILENO), mode);
	return gzopen(name, mode);
}

static const char *
mode_for(const char *name)
{
	return name != NULL && bytes_has_suffix(bytes_str(name), ".gz") ? "wb6" : "wbT";
}

static void
set_bytes(json_t *line, const char *name, struct bytes value)
{
	json_t *text = json_stringn(value.ptr != NULL ? value.ptr : "", value.len);
	char long_name[64], *base64;

	if (text != NULL) {
		json_object_set_new(line, name, text);
		return;
	}
	base64 = xcalloc(1, value.len / 3 * 4 + 5);
	EVP_EncodeBlock((unsigned char *)base64, (const unsigned char *)value.ptr,
	    (int)value.len);
	snprintf(long_name, sizeof(long_name), "%s_base64", name);
	json_object_set_new(line, long_name, json_string(base64));
	xfree(base64);
}

static int
get_base64(const char *base64, size_t len, struct arena *arena, struct bytes *ret_value)
{
	char *to = arena_alloc(arena, len / 4 * 3 + 1);
	int n;

	if (to == NULL || len > INT32_MAX)
		return -E2BIG;
	n = EVP_DecodeBlock((unsigned char *)to, (const unsigned char *)base64, (int)len);
	if (n < 0)
		return -EINVAL;
	for (size_t i = len; i > 0 && i > len - 2 && base64[i - 1] == '='; i--)
		n--;
	*ret_value = (struct bytes){ to, (size_t)n };
	return 0;
}

/* The value of NAME in LINE, in either form; none if it is missing. */
static int
get_bytes(const json_t *line, const char *name, struct arena *arena, struct bytes *ret_value)
{
	const json_t *text = json_object_get(line, name);
	char long_name[64];

	*ret_value = BYTES_NONE;
	if (json_is_string(text)) {
		*ret_value = (struct bytes){ json_string_value(text), json_string_length(text) };
		return 0;
	}
	snprintf(long_name, sizeof(long_name), "%s_base64", name);
	text = json_object_get(line, long_name);
	if (!json_is_string(text))
		return 0;
	return get_base64(json_string_value(text), json_string_length(text), arena, ret_value);
}

/* export */

static const char *const forms[] = {
	[KEY_RAW] = "raw", [KEY_JSON] = "json", [KEY_PARTS] = "parts",
};

struct exporting {
	struct cli_cache	*cache;
	const struct arguments	*args;
	gzFile			 file;
	uint64_t		 n;
	uint64_t		 total;
	usec_t			 now;
	bool			 has_failed;
};

static void
set_question(json_t *line, const struct cli_cache *cache, const struct entry *entry)
{
	struct key_parts parts;
	struct key key;

	if ((entry->flags & ENTRY_HASHED) != 0) {
		set_bytes(line, "question_sha256", entry->question);
		return;
	}
	if (!key_read_question(entry->question, &parts))
		return;
	key = key_make(entry->question, store_secret(cache->store));
	json_object_set_new(line, "variant", json_integer(key.bytes[15] ^ entry->key.bytes[15]));
	json_object_set_new(line, "form", json_string(forms[parts.form]));
	set_bytes(line, "dialect", parts.dialect);
	set_bytes(line, "path_class", parts.path_class);
	set_bytes(line, "request_fields", parts.fields);
	set_bytes(line, "request", parts.body);
}

static json_t *
line_of(const struct cli_cache *cache, const struct entry *entry)
{
	json_t *line = json_pack("{s:I,s:I,s:I,s:i}", "made", (json_int_t)entry->made,
	    "ttl", (json_int_t)entry->ttl, "took", (json_int_t)entry->took, "status",
	    entry->status);
	char gist[24];

	snprintf(gist, sizeof(gist), "%016" PRIx64, entry->gist);
	json_object_set_new(line, "gist", json_string(gist));
	if ((entry->flags & ENTRY_STREAM) != 0)
		json_object_set_new(line, "stream_usage",
		    json_boolean((entry->flags & ENTRY_USAGE) != 0));
	if ((entry->flags & ENTRY_COUNTED) != 0) {
		json_object_set_new(line, "input_tokens", json_integer(entry->input));
		json_object_set_new(line, "output_tokens", json_integer(entry->output));
	}
	set_bytes(line, "scope", entry->scope);
	set_bytes(line, "model", entry->model);
	set_bytes(line, "compute", entry->compute);
	set_bytes(line, "fields", entry->fields);
	set_question(line, cache, entry);
	set_bytes(line, "body", entry->body);
	return line;
}

static bool
export_entry(void *arg, uint64_t seq, struct bytes encoded)
{
	struct exporting *ex = arg;
	struct entry entry;
	json_t *line;
	char *text;

	(void)seq;
	cli_progress("export", ex->n, ex->total);
	if (entry_decode(encoded, &entry) != 0 || entry.made <= ex->now - entry.ttl ||
	    store_is_purged(ex->cache->reader, &entry) ||
	    (ex->args->model != NULL && !glob_match(ex->args->model, entry.model)))
		return true;
	line = line_of(ex->cache, &entry);
	text = json_dumps(line, JSON_COMPACT);
	json_decref(line);
	ex->has_failed = text == NULL || gzputs(ex->file, text) < 0 || gzputs(ex->file, "\n") < 0;
	xfree(text);
	ex->n++;
	return !ex->has_failed;
}

static int
export_all(struct exporting *ex, const char *name)
{
	int r;

	ex->file = open_file(name, mode_for(name));
	if (ex->file == NULL) {
		fprintf(stderr, "reprise: %s: %s\n", name, strerror(errno));
		return EXIT_FAILED;
	}
	r = store_walk(ex->cache->reader, false, export_entry, ex);
	if (gzclose(ex->file) != Z_OK || ex->has_failed)
		r = -EIO;
	cli_progress_end();
	if (r != 0) {
		fprintf(stderr, "reprise: export: %s\n", strerror(-r));
		return EXIT_FAILED;
	}
	fprintf(stderr, "%" PRIu64 " entries; they hold questions and answers as they were\n",
	    ex->n);
	return EXIT_FINE;
}

int
cli_cache_export(const struct arguments *args)
{
	struct cli_cache cache;
	struct exporting ex = { .cache = &cache, .args = args, .now = clock_wall() };
	struct store_stat stat;
	int r = cli_cache_open(args, false, &cache);

	if (r != EXIT_FINE)
		return r;
	if (store_get_stat(cache.store, &stat) == 0)
		ex.total = stat.entries;
	r = export_all(&ex, args->operand);
	cli_cache_close(&cache);
	return r;
}

/* import */

struct importing {
	struct cli_cache *cache;
	struct arena	*arena;		/* of one batch */
	json_t		*lines[BATCH_MAX];
	struct entry	 entries[BATCH_MAX];
	size_t		 n_batch;
	uint64_t	 n_lines;
	uint64_t	 n_written;
	uint64_t	 n_hashed;	/* their question is not known: no key can be made */
};

static bool
read_form(const json_t *line, enum key_form *ret_form)
{
	const char *name = json_string_value(json_object_get(line, "form"));

	for (size_t i = 0; name != NULL && i < ARRAY_LEN(forms); i++)
		if (strcmp(name, forms[i]) == 0) {
			*ret_form = (enum key_form)i;
			return true;
		}
	return false;
}

static int
read_question(const json_t *line, const struct cli_cache *cache, struct arena *arena,
    struct entry *entry)
{
	struct key_parts parts = { .scope = entry->scope, .model = entry->model };
	int r = get_bytes(line, "dialect", arena, &parts.dialect);

	if (r == 0)
		r = get_bytes(line, "path_class", arena, &parts.path_class);
	if (r == 0)
		r = get_bytes(line, "request_fields", arena, &parts.fields);
	if (r == 0)
		r = get_bytes(line, "request", arena, &parts.body);
	if (r == 0 && !read_form(line, &parts.form))
		r = -EINVAL;
	if (r == 0)
		r = key_question(&parts, arena, &entry->question);
	if (r != 0)
		return r;
	entry->key = key_make(entry->question, store_secret(cache->store));
	entry->key.bytes[15] ^= (unsigned char)json_integer_value(json_object_get(line, "variant"));
	return 0;
}

/* How many tokens it took, where that is told: false if it is no number of them. */
static bool
read_tokens(const json_t *line, struct entry *entry)
{
	const json_t *input = json_object_get(line, "input_tokens");
	const json_t *output = json_object_get(line, "output_tokens");
	json_int_t n_input = json_integer_value(input), n_output = json_integer_value(output);

	if (input == NULL && output == NULL)
		return true;
	if (!json_is_integer(input) || !json_is_integer(output) || n_input < 0 ||
	    n_output < 0 || n_input > UINT32_MAX || n_output > UINT32_MAX)
		return false;
	entry->flags |= ENTRY_COUNTED;
	entry->input = (uint32_t)n_input;
	entry->output = (uint32_t)n_output;
	return true;
}

static int
read_entry(const json_t *line, const struct cli_cache *cache, struct arena *arena,
    struct entry *entry)
{
	const json_t *stream_usage = json_object_get(line, "stream_usage");
	struct bytes gist;
	int r;

	*entry = (struct entry){
		.made = json_integer_value(json_object_get(line, "made")),
		.ttl = json_integer_value(json_object_get(line, "ttl")),
		.took = json_integer_value(json_object_get(line, "took")),
		.status = (int)json_integer_value(json_object_get(line, "status")),
	};
	if (json_is_boolean(stream_usage))
		entry->flags = ENTRY_STREAM | (json_is_true(stream_usage) ? ENTRY_USAGE : 0);
	if (entry->made <= 0 || entry->ttl <= 0 || entry->took < 0 || entry->status != 200 ||
	    !read_tokens(line, entry))
		return -EINVAL;
	r = get_bytes(line, "scope", arena, &entry->scope);
	if (r == 0)
		r = get_bytes(line, "model", arena, &entry->model);
	if (r == 0)
		r = get_bytes(line, "compute", arena, &entry->compute);
	if (r == 0)
		r = get_bytes(line, "fields", arena, &entry->fields);
	if (r == 0)
		r = get_bytes(line, "body", arena, &entry->body);
	if (r == 0)
		r = get_bytes(line, "gist", arena, &gist);
	if (r == 0 && gist.len > 0 && num_parse_hex64(gist, &entry->gist) != 0)
		r = -EINVAL;
	return r == 0 ? read_question(line, cache, arena, entry) : r;
}

static int
write_batch(struct importing *im)
{
	size_t n_written = 0;
	int r = im->n_batch > 0 ? store_merge(im->cache->store, im->entries, im->n_batch,
	    clock_wall(), &n_written) : 0;

	for (size_t i = 0; i < im->n_batch; i++)
		json_decref(im->lines[i]);
	im->n_batch = 0;
	im->n_written += n_written;
	im->arena = arena_free(im->arena);
	return r;
}

/* The fields replayed to clients are ours to trust no more than an upstream's. */
static int
import_line(struct importing *im, struct bytes text)
{
	json_t *line = json_loadb(text.ptr, text.len, JSON_ALLOW_NUL, NULL);
	int r;

	if (im->arena == NULL)
		im->arena = arena_new(ARENA_MAX);
	if (!json_is_object(line)) {
		json_decref(line);
		return -EINVAL;
	}
	if (json_object_get(line, "question_sha256") != NULL ||
	    json_object_get(line, "question_sha256_base64") != NULL) {
		im->n_hashed++;
		json_decref(line);
		return 0;
	}
	r = read_entry(line, im->cache, im->arena, &im->entries[im->n_batch]);
	if (r != 0) {
		json_decref(line);
		return r;
	}
	im->lines[im->n_batch++] = line;
	return im->n_batch == BATCH_MAX ? write_batch(im) : 0;
}

/* Take the lines that have come whole off BUF. */
static int
import_lines(struct importing *im, struct buf *buf, bool is_end)
{
	int r = 0;

	while (r == 0 && buf_len(buf) > 0) {
		struct bytes text = buf_bytes(buf);
		size_t end = bytes_find_char(text, '\n');

		if (end == text.len && !is_end)
			break;
		im->n_lines++;
		if (end > 0)
			r = import_line(im, bytes_first(text, end));
		buf_consume(buf, end < text.len ? end + 1 : end);
		cli_progress("import", im->n_lines, 0);
	}
	return r;
}

static int
import_file(struct importing *im, gzFile file)
{
	struct buf buf;
	char *space;
	int n = 1, r = 0;

	buf_init(&buf, LINE_MAX_LEN);
	while (r == 0 && n > 0) {
		r = buf_space(&buf, READ_LEN, &space);
		if (r < 0)
			break;
		n = gzread(file, space, READ_LEN);
		if (n < 0)
			r = -EIO;
		else
			buf_fill(&buf, (size_t)n);
		if (r == 0)
			r = import_lines(im, &buf, n == 0);
	}
	buf_done(&buf);
	return r;
}

static int
say_imported(const struct importing *im, const char *name, int r)
{
	if (r == STORE_E_FULL)
		fprintf(stderr, "reprise: the cache is full\n");
	else if (r == -EINVAL)
		fprintf(stderr, "reprise: %s:%" PRIu64 ": no entry of an export\n", name,
		    im->n_lines);
	else if (r < 0)
		fprintf(stderr, "reprise: %s: %s\n", name, strerror(-r));
	printf("%" PRIu64 " of %" PRIu64 " entries written, the others were here as new or newer\n",
	    im->n_written, im->n_lines);
	if (im->n_hashed > 0)
		printf("%" PRIu64 " left out: their questions were not kept\n", im->n_hashed);
	return r == 0 ? EXIT_FINE : EXIT_FAILED;
}

int
cli_cache_import(const struct arguments *args)
{
	gzFile file = open_file(args->operand, "rb");
	struct importing *im;
	struct cli_cache cache;
	int r;

	if (file == NULL) {
		fprintf(stderr, "reprise: %s: %s\n", args->operand, strerror(errno));
		return EXIT_FAILED;
	}
	r = cli_cache_open(args, true, &cache);
	if (r == EXIT_FINE) {
		im = xcalloc(1, sizeof(*im));
		im->cache = &cache;
		r = import_file(im, file);
		if (r == 0)
			r = write_batch(im);
		else
			(void)!write_batch(im);
		cli_progress_end();
		r = say_imported(im, args->operand, r);
		xfree(im);
		cli_cache_close(&cache);
	}
	gzclose(file);
	return r;
}
