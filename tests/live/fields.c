// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * fields PID LIBRARY: where the fields lie of a runtime that has its symbols, as its code tells it,
 * and as the objects of that process do, which is all that there is without symbols. A line for
 * each that either of them tells: its name, the offsets by the code, those by the objects; the
 * reason.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "target/census.h"
#include "target/library.h"
#include "target/live.h"
#include "target/slots.h"

struct place {
	const char *library;
	__u64 bias;
	bool found;
};

static int look_at_mapping(void *ctx, const struct proc_mapping *mapping)
{
	struct place *place = ctx;

	if (!strcmp(mapping->name, place->library))
		place->found = !census__find_bias(place->library, mapping, &place->bias);
	return 0;
}

static void print_path(const struct tt_path *path)
{
	if (!path->len)
		printf(" -");
	for (int i = 0; i < path->len; i++)
		printf("%c%x", i ? '.' : ' ', path->off[i]);
}

static int look(pid_t pid, const char *name, struct library *by_code)
{
	struct library by_objects = {};
	struct live_result result = {};
	struct place place = { .library = name };
	struct elf_file *file;
	int err = elf_file__open(name, &file);

	err = err ? err : classes__find_all(file, &by_objects.classes);
	err = err ? err
		  : slots__decode(file, &by_objects.classes, &by_objects.layout, by_objects.fields);
	err = err ? err : proc__each_mapping(pid, look_at_mapping, &place);
	if (!err && !place.found)
		err = -ENOENT;
	for (int i = 0; !err && i < 5; i++) {
		err = live__establish(pid, place.bias, &by_objects.classes, &by_objects.layout,
				      by_objects.fields, &result);
		if (err != -EAGAIN)
			break;
	}
	if (err)
		return err;
	printf("state %d unexplained %" PRIu64 " stride %d %d\n", result.state,
	       (uint64_t)result.unexplained, by_code->layout.chip_stride,
	       by_objects.layout.chip_stride);
	for (int field = 0; field < TT_FIELD_COUNT; field++) {
		printf("%s.%s", library__field_class(field), library__field_name(field));
		print_path(&by_code->layout.field[field]);
		print_path(&by_objects.layout.field[field]);
		printf(" %s\n", by_objects.fields[field].how);
	}
	elf_file__close(file);
	return 0;
}

int main(int argc, char **argv)
{
	struct library *lib;
	int err;

	if (argc != 3)
		return 2;
	err = library__open(argv[2], argv[2], &lib);
	if (!err) {
		err = look(atoi(argv[1]), argv[2], lib);
		library__free(lib);
	}
	if (err)
		fprintf(stderr, "fields: %s\n", strerror(-err));
	return err ? 1 : 0;
}
