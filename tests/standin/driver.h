/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* What the two halves of the driver share: driver.cpp runs scripts, commands.cpp the runtime. */
#ifndef STANDIN_DRIVER_H
#define STANDIN_DRIVER_H

#include "expect.h"

using Words = std::vector<std::string>; /* of a line, the command first */

extern const standin::Api *api; /* nullptr: no library is loaded yet */
extern Books books;
extern std::string armed; /* where the current command will throw; empty: nowhere */
extern thread_local bool capturing;

[[noreturn]] void die(const std::string &what);
std::string join(const Words &w, size_t from);

Mesh *find_mesh(const std::string &word);
bool try_alloc(Tensor &t);

void cmd_alloc(const Words &w);
void cmd_oom(const Words &w);
void cmd_free(const Words &w);
void cmd_dealloc(const Words &w);
void cmd_open(const Words &w);
void cmd_submesh(const Words &w);
void cmd_close(const Words &w);
void cmd_drop(const Words &w);
void cmd_bulk(const Words &w);
void cmd_program(const Words &w);
void cmd_total(const Words &w);

#endif
