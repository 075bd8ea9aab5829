// SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
#include "utf8.h"

#include <stdbool.h>

static bool continues(const unsigned char *c, size_t len)
{
	for (size_t i = 1; i < len; i++) {
		if ((c[i] & 0xc0) != 0x80)
			return false;
	}
	return true;
}

size_t utf8_sequence(const unsigned char *c)
{
	if (c[0] < 0x80)
		return 1;
	if (c[0] >= 0xc2 && c[0] <= 0xdf)
		return continues(c, 2) ? 2 : 0;
	if (c[0] >= 0xe0 && c[0] <= 0xef) {
		bool overlong = c[0] == 0xe0 && c[1] < 0xa0;
		bool surrogate = c[0] == 0xed && c[1] > 0x9f;

		return !overlong && !surrogate && continues(c, 3) ? 3 : 0;
	}
	if (c[0] >= 0xf0 && c[0] <= 0xf4) {
		bool overlong = c[0] == 0xf0 && c[1] < 0x90;
		bool too_large = c[0] == 0xf4 && c[1] > 0x8f;

		return !overlong && !too_large && continues(c, 4) ? 4 : 0;
	}
	return 0;
}
