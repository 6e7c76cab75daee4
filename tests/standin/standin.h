/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * What the driver sees of a stand-in runtime: the same for every generation, so that one driver
 * serves all of them, linked with it or loaded late. Exceptions pass through these functions as
 * they pass through the bindings of the real one.
 */
#ifndef STANDIN_H
#define STANDIN_H

#include <array>
#include <cstdint>
#include <vector>

namespace standin
{
struct Mesh;
struct Tensor;

enum Type { DRAM, L1, SYSTEM_MEMORY, L1_SMALL, TRACE, NUM_TYPES };
enum Bulk { DEALLOCATE_BUFFERS, CLEAR, OVERRIDE_STATE };

struct OpenArgs {
	int first_chip = 0;
	int num_chips = 1;
	uint64_t bank_size[NUM_TYPES] = { 1 << 26, 1 << 20, 0, 1 << 15, 1 << 22 };
	uint32_t num_banks[NUM_TYPES] = { 12, 64, 0, 64, 12 };
	uint32_t list_alignment = 32;
	uint64_t system_size = 0; /* of a DRAM buffer to be allocated while opening; 0: none */
};

struct AllocArgs {
	int chip = -1; /* index in the mesh; -1: the mesh itself, with a view for each chip */
	int type = DRAM;
	uint64_t size = 0, page_size = 0;
	int layout = 0;
	uint32_t cores = 0; /* of a sharded one */
	bool top_down = false, has_address = false;
	uint64_t address = 0;
};

/* What is true of a tensor's owning buffer, by its fields and by its allocator's block table. */
struct Facts {
	uint64_t buffer, id, address, footprint; /* buffer 0: it has only views */
	bool hooked;
};

/* A circular or dataflow buffer; a range of cores is x, y of its first and of its last. */
struct Placed {
	std::vector<std::array<size_t, 4>> ranges;
	uint64_t address, size;
};

struct Api {
	int generation;
	Mesh *(*open)(const OpenArgs &args);
	Mesh *(*submesh)(Mesh *parent, int first, int count);
	void (*close)(Mesh *mesh);
	void (*drop)(Mesh *mesh); /* the last reference goes */
	int (*mesh_id)(Mesh *mesh);
	Tensor *(*system_tensor)(Mesh *mesh); /* hands over the one of system_size, or nullptr */
	void (*bulk)(Mesh *mesh, int chip, Bulk kind);
	/* Bytes that are occupied on each chip, all banks together: the allocator's own view. */
	uint64_t (*occupied)(Mesh *mesh, int chip, Type type);
	Tensor *(*alloc)(Mesh *mesh, const AllocArgs &args);
	Facts (*facts)(const Tensor *tensor);
	void (*deallocate)(Tensor *tensor); /* DeallocateBuffer: the object lives on */
	/* The last reference goes. @silently: its Buffer believes that it holds nothing. */
	void (*release)(Tensor *tensor, bool silently);
	/* @chip: an index in the mesh, or -1 for the mesh itself */
	void (*run_program)(Mesh *mesh, int chip, const std::vector<Placed> &buffers,
			    bool dataflow);
	void (*capture)(bool on);	/* on this thread; generation 1: in the process */
	void (*arm)(const char *point); /* the next pass of that point throws, once */
};
}

extern "C" const standin::Api *standin_api();

#endif
