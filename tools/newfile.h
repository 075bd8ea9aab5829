/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
/* A file that appears under its name only when it is complete. */
#ifndef LETHE_TOOLS_NEWFILE_H
#define LETHE_TOOLS_NEWFILE_H

#include <stdio.h>

#include "say.h"

struct newfile {
	FILE *stream; /**< write here */
	char *target; /**< the final name, links resolved */
	char *temp; /**< the name until then, in the same directory */
};

/**
 * newfile_open() - begin
 * @file: filled in
 * @path: the name that the file will have
 *
 * What is there already must be a regular file that may be written.
 *
 * Return: OK, or FAILED, and said why.
 */
enum outcome newfile_open(struct newfile *file, const char *path);

/** newfile_discard() - end, and leave everything as it was. */
void newfile_discard(struct newfile *file);

/**
 * newfile_commit() - end, and put the file in its place
 *
 * Return: OK, or FAILED, and said why; then everything is as it was.
 */
enum outcome newfile_commit(struct newfile *file);

#endif /* LETHE_TOOLS_NEWFILE_H */
