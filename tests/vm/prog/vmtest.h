/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
/*
 * The guest's test program: one static binary, one subcommand a concern. The
 * suites in ../guest/suites call it. Exit status 0 means that all was well.
 */
#ifndef VMTEST_H
#define VMTEST_H

#include <stddef.h>
#include <stdint.h>

#define PAGE_MOST 65536UL /* bytes of the largest pages that there are */

/* content.c: pages whose content follows from a seed and an index */
void content_page(void *page, uint64_t seed, uint64_t index);
int content_check(const void *page, uint64_t seed, uint64_t index);
uint64_t content_random(uint64_t *state);

/* swap.c: memory of such pages */
struct region {
	unsigned char *mem;
	size_t pages;
	uint64_t seed;
};
void region_fill(const struct region *r);
void region_check(const struct region *r); /* or dies */

/* main.c */
extern size_t page_bytes; /* of a page, here */
__attribute__((noreturn, format(printf, 1, 2))) void die(const char *fmt, ...);
unsigned long number(const char *word); /* decimal, or dies */
size_t pages_of(const char *mib); /* in so many MiB, or dies */
void *map_pages(size_t pages); /* anonymous memory without huge pages, or dies */
uint64_t now_ns(void);
void stay_on(unsigned long cpu); /* from here on this task runs there, or it dies */
int answer(void); /* print errno by its name, which is an answer: returns 0 */

/* The subcommands; argv[0] is the subcommand's name. */
int cmd_attr(int argc, char **argv);
int cmd_attributes(int argc, char **argv);
int cmd_bio(int argc, char **argv);
int cmd_direct(int argc, char **argv);
int cmd_files(int argc, char **argv);
int cmd_fill(int argc, char **argv);
int cmd_held(int argc, char **argv);
int cmd_hog(int argc, char **argv);
int cmd_inject(int argc, char **argv);
int cmd_late(int argc, char **argv);
int cmd_meet(int argc, char **argv);
int cmd_noise(int argc, char **argv);
int cmd_page(int argc, char **argv);
int cmd_place(int argc, char **argv);
int cmd_punch(int argc, char **argv);
int cmd_storm(int argc, char **argv);
int cmd_swapon(int argc, char **argv);
int cmd_victim(int argc, char **argv);
int cmd_writers(int argc, char **argv);

#endif /* VMTEST_H */
