// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * The stand-in runtime as a library: checks of its offsets, and the functions by which the driver
 * reaches it.
 */
#include <cstring>

#include "program.h"
#include "standin.h"

namespace tt::tt_metal
{
/* As tttrace --check decodes them from the real libraries; one column for each generation. */
struct Offsets {
#define AT(object, member, first, second, third)                                                   \
	static_assert(offsetof(object, member) == pick(first, second, third))
	AT(BODY, device_, 0x10, 0x10, 0);
	AT(BODY, size_, 0x18, 0x18, 0x8);
	AT(BODY, buffer_type_, 0x20, 0x20, 0x10);
	AT(BODY, buffer_layout_, 0x24, 0x24, 0x14);
	AT(BODY, bottom_up_, 0x28, 0x28, 0x18);
	AT(BODY, sub_device_id_, 0x29, 0x29, 0x19);
	AT(BODY, owns_data_, 0x2b, 0x2b, 0x1b);
	AT(BODY, sub_device_manager_id_, 0x30, 0x30, 0x20);
	AT(BODY, allocator_, 0x40, 0x40, 0x30);
	AT(BODY, allocation_status_, 0x48, 0x48, 0x38);
	AT(BODY, hooked_allocation_, 0x49, 0x49, 0x39);
	AT(BODY, address_, 0x50, 0x50, 0x40);
	AT(BODY, page_size_, 0x58, 0x58, 0x48);
	AT(BODY, shard_spec_, 0x60, 0x60, 0x50);
	AT(BODY, unique_id_, 0x1f8, 0x220, 0x218);
	static_assert(sizeof(BODY) == pick(0x200, 0x228, 0x220));
	AT(BufferShardingFields, layout, 0x170, 0x158, 0x158);
	AT(Device, id_, 0x8, 0x18, 0x18);
	AT(Device, initialized_, 0x30, 0x38, 0x38);
	AT(distributed::MESH, scoped_devices_, 0x40, 0x40, 0x58);
	AT(distributed::MESH, mesh_id_, 0x50, 0x50, 0x68);
	AT(distributed::MESH, view_, 0x58, 0x58, 0x70);
	AT(distributed::MeshDeviceView::Fields, devices_, 0x110, 0x178, 0x178);
	static_assert(sizeof(distributed::MaybeRemote<IDevice *>) == 0x10);
	AT(ALLOCATOR, managers_, 0x30, 0x38, 0x30);
	AT(ALLOCATOR, allocated_buffers_, 0x130, 0x138, 0x130);
	AT(ALLOCATOR, config_, 0x168, 0x188, 0x1a0);
	AT(allocator::FreeListOpt, max_size_bytes_, 0x8, 0x8, 0x8);
	AT(allocator::FreeListOpt, offset_bytes_, 0x10, 0x10, 0x10);
	AT(allocator::FreeListOpt, min_allocation_size_, 0x18, 0x18, 0x18);
	AT(allocator::FreeListOpt, alignment_, 0x20, 0x20, 0x20);
#if GENERATION == 1
	AT(BankManager, num_banks_, 0x58, 0, 0);
	AT(BankManager, allocator_, 0x78, 0, 0);
#else
	AT(BankManager, buffer_type_, 0, 0, 0);
	AT(BankManager, bank_id_to_bank_offset_, 0, 0x8, 0x8); /* its size is at 0x20 */
	AT(BankManager, num_allocators_, 0, 0x58, 0x58);
	AT(BankManager, allocators_, 0, 0x3b0, 0x3b0);
	AT(distributed::MeshDeviceImpl, is_internal_state_initialized, 0, 0x30, 0x38);
	AT(distributed::MeshDevice, pimpl_, 0, 0x18, 0x18);
#endif
#if GENERATION == 3
	AT(distributed::MeshDeviceImpl, devices_, 0, 0, 0x78);
	AT(Buffer, impl_, 0, 0, 0x10);
#endif
};
}

using namespace tt::tt_metal;
using distributed::MeshDevice;

namespace standin
{
static std::atomic<const char *> armed;

APART void point(const char *name)
{
	const char *wanted = armed.load(std::memory_order_relaxed);

	if (wanted && !strcmp(wanted, name) && armed.compare_exchange_strong(wanted, nullptr))
		throw std::runtime_error(std::string("thrown at ") + name);
}

struct Mesh {
	std::shared_ptr<MeshDevice> device;
};

/* As a MeshBuffer: the owner of the memory, and a view for each chip. */
struct Tensor {
	std::weak_ptr<MeshDevice> mesh;
	std::shared_ptr<Buffer> owner;
	std::vector<std::shared_ptr<Buffer>> views;
};

static Mesh *make_mesh(std::shared_ptr<distributed::ScopedDevices> scoped,
		       const std::vector<IDevice *> &devices, const AllocatorConfig &config,
		       uint64_t system_size)
{
#if GENERATION == 1
	auto mesh = std::make_shared<MeshDevice>(std::move(scoped), devices, config);
#else
	auto mesh = std::make_shared<MeshDevice>(
		std::make_unique<distributed::MeshDeviceImpl>(std::move(scoped), devices, config));
#endif
	mesh->initialize(1, 0, 0, system_size, {}, false);
	return new Mesh{ std::move(mesh) };
}

static Mesh *open(const OpenArgs &args)
{
	AllocatorConfig config;

	for (int type = 0; type < NUM_TYPES; type++) {
		config.bank_size[type] = args.bank_size[type];
		config.num_banks[type] = args.num_banks[type];
		config.alignment[type] = type == DRAM || type == TRACE ? args.list_alignment : 16;
	}
	config.list_alignment = args.list_alignment;
	auto scoped = std::make_shared<distributed::ScopedDevices>(args.first_chip, args.num_chips,
								   config);
	return make_mesh(scoped, scoped->devices, config, args.system_size);
}

static Mesh *submesh(Mesh *parent, int first, int count)
{
	auto chips = parent->device->get_devices();

	return make_mesh(parent->device->impl().scoped(),
			 { chips.begin() + first, chips.begin() + first + count },
			 parent->device->impl().config, 0);
}

static IDevice *device_of(const Mesh *mesh, int chip)
{
	return chip < 0 ? mesh->device.get() : mesh->device->get_devices().at(chip);
}

static void bulk(Mesh *mesh, int chip, Bulk kind)
{
	ALLOCATOR &allocator = *device_of(mesh, chip)->DEVICE_ALLOCATOR();

	switch (kind) {
	case CLEAR:
		return allocator.clear();
#if GENERATION > 1
	case OVERRIDE_STATE:
		return allocator.override_state({});
	case DEALLOCATE_BUFFERS:
		return Allocator(&allocator).deallocate_buffers();
#else
	case DEALLOCATE_BUFFERS:
		return allocator.deallocate_buffers();
	default:
		tt_throw("this generation has no override_state");
#endif
	}
}

static uint64_t occupied(Mesh *mesh, int chip, Type type)
{
	return device_of(mesh, chip)->DEVICE_ALLOCATOR()->occupied((BufferType)type);
}

static BufferShardingArgs make_sharding(const AllocArgs &args)
{
	uint32_t pages = args.page_size ? args.size / args.page_size : 0;
	BufferShardingArgs sharding;

	if (args.layout) {
		sharding.get().layout = (TensorMemoryLayout)args.layout;
		sharding.get().shard_spec =
			ShardSpecBuffer{ CoreRangeSet(args.cores),
					 { (pages + args.cores - 1) / args.cores, 1 },
					 {},
					 { 1, 1 },
					 { pages, 1 } };
	}
	return sharding;
}

static Tensor *alloc(Mesh *mesh, const AllocArgs &args)
{
	BufferShardingArgs sharding = make_sharding(args);
	auto tensor = std::make_unique<Tensor>();
	BufferType type = (BufferType)args.type;
	uint64_t address = args.address;
	std::optional<bool> bottom_up;

	if (args.top_down)
		bottom_up = false;
	tensor->mesh = mesh->device;
	if (!args.has_address) {
		tensor->owner = BODY::create(device_of(mesh, args.chip), args.size, args.page_size,
					     type, sharding, bottom_up, {});
		address = tensor->owner->address();
	}
	if (args.chip < 0)
		for (IDevice *chip : mesh->device->get_devices())
			tensor->views.push_back(BODY::create(chip, address, args.size,
							     args.page_size, type, sharding,
							     bottom_up, {}));
	return tensor.release();
}

static Facts facts(const Tensor *tensor)
{
	if (!tensor->owner)
		return {};
	const auto &b = tensor->owner->impl();
	bool occupies = b.size_ && !b.hooked_allocation_;

	return { .buffer = (uintptr_t)tensor->owner.get(),
		 .id = b.unique_id_,
		 .address = b.address_,
		 .footprint = occupies ? b.allocator_->footprint(b.buffer_type_, b.address_) : 0,
		 .hooked = b.hooked_allocation_ };
}

static void release(Tensor *tensor, bool silently)
{
	/* as MeshBuffer::deallocate when there is no device that could be asked any more */
	if (tensor->owner && (silently || tensor->mesh.expired()))
		tensor->owner->mark_as_deallocated();
	delete tensor;
}

static Tensor *system_tensor(Mesh *mesh)
{
	auto &buffer = mesh->device->impl().system_buffer;

	return buffer ? new Tensor{ mesh->device, std::move(buffer), {} } : nullptr;
}

static void capture(bool on)
{
	GraphTracker::instance().hook = on ? std::make_shared<IGraphHooks>() : nullptr;
}

/* The program is placed, runs, and goes. */
static void run_program(Mesh *mesh, int chip, const std::vector<Placed> &buffers, bool dataflow)
{
	detail::ProgramImpl program;

	for (const Placed &b : buffers) {
		std::vector<CoreRange> ranges;

		for (const auto &r : b.ranges)
			ranges.push_back({ r[0], r[1], r[2], r[3] });
		program.add(CoreRangeSet(ranges), b.address, b.size);
	}
#if GENERATION > 1
	if (dataflow)
		return program.allocate_dataflow_buffers(device_of(mesh, chip));
#else
	if (dataflow)
		tt_throw("this generation has no dataflow buffers");
#endif
	program.allocate_circular_buffers(device_of(mesh, chip));
}

static const Api api = {
	.generation = GENERATION,
	.open = open,
	.submesh = submesh,
	.close = [](Mesh *mesh) { mesh->device->close(); },
	.drop = [](Mesh *mesh) { delete mesh; },
	.mesh_id = [](Mesh *mesh) { return mesh->device->id(); },
	.system_tensor = system_tensor,
	.bulk = bulk,
	.occupied = occupied,
	.alloc = alloc,
	.facts = facts,
	.deallocate = [](Tensor *tensor) { DeallocateBuffer(*tensor->owner); },
	.release = release,
	.run_program = run_program,
	.capture = capture,
	.arm = [](const char *point) { armed = point; },
};
}

const standin::Api *standin_api()
{
	return &standin::api;
}
