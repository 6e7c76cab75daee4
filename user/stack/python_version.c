// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "stack/python_version.h"

#include <stddef.h>
#include <string.h>

#include "tttrace_config.h"

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
	  .frame_size = 104,
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
	  .frame_size = 72,
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
	  .frame_size = 72,
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
	  .frame_size = 72,
	  .first_line = 68,
	  .file = 112,
	  .name = 128,
	  .lines = 136,
	  .first_instruction = 200,
	  .ascii = 40,
	  .compact = 56,
	  .own_thread = 19,
	  .own_frame = 28,
	  .own_code = 34,
	  .own_ascii = 70 },
	{ .minor = 14,
	  .key = 0x920,
	  .frame = 72,
	  .indirect = TT_PYTHON_DIRECT,
	  .thread_id = 0x98,
	  .back = 8,
	  .code = 0,
	  .instruction = 56,
	  .owner = 74,
	  .frame_size = 80,
	  .first_line = 68,
	  .file = 112,
	  .name = 128,
	  .lines = 136,
	  .first_instruction = 208,
	  .ascii = 40,
	  .compact = 56,
	  .own_thread = 22,
	  .own_frame = 31,
	  .own_code = 39,
	  .own_ascii = 80 },
};

const struct python_version *python_version__find(unsigned int major, unsigned int minor)
{
	for (size_t i = 0; major == 3 && i < sizeof(versions) / sizeof(versions[0]); i++)
		if (versions[i].minor == minor)
			return &versions[i];
	return NULL;
}

/* What is compared of struct _Py_DebugOffsets: the words of it, … */
enum {
	OWN_COOKIE,
	OWN_FREE_THREADED = 2,
};

/* … and of its parts on single structs, in each of which the first is their size. */
enum {
	THREAD_FRAME = 4,
	THREAD_ID,
};

enum {
	FRAME_BACK = 1,
	FRAME_CODE,
	FRAME_INSTRUCTION,
	FRAME_LOCALS,
	FRAME_OWNER,
};

enum {
	CODE_FILE = 1,
	CODE_NAME = 3,
	CODE_LINES,
	CODE_FIRST_LINE,
	CODE_FIRST_INSTRUCTION = 9,
};

static bool has_cookie(const __u64 *own)
{
	return !memcmp(&own[OWN_COOKIE], "xdebugpy", sizeof(own[OWN_COOKIE]));
}

bool python_version__is_free_threaded(const __u64 *own)
{
	return has_cookie(own) && own[OWN_FREE_THREADED];
}

static bool thread_agrees(const struct python_version *version, const __u64 *own)
{
	return own[THREAD_FRAME] == version->frame && own[THREAD_ID] == version->thread_id;
}

static bool frame_agrees(const struct python_version *version, const __u64 *own)
{
	return own[FRAME_BACK] == version->back && own[FRAME_CODE] == version->code &&
	       own[FRAME_INSTRUCTION] == version->instruction &&
	       own[FRAME_LOCALS] == version->frame_size && own[FRAME_OWNER] == version->owner;
}

static bool code_agrees(const struct python_version *version, const __u64 *own)
{
	return own[CODE_FILE] == version->file && own[CODE_NAME] == version->name &&
	       own[CODE_LINES] == version->lines && own[CODE_FIRST_LINE] == version->first_line &&
	       own[CODE_FIRST_INSTRUCTION] == version->first_instruction;
}

bool python_version__agrees(const struct python_version *version, const __u64 *own)
{
	return has_cookie(own) && !own[OWN_FREE_THREADED] &&
	       thread_agrees(version, own + version->own_thread) &&
	       frame_agrees(version, own + version->own_frame) &&
	       code_agrees(version, own + version->own_code) &&
	       own[version->own_ascii] == version->ascii;
}
