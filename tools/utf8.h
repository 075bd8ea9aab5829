/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
/* Telling UTF-8 from other bytes. */
#ifndef LETHE_TOOLS_UTF8_H
#define LETHE_TOOLS_UTF8_H

#include <stddef.h>

/**
 * utf8_sequence() - the length of the character at @c
 * @c: a NUL-terminated string, not at its end
 *
 * Return: 1 to 4 bytes; 0 if no valid UTF-8 character begins here (overlong
 * forms and surrogates are not valid).
 */
size_t utf8_sequence(const unsigned char *c);

#endif /* LETHE_TOOLS_UTF8_H */
