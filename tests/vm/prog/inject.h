/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
/*
 * What can be done with allocations failing: an act, such as "set FILE VALUE".
 */
#ifndef INJECT_H
#define INJECT_H

#define ACT_WORDS 4

/*
 * Do it. Return: 0, or the errno. Dies if it cannot be done for another reason
 * than what the kernel answers.
 */
int act_run(const char *act);

/* May the act come back with this errno when memory is short? */
int act_may_be(const char *act, int err);

#endif /* INJECT_H */
