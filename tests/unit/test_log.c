/* SPDX-License-Identifier: MIT */
/*
 * test_log.c - what a line looks like when it arrives, stderr being a pipe.
 */
#include "base/log.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <jansson.h>

struct capture {
	int	stderr_fd;
	int	read_fd;
	char	text[8192];
};

static void
start(struct capture *capture)
{
	int fds[2];

	assert_int_equal(pipe(fds), 0);
	capture->stderr_fd = dup(STDERR_FILENO);
	assert_int_equal(dup2(fds[1], STDERR_FILENO), STDERR_FILENO);
	close(fds[1]);
	capture->read_fd = fds[0];
}

static void
stop(struct capture *capture)
{
	size_t len = 0;
	ssize_t n;

	dup2(capture->stderr_fd, STDERR_FILENO);
	close(capture->stderr_fd);
	do {
		n = read(capture->read_fd, capture->text + len, sizeof(capture->text) - 1 - len);
		assert_true(n >= 0);
		len += (size_t)n;
	} while (n > 0);
	close(capture->read_fd);
	capture->text[len] = '\0';
}

static void
a_line_starts_with_its_priority(void **state)
{
	struct capture capture;

	(void)state;
	log_set_level(LOG_LEVEL_DEBUG);
	start(&capture);
	log_err("a %d", 1);
	log_warn("b");
	log_info("c");
	log_debug("d");
	stop(&capture);
	assert_string_equal(capture.text, "<3>a 1\n<4>b\n<6>c\n<7>d\n");
}

static void
lines_above_the_level_are_dropped(void **state)
{
	struct capture capture;

	(void)state;
	log_set_level(LOG_LEVEL_WARN);
	start(&capture);
	log_err("a");
	log_warn("b");
	log_info("c");
	log_debug("d");
	stop(&capture);
	assert_string_equal(capture.text, "<3>a\n<4>b\n");
	assert_true(log_enabled(LOG_LEVEL_WARN));
	assert_false(log_enabled(LOG_LEVEL_INFO));
}

static void
no_byte_of_a_message_starts_a_line_of_its_own(void **state)
{
	struct capture capture;

	(void)state;
	log_set_level(LOG_LEVEL_INFO);
	start(&capture);
	log_info("a%s", "\n<3>b\r\x1b\x7f\xc3\xa4");
	stop(&capture);
	assert_string_equal(capture.text, "<6>a?<3>b???\xc3\xa4\n");
}

static void
a_long_message_is_cut_and_still_one_line(void **state)
{
	struct capture capture;
	size_t len;

	(void)state;
	log_set_level(LOG_LEVEL_INFO);
	start(&capture);
	log_info("%5000d", 1);
	log_info("next");
	stop(&capture);
	len = strcspn(capture.text, "\n");
	assert_in_range(len, 1000, 4096);
	assert_string_equal(capture.text + len, "\n<6>next\n");
}

static void
a_line_of_json_says_its_level(void **state)
{
	struct capture capture;
	json_t *line;

	(void)state;
	log_set_level(LOG_LEVEL_INFO);
	log_set_json(true);
	start(&capture);
	log_warn("a \"%s\"", "\n\xff\xc3\xa4");
	stop(&capture);
	log_set_json(false);
	assert_int_equal(strcspn(capture.text, "\n") + 1, strlen(capture.text));
	line = json_loads(capture.text, JSON_REJECT_DUPLICATES, NULL);
	assert_non_null(line);
	assert_string_equal(json_string_value(json_object_get(line, "level")), "warn");
	assert_string_equal(json_string_value(json_object_get(line, "message")),
	    "a \"?\xef\xbf\xbd\xc3\xa4\"");
	assert_int_equal(json_string_length(json_object_get(line, "time")),
	    strlen("2027-01-31T12:00:00.000000Z"));
	json_decref(line);
}

static void
a_line_may_be_put_together(void **state)
{
	struct capture capture;
	struct line line;

	(void)state;
	start(&capture);
	log_begin(&line, LOG_LEVEL_INFO, "a");
	line_add_str(&line, " n=");
	line_add_u64(&line, 1);
	log_end(&line);
	stop(&capture);
	assert_string_equal(capture.text, "<6>a n=1\n");
}

static void
a_thread_writes_all_of_it_until_the_end(void **state)
{
	struct capture capture;

	(void)state;
	log_set_level(LOG_LEVEL_INFO);
	start(&capture);
	log_start();
	log_info("a");
	log_info("b");
	log_stop();
	log_info("c");
	stop(&capture);
	assert_string_equal(capture.text, "<6>a\n<6>b\n<6>c\n");
	assert_int_equal(log_dropped(), 0);
}

/* More than a pipe and the ring hold, and nobody who reads. */
static void
a_full_pipe_keeps_nobody(void **state)
{
	struct capture capture;

	(void)state;
	log_set_level(LOG_LEVEL_INFO);
	start(&capture);
	log_start();
	for (int i = 0; i < 2000; i++)
		log_info("%01000d", i);
	assert_true(log_dropped() > 0);
	close(capture.read_fd);		/* which ends the write, and loses the rest */
	log_stop();
	dup2(capture.stderr_fd, STDERR_FILENO);
	close(capture.stderr_fd);
	log_start();
	log_stop();
	assert_true(log_dropped() > 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_line_starts_with_its_priority),
		cmocka_unit_test(lines_above_the_level_are_dropped),
		cmocka_unit_test(no_byte_of_a_message_starts_a_line_of_its_own),
		cmocka_unit_test(a_long_message_is_cut_and_still_one_line),
		cmocka_unit_test(a_line_of_json_says_its_level),
		cmocka_unit_test(a_line_may_be_put_together),
		cmocka_unit_test(a_thread_writes_all_of_it_until_the_end),
		cmocka_unit_test(a_full_pipe_keeps_nobody),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
