/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
/* Advice to the system: see advise.h. */
#define _GNU_SOURCE
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "advise.h"

/*
 * Newer than the headers that we may be built with. The process itself, without
 * a file descriptor, which a fork would let point to the wrong one: since Linux 6.14.
 */
#define PIDFD_OWN (-10000)
#define ADVICE_POPULATE_WRITE 23 /* MADV_POPULATE_WRITE, since Linux 5.14 */

/* Bytes discarded of @n pieces; negative: that is not known here, or forbidden. */
static long discard_many(const struct iovec *piece, unsigned int n)
{
#ifdef SYS_process_madvise
	return syscall(SYS_process_madvise, PIDFD_OWN, piece, (unsigned long)n,
		       MADV_DONTNEED, 0u);
#else
	(void)piece;
	(void)n;
	return -1;
#endif
}

bool advise_takes_many(void)
{
	static u32 known; /* 0: not yet, 1: no, 2: yes; the same for each caller */
	u32 k = __atomic_load_n(&known, __ATOMIC_RELAXED);

	if (unlikely(!k)) {
		k = discard_many(NULL, 0) == 0 ? 2 : 1;
		__atomic_store_n(&known, k, __ATOMIC_RELAXED);
	}
	return k == 2;
}

void advise_discard(const struct iovec *piece, unsigned int n)
{
	size_t bytes = 0;
	unsigned int i;

	for (i = 0; i < n; i++)
		bytes += piece[i].iov_len;
	/* One piece is discarded as well, and at less cost, by the older call. */
	if (n > 1 && advise_takes_many() && discard_many(piece, n) == (long)bytes)
		return;
	for (i = 0; i < n; i++)
		madvise(piece[i].iov_base, piece[i].iov_len, MADV_DONTNEED);
}

bool advise_populate(void *p, size_t size)
{
	return madvise(p, size, ADVICE_POPULATE_WRITE) == 0;
}
