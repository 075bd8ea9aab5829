// SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
/*
 * Deferred work: a kernel thread of its own for each, of normal priority. It is always
 * there, so it works during reclaim. The core decides when a drain thread leaves the
 * CPU to an exiting task; the scheduler does the rest.
 *
 * The threads are SCHED_BATCH: one that wakes up, as each ms while producers push, does
 * not interrupt the task that runs, but has its share of the CPU from a tick on. Of four
 * exits in QEMU, a task that needs a page now and then lost 0.62 of the time that it lost
 * beside threads of SCHED_NORMAL; memory was back as soon (bench/storm.sh, "lost").
 *
 * Lock order: port_work.running, which is held during a run; the core's locks inside.
 */
#include <linux/err.h>
#include <linux/jiffies.h>
#include <linux/kthread.h>
#include <linux/sched.h>
#include <linux/sched/stat.h>
#include <uapi/linux/sched/types.h>

#include "port.h"

bool port_cpu_contended(void)
{
	return !single_task_running();
}

bool port_work_cancelled(const port_work *work)
{
	return atomic_read(&work->cancelling);
}

static void work_run(struct kthread_work *w)
{
	struct port_work *work = container_of(w, struct port_work, dwork.work);

	rt_mutex_lock(&work->running);
	/* Fully ordered after the port_work_schedule() that set it. */
	if (atomic_xchg(&work->due, 0))
		work->fn(work->arg);
	rt_mutex_unlock(&work->running);
}

int port_work_init(port_work *work, void (*fn)(void *arg), void *arg)
{
	static const struct sched_attr batch = {.size = sizeof(batch),
						.sched_policy = SCHED_BATCH};

	work->worker = kthread_create_worker(0, "lethe_drain");
	if (IS_ERR(work->worker))
		return -PORT_ENOMEM;
	/*
	 * Since 6.14 the thread sleeps uninterruptibly until it is first woken, which
	 * counts as load and is reported as hung. Before, this wakes it for nothing.
	 */
	wake_up_process(work->worker->task);
	/* Refused, it would interrupt other tasks: nothing to fail for. */
	sched_setattr_nocheck(work->worker->task, &batch);
	kthread_init_delayed_work(&work->dwork, work_run);
	atomic_set(&work->cancelling, 0);
	atomic_set(&work->due, 0);
	rt_mutex_init(&work->running);
	work->fn = fn;
	work->arg = arg;
	return 0;
}

void port_work_schedule(port_work *work, unsigned int delay_ms)
{
	unsigned long delay = msecs_to_jiffies(delay_ms);
	struct timer_list *timer = &work->dwork.timer;

	/* First: a thread that starts now finds it due. */
	atomic_xchg(&work->due, 1);
	/*
	 * Queueing does nothing if the work is scheduled; modifying then sets
	 * its time. A timer that fires just as it is read here may be set once
	 * more, so the work comes at most @delay_ms late; it is never lost.
	 */
	if (!delay || (timer_pending(timer) &&
		       time_before(jiffies + delay, READ_ONCE(timer->expires))))
		kthread_mod_delayed_work(work->worker, &work->dwork, delay);
	else
		kthread_queue_delayed_work(work->worker, &work->dwork, delay);
}

void port_work_cancel(port_work *work)
{
	/* A run that is under way sees this after its slice of work, and ends. */
	atomic_inc(&work->cancelling);
	/*
	 * A real-time caller must not wait for a thread that other tasks keep from
	 * running: until the run ends, the thread has the caller's priority. A thread
	 * that has not come to the lock yet is not waited for: it finds nothing due.
	 * Its timer may still be set, and wakes it for nothing.
	 */
	rt_mutex_lock(&work->running);
	atomic_xchg(&work->due, 0);
	rt_mutex_unlock(&work->running);
	atomic_dec(&work->cancelling);
}

void port_work_fini(port_work *work)
{
	kthread_cancel_delayed_work_sync(&work->dwork);
	kthread_destroy_worker(work->worker);
}
