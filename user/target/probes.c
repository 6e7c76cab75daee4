// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "target/probes.h"

#include <stddef.h>

/* Short, for the table below only. */
#define M "_ZN" NS_METAL
#define D "_ZN" NS_MESH

/* clang-format off */
const struct probe_info probe_info[TT_PROBE_COUNT] = {
	[TT_PROBE_BUFFER_CREATE] = { "Buffer::create",
		"buffers of size 0 are not shown" },
	[TT_PROBE_BUFFER_CREATE_AT] = { "Buffer::create (at an address)",
		"views are neither counted nor shown" },
	[TT_PROBE_ALLOCATE_IMPL] = { "Buffer::allocate_impl",
		"attempts to allocate are not counted" },
	[TT_PROBE_DEALLOCATE_IMPL] = { "Buffer::deallocate_impl",
		"frees that give nothing back (repeated, after the close, of size 0) are not seen" },
	[TT_PROBE_HOOK_ALLOCATE] = { "GraphTracker::hook_allocate",
		"questions to a graph capture, at allocations, are not counted" },
	[TT_PROBE_HOOK_DEALLOCATE] = { "GraphTracker::hook_deallocate",
		"frees that a graph capture suppresses cannot be explained" },
	[TT_PROBE_TRACK_ALLOCATE] = { "GraphTracker::track_allocate",
		"no allocation is seen: nothing works" },
	[TT_PROBE_TRACK_DEALLOCATE] = { "GraphTracker::track_deallocate",
		"frees before and after the close of a device cannot be told apart" },
	[TT_PROBE_ALLOCATE_BUFFER] = { "Allocator::allocate_buffer",
		"allocations that fail for want of memory are not seen" },
	[TT_PROBE_DEALLOCATE_BUFFER] = { "Allocator::deallocate_buffer",
		"that memory went back to its allocator is not seen: frees look suppressed" },
	[TT_PROBE_DEALLOCATE_BUFFERS] = { "Allocator::deallocate_buffers",
		"bulk frees are not seen: what they free looks leaked" },
	[TT_PROBE_CLEAR] = { "Allocator::clear",
		"an allocator that is emptied at once is not noticed" },
	[TT_PROBE_OVERRIDE_STATE] = { "Allocator::override_state",
		"an allocator that takes over another one's state is not noticed" },
	[TT_PROBE_ALLOCATOR_DESTROY] = { "Allocator::~Allocator",
		"the end of an allocator is not noticed: its address may come back as another one" },
	[TT_PROBE_FREE_LIST_ALLOCATE] = { "FreeListOpt::allocate",
		"footprints have to be computed from the buffer's size" },
	[TT_PROBE_DEVICE_OPEN] = { "Device::initialize",
		"the opening of a chip is not shown" },
	[TT_PROBE_DEVICE_CLOSE] = { "Device::close",
		"the closing of a chip is not shown" },
	[TT_PROBE_MESH_OPEN] = { "MeshDevice::initialize",
		"the opening of a mesh is not shown" },
	[TT_PROBE_MESH_CLOSE] = { "MeshDevice::close",
		"a close by the program and one at its exit cannot be told apart" },
	[TT_PROBE_MESH_CLOSING] = { "MeshDevice::close_impl",
		"leaks are reported at the end of the process only, not when a device is closed" },
	[TT_PROBE_TRACK_ALLOCATE_CB] = { "GraphTracker::track_allocate_cb",
		"what circular buffers occupy is not shown" },
	[TT_PROBE_TRACK_DEALLOCATE_CB] = { "GraphTracker::track_deallocate_cb",
		"how many programs still hold circular buffers is unknown" },
	[TT_PROBE_REGISTER_PROGRAM] = { "Device::register_program",
		"circular buffers of one program cannot be told from those of the next" },
	[TT_PROBE_PLACE_DATAFLOW] = { "ProgramImpl::allocate_dataflow_buffers",
		"what dataflow buffers occupy is not shown" },
	[TT_PROBE_MARK_ADDRESS] = { "CircularBufferAllocator::mark_address",
		"what dataflow buffers occupy is not shown" },
	[TT_PROBE_CREATE_EMPTY] = { "Buffer::create (where the size is 0)",
		"every allocation passes Buffer::create instead, a hit more" },
};

/*
 * The names under which a probed function is known, newest first: the first that the library has
 * is taken, so that an old class that lives on as a forwarder (Allocator in front of
 * AllocatorImpl) is not taken for the thing itself.
 */
enum { MAX_CANDIDATES = 3 };

struct candidate {
	const char *prefix;
	__u8 arg;
};

static const struct candidate candidates[TT_PROBE_COUNT][MAX_CANDIDATES] = {
	/* They return a shared_ptr through memory that rdi points to: the device is argument 1. */
	[TT_PROBE_BUFFER_CREATE] = {
		{ M "10BufferImpl6createEPNS0_7IDeviceEmmNS0_10BufferTypeE", 1 },
		{ M "6Buffer6createEPNS0_7IDeviceEmmNS0_10BufferTypeE", 1 },
	},
	[TT_PROBE_BUFFER_CREATE_AT] = {
		{ M "10BufferImpl6createEPNS0_7IDeviceEmmmNS0_10BufferTypeE", 1 },
		{ M "6Buffer6createEPNS0_7IDeviceEmmmNS0_10BufferTypeE", 1 },
	},
	/* BufferImpl is a part of the Buffer, which it is given: (this, Buffer &). */
	[TT_PROBE_ALLOCATE_IMPL] = {
		{ M "10BufferImpl13allocate_implERNS0_6BufferE", 1 },
		{ M "6Buffer13allocate_implEv", 0 },
	},
	[TT_PROBE_DEALLOCATE_IMPL] = {
		{ M "10BufferImpl15deallocate_implERNS0_6BufferE", 1 },
		{ M "6Buffer15deallocate_implEv", 0 },
	},
	[TT_PROBE_HOOK_ALLOCATE] = {
		{ M "12GraphTracker13hook_allocateEPKNS0_6BufferE", 1 },
	},
	[TT_PROBE_HOOK_DEALLOCATE] = {
		{ M "12GraphTracker15hook_deallocateEPNS0_6BufferE", 1 },
	},
	[TT_PROBE_TRACK_ALLOCATE] = {
		{ M "12GraphTracker14track_allocateEPKNS0_6BufferE", 1 },
	},
	[TT_PROBE_TRACK_DEALLOCATE] = {
		{ M "12GraphTracker16track_deallocateEPNS0_6BufferE", 1 },
	},
	[TT_PROBE_ALLOCATE_BUFFER] = {
		{ M "13AllocatorImpl15allocate_bufferEPNS0_6BufferE", 1 },
		{ M "9Allocator15allocate_bufferEPNS0_6BufferE", 1 },
	},
	[TT_PROBE_DEALLOCATE_BUFFER] = {
		{ M "13AllocatorImpl17deallocate_bufferEPNS0_6BufferE", 1 },
		{ M "9Allocator17deallocate_bufferEPNS0_6BufferE", 1 },
	},
	[TT_PROBE_DEALLOCATE_BUFFERS] = {
		{ M "13AllocatorImpl18deallocate_buffersEv", 0 },
		{ M "9Allocator18deallocate_buffersEv", 0 },
	},
	[TT_PROBE_CLEAR] = {
		{ M "13AllocatorImpl5clearEv", 0 },
		{ M "9Allocator5clearEv", 0 },
	},
	[TT_PROBE_OVERRIDE_STATE] = {
		{ M "13AllocatorImpl14override_stateERKNS0_14AllocatorStateE", 0 },
		{ M "9Allocator14override_stateERKNS0_14AllocatorStateE", 0 },
	},
	[TT_PROBE_ALLOCATOR_DESTROY] = {
		{ M "13AllocatorImplD", 0 },
		{ M "9AllocatorD", 0 },
	},
	[TT_PROBE_FREE_LIST_ALLOCATE] = {
		{ M "9allocator11FreeListOpt8allocateEmbm", 0 },
	},
	[TT_PROBE_DEVICE_OPEN] = {
		{ M "6Device10initializeE", 0 },
	},
	[TT_PROBE_DEVICE_CLOSE] = {
		{ M "6Device5closeEv", 0 },
	},
	[TT_PROBE_MESH_OPEN] = {
		{ D "14MeshDeviceImpl15initialize_implEPNS1_10MeshDeviceE", 1 },
		{ D "10MeshDevice10initializeE", 0 },
	},
	[TT_PROBE_MESH_CLOSE] = {
		{ D "10MeshDevice5closeEv", 0 },
	},
	/*
	 * Up to 0.65 closing is MeshDevice::close itself: the destructor calls it too (through the
	 * vtable), so there is no probe that tells a close that was asked for from one that was not.
	 */
	[TT_PROBE_MESH_CLOSING] = {
		{ D "14MeshDeviceImpl10close_implEPNS1_10MeshDeviceE", 1 },
		{ D "10MeshDevice5closeEv", 0 },
	},
	[TT_PROBE_TRACK_ALLOCATE_CB] = {
		{ M "12GraphTracker17track_allocate_cbERKNS0_12CoreRangeSetEmmbPKNS0_7IDeviceE", 1 },
		{ M "12GraphTracker17track_allocate_cbERK12CoreRangeSetmmbPKNS0_7IDeviceE", 1 },
	},
	[TT_PROBE_TRACK_DEALLOCATE_CB] = {
		{ M "12GraphTracker19track_deallocate_cbEPKNS0_7IDeviceE", 1 },
	},
	/*
	 * From 0.70 on each chip is told of a program once, right after its circular buffers. Before
	 * that there is nothing between two programs but the function that places the buffers, which
	 * is entered at every launch and mostly finds them placed.
	 */
	[TT_PROBE_REGISTER_PROGRAM] = {
		{ M "6Device16register_programEPNS0_6detail11ProgramImplE", 0 },
		{ M "6detail11ProgramImpl25allocate_circular_buffersEPKNS0_7IDeviceE", 1 },
	},
	/* There are none before 0.70. */
	[TT_PROBE_PLACE_DATAFLOW] = {
		{ M "6detail11ProgramImpl25allocate_dataflow_buffersEPKNS0_7IDeviceE", 1 },
		{ M "6detail11ProgramImpl25allocate_circular_buffersEPKNS0_7IDeviceE", 1 },
	},
	[TT_PROBE_MARK_ADDRESS] = {
		{ M "6detail11ProgramImpl23CircularBufferAllocator12mark_addressEmmm", 0 },
	},
	/* Not at its entry, and its object in another register: see empty.h. */
	[TT_PROBE_CREATE_EMPTY] = {
		{ M "10BufferImpl6createEPNS0_7IDeviceEmmNS0_10BufferTypeE", 0 },
		{ M "6Buffer6createEPNS0_7IDeviceEmmNS0_10BufferTypeE", 0 },
	},
};
/* clang-format on */

/* Complete, deleting and base-object variants: all addresses are probed. */
static bool is_destructor(enum tt_probe probe)
{
	return probe == TT_PROBE_ALLOCATOR_DESTROY;
}

/* A different probe whose function, where it is the same one, is left to it. */
static enum tt_probe covering_probe(enum tt_probe probe)
{
	switch (probe) {
	case TT_PROBE_MESH_CLOSE:
		return TT_PROBE_MESH_CLOSING;
	case TT_PROBE_PLACE_DATAFLOW:
		return TT_PROBE_REGISTER_PROGRAM;
	default:
		return TT_PROBE_COUNT;
	}
}

static size_t add_site(struct probe_site *sites, size_t n, const struct probe_site *site)
{
	for (size_t i = 0; i < n; i++)
		if (sites[i].symbol->vaddr == site->symbol->vaddr)
			return n;
	if (n < PROBE_MAX_SITES)
		sites[n++] = *site;
	return n;
}

/* The sites by the first name that the library has. */
static size_t find_sites(const struct symbols *s, enum tt_probe probe, struct probe_site *sites)
{
	const struct candidate *names = candidates[probe];
	const struct elf_symbol *first;
	size_t found = 0;

	for (int c = 0; c < MAX_CANDIDATES && names[c].prefix && !found; c++) {
		size_t n = symbols__prefixed(s, names[c].prefix, &first);

		for (size_t i = 0; i < n; i++) {
			struct probe_site site = { probe, &first[i], names[c].arg };

			if (first[i].is_func)
				found = add_site(sites, found, &site);
		}
	}
	return found;
}

size_t probes__find_sites(const struct symbols *s, enum tt_probe probe,
			  struct probe_site sites[PROBE_MAX_SITES], enum probe_state *ret_state)
{
	enum tt_probe cover = covering_probe(probe);
	struct probe_site other[PROBE_MAX_SITES];
	size_t n = find_sites(s, probe, sites);

	*ret_state = PROBE_FOUND;
	if (!n) {
		*ret_state = PROBE_MISSING;
	} else if (n > 1 && !is_destructor(probe)) {
		*ret_state = PROBE_AMBIGUOUS;
	} else if (cover != TT_PROBE_COUNT && find_sites(s, cover, other) &&
		   other[0].symbol->vaddr == sites[0].symbol->vaddr) {
		*ret_state = PROBE_COVERED;
	}
	return *ret_state == PROBE_FOUND ? n : 0;
}

int probes__generation(const struct symbols *s)
{
	const struct elf_symbol *first;

	if (symbols__prefixed(s, M "10BufferImpl13allocate_implE", &first))
		return 3;
	if (symbols__prefixed(s, M "13AllocatorImpl15allocate_bufferE", &first))
		return 2;
	if (symbols__prefixed(s, M "9Allocator15allocate_bufferE", &first))
		return 1;
	return 0;
}
