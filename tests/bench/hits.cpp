// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 *   hits LIBRARY pairs [N]      allocations and frees of the stand-in runtime, in N threads
 *   hits LIBRARY call SYMBOL    calls of a member function of GraphTracker that takes a Buffer,
 *                               alone: one hit of one probe
 *
 * Each line of its input is a time in seconds; it goes on for so long and prints a JSON object.
 */
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <cstring>
#include <algorithm>
#include <thread>
#include <vector>
#include <dlfcn.h>

#include "standin.h"

static double seconds(clockid_t clock)
{
	timespec ts;

	clock_gettime(clock, &ts);
	return ts.tv_sec + ts.tv_nsec * 1e-9;
}

static constexpr int BATCH = 500;

struct Turn {
	unsigned long count;
	double passed, cpu;
	double typical; /* median of the batches: of the time for each, seconds */
};

template <typename Work> static Turn go_on(Work work, double wanted)
{
	double begin = seconds(CLOCK_MONOTONIC), cpu = seconds(CLOCK_THREAD_CPUTIME_ID);
	double now = begin, before;
	std::vector<double> times;

	while (now - begin < wanted) {
		before = now;
		for (int i = 0; i < BATCH; i++)
			work();
		now = seconds(CLOCK_MONOTONIC);
		times.push_back((now - before) / BATCH);
	}
	std::nth_element(times.begin(), times.begin() + times.size() / 2, times.end());
	return { times.size() * BATCH, now - begin, seconds(CLOCK_THREAD_CPUTIME_ID) - cpu,
		 times[times.size() / 2] };
}

template <typename Work> static Turn go_on_at_once(Work work, double wanted, size_t num)
{
	std::vector<Turn> turns(num);
	std::vector<std::thread> threads;
	Turn sum{};

	for (Turn &turn : turns)
		threads.emplace_back([&] { turn = go_on(work, wanted); });
	for (std::thread &thread : threads)
		thread.join();
	for (const Turn &turn : turns) {
		sum.count += turn.count;
		sum.cpu += turn.cpu;
		sum.passed = turn.passed;
		sum.typical = turn.typical;
	}
	return sum;
}

template <typename Work> static void serve(Work work, size_t num_threads)
{
	char line[64];

	printf("ready\n");
	fflush(stdout);
	while (fgets(line, sizeof(line), stdin)) {
		Turn turn = num_threads == 1 ? go_on(work, atof(line))
					     : go_on_at_once(work, atof(line), num_threads);

		printf("{\"count\":%lu,\"seconds\":%.6f,\"cpu\":%.6f,\"typical\":%.9f}\n",
		       turn.count, turn.passed, turn.cpu, turn.typical);
		fflush(stdout);
	}
}

int main(int argc, char **argv)
{
	void *library = argc > 2 ? dlopen(argv[1], RTLD_NOW) : nullptr;

	if (!library) {
		fprintf(stderr, "hits: %s\n",
			argc > 2 ? dlerror() : "hits LIBRARY pairs [N] | call SYMBOL");
		return 2;
	}
	auto api = ((const standin::Api *(*)())dlsym(library, "standin_api"))();
	standin::Mesh *mesh = api->open({});
	standin::AllocArgs args{ .chip = 0, .size = 65536, .page_size = 2048 };
	if (!strcmp(argv[2], "pairs")) {
		serve([&] { api->release(api->alloc(mesh, args), false); },
		      argc > 3 ? atoi(argv[3]) : 1);
		return 0;
	}
	auto call = argc > 3 ? (void (*)(void *, void *))dlsym(library, argv[3]) : nullptr;
	if (!call) {
		fprintf(stderr, "hits: no such function in '%s'\n", argv[1]);
		return 2;
	}
	static char tracker[4096]; /* a GraphTracker that nobody listens to */
	auto buffer = (void *)api->facts(api->alloc(mesh, args)).buffer;
	serve([&] { call(tracker, buffer); }, 1);
}
