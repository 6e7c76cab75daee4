/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Whose a body is. From 0.80 on a Buffer points to its body (std::unique_ptr<BufferImpl>). After a
 * free that a graph capture suppressed the Buffer is gone, but not from the set; what free(3) has
 * left of it may still point to where by now the body of another lies. So one body may be found
 * twice, and only one Buffer has it.
 */
#ifndef TTTRACE_CENSUS_OWNERS_H
#define TTTRACE_CENSUS_OWNERS_H

#include "target/census_look.h"
#include "target/object.h"

/*
 * Marks all but one of those that lead to the same body with TT_FAULT_OBJECT; where it cannot be
 * told which one lives, the first of them is kept. Returns 0 or -ENOMEM.
 */
int census_owners__mark(const struct object_space *space, struct census_look *look);

#endif
