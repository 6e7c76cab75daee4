/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Timers to wait for with epoll. A leaf. */
#ifndef TTTRACE_TIMER_H
#define TTTRACE_TIMER_H

#include <stdbool.h>

/*
 * A timerfd(2) that expires in @seconds, once or with @repeat again and again, and whose reads do
 * not block. Returns the descriptor or -errno.
 */
int timer__open(double seconds, bool repeat);

#endif
