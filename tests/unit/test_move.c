/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
/*
 * Pages that move: what a home does that wants the memory of a page. The test is that
 * home; it keeps an object in each zspage alive, so that owners are there without a lock.
 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "objects.h"
#include "pool.h"

static struct zspage *zspage_of(struct zs_pool *pool, unsigned long handle)
{
	return entry_zspage(port_atomic_load(pool_entry(pool, handle)));
}

static pthread_mutex_t home_lock = PTHREAD_MUTEX_INITIALIZER;

/* Move page @nr of @z. The page that is left is filled with what must not be read. */
static bool page_move(struct zs_pool *pool, struct zspage *z, unsigned int nr)
{
	const struct size_class *c = pool->classes[z->class_index];
	void *from, *to, *gone;
	bool moved;

	assert_int_equal(port_pages_alloc(&to, 1, PORT_ALLOC_WAIT, PORT_NO_NODE), 0);
	pthread_mutex_lock(&home_lock);
	from = zspage_pages(c, z)[nr];
	moved = core_move_page(pool, z, from, to);
	pthread_mutex_unlock(&home_lock);
	gone = moved ? from : to;
	memset(gone, 0xee, PORT_PAGE_SIZE);
	port_pages_free(&gone, 1);
	return moved;
}

static unsigned int zspage_pages_nr(struct zs_pool *pool, unsigned long handle)
{
	return pool->classes[zspage_of(pool, handle)->class_index]->pages;
}

/* Each page of the zspage of each object, once an object. Returns how many moved. */
static size_t pages_move_all(struct zs_pool *pool, const struct object *o, size_t n)
{
	size_t moved = 0;

	for (size_t i = 0; i < n; i++) {
		if (!o[i].handle)
			continue;
		for (unsigned int p = 0; p < zspage_pages_nr(pool, o[i].handle); p++)
			moved += page_move(pool, zspage_of(pool, o[i].handle), p);
	}
	return moved;
}

static void moved_pages_keep_their_content(void **state)
{
	struct zs_pool *pool = pool_create(test_policy(state), 0);
	struct object o[1500];
	u64 seed = 61;
	size_t moved;

	objects_create(pool, o, ARRAY_SIZE(o), &seed);
	moved = pages_move_all(pool, o, ARRAY_SIZE(o));
	assert_true(moved >= ARRAY_SIZE(o));
	assert_int_equal(pool_stats(pool).pages_moved, moved);
	objects_verify(pool, o, ARRAY_SIZE(o));
	/* What is moved can be freed, written again, and packed. */
	objects_shuffle(o, ARRAY_SIZE(o), &seed);
	objects_free_deferred(pool, o, 500);
	objects_free(pool, o + 500, 400);
	objects_create(pool, o, 300, &seed);
	pages_move_all(pool, o, ARRAY_SIZE(o));
	zs_compact(pool);
	pages_move_all(pool, o, ARRAY_SIZE(o));
	objects_verify(pool, o, ARRAY_SIZE(o));
	objects_free_deferred(pool, o, ARRAY_SIZE(o));
	zs_free_deferred_flush(pool);
	assert_int_equal(zs_get_total_pages(pool), 0);
	pool_destroy(pool);
}

/*
 * Every class: the pages with a byte of the object that is read stay, and all others
 * move. Then the claims of the moves that failed are let go.
 */
static void a_pinned_object_holds_its_pages(void **state)
{
	struct zs_pool *pool = pool_create(ZS_DEFER_SYNC, 0);
	unsigned char buf[PORT_PAGE_SIZE];

	(void)state;
	for (unsigned int k = 0; k < pool->table.nr; k++) {
		const struct size_class *c = pool->classes[k];
		struct object o[256];

		assert_true(c->objs <= ARRAY_SIZE(o));
		objects_create_equal(pool, o, c->objs, c->size);
		for (unsigned int i = 0; i < c->objs; i += c->objs / 8 + 1) {
			unsigned int obj = entry_obj(
				port_atomic_load(pool_entry(pool, o[i].handle)));
			size_t first = (size_t)obj * c->size >> PORT_PAGE_SHIFT;
			size_t last =
				((size_t)(obj + 1) * c->size - 1) >> PORT_PAGE_SHIFT;

			assert_non_null(
				zs_obj_read_begin(pool, o[i].handle, c->size, buf));
			for (unsigned int p = 0; p < c->pages; p++) {
				struct zspage *z = zspage_of(pool, o[i].handle);

				assert_int_equal(page_move(pool, z, p),
						 p < first || p > last);
			}
			zs_obj_read_end(pool, o[i].handle);
		}
		objects_verify(pool, o, c->objs);
		assert_int_equal(pages_move_all(pool, o, 1), c->pages);
		objects_verify(pool, o, c->objs);
		objects_free(pool, o, c->objs);
		assert_int_equal(pool_stats(pool).invalid, 0);
	}
	pool_destroy(pool);
}

/* A pending object moves with its page, stays pending, and is freed once. */
static void pending_objects_move(void **state)
{
	struct zs_pool *pool = pool_create(test_policy(state), 4096);
	struct object o[64];
	struct zs_pool_stats s;

	objects_create_equal(pool, o, ARRAY_SIZE(o), 96);
	for (size_t i = 1; i < ARRAY_SIZE(o); i++) {
		zs_free_deferred(pool, o[i].handle);
		o[i].handle = 0;
		pages_move_all(pool, o, 1);
	}
	objects_verify(pool, o, 1);
	zs_free_deferred_flush(pool);
	s = pool_stats(pool);
	assert_int_equal(s.objects, 1);
	assert_int_equal(s.pending, 0);
	assert_int_equal(s.invalid, 0);
	pool_check_account(pool);
	objects_free(pool, o, 1);
	pool_destroy(pool);
}

/* A zspage that no object is in yet is not the pool's to move. */
static void a_zspage_without_objects_stays(void **state)
{
	struct zs_pool *pool = pool_create(ZS_DEFER_SYNC, 0);
	struct size_class *c = pool->classes[size_class_index(&pool->table, 2000)];
	struct zspage *z = zspage_create(c, PORT_ALLOC_WAIT, PORT_NO_NODE);

	(void)state;
	assert_non_null(z);
	assert_false(page_move(pool, z, 0));
	z->next = NULL;
	zspage_destroy_list(c, z);
	pool_destroy(pool);
}

enum { OBJECTS = 512, ROUNDS = 100 };

struct movers {
	struct zs_pool *pool;
	struct object anchor[OBJECTS]; /* keep their zspages alive */
	port_atomic stop;
	port_atomic moved;
	port_atomic damaged;
};

static void *mover_run(void *arg)
{
	struct movers *m = arg;
	u64 seed = 62;

	while (!port_atomic_load(&m->stop)) {
		struct object *o = &m->anchor[random_below(&seed, OBJECTS)];
		struct zspage *z = zspage_of(m->pool, o->handle);
		u32 pages = m->pool->classes[z->class_index]->pages;

		port_atomic_add(&m->moved,
				page_move(m->pool, z, random_below(&seed, pages)));
	}
	return NULL;
}

static void *reader_run(void *arg)
{
	struct movers *m = arg;
	u64 seed = 63;

	while (!port_atomic_load(&m->stop)) {
		if (!object_is_intact(m->pool, &m->anchor[random_below(&seed, OBJECTS)]))
			port_atomic_add(&m->damaged, 1);
	}
	return NULL;
}

/* Two movers and two readers, beside a thread that allocates, writes and frees. */
static void pages_move_while_others_work(void **state)
{
	struct movers *m = calloc(1, sizeof(*m));
	pthread_t thread[4];
	struct object o[OBJECTS];
	u64 seed = 64;

	m->pool = pool_create(test_policy(state), 300);
	for (u32 i = 0; i < OBJECTS; i++)
		object_create(m->pool, &m->anchor[i], 40 + 2 * i, i);
	for (size_t i = 0; i < ARRAY_SIZE(thread); i++)
		assert_int_equal(pthread_create(&thread[i], NULL,
						i % 2 ? mover_run : reader_run, m),
				 0);
	for (u32 round = 0; round < ROUNDS; round++) {
		for (u32 i = 0; i < OBJECTS; i++)
			object_create(m->pool, &o[i], 40 + random_below(&seed, 1000),
				      round + i);
		objects_verify(m->pool, o, OBJECTS);
		objects_free_deferred(m->pool, o, OBJECTS / 2);
		objects_free(m->pool, o + OBJECTS / 2, OBJECTS / 2);
	}
	TEST_WAIT_UNTIL(port_atomic_load(&m->moved) > 100);
	port_atomic_store(&m->stop, 1);
	for (size_t i = 0; i < ARRAY_SIZE(thread); i++)
		assert_int_equal(pthread_join(thread[i], NULL), 0);
	assert_int_equal(port_atomic_load(&m->damaged), 0);
	assert_int_equal(pool_stats(m->pool).pages_moved, port_atomic_load(&m->moved));
	objects_verify(m->pool, m->anchor, OBJECTS);
	objects_free(m->pool, m->anchor, OBJECTS);
	zs_free_deferred_flush(m->pool);
	assert_int_equal(pool_stats(m->pool).invalid, 0);
	pool_destroy(m->pool);
	free(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST_EACH_POLICY(moved_pages_keep_their_content),
		cmocka_unit_test(a_pinned_object_holds_its_pages),
		TEST_EACH_POLICY(pending_objects_move),
		cmocka_unit_test(a_zspage_without_objects_stays),
		TEST_EACH_POLICY(pages_move_while_others_work),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
