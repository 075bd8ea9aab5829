/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
/* The bytes that decide what happens. At their end, all that is read is 0. */
#ifndef LETHE_FUZZ_INPUT_H
#define LETHE_FUZZ_INPUT_H

#include "port.h"

struct input {
	const u8 *at;
	size_t left;
};

static inline u32 input_byte(struct input *in)
{
	if (!in->left)
		return 0;
	in->left--;
	return *in->at++;
}

static inline u32 input_word(struct input *in)
{
	u32 low = input_byte(in);

	return low | input_byte(in) << 8;
}

#endif /* LETHE_FUZZ_INPUT_H */
