// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "report/text_sites.h"

#include <stdint.h>

#include "report/text_stacks.h"
#include "report/words.h"

typedef unsigned long long ull;

enum {
	PEAK_SHOWN = 3,
	TEMPORARY_LEAST =
		10, /* allocations of a site that were freed at once, for it to be shown */
};

static const char *buffers(__u64 count)
{
	return words__plural(count, "buffer", "buffers");
}

/* "allocated for: tensor 12 buffers, 3.1 MiB; kernel_binary 2 buffers, 4.0 KiB" */
static void print_owners(FILE *out, const struct snapshot_device *device)
{
	const char *sep = "    allocated for:";
	char bytes[WORDS_SIZE];

	for (int i = 0; i < OWNER_COUNT; i++) {
		const struct site_sum *sum = &device->owners[i].allocated;

		if (!sum->buffers)
			continue;
		fprintf(out, "%s %s %llu %s, %s", sep, i ? owner__name(i) : "unknown",
			(ull)sum->buffers, buffers(sum->buffers), words__bytes(bytes, sum->bytes));
		sep = ";";
	}
	if (sep[0] == ';')
		fputc('\n', out);
}

static void print_peak_row(FILE *out, const struct snapshot_site *site,
			   const struct sink_opts *opts)
{
	char bytes[WORDS_SIZE], place[STACK_PLACE_SIZE];

	fprintf(out, "      %14llu bytes (%s), %llu %s: %s%s%s\n", (ull)site->at_peak.bytes,
		words__bytes(bytes, site->at_peak.bytes), (ull)site->at_peak.buffers,
		buffers(site->at_peak.buffers), site->owner ? owner__name(site->owner) : "",
		site->owner ? " of " : "", text_stacks__place(place, site->stack));
	if (opts->verbose && site->stack)
		text_stacks__frames(out, site->stack, 10, true);
}

static __u32 num_shown(const struct sink_opts *opts)
{
	if (opts->top_peak)
		return opts->top_peak;
	return opts->verbose ? UINT32_MAX : PEAK_SHOWN;
}

/* The sites of one type, from @from on. Returns the number of the first that is of another. */
static __u32 print_peak(FILE *out, const struct snapshot_device *device, __u32 from,
			const struct sink_opts *opts)
{
	__u32 type = device->sites[from].type, shown = 0, more = 0, i;

	for (i = from; i < device->num_sites && device->sites[i].type == type; i++) {
		if (!device->sites[i].at_peak.bytes)
			continue;
		if (shown == num_shown(opts)) {
			more++;
			continue;
		}
		if (!shown++)
			fprintf(out, "    at the peak of %s:\n", buffer_type__name(type));
		print_peak_row(out, &device->sites[i], opts);
	}
	if (more)
		fprintf(out, "      ... and by %u other stacks (-T %u shows all)\n", more,
			more + shown);
	return i;
}

/* Those with the most temporary allocations first; of equal ones in their order. */
static bool comes_before(const struct snapshot_site *a, const struct snapshot_site *b)
{
	return a->temporary > b->temporary || (a->temporary == b->temporary && a < b);
}

/* The next of the list behind @last; NULL: from its begin, or there are no more. */
static const struct snapshot_site *next_temporary(const struct snapshot_device *device,
						  const struct snapshot_site *last)
{
	const struct snapshot_site *next = NULL;

	for (__u32 i = 0; i < device->num_sites; i++) {
		const struct snapshot_site *site = &device->sites[i];

		if (site->temporary < TEMPORARY_LEAST || (last && !comes_before(last, site)))
			continue;
		if (!next || comes_before(site, next))
			next = site;
	}
	return next;
}

/* Allocations that were freed before the next one, where there are many: a buffer kept would do. */
static void print_temporary(FILE *out, const struct snapshot_device *device,
			    const struct sink_opts *opts)
{
	const struct snapshot_site *site = next_temporary(device, NULL);
	__u32 most = opts->top_peak ? opts->top_peak : PEAK_SHOWN;
	__u64 temporary = 0, allocations = 0;
	char place[STACK_PLACE_SIZE];

	for (__u32 i = 0; i < device->num_sites; i++) {
		allocations += device->sites[i].allocated.buffers;
		temporary += device->sites[i].temporary;
	}
	if (!site)
		return;
	fprintf(out, "    temporary: %llu of %llu allocations were freed before the next one\n",
		(ull)temporary, (ull)allocations);
	for (__u32 i = 0; i < most && site; i++, site = next_temporary(device, site))
		fprintf(out, "      %llu of %llu: %s\n", (ull)site->temporary,
			(ull)site->allocated.buffers, text_stacks__place(place, site->stack));
}

void text_sites__write(FILE *out, const struct snapshot_device *device,
		       const struct sink_opts *opts)
{
	__u32 next = 0;

	while (next < device->num_sites)
		next = print_peak(out, device, next, opts);
	print_temporary(out, device, opts);
	print_owners(out, device);
}
