/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
/* What a device compresses with, and how. Callers hold its init_lock for writing. */
#ifndef ZRAM_ALGORITHM_H
#define ZRAM_ALGORITHM_H

#include "codec.h"

struct zram_algorithm {
	const struct zram_codec *codec;
	struct zram_codec_params params;
};

void zram_algorithm_init(struct zram_algorithm *algorithm);
void zram_algorithm_reset(struct zram_algorithm *algorithm);
int zram_algorithm_choose(struct zram_algorithm *algorithm, const char *name);
int zram_algorithm_set_params(struct zram_algorithm *algorithm, const char *line);

#endif /* ZRAM_ALGORITHM_H */
