/* SPDX-License-Identifier: MIT */
/*
 * main.c - what holds for the whole process, then the command line.
 */
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>

#include <curl/curl.h>

#include "proxy/cli.h"

int
main(int argc, char **argv)
{
	int r;

	signal(SIGPIPE, SIG_IGN);
	umask(0077);
#ifndef __SANITIZE_ADDRESS__	/* whose leak check must be able to look at us */
	/* Tokens are in our memory: no core file, no debugger of another user (H-70). */
	prctl(PR_SET_DUMPABLE, 0);
#endif
	curl_global_init(CURL_GLOBAL_DEFAULT);
	r = cli_run(argc, argv);
	curl_global_cleanup();
	return r;
}
