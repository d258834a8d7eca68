/* SPDX-License-Identifier: MIT */
/*
 * ledger.c - a table of accounts by name, and a lock, taken after a call and not at a
 * hit.  A line of its text:
 *
 *	NAME input output spent day today month this_month requests tokens
 *	    hits saved_input saved_output saved_cost
 *
 * where DAY and MONTH say which, REQUESTS and TOKENS are when the meters are paid off, and
 * the last four may be missing.
 */
#include "cache/ledger.h"

#include <inttypes.h>
#include <pthread.h>
#include <string.h>
#include <time.h>

#include "base/mem.h"
#include "base/num.h"

#define BUCKETS		1024
#define N_NUMBERS	13
#define N_NUMBERS_MIN	9

struct book {
	struct account	 account;	/* first: what others see */
	struct spending	 spending;
	struct saved	 saved;
	uint64_t	 day;		/* which TODAY is, since 1970 */
	uint64_t	 month;
	struct book	*bucket_next;
};

struct ledger {
	pthread_mutex_t	 lock;		/* of the table, and of what is in books but their meters */
	struct book	*buckets[BUCKETS];
	_Atomic(struct account *) first;	/* in the order of their names; none ever goes */
	_Atomic bool	 is_changed;
	_Atomic bool	 is_unsound;
};

struct ledger *
ledger_new(void)
{
	struct ledger *ledger = xcalloc(1, sizeof(*ledger));

	pthread_mutex_init(&ledger->lock, NULL);
	return ledger;
}

struct ledger *
ledger_free(struct ledger *ledger)
{
	struct account *next;

	if (ledger == NULL)
		return NULL;
	for (struct account *account = ledger->first; account != NULL; account = next) {
		next = account->next;
		gate_free(account->gate);
		xfree(account->name);
		xfree(account);
	}
	pthread_mutex_destroy(&ledger->lock);
	return xfree(ledger);
}

static struct book *
book_of(const struct account *account)
{
	return (struct book *)(uintptr_t)account;
}

static struct book **
bucket_of(struct ledger *ledger, struct bytes name)
{
	uint32_t hash = 2166136261u;	/* FNV-1a: names come from the configuration */

	for (size_t i = 0; i < name.len; i++)
		hash = (hash ^ (unsigned char)name.ptr[i]) * 16777619u;
	return &ledger->buckets[hash % BUCKETS];
}

static void
insert_in_order(struct ledger *ledger, struct account *account)
{
	_Atomic(struct account *) *at = &ledger->first;
	struct account *next = *at;

	for (; next != NULL && strcmp(next->name, account->name) < 0; next = *at)
		at = &next->next;
	account->next = next;
	*at = account;		/* whole, for those who walk without the lock */
}

/* With the lock. */
static struct book *
find_or_open(struct ledger *ledger, struct bytes name)
{
	struct book **bucket = bucket_of(ledger, name), *book = *bucket;

	while (book != NULL && !bytes_eq_str(name, book->account.name))
		book = book->bucket_next;
	if (book != NULL)
		return book;
	book = xcalloc(1, sizeof(*book));
	book->account.name = xstrndup(name.ptr, name.len);
	book->account.gate = gate_new();
	book->bucket_next = *bucket;
	*bucket = book;
	insert_in_order(ledger, &book->account);
	return book;
}

struct account *
ledger_account(struct ledger *ledger, struct bytes name)
{
	struct book *book;

	pthread_mutex_lock(&ledger->lock);
	book = find_or_open(ledger, name);
	pthread_mutex_unlock(&ledger->lock);
	return &book->account;
}

static struct tm
utc(usec_t now)
{
	time_t seconds = (time_t)(now / USEC_PER_SEC);
	struct tm tm = { 0 };

	gmtime_r(&seconds, &tm);
	return tm;
}

static uint64_t
day_at(usec_t now)
{
	return (uint64_t)(now / (86400 * USEC_PER_SEC));
}

static uint64_t
month_at(usec_t now)
{
	struct tm tm = utc(now);

	return (uint64_t)tm.tm_year * 12 + (uint64_t)tm.tm_mon;
}

/* A period that is over begins anew. */
static void
turn_pages(struct book *book, usec_t now)
{
	uint64_t day = day_at(now), month = month_at(now);

	if (book->day != day)
		book->spending.today = 0;
	if (book->month != month)
		book->spending.this_month = 0;
	book->day = day;
	book->month = month;
}

void
ledger_spend(struct ledger *ledger, struct account *account, const struct spending *spending,
    usec_t now)
{
	struct book *book = book_of(account);

	pthread_mutex_lock(&ledger->lock);
	turn_pages(book, now);
	book->spending.input += spending->input;
	book->spending.output += spending->output;
	book->spending.spent += spending->spent;
	book->spending.today += spending->spent;
	book->spending.this_month += spending->spent;
	ledger->is_changed = true;
	pthread_mutex_unlock(&ledger->lock);
}

struct spending
ledger_get(struct ledger *ledger, const struct account *account, usec_t now)
{
	struct spending spending;

	pthread_mutex_lock(&ledger->lock);
	turn_pages(book_of(account), now);
	spending = book_of(account)->spending;
	pthread_mutex_unlock(&ledger->lock);
	return spending;
}

void
ledger_save(struct ledger *ledger, struct account *account, const struct saved *saved)
{
	pthread_mutex_lock(&ledger->lock);
	saved_add(&book_of(account)->saved, saved);
	ledger->is_changed = true;
	pthread_mutex_unlock(&ledger->lock);
}

struct saved
ledger_saved(struct ledger *ledger, const struct account *account)
{
	struct saved saved;

	pthread_mutex_lock(&ledger->lock);
	saved = book_of(account)->saved;
	pthread_mutex_unlock(&ledger->lock);
	return saved;
}

usec_t
ledger_period_left(enum period period, usec_t now)
{
	struct tm next = utc(now);

	if (period == PERIOD_DAY)
		next.tm_mday++;
	else
		next.tm_mon++;
	if (period == PERIOD_MONTH)
		next.tm_mday = 1;
	next.tm_hour = next.tm_min = next.tm_sec = 0;
	return (usec_t)timegm(&next) * USEC_PER_SEC - now;
}

void
ledger_set_unsound(struct ledger *ledger)
{
	ledger->is_unsound = true;
}

bool
ledger_is_sound(const struct ledger *ledger)
{
	return !ledger->is_unsound;
}

void
ledger_touch(struct ledger *ledger)
{
	/* Read first: what all threads write to is in no one's cache. */
	if (!atomic_load_explicit(&ledger->is_changed, memory_order_relaxed))
		ledger->is_changed = true;
}

bool
ledger_is_changed(struct ledger *ledger)
{
	return ledger->is_changed;
}

static int
write_book(const struct book *book, struct buf *out)
{
	const struct spending *s = &book->spending;
	const struct account *a = &book->account;
	const uint64_t numbers[N_NUMBERS] = {
		s->input, s->output, s->spent, book->day, s->today, book->month, s->this_month,
		(uint64_t)atomic_load(&a->requests.due), (uint64_t)atomic_load(&a->tokens.due),
		book->saved.hits, book->saved.input, book->saved.output, book->saved.cost,
	};
	int r = buf_add_str(out, a->name);

	for (size_t i = 0; r == 0 && i < N_NUMBERS; i++)
		r = buf_addf(out, " %" PRIu64, numbers[i]);
	return r == 0 ? buf_add_str(out, "\n") : r;
}

int
ledger_write(struct ledger *ledger, struct buf *out)
{
	int r = 0;

	ledger->is_changed = false;	/* what changes from here on is for the next time */
	pthread_mutex_lock(&ledger->lock);
	for (struct account *a = ledger->first; r == 0 && a != NULL; a = a->next)
		if (!bytes_has_prefix(bytes_str(a->name), LEDGER_UNWRITTEN))
			r = write_book(book_of(a), out);
	pthread_mutex_unlock(&ledger->lock);
	return r;
}

/* The numbers of a line behind its name; false if those are not there that always were. */
static bool
read_numbers(struct bytes line, uint64_t numbers[N_NUMBERS])
{
	memset(numbers, 0, N_NUMBERS * sizeof(numbers[0]));
	for (size_t i = 0; i < N_NUMBERS; i++)
		if (num_parse_u64(bytes_cut(&line, ' '), &numbers[i]) != 0)
			return i >= N_NUMBERS_MIN;
	return true;
}

static void
read_line(struct ledger *ledger, struct bytes line)
{
	struct bytes name = bytes_cut(&line, ' ');
	uint64_t n[N_NUMBERS];
	struct book *book;

	if (name.len == 0 || !read_numbers(line, n))
		return;
	book = find_or_open(ledger, name);
	book->spending = (struct spending){
		.input = n[0], .output = n[1], .spent = n[2], .today = n[4],
		.this_month = n[6],
	};
	book->saved = (struct saved){ n[9], n[10], n[11], n[12] };
	book->day = n[3];
	book->month = n[5];
	atomic_store(&book->account.requests.due, (int64_t)(n[7] & INT64_MAX));
	atomic_store(&book->account.tokens.due, (int64_t)(n[8] & INT64_MAX));
}

void
ledger_read(struct ledger *ledger, struct bytes text)
{
	pthread_mutex_lock(&ledger->lock);
	while (text.len > 0)
		read_line(ledger, bytes_cut(&text, '\n'));
	pthread_mutex_unlock(&ledger->lock);
}

void
ledger_each(struct ledger *ledger, ledger_fn *fn, void *arg)
{
	for (struct account *a = ledger->first; a != NULL; a = a->next)
		fn(arg, a);
}
