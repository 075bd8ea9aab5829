/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
/* The figures as a JSON file that is there completely or not at all. */
#ifndef LETHE_TOOLS_JSON_H
#define LETHE_TOOLS_JSON_H

#include "bench.h"

/**
 * json_check_target() - find out early whether the file can be written
 * @path: the user's FILE
 *
 * Leaves nothing behind and an existing file untouched.
 *
 * Return: OK, or FAILED, and said why.
 */
enum outcome json_check_target(const char *path);

/**
 * json_write() - write the file
 * @path: the user's FILE; a symbolic link is written through
 * @result: what to write
 *
 * Written beside its final name and renamed when complete.
 *
 * Return: OK, or FAILED, and said why; then an existing file is untouched.
 */
enum outcome json_write(const char *path, const struct bench_result *result);

#endif /* LETHE_TOOLS_JSON_H */
