/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
/* Tell AddressSanitizer which pages are free: touching one is reported. */
#ifndef LETHE_USER_POISON_H
#define LETHE_USER_POISON_H

#if defined(__SANITIZE_ADDRESS__)
#define USER_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define USER_ASAN 1
#endif
#endif

#ifdef USER_ASAN
#include <sanitizer/asan_interface.h>
#define user_poison(p, size) __asan_poison_memory_region(p, size)
#define user_unpoison(p, size) __asan_unpoison_memory_region(p, size)
#else
#define user_poison(p, size) ((void)0)
#define user_unpoison(p, size) ((void)0)
#endif

#endif /* LETHE_USER_POISON_H */
