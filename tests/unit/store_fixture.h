/* SPDX-License-Identifier: MIT */
/*
 * store_fixture.h - a store in a directory of its own, and numbered answers.
 */
#ifndef TESTS_UNIT_STORE_FIXTURE_H
#define TESTS_UNIT_STORE_FIXTURE_H

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <string.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "base/mem.h"
#include "cache/store_priv.h"
#include "tests/unit/tempdir.h"

#define NOW	((usec_t)1700000000 * USEC_PER_SEC)
#define HOUR	((usec_t)3600 * USEC_PER_SEC)
#define MB	((uint64_t)1 << 20)

struct fixture {
	struct tempdir		 dir;
	struct store		*store;
	struct store_reader	*reader;
	const char		*set_aside;
	uint64_t		 size;
	size_t			 map_size;
	usec_t			 grace;
};

static inline int
open_store(struct fixture *f)
{
	const struct store_options options = {
		.path = f->dir.path, .size = f->size, .readers = 2, .map_size = f->map_size,
		.grace = f->grace,
	};
	int r = store_open(&options, &f->store, &f->set_aside);

	if (r == 0)
		f->reader = store_reader_open(f->store);
	return r;
}

static inline void
close_store(struct fixture *f)
{
	f->reader = store_reader_close(f->reader);
	f->store = store_close(f->store);
}

static inline int
set_up(void **state)
{
	struct fixture *f = xcalloc(1, sizeof(*f));

	tempdir_make(&f->dir);
	f->size = 64 * MB;
	*state = f;
	return open_store(f);
}

static inline int
tear_down(void **state)
{
	struct fixture *f = *state;

	close_store(f);
	tempdir_remove(&f->dir);
	xfree(f);
	return 0;
}

static inline struct key
key_of(unsigned n)
{
	struct key key = { { 0 } };

	memcpy(key.bytes, &n, sizeof(n));
	return key;
}

/* Answer N, which says BODY. */
static inline struct entry
entry_of(unsigned n, struct bytes body)
{
	return (struct entry){
		.key = key_of(n), .made = NOW, .ttl = HOUR, .status = 200,
		.model = BYTES_LIT("m"), .compute = BYTES_LIT("cpu"),
		.fields = BYTES_LIT("A: b\r\n"), .question = BYTES_LIT("q"), .body = body,
	};
}

static inline void
put(struct fixture *f, unsigned n, const char *body)
{
	struct entry entry = entry_of(n, bytes_str(body));

	assert_int_equal(store_put(f->store, &entry, 1, NOW), 0);
}

static inline int
get(struct fixture *f, unsigned n, const char *question, struct entry *ret_entry)
{
	struct key key = key_of(n);

	return store_get(f->reader, &key, bytes_str(question), ret_entry);
}

static inline bool
has(struct fixture *f, unsigned n)
{
	struct entry entry;
	int r;

	store_reader_reset(f->reader);
	r = get(f, n, "q", &entry);
	assert_true(r == 0 || r == STORE_E_MISS);
	return r == 0;
}

static inline struct store_stat
stat_of(struct fixture *f)
{
	struct store_stat stat;

	assert_int_equal(store_get_stat(f->store, &stat), 0);
	return stat;
}

/* Run FN in a process of its own, as a command beside the server. */
static inline int
beside(struct fixture *f, int (*fn)(struct store *store), bool writes)
{
	struct store_options options = { .path = f->dir.path, .size = f->size, .readers = 1 };
	struct store *store;
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		if (store_attach(&options, writes, &store) != 0)
			_exit(100);
		status = fn(store);
		store_close(store);
		_exit(status);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

#endif
