// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * The meaning of a pattern is that of TemplateMatch() in the common part of LLVM's sanitizers, but
 * for two things. There a `$` ends a pattern wherever it stands; here it is a letter unless it is
 * the last. There the first place of the text before a `$` decides; here any place will do.
 */
#include "core/suppressions.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "lib/array.h"
#include "lib/cleanup.h"
#include "lib/function_name.h"

static const char rule_type[] = "leak:";
static const char blanks[] = " \t\r\v\f";

enum {
	/* what is remembered of a stack; else the number of its rule + FOUND_RULE */
	FOUND_NOT_ASKED = 0,
	FOUND_NONE = 1,
	FOUND_RULE = 2,
};

struct suppressions {
	char *text; /* patterns point into it */
	struct suppression *rules;
	__u32 num_rules;
	__u32 *found; /* by the number of a stack */
	__u32 num_found;
};

static int add_rule(struct suppressions *suppressions, const char *pattern, unsigned int line)
{
	__u32 num = suppressions->num_rules;
	struct suppression *rules = array__append(suppressions->rules, num, sizeof(*rules));

	if (!rules)
		return -ENOMEM;
	suppressions->rules = rules;
	rules[num] = (struct suppression){ .pattern = pattern, .number = num, .line = line };
	suppressions->num_rules++;
	return 0;
}

/* @text without blanks at both ends; it is cut there. */
static char *trim(char *text)
{
	size_t len;

	text += strspn(text, blanks);
	len = strlen(text);
	while (len && strchr(blanks, text[len - 1]))
		len--;
	text[len] = '\0';
	return text;
}

/* @text has @len bytes and a 0 behind them. */
static int parse_line(struct suppressions *suppressions, char *text, size_t len, unsigned int line)
{
	char *pattern;

	if (memchr(text, '\0', len))
		return -EINVAL;
	text = trim(text);
	if (!*text || *text == '#')
		return 0;
	if (strncmp(text, rule_type, sizeof(rule_type) - 1))
		return -EINVAL;
	pattern = trim(text + sizeof(rule_type) - 1);
	return *pattern ? add_rule(suppressions, pattern, line) : -EINVAL;
}

static int parse_lines(struct suppressions *suppressions, size_t size, unsigned int *ret_line)
{
	char *text = suppressions->text, *end = text + size, *next;
	unsigned int line = 1;
	int err;

	for (; text < end; text = next, line++) {
		char *newline = memchr(text, '\n', (size_t)(end - text));

		next = newline ? newline + 1 : end;
		if (newline)
			*newline = '\0';
		err = parse_line(suppressions, text, (size_t)((newline ? newline : end) - text),
				 line);
		if (err == -EINVAL)
			*ret_line = line;
		if (err)
			return err;
	}
	return 0;
}

int suppressions__parse(const char *text, size_t size, struct suppressions **ret_suppressions,
			unsigned int *ret_line)
{
	struct suppressions *suppressions = calloc(1, sizeof(*suppressions));
	int err = -ENOMEM;

	if (suppressions)
		suppressions->text = malloc(size + 1);
	if (suppressions && suppressions->text) {
		if (size)
			memcpy(suppressions->text, text, size);
		suppressions->text[size] = '\0';
		err = parse_lines(suppressions, size, ret_line);
	}
	if (err)
		suppressions__free(suppressions);
	else
		*ret_suppressions = suppressions;
	return err;
}

void suppressions__free(struct suppressions *suppressions)
{
	if (!suppressions)
		return;
	free(suppressions->text);
	free(suppressions->rules);
	free(suppressions->found);
	free(suppressions);
}

__u32 suppressions__count(const struct suppressions *suppressions)
{
	return suppressions->num_rules;
}

const struct suppression *suppressions__rule(const struct suppressions *suppressions, __u32 number)
{
	return &suppressions->rules[number];
}

/* Is @text, or if @at_begin is not set its end, the @len bytes at @piece? */
static bool is_end(const char *text, const char *piece, size_t len, bool at_begin)
{
	size_t left = strlen(text);

	if (at_begin ? left != len : left < len)
		return false;
	return !memcmp(text + left - len, piece, len);
}

/*
 * The pieces between the stars, each at the first place behind the one before: if that leads
 * nowhere, no later place does, so there is no going back.
 */
static bool pattern_matches(const char *pattern, const char *text)
{
	const char *end = pattern + strlen(pattern), *star;
	bool at_begin = *pattern == '^', at_end;
	size_t len;

	pattern += at_begin;
	at_end = end > pattern && end[-1] == '$';
	end -= at_end;
	for (;; pattern = star + 1, at_begin = false) {
		star = memchr(pattern, '*', (size_t)(end - pattern));
		len = (size_t)((star ? star : end) - pattern);
		if (!star && at_end)
			return is_end(text, pattern, len, at_begin);
		if (!at_begin)
			text = memmem(text, strlen(text), pattern, len);
		else if (strncmp(text, pattern, len))
			return false;
		if (!text || !star)
			return text;
		text += len;
	}
}

/* A name that is not known matches nothing, not even `*`. */
static bool name_matches(const char *pattern, const char *name)
{
	return name && *name && pattern_matches(pattern, name);
}

/* Does the name of a C++ function match without what its templates were made with? */
static bool short_name_matches(const char *pattern, const char *name)
{
	size_t room = sizeof(FUNCTION_NAME_DOTS) * strlen(name) + 1;
	_cleanup_free_ char *buf = malloc(room);

	if (!buf)
		return false;
	return name_matches(pattern, function_name__shorten(buf, room, name, FUNCTION_NAME_DOTS)) ||
	       name_matches(pattern, function_name__shorten(buf, room, name, ""));
}

static bool frame_matches(const char *pattern, const struct event_frame *frame)
{
	if (name_matches(pattern, frame->function) || name_matches(pattern, frame->image))
		return true;
	return frame->function && !frame->line && strchr(frame->function, '<') &&
	       short_name_matches(pattern, frame->function);
}

static bool stack_matches(const char *pattern, const struct event_stack *stack)
{
	for (__u32 i = 0; i < stack->num_frames; i++)
		if (frame_matches(pattern, stack->frames[i]))
			return true;
	return false;
}

static __u32 find_rule(const struct suppressions *suppressions, const struct event_stack *stack)
{
	for (__u32 i = 0; i < suppressions->num_rules; i++)
		if (stack_matches(suppressions->rules[i].pattern, stack))
			return FOUND_RULE + i;
	return FOUND_NONE;
}

/* Where it is remembered what was found for a stack; NULL: out of memory. */
static __u32 *place_of(struct suppressions *suppressions, __u32 number)
{
	__u32 *found =
		array__reach(suppressions->found, number, sizeof(*found), &suppressions->num_found);

	if (!found)
		return NULL;
	suppressions->found = found;
	return &found[number];
}

const struct suppression *suppressions__match(struct suppressions *suppressions,
					      const struct event_stack *stack)
{
	__u32 found, *place;

	if (!stack || !suppressions->num_rules)
		return NULL;
	place = place_of(suppressions, stack->number);
	found = place ? *place : FOUND_NOT_ASKED;
	if (found == FOUND_NOT_ASKED)
		found = find_rule(suppressions, stack);
	if (place)
		*place = found;
	return found == FOUND_NONE ? NULL : &suppressions->rules[found - FOUND_RULE];
}
