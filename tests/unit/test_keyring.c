/* SPDX-License-Identifier: MIT */
/*
 * test_keyring.c - keys and their owners, few and many.
 */
#include "config/keyring.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define DIGITS	"00112233445566778899aabbccddeeff00112233445566778899AABBCCDDEEFF"

static void
a_sum_is_sixty_four_digits(void **state)
{
	static const char *const wrong[] = {
		"", "sha256:", DIGITS, "SHA256:" DIGITS, "sha512:" DIGITS, "sha256:" DIGITS "0",
		"sha256: " DIGITS, "sha256:0x112233445566778899aabbccddeeff00112233445566778899"
		"AABBCCDDEEFF0", "rp-AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
		"sha256:g0112233445566778899aabbccddeeff00112233445566778899AABBCCDDEEFF",
	};
	char sum[KEYRING_SUM_LEN];

	(void)state;
	assert_true(keyring_parse(bytes_str("sha256:" DIGITS), sum));
	for (size_t i = 0; i < sizeof(sum); i++)
		assert_int_equal((unsigned char)sum[i], 0x11 * (i % 16));
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++)
		assert_false(keyring_parse(bytes_str(wrong[i]), sum));
}

/* As many bytes differ from one to the next as those of a number do. */
static void
sum_of(size_t n, char sum[KEYRING_SUM_LEN])
{
	memset(sum, 'x', KEYRING_SUM_LEN);
	memcpy(sum + KEYRING_SUM_LEN - sizeof(n), &n, sizeof(n));
	n *= 0x9e3779b97f4a7c15;
	memcpy(sum, &n, sizeof(n));
}

static void
each_of_many_keys_has_its_owner(void **state)
{
	struct keyring *ring = keyring_new();
	const size_t n = 10000;
	char sum[KEYRING_SUM_LEN];
	size_t owner;

	(void)state;
	for (size_t i = 0; i < n; i++) {
		sum_of(i, sum);
		assert_false(keyring_find(ring, sum, &owner));
		assert_int_equal(keyring_add(ring, sum, i / 10, &owner), 0);
	}
	for (size_t i = 0; i < n; i++) {
		sum_of(i, sum);
		assert_true(keyring_find(ring, sum, &owner));
		assert_int_equal(owner, i / 10);
		sum[KEYRING_SUM_LEN - 1] ^= 1;
		assert_false(keyring_find(ring, sum, &owner));
	}
	keyring_free(ring);
}

/* H-73: a key is found by how it begins, and compared whole. */
static void
keys_that_begin_alike_are_told_apart(void **state)
{
	struct keyring *ring = keyring_new();
	char sum[KEYRING_SUM_LEN] = { 0 };
	size_t owner;

	(void)state;
	for (size_t i = 0; i < 20; i++) {
		sum[KEYRING_SUM_LEN - 1] = (char)i;
		assert_int_equal(keyring_add(ring, sum, i, &owner), 0);
	}
	for (size_t i = 0; i < 20; i++) {
		sum[KEYRING_SUM_LEN - 1] = (char)i;
		assert_true(keyring_find(ring, sum, &owner));
		assert_int_equal(owner, i);
	}
	keyring_free(ring);
}

static void
a_key_has_one_owner(void **state)
{
	struct keyring *ring = keyring_new();
	const char sum[KEYRING_SUM_LEN] = "a";
	size_t other = 0;

	(void)state;
	assert_int_equal(keyring_add(ring, sum, 7, &other), 0);
	assert_int_equal(keyring_add(ring, sum, 8, &other), KEYRING_E_TAKEN);
	assert_int_equal(other, 7);
	assert_null(keyring_free(ring));
	assert_null(keyring_free(NULL));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_sum_is_sixty_four_digits),
		cmocka_unit_test(each_of_many_keys_has_its_owner),
		cmocka_unit_test(keys_that_begin_alike_are_told_apart),
		cmocka_unit_test(a_key_has_one_owner),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
