/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
/* A string as JSON has it. */
#ifndef LETHE_TOOLS_JSONSTRING_H
#define LETHE_TOOLS_JSONSTRING_H

#include <stdio.h>

/**
 * json_string() - write a string in quotes
 * @f: where to
 * @text: any bytes; those that are no UTF-8 become replacement characters
 */
void json_string(FILE *f, const char *text);

#endif /* LETHE_TOOLS_JSONSTRING_H */
