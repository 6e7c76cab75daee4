/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * The runtime's objects in another process, read by the paths of a layout: from outside what
 * bpf/read.bpf.h and bpf/introduce.bpf.h do at a hit, with the same results. It may use memory; no
 * offset stands here.
 */
#ifndef TTTRACE_OBJECT_H
#define TTTRACE_OBJECT_H

#include <stdbool.h>
#include <stddef.h>
#include <linux/types.h>

#include "tttrace_config.h"
#include "tttrace_record.h"
#include "target/memory.h"

/* One build of the runtime in one process. */
struct object_space {
	struct memory *memory;
	const struct tt_layout *layout;
	__u64 bias; /* load bias of the library */
};

/* The address of @field of @object. -ENOENT: the field is absent; or as of memory__read(). */
int object__address(const struct object_space *space, enum tt_field field, __u64 object,
		    __u64 *ret_addr);

/* Copies @size bytes of @field. Errors likewise. */
int object__field(const struct object_space *space, enum tt_field field, __u64 object, void *buf,
		  size_t size);

/* The number of @size bytes (1, 4, 8) that @field has in a Buffer's @body; 0 where it is absent. */
__u64 object__in_body(const struct tt_layout *layout, enum tt_field field, const __u8 *body,
		      size_t size);

/* Fills @device of which the object is set. Returns the faults (enum tt_record_fault). */
__u8 object__device(const struct object_space *space, struct tt_device *device);

/* enum tt_device_state of @device at this moment. */
__u32 object__device_state(const struct object_space *space, const struct tt_device *device);

/* The BankManager * of an allocator for @type; 0: it has none, or that cannot be read. */
__u64 object__bank_manager(const struct object_space *space, __u64 allocator,
			   enum tt_buffer_type type);

/* Fills banks and faults of @rec, of which the allocator is set. */
void object__banks(const struct object_space *space, struct tt_record_allocator *rec);

/* Is what the first word of an object holds the vtable of an allocator class? */
bool object__is_allocator_vtable(const struct object_space *space, __u64 word);

#endif
