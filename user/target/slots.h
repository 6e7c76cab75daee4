/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * What virtual functions tell of fields where there are no symbols: which function a slot of a
 * vtable leads to is known, its name is not, so that only what no other function would do, or the
 * order of the first slots, which is the same in all generations, is a witness. It may use elf,
 * decode and classes.
 */
#ifndef TTTRACE_SLOTS_H
#define TTTRACE_SLOTS_H

#include "target/classes.h"
#include "target/layout.h"

/*
 * Fills in those fields of @layout, and @fields, that the vtables tell of. TT_FIELD_MESH_ID is left
 * as it lies in a MeshDeviceImpl, where there is one. Returns 0 or -ENOMEM.
 */
int slots__decode(struct elf_file *file, const struct class_vtables *classes,
		  struct tt_layout *layout, struct library_field fields[TT_FIELD_COUNT]);

#endif
