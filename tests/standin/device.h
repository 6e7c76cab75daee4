/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Of the stand-in runtime: chips and meshes of them, how they open and how they close. From
 * generation 2 on a MeshDevice forwards to its MeshDeviceImpl.
 */
/* clang-format off: it cannot read classes that #if divides */

#ifndef STANDIN_DEVICE_H
#define STANDIN_DEVICE_H

#include <span>

#include "buffer.h"

namespace tt::tt_metal
{
namespace detail
{
class ProgramImpl;
}

/* Ours: worker_l1_size is the size of a buffer to be allocated while the mesh is opened. */
#define INIT_ARGS                                                                                  \
	uint8_t num_hw_cqs, size_t l1_small_size, size_t trace_region_size, size_t worker_l1_size, \
		std::span<const uint32_t> l1_bank_remap, bool minimal
#define PASS_INIT                                                                                  \
	num_hw_cqs, l1_small_size, trace_region_size, worker_l1_size, l1_bank_remap, minimal

#if GENERATION == 1
#define DEVICE_CONTEXT
#define NO_DEVICE_CONTEXT
#else
#define DEVICE_CONTEXT class MetalEnv *, class MetalContext *,
#define NO_DEVICE_CONTEXT nullptr, nullptr,
#endif
#define DEVICE_ARGS                                                                                \
	DEVICE_CONTEXT int id, uint8_t, size_t, size_t, std::span<const uint32_t>, bool, uint32_t, \
		uint32_t, size_t

/* tt_metal/impl/device/device.cpp */
class Device : public IDevice {
	friend Offsets;
	Gap<pick(0, 8, 8), pick(0, 0x18, 0x18)> gap0_;
	int id_;
	Gap<pick(0xc, 0x1c, 0x1c), pick(0x30, 0x38, 0x38)> gap1_;
	bool initialized_ = false;
	std::unique_ptr<SubDeviceManager> manager_; /* up to 0.65 the allocator is in it … */
	std::unique_ptr<ALLOCATOR> allocator_;	    /* … later it is here */

public:
	const AllocatorConfig *config = nullptr; /* ours */

	explicit Device(DEVICE_ARGS);
	APART ~Device() override
	{
		if (initialized_)
			close();
	}
	LOCAL int id() const override { return id_; }
	LOCAL uint64_t build_id() const override { return id_; }
	LOCAL bool is_initialized() const override { return initialized_; }
	APART const std::unique_ptr<ALLOCATOR> &DEVICE_ALLOCATOR() const override
	{
		return manager_ ? manager_->allocator : allocator_;
	}

	APART bool initialize(INIT_ARGS);
	APART bool close();
#if GENERATION > 1
	APART void register_program(detail::ProgramImpl *program);
	std::unordered_set<detail::ProgramImpl *> programs; /* ours */
#endif
};

#if GENERATION > 1
void Device::register_program(detail::ProgramImpl *program)
{
	standin::point("register_program");
	programs.insert(program);
}
#endif

Device::Device(DEVICE_ARGS) : id_(id)
{
}

bool Device::initialize(uint8_t, size_t, size_t, size_t, std::span<const uint32_t>, bool)
{
	if (initialized_)
		tt_throw("Device is in use");
	if (GENERATION == 1)
		manager_ = std::make_unique<SubDeviceManager>(*config);
	else
		allocator_ = std::make_unique<ALLOCATOR>(*config);
	initialized_ = true;
	standin::point("device_open");
	return true;
}

bool Device::close()
{
	if (!initialized_)
		return false;
	manager_.reset();
	allocator_.reset();
	initialized_ = false;
	return true;
}

namespace distributed
{
template <typename T> struct MaybeRemote {
	T value;
	bool is_local;
};

/* A template with a constraint in the real one, for which compilers differ in the mangling. */
APART std::vector<IDevice *> extract_locals(const std::vector<MaybeRemote<IDevice *>> &devices) asm(
	"_ZN2tt8tt_metal11distributed14extract_localsISt6vectorINS1_11MaybeRemoteIPNS0_7IDevice"
	"EEESaIS7_EEQ15MaybeRemoteLikeINT_10value_typeEEEEDaRKSA_");

std::vector<IDevice *> extract_locals(const std::vector<MaybeRemote<IDevice *>> &devices)
{
	std::vector<IDevice *> locals;

	locals.reserve(devices.size());
	for (const auto &device : devices)
		if (device.is_local)
			locals.push_back(device.value);
	return locals;
}

class MeshDeviceView {
	friend Offsets;
	struct Fields {
		Gap<0, pick(0x110, 0x178, 0x178)> gap0_;
		std::vector<MaybeRemote<IDevice *>> devices_;
	};
#if GENERATION == 1
	Fields fields_;
	const Fields &fields() const { return fields_; }
#else
	std::unique_ptr<Fields> impl_ = std::make_unique<Fields>();
	const Fields &fields() const { return *impl_; }
#endif

public:
	explicit MeshDeviceView(const std::vector<IDevice *> &devices)
	{
		for (IDevice *device : devices)
			const_cast<Fields &>(fields()).devices_.push_back({ device, true });
	}
	APART std::vector<IDevice *> get_devices() const
	{
		return extract_locals(fields().devices_);
	}
};

/* Opens chips, and closes them with the last mesh that uses them. */
struct ScopedDevices {
	std::vector<IDevice *> devices;

	ScopedDevices(int first_chip, int num_chips, const AllocatorConfig &config)
	{
		for (int id = first_chip; id < first_chip + num_chips; id++)
			devices.push_back(&pooled_device(id));
		try {
			for (IDevice *device : devices) {
				static_cast<Device *>(device)->config = &config;
				static_cast<Device *>(device)->initialize(1, 0, 0, 0, {}, false);
			}
		} catch (...) {
			close();
			throw;
		}
	}

	~ScopedDevices() { close(); }

private:
	/* Device objects stay when they are closed: the real one has its DevicePool. */
	static Device &pooled_device(int id)
	{
		static std::map<int, Device> pool;

		return pool.try_emplace(id, NO_DEVICE_CONTEXT id, 1, 0, 0,
					std::span<const uint32_t>(), false, 0, 0, 0)
			.first->second;
	}

	void close()
	{
		for (IDevice *device : devices)
			if (device->is_initialized())
				static_cast<Device *>(device)->close();
	}
};

/* tt_metal/distributed/mesh_device.cpp */
#if GENERATION == 1
#define MESH MeshDevice
#define MESH_INITIALIZE initialize(INIT_ARGS)
#define MESH_CLOSE close()
#define THE_MESH this
class MeshDevice : public IDevice, public std::enable_shared_from_this<MeshDevice> {
#else
#define MESH MeshDeviceImpl
#define MESH_INITIALIZE initialize_impl([[maybe_unused]] class MeshDevice *mesh, INIT_ARGS)
#define MESH_CLOSE close_impl(class MeshDevice *)
#define THE_MESH mesh
class MeshDeviceImpl : public IDevice {
#endif
	friend Offsets;
	Gap<pick(0x18, 0x8, 0x8), pick(0x40, 0x30, 0x38)> gap0_;
#if GENERATION > 1
	uint8_t is_internal_state_initialized = false; /* for it is compared with 1 */
	Gap<pick(0, 0x31, 0x39), pick(1, 0x40, 0x58)> gap1_;
#endif
	std::shared_ptr<ScopedDevices> scoped_devices_;
	int mesh_id_;
	std::unique_ptr<MeshDeviceView> view_;
	std::vector<IDevice *> devices_; /* only generation 3 uses it */
	std::unique_ptr<SubDeviceManager> sub_device_manager_;

	static int next_id()
	{
		static std::atomic<int> next;
		return next++;
	}

public:
	const AllocatorConfig config;		/* ours … */
	std::shared_ptr<Buffer> system_buffer;	/* … and the one allocated while opening */

	MESH(std::shared_ptr<ScopedDevices> scoped, const std::vector<IDevice *> &devices,
	     const AllocatorConfig &config)
		: scoped_devices_(std::move(scoped)), mesh_id_(next_id()),
		  view_(std::make_unique<MeshDeviceView>(devices)), devices_(devices),
		  config(config)
	{
	}
#if GENERATION == 1
	APART ~MeshDevice() override { close(); }
	MESH &impl() { return *this; }
#endif
	const std::shared_ptr<ScopedDevices> &scoped() const { return scoped_devices_; }
	APART int id() const override { return mesh_id_; }
	APART const std::unique_ptr<ALLOCATOR> &DEVICE_ALLOCATOR() const override
	{
		return sub_device_manager_->allocator;
	}
	APART const MeshDeviceView &get_view() const
	{
		if (!view_)
			tt_throw("MeshDeviceView is not initialized");
		return *view_;
	}
	APART std::vector<IDevice *> get_devices() const
	{
		return GENERATION == 3 ? devices_ : view_->get_devices();
	}

	APART bool is_initialized() const override
	{
#if GENERATION > 1
		if (is_internal_state_initialized != true)
			return false;
#endif
		if (!scoped_devices_)
			return false;
		for (IDevice *device : get_devices())
			if (!device->is_initialized())
				return false;
		return true;
	}

	APART bool MESH_INITIALIZE;
	APART bool MESH_CLOSE
	{
		sub_device_manager_.reset();
		scoped_devices_.reset();
#if GENERATION > 1
		is_internal_state_initialized = false;
#endif
		system_buffer.reset();
		standin::point("mesh_closing");
		return true;
	}
};

#if GENERATION > 1
class MeshDevice : public IDevice, public std::enable_shared_from_this<MeshDevice> {
	friend Offsets;
	std::unique_ptr<MeshDeviceImpl> pimpl_;
	const IDevice &device() const { return *pimpl_; }

public:
	explicit MeshDevice(std::unique_ptr<MeshDeviceImpl> impl) : pimpl_(std::move(impl)) {}
	APART ~MeshDevice() override { pimpl_->close_impl(this); }
	MeshDeviceImpl &impl() const { return *pimpl_; }
	APART bool initialize(INIT_ARGS) { return pimpl_->initialize_impl(this, PASS_INIT); }
	APART bool close()
	{
		bool closed = pimpl_->close_impl(this);

		standin::point("mesh_close");
		return closed;
	}
	APART int id() const override { return device().id(); }
	APART bool is_initialized() const override { return device().is_initialized(); }
	APART const MeshDeviceView &get_view() const { return pimpl_->get_view(); }
	APART std::vector<IDevice *> get_devices() const { return pimpl_->get_devices(); }
	APART const std::unique_ptr<ALLOCATOR> &DEVICE_ALLOCATOR() const override
	{
		return device().DEVICE_ALLOCATOR();
	}
};
#endif

bool MESH::MESH_INITIALIZE
{
	(void)num_hw_cqs, (void)l1_small_size, (void)trace_region_size, (void)minimal;
	(void)l1_bank_remap;
	sub_device_manager_ = std::make_unique<SubDeviceManager>(config);
	if (worker_l1_size)
		system_buffer = BODY::create(THE_MESH, worker_l1_size, 2048, BufferType::DRAM, {},
					     {}, {});
	standin::point("mesh_open");
#if GENERATION > 1
	is_internal_state_initialized = true;
#endif
	return true;
}
}
}

#endif
