// SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
/*
 * Deferred work: one workqueue for all pools, unbound so that work starts on
 * whichever CPU is idle, with a rescuer so that it runs during reclaim.
 *
 * No lock of ours is taken here.
 */
#include <linux/errno.h>
#include <linux/jiffies.h>
#include <linux/sched.h>
#include <linux/sched/prio.h>
#include <linux/workqueue.h>

#include "port.h"

static struct workqueue_struct *lethe_wq;

int port_home_init(void)
{
	lethe_wq = alloc_workqueue("lethe", WQ_UNBOUND | WQ_MEM_RECLAIM, 0);
	return lethe_wq ? 0 : -ENOMEM;
}

void port_home_exit(void)
{
	destroy_workqueue(lethe_wq);
}

/*
 * The worker must not compete with the exiting task whose memory it frees, so
 * it is as nice as can be while it works for us. The price: on a machine whose
 * CPUs are all busy, 30,000 objects are back after about 0.7 s instead of 0.07
 * (QEMU, 2 CPUs, 2 busy loops; idle: 20 ms either way). Whoever needs them
 * sooner drains them himself. The rescuer, which has a negative nice value,
 * keeps it: there, somebody waits for the memory.
 */
static void port_work_run(struct work_struct *w)
{
	struct port_work *work =
		container_of(to_delayed_work(w), struct port_work, dwork);
	int nice = task_nice(current);
	bool lower = nice >= 0;

	if (lower)
		set_user_nice(current, MAX_NICE);
	work->fn(work->arg);
	if (lower)
		set_user_nice(current, nice);
}

int port_work_init(port_work *work, void (*fn)(void *arg), void *arg)
{
	INIT_DELAYED_WORK(&work->dwork, port_work_run);
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
		       time_before(jiffies + delay, READ_ONCE(timer->expires))))
		mod_delayed_work(lethe_wq, &work->dwork, delay);
	else
		queue_delayed_work(lethe_wq, &work->dwork, delay);
}

void port_work_cancel(port_work *work)
{
	cancel_delayed_work_sync(&work->dwork);
}

void port_work_fini(port_work *work)
{
	WARN_ON_ONCE(delayed_work_pending(&work->dwork));
}
