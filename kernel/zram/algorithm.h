/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
/*
 * What a device compresses with, and how. Callers hold its init_lock for writing, but for
 * zram_algorithm_set_params().
 */
#ifndef ZRAM_ALGORITHM_H
#define ZRAM_ALGORITHM_H

#include "codec.h"

/* One that pages are written with, and up to three to recompress them with. */
#define ZRAM_ALGORITHMS 4

struct zram;

struct zram_algorithm {
	const struct zram_codec *codec; /* NULL: none of this priority */
	struct zram_codec_params params;
};

void zram_algorithms_init(struct zram_algorithm *algorithms);
void zram_algorithms_reset(struct zram_algorithm *algorithms);
int zram_algorithm_choose(struct zram_algorithm *algorithm, const char *name);
int zram_algorithm_add(struct zram_algorithm *algorithms, const char *line);
int zram_algorithm_find(const struct zram_algorithm *algorithms, const char *name);
int zram_algorithm_set_params(struct zram *zram, const char *line);

#endif /* ZRAM_ALGORITHM_H */
