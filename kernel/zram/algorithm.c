// SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
/*
 * What a device compresses with: its algorithms, and the parameters of each. The one of
 * priority 0 is for what is written, the others are to recompress it with.
 *
 * Both are chosen before the device has a size, and are in force from then until it is
 * reset. Parameters are checked when it is given the size, by the codec; a dictionary is
 * read as soon as it is named.
 *
 * Lock order: init_lock, which callers hold for writing;
 * zram_algorithm_set_params() takes it.
 */
#include <linux/ctype.h>
#include <linux/kernel.h>
#include <linux/kernel_read_file.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/vmalloc.h>

#include "algorithm.h"
#include "compat.h"
#include "zram.h"

/* Zstandard's own tools make dictionaries of 110 KiB. */
#define DICT_MAX (16 << 20)

static void params_clear(struct zram_codec_params *params)
{
	vfree(params->dict);
	*params = (struct zram_codec_params)ZRAM_CODEC_PARAMS_INIT;
}

/**
 * zram_algorithms_init() - the default algorithm, without parameters
 * @algorithms: of a device, by priority
 *
 * Context: process context.
 */
void zram_algorithms_init(struct zram_algorithm *algorithms)
{
	unsigned int i;

	for (i = 0; i < ZRAM_ALGORITHMS; i++) {
		algorithms[i].codec = NULL;
		algorithms[i].params = (struct zram_codec_params)ZRAM_CODEC_PARAMS_INIT;
	}
	algorithms[0].codec = zram_codec_default();
}

/**
 * zram_algorithms_reset() - back to that, when a device is reset or goes
 * @algorithms: of a device, by priority, with no streams
 *
 * Context: process context, may sleep.
 */
void zram_algorithms_reset(struct zram_algorithm *algorithms)
{
	const struct zram_codec *codec = algorithms[0].codec;
	unsigned int i;

	for (i = 0; i < ZRAM_ALGORITHMS; i++)
		params_clear(&algorithms[i].params);
	zram_algorithms_init(algorithms);
	if (COMPAT_ZRAM_RESET_KEEPS_CODEC)
		algorithms[0].codec = codec;
}

/**
 * zram_algorithm_choose() - choose an algorithm
 * @algorithm: which to change; the parameters of the one that it was are forgotten, but
 *	       not those that were set for its priority before there was one
 * @name: the name, perhaps with a newline after it
 *
 * Context: process context.
 * Return: 0; -EINVAL if there is none of that name.
 */
int zram_algorithm_choose(struct zram_algorithm *algorithm, const char *name)
{
	const struct zram_codec *codec = zram_codec_find(name);

	if (!codec)
		return -EINVAL;
	if (algorithm->codec)
		params_clear(&algorithm->params);
	algorithm->codec = codec;
	return 0;
}

/* What is asked for by one line, as it is read word by word. */
struct request {
	s32 priority;
	const char *algorithm, *dict;
	struct zram_codec_params params;
};

static int request_word(struct request *request, const char *key, const char *value)
{
	if (!strcmp(key, "priority"))
		return kstrtoint(value, 10, &request->priority);
	if (!strcmp(key, "level"))
		return kstrtoint(value, 10, &request->params.level);
	if (!strcmp(key, "deflate.winbits"))
		return kstrtoint(value, 10, &request->params.winbits);
	if (!strcmp(key, "algo"))
		request->algorithm = value;
	if (!strcmp(key, "dict"))
		request->dict = value;
	/* Any other is passed over, as it has always been. */
	return 0;
}

static int request_parse(struct request *request, char *line)
{
	char *key, *value;
	int err = 0;

	for (line = skip_spaces(line); *line && !err;) {
		line = next_arg(line, &key, &value);
		err = value && *value ? request_word(request, key, value) : -EINVAL;
	}
	return err;
}

static int dict_read(struct zram_codec_params *params, const char *path)
{
	ssize_t len = kernel_read_file_from_path(path, 0, &params->dict, DICT_MAX, NULL,
						 READING_POLICY);

	if (len < 0) {
		params->dict = NULL;
		pr_err("zram: failed to load dictionary %s (err=%zd)\n", path, len);
		return COMPAT_ZRAM_DICT_ERRNO(len);
	}
	params->dict_len = len;
	return 0;
}

/**
 * zram_algorithm_find() - the priority of an algorithm that a device has
 * @algorithms: of the device, by priority
 * @name: the algorithm's name
 *
 * Context: process context.
 * Return: the priority; -EINVAL if it has none of that name.
 */
int zram_algorithm_find(const struct zram_algorithm *algorithms, const char *name)
{
	unsigned int i;

	for (i = 0; i < ZRAM_ALGORITHMS; i++)
		if (algorithms[i].codec && !strcmp(algorithms[i].codec->name, name))
			return i;
	return -EINVAL;
}

/* The priority that is meant: by name, by number, or the first. */
static int request_priority(const struct request *request,
			    const struct zram_algorithm *algorithms)
{
	s32 priority = request->priority == ZRAM_PARAM_UNSET ? 0 : request->priority;

	if (request->algorithm)
		return zram_algorithm_find(algorithms, request->algorithm);
	if (priority < 0 || priority >= ZRAM_ALGORITHMS)
		return -EINVAL;
	return priority;
}

/* That, or -EBUSY if the device has a size. Caller: holds init_lock. */
static int request_target(const struct request *request, struct zram *zram)
{
	int priority = request_priority(request, zram->algorithms);

	return priority >= 0 && zram_initialised(zram) ? -EBUSY : priority;
}

static int request_apply(struct request *request, struct zram *zram)
{
	int priority, err;
	bool writing;

	down_read(&zram->init_lock);
	priority = request_target(request, zram);
	up_read(&zram->init_lock);
	if (priority < 0)
		return priority;
	/* With no lock held: the file may be on a disk that is slow, or hangs. */
	err = request->dict ? dict_read(&request->params, request->dict) : 0;
	if (err)
		return err;
	writing = zram_lock_settings(zram);
	priority = request_target(request, zram);
	if (priority >= 0)
		swap(zram->algorithms[priority].params, request->params);
	zram_unlock_settings(zram, writing);
	params_clear(&request->params);
	return min(priority, 0);
}

/**
 * zram_algorithm_set_params() - set the parameters of an algorithm
 * @zram: the device; what parameters the algorithm had are forgotten
 * @line: as it is written to algorithm_params
 *
 * Context: process context, may sleep; reads a file. The caller does not hold init_lock.
 * Return: 0; -EINVAL for what cannot be understood, or names an algorithm that the
 * device has not, or a priority that there is not; -EBUSY for what can, if the device has
 * a size, or got it meanwhile; another errno if the dictionary cannot be read. Nothing is
 * changed then.
 */
int zram_algorithm_set_params(struct zram *zram, const char *line)
{
	struct request request = {
		.priority = ZRAM_PARAM_UNSET,
		.params = ZRAM_CODEC_PARAMS_INIT,
	};
	char *copy = kstrdup(line, GFP_KERNEL);
	int err;

	if (!copy)
		return -ENOMEM;
	err = request_parse(&request, copy);
	if (!err)
		err = request_apply(&request, zram);
	kfree(copy);
	return err;
}

/**
 * zram_algorithm_add() - have an algorithm to recompress with
 * @algorithms: of the device, by priority
 * @line: as it is written to recomp_algorithm
 *
 * Context: process context, may sleep.
 * Return: 0; -EINVAL for what cannot be understood, an algorithm that there is not, or a
 * priority that is none of these.
 */
int zram_algorithm_add(struct zram_algorithm *algorithms, const char *line)
{
	struct request request = {.priority = 1};
	char *copy = kstrdup(line, GFP_KERNEL);
	int err;

	if (!copy)
		return -ENOMEM;
	err = request_parse(&request, copy);
	if (!err && (!request.algorithm || request.priority < 1 ||
		     request.priority >= ZRAM_ALGORITHMS))
		err = -EINVAL;
	if (!err)
		err = zram_algorithm_choose(&algorithms[request.priority],
					    request.algorithm);
	kfree(copy);
	return err;
}
