// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "stack/python.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/cleanup.h"
#include "lib/table.h"
#include "stack/python_lines.h"
#include "stack/python_version.h"

enum {
	TEXT_MAX = 4096,     /* characters of a name; a longer one is cut */
	TABLE_MAX = 1 << 20, /* bytes of a table of lines */
	KEYS_IN_THREAD = 32, /* PTHREAD_KEY_2NDLEVEL_SIZE of nptl/descr.h */
	KEY_SIZE = 16,	     /* struct pthread_key_data: seq, data */
	KEY_DATA = 8,
	/* enum _frameowner: from here on no frame is one of Python. 3.12 and 3.13 begin a call with
	 * FRAME_OWNED_BY_CSTACK; 3.14 with FRAME_OWNED_BY_INTERPRETER, which has its number, and
	 * moved that to 4 */
	OWNED_BY_NONE = 3,
};

/*
 * struct pthread of glibc 2.12 to 2.43 on x86_64, where the offset of specific_1stblock is a part
 * of what debuggers rely on (nptl_db).
 */
#define SPECIFIC_FIRST_BLOCK 0x310

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

/* Holds what is known of its version against what it says itself. Returns 0 or -ENOTSUP. */
static int compare_own_words(struct python *python, struct image *image, __u64 runtime)
{
	__u64 own[PYTHON_OWN_WORDS];

	if (python->minor < PYTHON_OWN_SINCE)
		return python->version ? 0 : -ENOTSUP;
	if (image__initial(image, runtime, own, PYTHON_OWN_HEAD * sizeof(own[0])))
		return -ENOTSUP;
	python->free_threaded = python_version__is_free_threaded(own);
	if (!python->version || image__initial(image, runtime, own, sizeof(own)))
		return -ENOTSUP;
	return python_version__agrees(python->version, own) ? 0 : -ENOTSUP;
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
	python.version = python_version__find(python.major, python.minor);
	err = compare_own_words(&python, image, vaddr);
	*ret_python = python;
	if (err)
		return err;
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
		return owner >= OWNED_BY_NONE ? PYTHON_NONE : PYTHON_SAME;
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
	if (!is_alive(version, object) || !is_code(memory, object))
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
