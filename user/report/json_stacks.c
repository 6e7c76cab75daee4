// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "report/json_stacks.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/array.h"
#include "report/json_line.h"

int json_stacks__tell(struct json_stacks *stacks, FILE *out, __u64 ts_ns,
		      const struct event_stack *stack)
{
	struct json_line line;
	unsigned char *told;

	if (!stack)
		return 0;
	told = array__reach(stacks->told, stack->number, sizeof(*told), &stacks->num);
	if (!told)
		return -ENOMEM;
	stacks->told = told;
	if (told[stack->number])
		return 0;
	told[stack->number] = 1;
	json_line__begin(&line, "stack", ts_ns);
	json_line__origin(&line, line.root, stack, stack->owner);
	json_line__stack(&line, line.root, stack);
	return json_line__write(&line, out);
}

static void put_sum(struct json_line *line, const char *bytes, const char *count,
		    const struct site_sum *sum)
{
	json_line__number(line, line->root, bytes, sum->bytes);
	json_line__number(line, line->root, count, sum->buffers);
}

static int write_site(FILE *out, __u64 ts_ns, const struct snapshot_process *process,
		      const struct snapshot_device *device, const struct snapshot_site *site)
{
	struct json_line line;

	json_line__begin(&line, "site", ts_ns);
	json_line__number(&line, line.root, "pid", process->pub.pid);
	json_line__string(&line, line.root, "comm", process->comm);
	json_line__device(&line, line.root, &device->pub);
	if (site->type < TT_TYPE_COUNT)
		json_line__string(&line, line.root, "type", buffer_type__name(site->type));
	json_line__origin(&line, line.root, site->stack, site->owner);
	put_sum(&line, "live", "live_buffers", &site->live);
	put_sum(&line, "at_peak", "at_peak_buffers", &site->at_peak);
	put_sum(&line, "leaked", "leaked_buffers", &site->leaked);
	put_sum(&line, "allocated", "allocations", &site->allocated);
	json_line__number(&line, line.root, "temporary", site->temporary);
	return json_line__write(&line, out);
}

static int write_device(struct json_stacks *stacks, FILE *out, __u64 ts_ns,
			const struct snapshot_process *process,
			const struct snapshot_device *device)
{
	int err = 0;

	for (__u32 i = 0; !err && i < device->num_sites; i++) {
		err = json_stacks__tell(stacks, out, ts_ns, device->sites[i].stack);
		if (!err)
			err = write_site(out, ts_ns, process, device, &device->sites[i]);
	}
	return err;
}

int json_stacks__sites(struct json_stacks *stacks, FILE *out, const struct snapshot *snap)
{
	int err = 0;

	for (__u32 i = 0; !err && i < snap->num_processes; i++) {
		const struct snapshot_process *process = snap->processes[i];

		for (__u32 j = 0; !err && j < process->num_devices; j++)
			err = write_device(stacks, out, snap->ts_ns, process, process->devices[j]);
	}
	return err;
}

void json_stacks__done(struct json_stacks *stacks)
{
	free(stacks->told);
	memset(stacks, 0, sizeof(*stacks));
}
