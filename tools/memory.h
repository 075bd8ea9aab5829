/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
/* Large, zeroed blocks of memory, and whether there is enough of it. */
#ifndef LETHE_TOOLS_MEMORY_H
#define LETHE_TOOLS_MEMORY_H

#include <stddef.h>
#include <stdint.h>

/**
 * memory_available() - what can be used without making others suffer
 *
 * Return: bytes; UINT64_MAX if the system does not tell.
 */
uint64_t memory_available(void);

/**
 * memory_map() - get @bytes of zeroed memory, aligned to the system's page size
 *
 * It costs nothing until it is touched. Return: NULL if there is none.
 */
void *memory_map(size_t bytes);

/** memory_unmap() - give back what memory_map(@bytes) gave; NULL is allowed. */
void memory_unmap(void *p, size_t bytes);

#endif /* LETHE_TOOLS_MEMORY_H */
