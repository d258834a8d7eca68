/* SPDX-License-Identifier: MIT */
/*
 * test_secret.c - tokens, and what is none.
 */
#include "config/secret.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/unit/tempdir.h"

static void
white_space_behind_a_token_is_cut_off(void **state)
{
	struct secret *secret;

	(void)state;
	assert_int_equal(secret_from_value("abc \r\n\t", &secret), 0);
	assert_true(bytes_eq_str(secret_reveal(secret), "abc"));
	assert_null(secret_free(secret));
	assert_null(secret_free(NULL));
}

static void
what_no_field_may_hold_is_no_token(void **state)
{
	struct secret *secret;

	(void)state;
	assert_int_equal(secret_from_value("", &secret), SECRET_E_EMPTY);
	assert_int_equal(secret_from_value(" \n", &secret), SECRET_E_EMPTY);
	assert_int_equal(secret_from_value("a\nb", &secret), SECRET_E_BAD);
	assert_int_equal(secret_from_value("a b", &secret), SECRET_E_BAD);
	assert_int_equal(secret_from_value("\xc3\xa4", &secret), SECRET_E_BAD);
}

static void
files_and_credentials_are_read(void **state)
{
	struct secret *secret;
	struct tempdir dir;
	FILE *f;

	(void)state;
	tempdir_make(&dir);
	f = fopen(tempdir_file(&dir, "token"), "w");
	fputs("from-file\n", f);
	fclose(f);
	assert_int_equal(secret_from_file(tempdir_file(&dir, "token"), &secret), 0);
	assert_true(bytes_eq_str(secret_reveal(secret), "from-file"));
	secret_free(secret);
	unsetenv("CREDENTIALS_DIRECTORY");
	assert_int_equal(secret_from_credential("token", &secret), SECRET_E_UNSET);
	setenv("CREDENTIALS_DIRECTORY", dir.path, 1);
	assert_int_equal(secret_from_credential("token", &secret), 0);
	secret_free(secret);
	assert_int_equal(secret_from_credential("other", &secret), -ENOENT);
	assert_int_equal(secret_from_credential("../token", &secret), -EINVAL);
	f = fopen(tempdir_file(&dir, "token"), "w");
	for (int i = 0; i < 10000; i++)
		fputc('x', f);
	fclose(f);
	assert_int_equal(secret_from_file(tempdir_file(&dir, "token"), &secret), -EFBIG);
	tempdir_remove(&dir);
}

static void
an_unset_variable_is_told_from_an_empty_one(void **state)
{
	struct secret *secret;

	(void)state;
	unsetenv("A_TOKEN");
	assert_int_equal(secret_from_env("A_TOKEN", &secret), SECRET_E_UNSET);
	setenv("A_TOKEN", "", 1);
	assert_int_equal(secret_from_env("A_TOKEN", &secret), SECRET_E_EMPTY);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(white_space_behind_a_token_is_cut_off),
		cmocka_unit_test(what_no_field_may_hold_is_no_token),
		cmocka_unit_test(files_and_credentials_are_read),
		cmocka_unit_test(an_unset_variable_is_told_from_an_empty_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
