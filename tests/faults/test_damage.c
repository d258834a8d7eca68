/* SPDX-License-Identifier: MIT */
/*
 * test_damage.c - F9, F11, H-54, H-61: a file that anything may have happened
 * to.  Each is opened, read and written by a process of its own, as a server
 * would: it works and gives only right bytes, or the file is set aside; it
 * ends a process once at most; and nothing is ever deleted.
 */
#include <errno.h>

#include "base/bytes.h"
#include "cache/store_guard.h"
#include "tests/faults/answers.h"

#define PAGE		4096
#define N_ANSWERS	60
#define STORE_SIZE	(4 * MB)
#define FILE_MAX	(4 * MB)
#define FLIPS		120		/* files with some bits wrong */
#define SECONDS		10		/* to hang in */
#define LIVES		3

/* How a process that opened and read a damaged file ended. */
enum fate {
	SERVED,
	SET_ASIDE,
	CRASHED,	/* with its one line */
	SHORT,		/* served, but not all there was */
	FAILED,		/* it could not be opened */
	WRONG,		/* an answer of other bytes */
	STUCK,		/* set aside, but the new file does not work */
};

/*
 * LMDB itself writes astray where pages have changed places: that is for the guard to
 * meet, as outside of tests, and not for the sanitizer's memcpy().
 */
const char *__asan_default_options(void);

const char *
__asan_default_options(void)
{
	return "replace_intrin=0";
}

struct world {
	unsigned char	*whole;		/* the file as it was */
	unsigned char	*file;		/* as it is */
	size_t		 len;
	struct tempdir	 dir;
	unsigned	 n_served;
	unsigned	 n_aside;
	unsigned	 n_crashed;
	unsigned	 n_short;	/* served, but not all of it */
};

static struct store_options
options_of(struct world *w)
{
	return (struct store_options){ .path = w->dir.path, .size = STORE_SIZE, .readers = 1 };
}

static void
make_whole(struct world *w)
{
	struct store_options options = options_of(w);
	const char *set_aside;
	struct store *store;
	FILE *file;

	assert_int_equal(store_open(&options, &store, &set_aside), 0);
	for (uint32_t n = 0; n < N_ANSWERS; n++)
		assert_int_equal(answer_put(store, n), 0);
	/* So that there are free pages to be wrong about. */
	for (uint32_t n = 0; n < N_ANSWERS; n += 3)
		assert_int_equal(answer_put(store, n), 0);
	store_close(store);
	w->whole = xcalloc(1, FILE_MAX);
	w->file = xcalloc(1, FILE_MAX);
	file = fopen(tempdir_file(&w->dir, "data.mdb"), "r");
	w->len = fread(w->whole, 1, FILE_MAX, file);
	fclose(file);
	assert_true(w->len > 40 * PAGE && w->len < FILE_MAX);
}

static int
set_up(void **state)
{
	struct world *w = xcalloc(1, sizeof(*w));

	tempdir_make(&w->dir);
	make_whole(w);
	tempdir_remove(&w->dir);
	srandom(number_of("SEED", 1));
	*state = w;
	return 0;
}

static int
tear_down(void **state)
{
	struct world *w = *state;

	print_message("F9: %u served (%u not all of it), %u set aside, %u ended a process\n",
	    w->n_served, w->n_short, w->n_aside, w->n_crashed);
	xfree(w->whole);
	xfree(w->file);
	xfree(w);
	return 0;
}

static bool
see(void *arg, uint64_t seq, struct bytes encoded)
{
	struct entry entry;
	enum fate *fate = arg;

	(void)seq;
	if (entry_decode(encoded, &entry) == 0 && !answer_is(&entry, answer_number(&entry.key)))
		*fate = WRONG;
	return true;
}

/* All there is, by key and in a row. */
static enum fate
read_all(struct store *store, unsigned *ret_n)
{
	struct store_reader *reader = store_reader_open(store);
	enum fate fate = SERVED;

	*ret_n = 0;
	for (uint32_t n = 0; n < N_ANSWERS; n++) {
		int found = answer_get(reader, n);

		*ret_n += found > 0;
		if (found < 0)
			fate = WRONG;
	}
	(void)!store_walk(reader, false, see, &fate);
	store_reader_close(reader);
	return fate;
}

/* What a server does with its file; the end of the process says what came of it. */
static enum fate
live(struct world *w)
{
	struct store_options options = options_of(w);
	const char *set_aside;
	struct store *store;
	unsigned n_found;
	enum fate fate;

	if (store_open(&options, &store, &set_aside) != 0)
		return FAILED;
	store_guard_arm(options.path);
	fate = read_all(store, &n_found);
	if (fate == SERVED && set_aside == NULL && n_found < N_ANSWERS)
		fate = SHORT;
	if (answers_put(store, 100, 110) != 0 && set_aside != NULL)
		fate = STUCK;
	if (read_all(store, &n_found) == WRONG)
		fate = WRONG;
	store_close(store);
	store_guard_disarm();
	return fate == SERVED && set_aside != NULL ? SET_ASIDE : fate;
}

/* Run a process that lives with the file; whatever ends it, it says so itself, no signal. */
static enum fate
run(struct world *w, const char *what)
{
	int status;
	pid_t pid = fork_bounded(SECONDS);

	if (pid == 0) {
		default_signals();
		_exit(freopen("/dev/null", "w", stderr) != NULL ? live(w) : FAILED);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (!WIFEXITED(status))
		print_message("%s: signal %d\n", what, WTERMSIG(status));
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status) == STORE_GUARD_EXIT ? CRASHED : (enum fate)WEXITSTATUS(status);
}

/* What was there when it was set aside is still there. */
static void
assert_kept(struct world *w)
{
	char *name = NULL;
	DIR *dir = opendir(w->dir.path);
	struct dirent *e;
	struct stat st;

	while ((e = readdir(dir)) != NULL)
		if (strncmp(e->d_name, "data.mdb.bad-", 13) == 0)
			name = xstrdup(e->d_name);
	closedir(dir);
	assert_non_null(name);
	assert_int_equal(stat(tempdir_file(&w->dir, name), &st), 0);
	assert_true(S_ISDIR(st.st_mode) || (size_t)st.st_size >= w->len);
	xfree(name);
}

/* Some lives in a row; the file may end one of them, and is then set aside by the next. */
static void
live_with(struct world *w, const char *what)
{
	bool is_aside = false, has_crashed = false;
	int fate = SERVED, last = SERVED;

	for (int i = 0; i < LIVES; i++) {
		last = fate;
		fate = run(w, what);
		if (fate > SHORT || (has_crashed && last == CRASHED && fate != SET_ASIDE))
			print_message("%s: %d after %d in life %d\n", what, fate, last, i);
		assert_true(fate <= SHORT);
		assert_false(is_aside && (fate == SET_ASIDE || fate == CRASHED));
		assert_false(last == CRASHED && fate != SET_ASIDE);
		is_aside = is_aside || fate == SET_ASIDE;
		has_crashed = has_crashed || fate == CRASHED;
	}
	if (fate == CRASHED)		/* as the last; the next sets it aside */
		is_aside = run(w, what) == SET_ASIDE;
	assert_true(is_aside || !has_crashed);
	if (is_aside)
		assert_kept(w);
	w->n_aside += is_aside;
	w->n_served += !is_aside;
	w->n_short += !is_aside && fate == SHORT;
	w->n_crashed += has_crashed;
}

static void
write_file(struct world *w)
{
	FILE *file = fopen(tempdir_file(&w->dir, "data.mdb"), "w");

	assert_non_null(file);
	assert_int_equal(fwrite(w->file, 1, w->len, file), w->len);
	fclose(file);
}

/* Live with FILE, whose first LEN bytes are on the disk. */
static void
try_file(struct world *w, size_t len, const char *what)
{
	size_t whole = w->len;

	tempdir_make(&w->dir);
	w->len = len;
	write_file(w);
	live_with(w, what);
	w->len = whole;
	tempdir_remove(&w->dir);
}

static void
make_afresh(struct world *w)
{
	memcpy(w->file, w->whole, w->len);
}

static void
cut_at_every_page(void **state)
{
	struct world *w = *state;
	char what[40];

	make_afresh(w);
	for (size_t len = 0; len < w->len; len += PAGE) {
		snprintf(what, sizeof(what), "cut at page %zu", len / PAGE);
		try_file(w, len, what);
	}
	try_file(w, PAGE / 2, "cut within the first page");
	try_file(w, w->len - 1, "cut by a byte");
}

/* Anywhere, and in the heads of pages where it hurts most. */
static void
bits_flipped(void **state)
{
	struct world *w = *state;
	char what[40];

	for (unsigned i = 0; i < FLIPS; i++) {
		unsigned n = 1 + (unsigned)random() % 8;

		make_afresh(w);
		for (unsigned k = 0; k < n; k++) {
			size_t at = (size_t)random() % w->len;

			if (i % 2 == 0)
				at = at / PAGE * PAGE + at % 64;
			w->file[at] ^= (unsigned char)(1 << random() % 8);
		}
		snprintf(what, sizeof(what), "flip %u", i);
		try_file(w, w->len, what);
	}
}

static void
pages_zeroed_swapped_and_filled(void **state)
{
	struct world *w = *state;
	char what[40];

	for (size_t page = 0; page < w->len / PAGE; page += 3) {
		size_t other = (size_t)random() % (w->len / PAGE);

		snprintf(what, sizeof(what), "page %zu", page);
		make_afresh(w);
		memset(w->file + page * PAGE, 0, PAGE);
		try_file(w, w->len, what);
		make_afresh(w);
		memcpy(w->file + page * PAGE, w->whole + other * PAGE, PAGE);
		memcpy(w->file + other * PAGE, w->whole + page * PAGE, PAGE);
		try_file(w, w->len, what);
		make_afresh(w);
		for (size_t i = 0; i < PAGE; i++)
			w->file[page * PAGE + i] = (unsigned char)random();
		try_file(w, w->len, what);
	}
}

/* A field of both meta pages (store_file.c has the picture). */
static void
set_in_metas(struct world *w, size_t at, uint32_t value)
{
	make_afresh(w);
	memcpy(w->file + at, &value, sizeof(value));
	memcpy(w->file + PAGE + at, &value, sizeof(value));
}

/* F9: what LMDB would divide by, and what it would look for far outside. */
static void
metas_damaged(void **state)
{
	static const struct { size_t at; uint32_t value; } fields[] = {
		{ 16, 0 }, { 40, 0 }, { 40, 1 }, { 40, 4095 }, { 40, 8192 }, { 40, 1u << 31 },
		{ 80, 5000000 }, { 128, 5000000 }, { 128, 0 }, { 128, 1 }, { 136, 0 },
		{ 136, UINT32_MAX }, { 44, UINT32_MAX }, { 92, UINT32_MAX }, { 144, UINT32_MAX },
	};
	struct world *w = *state;
	char what[40];

	for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
		set_in_metas(w, fields[i].at, fields[i].value);
		snprintf(what, sizeof(what), "meta at %zu", fields[i].at);
		try_file(w, w->len, what);
	}
	make_afresh(w);
	memset(w->file, 0, (size_t)2 * PAGE);
	try_file(w, w->len, "both metas zeroed");
}

static void
remove_set_aside_directory(struct world *w)
{
	DIR *dir = opendir(w->dir.path);
	struct dirent *e;
	unsigned n = 0;

	while ((e = readdir(dir)) != NULL)
		if (strncmp(e->d_name, "data.mdb.bad-", 13) == 0)
			n += rmdir(tempdir_file(&w->dir, e->d_name)) == 0;
	closedir(dir);
	assert_int_equal(n, 1);
}

static void
no_file_of_ours(void **state)
{
	struct world *w = *state;

	for (size_t i = 0; i < w->len; i++)
		w->file[i] = (unsigned char)random();
	try_file(w, w->len, "garbage");
	memset(w->file, 0, w->len);
	try_file(w, w->len, "zeros");
	tempdir_make(&w->dir);
	assert_int_equal(mkdir(tempdir_file(&w->dir, "data.mdb"), 0700), 0);
	live_with(w, "a directory");
	remove_set_aside_directory(w);
	tempdir_remove(&w->dir);
}

/* Point the row of answer 5 in the index at another entry, wherever it stands in the file. */
static unsigned
misdirect(struct world *w, uint64_t seq)
{
	const struct key key = answer_key(5);
	unsigned char *at = w->file;
	unsigned n = 0;

	while ((at = memmem(at, (size_t)(w->file + w->len - at), &key, sizeof(key))) != NULL) {
		uint64_t old;

		at += sizeof(key);
		memcpy(&old, at, sizeof(old));
		if (old > 0 && old < 1000) {
			memcpy(at, &seq, sizeof(seq));
			n++;
		}
	}
	return n;
}

/* H-20: who trusts the key alone is not given the answer to another one. */
static void
a_row_that_points_elsewhere(void **state)
{
	struct world *w = *state;

	for (uint64_t seq = 8; seq < N_ANSWERS; seq += 7) {
		make_afresh(w);
		assert_true(misdirect(w, seq) > 0);
		try_file(w, w->len, "a row that points elsewhere");
	}
}

/* Open FILE and expect the reason WHY. */
static void
assert_set_aside(struct world *w, const char *why)
{
	struct store_options options;
	const char *set_aside;
	struct store *store;

	tempdir_make(&w->dir);
	options = options_of(w);
	write_file(w);
	assert_int_equal(store_open(&options, &store, &set_aside), 0);
	assert_non_null(set_aside);
	assert_string_equal(set_aside, why);
	assert_int_equal(tempdir_count(&w->dir, "data.mdb.bad-"), 1);
	assert_int_equal(answer_put(store, 1), 0);
	store_close(store);
	tempdir_remove(&w->dir);
}

/* O7. F11: older and newer formats of our own, wherever they stand in the file. */
static void
of_another_format(void **state)
{
	static const uint32_t others[] = { 0, 1, 255, STORE_FORMAT + 1 };
	const uint32_t ours = STORE_FORMAT;
	struct world *w = *state;
	unsigned char row[10] = "format", *at;
	char why[64];

	memcpy(row + 6, &ours, sizeof(ours));
	for (size_t i = 0; i < ARRAY_LEN(others); i++) {
		make_afresh(w);
		at = w->file;
		while ((at = memmem(at, (size_t)(w->file + w->len - at), row, sizeof(row))) != NULL)
			memcpy(at += 6, &others[i], sizeof(others[i]));
		snprintf(why, sizeof(why), "it has format %u, this version has %u", others[i],
		    ours);
		assert_set_aside(w, why);
	}
}

static void
of_another_lmdb(void **state)
{
	static const uint32_t others[] = { 0, 2, 999 };
	struct world *w = *state;

	for (size_t i = 0; i < ARRAY_LEN(others); i++) {
		set_in_metas(w, 20, others[i]);
		assert_set_aside(w, "it was written by another version of LMDB");
	}
}

/* Two in one second: the second does not take the name of the first. */
static void
set_aside_twice(void **state)
{
	struct world *w = *state;
	struct store_options options;
	const char *set_aside;
	struct store *store;

	memset(w->file, 'x', w->len);
	tempdir_make(&w->dir);
	options = options_of(w);
	for (int i = 1; i <= 5; i++) {
		write_file(w);
		assert_int_equal(store_open(&options, &store, &set_aside), 0);
		store_close(store);
		assert_non_null(set_aside);
		assert_int_equal(tempdir_count(&w->dir, "data.mdb.bad-"), i);
	}
	tempdir_remove(&w->dir);
}

/* The file was taken away by hand before the next start: nothing to set aside. */
static void
a_marker_without_a_file(void **state)
{
	struct world *w = *state;
	struct store_options options;
	const char *set_aside;
	struct store *store;

	tempdir_make(&w->dir);
	options = options_of(w);
	assert_int_equal(store_guard_mark(w->dir.path), 0);
	assert_int_equal(store_open(&options, &store, &set_aside), 0);
	assert_null(set_aside);
	assert_int_equal(tempdir_count(&w->dir, "opening"), 0);
	store_close(store);
	tempdir_remove(&w->dir);
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(cut_at_every_page),
		TEST(bits_flipped),
		TEST(pages_zeroed_swapped_and_filled),
		TEST(metas_damaged),
		TEST(no_file_of_ours),
		TEST(a_row_that_points_elsewhere),
		TEST(of_another_format),
		TEST(of_another_lmdb),
		TEST(set_aside_twice),
		TEST(a_marker_without_a_file),
	};
#undef TEST

	return cmocka_run_group_tests(tests, NULL, NULL);
}
