// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* The commands that use the runtime; driver.cpp has their syntax. */
#include "driver.h"

#include <cstdlib>
#include <cstring>
#include <ctime>

/* --- words ----------------------------------------------------------------------------------- */

static uint64_t parse_size(const std::string &word)
{
	char *end;
	uint64_t n = strtoull(word.c_str(), &end, 0);
	const char *unit = *end ? strchr("KMG", *end) : nullptr;

	if (end == word.c_str() || (*end && !unit))
		die("not a number: '" + word + "'");
	return unit ? n << (10 * (unit - "KMG" + 1)) : n;
}

/* KEY=VALUE, or KEY alone: then 0. */
static std::string parse_pair(const std::string &word, uint64_t *ret_value)
{
	size_t equals = word.find('=');

	*ret_value = equals == word.npos ? 0 : parse_size(word.substr(equals + 1));
	return word.substr(0, equals);
}

static int parse_type(const std::string &word)
{
	for (int type = 0; type < standin::NUM_TYPES; type++)
		if (word == type_names[type])
			return type;
	die("no such type: " + word);
}

/* MESH, or MESH/CHIP, the index of a chip in it. A chip is always named by the parent mesh. */
static Mesh *find_mesh(const std::string &word, int *ret_chip)
{
	size_t slash = word.find('/');
	auto found = books.meshes.find(word.substr(0, slash));

	if (found == books.meshes.end() || !found->second.handle)
		die("no such mesh: " + word);
	*ret_chip = slash == word.npos ? -1 : atoi(word.c_str() + slash + 1);
	if (*ret_chip >= (int)found->second.chips.size() ||
	    (*ret_chip >= 0 && found->second.parent))
		die("no such chip: " + word);
	return &found->second;
}

Mesh *find_mesh(const std::string &word)
{
	int chip;

	return find_mesh(word.substr(0, word.find('/')), &chip);
}

static Tensor &find_tensor(const std::string &name)
{
	auto found = books.tensors.find(name);

	if (found == books.tensors.end())
		die("no such tensor: " + name);
	return found->second;
}

/* --- buffers --------------------------------------------------------------------------------- */

bool try_alloc(Tensor &t)
{
	std::string point = armed;

	try {
		t.handle = api->alloc(t.mesh->handle, t.args);
	} catch (const std::exception &) {
		books.not_allocated(t, point);
		return false;
	}
	t.facts = api->facts(t.handle);
	t.set_kind();
	books.allocated(t);
	return true;
}

static void parse_alloc_option(standin::AllocArgs &args, const std::string &word)
{
	static const char *const sharded[] = { "height", "width", "block" };
	uint64_t value;
	std::string key = parse_pair(word, &value);

	if (key == "topdown") {
		args.top_down = true;
		return;
	}
	if (key == "at") {
		args.has_address = true;
		args.address = value;
		return;
	}
	for (int i = 0; i < 3; i++)
		if (key == sharded[i] && value)
			args.layout = 2 + i, args.cores = value;
	if (!args.cores)
		die("no such option: " + word);
}

void cmd_alloc(const Words &w)
{
	Tensor t;

	t.mesh = find_mesh(w[2], &t.args.chip);
	t.args.type = parse_type(w[3]);
	t.args.size = parse_size(w[4]);
	t.args.page_size = parse_size(w[5]);
	for (size_t i = 6; i < w.size(); i++)
		parse_alloc_option(t.args, w[i]);
	if (books.tensors.count(w[1]))
		die("there is a tensor of that name: " + w[1]);
	if (try_alloc(t))
		books.tensors[w[1]] = t;
}

void cmd_oom(const Words &w)
{
	Tensor t;

	t.mesh = find_mesh(w[1], &t.args.chip);
	t.args.type = w.size() > 2 ? parse_type(w[2]) : standin::DRAM;
	t.args.size = w.size() > 3 ? std::stoull(w[3]) : 1ull << 40;
	t.args.page_size = 2048;
	if (try_alloc(t))
		die("there was memory");
}

void cmd_free(const Words &w)
{
	Tensor &t = find_tensor(w[1]);

	/* ~Buffer does nothing after a deallocate, nor when there is no mesh to be asked */
	if (t.facts.buffer && t.state != Tensor::FREED && t.mesh->handle)
		books.freed(t, capturing);
	api->release(t.handle, false);
	books.tensors.erase(w[1]);
}

void cmd_dealloc(const Words &w)
{
	Tensor &t = find_tensor(w[1]);
	std::string point = armed;

	if (!t.facts.buffer)
		die("it owns nothing: " + w[1]);
	try {
		api->deallocate(t.handle);
	} catch (const std::exception &) {
		if (point != "deallocate_buffer")
			return books.not_freed(t);
		/* the memory is gone, but the Buffer does not know: it must not free it again */
		books.freed(t, capturing);
		api->release(t.handle, true);
		books.tensors.erase(w[1]);
		return;
	}
	books.freed(t, capturing);
}

/* --- meshes ---------------------------------------------------------------------------------- */

/* The buffer that the runtime allocated for itself while it opened the mesh. */
static void take_system_tensor(const std::string &name, uint64_t size)
{
	Tensor t;

	t.mesh = &books.meshes[name];
	t.args.size = size;
	t.args.page_size = 2048;
	t.handle = api->system_tensor(t.mesh->handle);
	t.facts = api->facts(t.handle);
	/* nothing in a MeshDevice of generation 1 says that it is being opened */
	t.kind = api->generation == 1 ? "owning" : "system";
	Line("alloc").tensor(t);
	books.tensors[name + ".system"] = t;
}

static int next_mesh_id;

static void add_mesh(const std::string &name, Mesh &mesh)
{
	if (books.meshes.count(name))
		die("there is, or was, a mesh of that name: " + name);
	mesh.id = api->mesh_id(mesh.handle);
	next_mesh_id = mesh.id + 1;
	books.open(mesh);
	books.meshes[name] = mesh;
}

/* What had opened before the exception closes again. */
static void expect_failed_open(Mesh &mesh, const std::string &point)
{
	if (point == "device_open") {
		Line("device_open").device(mesh, 0);
		Line("device_close").device(mesh, 0);
	}
	if (point != "mesh_open")
		return;
	mesh.id = next_mesh_id++;
	books.open(mesh);
	books.close(&mesh);
}

void cmd_open(const Words &w)
{
	standin::OpenArgs args;
	uint64_t value;
	Mesh mesh;

	if (!api)
		die("no library is loaded");
	args.num_chips = atoi(w[2].c_str());
	for (size_t i = 3; i < w.size(); i++) {
		std::string key = parse_pair(w[i], &value);

		if (key == "first")
			args.first_chip = value;
		else if (key == "system")
			args.system_size = value;
		else if (key == "align")
			args.list_alignment = value;
		else
			args.bank_size[parse_type(key)] = value;
	}
	for (int i = 0; i < args.num_chips; i++)
		mesh.chips.push_back(args.first_chip + i);
	std::string point = armed;
	try {
		mesh.handle = api->open(args);
	} catch (const std::exception &) {
		return expect_failed_open(mesh, point);
	}
	add_mesh(w[1], mesh);
	if (args.system_size)
		take_system_tensor(w[1], args.system_size);
}

void cmd_submesh(const Words &w)
{
	size_t first = atoi(w[3].c_str()), count = atoi(w[4].c_str());
	Mesh *parent = find_mesh(w[2]), mesh;

	if (parent->parent || first + count > parent->chips.size())
		die("no such chips: " + join(w, 2));
	mesh.parent = parent;
	mesh.chips.assign(&parent->chips[first], &parent->chips[first] + count);
	mesh.handle = api->submesh(parent->handle, first, count);
	add_mesh(w[1], mesh);
}

void cmd_close(const Words &w)
{
	Mesh *mesh = find_mesh(w[1]);

	books.close(mesh);
	try {
		api->close(mesh->handle);
	} catch (const std::exception &) {
	}
}

void cmd_drop(const Words &w)
{
	Mesh *mesh = find_mesh(w[1]);

	books.close(mesh);
	api->drop(mesh->handle);
	mesh->handle = nullptr;
}

void cmd_bulk(const Words &w)
{
	static const char *const kinds[] = { "deallocate_buffers", "clear", "override_state" };
	int chip, kind = 0;
	Mesh *mesh = find_mesh(w[1], &chip);

	while (w.size() > 2 && kind < 3 && w[2] != kinds[kind])
		kind++;
	if (kind == 3)
		die("no such bulk free: " + w[2]);
	books.take_back(mesh, chip, Tensor::BULK_FREED);
	try {
		api->bulk(mesh->handle, chip, (standin::Bulk)kind);
	} catch (const std::exception &) {
	}
}

/* "0-0-7-7+8-0-8-3:100000:4096" */
static standin::Placed parse_placed(const std::string &word)
{
	size_t colon = word.find(':'), second = word.find(':', colon + 1), at = 0, x0, y0, x1, y1;
	standin::Placed placed;

	if (second == word.npos)
		die("no such buffer: " + word);
	for (; at < colon; at = word.find_first_of("+:", at) + 1) {
		if (sscanf(word.c_str() + at, "%zu-%zu-%zu-%zu", &x0, &y0, &x1, &y1) != 4)
			die("no such cores: " + word);
		placed.ranges.push_back({ x0, y0, x1, y1 });
	}
	placed.address = parse_size(word.substr(colon + 1, second - colon - 1));
	placed.size = parse_size(word.substr(second + 1));
	return placed;
}

/* What it takes, the test knows: nothing is expected here. */
void cmd_program(const Words &w)
{
	std::vector<standin::Placed> buffers;
	int chip;
	Mesh *mesh = find_mesh(w[1], &chip);

	for (size_t i = 3; i < w.size(); i++)
		buffers.push_back(parse_placed(w[i]));
	try {
		api->run_program(mesh->handle, chip, buffers, w[2] == "dataflow");
	} catch (const std::exception &) {
	}
}

/* On the clock of the events, so that a total can be held against the events up to it. */
static uint64_t now_ns()
{
	timespec ts;

	clock_gettime(CLOCK_BOOTTIME, &ts);
	return ts.tv_sec * 1000000000ull + ts.tv_nsec;
}

static void print_total(const Mesh *mesh, int chip, int type)
{
	uint64_t count = 0, ours = 0, theirs = 0;

	books.each([&](Tensor &t) {
		if (!t.is_in(mesh, chip) || t.args.type != type || !t.is_held() || t.robbed)
			return;
		count++;
		ours += t.facts.footprint;
	});
	if (mesh->open)
		theirs = api->occupied(mesh->handle, chip, (standin::Type)type);
	if (ours != theirs)
		die("total: " + std::to_string(ours) + " in the books, " + std::to_string(theirs) +
		    " in the allocator");
	Line("total")
		.num("ts_ns", now_ns())
		.device(*mesh, chip)
		.str("type", type_names[type])
		.num("buffers", count)
		.num("footprint", theirs);
}

void cmd_total(const Words &w)
{
	int chip;
	Mesh *mesh = find_mesh(w[1], &chip);

	for (int type = 0; type < standin::NUM_TYPES; type++)
		if (type != standin::SYSTEM_MEMORY)
			print_total(mesh, chip, type);
}
