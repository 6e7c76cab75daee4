// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "stack/python_loop.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/cleanup.h"
#include "lib/table.h"
#include "target/disasm.h"

enum {
	PART_MAX = 1 << 20, /* bytes of a part; the whole loop of 3.14 has 90 KB */
};

struct part_key {
	const struct image *image;
	__u64 vaddr;
};

struct known_part {
	struct part_key key;
	enum python_part part;
	UT_hash_handle hh;
};

void python_loop__done(struct python_loop *loop)
{
	struct known_part *known, *next;

	HASH_ITER (hh, loop->parts, known, next) {
		HASH_DEL(loop->parts, known);
		free(known);
	}
}

enum python_part python_loop__part_named(const char *name)
{
	static const char loop[] = "_PyEval_EvalFrameDefault", inner[] = "_TAIL_CALL_";

	if (!strncmp(name, loop, sizeof(loop) - 1)) /* a part may be called ….cold */
		return PYTHON_LOOP;
	return strncmp(name, inner, sizeof(inner) - 1) ? PYTHON_OTHER : PYTHON_INNER;
}

/* The code of one part. */
struct part_code {
	__u64 start, end;
	__u8 *bytes;
};

/* Does @insn jump out of @code into the middle of a function that has a name? */
static bool leads_into(struct image *image, const struct part_code *code, const struct insn *insn,
		       char **ret_name)
{
	_cleanup_free_ char *name = NULL;
	__u64 to = (__u64)insn->operand[0].value, offset;

	if ((insn->kind != INSN_JUMP && insn->kind != INSN_BRANCH) ||
	    insn->operand[0].kind != OPERAND_IMM || (to >= code->start && to < code->end) ||
	    image__function(image, to, &name, &offset) || !offset)
		return false;
	*ret_name = no_cleanup_ptr(name);
	return true;
}

static int find_whole(struct image *image, const struct part_code *code, char **ret_name)
{
	size_t size = code->end - code->start, at = 0;
	struct insn insn;

	for (; at < size; at += insn.size) {
		if (insn__decode(code->bytes + at, size - at, code->start + at, &insn))
			return -ENOENT;
		if (leads_into(image, code, &insn, ret_name))
			return 0;
	}
	return -ENOENT;
}

int python_loop__whole(struct image *image, __u64 vaddr, char **ret_name)
{
	_cleanup_free_ __u8 *bytes = NULL;
	struct part_code code;
	int err = image__frame_range(image, vaddr, &code.start, &code.end);

	if (err)
		return err;
	if (code.end - code.start > PART_MAX)
		return -ENOENT;
	code.bytes = bytes = malloc(code.end - code.start);
	if (!bytes)
		return -ENOMEM;
	err = image__read(image, code.start, bytes, code.end - code.start);
	return err ? err : find_whole(image, &code, ret_name);
}

static enum python_part find_part(struct image *image, __u64 vaddr)
{
	_cleanup_free_ char *name = NULL;
	__u64 offset;

	if (image__function(image, vaddr, &name, &offset) &&
	    python_loop__whole(image, vaddr, &name))
		return PYTHON_OTHER;
	return python_loop__part_named(name);
}

enum python_part python_loop__part(struct python_loop *loop, struct image *image, __u64 vaddr)
{
	struct part_key key = { .image = image, .vaddr = vaddr };
	enum python_part part;
	struct known_part *known;

	HASH_FIND(hh, loop->parts, &key, sizeof(key), known);
	if (known)
		return known->part;
	part = find_part(image, vaddr);
	known = calloc(1, sizeof(*known));
	if (!known)
		return part;
	known->key = key;
	known->part = part;
	HASH_ADD(hh, loop->parts, key, sizeof(known->key), known);
	if (!table__has(known))
		free(known);
	return part;
}
