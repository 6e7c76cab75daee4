/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * A stand-in for the runtime, in three generations; this file: what they share, and the
 * free list of a bank.
 * The classes that tttrace probes and reads have their real names, member order and offsets
 * (runtime.cpp checks them); what the real objects hold beside is a Gap. Written from the
 * behaviour of tt-metal, whose files are named; nothing of it is copied. GENERATION is
 *   1  as 0.62.2: Allocator, Buffer, MeshDevice
 *   2  as 0.78.0: AllocatorImpl, Buffer, MeshDeviceImpl
 *   3  as 0.81.1: AllocatorImpl, BufferImpl, MeshDeviceImpl
 */
/* clang-format off: it cannot read classes that #if divides */

#ifndef STANDIN_FREE_LIST_H
#define STANDIN_FREE_LIST_H

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#if GENERATION == 1
#define ALLOCATOR Allocator
#else
#define ALLOCATOR AllocatorImpl
#endif

/* A function of its own, as in the real library: exported, neither inlined nor left out. */
#define APART __attribute__((noinline, used))
/* Local in .symtab, as inline functions of the real library are (-fvisibility-inlines-hidden). */
#define LOCAL __attribute__((visibility("hidden")))

/* One value for each generation. */
constexpr size_t pick(size_t first, size_t second, size_t third)
{
	return GENERATION == 1 ? first : GENERATION == 2 ? second : third;
}

/* What lies between two members: from offset From up to offset To; it may be nothing. */
template <size_t From, size_t To> struct Gap {
	unsigned char bytes[To - From] = {};
};

namespace standin
{
/* In every function that is probed: throws if the driver has armed the point of that name. */
void point(const char *name);
}

namespace ttsl
{
template <typename T, typename Tag> struct StrongType {
	T value{};
};
}

/* tt_metal/api/tt-metalium/core_coord.hpp; a member of tt::tt_metal since 2026 */
#if GENERATION > 1
namespace tt::tt_metal
{
#endif
struct CoreRange {
	size_t start_x, start_y, end_x, end_y;
	bool operator==(const CoreRange &) const = default;
};

class CoreRangeSet {
	std::vector<CoreRange> ranges_;

public:
	CoreRangeSet() = default;
	explicit CoreRangeSet(uint32_t cores) : ranges_{ { 0, 0, cores - 1, 0 } } {}
	explicit CoreRangeSet(std::vector<CoreRange> ranges) : ranges_(std::move(ranges)) {}
	APART size_t size() const { return ranges_.size(); }
	const std::vector<CoreRange> &ranges() const { return ranges_; }
	APART uint32_t num_cores() const { return ranges_.empty() ? 0 : ranges_[0].end_x + 1; }
};
#if GENERATION > 1
}
#endif

namespace tt::tt_metal
{
class Buffer;
class ALLOCATOR;
struct Offsets; /* the checks of runtime.cpp */

/* tt_metal/api/tt-metalium/buffer_types.hpp, allocator_types.hpp */
enum class BufferType { DRAM, L1, SYSTEM_MEMORY, L1_SMALL, TRACE };
using AllocatorID = ttsl::StrongType<uint32_t, struct AllocatorIDTag>;

[[noreturn]] APART inline void tt_throw(const std::string &what)
{
	throw std::runtime_error(what);
}

struct Statistics { /* of one bank, bytes; only one of them is filled in */
	size_t total_allocatable_size_bytes, total_allocated_bytes, total_free_bytes;
	size_t largest_free_block_bytes;
};

/* tt_metal/impl/allocator/algorithms */
namespace allocator
{
class FreeListOpt {
	friend Offsets;
	uint64_t max_size_bytes_, offset_bytes_, min_allocation_size_, alignment_;
	Gap<0x28, 0x40> gap0_;
	/* the block table, addresses less offset_bytes_; blocks that were given up are used again
	 */
	std::vector<uint64_t> block_address_, block_size_;
	std::vector<int64_t> block_prev_block_, block_next_block_;
	std::vector<uint8_t> block_is_allocated_, meta_block_is_allocated_;
	std::vector<size_t> free_meta_block_indices_;
	/* where a taken block is found by its address, less offset_bytes_ */
	std::vector<std::vector<std::pair<uint64_t, size_t>>> allocated_block_table_{ 512 };
	Gap<0x100, 0x108> gap1_;
	std::map<uint64_t, uint64_t> free_, allocated_; /* address to size */
	std::map<uint64_t, size_t> blocks_;		/* address to its place in the table */

	APART size_t alloc_meta_block(uint64_t address, uint64_t size, int64_t prev, int64_t next,
				      bool is_allocated)
	{
		if (free_meta_block_indices_.empty()) {
			block_address_.push_back(address);
			block_size_.push_back(size);
			block_prev_block_.push_back(prev);
			block_next_block_.push_back(next);
			block_is_allocated_.push_back(is_allocated);
			meta_block_is_allocated_.push_back(true);
			return block_address_.size() - 1;
		}
		size_t index = free_meta_block_indices_.back();
		free_meta_block_indices_.pop_back();
		block_address_[index] = address;
		block_size_[index] = size;
		block_prev_block_[index] = prev;
		block_next_block_[index] = next;
		block_is_allocated_[index] = is_allocated;
		meta_block_is_allocated_[index] = true;
		return index;
	}

	APART void free_meta_block(size_t index)
	{
		free_meta_block_indices_.push_back(index);
		meta_block_is_allocated_[index] = false;
	}

	static uint32_t bucket_of(uint64_t address)
	{
		uint32_t a = address;

		return (a ^ (a >> 12) * 3) % 512;
	}

	APART void insert_block_to_alloc_table(uint64_t address, size_t index)
	{
		allocated_block_table_[bucket_of(address)].emplace_back(address, index);
	}

	APART void remove_from_alloc_table(uint64_t address)
	{
		auto &bucket = allocated_block_table_[bucket_of(address)];

		std::erase_if(bucket, [&](const auto &pair) { return pair.first == address; });
	}

	APART bool is_address_in_alloc_table(uint64_t address) const
	{
		for (const auto &pair : allocated_block_table_[bucket_of(address)])
			if (pair.first == address)
				return true;
		return false;
	}

	void put_block(uint64_t address, uint64_t size, bool is_allocated)
	{
		size_t index =
			alloc_meta_block(address - offset_bytes_, size, -1, -1, is_allocated);

		blocks_[address] = index;
		if (is_allocated)
			insert_block_to_alloc_table(address - offset_bytes_, index);
	}

	void drop_block(uint64_t address)
	{
		remove_from_alloc_table(address - offset_bytes_);
		free_meta_block(blocks_.extract(address).mapped());
	}

	void add_hole(uint64_t address, uint64_t size)
	{
		free_[address] = size;
		put_block(address, size, false);
	}

public:
	enum class SearchPolicy { FIRST, BEST };

	FreeListOpt(uint64_t max_size, uint64_t offset, uint64_t min_allocation, uint64_t alignment,
		    SearchPolicy)
		: max_size_bytes_(max_size), offset_bytes_(offset),
		  min_allocation_size_(min_allocation), alignment_(alignment)
	{
		clear();
	}

	virtual ~FreeListOpt() = default;

	virtual APART std::optional<uint64_t> allocate(uint64_t size, bool bottom_up, uint64_t)
	{
		uint64_t bytes = std::max(size, min_allocation_size_) + alignment_ - 1;

		bytes -= bytes % alignment_;
		standin::point("free_list_allocate");
		auto fits = [&](const auto &hole) { return hole.second >= bytes; };
		auto hole = std::find_if(free_.begin(), free_.end(), fits);
		if (hole == free_.end())
			return std::nullopt;
		if (!bottom_up)
			hole = std::prev(std::find_if(free_.rbegin(), free_.rend(), fits).base());
		auto [start, size_of_hole] = *hole;
		uint64_t address = bottom_up ? start : start + size_of_hole - bytes;
		free_.erase(hole);
		drop_block(start);
		if (address > start)
			add_hole(start, address - start);
		if (address + bytes < start + size_of_hole)
			add_hole(address + bytes, start + size_of_hole - address - bytes);
		allocated_[address] = bytes;
		put_block(address, bytes, true);
		return address;
	}

	/* Silent where nothing is allocated at @address, as the real one. */
	virtual APART void deallocate(uint64_t address)
	{
		auto found = allocated_.extract(address);

		if (!found)
			return;
		uint64_t start = address, end = address + found.mapped();
		drop_block(address);
		auto next = free_.find(end);
		if (next != free_.end()) {
			end += next->second;
			drop_block(next->first);
			free_.erase(next);
		}
		auto prev = free_.lower_bound(start);
		if (prev != free_.begin() && (--prev)->first + prev->second == start) {
			start = prev->first;
			drop_block(start);
			free_.erase(prev);
		}
		add_hole(start, end - start);
	}

	virtual void clear()
	{
		allocated_.clear();
		free_.clear();
		while (!blocks_.empty())
			drop_block(blocks_.begin()->first);
		add_hole(offset_bytes_, max_size_bytes_);
	}

	virtual Statistics get_statistics() const
	{
		Statistics s = {};

		for (auto [address, size] : allocated_)
			s.total_allocated_bytes += size;
		return s;
	}

	uint64_t max_size_bytes() const { return max_size_bytes_; }

	uint64_t allocation_size(uint64_t address) const
	{
		auto found = allocated_.find(address);

		return found == allocated_.end() ? 0 : found->second;
	}
};
}
}

#endif
