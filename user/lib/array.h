/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Arrays that become larger. Each returns where the array is now, or NULL: no memory, and it stays
 * as it was. A leaf. */
#ifndef TTTRACE_ARRAY_H
#define TTTRACE_ARRAY_H

#include <stddef.h>

/* Room for one more behind the @count there are, of @size bytes each. */
void *array__append(void *array, size_t count, size_t size);

/* Room for number @nr, where there is some for @*num so far; what is new is 0. */
void *array__reach(void *array, size_t nr, size_t size, unsigned int *num);

#endif
