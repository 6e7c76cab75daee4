// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "target/sideband.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <linux/perf_event.h>

enum {
	DATA_PAGES = 16,      /* a power of two; about 500 mappings between two wake-ups */
	RECORD_MAX = 1 << 16, /* struct perf_event_header: size is 16 bits */
	MAPPING_MAX = 5120,   /* bytes of a record: a path has 4096 */
};

struct cpu_events {
	int fd;
	struct perf_event_mmap_page *page;
};

struct sideband {
	sideband_mapping_fn fn;
	void *ctx;
	int epoll_fd;
	int num_cpus;
	size_t page_size;
	struct cpu_events *cpus;
	char record[RECORD_MAX];
};

/* As documented in linux/perf_event.h at PERF_RECORD_MMAP2. */
struct mmap2_record {
	struct perf_event_header header;
	__u32 pid, tid;
	__u64 addr;
	__u64 len;
	__u64 pgoff;
	__u32 maj, min;
	__u64 ino, ino_generation;
	__u32 prot, flags;
	char filename[];
};

struct lost_record {
	struct perf_event_header header;
	__u64 id;
	__u64 lost;
};

static int open_cpu(struct sideband *sideband, struct cpu_events *cpu, int index)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_SOFTWARE,
		.size = sizeof(attr),
		.config = PERF_COUNT_SW_DUMMY,
		.mmap = 1,
		.mmap2 = 1,
		/* the time is what each record ends with */
		.sample_id_all = 1,
		.sample_type = PERF_SAMPLE_TIME,
		.use_clockid = 1,
		.clockid = CLOCK_BOOTTIME,
		/* wakeup_events counts samples, and there are none here */
		.watermark = 1,
		.wakeup_watermark = 1,
	};
	struct epoll_event event = { .events = EPOLLIN };
	void *page;

	cpu->fd = syscall(SYS_perf_event_open, &attr, -1, index, -1, PERF_FLAG_FD_CLOEXEC);
	if (cpu->fd < 0)
		return errno == ENODEV ? 0 : -errno; /* a CPU that is off */
	page = mmap(NULL, (DATA_PAGES + 1) * sideband->page_size, PROT_READ | PROT_WRITE,
		    MAP_SHARED, cpu->fd, 0);
	if (page == MAP_FAILED)
		return -errno;
	cpu->page = page;
	return epoll_ctl(sideband->epoll_fd, EPOLL_CTL_ADD, cpu->fd, &event) ? -errno : 0;
}

int sideband__open(sideband_mapping_fn fn, void *ctx, struct sideband **ret_sideband)
{
	struct sideband *sideband = calloc(1, sizeof(*sideband));
	int err = 0;

	if (!sideband)
		return -ENOMEM;
	sideband->fn = fn;
	sideband->ctx = ctx;
	sideband->page_size = sysconf(_SC_PAGESIZE);
	sideband->num_cpus = sysconf(_SC_NPROCESSORS_CONF);
	sideband->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	sideband->cpus = calloc(sideband->num_cpus, sizeof(*sideband->cpus));
	if (sideband->epoll_fd < 0 || !sideband->cpus)
		err = -ENOMEM;
	for (int i = 0; sideband->cpus && i < sideband->num_cpus; i++)
		sideband->cpus[i].fd = -1;
	for (int i = 0; !err && i < sideband->num_cpus; i++)
		err = open_cpu(sideband, &sideband->cpus[i], i);
	if (err) {
		sideband__close(sideband);
		return err;
	}
	*ret_sideband = sideband;
	return 0;
}

int sideband__fd(const struct sideband *sideband)
{
	return sideband->epoll_fd;
}

/* Copies @size bytes at position @pos out of the ring, which may wrap in the middle of a record. */
static void copy_out(const struct sideband *sideband, const struct cpu_events *cpu, __u64 pos,
		     void *dst, size_t size)
{
	const char *data = (const char *)cpu->page + sideband->page_size;
	size_t ring = DATA_PAGES * sideband->page_size, at = pos % ring;
	size_t first = size < ring - at ? size : ring - at;

	memcpy(dst, data + at, first);
	memcpy((char *)dst + first, data, size - first);
}

static void hand_over(struct sideband *sideband, const struct mmap2_record *record)
{
	struct proc_mapping mapping = {
		.pid = record->pid,
		.start = record->addr,
		.end = record->addr + record->len,
		.offset = record->pgoff,
		.file = { (__u64)record->maj << 32 | record->min, record->ino },
		.name = record->filename,
	};

	memcpy(&mapping.ts_ns, (const char *)record + record->header.size - sizeof(mapping.ts_ns),
	       sizeof(mapping.ts_ns));
	/*
	 * Not [vdso], //anon; and no process without a PID in our namespace, for which
	 * perf_event_pid_type() of kernel/events/core.c has 0 or -1.
	 */
	if (record->filename[0] == '/' && (__s32)record->pid > 0)
		sideband->fn(sideband->ctx, &mapping);
}

static __u64 take_record(struct sideband *sideband, const struct perf_event_header *header)
{
	switch (header->type) {
	case PERF_RECORD_MMAP2:
		if (header->size > sizeof(struct mmap2_record) + sizeof(__u64))
			hand_over(sideband, (const void *)header);
		return 0;
	case PERF_RECORD_LOST:
		return ((const struct lost_record *)header)->lost;
	}
	return 0;
}

/*
 * The kernel tells of what it had to drop with the next record for which there is room, which may
 * be much later. Had the ring no room for one of any size, something may be missing now.
 */
static bool may_lack_some(const struct sideband *sideband, __u64 used)
{
	return used + MAPPING_MAX > DATA_PAGES * sideband->page_size;
}

static __u64 drain_cpu(struct sideband *sideband, struct cpu_events *cpu)
{
	__u64 head = __atomic_load_n(&cpu->page->data_head, __ATOMIC_ACQUIRE);
	__u64 tail = cpu->page->data_tail, lost = may_lack_some(sideband, head - tail);
	struct perf_event_header header;

	while (tail < head) {
		copy_out(sideband, cpu, tail, &header, sizeof(header));
		if (header.size < sizeof(header))
			break; /* cannot be; do not loop for ever */
		copy_out(sideband, cpu, tail, sideband->record, header.size);
		tail += header.size;
		__atomic_store_n(&cpu->page->data_tail, tail, __ATOMIC_RELEASE);
		lost += take_record(sideband, (const void *)sideband->record);
	}
	return lost;
}

__u64 sideband__drain(struct sideband *sideband)
{
	__u64 lost = 0;

	for (int i = 0; i < sideband->num_cpus; i++)
		if (sideband->cpus[i].page)
			lost += drain_cpu(sideband, &sideband->cpus[i]);
	return lost;
}

void sideband__close(struct sideband *sideband)
{
	if (!sideband)
		return;
	for (int i = 0; sideband->cpus && i < sideband->num_cpus; i++) {
		if (sideband->cpus[i].page)
			munmap(sideband->cpus[i].page, (DATA_PAGES + 1) * sideband->page_size);
		if (sideband->cpus[i].fd >= 0)
			close(sideband->cpus[i].fd);
	}
	if (sideband->epoll_fd >= 0)
		close(sideband->epoll_fd);
	free(sideband->cpus);
	free(sideband);
}
