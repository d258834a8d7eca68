/* SPDX-License-Identifier: MIT */
/*
 * answers.h - numbered answers, each of whose bytes follows from its number:
 * whoever finds one knows whether it is the one that was written.
 */
#ifndef TESTS_FAULTS_ANSWERS_H
#define TESTS_FAULTS_ANSWERS_H

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/num.h"
#include "cache/store.h"
#include "tests/unit/tempdir.h"

#define MADE		((usec_t)1700000000 * USEC_PER_SEC)
#define HOUR		((usec_t)3600 * USEC_PER_SEC)
#define MB		((uint64_t)1 << 20)
#define ANSWER_MAX	((size_t)64 << 10)

struct answer {
	char		question[24];
	unsigned char	body[ANSWER_MAX];
};

static inline struct key
answer_key(uint32_t n)
{
	uint32_t spread = n * 2654435761u;
	struct key key = { { 0 } };

	memcpy(key.bytes, &spread, sizeof(spread));
	memcpy(key.bytes + sizeof(spread), &n, sizeof(n));
	return key;
}

static inline uint32_t
answer_number(const struct key *key)
{
	uint32_t n;

	memcpy(&n, key->bytes + sizeof(n), sizeof(n));
	return n;
}

/* Some in a page with others, some with one of their own, some in many. */
static inline size_t
answer_len(uint32_t n)
{
	static const size_t sizes[] = { 64, 100, 700, 1900, 2600, 4200, 9000, 40000 };
	size_t len = sizes[n * 2654435761u >> 29];

	return len + n * 40503u % (len / 2);
}

static inline unsigned char
answer_byte(uint32_t n, size_t i)
{
	return (unsigned char)((n + i) * 0x9e3779b97f4a7c15u >> 56);
}

/* Answer N in the memory of ANSWER. */
static inline struct entry
answer_make(uint32_t n, struct answer *answer)
{
	size_t len = answer_len(n);

	for (size_t i = 0; i < len; i++)
		answer->body[i] = answer_byte(n, i);
	snprintf(answer->question, sizeof(answer->question), "question %u", n);
	return (struct entry){
		.key = answer_key(n), .made = MADE, .ttl = HOUR, .status = 200,
		.model = BYTES_LIT("m"), .compute = BYTES_LIT("cpu"),
		.question = bytes_str(answer->question), .body = { (char *)answer->body, len },
	};
}

/* Is ENTRY answer N to the last byte? */
static inline bool
answer_is(const struct entry *entry, uint32_t n)
{
	struct key key = answer_key(n);
	char question[24];

	snprintf(question, sizeof(question), "question %u", n);
	if (memcmp(&entry->key, &key, sizeof(key)) != 0 || entry->made != MADE ||
	    !bytes_eq_str(entry->question, question) || entry->body.len != answer_len(n))
		return false;
	for (size_t i = 0; i < entry->body.len; i++)
		if ((unsigned char)entry->body.ptr[i] != answer_byte(n, i))
			return false;
	return true;
}

static inline int
answer_put(struct store *store, uint32_t n)
{
	static _Thread_local struct answer answer;
	struct entry entry = answer_make(n, &answer);

	return store_put(store, &entry, 1, MADE);
}

/* Answers FROM up to TO at once. */
static inline int
answers_put(struct store *store, uint32_t from, uint32_t to)
{
	struct answer *answers = xcalloc(to - from, sizeof(*answers));
	struct entry *entries = xcalloc(to - from, sizeof(*entries));
	int r;

	for (uint32_t i = 0; i < to - from; i++)
		entries[i] = answer_make(from + i, &answers[i]);
	r = store_put(store, entries, to - from, MADE);
	xfree(entries);
	xfree(answers);
	return r;
}

/* Is answer N there?  -1 if another is given for it. */
static inline int
answer_get(struct store_reader *reader, uint32_t n)
{
	struct key key = answer_key(n);
	struct entry entry;
	int found = 0;

	store_reader_reset(reader);
	/* As one does who trusts the key alone. */
	if (store_get(reader, &key, BYTES_NONE, &entry) == 0)
		found = answer_is(&entry, n) ? 1 : -1;
	store_reader_reset(reader);
	return found;
}

/* A number that the environment may say: ROUNDS=2000. */
static inline unsigned
number_of(const char *name, unsigned otherwise)
{
	const char *text = getenv(name);
	uint64_t n;

	return text != NULL && num_parse_u64(bytes_str(text), &n) == 0 ? (unsigned)n : otherwise;
}

/* As a process has them that no test runs in: cmocka catches some. */
static inline void
default_signals(void)
{
	const struct sigaction action = { .sa_handler = SIG_DFL };

	for (int signal = 1; signal < 32; signal++)
		if (signal != SIGKILL && signal != SIGSTOP)
			sigaction(signal, &action, NULL);
}

/* A process that does not outlive us, nor hang. */
static inline pid_t
fork_bounded(unsigned seconds)
{
	pid_t pid = fork();

	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		alarm(seconds);
	}
	return pid;
}

#endif
