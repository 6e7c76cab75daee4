/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* `tttrace diff`: compares two results. Needs no privileges. */
#ifndef TTTRACE_DIFF_COMMAND_H
#define TTTRACE_DIFF_COMMAND_H

#include <stdbool.h>

/* Is it that command line? One whose first word is `diff`; `tttrace -- diff` traces a program. */
bool diff_command__is_meant(int argc, char **argv);

/* The arguments of main(). Returns the exit status. */
int diff_command__run(int argc, char **argv);

#endif
