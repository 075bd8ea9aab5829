/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
/* How the tool ends and what it says then: one sentence on stderr. */
#ifndef LETHE_TOOLS_SAY_H
#define LETHE_TOOLS_SAY_H

/** Exit codes, and what every function that can fail returns. */
enum outcome {
	OK = 0,
	FAILED = 1, /**< something went wrong while working */
	BAD_USAGE = 2, /**< the command line makes no sense */
	INTERRUPTED = 3, /**< SIGINT or SIGTERM; never an exit code: main() re-raises */
};

/** say_name - who says it: the program. "lethe" unless it says otherwise. */
extern const char *say_name;

/**
 * fail() - say in one line what went wrong
 * @fmt: a sentence without the final newline
 *
 * A progress bar on the screen is removed first. Control characters, which
 * can come from file names, are shown as '?', so one call is one line.
 *
 * Return: FAILED, so that callers can return it.
 */
enum outcome fail(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/**
 * bad_usage() - like fail(), for a command line that makes no sense
 * @fmt: a sentence without the final newline
 *
 * Return: BAD_USAGE.
 */
enum outcome bad_usage(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif /* LETHE_TOOLS_SAY_H */
