// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "stack/python.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/cleanup.h"
#include "lib/table.h"
#include "stack/python_lines.h"

enum {
	TEXT_MAX = 4096,     /* characters of a name; a longer one is cut */
	TABLE_MAX = 1 << 20, /* bytes of a table of lines */
	KEYS_IN_THREAD = 32, /* PTHREAD_KEY_2NDLEVEL_SIZE of nptl/descr.h */
	KEY_SIZE = 16,	     /* struct pthread_key_data: seq, data */
	KEY_DATA = 8,
	OWNED_BY_C = 3, /* enum _frameowner of 3.12 and 3.13: FRAME_OWNED_BY_CSTACK */
};

/*
 * struct pthread of glibc 2.12 to 2.41 on x86_64, where the offset of specific_1stblock is a part
 * of what debuggers rely on (nptl_db).
 */
#define SPECIFIC_FIRST_BLOCK 0x310

struct python_version {
	unsigned int minor; /* of 3 */
	__u16 key;	    /* autoTSSkey in _PyRuntime */
	/* PyThreadState */
	__u16 frame, indirect, thread_id;
	/* a frame */
	__u16 back, code, instruction, owner;
	/* PyCodeObject */
	__u16 first_line, file, name, lines, first_instruction; /* 0: the instruction is an index */
	/* PyASCIIObject, PyCompactUnicodeObject: where the characters begin */
	__u16 ascii, compact;
};

static const struct python_version versions[] = {
	{ .minor = 10,
	  .key = 0x248,
	  .frame = 24,
	  .indirect = TT_PYTHON_DIRECT,
	  .thread_id = 0xb0,
	  .back = 24,
	  .code = 32,
	  .instruction = 96,
	  .owner = TT_PYTHON_DIRECT,
	  .first_line = 40,
	  .file = 104,
	  .name = 112,
	  .lines = 120,
	  .ascii = 48,
	  .compact = 72 },
	{ .minor = 11,
	  .key = 0x250,
	  .frame = 56,
	  .indirect = 8,
	  .thread_id = 0x98,
	  .back = 48,
	  .code = 32,
	  .instruction = 56,
	  .owner = 68,
	  .first_line = 72,
	  .file = 112,
	  .name = 128,
	  .lines = 136,
	  .first_instruction = 184,
	  .ascii = 48,
	  .compact = 72 },
	{ .minor = 12,
	  .key = 0x608,
	  .frame = 56,
	  .indirect = 0,
	  .thread_id = 0x88,
	  .back = 8,
	  .code = 0,
	  .instruction = 56,
	  .owner = 70,
	  .first_line = 68,
	  .file = 112,
	  .name = 128,
	  .lines = 136,
	  .first_instruction = 192,
	  .ascii = 40,
	  .compact = 56 },
	{ .minor = 13,
	  .key = 0x870,
	  .frame = 72,
	  .indirect = TT_PYTHON_DIRECT,
	  .thread_id = 0x98,
	  .back = 8,
	  .code = 0,
	  .instruction = 56,
	  .owner = 70,
	  .first_line = 68,
	  .file = 112,
	  .name = 128,
	  .lines = 136,
	  .first_instruction = 200,
	  .ascii = 40,
	  .compact = 56 },
};

static const struct python_version *find_version(unsigned int major, unsigned int minor)
{
	for (size_t i = 0; major == 3 && i < sizeof(versions) / sizeof(versions[0]); i++)
		if (versions[i].minor == minor)
			return &versions[i];
	return NULL;
}

/* --- which interpreter ----------------------------------------------------------------------- */

/* Py_Version (from 3.11 on) has it in its two highest bytes; before, the name of the file. */
bool python__is_in(struct image *image, unsigned int *ret_major, unsigned int *ret_minor)
{
	const char *name = strrchr(image__name(image), '/');
	__u64 vaddr;
	__u32 version;

	if (image__symbol(image, "_PyRuntime", &vaddr))
		return false;
	if (!image__symbol(image, "Py_Version", &vaddr) &&
	    !image__read(image, vaddr, &version, sizeof(version))) {
		*ret_major = version >> 24;
		*ret_minor = version >> 16 & 0xff;
		return true;
	}
	name = name ? strstr(name, "python") : NULL;
	return name && sscanf(name, "python%u.%u", ret_major, ret_minor) == 2;
}

static void fill_layout(const struct python_version *version, __u32 key, struct tt_python *layout)
{
	*layout = (struct tt_python){
		.state = SPECIFIC_FIRST_BLOCK + key * KEY_SIZE + KEY_DATA,
		.thread_id = version->thread_id,
		.frame = version->frame,
		.indirect = version->indirect,
		.back = version->back,
		.code = version->code,
		.instruction = version->instruction,
		.owner = version->owner,
		.words = { version->name - TT_PYTHON_CODE_START,
			   version->file - TT_PYTHON_CODE_START,
			   version->lines - TT_PYTHON_CODE_START,
			   version->first_line - TT_PYTHON_CODE_START },
	};
}

int python__find(struct image *image, __u64 bias, struct memory *memory, struct python *ret_python)
{
	struct python python = { .image = image };
	__s32 key[2]; /* Py_tss_t: is it initialized, and the key */
	__u64 vaddr;
	int err;

	if (!python__is_in(image, &python.major, &python.minor) ||
	    image__symbol(image, "_PyRuntime", &vaddr))
		return -ENOENT;
	python.version = find_version(python.major, python.minor);
	*ret_python = python;
	if (!python.version)
		return -ENOTSUP;
	memory__forget(memory);
	err = memory__read(memory, bias + vaddr + python.version->key, key, sizeof(key));
	if (err)
		return err;
	if (key[0] != 1)
		return key[0] ? -ENOTSUP : -EAGAIN;
	if (key[1] < 0 || key[1] >= KEYS_IN_THREAD)
		return -ENOTSUP;
	fill_layout(python.version, key[1], &python.layout);
	*ret_python = python;
	return 0;
}

enum python_step python__step(const struct python *python, const struct tt_python_frame *frame)
{
	__u8 owner = frame->instruction >> TT_PYTHON_OWNER_SHIFT;

	switch (python->minor) {
	case 10:
		return PYTHON_LAST; /* each is a call of its own */
	case 11:
		return owner ? PYTHON_LAST : PYTHON_SAME; /* is_entry */
	default:
		return owner == OWNED_BY_C ? PYTHON_NONE : PYTHON_SAME;
	}
}

/* --- what a frame is of ---------------------------------------------------------------------- */

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
static int read_text(const struct python *python, struct memory *memory, __u64 addr,
		     char **ret_text)
{
	_cleanup_free_ __u8 *bytes = NULL;
	struct unicode_head head;
	size_t length, width;
	bool is_ascii;
	int err = memory__read(memory, addr, &head, sizeof(head));

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
	err = memory__read(memory, addr, bytes, length * width);
	if (err)
		return err;
	*ret_text = to_utf8(bytes, length, width);
	return *ret_text ? 0 : -ENOMEM;
}

enum {
	OBJECT_TYPE = 8,   /* PyObject: ob_type */
	TYPE_NAME = 24,	   /* PyTypeObject: tp_name */
	BYTES_LENGTH = 16, /* PyBytesObject: ob_size … */
	BYTES_DATA = 32,   /* … and ob_sval */
	CODE_SIZE = 144,   /* as much of a PyCodeObject as is used */
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
	__u64 print = tt_python__mix(addr, head->name, head->file);

	return tt_python__mix(print, head->lines, head->first_line);
}

/*
 * What is freed has in place of its count of references, its first word, the address of the next
 * free block, or 0 (Objects/obmalloc.c). An immortal object counts 2^32 - 1.
 */
static bool is_alive(const __u8 *object)
{
	__u64 references = word_at(object, 0);

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

/* The code object of @frame, if it is still there. */
static int read_head(const struct python_version *version, struct memory *memory,
		     const struct tt_python_frame *frame, struct code_head *ret_head)
{
	__u8 object[CODE_SIZE];
	int err = memory__read(memory, frame->code, object, sizeof(object));

	if (err)
		return err;
	ret_head->name = word_at(object, version->name);
	ret_head->file = word_at(object, version->file);
	ret_head->lines = word_at(object, version->lines);
	ret_head->first_line = word_at(object, version->first_line);
	if (!is_alive(object) || !is_code(memory, object))
		return -ESTALE;
	return print_of(frame->code, ret_head) == frame->print ? 0 : -ESTALE;
}

/* A bytes object at @addr. */
static int read_bytes(struct memory *memory, __u64 addr, __u8 **ret_bytes, size_t *ret_size)
{
	_cleanup_free_ __u8 *bytes = NULL;
	__s64 size;
	int err = memory__read(memory, addr + BYTES_LENGTH, &size, sizeof(size));

	if (err)
		return err;
	if (size < 0 || size > TABLE_MAX)
		return -EBADMSG;
	bytes = malloc((size_t)size + 1);
	if (!bytes)
		return -ENOMEM;
	err = memory__read(memory, addr + BYTES_DATA, bytes, (size_t)size);
	if (err)
		return err;
	*ret_bytes = no_cleanup_ptr(bytes);
	*ret_size = (size_t)size;
	return 0;
}

static int read_code(const struct python *python, struct memory *memory, struct python_code *code)
{
	const struct code_head *head = &code->head;
	int err = read_text(python, memory, head->name, &code->function);

	if (!err)
		err = read_text(python, memory, head->file, &code->file);
	if (!err)
		err = read_bytes(memory, head->lines, &code->lines, &code->lines_size);
	return err;
}

static int add_code(const struct python *python, struct python_codes *codes, struct memory *memory,
		    const struct tt_python_frame *frame, struct python_code **ret_code)
{
	struct python_code *code = calloc(1, sizeof(*code));
	int err;

	if (!code)
		return -ENOMEM;
	code->print = frame->print;
	err = read_head(python->version, memory, frame, &code->head);
	if (!err)
		err = read_code(python, memory, code);
	/* it may have gone meanwhile, and its names with it */
	memory__forget(memory);
	if (!err)
		err = read_head(python->version, memory, frame, &code->head);
	if (!err) {
		HASH_ADD(hh, codes->table, print, sizeof(code->print), code);
		err = table__has(code) ? 0 : -ENOMEM;
	}
	if (err)
		free_code(code);
	else
		*ret_code = code;
	return err;
}

int python__place(const struct python *python, struct python_codes *codes, struct memory *memory,
		  const struct tt_python_frame *frame, struct python_place *ret_place)
{
	__u64 offset = offset_of(python->version, frame);
	struct python_code *code;
	int err = 0;

	HASH_FIND(hh, codes->table, &frame->print, sizeof(frame->print), code);
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
