// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "report/words.h"

#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

static const char *const units[] = { "B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB" };

const char *words__bytes(char buf[WORDS_SIZE], __u64 bytes)
{
	double value = (double)bytes;
	int unit = 0;

	while (value >= 1024) {
		value /= 1024;
		unit++;
	}
	if (!unit)
		snprintf(buf, WORDS_SIZE, "%llu B", (unsigned long long)bytes);
	else
		snprintf(buf, WORDS_SIZE, "%.1f %s", value, units[unit]);
	return buf;
}

const char *words__age(char buf[WORDS_SIZE], __u64 ns)
{
	unsigned long long seconds = ns / 1000000000, minutes = seconds / 60;

	if (!seconds)
		snprintf(buf, WORDS_SIZE, "%llu ms", (unsigned long long)ns / 1000000);
	else if (seconds < 60)
		snprintf(buf, WORDS_SIZE, "%llu.%llu s", seconds, ns / 100000000 % 10);
	else if (minutes < 60)
		snprintf(buf, WORDS_SIZE, "%llu min %02llu s", minutes, seconds % 60);
	else
		snprintf(buf, WORDS_SIZE, "%llu h %02llu min", minutes / 60, minutes % 60);
	return buf;
}

const char *words__least_age(char buf[WORDS_SIZE], __u64 ns, bool is_older)
{
	char age[WORDS_SIZE];

	if (!is_older)
		return words__age(buf, ns);
	if (!ns)
		return "?";
	snprintf(buf, WORDS_SIZE, "> %.*s", WORDS_SIZE - 3, words__age(age, ns));
	return buf;
}

const char *words__size_class(char buf[WORDS_SIZE], __u32 size_class)
{
	__u32 lower = size_class ? size_class - 1 : 0;
	__u32 unit = lower / 10;

	if (!size_class)
		snprintf(buf, WORDS_SIZE, "0-1 B");
	else
		snprintf(buf, WORDS_SIZE, "%u-%u %s", 1u << lower % 10, 2u << lower % 10,
			 units[unit]);
	return buf;
}

const char *words__chips(char buf[WORDS_PLACE_SIZE], const __u32 *chips, __u32 num_chips)
{
	size_t used = 0;

	buf[0] = '\0';
	for (__u32 i = 0, last; i < num_chips && used < WORDS_PLACE_SIZE; i = last + 1) {
		for (last = i; last + 1 < num_chips && chips[last + 1] == chips[last] + 1;)
			last++;
		if (last > i)
			used += snprintf(buf + used, WORDS_PLACE_SIZE - used, "%s%u-%u",
					 i ? "," : "", chips[i], chips[last]);
		else
			used += snprintf(buf + used, WORDS_PLACE_SIZE - used, "%s%u", i ? "," : "",
					 chips[i]);
	}
	return buf;
}

const char *words__place(char buf[WORDS_PLACE_SIZE], const struct event_device *device)
{
	char chips[WORDS_PLACE_SIZE];

	if (!device || (!device->num_chips && device->mesh_id == TT_NO_MESH))
		snprintf(buf, WORDS_PLACE_SIZE, "an unknown device");
	else if (!device->num_chips)
		snprintf(buf, WORDS_PLACE_SIZE, "mesh %u (chips unknown)", device->mesh_id);
	else
		snprintf(buf, WORDS_PLACE_SIZE, "device%s %.720s%s",
			 device->num_chips > 1 ? "s" : "",
			 words__chips(chips, device->chips, device->num_chips),
			 device->chips_cut ? " and more" : "");
	return buf;
}

/*
 * Beyond ASCII there are control characters too: 80 to 9f; separators of lines and paragraphs, at
 * which some readers of our lines would end them; and those that turn the direction of a text, so
 * that it reads as another one.
 */
static bool is_obeyed(__u32 code)
{
	return code < 0xa0 || code == 0x61c || code == 0x200e || code == 0x200f ||
	       (code >= 0x2028 && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069);
}

/* Bytes of the UTF-8 character at @s, 0 if it is none, or a control character. */
static size_t character_length(const unsigned char *s)
{
	static const __u32 least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	__u32 code;
	size_t len;

	if (*s < 0x80)
		return *s >= 0x20 && *s != 0x7f;
	len = *s >= 0xf0 ? 4 : *s >= 0xe0 ? 3 : 2;
	if (*s < 0xc2 || *s > 0xf4)
		return 0;
	code = *s & (0x7f >> len);
	for (size_t i = 1; i < len; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		code = code << 6 | (s[i] & 0x3f);
	}
	if (code < least[len] || code > 0x10ffff || (code >= 0xd800 && code < 0xe000))
		return 0;
	return is_obeyed(code) ? 0 : len;
}

const char *words__clean(char *buf, size_t size, const char *src)
{
	static const char replacement[] = "\xef\xbf\xbd";
	size_t used = 0;

	while (*src) {
		size_t len = character_length((const unsigned char *)src);
		const char *from = len ? src : replacement;
		size_t out = len ? len : sizeof(replacement) - 1;

		if (used + out >= size)
			break;
		memcpy(buf + used, from, out);
		used += out;
		src += len ? len : 1;
	}
	buf[used] = '\0';
	return buf;
}

const char *words__state(char buf[WORDS_SIZE], enum process_state state, __u32 exit_code)
{
	const char *name;

	switch (state) {
	case PROCESS_RUNNING:
		return "still running";
	case PROCESS_EXECED:
		return "replaced by another program (exec)";
	case PROCESS_VANISHED:
		return "ended unseen";
	case PROCESS_EXITED:
		break;
	}
	if (WIFSIGNALED(exit_code)) {
		name = sigabbrev_np(WTERMSIG(exit_code));
		snprintf(buf, WORDS_SIZE, "killed by signal %u (SIG%s)", WTERMSIG(exit_code),
			 name ? name : "?");
	} else {
		snprintf(buf, WORDS_SIZE, "ended with status %u", WEXITSTATUS(exit_code));
	}
	return buf;
}

const char *words__at_least(__u64 unknown)
{
	return unknown ? "at least " : "";
}

const char *words__plural(__u64 count, const char *one, const char *many)
{
	return count == 1 ? one : many;
}

const char *words__stack_end(enum tt_stack_end end)
{
	static const char *const words[TT_STACK_END_COUNT] = {
		[TT_STACK_COMPLETE] = "complete",
		[TT_STACK_CUT] = "longer than what is copied",
		[TT_STACK_DEEP] = "deeper than --stack-depth",
		[TT_STACK_NO_CODE] = "through code of no file",
		[TT_STACK_NO_RULE] = "through code without .eh_frame",
		[TT_STACK_BROKEN] = "broken",
		[TT_STACK_NO_PYTHON] = "with frames of Python that could not be read",
	};

	return (unsigned int)end < TT_STACK_END_COUNT ? words[end] : "?";
}
