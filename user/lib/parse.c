// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "lib/parse.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct unit {
	const char *name;
	double factor;
};

static const struct unit byte_units[] = {
	{ "", 1 },
	{ "b", 1 },
	{ "k", 1024.0 },
	{ "kib", 1024.0 },
	{ "m", 1024.0 * 1024 },
	{ "mib", 1024.0 * 1024 },
	{ "g", 1024.0 * 1024 * 1024 },
	{ "gib", 1024.0 * 1024 * 1024 },
	{ "t", 1024.0 * 1024 * 1024 * 1024 },
	{ "tib", 1024.0 * 1024 * 1024 * 1024 },
	{},
};

static const struct unit time_units[] = {
	{ "", 1 }, { "ms", 1e-3 }, { "s", 1 }, { "m", 60 }, { "min", 60 }, { "h", 3600 }, {},
};

/* A number that is not negative, with one of @units behind it. */
static int parse_with_unit(const char *text, const struct unit *units, double *ret_value)
{
	double value;
	char *end;

	/* strtod() would take blanks, signs, "inf" and "nan" */
	if (!isdigit((unsigned char)text[0]) && text[0] != '.')
		return -EINVAL;
	errno = 0;
	value = strtod(text, &end);
	if (end == text)
		return -EINVAL;
	if (errno || !isfinite(value))
		return -ERANGE;
	for (; units->name; units++) {
		if (strcasecmp(end, units->name))
			continue;
		*ret_value = value * units->factor;
		return 0;
	}
	return -EINVAL;
}

int parse__bytes(const char *text, __u64 *ret_bytes)
{
	double value;
	int err = parse_with_unit(text, byte_units, &value);

	if (err)
		return err;
	if (value >= 18446744073709551616.0)
		return -ERANGE;
	*ret_bytes = (__u64)value;
	return 0;
}

int parse__seconds(const char *text, double *ret_seconds)
{
	return parse_with_unit(text, time_units, ret_seconds);
}

int parse__number(const char *text, long least, long most, long *ret_number)
{
	char *end;
	long value;

	if (!isdigit((unsigned char)text[0]))
		return -EINVAL;
	errno = 0;
	value = strtol(text, &end, 10);
	if (*end)
		return -EINVAL;
	if (errno || value < least || value > most)
		return -ERANGE;
	*ret_number = value;
	return 0;
}
