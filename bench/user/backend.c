// SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
#include "backend.h"

#include <string.h>

static const struct backend *const backends[] = {
	&backend_glibc,		 &backend_jemalloc,   &backend_mimalloc,
	&backend_tcmalloc,	 &backend_lethe_free, &backend_lethe_batch,
	&backend_lethe_deferred,
};

const struct backend *backend_at(size_t i)
{
	return i < sizeof(backends) / sizeof(backends[0]) ? backends[i] : NULL;
}

const struct backend *backend_by_name(const char *name)
{
	const struct backend *backend;

	for (size_t i = 0; (backend = backend_at(i)) != NULL; i++) {
		if (!strcmp(backend->name, name))
			return backend;
	}
	return NULL;
}
