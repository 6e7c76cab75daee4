// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * Allocates on the stand-in by the ways of a library, and prints what the unwinder of libgcc says of
 * where that was: for each allocation a line of JSON, [file, address in the file] of each frame,
 * innermost first, from the caller of allocate() on. An address is that of the call that is going on,
 * or of what was interrupted.
 *
 *	frames RUNTIME LIBRARY WAY...
 *
 * A way `wait` says "ready", and reads a line.
 */
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <dlfcn.h>
#include <string>
#include <unwind.h>

#include "standin.h"

static const standin::Api *api;
static standin::Mesh *mesh;

static void *need(void *found)
{
	if (!found) {
		fprintf(stderr, "frames: %s\n", dlerror());
		exit(2);
	}
	return found;
}

/* As a string of JSON. */
static void print_name(const char *name)
{
	putchar('"');
	for (; *name; name++) {
		if (*name == '"' || *name == '\\' || (unsigned char)*name < ' ')
			printf("\\u%04x", *name);
		else
			putchar(*name);
	}
	putchar('"');
}

static _Unwind_Reason_Code print_frame(_Unwind_Context *context, void *count)
{
	int interrupted = 0, nr = (*(int *)count)++;
	uintptr_t pc = _Unwind_GetIPInfo(context, &interrupted) - !interrupted;
	const char *slash;
	Dl_info info;

	/* the first is allocate(); behind the outermost there may be one of address 0 */
	if (!nr || !dladdr((void *)pc, &info))
		return _URC_NO_REASON;
	slash = strrchr(info.dli_fname, '/');
	printf("%s[", nr > 1 ? ", " : "");
	print_name(slash ? slash + 1 : info.dli_fname);
	printf(", %zu]", pc - (uintptr_t)info.dli_fbase);
	return _URC_NO_REASON;
}

extern "C" __attribute__((noinline)) void allocate()
{
	standin::AllocArgs args;
	int count = 0;

	putchar('[');
	_Unwind_Backtrace(print_frame, &count);
	puts("]");
	args.size = args.page_size = 2048;
	api->alloc(mesh, args);
}

static void wait()
{
	puts("ready");
	fflush(stdout);
	while (getchar() != '\n')
		;
}

int main(int argc, char **argv)
{
	void *runtime, *library;

	if (argc < 3)
		return 2;
	/* the runtime last: who sees it, sees all */
	library = need(dlopen(argv[2], RTLD_NOW | RTLD_LOCAL));
	runtime = need(dlopen(argv[1], RTLD_NOW | RTLD_LOCAL));
	api = ((const standin::Api *(*)())need(dlsym(runtime, "standin_api")))();
	mesh = api->open({});
	for (int i = 3; i < argc; i++) {
		if (!strcmp(argv[i], "wait"))
			wait();
		else
			((void (*)(void (*)()))need(dlsym(library, argv[i])))(allocate);
	}
	fflush(stdout);
	api->close(mesh);
}
