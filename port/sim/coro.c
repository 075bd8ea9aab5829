/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
#include <stdint.h>

#include "coro.h"

#if defined(__x86_64__)

/* The callee-saved registers on the stack, the stack pointer in *from. */
void coro_swap_stacks(void **from, void *to);
__asm__(".text\n"
	".p2align 4\n"
	".type coro_swap_stacks, @function\n"
	"coro_swap_stacks:\n"
	"	pushq %rbp\n"
	"	pushq %rbx\n"
	"	pushq %r12\n"
	"	pushq %r13\n"
	"	pushq %r14\n"
	"	pushq %r15\n"
	"	movq %rsp, (%rdi)\n"
	"	movq %rsi, %rsp\n"
	"	popq %r15\n"
	"	popq %r14\n"
	"	popq %r13\n"
	"	popq %r12\n"
	"	popq %rbx\n"
	"	popq %rbp\n"
	"	ret\n"
	".size coro_swap_stacks, . - coro_swap_stacks\n");

enum { SAVED_REGISTERS = 6 };

void coro_prepare(struct coro *c, void *stack, size_t size, void (*entry)(void))
{
	uintptr_t top = ((uintptr_t)stack + size) & ~(uintptr_t)15;
	uintptr_t *sp = (uintptr_t *)top;
	int i;

	*--sp = 0; /* as if called: the stack is off by 8 where a function begins */
	*--sp = (uintptr_t)entry;
	for (i = 0; i < SAVED_REGISTERS; i++)
		*--sp = 0;
	c->sp = sp;
}

void coro_switch(struct coro *from, struct coro *to)
{
	coro_swap_stacks(&from->sp, to->sp);
}

#else

void coro_prepare(struct coro *c, void *stack, size_t size, void (*entry)(void))
{
	getcontext(&c->context);
	c->context.uc_stack.ss_sp = stack;
	c->context.uc_stack.ss_size = size;
	c->context.uc_link = NULL;
	makecontext(&c->context, entry, 0);
}

void coro_switch(struct coro *from, struct coro *to)
{
	swapcontext(&from->context, &to->context);
}

#endif
