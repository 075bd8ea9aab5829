/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
/* What the tool says on stdout. Plain text: no colours, no cursor movement. */
#ifndef LETHE_TOOLS_TABLE_H
#define LETHE_TOOLS_TABLE_H

#include "bench.h"

/** table_print() - show a result. Return: OK, or FAILED if stdout is full. */
enum outcome table_print(const struct bench_result *result);

/** table_text() - show ready-made text. Return: OK, or FAILED if stdout is full. */
enum outcome table_text(const char *text);

/** table_finish() - after printing. Return: OK, or FAILED if stdout is full. */
enum outcome table_finish(void);

#endif /* LETHE_TOOLS_TABLE_H */
