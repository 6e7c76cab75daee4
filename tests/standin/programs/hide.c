// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * Allocates while a page of the program cannot be read, as it is when the page is elsewhere:
 * swapped out, or on its way to another NUMA node.
 */
#include <sys/mman.h>

void *alloc_without_page(void *(*alloc)(void *, void *), void *mesh, void *args, void *page)
{
	void *buffer;

	mprotect(page, 4096, PROT_NONE);
	buffer = alloc(mesh, args);
	mprotect(page, 4096, PROT_READ | PROT_WRITE);
	return buffer;
}
