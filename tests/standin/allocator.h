/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* A stand-in for the runtime, see free_list.h; this file: bank managers and the allocator. */
/* clang-format off: it cannot read classes that #if divides */

#ifndef STANDIN_ALLOCATOR_H
#define STANDIN_ALLOCATOR_H

#include "free_list.h"

namespace tt::tt_metal
{
/* --- tt_metal/impl/allocator --------------------------------------------------------------- */

struct AllocatorConfig { /* by BufferType */
	uint64_t bank_size[5] = {};
	uint32_t num_banks[5] = {};
	uint32_t alignment[5] = {};  /* of a page */
	uint32_t list_alignment = 0; /* of an allocation */
};

/* The arguments that came with the generations, and what is passed for them. */
#if GENERATION == 1
#define BANK_STATE
#define NO_BANK_STATE
#elif GENERATION == 2
#define BANK_STATE , AllocatorID, const std::vector<std::pair<uint64_t, uint64_t>> &
#define NO_BANK_STATE , {}, {}
#else
#define BANK_STATE                                                                                 \
	, AllocatorID, const std::vector<std::pair<uint64_t, uint64_t>> &,                         \
		const std::optional<std::unordered_set<uint32_t>> &
#define NO_BANK_STATE , {}, {}, {}
#endif

/* All banks of a type are allocated from in lock-step: one list serves them all. */
class BankManager {
	friend Offsets;
	friend ALLOCATOR;
#if GENERATION == 1
	Gap<0, 0x58> gap0_;
	uint32_t num_banks_;
	Gap<0x5c, 0x78> gap1_;
	std::unique_ptr<allocator::FreeListOpt> allocator_;
#else
	[[maybe_unused]] BufferType buffer_type_;
	std::unordered_map<uint32_t, int64_t> bank_id_to_bank_offset_;
	Gap<0x40, 0x58> gap1_;
	uint32_t num_allocators_ = 1;
	Gap<0x5c, 0x3b0> gap2_;
	std::vector<std::unique_ptr<allocator::FreeListOpt>> allocators_;
#endif

public:
	BankManager(BufferType type, const AllocatorConfig &config)
#if GENERATION == 1
		: num_banks_(config.num_banks[(int)type])
	{
#else
		: buffer_type_(type)
	{
		for (uint32_t bank = 0; bank < config.num_banks[(int)type]; bank++)
			bank_id_to_bank_offset_[bank] = 0;
#endif
		auto list = std::make_unique<allocator::FreeListOpt>(
			config.bank_size[(int)type], 0x400, config.alignment[(int)type],
			config.list_alignment, allocator::FreeListOpt::SearchPolicy::FIRST);
#if GENERATION == 1
		allocator_ = std::move(list);
	}
	allocator::FreeListOpt &list() const { return *allocator_; }
	APART void deallocate_buffer(uint64_t address) { list().deallocate(address); }
	APART Statistics get_statistics() const
	{
		return allocator_ ? allocator_->get_statistics() : Statistics();
	}
#else
		allocators_.push_back(std::move(list));
	}
	allocator::FreeListOpt &list() const { return *allocators_[0]; }
	APART allocator::FreeListOpt *get_allocator_from_id(AllocatorID id) const
	{
		if (id.value >= num_allocators_)
			tt_throw("no such allocator");
		return allocators_[id.value].get();
	}
	APART void deallocate_buffer(uint64_t address, AllocatorID id)
	{
		get_allocator_from_id(id)->deallocate(address);
	}
#endif
#if GENERATION == 1
	APART uint32_t num_banks() const { return num_banks_; }
#else
	APART uint32_t num_banks() const { return bank_id_to_bank_offset_.size(); }
#endif
	APART uint64_t bank_size() const { return list().max_size_bytes(); }
	APART void deallocate_all() { list().clear(); }
	APART void clear() { list().clear(); }
	APART uint64_t allocate_buffer(uint64_t size, uint64_t page_size, bool bottom_up,
				       const CoreRangeSet &,
				       std::optional<uint32_t> num_shards BANK_STATE)
	{
		uint64_t banks = num_shards.value_or(num_banks());
		uint64_t pages_per_bank = (size / page_size + banks - 1) / banks;
		auto address = list().allocate(pages_per_bank * page_size, bottom_up, 0);

		if (!address)
			tt_throw("Out of Memory: Not enough space to allocate " +
				 std::to_string(size) + " B across " + std::to_string(banks) +
				 " banks");
		return *address;
	}
};

/* By BufferType: what compilers make of the switch that the real one has in many places. */
static constexpr size_t first_manager = pick(0x30, 0x38, 0x30);
static constexpr size_t manager_offset[] = { first_manager, first_manager + 0x8, 0,
					     first_manager + 0x10, first_manager + 0x18 };

struct AllocatorState {
	std::vector<std::pair<uint64_t, uint64_t>> ranges;
};

/* The class that allocates. What is called Allocator since 2025-12 only forwards to it. */
class ALLOCATOR {
	friend Offsets;
#if GENERATION > 1
public:
	virtual APART ~AllocatorImpl() {}

private:
#endif
	mutable std::mutex mutex_;
	Gap<pick(0x28, 0x30, 0x30), pick(0x30, 0x38, 0x30)> gap0_;
	std::unique_ptr<BankManager> managers_[4]; /* DRAM, L1, L1_SMALL, TRACE */
	Gap<pick(0x50, 0x58, 0x50), pick(0x130, 0x138, 0x130)> gap1_;
	std::unordered_set<Buffer *> allocated_buffers_;
#if GENERATION == 1
	AllocatorConfig config_;
#else
	Gap<pick(0, 0x170, 0x168), pick(0, 0x188, 0x1a0)> gap2_;
	std::unique_ptr<AllocatorConfig> config_;
#endif

public:
	explicit ALLOCATOR(const AllocatorConfig &config)
		: managers_{ std::make_unique<BankManager>(BufferType::DRAM, config),
			     std::make_unique<BankManager>(BufferType::L1, config),
			     std::make_unique<BankManager>(BufferType::L1_SMALL, config),
			     std::make_unique<BankManager>(BufferType::TRACE, config) },
#if GENERATION == 1
		  config_(config)
	{
	}
	APART ~Allocator() {}
	APART uint32_t get_alignment(BufferType type) const { return config_.alignment[(int)type]; }
#else
		  config_(std::make_unique<AllocatorConfig>(config))
	{
	}
	APART uint32_t get_alignment(BufferType type) const
	{
		return config_->alignment[(int)type];
	}
	APART void override_state(const AllocatorState &)
	{
		std::lock_guard lock(mutex_);

		for (auto &manager : managers_)
			manager->deallocate_all();
		standin::point("override_state");
	}
#endif
	APART uint64_t allocate_buffer(Buffer *buffer);
	APART void deallocate_buffer(Buffer *buffer);

	/* Neither this nor clear() touches allocated_buffers_, or the status of any Buffer. */
	APART void deallocate_buffers()
	{
		std::lock_guard lock(mutex_);

		for (auto &manager : managers_)
			manager->deallocate_all();
		standin::point("deallocate_buffers");
	}

	APART void clear()
	{
		std::lock_guard lock(mutex_);

		for (auto &manager : managers_)
			manager->clear();
		standin::point("clear");
	}

	BankManager &manager(BufferType type) const
	{
		if ((unsigned int)type > 4 || !(0x1b >> (unsigned int)type & 1))
			tt_throw("Unsupported buffer type!");
		return **(std::unique_ptr<BankManager> *)((char *)this + manager_offset[(int)type]);
	}

#if GENERATION == 1
	APART uint32_t get_num_banks(const BufferType &type) const
	{
		std::lock_guard lock(mutex_);

		return manager(type).num_banks();
	}
#else
	APART uint32_t get_num_banks(const BufferType &type) const
	{
		return manager(type).bank_id_to_bank_offset_.size();
	}
#endif

	APART uint64_t get_bank_size(const BufferType &type) const
	{
		std::lock_guard lock(mutex_);

		return manager(type).list().max_size_bytes();
	}

	/* Ours, from the free list, all banks together: of one buffer, of all buffers of a type. */
	uint64_t footprint(BufferType type, uint64_t address) const
	{
		std::lock_guard lock(mutex_);

		return manager(type).list().allocation_size(address) * manager(type).num_banks();
	}

	uint64_t occupied(BufferType type) const
	{
		std::lock_guard lock(mutex_);

		return manager(type).list().get_statistics().total_allocated_bytes *
		       manager(type).num_banks();
	}

	APART size_t get_num_allocated_buffers() const
	{
		std::lock_guard lock(mutex_);

		return allocated_buffers_.size();
	}
};

#if GENERATION > 1
class Allocator {
	AllocatorImpl *impl_;

public:
	explicit Allocator(AllocatorImpl *impl) : impl_(impl) {}
	APART void deallocate_buffers() { impl_->deallocate_buffers(); }
	APART uint32_t get_num_banks(const BufferType &type) const
	{
		return impl_->get_num_banks(type);
	}
};
#endif

/* tt_metal/impl/sub_device/sub_device_manager.cpp: its end frees in bulk. */
struct SubDeviceManager {
	std::unique_ptr<ALLOCATOR> allocator;

	explicit SubDeviceManager(const AllocatorConfig &config)
		: allocator(std::make_unique<ALLOCATOR>(config))
	{
	}

	APART ~SubDeviceManager()
	{
		allocator->deallocate_buffers();
		allocator->clear();
	}
};
}

#endif
