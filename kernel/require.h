/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
/*
 * What a kernel must be configured as. Every file is compiled with this before
 * anything else (Kbuild), so that a kernel that will not do stops with a sentence
 * rather than at whatever does not compile there. Includes nothing.
 */
#ifndef LETHE_REQUIRE_H
#define LETHE_REQUIRE_H

#ifndef CONFIG_64BIT
#error "Lethe needs a 64-bit kernel: it keeps pages by their kernel address."
#endif

#endif /* LETHE_REQUIRE_H */
