/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Of the stand-in runtime: programs, as far as they place circular or dataflow buffers. Where, the
 * script says; in generation 1 there are no dataflow buffers, and mark_address() is inlined.
 */
/* clang-format off: it cannot read classes that #if divides */

#ifndef STANDIN_PROGRAM_H
#define STANDIN_PROGRAM_H

#include "device.h"

namespace tt::tt_metal::detail
{
/* tt_metal/impl/program/program.cpp */
class ProgramImpl {
	struct Placed {
		CoreRangeSet cores;
		uint64_t address, size;
	};
	std::vector<Placed> buffers_;
	std::vector<const IDevice *> devices_; /* that were told of */

public:
	struct CircularBufferAllocator {
		CoreRange core_range;
		std::vector<std::pair<uint64_t, uint64_t>> l1_regions;

		APART void mark_address(uint64_t address, uint64_t size, uint64_t base)
		{
			standin::point("mark_address");
			if (l1_regions.empty())
				l1_regions.emplace_back(base, base);
			if (l1_regions.back().second > address)
				tt_throw("there is something at this address");
			if (l1_regions.back().second == address)
				l1_regions.back().second = address + size;
			else
				l1_regions.emplace_back(address, address + size);
		}
	};

	APART ~ProgramImpl()
	{
		if (GENERATION > 1)
			for (const IDevice *device : devices_)
				GraphTracker::instance().track_deallocate_cb(device);
	}
	void add(const CoreRangeSet &cores, uint64_t address, uint64_t size)
	{
		buffers_.push_back({ cores, address, size });
	}

	/* Of a mesh, each chip is told of since generation 2; before, the mesh is. */
	APART void allocate_circular_buffers(const IDevice *device)
	{
		auto mesh = dynamic_cast<const distributed::MeshDevice *>(device);

		standin::point("register_program");
		if (GENERATION > 1 && mesh)
			for (IDevice *chip : mesh->get_devices())
				devices_.push_back(chip);
		else
			devices_.push_back(device);
		for (const Placed &b : buffers_)
			for (const IDevice *to : devices_)
				GraphTracker::instance().track_allocate_cb(b.cores, b.address,
									   b.size, false, to);
#if GENERATION > 1
		for (const IDevice *to : devices_)
			static_cast<Device *>(const_cast<IDevice *>(to))->register_program(this);
#endif
	}

#if GENERATION > 1
	APART void allocate_dataflow_buffers(const IDevice *)
	{
		std::vector<CircularBufferAllocator> allocators;

		standin::point("allocate_dataflow_buffers");
		for (const Placed &b : buffers_)
			for (const CoreRange &range : b.cores.ranges()) {
				auto one = std::find_if(
					allocators.begin(), allocators.end(),
					[&](auto &a) { return a.core_range == range; });
				if (one == allocators.end())
					one = allocators.insert(one, { range, {} });
				one->mark_address(b.address, b.size, b.address);
			}
	}
#endif
};
}

#endif
