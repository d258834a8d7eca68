/* SPDX-License-Identifier: MIT */
/*
 * main.c - what holds for the whole process, then the command line.
 */
#include <fcntl.h>
#include <malloc.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <curl/curl.h>

#include "proxy/cli.h"

/*
 * Requests take and give back the same memory over and over: given back to the
 * kernel each time, it is faulted in anew, which was a tenth of a hit's time and
 * more than half with bodies of 64 kB.
 */
static void
keep_freed_memory(void)
{
	mallopt(M_TRIM_THRESHOLD, 64 << 20);
	mallopt(M_TOP_PAD, 1 << 20);
	mallopt(M_MMAP_THRESHOLD, 1 << 20);
}

/* Where one was closed, the next file opened would take its place, and get our log (H-84). */
static void
keep_standard_streams(void)
{
	int fd;

	do {
		fd = open("/dev/null", O_RDWR);
	} while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd >= 0)
		close(fd);
}

int
main(int argc, char **argv)
{
	int r;

	keep_standard_streams();
	signal(SIGPIPE, SIG_IGN);
	umask(0077);
#ifndef __SANITIZE_ADDRESS__	/* whose leak check must be able to look at us */
	/* Tokens are in our memory: no core file, no debugger of another user (H-70). */
	prctl(PR_SET_DUMPABLE, 0);
#endif
	keep_freed_memory();
	curl_global_init(CURL_GLOBAL_DEFAULT);
	r = cli_run(argc, argv);
	curl_global_cleanup();
	return r;
}
