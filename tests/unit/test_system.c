/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
/*
 * The system itself has no memory: not at a chosen call, as in test_nomem.c, but
 * wherever it happens. A child process gets so much address space and no more.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "objects.h"

enum { OBJECTS = 20000 };

static unsigned long handles[OBJECTS];

/* Address space of @more bytes beyond what is in use; 0: as much as there is. */
static void limit_memory(size_t more)
{
	struct rlimit limit;
	unsigned long pages = 0;
	FILE *statm = fopen("/proc/self/statm", "r");

	if (!statm || fscanf(statm, "%lu", &pages) != 1)
		exit(2);
	fclose(statm);
	getrlimit(RLIMIT_AS, &limit);
	limit.rlim_cur = limit.rlim_max;
	if (more)
		limit.rlim_cur = pages * (size_t)sysconf(_SC_PAGESIZE) + more;
	if (setrlimit(RLIMIT_AS, &limit))
		exit(3);
}

/* Allocate until there is no more. Post: how many. */
static size_t fill(struct zs_pool *pool)
{
	size_t n;

	for (n = 0; n < OBJECTS; n++) {
		handles[n] = zs_malloc(pool, n % 4 ? PORT_PAGE_SIZE : 1 + n % 1000);
		if (zs_handle_error(handles[n]) && zs_handle_error(handles[n]) != -ENOMEM)
			exit(4);
		if (zs_handle_error(handles[n]))
			break;
		if (zs_obj_write(pool, handles[n], &n, 1))
			exit(5);
	}
	return n;
}

/* In the child. */
static void live_on(size_t more, enum zs_defer_policy policy)
{
	struct zs_pool_params params = {.policy = policy, .defer_budget = 1000};
	struct zs_pool *pool = NULL;
	size_t n;
	int err;

	limit_memory(more);
	err = zs_create_pool("short", &params, &pool);
	if (err && (err != -ENOMEM || pool || user_meta_outstanding()))
		exit(6);
	if (err)
		return;
	n = fill(pool);
	limit_memory(0);
	/* As before, now that there is memory. */
	if (zs_handle_error(handles[n] = zs_malloc(pool, PORT_PAGE_SIZE)))
		exit(7);
	zs_free_batch(pool, handles, n + 1);
	if (zs_get_total_pages(pool))
		exit(8);
	zs_destroy_pool(pool);
	if (user_meta_outstanding() || user_pages_outstanding())
		exit(9);
}

static void a_system_without_memory_gives_errors(void **state)
{
	enum zs_defer_policy policy = test_policy(state);

	for (size_t more = 4096; more <= (size_t)32 << 20; more += more / 2) {
		int status;
		pid_t pid;

		fflush(NULL);
		pid = fork();
		if (!pid) {
			live_on(more, policy);
			limit_memory(0);
			exit(0);
		}
		assert_int_equal(waitpid(pid, &status, 0), pid);
		if (status)
			fail_msg("with %zu bytes: status %#x", more,
				 (unsigned int)status);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST_EACH_POLICY(a_system_without_memory_gives_errors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
