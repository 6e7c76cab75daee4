// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "stripped.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "target/census.h"
#include "target/live.h"

enum {
	MAX_LOOKS = 5 /* while the process changes what is looked at */
};

/* The next look may see more. */
static bool is_doubtful(const struct live_result *result)
{
	return result->state == LIVE_UNKNOWN || result->unexplained;
}

static int look(const struct discovery_find *find, __u64 bias, struct library *lib,
		struct live_result *ret_result)
{
	const struct tt_layout known = lib->layout;
	int err = -EAGAIN;

	*ret_result = (struct live_result){ .state = LIVE_UNKNOWN };
	for (int i = 0; i < MAX_LOOKS && (err == -EAGAIN || (!err && is_doubtful(ret_result)));
	     i++) {
		lib->layout = known;
		err = live__establish(find->pid, bias, &lib->classes, &lib->layout, lib->fields,
				      ret_result);
	}
	return err;
}

/* What a census would not tell; NULL: it tells all that counts. */
static const char *find_gap(const struct library *lib)
{
	static const enum tt_field needed[] = { TT_FIELD_MESH_CHIPS, TT_FIELD_CHIP_ID,
						TT_FIELD_NUM_BANKS, TT_FIELD_SIZE };

	for (size_t i = 0; i < sizeof(needed) / sizeof(needed[0]); i++)
		if (!lib->layout.field[needed[i]].len)
			return library__field_loss(needed[i]);
	return NULL;
}

int stripped__establish(const struct discovery_find *find, struct library *lib, char *why)
{
	struct live_result result;
	const char *gap;
	__u64 bias;
	int err = census__find_bias(find->path, find->mapping, &bias);

	err = err ? err : look(find, bias, lib, &result);
	if (err && err != -EAGAIN)
		return err;
	if (err)
		snprintf(why, TT_WHY_SIZE, "%s, and its objects do not tell where their fields lie",
			 library_stripped);
	else if (result.state == LIVE_UNKNOWN)
		snprintf(why, TT_WHY_SIZE, "%s, and %s", library_stripped, result.why);
	else if (result.state == LIVE_NOTHING)
		return STRIPPED_NOTHING;
	else if ((gap = find_gap(lib)))
		snprintf(why, TT_WHY_SIZE, "%s: %s", library_stripped, gap);
	else
		return STRIPPED_KNOWN;
	return STRIPPED_UNKNOWN;
}
