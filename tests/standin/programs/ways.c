// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * A library by whose ways the program frames.cpp comes to its allocations. It is built by the
 * tests, with frame pointers and without, stripped, and so on; what a way looks like is known from
 * here: see WAYS in support/stacks.py.
 */
#include <pthread.h>
#include <signal.h>
#include <ucontext.h>

#define apart __attribute__((noipa))

typedef void (*act_fn)(void);

static volatile int sink; /* what is done to it behind a call, keeps the call from being a jump */

static apart void inner(act_fn act)
{
	act();
	sink++;
}

static apart void middle(act_fn act)
{
	inner(act);
	sink++;
}

apart void outer(act_fn act)
{
	middle(act);
	sink++;
}

/* Nothing is left to do behind the call: an optimizing compiler jumps, and this frame is gone. */
static apart void jumping(act_fn act)
{
	inner(act);
}

apart void before_jump(act_fn act)
{
	jumping(act);
	sink++;
}

static apart void deeper(act_fn act, int levels)
{
	if (levels)
		deeper(act, levels - 1);
	else
		act();
	sink++;
}

apart void recursion(act_fn act)
{
	deeper(act, 60);
	sink++;
}

/* Its frame has no fixed size. */
apart void of_any_size(act_fn act)
{
	volatile char room[1000 + sink % 7];

	room[0] = 1;
	outer(act);
	sink += room[0];
}

/* What is interrupted is its very first byte: the one before it belongs to another function. */
void trap(void);
__asm__(".pushsection .text\n.type trap, @function\ntrap:\n.cfi_startproc\n"
	"ud2\nret\n.cfi_endproc\n.size trap, .-trap\n.popsection");

static act_fn interrupting;

static void on_signal(int number, siginfo_t *info, void *context)
{
	(void)number;
	(void)info;
	interrupting();
	((ucontext_t *)context)->uc_mcontext.gregs[REG_RIP] += 2; /* behind the ud2 */
}

static apart void interrupt(act_fn act, int flags)
{
	struct sigaction action = { .sa_sigaction = on_signal, .sa_flags = SA_SIGINFO | flags };

	interrupting = act;
	sigaction(SIGILL, &action, NULL);
	trap();
	sink++;
}

apart void in_signal(act_fn act)
{
	interrupt(act, 0);
	sink++;
}

apart void on_other_stack(act_fn act)
{
	static char room[64 << 10];
	stack_t other = { .ss_sp = room, .ss_size = sizeof(room) };

	sigaltstack(&other, NULL);
	interrupt(act, SA_ONSTACK);
	other.ss_flags = SS_DISABLE;
	sigaltstack(&other, NULL);
}

static void *run_thread(void *act)
{
	outer((act_fn)act);
	return NULL;
}

apart void in_thread(act_fn act)
{
	pthread_t thread;

	pthread_create(&thread, NULL, run_thread, (void *)act);
	pthread_join(thread, NULL);
}
