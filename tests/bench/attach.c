// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 *   attach FILE MODE ROUNDS    what tttrace does to a runtime, timed: its programs are loaded, the
 *                              file is looked through, the probes of the mode (default, lean, all)
 *                              are attached and taken away. A JSON object a round, milliseconds.
 *   attach FILE MODE           where these probes are: offsets in the file, a line each
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "target/library.h"
#include "target/probe_set.h"
#include "trace/loader.h"

static double read_ms(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return ts.tv_sec * 1e3 + ts.tv_nsec / 1e6;
}

static double now_ms(void)
{
	return read_ms(CLOCK_MONOTONIC);
}

static enum tt_mode mode_of(const char *word)
{
	if (!strcmp(word, "lean"))
		return TT_MODE_LEAN;
	return strcmp(word, "all") ? TT_MODE_DEFAULT : TT_MODE_ALL;
}

static __u64 set_of(enum tt_mode mode, const struct library *lib)
{
	return probe_set__of(mode, false, &lib->layout, library__probes(lib));
}

static int print_offsets(const char *file, enum tt_mode mode)
{
	struct library *lib;
	__u64 set;
	int err = library__open(file, file, &lib);

	if (err)
		return err;
	set = set_of(mode, lib);
	for (size_t i = 0; i < lib->num_probes; i++) {
		if (probe_set__has(set, lib->probes[i].probe))
			printf("0x%llx\n", lib->probes[i].file_offset);
	}
	library__free(lib);
	return 0;
}

static int measure(const char *file, enum tt_mode mode)
{
	struct loader_opts opts = {
		.mode = mode, .scope = TT_SCOPE_LISTED, .ring_size = 8 << 20, .max_processes = 16384
	};
	unsigned int attached;
	struct loader *loader;
	struct library *lib;
	double at[5], cpu[3];
	__u16 layout;
	int err;

	at[0] = now_ms();
	err = loader__prepare(&opts, &loader);
	if (!err)
		err = loader__load(loader);
	if (err)
		return err;
	at[1] = now_ms();
	err = library__open(file, file, &lib);
	if (err)
		return err;
	at[2] = now_ms();
	cpu[0] = read_ms(CLOCK_PROCESS_CPUTIME_ID);
	err = loader__attach_library(loader, lib, set_of(mode, lib), file, &layout, &attached);
	at[3] = now_ms();
	cpu[1] = read_ms(CLOCK_PROCESS_CPUTIME_ID);
	loader__detach(loader);
	at[4] = now_ms();
	cpu[2] = read_ms(CLOCK_PROCESS_CPUTIME_ID);
	library__free(lib);
	loader__free(loader);
	printf("{\"load\":%.3f,\"look_up\":%.3f,\"attach\":%.3f,\"detach\":%.3f,"
	       "\"attach_cpu\":%.3f,\"detach_cpu\":%.3f,\"probes\":%u}\n",
	       at[1] - at[0], at[2] - at[1], at[3] - at[2], at[4] - at[3], cpu[1] - cpu[0],
	       cpu[2] - cpu[1], attached);
	return err;
}

int main(int argc, char **argv)
{
	int err = argc < 3 ? 2 : 0;

	if (argc == 3)
		err = print_offsets(argv[1], mode_of(argv[2]));
	for (int i = 0; !err && argc > 3 && i < atoi(argv[3]); i++)
		err = measure(argv[1], mode_of(argv[2]));
	if (err)
		fprintf(stderr, "attach: failed (%d); usage: attach FILE MODE [ROUNDS]\n", err);
	return err ? 1 : 0;
}
