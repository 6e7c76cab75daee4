// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * For each line of its input: how many executable mappings processes of this machine have made so
 * far. That is what tttrace has to look at, and so what may wake it while its program does nothing.
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <linux/perf_event.h>

enum {
	DATA_PAGES = 512,
	MAX_CPUS = 512,
};

static struct perf_event_mmap_page *pages[MAX_CPUS];
static size_t page_size;

static int open_cpu(int cpu)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_SOFTWARE,
		.size = sizeof(attr),
		.config = PERF_COUNT_SW_DUMMY,
		.mmap = 1,
		.mmap2 = 1,
	};
	int fd = syscall(SYS_perf_event_open, &attr, -1, cpu, -1, 0);
	void *page;

	if (fd < 0)
		return 0; /* a CPU that is off */
	page = mmap(NULL, (DATA_PAGES + 1) * page_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (page == MAP_FAILED)
		return -1;
	pages[cpu] = page;
	return 0;
}

static unsigned long count_records(struct perf_event_mmap_page *page)
{
	const char *data = (const char *)page + page_size;
	__u64 head = __atomic_load_n(&page->data_head, __ATOMIC_ACQUIRE), tail = page->data_tail;
	unsigned long count = 0;

	while (tail < head) {
		/* headers are aligned to 8 bytes, and so are never split */
		const struct perf_event_header *header =
			(const void *)(data + tail % (DATA_PAGES * page_size));

		count++;
		tail += header->size;
	}
	__atomic_store_n(&page->data_tail, tail, __ATOMIC_RELEASE);
	return count;
}

int main(void)
{
	long cpus = sysconf(_SC_NPROCESSORS_CONF);
	unsigned long count = 0;
	char line[64];

	page_size = sysconf(_SC_PAGESIZE);
	for (int cpu = 0; cpu < cpus && cpu < MAX_CPUS; cpu++) {
		if (open_cpu(cpu)) {
			perror("mappings");
			return 1;
		}
	}
	puts("ready");
	fflush(stdout);
	while (fgets(line, sizeof(line), stdin)) {
		for (int cpu = 0; cpu < cpus && cpu < MAX_CPUS; cpu++)
			count += pages[cpu] ? count_records(pages[cpu]) : 0;
		printf("%lu\n", count);
		fflush(stdout);
	}
	return 0;
}
