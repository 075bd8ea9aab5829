// SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
/*
 * What a kernel that watches itself must say something about, in a module with a
 * name of ours: does it, and is it held against us? Which: parameter "what". None is
 * made in the module's init section, of which no name is known afterwards.
 */
#include <linux/compiler.h>
#include <linux/delay.h>
#include <linux/err.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/percpu.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/timer.h>

static char *what = "";
module_param(what, charp, 0444);

static unsigned long shared;
static DEFINE_PER_CPU(unsigned long, mine);
static DEFINE_SPINLOCK(one);
static DEFINE_SPINLOCK(two);

static int racer(void *unused)
{
	while (!kthread_should_stop()) {
		shared++;
		cond_resched();
	}
	return 0;
}

/* Two threads add to a variable, without a lock. */
static noinline void race(void)
{
	struct task_struct *a = kthread_run(racer, NULL, "racer/a");
	struct task_struct *b = kthread_run(racer, NULL, "racer/b");

	msleep(3000);
	if (!IS_ERR(a))
		kthread_stop(a);
	if (!IS_ERR(b))
		kthread_stop(b);
}

/* A byte beyond what was allocated. */
static noinline void wild(void)
{
	char *p = kmalloc(32, GFP_KERNEL);
	size_t at = 32;

	OPTIMIZER_HIDE_VAR(at);
	if (p)
		p[at] = 1;
	kfree(p);
}

/* Two locks in either order. After what KASAN says, lockdep is silent. */
static noinline void order(void)
{
	spin_lock(&one);
	spin_lock(&two);
	spin_unlock(&two);
	/* Sleeps under a lock, if it were to. */
	might_sleep();
	spin_unlock(&one);
	spin_lock(&two);
	spin_lock(&one);
	spin_unlock(&one);
	spin_unlock(&two);
}

/* A CPU's own variable, by who may find himself on another the next moment. */
static noinline void wander(void)
{
	__this_cpu_inc(mine);
}

static void timer_fn(struct timer_list *unused)
{
}

/* Freed while it runs. */
static noinline void forget(void)
{
	struct timer_list *timer = kmalloc(sizeof(*timer), GFP_KERNEL);

	if (!timer)
		return;
	timer_setup(timer, timer_fn, 0);
	mod_timer(timer, jiffies + 1000 * HZ);
	kfree(timer);
}

/* Nobody knows where it is. */
static noinline int leak(void)
{
	return kmalloc(100, GFP_KERNEL) ? 0 : -ENOMEM;
}

static int __init canary_init(void)
{
	if (!strcmp(what, "race")) {
		race();
		return 0;
	}
	order();
	wander();
	forget();
	wild();
	return leak();
}

static void __exit canary_exit(void)
{
}

module_init(canary_init);
module_exit(canary_exit);
MODULE_DESCRIPTION("Mistakes for debug kernels to find, for a test");
MODULE_LICENSE("Dual BSD/GPL");
