/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
#include <stdio.h>
#include <stdlib.h>

#include "actors.h"

enum { BATCH = 150 };

/* Handles that a producer has taken out of the model, to be freed together. */
struct batch {
	unsigned long handles[BATCH];
	size_t n;
};

static bool actor_goes_on(const struct actor *a)
{
	return a->ops < a->max_ops && !model_stopped(a->model);
}

static struct cell *actor_any_cell(struct actor *a)
{
	return &a->model->cells[random_below(&a->seed, a->model->nr_cells)];
}

static void batch_free(struct actor *a, struct batch *b)
{
	zs_free_batch(a->model->pool, b->handles, b->n);
	b->n = 0;
}

static void cell_fill(struct actor *a, struct cell *c)
{
	u32 size = random_size(&a->seed);

	if (object_try_create(a->model->pool, &c->object, size,
			      (u32)random_next(&a->seed)))
		model_fail(a->model, "zs_malloc() or zs_obj_write() failed", &c->object);
}

/* Take the object out of the cell and free it one way or another. */
static void cell_empty(struct actor *a, struct cell *c, struct batch *b)
{
	unsigned long handle = c->object.handle;

	c->object.handle = 0;
	switch (random_below(&a->seed, 8)) {
	case 0:
		zs_free(a->model->pool, handle);
		break;
	case 1:
	case 2:
		b->handles[b->n++] = handle;
		if (b->n == BATCH || !random_below(&a->seed, 100))
			batch_free(a, b);
		break;
	default:
		zs_free_deferred(a->model->pool, handle);
	}
}

/* Free the cells from @c on as an exiting process would: all, in order. */
static void cells_exit(struct actor *a, struct batch *b)
{
	u32 n = 200;
	u32 first = random_below(&a->seed, a->model->nr_cells - n);

	for (u32 i = 0; i < n; i++) {
		struct cell *c = &a->model->cells[first + i];

		if (pthread_rwlock_trywrlock(&c->lock))
			continue;
		if (c->object.handle) {
			zs_free_deferred(a->model->pool, c->object.handle);
			c->object.handle = 0;
		}
		pthread_rwlock_unlock(&c->lock);
	}
	batch_free(a, b);
}

static void produce_once(struct actor *a, struct batch *b)
{
	struct cell *c = actor_any_cell(a);

	if (pthread_rwlock_trywrlock(&c->lock))
		return;
	if (!c->object.handle)
		cell_fill(a, c);
	else if (!object_is_intact(a->model->pool, &c->object))
		model_fail(a->model, "an object is damaged", &c->object);
	else
		cell_empty(a, c, b);
	pthread_rwlock_unlock(&c->lock);
}

void actor_produce(struct actor *a)
{
	struct batch b = {.n = 0};

	for (; actor_goes_on(a); a->ops++) {
		if (random_below(&a->seed, 2000))
			produce_once(a, &b);
		else
			cells_exit(a, &b);
	}
	batch_free(a, &b);
}

void actor_read(struct actor *a)
{
	for (; actor_goes_on(a); a->ops++) {
		struct cell *c = actor_any_cell(a);

		if (pthread_rwlock_tryrdlock(&c->lock))
			continue;
		if (c->object.handle && !object_is_intact(a->model->pool, &c->object))
			model_fail(a->model, "an object read is damaged", &c->object);
		pthread_rwlock_unlock(&c->lock);
	}
}

void actor_compact(struct actor *a)
{
	for (; actor_goes_on(a); a->ops++) {
		zs_compact(a->model->pool);
		test_sleep_ms(random_below(&a->seed, 4));
	}
}

void actor_flush(struct actor *a)
{
	for (; actor_goes_on(a); a->ops++) {
		if (random_below(&a->seed, 2))
			zs_free_deferred_flush(a->model->pool);
		else
			zs_drain_deferred(a->model->pool, ZS_FLUSH_SHRINKER, 0);
		test_sleep_ms(random_below(&a->seed, 8));
	}
}

void actor_watch(struct actor *a)
{
	for (; actor_goes_on(a); a->ops++) {
		struct zs_pool_stats s;

		zs_pool_stats(a->model->pool, &s);
		if (s.pending > s.capacity)
			model_fail(a->model, "more pending than the budget", NULL);
		if (s.invalid)
			model_fail(a->model, "a good handle was refused", NULL);
		test_sleep_ms(1);
	}
}

static void *actor_thread(void *arg)
{
	struct actor *a = arg;

	a->act(a);
	return NULL;
}

void actor_start(struct actor *a)
{
	if (pthread_create(&a->thread, NULL, actor_thread, a))
		model_fail(a->model, "cannot start a thread", NULL);
}

void actor_join(struct actor *a)
{
	pthread_join(a->thread, NULL);
}
