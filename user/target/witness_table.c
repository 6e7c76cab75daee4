// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "target/witness.h"

#include "target/symbols.h"

/* Members, const members; of tt::tt_metal, and of its distributed. */
#define M  "_ZN" NS_METAL
#define K  "_ZNK" NS_METAL
#define DM "_ZN" NS_MESH
#define DK "_ZNK" NS_MESH

/* Constructors by their first parameters; C2 is what builds the object in all variants. */
#define BUFFER	    M "6BufferC2EPNS0_7IDeviceE"
#define BUFFER_IMPL M "10BufferImplC2EPNS0_7IDeviceE"

#define META_BLOCK M "9allocator11FreeListOpt16alloc_meta_blockE"

/* One method of Allocator, which from generation 2 on is AllocatorImpl's. */
#define ALLOCATOR(ns, method)                                                                      \
	{                                                                                          \
		ns "13AllocatorImpl" method, ns "9Allocator" method                                \
	}

/* The manager of one type of memory is what get_num_banks(type) and the like read first. */
#define BANKS(field, type)                                                                         \
	{ field,                                                                                   \
	  ALLOCATOR(K, "13get_num_banksERKNS0_10BufferTypeE"),                                     \
	  .sees = SEES_RETURNED,                                                                   \
	  .takes = TAKES_ALL_BUT_LAST,                                                             \
	  .given = GIVEN_POINTEE1,                                                                 \
	  .number = type },                                                                        \
		{ field,                                                                           \
		  ALLOCATOR(K, "13get_bank_sizeERKNS0_10BufferTypeE"),                             \
		  .sees = SEES_RETURNED,                                                           \
		  .takes = TAKES_FIRST,                                                            \
		  .given = GIVEN_POINTEE1,                                                         \
		  .number = type },                                                                \
	{                                                                                          \
		field, ALLOCATOR(M, "15allocate_bufferEPNS0_6BufferE"),                            \
			.sees = SEES_PASSED, .n = 0,                                               \
			.callee = M "11BankManager15allocate_bufferE", .given = GIVEN_TYPE1,       \
			.number = type                                                             \
	}

/*
 * Numbers of arguments count `this`, and where an object is returned through memory, as by
 * get_devices(), the address of that memory before it.
 *
 * A field that stands in a given (TT_FIELD_TYPE in GIVEN_TYPE1) comes before those that need it,
 * and so do parts.
 */
/* clang-format off */
const struct witness witnesses[] = {
	/* Ways to where the fields are. */
	{ PART_BUFFER_IMPL, { M "6Buffer4implEv" }, .sees = SEES_RETURNED },
	{ PART_BUFFER_IMPL, { K "6Buffer4implEv" }, .sees = SEES_RETURNED },
	{ PART_MESH_IMPL, { DM "10MeshDevice5closeEv" }, .sees = SEES_PASSED,
	  .callee = DM "14MeshDeviceImpl10close_implE" },
	{ PART_MESH_IMPL, { DK "10MeshDevice2idEv" }, .sees = SEES_PASSED_VIRTUAL },
	{ PART_MESH_VIEW, { DK "10MeshDevice8get_viewEv" }, .sees = SEES_RETURNED },
	{ PART_MESH_VIEW, { DK "14MeshDeviceImpl8get_viewEv" }, .sees = SEES_RETURNED,
	  .base = PART_MESH_IMPL },

	/* Buffer: generation 3 has getters for all, before it the constructor has to do. */
	{ TT_FIELD_DEVICE, { K "6Buffer6deviceEv" }, .sees = SEES_RETURNED },
	{ TT_FIELD_DEVICE, { BUFFER_IMPL }, .sees = SEES_ARGUMENT_STORED, .n = 1, .size = 8,
	  .base = PART_BUFFER_IMPL },
	{ TT_FIELD_DEVICE, { BUFFER }, .sees = SEES_ARGUMENT_STORED, .n = 1, .size = 8 },
	{ TT_FIELD_DEVICE, { M "6Buffer15deallocate_implEv" }, .sees = SEES_PASSED_VIRTUAL },

	{ TT_FIELD_SIZE, { K "6Buffer4sizeEv" }, .sees = SEES_RETURNED },
	{ TT_FIELD_SIZE, { BUFFER_IMPL }, .sees = SEES_ARGUMENT_STORED, .n = 2, .size = 8,
	  .base = PART_BUFFER_IMPL },
	{ TT_FIELD_SIZE, { BUFFER }, .sees = SEES_ARGUMENT_STORED, .n = 2, .size = 8 },
	{ TT_FIELD_SIZE, { M "6Buffer15deallocate_implEv" },
	  .sees = SEES_COMPARED, .n = 0, .size = 8 },

	{ TT_FIELD_TYPE, { K "6Buffer11buffer_typeEv" }, .sees = SEES_RETURNED },
	{ TT_FIELD_TYPE, { BUFFER_IMPL }, .sees = SEES_ARGUMENT_STORED, .n = 4, .size = 4,
	  .base = PART_BUFFER_IMPL },
	{ TT_FIELD_TYPE, { BUFFER }, .sees = SEES_ARGUMENT_STORED, .n = 4, .size = 4 },
	{ TT_FIELD_TYPE, { K "6Buffer9alignmentEv" }, .sees = SEES_PASSED, .n = 1,
	  .callee = K "9Allocator13get_alignmentE" },
	{ TT_FIELD_TYPE, { K "6Buffer9alignmentEv" }, .sees = SEES_PASSED, .n = 1,
	  .callee = K "13AllocatorImpl13get_alignmentE" },

	/* is_sharded() is inline: HEIGHT_SHARDED (2) <= layout. BufferShardingArgs is argument 5. */
	{ TT_FIELD_LAYOUT, { K "6Buffer13buffer_layoutEv" }, .sees = SEES_RETURNED },
	{ TT_FIELD_LAYOUT, { K "6Buffer21aligned_size_per_bankEv" }, .sees = SEES_COMPARED_LESS,
	  .n = TT_LAYOUT_HEIGHT_SHARDED },
	{ TT_FIELD_LAYOUT, { BUFFER_IMPL }, .sees = SEES_MEMBER_STORED, .n = 5, .size = 4,
	  .base = PART_BUFFER_IMPL },
	{ TT_FIELD_LAYOUT, { BUFFER }, .sees = SEES_MEMBER_STORED, .n = 5, .size = 4 },

	{ TT_FIELD_BOTTOM_UP, ALLOCATOR(M, "15allocate_bufferEPNS0_6BufferE"),
	  .sees = SEES_PASSED, .n = 3,
	  .callee = M "11BankManager15allocate_bufferE", .arg = 1, .given = GIVEN_TYPE1,
	  .number = TT_TYPE_DRAM },

	{ TT_FIELD_OWNS_DATA, { BUFFER_IMPL }, .sees = SEES_ARGUMENT_STORED, .n = 8, .size = 1,
	  .base = PART_BUFFER_IMPL },
	{ TT_FIELD_OWNS_DATA, { M "10BufferImpl10deallocateERNS0_6BufferE" }, .sees = SEES_TESTED,
	  .size = 1, .base = PART_BUFFER_IMPL },
	{ TT_FIELD_OWNS_DATA, { BUFFER }, .sees = SEES_ARGUMENT_STORED, .n = 8, .size = 1 },
	{ TT_FIELD_OWNS_DATA, { M "6Buffer10deallocateEv" }, .sees = SEES_TESTED, .size = 1 },

	{ TT_FIELD_ALLOCATOR, { M "10BufferImpl15deallocate_implERNS0_6BufferE" },
	  .sees = SEES_PASSED,
	  .callee = M "13AllocatorImpl17deallocate_bufferE", .base = PART_BUFFER_IMPL },
	{ TT_FIELD_ALLOCATOR, { M "10BufferImpl13allocate_implERNS0_6BufferE" },
	  .sees = SEES_PASSED,
	  .callee = M "13AllocatorImpl15allocate_bufferE", .base = PART_BUFFER_IMPL },
	{ TT_FIELD_ALLOCATOR, { M "6Buffer15deallocate_implEv" }, .sees = SEES_PASSED,
	  .callee = M "13AllocatorImpl17deallocate_bufferE" },
	{ TT_FIELD_ALLOCATOR, { M "6Buffer13allocate_implEv" }, .sees = SEES_PASSED,
	  .callee = M "13AllocatorImpl15allocate_bufferE" },
	{ TT_FIELD_ALLOCATOR, { M "6Buffer15deallocate_implEv" }, .sees = SEES_PASSED,
	  .callee = M "9Allocator17deallocate_bufferE" },
	{ TT_FIELD_ALLOCATOR, { M "6Buffer13allocate_implEv" }, .sees = SEES_PASSED,
	  .callee = M "9Allocator15allocate_bufferE" },

	{ TT_FIELD_STATUS, { K "6Buffer12is_allocatedEv" }, .sees = SEES_COMPARED,
	  .n = TT_STATUS_ALLOCATED, .size = 1 },
	{ TT_FIELD_STATUS, { M "10BufferImpl15deallocate_implERNS0_6BufferE" },
	  .sees = SEES_CONST_STORED,
	  .n = TT_STATUS_DEALLOCATED, .size = 1, .base = PART_BUFFER_IMPL },
	{ TT_FIELD_STATUS, { M "6Buffer15deallocate_implEv" }, .sees = SEES_CONST_STORED,
	  .n = TT_STATUS_DEALLOCATED, .size = 1 },

	/* allocate_impl() sets it, and the status; deallocate_impl() asks whether it is not set. */
	{ TT_FIELD_HOOKED, { M "10BufferImpl15deallocate_implERNS0_6BufferE" },
	  .sees = SEES_COMPARED,
	  .n = 0, .size = 1, .base = PART_BUFFER_IMPL },
	{ TT_FIELD_HOOKED, { M "10BufferImpl13allocate_implERNS0_6BufferE" },
	  .sees = SEES_CONST_STORED,
	  .n = 1, .size = 1, .base = PART_BUFFER_IMPL },
	{ TT_FIELD_HOOKED, { M "6Buffer15deallocate_implEv" },
	  .sees = SEES_COMPARED, .n = 0, .size = 1 },
	{ TT_FIELD_HOOKED, { M "6Buffer13allocate_implEv" },
	  .sees = SEES_CONST_STORED, .n = 1, .size = 1 },

	{ TT_FIELD_ADDRESS, { K "6Buffer7addressEv" }, .sees = SEES_RETURNED },
	{ TT_FIELD_ADDRESS, { M "10BufferImpl13allocate_implERNS0_6BufferE" },
	  .sees = SEES_RESULT_STORED,
	  .size = 8, .callee = M "13AllocatorImpl15allocate_bufferE", .base = PART_BUFFER_IMPL },
	{ TT_FIELD_ADDRESS, { M "6Buffer13allocate_implEv" }, .sees = SEES_RESULT_STORED, .size = 8,
	  .callee = M "13AllocatorImpl15allocate_bufferE" },
	{ TT_FIELD_ADDRESS, { M "6Buffer13allocate_implEv" }, .sees = SEES_RESULT_STORED, .size = 8,
	  .callee = M "9Allocator15allocate_bufferE" },

	{ TT_FIELD_PAGE_SIZE, { K "6Buffer9page_sizeEv" }, .sees = SEES_RETURNED },
	{ TT_FIELD_PAGE_SIZE, { BUFFER_IMPL }, .sees = SEES_ARGUMENT_STORED, .n = 3, .size = 8,
	  .base = PART_BUFFER_IMPL },
	{ TT_FIELD_PAGE_SIZE, { BUFFER }, .sees = SEES_ARGUMENT_STORED, .n = 3, .size = 8 },

	{ TT_FIELD_UNIQUE_ID, { K "6Buffer9unique_idEv" }, .sees = SEES_RETURNED },
	{ TT_FIELD_UNIQUE_ID, { BUFFER_IMPL }, .sees = SEES_RESULT_STORED, .size = 8,
	  .callee = M "10BufferImpl14next_unique_idE", .base = PART_BUFFER_IMPL },
	{ TT_FIELD_UNIQUE_ID, { BUFFER }, .sees = SEES_RESULT_STORED, .size = 8,
	  .callee = M "6Buffer14next_unique_idE" },

	/* Device: local symbols of .symtab, and the constructor. */
	{ TT_FIELD_CHIP_ID, { K "6Device2idEv" }, .sees = SEES_RETURNED },
	{ TT_FIELD_CHIP_ID, { M "6DeviceC2Ei" }, .sees = SEES_ARGUMENT_STORED, .n = 1, .size = 4 },
	{ TT_FIELD_CHIP_ID, { M "6DeviceC2EPNS0_8MetalEnvEPNS0_12MetalContextEi" },
	  .sees = SEES_ARGUMENT_STORED, .n = 3, .size = 4 },
	{ TT_FIELD_DEVICE_INITIALIZED, { K "6Device14is_initializedEv" }, .sees = SEES_RETURNED },
	{ TT_FIELD_DEVICE_INITIALIZED, { M "6Device5closeEv" }, .sees = SEES_CONST_STORED, .n = 0,
	  .size = 1 },

	/* MeshDevice */
	{ TT_FIELD_MESH_ID, { DK "14MeshDeviceImpl2idEv" },
	  .sees = SEES_RETURNED, .base = PART_MESH_IMPL },
	{ TT_FIELD_MESH_ID, { DK "10MeshDevice2idEv" }, .sees = SEES_RETURNED },
	{ TT_FIELD_MESH_CHIPS, { DK "14MeshDeviceView11get_devicesEv" }, .sees = SEES_SPAN,
	  .into = DM "14extract_localsI", .arg = 1, .base = PART_MESH_VIEW },
	{ TT_FIELD_MESH_CHIPS, { DK "14MeshDeviceView11get_devicesERKNS1_19MeshCoordinateRangeE" },
	  .sees = SEES_SPAN, .into = DM "14extract_localsI", .arg = 1, .base = PART_MESH_VIEW },
	{ TT_FIELD_MESH_INITIALIZED, { DK "14MeshDeviceImpl14is_initializedEv" },
	  .sees = SEES_COMPARED,
	  .n = 1, .size = 1, .base = PART_MESH_IMPL },
	{ TT_FIELD_MESH_INITIALIZED, { DM "14MeshDeviceImpl15initialize_implE" },
	  .sees = SEES_CONST_STORED, .n = 1, .size = 1, .base = PART_MESH_IMPL },
	{ TT_FIELD_MESH_INITIALIZED, { DK "10MeshDevice14is_initializedEv" }, .sees = SEES_COMPARED,
	  .n = 1, .size = 1 },
	{ TT_FIELD_MESH_INITIALIZED, { DM "10MeshDevice10initializeE" }, .sees = SEES_CONST_STORED,
	  .n = 1, .size = 1 },

	/* Allocator */
	BANKS(TT_FIELD_BANKS_DRAM, TT_TYPE_DRAM),
	BANKS(TT_FIELD_BANKS_L1, TT_TYPE_L1),
	BANKS(TT_FIELD_BANKS_L1_SMALL, TT_TYPE_L1_SMALL),
	BANKS(TT_FIELD_BANKS_TRACE, TT_TYPE_TRACE),
	{ TT_FIELD_ALLOCATED_BUFFERS, ALLOCATOR(K, "25get_num_allocated_buffersEv"),
	  .sees = SEES_RETURNED },
	/* A libstdc++ unordered_set counts its elements at +24, behind buckets and first node. */
	{ TT_FIELD_ALLOCATED_BUFFERS, ALLOCATOR(M, "15allocate_bufferEPNS0_6BufferE"),
	  .sees = SEES_PASSED, .callee = "_ZNSt10_HashtableIPN2tt8tt_metal6BufferE",
	  .takes = TAKES_ADDRESS, .plus = 24, .given = GIVEN_TYPE1, .number = TT_TYPE_DRAM },
	{ TT_FIELD_ALLOCATED_BUFFERS, { K "9Allocator21get_allocated_buffersEv" },
	  .sees = SEES_RETURNED,
	  .takes = TAKES_ADDRESS, .plus = 24 },

	/* BankManager */
	{ TT_FIELD_NUM_BANKS, { K "11BankManager9num_banksEv" }, .sees = SEES_RETURNED },
	{ TT_FIELD_NUM_BANKS, ALLOCATOR(K, "13get_num_banksERKNS0_10BufferTypeE"),
	  .sees = SEES_RETURNED,
	  .takes = TAKES_LAST, .given = GIVEN_POINTEE1, .number = TT_TYPE_DRAM },
	{ TT_FIELD_FREE_LIST, { K "11BankManager9bank_sizeEv" }, .sees = SEES_RETURNED,
	  .takes = TAKES_ALL_BUT_LAST },
	{ TT_FIELD_FREE_LIST, { K "11BankManager21get_allocator_from_idE" }, .sees = SEES_RETURNED,
	  .given = GIVEN_ARG1, .number = 0 },
	{ TT_FIELD_FREE_LIST, { K "11BankManager14get_statisticsEv" },
	  .sees = SEES_PASSED_VIRTUAL, .n = 1,
	  .arg = 1 },

	/* FreeListOpt(max_size, offset, min_allocation_size, alignment, policy) */
	{ TT_FIELD_FL_SIZE, { M "9allocator11FreeListOptC2Emmmm" },
	  .sees = SEES_ARGUMENT_STORED, .n = 1,
	  .size = 8 },
	{ TT_FIELD_FL_SIZE, { K "11BankManager9bank_sizeEv" },
	  .sees = SEES_RETURNED, .takes = TAKES_LAST },
	{ TT_FIELD_FL_MIN, { M "9allocator11FreeListOptC2Emmmm" },
	  .sees = SEES_ARGUMENT_STORED, .n = 3,
	  .size = 8 },
	{ TT_FIELD_FL_MIN, { M "9allocator11FreeListOpt8allocateEmbm" }, .sees = SEES_COMPARED_WITH,
	  .n = 1, .size = 8 },
	{ TT_FIELD_FL_ALIGN, { M "9allocator11FreeListOptC2Emmmm" },
	  .sees = SEES_ARGUMENT_STORED, .n = 4,
	  .size = 8 },
	{ TT_FIELD_FL_ALIGN, { M "9allocator11FreeListOpt8allocateEmbm" },
	  .sees = SEES_DIVIDED_BY },
	/* The block table counts from the base of the bank, callers from 0. */
	{ TT_FIELD_FL_BASE, { M "9allocator11FreeListOptC2Emmmm" },
	  .sees = SEES_ARGUMENT_STORED, .n = 2,
	  .size = 8 },
	{ TT_FIELD_FL_BASE, { M "9allocator11FreeListOpt10deallocateEm" },
	  .sees = SEES_SUBTRACTED, .n = 1, .size = 8 },
	{ TT_FIELD_FL_BASE, { M "9allocator11FreeListOpt19allocate_at_addressEmm" },
	  .sees = SEES_SUBTRACTED, .n = 1, .size = 8 },
	/*
	 * alloc_meta_block(address, size, previous, next, is_allocated) puts a block where one was
	 * given up, else at the ends of the vectors: two ways that have to agree.
	 */
	{ TT_FIELD_FL_ADDRESSES, { META_BLOCK }, .sees = SEES_ELEMENT_STORED, .n = 1, .size = 8 },
	{ TT_FIELD_FL_ADDRESSES, { META_BLOCK }, .sees = SEES_APPENDED, .n = 1, .size = 8 },
	{ TT_FIELD_FL_SIZES, { META_BLOCK }, .sees = SEES_ELEMENT_STORED, .n = 2, .size = 8 },
	{ TT_FIELD_FL_SIZES, { META_BLOCK }, .sees = SEES_APPENDED, .n = 2, .size = 8 },
	{ TT_FIELD_FL_ALLOCATED, { META_BLOCK }, .sees = SEES_ELEMENT_STORED, .n = 5, .size = 1 },
	{ TT_FIELD_FL_ALLOCATED, { META_BLOCK }, .sees = SEES_APPENDED, .n = 5, .size = 1 },
	{ TT_FIELD_FL_ALLOCATED, { M "9allocator11FreeListOpt10deallocateEm" },
	  .sees = SEES_ELEMENT_SET, .n = 0, .size = 1 },
	{ TT_FIELD_FL_META, { META_BLOCK }, .sees = SEES_ELEMENT_SET, .n = 1, .size = 1 },
	{ TT_FIELD_FL_META, { M "9allocator11FreeListOpt15free_meta_blockEm" },
	  .sees = SEES_ELEMENT_SET, .n = 0, .size = 1 },
	/* allocated_block_table_: a vector of buckets, one of which both look for first */
	{ TT_FIELD_FL_TAKEN, { K "9allocator11FreeListOpt25is_address_in_alloc_tableEm" },
	  .sees = SEES_ELEMENT_READ, .size = 8 },
	{ TT_FIELD_FL_TAKEN, { M "9allocator11FreeListOpt27insert_block_to_alloc_tableEmm" },
	  .sees = SEES_ELEMENT_READ, .size = 8 },

	/* CoreRangeSet, in no namespace up to 0.62: a vector of CoreRange, 32 bytes each. */
	{ TT_FIELD_CORE_RANGES, { K "12CoreRangeSet4sizeEv", "_ZNK12CoreRangeSet4sizeEv" },
	  .sees = SEES_SPAN, .size = 32 },

	/* CircularBufferAllocator: a CoreRange, then the regions, pairs of begin and end */
	{ TT_FIELD_L1_REGIONS, { M "6detail11ProgramImpl23CircularBufferAllocator12mark_addressE" },
	  .sees = SEES_VECTOR },
};
/* clang-format on */

const size_t num_witnesses = sizeof(witnesses) / sizeof(witnesses[0]);
