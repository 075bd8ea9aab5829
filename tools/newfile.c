// SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
#include "newfile.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char suffix[] = ".XXXXXX";

static void forget(struct newfile *file)
{
	free(file->temp);
	free(file->target);
	memset(file, 0, sizeof(*file));
}

/* The error text of a file that cannot be written, or NULL. */
static const char *resolve(struct newfile *file, const char *path)
{
	struct stat st;
	bool exists = !stat(path, &st);

	if (exists && !S_ISREG(st.st_mode))
		return "it exists and is not a regular file";
	if (exists && access(path, W_OK))
		return strerror(errno);
	/* Renaming onto a link would replace the link and not what it names. */
	if (exists || !lstat(path, &st))
		file->target = realpath(path, NULL);
	else
		file->target = strdup(path);
	return file->target ? NULL : strerror(errno);
}

static const char *create_temp(struct newfile *file)
{
	size_t len = strlen(file->target);
	mode_t mask;
	int fd;

	file->temp = malloc(len + sizeof(suffix));
	if (!file->temp)
		return strerror(errno);
	memcpy(file->temp, file->target, len);
	memcpy(file->temp + len, suffix, sizeof(suffix));
	fd = mkstemp(file->temp);
	if (fd < 0)
		return strerror(errno);
	/* mkstemp() keeps others from reading; a new file should be as any other. */
	mask = umask(0);
	umask(mask);
	if (fchmod(fd, 0666 & ~mask) == 0)
		file->stream = fdopen(fd, "w");
	if (!file->stream) {
		int error = errno;

		close(fd);
		unlink(file->temp);
		return strerror(error);
	}
	return NULL;
}

enum outcome newfile_open(struct newfile *file, const char *path)
{
	const char *problem;

	memset(file, 0, sizeof(*file));
	problem = *path ? resolve(file, path) : "its name is empty";
	if (!problem)
		problem = create_temp(file);
	if (!problem)
		return OK;
	fail("cannot write '%s': %s", path, problem);
	forget(file);
	return FAILED;
}

void newfile_discard(struct newfile *file)
{
	fclose(file->stream);
	unlink(file->temp);
	forget(file);
}

/* Errors of buffered writes show up as late as here. Returns 0 or an errno. */
static int complete(FILE *stream)
{
	int error = 0;

	errno = EIO; /* for an earlier error, whose reason is lost */
	if (fflush(stream) || ferror(stream) || fsync(fileno(stream)))
		error = errno;
	if (fclose(stream) && !error)
		error = errno;
	return error;
}

enum outcome newfile_commit(struct newfile *file)
{
	int error = complete(file->stream);
	enum outcome err = OK;

	if (!error && rename(file->temp, file->target))
		error = errno;
	if (error) {
		err = fail("cannot write '%s': %s", file->target, strerror(error));
		unlink(file->temp);
	}
	forget(file);
	return err;
}
