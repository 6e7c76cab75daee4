// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "lib/function_name.h"

#include <stdbool.h>
#include <string.h>

/* The length of the name of an operator at @s, of which brackets may be a part; 0: there is none.
 */
static size_t operator_length(const char *s, bool begins_name)
{
	static const char word[] = "operator";
	size_t len = sizeof(word) - 1;

	if (!begins_name || strncmp(s, word, len))
		return 0;
	return len + strspn(s + len, "<>-=!+*/%&|^~[]");
}

static bool is_of_name(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '_' || c == '$';
}

/* Puts @len bytes behind the @used ones if there is room for all of them. Returns how many are
 * used. */
static size_t put(char *buf, size_t size, size_t used, const char *from, size_t len)
{
	if (used + len >= size)
		return used;
	memcpy(buf + used, from, len);
	return used + len;
}

const char *function_name__shorten(char *buf, size_t size, const char *name, const char *dots)
{
	size_t used = 0, len;
	int depth = 0;

	for (const char *s = name; *s; s += len) {
		len = operator_length(s, s == name || !is_of_name(s[-1]));
		if (!len && *s == '<' && !depth++)
			used = put(buf, size, used, dots, strlen(dots));
		if (!depth)
			used = put(buf, size, used, s, len ? len : 1);
		if (!len && *s == '>' && depth)
			depth--;
		len = len ? len : 1;
	}
	buf[used] = '\0';
	return buf;
}
