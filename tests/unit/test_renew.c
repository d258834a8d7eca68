/* SPDX-License-Identifier: MIT */
/*
 * test_renew.c - what a configuration takes over from the one before it.
 */
#include "config/config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "tests/unit/tempdir.h"

#define SAID_MAX	((size_t)64 << 10)

static void
note(void *arg, const char *line)
{
	assert_int_equal(buf_addf(arg, "%s\n", line), 0);
}

static struct config *
load(const char *text)
{
	struct tempdir dir;
	struct config *config;
	struct buf said;
	FILE *f;

	tempdir_make(&dir);
	f = fopen(tempdir_file(&dir, "t.yaml"), "w");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
	buf_init(&said, SAID_MAX);
	assert_int_equal(config_load(dir.file, note, &said, &config), 0);
	buf_done(&said);
	tempdir_remove(&dir);
	return config;
}

/* NEXT in the place of BEFORE; what is said of it goes to SAID. */
static struct config *
renew(const char *before, const char *next, struct buf *said)
{
	struct config *old = load(before), *config = load(next);

	buf_init(said, SAID_MAX);
	config_renew(config, old, note, said);
	config_unref(old);
	return config;
}

static void
what_takes_a_restart_stays_and_is_told(void **state)
{
	struct buf said;
	struct config *config = renew(
	    "workers: 2\nupstreams: {up: {url: 'http://a'}}\nmax_body: 1MB\n"
	    "cache: {path: /a, size: 1GB, durability: strict, ttl: 1h}\n",
	    "workers: 3\nupstreams: {up: {url: 'http://b'}}\nmax_body: 2MB\n"
	    "cache: {path: /b, size: 2GB, durability: relaxed, ttl: 2h}\n", &said);

	(void)state;
	assert_int_equal(config->workers, 2);
	assert_string_equal(config->cache.path, "/a");
	assert_int_equal(config->cache.size, (uint64_t)1 << 30);
	assert_string_equal(config->cache.durability, "strict");
	assert_int_equal(config->max_body, (uint64_t)2 << 20);
	assert_int_equal(config->cache.ttl, 7200 * USEC_PER_SEC);
	assert_string_equal(config->upstreams[0].url, "http://b");
	assert_true(bytes_eq_str(buf_bytes(&said),
	    "workers has changed, which takes a restart\n"
	    "cache.path has changed, which takes a restart\n"
	    "cache.size has changed, which takes a restart\n"
	    "cache.durability has changed, which takes a restart\n"));
	buf_done(&said);
	config_unref(config);
}

static void
nothing_is_told_of_what_is_the_same(void **state)
{
	const char *text = "workers: 2\nupstreams: {up: {url: 'http://a', token: {value: x}}}\n"
	    "cache: {path: /a}\n";
	struct buf said;
	struct config *config = renew(text, text, &said);

	(void)state;
	assert_int_equal(buf_len(&said), 0);
	buf_done(&said);
	config_unref(config);
}

/* Of an upstream of the same name; and not which (H-70, H-72). */
static void
a_changed_token_is_told(void **state)
{
	struct buf said;
	struct config *config = renew(
	    "upstreams: {a: {url: 'http://a', token: {value: one}}, b: {url: 'http://b'},\n"
	    "  c: {url: 'http://c', token: {value: three}},\n"
	    "  e: {url: 'http://e', tokens: [{value: six}, {value: seven}]},\n"
	    "  f: {url: 'http://f', tokens: [{value: six}, {value: seven}]}}\n"
	    "routes: [{to: a}]\ncache: {path: /c}\n",
	    "upstreams: {a: {url: 'http://a', token: {value: two}},\n"
	    "  b: {url: 'http://b', token: {value: four}},\n"
	    "  c: {url: 'http://c', token: {value: three}}, d: {url: 'http://d',\n"
	    "  token: {value: five}},\n"
	    "  e: {url: 'http://e', tokens: [{value: seven}, {value: six}]},\n"
	    "  f: {url: 'http://f', tokens: [{value: six}, {value: seven}]}}\n"
	    "routes: [{to: a}]\ncache: {path: /c}\n", &said);

	(void)state;
	assert_true(bytes_eq_str(buf_bytes(&said), "upstreams.a.token is another one\n"
	    "upstreams.b.token is another one\nupstreams.e.tokens are others\n"));
	buf_done(&said);
	config_unref(config);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_takes_a_restart_stays_and_is_told),
		cmocka_unit_test(nothing_is_told_of_what_is_the_same),
		cmocka_unit_test(a_changed_token_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
