/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
/*
 * Invalid use. Debug builds die with a message that names pool, handle and call;
 * release builds refuse, count, and keep every other object whole. Both are run
 * over the same list of mistakes.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "objects.h"

/* A mistake, made with a live object or, where it says so, without one. */
struct mistake {
	const char *call; /* that the message names */
	void (*make)(struct zs_pool *pool, unsigned long handle);
};

static void double_free(struct zs_pool *pool, unsigned long handle)
{
	zs_free(pool, handle);
	zs_free(pool, handle);
}

static void double_free_in_batch(struct zs_pool *pool, unsigned long handle)
{
	unsigned long twice[2] = {handle, handle};

	zs_free_batch(pool, twice, 2);
}

static void free_after_batch(struct zs_pool *pool, unsigned long handle)
{
	zs_free_batch(pool, &handle, 1);
	zs_free(pool, handle);
}

static void batch_after_free(struct zs_pool *pool, unsigned long handle)
{
	zs_free(pool, handle);
	zs_free_batch(pool, &handle, 1);
}

static void deferred_after_free(struct zs_pool *pool, unsigned long handle)
{
	zs_free(pool, handle);
	zs_free_deferred(pool, handle);
}

static void deferred_twice(struct zs_pool *pool, unsigned long handle)
{
	zs_free_deferred(pool, handle);
	zs_free_deferred(pool, handle);
}

static void free_of_pending(struct zs_pool *pool, unsigned long handle)
{
	zs_free_deferred(pool, handle);
	zs_free(pool, handle);
}

static void batch_of_pending(struct zs_pool *pool, unsigned long handle)
{
	zs_free_deferred(pool, handle);
	zs_free_batch(pool, &handle, 1);
}

/* Handles nobody was ever given: in the table's range, and far out of it. */
static void free_of_never_allocated(struct zs_pool *pool, unsigned long handle)
{
	zs_free(pool, handle + 200);
	zs_free(pool, handle);
}

static void free_of_wild(struct zs_pool *pool, unsigned long handle)
{
	zs_free(pool, 0x7fffffff);
	zs_free(pool, handle);
}

static void free_of_wild_beyond_32_bits(struct zs_pool *pool, unsigned long handle)
{
	zs_free(pool, handle | 1ul << 40);
	zs_free(pool, handle);
}

static void batch_of_wild(struct zs_pool *pool, unsigned long handle)
{
	unsigned long handles[2] = {0xdeadbeef, handle};

	zs_free_batch(pool, handles, 2);
}

static void deferred_of_wild(struct zs_pool *pool, unsigned long handle)
{
	zs_free_deferred(pool, 0xdeadbeef);
	zs_free_deferred(pool, handle);
}

static void read_after_free(struct zs_pool *pool, unsigned long handle)
{
	char byte;

	zs_free(pool, handle);
	assert_null(zs_obj_read_begin(pool, handle, 1, &byte));
}

static void write_after_free(struct zs_pool *pool, unsigned long handle)
{
	zs_free(pool, handle);
	assert_int_equal(zs_obj_write(pool, handle, "x", 1), -22);
}

static void free_while_read(struct zs_pool *pool, unsigned long handle)
{
	char byte;

	zs_obj_read_begin(pool, handle, 1, &byte);
	zs_free(pool, handle);
	zs_obj_read_end(pool, handle);
	zs_free(pool, handle);
}

static void deferred_while_read(struct zs_pool *pool, unsigned long handle)
{
	char byte;

	zs_obj_read_begin(pool, handle, 1, &byte);
	zs_free_deferred(pool, handle);
	zs_free_deferred_flush(pool);
	zs_obj_read_end(pool, handle);
	zs_free(pool, handle);
}

static void read_after_deferred(struct zs_pool *pool, unsigned long handle)
{
	char byte;

	zs_free_deferred(pool, handle);
	assert_null(zs_obj_read_begin(pool, handle, 1, &byte));
}

static void write_after_deferred(struct zs_pool *pool, unsigned long handle)
{
	zs_free_deferred(pool, handle);
	assert_int_equal(zs_obj_write(pool, handle, "x", 1), -22);
}

static void size_after_free(struct zs_pool *pool, unsigned long handle)
{
	zs_free(pool, handle);
	assert_int_equal(zs_obj_size(pool, handle), 0);
}

static void size_after_deferred(struct zs_pool *pool, unsigned long handle)
{
	zs_free_deferred(pool, handle);
	assert_int_equal(zs_obj_size(pool, handle), 0);
}

static void size_of_error(struct zs_pool *pool, unsigned long handle)
{
	assert_int_equal(zs_obj_size(pool, -12ul), 0);
	zs_free(pool, handle);
}

static void read_of_null(struct zs_pool *pool, unsigned long handle)
{
	char byte;

	assert_null(zs_obj_read_begin(pool, 0, 1, &byte));
	zs_free(pool, handle);
}

static void write_of_error(struct zs_pool *pool, unsigned long handle)
{
	assert_int_equal(zs_obj_write(pool, -12ul, "x", 1), -22);
	zs_free(pool, handle);
}

static void read_of_wild(struct zs_pool *pool, unsigned long handle)
{
	char byte;

	assert_null(zs_obj_read_begin(pool, 0xdeadbeef, 1, &byte));
	zs_free(pool, handle);
}

static const struct mistake mistakes[] = {
	{"zs_free", double_free},
	{"zs_free_batch", double_free_in_batch},
	{"zs_free", free_after_batch},
	{"zs_free_batch", batch_after_free},
	{"zs_free_deferred", deferred_after_free},
	{"zs_free_deferred", deferred_twice},
	{"zs_free", free_of_pending},
	{"zs_free_batch", batch_of_pending},
	{"zs_free", free_of_never_allocated},
	{"zs_free", free_of_wild},
	{"zs_free", free_of_wild_beyond_32_bits},
	{"zs_free_batch", batch_of_wild},
	{"zs_free_deferred", deferred_of_wild},
	{"zs_obj_read_begin", read_after_free},
	{"zs_obj_write", write_after_free},
	{"zs_free", free_while_read},
	{"zs_free_deferred", deferred_while_read},
	{"zs_obj_read_begin", read_after_deferred},
	{"zs_obj_write", write_after_deferred},
	{"zs_obj_read_begin", read_of_null},
	{"zs_obj_write", write_of_error},
	{"zs_obj_read_begin", read_of_wild},
	{"zs_obj_size", size_after_free},
	{"zs_obj_size", size_after_deferred},
	{"zs_obj_size", size_of_error},
};

#ifdef LETHE_DEBUG

/* Make the mistake in a child; its last words, and how it ended. */
static int die_of(const struct mistake *m, enum zs_defer_policy policy, char *words,
		  size_t room, unsigned long *handle)
{
	struct zs_pool_params params = {.policy = policy};
	size_t got = 0;
	int status, fd[2];
	ssize_t n;
	pid_t pid;

	assert_int_equal(pipe(fd), 0);
	fflush(NULL);
	pid = fork();
	if (!pid) {
		struct zs_pool *pool;
		unsigned long h;

		signal(SIGABRT, SIG_DFL); /* cmocka's handler would go on */
		dup2(fd[1], STDERR_FILENO);
		if (zs_create_pool("victim", &params, &pool))
			_exit(2);
		h = zs_malloc(pool, 100);
		if (write(fd[1], &h, sizeof(h)) != sizeof(h))
			_exit(3);
		m->make(pool, h);
		_exit(0); /* it lived: the test fails */
	}
	close(fd[1]);
	assert_int_equal(read(fd[0], handle, sizeof(*handle)), sizeof(*handle));
	while (got < room - 1 && (n = read(fd[0], words + got, room - 1 - got)) > 0)
		got += (size_t)n;
	words[got] = '\0';
	close(fd[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

/* The handle that the message names is the culprit's. */
static void assert_words_name(const char *words, unsigned long handle, bool wild)
{
	const char *at = strstr(words, "handle ");
	unsigned long named;

	assert_non_null(at);
	named = strtoul(at + strlen("handle "), NULL, 10);
	if (wild)
		assert_int_not_equal(named, handle);
	else
		assert_int_equal(named, handle);
}

static void mistakes_are_fatal_and_named(void **state)
{
	enum zs_defer_policy policy = test_policy(state);

	for (size_t i = 0; i < ARRAY_SIZE(mistakes); i++) {
		const struct mistake *m = &mistakes[i];
		bool wild = m->make == free_of_never_allocated ||
			    m->make == free_of_wild ||
			    m->make == free_of_wild_beyond_32_bits ||
			    m->make == batch_of_wild || m->make == deferred_of_wild ||
			    m->make == read_of_null || m->make == write_of_error ||
			    m->make == read_of_wild || m->make == size_of_error;
		unsigned long handle;
		char words[1000];
		int status = die_of(m, policy, words, sizeof(words), &handle);

		if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGABRT)
			fail_msg("mistake %zu (%s) was not fatal: %s", i, m->call, words);
		assert_non_null(strstr(words, "pool victim"));
		assert_words_name(words, handle, wild);
		if (!strstr(words, m->call))
			fail_msg("mistake %zu: no \"%s\" in \"%s\"", i, m->call, words);
	}
}

#else

static void mistakes_are_refused_and_harm_nobody(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(mistakes); i++) {
		const struct mistake *m = &mistakes[i];
		struct zs_pool *pool = pool_create(test_policy(state), 0);
		struct object o[100], victim;
		struct zs_pool_stats s;
		u64 seed = 51;

		objects_create(pool, o, ARRAY_SIZE(o) / 2, &seed);
		object_create(pool, &victim, 100, 1);
		objects_create(pool, o + ARRAY_SIZE(o) / 2, ARRAY_SIZE(o) / 2, &seed);
		m->make(pool, victim.handle);
		zs_free_deferred_flush(pool);
		s = pool_stats(pool);
		/* The one free that was right has happened, the other is counted. */
		if (s.objects != ARRAY_SIZE(o) || s.invalid != 1)
			fail_msg("mistake %zu (%s): %zu objects, %llu refused", i,
				 m->call, s.objects, (unsigned long long)s.invalid);
		objects_verify(pool, o, ARRAY_SIZE(o));
		/* The pool goes on as if nothing had happened. */
		object_create(pool, &victim, 100, 2);
		objects_verify(pool, o, ARRAY_SIZE(o));
		assert_true(object_is_intact(pool, &victim));
		objects_free(pool, o, ARRAY_SIZE(o));
		objects_free(pool, &victim, 1);
		assert_int_equal(zs_get_total_pages(pool), 0);
		pool_check_account(pool);
		pool_destroy(pool);
	}
}

/* Does the mistake depend on the handle being pending at the second call? */
static bool mistake_needs_pending(const struct mistake *m)
{
	return m->make == deferred_twice || m->make == free_of_pending ||
	       m->make == batch_of_pending;
}

/* Pending handles are known by their mark, so the mistake is refused at once. */
static void mistakes_with_pending_are_refused_before_the_drain(void **state)
{
	enum zs_defer_policy policy = test_policy(state);

	for (size_t i = 0; i < ARRAY_SIZE(mistakes); i++) {
		struct zs_pool *pool;
		struct object o;

		if (!mistake_needs_pending(&mistakes[i]))
			continue;
		pool = pool_create(policy, 0);
		object_create(pool, &o, 100, 1);
		mistakes[i].make(pool, o.handle);
		assert_int_equal(pool_stats(pool).invalid, 1);
		assert_int_equal(pool_stats(pool).queued, policy != ZS_DEFER_SYNC);
		pool_destroy(pool);
	}
}

/* The handle is given out again; the first free of it is still to be drained. */
static void a_refused_free_cannot_hit_a_later_object(void **state)
{
	struct zs_pool *pool = pool_create(test_policy(state), 0);
	struct object o, later[200];
	u64 seed = 53;

	object_create(pool, &o, 100, 1);
	free_of_pending(pool, o.handle);
	objects_create(pool, later, ARRAY_SIZE(later), &seed);
	zs_free_deferred_flush(pool);
	objects_verify(pool, later, ARRAY_SIZE(later));
	assert_int_equal(pool_stats(pool).objects, ARRAY_SIZE(later));
	assert_int_equal(pool_stats(pool).invalid, 1);
	objects_free(pool, later, ARRAY_SIZE(later));
	pool_destroy(pool);
}

/* A long run of random mistakes among honest use. */
static void random_mistakes_harm_nobody(void **state)
{
	struct zs_pool *pool = pool_create(test_policy(state), 300);
	struct object o[600] = {0};
	u64 seed = 52;
	u64 wrong = 0;

	for (int i = 0; i < 60000; i++) {
		struct object *one = &o[random_below(&seed, ARRAY_SIZE(o))];

		if (!one->handle) {
			object_create(pool, one, random_size(&seed), (u32)i);
		} else if (random_below(&seed, 2)) {
			if (!object_is_intact(pool, one))
				fail_msg("damaged at step %d", i);
		} else {
			unsigned long gone = one->handle;

			objects_free(pool, one, 1);
			zs_free(pool, gone);
			zs_free_batch(pool, &gone, 1);
			zs_free_deferred(pool, gone);
			wrong += 3;
		}
	}
	objects_verify(pool, o, ARRAY_SIZE(o));
	assert_int_equal(pool_stats(pool).invalid, wrong);
	assert_true(wrong > 1000);
	objects_free(pool, o, ARRAY_SIZE(o));
	assert_int_equal(pool_stats(pool).objects, 0);
	pool_destroy(pool);
}

#endif

int main(void)
{
	const struct CMUnitTest tests[] = {
#ifdef LETHE_DEBUG
		TEST_EACH_POLICY(mistakes_are_fatal_and_named),
#else
		TEST_EACH_POLICY(mistakes_are_refused_and_harm_nobody),
		TEST_EACH_POLICY(mistakes_with_pending_are_refused_before_the_drain),
		TEST_EACH_POLICY(a_refused_free_cannot_hit_a_later_object),
		TEST_EACH_POLICY(random_mistakes_harm_nobody),
#endif
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
