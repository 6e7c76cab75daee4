// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "report/text_stacks.h"

#include <string.h>

#include "lib/function_name.h"
#include "lib/path.h"
#include "report/words.h"

typedef unsigned long long ull;

enum {
	FRAMES_SHOWN = 24,
	NAME_SIZE = 1024,
	NAME_COLUMNS = 72, /* of a name that could not be demangled */
	PLACE_NAME = 120,  /* bytes of a name in the line of a place */
};

/* --- one frame ------------------------------------------------------------------------------- */

/* "forward  [model.py:214]"; the path is as the program was started with it. */
static void print_python(FILE *out, const struct event_frame *frame)
{
	char name[3 * NAME_SIZE], file[3 * NAME_SIZE];

	fprintf(out, "%s  [%s:%u]\n",
		words__clean(name, sizeof(name), frame->function ? frame->function : "?"),
		words__clean(file, sizeof(file), frame->image), frame->line);
}

/* As gdb and perf show it; where the function is not known, the place in the file. */
static void print_frame(FILE *out, const struct event_frame *frame, int indent, bool verbose)
{
	char name[NAME_SIZE], clean[3 * NAME_SIZE], image[3 * WORDS_PLACE_SIZE];

	fprintf(out, "%*s", indent, "");
	if (frame->line)
		return print_python(out, frame);
	words__clean(image, sizeof(image), path__base_name(frame->image));
	if (!frame->function) {
		fprintf(out, "[%s+0x%llx]\n", image, (ull)frame->vaddr);
		return;
	}
	if (verbose)
		snprintf(name, sizeof(name), "%s", frame->function);
	else
		function_name__shorten(name, sizeof(name), frame->function, FUNCTION_NAME_DOTS);
	words__clean(clean, sizeof(clean), name);
	if (!verbose && !strncmp(clean, "_Z", 2) && strlen(clean) > NAME_COLUMNS)
		fprintf(out, "%.*s...  [%s]\n", NAME_COLUMNS - 3, clean, image);
	else
		fprintf(out, "%s  [%s]\n", clean, image);
}

/* --- which frames ---------------------------------------------------------------------------- */

/* That by which ttnn calls its operations: the same for all of them. */
static bool is_decorator(const struct event_frame *frame)
{
	static const char file[] = "/ttnn/decorators.py";
	size_t len = strlen(frame->image);

	return frame->line && len >= sizeof(file) - 1 &&
	       !strcmp(frame->image + len - (sizeof(file) - 1), file);
}

/* All if there is none. */
static __u32 count_before_python(const struct event_stack *stack)
{
	__u32 num = 0;

	while (num < stack->num_frames && !stack->frames[num]->line)
		num++;
	return num;
}

/* @first_python: the number of the innermost frame of Python. */
static bool is_told(const struct event_stack *stack, __u32 nr, __u32 first_python)
{
	bool has_op = stack->op_frame != STACK_NO_FRAME;

	if (has_op && nr <= stack->op_frame)
		return nr == stack->op_frame;
	if (stack->frames[nr]->line)
		return !is_decorator(stack->frames[nr]);
	/* of machine code with Python around it only what no operation stands for */
	return first_python == stack->num_frames || (!has_op && nr < first_python);
}

void text_stacks__frames(FILE *out, const struct event_stack *stack, int indent, bool verbose)
{
	__u32 first_python, shown = 0;

	if (!stack) {
		fprintf(out, "%*sthe stack is not known\n", indent, "");
		return;
	}
	first_python = count_before_python(stack);
	for (__u32 i = 0; i < stack->num_frames; i++) {
		if (!verbose && (shown == FRAMES_SHOWN || !is_told(stack, i, first_python)))
			continue;
		print_frame(out, stack->frames[i], indent, verbose);
		shown++;
	}
	if (shown < stack->num_frames)
		fprintf(out, "%*s... %u %s more (-v shows all)\n", indent, "",
			stack->num_frames - shown,
			words__plural(stack->num_frames - shown, "frame", "frames"));
	if (stack->end != TT_STACK_COMPLETE)
		fprintf(out, "%*s... %s\n", indent, "", words__stack_end(stack->end));
}

/* --- in one line ----------------------------------------------------------------------------- */

/* From frame @nr on outwards the next of Python that is the program's own; or how many there are.
 */
static __u32 find_caller(const struct event_stack *stack, __u32 nr)
{
	while (nr < stack->num_frames &&
	       (!stack->frames[nr]->line || is_decorator(stack->frames[nr])))
		nr++;
	return nr;
}

/* Adds " at forward [model.py:8]" to @buf. */
static void add_caller(char buf[STACK_PLACE_SIZE], const char *word,
		       const struct event_frame *frame)
{
	char function[PLACE_NAME], file[PLACE_NAME];
	size_t used = strlen(buf);

	snprintf(buf + used, STACK_PLACE_SIZE - used, " %s %s [%s:%u]", word,
		 words__clean(function, sizeof(function), frame->function ? frame->function : "?"),
		 words__clean(file, sizeof(file), path__base_name(frame->image)), frame->line);
}

/* Adds " (ttnn::prim::UntilizeWithHaloProgramFactory)" to @buf: an operation makes many programs.
 */
static void add_factory(char buf[STACK_PLACE_SIZE], const char *factory)
{
	char name[PLACE_NAME];
	size_t used = strlen(buf);

	snprintf(buf + used, STACK_PLACE_SIZE - used, " (%s)",
		 words__clean(name, sizeof(name), factory));
}

const char *text_stacks__place(char buf[STACK_PLACE_SIZE], const struct event_stack *stack)
{
	char op[PLACE_NAME];
	__u32 nr;

	if (!stack)
		return "code that is not known";
	words__clean(op, sizeof(op), stack->op ? stack->op : "an allocation");
	snprintf(buf, STACK_PLACE_SIZE, "%s", op);
	if (stack->factory)
		add_factory(buf, stack->factory);
	nr = find_caller(stack, 0);
	if (nr < stack->num_frames)
		add_caller(buf, "at", stack->frames[nr]);
	nr = find_caller(stack, nr + 1);
	if (nr < stack->num_frames)
		add_caller(buf, "from", stack->frames[nr]);
	return buf;
}

/* --- those of a list ------------------------------------------------------------------------- */

/* "3 buffers, 73728 bytes (72.0 KiB) of DRAM, oldest 3 ms, tensor" */
static void print_stack(FILE *out, const struct snapshot_stack *group, bool verbose)
{
	const char *owner = group->stack ? owner__name(group->stack->owner) : NULL;
	char bytes[WORDS_SIZE], age[WORDS_SIZE], factory[3 * NAME_SIZE];

	fprintf(out, "      %llu %s, %llu bytes (%s) of %s, oldest %s%s%s\n",
		(ull)group->sum.buffers, words__plural(group->sum.buffers, "buffer", "buffers"),
		(ull)group->sum.bytes, words__bytes(bytes, group->sum.bytes),
		buffer_type__name(group->type),
		words__least_age(age, group->oldest_ns, group->is_older), owner ? ", " : "",
		owner ? owner : "");
	if (group->stack && group->stack->factory)
		fprintf(out, "          by %s\n",
			words__clean(factory, sizeof(factory), group->stack->factory));
	text_stacks__frames(out, group->stack, 10, verbose);
}

void text_stacks__write(FILE *out, const struct snapshot_list *list, const struct sink_opts *opts)
{
	__u32 shown = list->num_stacks < opts->top ? list->num_stacks : opts->top;

	if (!list->num_stacks)
		return;
	fputs("    allocated by:\n", out);
	for (__u32 i = 0; i < shown; i++)
		print_stack(out, &list->stacks[i], opts->verbose);
	if (shown < list->num_stacks)
		fprintf(out, "      ... and by %u other stacks (-T %u shows all)\n",
			list->num_stacks - shown, list->num_stacks);
}
