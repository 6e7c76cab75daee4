// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "stack/python_code.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/cleanup.h"
#include "lib/table.h"
#include "stack/python_lines.h"
#include "stack/python_version.h"

enum {
	TEXT_MAX = 4096,     /* characters of a name; a longer one is cut */
	TABLE_MAX = 1 << 20, /* bytes of a table of lines */
};

/* --- where objects are read ------------------------------------------------------------------ */

/* An object as it was copied. */
struct copied {
	__u64 addr;
	const __u8 *bytes;
	size_t size;
};

enum {
	COPIED_MAX = 3, /* the name of a code object, its file, its lines */
};

/* Out of the process, or out of a copy. */
struct source {
	struct memory *memory; /* NULL: out of the copy */
	struct copied copied[COPIED_MAX];
};

static int read_source(const struct source *source, __u64 addr, void *buf, size_t size)
{
	if (source->memory)
		return memory__read(source->memory, addr, buf, size);
	for (int i = 0; i < COPIED_MAX; i++) {
		const struct copied *c = &source->copied[i];

		if (addr < c->addr || addr - c->addr > c->size || size > c->size - (addr - c->addr))
			continue;
		memcpy(buf, c->bytes + (addr - c->addr), size);
		return 0;
	}
	return -EBADMSG;
}

/* --- objects --------------------------------------------------------------------------------- */

/* Begins of PyASCIIObject: length, and behind hash the bits that say how it is kept. */
struct unicode_head {
	__u64 refcount, type;
	__s64 length;
	__u64 hash;
	__u32 state;
};

/* One character as UTF-8. Returns how many bytes. */
static size_t put_utf8(char *out, __u32 c)
{
	if (c < 0x80) {
		out[0] = (char)c;
		return 1;
	}
	if (c < 0x800) {
		out[0] = (char)(0xc0 | c >> 6);
		out[1] = (char)(0x80 | (c & 63));
		return 2;
	}
	if (c < 0x10000) {
		out[0] = (char)(0xe0 | c >> 12);
		out[1] = (char)(0x80 | (c >> 6 & 63));
		out[2] = (char)(0x80 | (c & 63));
		return 3;
	}
	out[0] = (char)(0xf0 | (c >> 18 & 7));
	out[1] = (char)(0x80 | (c >> 12 & 63));
	out[2] = (char)(0x80 | (c >> 6 & 63));
	out[3] = (char)(0x80 | (c & 63));
	return 4;
}

static char *to_utf8(const __u8 *bytes, size_t length, size_t width)
{
	char *text = malloc(length * 4 + 1);
	size_t used = 0;
	__u32 c;

	for (size_t i = 0; text && i < length; i++) {
		c = 0;
		memcpy(&c, bytes + i * width, width);
		used += put_utf8(text + used, c);
	}
	if (text)
		text[used] = '\0';
	return text;
}

/* A str at @addr. Returns 0 or -errno. */
static int read_text(const struct python *python, const struct source *source, __u64 addr,
		     char **ret_text)
{
	_cleanup_free_ __u8 *bytes = NULL;
	struct unicode_head head;
	size_t length, width;
	bool is_ascii;
	int err = read_source(source, addr, &head, sizeof(head));

	if (err)
		return err;
	/* state: interned, kind (3 bits), compact, ascii; before 3.12 interned has 2 bits, then 2
	 */
	width = head.state >> 2 & 7;
	is_ascii = head.state >> 6 & 1;
	if (!(head.state >> 5 & 1) || (width != 1 && width != 2 && width != 4) || head.length < 0)
		return -EBADMSG;
	length = head.length < TEXT_MAX ? (size_t)head.length : TEXT_MAX;
	bytes = malloc(length * width + 1);
	if (!bytes)
		return -ENOMEM;
	addr += is_ascii ? python->version->ascii : python->version->compact;
	err = read_source(source, addr, bytes, length * width);
	if (err)
		return err;
	*ret_text = to_utf8(bytes, length, width);
	return *ret_text ? 0 : -ENOMEM;
}

enum {
	OBJECT_TYPE = 8, /* PyObject: ob_type */
	TYPE_NAME = 24,	 /* PyTypeObject: tp_name */
};

static __u64 word_at(const __u8 *object, __u16 at)
{
	__u64 word;

	memcpy(&word, object + at, sizeof(word));
	return word;
}

/* How far behind the begin of its code, bytes. */
static __u64 offset_of(const struct python_version *version, const struct tt_python_frame *frame)
{
	__u64 instruction = frame->instruction & ((1ull << TT_PYTHON_OWNER_SHIFT) - 1);

	if (!version->first_instruction)
		return (__u64)(__u32)instruction * 2; /* f_lasti counts instructions */
	return instruction - (frame->code + version->first_instruction);
}

/* What is taken out of a code object. */
struct code_head {
	__u64 name, file, lines; /* addresses of objects */
	__u64 first_line;	 /* in its lower half */
};

struct python_code {
	__u64 print;
	struct code_head head;
	char *function;
	char *file;
	__u8 *lines;
	size_t lines_size; /* bytes */
	UT_hash_handle hh;
};

static void free_code(struct python_code *code)
{
	if (!code)
		return;
	free(code->function);
	free(code->file);
	free(code->lines);
	free(code);
}

void python_codes__done(struct python_codes *codes)
{
	struct python_code *code, *next;

	HASH_ITER (hh, codes->table, code, next) {
		HASH_DEL(codes->table, code);
		free_code(code);
	}
}

/* As the BPF side makes it. */
static __u64 print_of(__u64 addr, const struct code_head *head)
{
	__u64 print = tt_print__mix(addr, head->name, head->file);

	return tt_print__mix(print, head->lines, head->first_line);
}

/*
 * What is freed has in place of its count of references, its first word, 0 or the address of the
 * next free block (Objects/obmalloc.c). An immortal object counts up to 2^32 - 1; from 3.14 on the
 * highest 16 bits are flags, where an address has none.
 */
static bool is_alive(const struct python_version *version, const __u8 *object)
{
	__u64 references = word_at(object, 0);

	if (version->minor >= 14)
		references &= (1ull << 48) - 1;
	return references && references < 1ull << 33;
}

/*
 * Of more than 512 bytes it comes from malloc(3), whose addresses may be as small as a count where
 * the program lies low, as Debian's python3 does. What is freed there loses its second word with
 * its first, or has been counted down to 0.
 */
static bool is_code(struct memory *memory, const __u8 *object)
{
	__u64 type = word_at(object, OBJECT_TYPE), at;
	char name[sizeof("code")];

	return !memory__read(memory, type + TYPE_NAME, &at, sizeof(at)) &&
	       !memory__read(memory, at, name, sizeof(name)) && !memcmp(name, "code", sizeof(name));
}

static void take_head(const struct python_version *version, const __u8 *object,
		      struct code_head *ret_head)
{
	ret_head->name = word_at(object, version->name);
	ret_head->file = word_at(object, version->file);
	ret_head->lines = word_at(object, version->lines);
	ret_head->first_line = word_at(object, version->first_line);
}

/* The code object of @frame, if it is still there. */
static int read_head(const struct python_version *version, struct memory *memory,
		     const struct tt_python_frame *frame, struct code_head *ret_head)
{
	__u8 object[TT_PYTHON_CODE_SIZE];
	int err = memory__read(memory, frame->code, object, sizeof(object));

	if (err)
		return err;
	take_head(version, object, ret_head);
	if (!is_alive(version, object) || !is_code(memory, object))
		return -ESTALE;
	return print_of(frame->code, ret_head) == frame->print ? 0 : -ESTALE;
}

/* A bytes object at @addr. */
static int read_bytes(const struct source *source, __u64 addr, __u8 **ret_bytes, size_t *ret_size)
{
	_cleanup_free_ __u8 *bytes = NULL;
	__s64 size;
	int err = read_source(source, addr + TT_PYTHON_BYTES_LENGTH, &size, sizeof(size));

	if (err)
		return err;
	if (size < 0 || size > TABLE_MAX)
		return -EBADMSG;
	bytes = malloc((size_t)size + 1);
	if (!bytes)
		return -ENOMEM;
	err = read_source(source, addr + TT_PYTHON_BYTES_DATA, bytes, (size_t)size);
	if (err)
		return err;
	*ret_bytes = no_cleanup_ptr(bytes);
	*ret_size = (size_t)size;
	return 0;
}

static int read_code(const struct python *python, const struct source *source,
		     struct python_code *code)
{
	const struct code_head *head = &code->head;
	int err = read_text(python, source, head->name, &code->function);

	if (!err)
		err = read_text(python, source, head->file, &code->file);
	if (!err)
		err = read_bytes(source, head->lines, &code->lines, &code->lines_size);
	return err;
}

static struct python_code *find_code(const struct python_codes *codes, __u64 print)
{
	struct python_code *code;

	HASH_FIND(hh, codes->table, &print, sizeof(print), code);
	return code;
}

/* Takes @code over, whatever happens. */
static int enter_code(struct python_codes *codes, struct python_code *code)
{
	HASH_ADD(hh, codes->table, print, sizeof(code->print), code);
	if (table__has(code))
		return 0;
	free_code(code);
	return -ENOMEM;
}

int python_codes__add(const struct python *python, struct python_codes *codes,
		      const struct tt_record_python_code *copy)
{
	struct source source = { .copied = { [0] = { .bytes = copy->name, .size = copy->name_size },
					     [1] = { .bytes = copy->file, .size = copy->file_size },
					     [2] = { .bytes = copy->lines,
						     .size = copy->lines_size } } };
	struct python_code *code;
	int err;

	if (find_code(codes, copy->print))
		return 0;
	if (copy->name_size > sizeof(copy->name) || copy->file_size > sizeof(copy->file))
		return -EBADMSG;
	code = calloc(1, sizeof(*code));
	if (!code)
		return -ENOMEM;
	code->print = copy->print;
	take_head(python->version, copy->code, &code->head);
	source.copied[0].addr = code->head.name;
	source.copied[1].addr = code->head.file;
	source.copied[2].addr = code->head.lines;
	err = read_code(python, &source, code);
	if (!err)
		return enter_code(codes, code);
	free_code(code);
	return err;
}

/* One that was not copied: it is read where it is. */
static int add_code(const struct python *python, struct python_codes *codes, struct memory *memory,
		    const struct tt_python_frame *frame, struct python_code **ret_code)
{
	const struct source source = { .memory = memory };
	struct python_code *code = calloc(1, sizeof(*code));
	int err;

	if (!code)
		return -ENOMEM;
	code->print = frame->print;
	err = read_head(python->version, memory, frame, &code->head);
	if (!err)
		err = read_code(python, &source, code);
	/* it may have gone meanwhile, and its names with it */
	memory__forget(memory);
	if (!err)
		err = read_head(python->version, memory, frame, &code->head);
	if (err) {
		free_code(code);
		return err;
	}
	*ret_code = code;
	return enter_code(codes, code);
}

int python__place(const struct python *python, struct python_codes *codes, struct memory *memory,
		  const struct tt_python_frame *frame, struct python_place *ret_place)
{
	__u64 offset = offset_of(python->version, frame);
	struct python_code *code = find_code(codes, frame->print);
	int err = 0;

	if (!code && !memory)
		return -ENODATA;
	if (!code)
		err = add_code(python, codes, memory, frame, &code);
	if (err)
		return err;
	ret_place->function = code->function;
	ret_place->file = code->file;
	ret_place->line = (python->minor == 10 ? python_lines__of_310 : python_lines__of_311)(
		code->lines, code->lines_size, (__u32)code->head.first_line, offset);
	return 0;
}
