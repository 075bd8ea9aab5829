// SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
/*
 * Deferred work: a kernel thread of its own for each, of the lowest priority.
 *
 * Why not a workqueue? The worker must not compete with the exiting task whose
 * memory it frees. A kworker comes to life with the priority of any task, and has
 * done part of the work in place of the task that woke it before it can be nice.
 * This thread is nice from the start: the scheduler finds it an idle CPU if there
 * is one, and else lets it wait. It is always there, so it works during reclaim.
 *
 * No lock of ours is taken here.
 */
#include <linux/delay.h>
#include <linux/err.h>
#include <linux/jiffies.h>
#include <linux/kthread.h>
#include <linux/sched.h>
#include <linux/sched/prio.h>
#include <linux/sched/stat.h>

#include "port.h"

/*
 * Being nice is not enough: where no CPU is idle, a thread that has slept gets one
 * all the same until the next tick, and has then done most of its work. So it
 * sleeps while others want its CPU. But memory must come back on a busy machine,
 * too: work that is late goes on as any task would.
 */
#define WORK_LATE_MS 100
#define WORK_SLEEP_US 1000

/*
 * With PREEMPT_RT, who holds a class lock can lose its CPU, and a waiter of normal
 * priority lends it nothing: whoever wants the lock would wait for a thread that gets
 * next to no time.
 */
#define WORK_NICE (IS_ENABLED(CONFIG_PREEMPT_RT) ? 0 : MAX_NICE)

static bool work_is_late(const struct port_work *work)
{
	return time_after(jiffies, work->run_due + msecs_to_jiffies(WORK_LATE_MS));
}

bool port_cpu_wanted(void)
{
	return !single_task_running();
}

/* Does somebody want this CPU for longer than it takes to have it once? */
static bool cpu_stays_wanted(void)
{
	if (!port_cpu_wanted())
		return false;
	yield();
	return port_cpu_wanted();
}

void port_work_yield(port_work *work)
{
	cond_resched();
	while (!work->hurried && !READ_ONCE(work->cancelling) && cpu_stays_wanted()) {
		if (work_is_late(work)) {
			sched_set_normal(current, 0);
			work->hurried = true;
		} else {
			usleep_range(WORK_SLEEP_US / 2, WORK_SLEEP_US);
		}
	}
}

static void work_run(struct kthread_work *w)
{
	struct port_work *work = container_of(w, struct port_work, dwork.work);

	work->run_due = READ_ONCE(work->due);
	work->fn(work->arg);
	if (work->hurried) {
		sched_set_normal(current, WORK_NICE);
		work->hurried = false;
	}
}

int port_work_init(port_work *work, void (*fn)(void *arg), void *arg)
{
	work->worker = kthread_create_worker(0, "lethe_drain");
	if (IS_ERR(work->worker))
		return -PORT_ENOMEM;
	sched_set_normal(work->worker->task, WORK_NICE);
	kthread_init_delayed_work(&work->dwork, work_run);
	work->cancelling = false;
	work->hurried = false;
	work->fn = fn;
	work->arg = arg;
	return 0;
}

void port_work_schedule(port_work *work, unsigned int delay_ms)
{
	unsigned long delay = msecs_to_jiffies(delay_ms);
	struct timer_list *timer = &work->dwork.timer;

	/*
	 * Queueing does nothing if the work is scheduled; modifying then sets
	 * its time. A timer that fires just as it is read here may be set once
	 * more, so the work comes at most @delay_ms late; it is never lost.
	 */
	if (!delay || (timer_pending(timer) &&
		       time_before(jiffies + delay, READ_ONCE(timer->expires)))) {
		/* First: without a delay it may run before we do. */
		WRITE_ONCE(work->due, jiffies + delay);
		kthread_mod_delayed_work(work->worker, &work->dwork, delay);
	} else if (kthread_queue_delayed_work(work->worker, &work->dwork, delay)) {
		WRITE_ONCE(work->due, jiffies + delay);
	}
}

void port_work_cancel(port_work *work)
{
	/* A run that is under way is not to sleep: it is waited for. */
	WRITE_ONCE(work->cancelling, true);
	kthread_cancel_delayed_work_sync(&work->dwork);
	WRITE_ONCE(work->cancelling, false);
}

void port_work_fini(port_work *work)
{
	/* To end it has to run, and somebody waits for that. */
	sched_set_normal(work->worker->task, 0);
	kthread_destroy_worker(work->worker);
}
