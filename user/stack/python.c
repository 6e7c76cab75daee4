// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "stack/python.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "stack/python_version.h"

enum {
	KEYS_IN_THREAD = 32, /* PTHREAD_KEY_2NDLEVEL_SIZE of nptl/descr.h */
	KEY_SIZE = 16,	     /* struct pthread_key_data: seq, data */
	KEY_DATA = 8,
	/* enum _frameowner: from here on no frame is one of Python. 3.12 and 3.13 begin a call with
	 * FRAME_OWNED_BY_CSTACK; 3.14 with FRAME_OWNED_BY_INTERPRETER, which has its number, and
	 * moved that to 4 */
	OWNED_BY_NONE = 3,
	OWNERS_SINCE = 12,
	ROWS_SINCE = 11, /* PyThreadState.datastack_chunk */
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
		.none = version->minor < OWNERS_SINCE ? TT_PYTHON_DIRECT : OWNED_BY_NONE,
		.frame_size = version->frame_size,
		.row = version->minor < ROWS_SINCE ? 0 : TT_PYTHON_ROW_SIZE - version->frame_size,
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
