/*
 * cli: what every main() needs around its work: streams that are open, output that is
 * checked, messages and progress on stderr.
 */
#ifndef PZ_CMD_CLI_H
#define PZ_CMD_CLI_H

#include "cmd/opt.h"

/* First thing in main: opens /dev/null on closed descriptors 0-2, on 1 so that writing to
 * it fails. */
void pz_cli_begin(void);
/*
 * Last thing in main: flushes and closes stdout. Returns status, or 5 with a message when
 * what was printed did not arrive (full disk) and status was 0 or 1.
 */
int pz_cli_end(int status);
/* A warning line on stderr unless -q. */
void pz_warn(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* For opt.c: the name in front of messages, and the sink that pz_common asks for. */
void pz_cli_name(const char *name);
void pz_cli_log(void);
/* Prints "TOOL: KIND" + text + newline on stderr, below no half-drawn progress bar. */
void pz_cli_line(const char *kind, const char *text);

#endif
