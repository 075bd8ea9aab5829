// SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
#include "jsonstring.h"

#include "utf8.h"

void json_string(FILE *f, const char *text)
{
	const unsigned char *c = (const unsigned char *)text;

	fputc('"', f);
	while (*c) {
		size_t len = utf8_sequence(c);

		if (!len) {
			fputs("\\ufffd", f); /* a file name need not be UTF-8 */
			c++;
		} else if (len > 1) {
			fwrite(c, 1, len, f);
			c += len;
		} else {
			if (*c == '"' || *c == '\\')
				fprintf(f, "\\%c", *c);
			else if (*c < ' ')
				fprintf(f, "\\u%04x", (unsigned int)*c);
			else
				fputc(*c, f);
			c++;
		}
	}
	fputc('"', f);
}
