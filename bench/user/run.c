// SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
#include "run.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "clock.h"
#include "crew.h"
#include "held.h"
#include "interrupt.h"
#include "memory.h"
#include "parts.h"

struct round {
	const struct backend *backend;
	const struct pack *pack;
	unsigned int threads;
	uintptr_t *refs; /* by number of the object */
	uintptr_t *queue; /* refs in the order in which they are freed at random */
	uint32_t *order; /* numbers of objects, shuffled within each part */
	size_t stored[CREW_MAX];
	uint64_t base; /* bytes held before there was an allocator */
};

struct figures {
	double store_ns, store_cpu_ns; /* for one object */
	double store_again_ns;
	double free_ns, free_cpu_ns;
	double random_ns, random_cpu_ns;
	double tidy_ms;
	uint64_t full_bytes, empty_bytes, rest_bytes;
	uint64_t own_full_bytes, own_rest_bytes;
	size_t rest_payload;
	size_t verified_full, verified_rest;
};

/* Touched now, so that it is part of the base. */
static enum outcome reserve(struct round *r)
{
	size_t n = r->pack->n;

	r->refs = memory_map(n * sizeof(*r->refs));
	r->queue = memory_map(n * sizeof(*r->queue));
	r->order = memory_map(n * sizeof(*r->order));
	if (!r->refs || !r->queue || !r->order)
		return fail("not enough memory for %zu objects", n);
	memset(r->refs, 0xff, n * sizeof(*r->refs));
	memset(r->queue, 0xff, n * sizeof(*r->queue));
	for (unsigned int i = 0; i < r->threads; i++) {
		struct part part = parts_of(n, r->threads, i);

		parts_shuffle(part, r->order + part.first);
	}
	return OK;
}

static enum outcome held_since(const struct round *r, uint64_t *bytes)
{
	enum outcome err = held_bytes(bytes);

	*bytes = *bytes > r->base ? *bytes - r->base : 0;
	return err;
}

/* ---- what the threads do ---- */

static void job_store(void *arg, unsigned int member)
{
	struct round *r = arg;
	struct part part = parts_of(r->pack->n, r->threads, member);

	r->stored[member] =
		r->backend->store(r->pack, part.first, part.n, r->refs + part.first);
}

static void job_release(void *arg, unsigned int member)
{
	struct round *r = arg;
	struct part part = parts_of(r->pack->n, r->threads, member);

	r->backend->release(r->refs + part.first, part.n);
}

static void job_release_random(void *arg, unsigned int member)
{
	struct round *r = arg;
	struct part part = parts_of(r->pack->n, r->threads, member);

	r->backend->release(r->queue + part.first, part.n - parts_kept(part.n));
}

static void job_release_rest(void *arg, unsigned int member)
{
	struct round *r = arg;
	struct part part = parts_of(r->pack->n, r->threads, member);
	size_t freed = part.n - parts_kept(part.n);

	r->backend->release(r->queue + part.first + freed, parts_kept(part.n));
}

static void job_tidy(void *arg, unsigned int member)
{
	struct round *r = arg;

	(void)member;
	r->backend->tidy_thread();
}

/* ---- phases ---- */

static void settle(const struct round *r)
{
	if (r->backend->settle)
		r->backend->settle();
}

/* Run @job. Sets what it cost for each of @n objects: *@ns, and CPU of the process. */
static void phase(struct round *r, void (*job)(void *arg, unsigned int member), size_t n,
		  double *ns, double *cpu_ns)
{
	uint64_t cpu = clock_ns(CLOCK_PROCESS_CPUTIME_ID);
	struct crew_cost cost = crew_run(job, r);

	settle(r);
	*ns = (double)cost.busy_ns / (double)n;
	*cpu_ns = (double)(clock_ns(CLOCK_PROCESS_CPUTIME_ID) - cpu) / (double)n;
}

static enum outcome store(struct round *r, double *ns, double *cpu_ns)
{
	phase(r, job_store, r->pack->n, ns, cpu_ns);
	for (unsigned int i = 0; i < r->threads; i++) {
		struct part part = parts_of(r->pack->n, r->threads, i);

		if (r->stored[i] < part.n)
			return fail("object %zu cannot be stored by %s",
				    part.first + r->stored[i], r->backend->name);
	}
	return interrupt_caught() ? INTERRUPTED : OK;
}

static enum outcome verify_object(const struct round *r, size_t i, size_t *verified)
{
	if (!r->backend->holds(r->refs[i], pack_data(r->pack, i), r->pack->object[i].len))
		return fail("object %zu read back from %s is not what was stored", i,
			    r->backend->name);
	++*verified;
	return OK;
}

static enum outcome verify_all(const struct round *r, size_t *verified)
{
	enum outcome err = OK;

	for (size_t i = 0; !err && i < r->pack->n; i++)
		err = verify_object(r, i, verified);
	return err;
}

/* What is left after the random free: compared, and its payload added up. */
static enum outcome verify_rest(const struct round *r, struct figures *f)
{
	enum outcome err = OK;

	for (unsigned int m = 0; m < r->threads; m++) {
		struct part part = parts_of(r->pack->n, r->threads, m);
		const uint32_t *order = r->order + part.first;

		for (size_t k = part.n - parts_kept(part.n); !err && k < part.n; k++) {
			err = verify_object(r, order[k], &f->verified_rest);
			f->rest_payload += r->pack->object[order[k]].len;
		}
	}
	return err;
}

static void tidy(struct round *r, double *ms)
{
	uint64_t start = clock_ns(CLOCK_MONOTONIC);

	if (r->backend->tidy_thread)
		crew_run(job_tidy, r);
	if (r->backend->tidy)
		r->backend->tidy();
	*ms = (double)(clock_ns(CLOCK_MONOTONIC) - start) / 1e6;
}

static enum outcome first_fill(struct round *r, struct figures *f)
{
	enum outcome err = store(r, &f->store_ns, &f->store_cpu_ns);

	if (!err)
		err = held_since(r, &f->full_bytes);
	if (err)
		return err;
	if (r->backend->own_count)
		f->own_full_bytes = r->backend->own_count();
	err = verify_all(r, &f->verified_full);
	if (err)
		return err;
	phase(r, job_release, r->pack->n, &f->free_ns, &f->free_cpu_ns);
	return held_since(r, &f->empty_bytes);
}

static enum outcome second_fill(struct round *r, struct figures *f)
{
	double unused;
	enum outcome err = store(r, &f->store_again_ns, &unused);
	size_t freed = 0;

	if (err)
		return err;
	for (size_t i = 0; i < r->pack->n; i++)
		r->queue[i] = r->refs[r->order[i]];
	for (unsigned int m = 0; m < r->threads; m++) {
		struct part part = parts_of(r->pack->n, r->threads, m);

		freed += part.n - parts_kept(part.n);
	}
	phase(r, job_release_random, freed, &f->random_ns, &f->random_cpu_ns);
	tidy(r, &f->tidy_ms);
	err = held_since(r, &f->rest_bytes);
	if (err)
		return err;
	if (r->backend->own_count)
		f->own_rest_bytes = r->backend->own_count();
	err = verify_rest(r, f);
	crew_run(job_release_rest, r);
	settle(r);
	return err;
}

static double ratio(uint64_t bytes, size_t payload)
{
	return payload ? (double)bytes / (double)payload : 0;
}

static void print_figures(const struct round *r, const struct figures *f)
{
	size_t payload = r->pack->payload;

	printf("{\"allocator\": \"%s\", \"threads\": %u, \"objects\": %zu, "
	       "\"payload_bytes\": %zu, \"rest_payload_bytes\": %zu, "
	       "\"verified_full\": %zu, \"verified_rest\": %zu, ",
	       r->backend->name, r->threads, r->pack->n, payload, f->rest_payload,
	       f->verified_full, f->verified_rest);
	printf("\"store_ns\": %.10g, \"store_cpu_ns\": %.10g, \"store_again_ns\": %.10g, "
	       "\"free_ns\": %.10g, \"free_cpu_ns\": %.10g, "
	       "\"free_random_ns\": %.10g, \"free_random_cpu_ns\": %.10g, "
	       "\"tidy_ms\": %.10g, ",
	       f->store_ns, f->store_cpu_ns, f->store_again_ns, f->free_ns,
	       f->free_cpu_ns, f->random_ns, f->random_cpu_ns, f->tidy_ms);
	printf("\"held_full\": %.10g, \"held_rest\": %.10g, \"held_empty_bytes\": "
	       "%" PRIu64,
	       ratio(f->full_bytes, payload), ratio(f->rest_bytes, f->rest_payload),
	       f->empty_bytes);
	if (r->backend->own_count)
		printf(", \"own_full\": %.10g, \"own_rest\": %.10g",
		       ratio(f->own_full_bytes, payload),
		       ratio(f->own_rest_bytes, f->rest_payload));
	printf("}\n");
}

static enum outcome measure(struct round *r)
{
	struct figures f = {0};
	enum outcome err = r->backend->open(r->backend);

	if (err)
		return err;
	err = first_fill(r, &f);
	if (!err)
		err = second_fill(r, &f);
	if (r->backend->close)
		r->backend->close();
	if (!err)
		print_figures(r, &f);
	return err;
}

enum outcome run_round(const struct backend *backend, const struct pack *pack,
		       unsigned int threads)
{
	struct round r = {.backend = backend, .pack = pack, .threads = threads};
	enum outcome err = reserve(&r);

	if (!err)
		err = crew_start(threads);
	if (err)
		return err;
	err = held_bytes(&r.base);
	if (!err)
		err = measure(&r);
	crew_end();
	return err;
}
