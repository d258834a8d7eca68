/* SPDX-License-Identifier: MIT */
/*
 * cli.h - the command line: one table of commands.
 */
#ifndef PROXY_CLI_H
#define PROXY_CLI_H

/* Do what ARGV says; the exit code: 0 fine, 1 failed, 2 usage or configuration. */
int	cli_run(int argc, char **argv);

#endif
