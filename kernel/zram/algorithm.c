// SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
/*
 * What a device compresses with: its algorithm, and the parameters of it.
 *
 * Both are chosen before the device has a size, and are in force from then until it is
 * reset. Parameters are checked when it is given the size, by the codec; a dictionary is
 * read as soon as it is named.
 *
 * Lock order: init_lock, which callers hold for writing.
 */
#include <linux/ctype.h>
#include <linux/kernel.h>
#include <linux/kernel_read_file.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/vmalloc.h>

#include "algorithm.h"
#include "compat.h"

/* Zstandard's own tools make dictionaries of 110 KiB. */
#define DICT_MAX (16 << 20)

static void params_clear(struct zram_codec_params *params)
{
	vfree(params->dict);
	*params = (struct zram_codec_params)ZRAM_CODEC_PARAMS_INIT;
}

/**
 * zram_algorithm_init() - the default algorithm, without parameters
 * @algorithm: it
 *
 * Context: process context.
 */
void zram_algorithm_init(struct zram_algorithm *algorithm)
{
	algorithm->codec = zram_codec_default();
	algorithm->params = (struct zram_codec_params)ZRAM_CODEC_PARAMS_INIT;
}

/**
 * zram_algorithm_reset() - back to that, when a device is reset or goes
 * @algorithm: it, with no streams
 *
 * Context: process context, may sleep.
 */
void zram_algorithm_reset(struct zram_algorithm *algorithm)
{
	params_clear(&algorithm->params);
	if (!COMPAT_ZRAM_RESET_KEEPS_CODEC)
		algorithm->codec = zram_codec_default();
}

/**
 * zram_algorithm_choose() - choose an algorithm
 * @algorithm: which to change; its parameters stay
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

static int request_apply(struct request *request, struct zram_algorithm *algorithm)
{
	int err;

	if (request->algorithm &&
	    !sysfs_streq(request->algorithm, algorithm->codec->name))
		return -EINVAL;
	/* There is one algorithm, which is the first. */
	if (!request->algorithm && request->priority != ZRAM_PARAM_UNSET &&
	    request->priority != 0)
		return -EINVAL;
	if (request->dict) {
		err = dict_read(&request->params, request->dict);
		if (err)
			return err;
	}
	params_clear(&algorithm->params);
	algorithm->params = request->params;
	return 0;
}

/**
 * zram_algorithm_set_params() - set the parameters of an algorithm
 * @algorithm: it; what parameters it had are forgotten
 * @line: as it is written to algorithm_params
 *
 * Context: process context, may sleep; reads a file.
 * Return: 0; -EINVAL for what cannot be understood, or is for an algorithm that is not
 * this; another errno if the dictionary cannot be read. Nothing is changed then.
 */
int zram_algorithm_set_params(struct zram_algorithm *algorithm, const char *line)
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
		err = request_apply(&request, algorithm);
	kfree(copy);
	return err;
}
