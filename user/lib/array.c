// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "lib/array.h"

#include <stdlib.h>
#include <string.h>

enum {
	NUMBERS_STEP = 1024,
};

void *array__append(void *array, size_t count, size_t size)
{
	if (count & (count - 1)) /* neither 0 nor a power of 2: it is not full */
		return array;
	return reallocarray(array, count ? 2 * count : 1, size);
}

void *array__reach(void *array, size_t nr, size_t size, unsigned int *num)
{
	size_t wanted = (nr / NUMBERS_STEP + 1) * NUMBERS_STEP;
	char *grown;

	if (nr < *num)
		return array;
	grown = reallocarray(array, wanted, size);
	if (!grown)
		return NULL;
	memset(grown + *num * size, 0, (wanted - *num) * size);
	*num = (unsigned int)wanted;
	return grown;
}
