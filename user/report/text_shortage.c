// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "report/text_shortage.h"

#include <string.h>

#include "report/text_stacks.h"
#include "report/words.h"

typedef unsigned long long ull;

enum {
	HOLDERS_SHOWN = 5,
	RIVALS_SHOWN = 3
};

static const char *buffers(__u64 count)
{
	return words__plural(count, "buffer", "buffers");
}

static void print_asked(FILE *out, const struct event_shortage *s)
{
	if (!s->asked)
		return;
	fprintf(out, ": asked %llu bytes in each", (ull)s->asked);
	if (s->space.num_banks)
		fprintf(out, " of %u banks", s->space.num_banks);
	else
		fputs(" bank", out);
	if (s->space.has_free)
		fprintf(out, ", %llu free", (ull)s->space.free);
}

/* "of 1072693184 bytes in each bank 715870208 are held, the largest hole is 356822976" */
static void print_state(FILE *out, const struct event_space *space)
{
	fprintf(out, "of %llu bytes in each bank %llu are held", (ull)space->size,
		(ull)space->held);
	if (space->has_hole)
		fprintf(out, ", the largest hole has %llu", (ull)space->hole);
	else
		fprintf(out, ", the largest hole is unknown: %s", space->why);
	fputc('\n', out);
}

static void print_fit(FILE *out, const struct event_shortage *s)
{
	const struct event_space *space = &s->space;

	switch (s->fit) {
	case FIT_TOO_LARGE:
		fprintf(out,
			"    too large: a bank has %llu bytes, even an empty one is too small\n",
			(ull)space->size);
		break;
	case FIT_FULL:
		fprintf(out, "    does not fit, %llu too many: ", (ull)(s->asked - space->free));
		print_state(out, space);
		break;
	case FIT_FRAGMENTED:
		fputs("    would have fitted without fragmentation: ", out);
		print_state(out, space);
		break;
	case FIT_REFUSED:
		fputs("    a hole was large enough (refused for another reason, or another thread was faster): ",
		      out);
		print_state(out, space);
		break;
	default:
		fprintf(out, "    whether it would have fitted is unknown: %s\n",
			space->why ? space->why : "nothing is known of the memory");
		break;
	}
}

static void print_ages(FILE *out, const struct event_holder *h)
{
	char oldest[WORDS_SIZE], newest[WORDS_SIZE];

	if (!h->has_ages)
		return;
	words__age(oldest, h->oldest_ns);
	words__age(newest, h->newest_ns);
	if (!strcmp(oldest, newest))
		fprintf(out, ", %s%s old", h->is_older ? "> " : "", oldest);
	else
		fprintf(out, ", %s to %s%s old", newest, h->is_older ? "> " : "", oldest);
}

static void print_holder(FILE *out, const struct event_holder *h)
{
	char range[WORDS_SIZE], bytes[WORDS_SIZE] = "?";

	if (h->unsized != h->buffers)
		snprintf(bytes, sizeof(bytes), "%llu", (ull)h->per_bank);
	fprintf(out, "      %12s bytes in each bank: %llu %s %s of %s", bytes, (ull)h->buffers,
		buffer_kind__name(h->kind), buffers(h->buffers),
		words__size_class(range, h->size_class));
	print_ages(out, h);
	if (h->unsized && h->unsized != h->buffers)
		fprintf(out, ", %llu of them of unknown footprint", (ull)h->unsized);
	fputc('\n', out);
}

/* "715829248 bytes in each bank: 1 buffer, tensor of ttnn::empty at load [model.py:30]" */
static void print_held(FILE *out, const struct event_shortage *s)
{
	__u64 more = s->held_left_out;
	char place[STACK_PLACE_SIZE];

	for (__u32 i = 0; i < s->num_held; i++) {
		const struct event_held *h = &s->held[i];

		if (i >= HOLDERS_SHOWN)
			more++;
		else
			fprintf(out, "      %12llu bytes in each bank: %llu %s, %s of %s\n",
				(ull)h->per_bank, (ull)h->buffers, buffers(h->buffers),
				h->owner ? owner__name(h->owner) : "something",
				text_stacks__place(place, h->stack));
	}
	if (more)
		fprintf(out, "      ... and by %llu other stacks\n", (ull)more);
}

/* By kind, size and age. */
static void print_classes(FILE *out, const struct event_shortage *s)
{
	__u64 count = 0, per_bank = 0;

	for (__u32 i = 0; i < s->num_holders; i++) {
		if (i < HOLDERS_SHOWN - 1 || s->num_holders == HOLDERS_SHOWN) {
			print_holder(out, &s->holders[i]);
			continue;
		}
		count += s->holders[i].buffers;
		per_bank += s->holders[i].per_bank;
	}
	if (count)
		fprintf(out, "      %12llu bytes in each bank: %llu other %s\n", (ull)per_bank,
			(ull)count, buffers(count));
}

static void print_holders(FILE *out, const struct event_shortage *s)
{
	/* it would not have fitted into an empty bank: who holds what is beside the point */
	if (s->fit == FIT_TOO_LARGE || !s->num_holders)
		return;
	fprintf(out, "    held%s by\n", s->space.has_free ? "" : ", as far as it was seen,");
	if (s->num_held)
		print_held(out, s);
	else
		print_classes(out, s);
}

static void print_rivals(FILE *out, const struct event *ev)
{
	const struct event_shortage *s = ev->shortage;
	__u64 more = s->rivals_left_out;

	for (__u32 i = 0; i < s->num_rivals; i++) {
		const struct event_rival *r = &s->rivals[i];
		char comm[3 * COMM_SIZE + 1], place[WORDS_PLACE_SIZE];

		if (i >= RIVALS_SHOWN) {
			more++;
			continue;
		}
		fprintf(out,
			"    %s on these chips: PID %u (%s) holds %llu bytes of %s in %llu %s "
			"on %s\n",
			r->process->pid == ev->process->pid ? "another device" : "another process",
			r->process->pid, words__clean(comm, sizeof(comm), r->process->comm),
			(ull)r->bytes, buffer_type__name(s->space.type), (ull)r->buffers,
			buffers(r->buffers), words__place(place, r->device));
	}
	if (more)
		fprintf(out, "    ... and %llu more on these chips\n", (ull)more);
}

void text_shortage__print(FILE *out, const struct event *ev)
{
	const struct event_shortage *s = ev->shortage;

	print_asked(out, s);
	fputc('\n', out);
	print_fit(out, s);
	print_holders(out, s);
	print_rivals(out, ev);
}

const struct event_space *text_shortage__find_space(const struct snapshot_device *device,
						    __u32 type)
{
	for (__u32 i = 0; i < device->num_spaces; i++) {
		if (device->spaces[i].type == type)
			return &device->spaces[i];
	}
	return NULL;
}

static void print_space(FILE *out, const struct event_space *space, const char *when)
{
	fprintf(out, "    %s %s, in each of %u banks: ", buffer_type__name(space->type), when,
		space->num_banks);
	if (space->has_free)
		fprintf(out, "%llu bytes free, ", (ull)space->free);
	if (space->has_hole)
		fprintf(out, "largest hole %llu\n", (ull)space->hole);
	else
		fprintf(out, "%s unknown:\n      %s\n",
			space->has_free ? "largest hole" : "what is free is", space->why);
}

void text_shortage__print_spaces(FILE *out, const struct snapshot_device *device, const char *when)
{
	for (__u32 i = 0; i < device->num_spaces; i++) {
		const struct event_space *space = &device->spaces[i];

		if (device->usage.type[space->type].peak_buffers)
			print_space(out, space, when);
	}
}
