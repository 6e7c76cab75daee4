/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Of the stand-in runtime: devices as a Buffer sees them, graph tracking, and the one funnel
 * through which all memory goes (tt_metal/impl/buffers/buffer.cpp), in the order and under the
 * conditions of the real one. In generation 3 the fields and the funnel are BufferImpl's.
 */
/* clang-format off: it cannot read classes that #if divides */

#ifndef STANDIN_BUFFER_H
#define STANDIN_BUFFER_H

#include <atomic>

#include "allocator.h"

#if GENERATION == 1
#define DEVICE_ALLOCATOR allocator
#else
#define DEVICE_ALLOCATOR allocator_impl
#endif

namespace tt::tt_metal
{
enum class TensorMemoryLayout { INTERLEAVED, HEIGHT_SHARDED = 2, WIDTH_SHARDED, BLOCK_SHARDED };
using SubDeviceId = ttsl::StrongType<uint8_t, struct SubDeviceIdTag>;
using SubDeviceManagerId = ttsl::StrongType<uint64_t, struct SubDeviceManagerIdTag>;

/* tt_metal/api/tt-metalium/device.hpp; the first slots of its vtable are those of the real one. */
class IDevice {
public:
	virtual ~IDevice() = default;
	virtual int arch() const { return 1; }
	virtual int id() const = 0;
	virtual uint64_t build_id() const { return 0; }
	virtual uint8_t num_hw_cqs() const { return 1; }
	virtual bool is_initialized() const = 0;
	virtual const std::unique_ptr<ALLOCATOR> &DEVICE_ALLOCATOR() const = 0;
	virtual SubDeviceManagerId get_active_sub_device_manager_id() const { return { 1 }; }
};

/* --- tt_metal/graph/graph_tracking.cpp ----------------------------------------------------- */

/* The hook of a graph capture that stands in for the allocator. */
struct IGraphHooks {
	virtual ~IGraphHooks() = default;
	virtual bool hook_allocate(const Buffer *) { return true; }
	virtual bool hook_deallocate(Buffer *) { return true; }
};

/* A capture's recorder. */
struct IGraphProcessor {
	virtual ~IGraphProcessor() = default;
	virtual void track_allocate(const Buffer *) {}
	virtual void track_deallocate(Buffer *) {}
	virtual void track_allocate_cb(const CoreRangeSet &, uint64_t, uint64_t, bool, const IDevice *) {}
	virtual void track_deallocate_cb(const IDevice *) {}
};

struct GraphTracker {
#if GENERATION == 1
	std::vector<std::shared_ptr<IGraphProcessor>> processors;
	std::shared_ptr<IGraphHooks> hook;
	static GraphTracker &instance()
#else
	inline static thread_local std::vector<std::shared_ptr<IGraphProcessor>> processors;
	inline static thread_local std::shared_ptr<IGraphHooks> hook;
	APART static GraphTracker &instance()
#endif
	{
		static GraphTracker tracker;
		return tracker;
	}

	APART bool hook_allocate(const Buffer *buffer)
	{
		standin::point("hook_allocate");
		return hook && hook->hook_allocate(buffer);
	}

	APART bool hook_deallocate(Buffer *buffer)
	{
		standin::point("hook_deallocate");
		return hook && hook->hook_deallocate(buffer);
	}

	APART void track_allocate(const Buffer *buffer)
	{
		standin::point("track_allocate");
		for (auto &processor : processors)
			processor->track_allocate(buffer);
	}

	APART void track_deallocate(Buffer *buffer)
	{
		standin::point("track_deallocate");
		for (auto &processor : processors)
			processor->track_deallocate(buffer);
	}

	APART void track_allocate_cb(const CoreRangeSet &cores, uint64_t address, uint64_t size,
				     bool is_globally_allocated, const IDevice *device)
	{
		standin::point("track_allocate_cb");
		for (auto &processor : processors)
			processor->track_allocate_cb(cores, address, size, is_globally_allocated,
						     device);
	}

	APART void track_deallocate_cb(const IDevice *device)
	{
		for (auto &processor : processors)
			processor->track_deallocate_cb(device);
	}
};

/* --- tt_metal/api/tt-metalium/buffer.hpp --------------------------------------------------- */

struct ShardSpecBuffer {
	CoreRangeSet grid;
	uint32_t shape[2];
	Gap<0x20, pick(0x38, 0x28, 0x28)> gap0_;
	uint32_t page_shape[2];
	uint32_t tensor2d_shape_in_pages[2];

	uint32_t num_pages() const { return shape[0] / page_shape[0] * (shape[1] / page_shape[1]); }
};

struct BufferShardingFields {
	std::optional<ShardSpecBuffer> shard_spec;
	Gap<pick(0x50, 0x40, 0x40), pick(0x170, 0x158, 0x158)> gap0_;
	TensorMemoryLayout layout = TensorMemoryLayout::INTERLEAVED;
};

struct BufferShardingArgs {
#if GENERATION < 3
	BufferShardingFields fields;
	const BufferShardingFields &get() const { return fields; }
	BufferShardingFields &get() { return fields; }
#else
	std::unique_ptr<BufferShardingFields> fields = std::make_unique<BufferShardingFields>();
	BufferShardingFields &get() const { return *fields; }
#endif
};

enum class AllocationStatus : uint8_t { REQUESTED, ALLOCATED, DEALLOCATED };

struct BufferFields {
	IDevice *const device_;
	const uint64_t size_;
	const BufferType buffer_type_;
	const TensorMemoryLayout buffer_layout_;
	const bool bottom_up_;
	const std::optional<SubDeviceId> sub_device_id_;
	const bool owns_data_;
	std::optional<SubDeviceManagerId> sub_device_manager_id_ = {};
	ALLOCATOR *allocator_ = nullptr;
	AllocationStatus allocation_status_ = AllocationStatus::REQUESTED;
	bool hooked_allocation_ = false;
	uint64_t address_ = 0;
	uint64_t page_size_;
	std::optional<ShardSpecBuffer> shard_spec_;
	Gap<pick(0xa0, 0x90, 0x90), pick(0x1e8, 0x210, 0x218)> gap0_ = {};
	uint64_t unique_id_ = 0;
};

static void validate_sub_device_manager_id(std::optional<SubDeviceManagerId> id, IDevice *device)
{
	if (id && id.value().value != device->get_active_sub_device_manager_id().value)
		tt_throw("Sub-device manager id mismatch");
}

static bool is_sharded(TensorMemoryLayout layout)
{
	return layout >= TensorMemoryLayout::HEIGHT_SHARDED && (int)layout <= 5;
}

#define BUFFER_ARGS                                                                                \
	uint64_t size, uint64_t page_size, BufferType type, const BufferShardingArgs &args,        \
		std::optional<bool> bottom_up, std::optional<SubDeviceId> sub_device
#define PASS_ARGS size, page_size, type, args, bottom_up, sub_device

#if GENERATION < 3
#define BODY Buffer
#define SELF
#define PASS_SELF
#define THE_BUFFER (*this)
#define NEW_BUFFER(...) std::make_shared<Buffer>(__VA_ARGS__, Private())

class Buffer : public std::enable_shared_from_this<Buffer>, public BufferFields {
	struct Private {};

public:
	Buffer(IDevice *device, BUFFER_ARGS, bool owns_data, Private);
	Buffer &impl() { return *this; }
	const Buffer &impl() const { return *this; }
	APART void mark_as_deallocated() { allocation_status_ = AllocationStatus::DEALLOCATED; }
#else
#define BODY BufferImpl
#define SELF Buffer &self
#define PASS_SELF self
#define THE_BUFFER self
#define NEW_BUFFER(...) std::make_shared<Buffer>(BufferImpl(__VA_ARGS__))

class BufferImpl : public BufferFields {
public:
	BufferImpl(IDevice *device, BUFFER_ARGS, bool owns_data);
#endif
	static std::atomic<size_t> next_unique_id;
	APART static std::shared_ptr<Buffer> create(IDevice *device, BUFFER_ARGS);
	APART static std::shared_ptr<Buffer> create(IDevice *device, uint64_t address, BUFFER_ARGS);
	APART void allocate_impl(SELF)
	{
		if (GraphTracker::instance().hook_allocate(&THE_BUFFER)) {
			address_ = 0;
			hooked_allocation_ = true;
		} else {
			validate_sub_device_manager_id(sub_device_manager_id_, device_);
			standin::point("allocate_impl");
			address_ = allocator_->allocate_buffer(&THE_BUFFER);
		}
		allocation_status_ = AllocationStatus::ALLOCATED;
		GraphTracker::instance().track_allocate(&THE_BUFFER);
	}

	APART void deallocate(SELF)
	{
		if (owns_data_)
			deallocate_impl(PASS_SELF);
	}

	APART void deallocate_impl(SELF)
	{
		if (allocation_status_ != AllocationStatus::ALLOCATED)
			return;
		if (device_->is_initialized() && size_ != 0) {
			GraphTracker::instance().track_deallocate(&THE_BUFFER);
			if (!GraphTracker::instance().hook_deallocate(&THE_BUFFER) &&
			    !hooked_allocation_) {
				validate_sub_device_manager_id(sub_device_manager_id_, device_);
				standin::point("deallocate_impl");
				allocator_->deallocate_buffer(&THE_BUFFER);
			}
		}
		allocation_status_ = AllocationStatus::DEALLOCATED;
	}
#if GENERATION == 3
};

class Buffer : public std::enable_shared_from_this<Buffer> {
	friend Offsets;
	std::unique_ptr<BufferImpl> impl_;

public:
	APART explicit Buffer(BufferImpl impl) : impl_(new BufferImpl(std::move(impl))) {}
	__attribute__((used)) BufferImpl &impl() const { return *impl_; }
	APART uint64_t size() const { return impl_->size_; }
	APART IDevice *device() const { return impl_->device_; }
	APART BufferType buffer_type() const { return impl_->buffer_type_; }
	APART TensorMemoryLayout buffer_layout() const { return impl_->buffer_layout_; }
	APART uint64_t unique_id() const { return impl_->unique_id_; }
	void mark_as_deallocated() { impl_->allocation_status_ = AllocationStatus::DEALLOCATED; }
#endif

	APART ~Buffer()
	{
		[[maybe_unused]] Buffer &self = *this;

		if (impl().allocation_status_ != AllocationStatus::DEALLOCATED)
			impl().deallocate(PASS_SELF);
	}

	APART uint32_t address() const
	{
		if (impl().allocation_status_ == AllocationStatus::REQUESTED)
			tt_throw("Can only query the address of a buffer that has been allocated");
		return impl().address_;
	}

	APART bool is_allocated() const
	{
		return impl().allocation_status_ == AllocationStatus::ALLOCATED;
	}

	APART uint32_t num_dev_pages() const
	{
		const auto &b = impl();

		if (!is_sharded(b.buffer_layout_))
			return b.page_size_ ? b.size_ / b.page_size_ : 0;
		return b.shard_spec_.value().num_pages() * b.shard_spec_.value().grid.num_cores();
	}

	APART uint64_t page_size() const { return impl().page_size_; }
	APART uint32_t alignment() const
	{
		return impl().allocator_->get_alignment(impl().buffer_type_);
	}
	APART uint64_t aligned_page_size() const
	{
		return ((impl().page_size_ - 1) | (alignment() - 1)) + 1;
	}
	APART uint64_t aligned_size() const { return num_dev_pages() * aligned_page_size(); }
	APART uint64_t aligned_size_per_bank() const
	{
		uint32_t banks = is_sharded(impl().buffer_layout_) ?
					 impl().shard_spec_.value().grid.num_cores() :
					 impl().allocator_->get_num_banks(impl().buffer_type_);

		return (num_dev_pages() + banks - 1) / banks * aligned_page_size();
	}
};

std::atomic<size_t> BODY::next_unique_id;

#if GENERATION < 3
Buffer::Buffer(IDevice *device, BUFFER_ARGS, bool owns_data, Private)
#else
BufferImpl::BufferImpl(IDevice *device, BUFFER_ARGS, bool owns_data)
#endif
	: BufferFields{ .device_ = device,
			.size_ = size,
			.buffer_type_ = type,
			.buffer_layout_ = args.get().layout,
			.bottom_up_ = bottom_up.value_or(type == BufferType::DRAM ||
							 type == BufferType::TRACE),
			.sub_device_id_ = sub_device,
			.owns_data_ = owns_data,
			.page_size_ = page_size,
			.shard_spec_ = args.get().shard_spec }
{
	if (!device_)
		tt_throw("Device needs to not be null.");
	if (!sub_device_id_)
		sub_device_manager_id_ = device_->get_active_sub_device_manager_id();
	allocator_ = device_->DEVICE_ALLOCATOR().get();
	unique_id_ = next_unique_id.fetch_add(1);
}

std::shared_ptr<Buffer> BODY::create(IDevice *device, BUFFER_ARGS)
{
	standin::point("buffer_create");
	auto buffer = NEW_BUFFER(device, PASS_ARGS, true);
	[[maybe_unused]] Buffer &self = *buffer;

	if (buffer->impl().size_ == 0)
		buffer->impl().allocation_status_ = AllocationStatus::ALLOCATED;
	else
		buffer->impl().allocate_impl(PASS_SELF);
	return buffer;
}

/* At an address that is given: it owns nothing. */
std::shared_ptr<Buffer> BODY::create(IDevice *device, uint64_t address, BUFFER_ARGS)
{
	standin::point("buffer_create_at");
	auto buffer = NEW_BUFFER(device, PASS_ARGS, false);

	buffer->impl().address_ = address;
	buffer->impl().allocation_status_ = AllocationStatus::ALLOCATED;
	return buffer;
}

void DeallocateBuffer([[maybe_unused]] Buffer &self)
{
	self.impl().deallocate(PASS_SELF);
}

/* --- what of the allocator needs a Buffer ---------------------------------------------------- */

uint64_t ALLOCATOR::allocate_buffer(Buffer *buffer)
{
	std::lock_guard lock(mutex_);
	const auto &b = buffer->impl();
	std::optional<uint32_t> num_shards;

	standin::point("allocate_buffer");
	if (b.shard_spec_)
		num_shards = b.shard_spec_->grid.num_cores();
	uint64_t address = manager(b.buffer_type_)
				   .allocate_buffer(buffer->aligned_size(),
						    buffer->aligned_page_size(), b.bottom_up_,
						    CoreRangeSet(), num_shards NO_BANK_STATE);
	allocated_buffers_.insert(buffer);
	return address;
}

void ALLOCATOR::deallocate_buffer(Buffer *buffer)
{
	std::lock_guard lock(mutex_);
	uint64_t address = buffer->address();

#if GENERATION == 1
	manager(buffer->impl().buffer_type_).deallocate_buffer(address);
#else
	manager(buffer->impl().buffer_type_).deallocate_buffer(address, {});
#endif
	allocated_buffers_.erase(buffer);
	standin::point("deallocate_buffer");
}
}

#endif
