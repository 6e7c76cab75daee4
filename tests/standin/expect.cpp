// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "expect.h"

#include <cstring>
#include <sys/syscall.h>

const char *const type_names[] = { "DRAM", "L1", "SYSTEM_MEMORY", "L1_SMALL", "TRACE" };
static const char *const layout_names[] = { "INTERLEAVED", "SINGLE_BANK", "HEIGHT_SHARDED",
					    "WIDTH_SHARDED", "BLOCK_SHARDED" };
FILE *expect_out = stdout;

/* As ps shows it: the name of the first thread. */
static std::string name_of_process()
{
	char name[32] = "";
	FILE *comm = fopen("/proc/self/comm", "re");

	if (comm && fgets(name, sizeof(name), comm))
		name[strcspn(name, "\n")] = '\0';
	if (comm)
		fclose(comm);
	return name;
}

Line::Line(const char *event) : text_(std::string("{\"event\":\"") + event + '"')
{
	num("pid", getpid()).num("tid", syscall(SYS_gettid)).str("comm", name_of_process());
}

Line::~Line()
{
	fprintf(expect_out, "%s}\n", text_.c_str());
	fflush(expect_out);
}

Line &Line::raw(const char *key, const std::string &value)
{
	text_ += std::string(",\"") + key + "\":" + value;
	return *this;
}

Line &Line::device(const Mesh &mesh, int chip)
{
	std::string list;

	if (chip < 0)
		num("mesh", mesh.id);
	for (size_t i = 0; i < mesh.chips.size(); i++)
		if (chip < 0 || chip == (int)i)
			list += (list.empty() ? "" : ",") + std::to_string(mesh.chips[i]);
	return raw("devices", '[' + list + ']');
}

Line &Line::spec(const Mesh &mesh, const standin::AllocArgs &args)
{
	device(mesh, args.chip).num("size", args.size).num("page_size", args.page_size);
	return str("type", type_names[args.type]).str("layout", layout_names[args.layout]);
}

Line &Line::tensor(const Tensor &t, bool pointer, bool has_memory)
{
	char buffer[32];

	spec(*t.mesh, t.args).str("kind", t.kind);
	snprintf(buffer, sizeof(buffer), "0x%llx", (unsigned long long)t.facts.buffer);
	if (pointer)
		str("buffer", buffer).num("id", t.facts.id).num("address", t.facts.address);
	if (has_memory && t.facts.footprint)
		num("footprint", t.facts.footprint);
	return *this;
}

void Tensor::set_kind()
{
	if (!facts.buffer)
		kind = "view";
	else if (facts.hooked)
		kind = "hooked";
	else if (!args.size)
		kind = "zero_size";
	else if (args.type == standin::TRACE || (args.type == standin::DRAM && args.top_down))
		kind = "system"; /* as the runtime allocates traces and kernel binaries */
	else
		kind = "owning";
}

void Books::each(const std::function<void(Tensor &)> &visit)
{
	for (auto &[name, tensor] : tensors)
		visit(tensor);
	for (Tensor &tensor : ghosts)
		visit(tensor);
}

void Books::leaks(const std::function<bool(const Tensor &)> &which, bool killed)
{
	each([&](Tensor &t) {
		if (t.is_held() && !strcmp(t.kind, "owning") && t.pid == getpid() && which(t))
			Line(killed && t.state == Tensor::LIVE ? "ended" : "leak").tensor(t);
	});
}

void Books::take_back(const Mesh *mesh, int chip, Tensor::State state)
{
	uint64_t count = 0, bytes = 0;

	each([&](Tensor &t) {
		if (!t.is_in(mesh, chip) || !t.is_held())
			return;
		t.state = state;
		if (t.pid != getpid())
			return; /* of the parent, whose memory does not go with the child's copy */
		count++;
		bytes += t.robbed ? 0 : t.facts.footprint;
	});
	if (count)
		Line("bulk_free").device(*mesh, chip).num("buffers", count).num("bytes", bytes);
}

/* Chips are opened by the first mesh that uses them, before it … */
void Books::open(const Mesh &mesh)
{
	for (size_t i = 0; i < mesh.chips.size() && !mesh.parent; i++)
		Line("device_open").device(mesh, i);
	Line("device_open").device(mesh, -1);
}

/* … and close with the last, after it. */
bool Books::is_last_of_its_chips(const Mesh *mesh)
{
	const Mesh *root = mesh->parent ? mesh->parent : mesh;

	for (auto &[name, other] : meshes)
		if (&other != mesh && other.open && (&other == root || other.parent == root))
			return false;
	return true;
}

void Books::close_allocator(const Mesh *mesh, int chip)
{
	leaks([&](const Tensor &t) { return t.is_in(mesh, chip); });
	Line("device_close").device(*mesh, chip);
	take_back(mesh, chip, Tensor::CLOSED);
	each([&](Tensor &t) {
		if (t.is_in(mesh, chip) && t.state != Tensor::FREED)
			t.state = Tensor::CLOSED;
	});
}

void Books::close(Mesh *mesh)
{
	const Mesh *root = mesh->parent ? mesh->parent : mesh;

	if (!mesh->open)
		return;
	mesh->open = false;
	close_allocator(mesh, -1);
	if (is_last_of_its_chips(mesh))
		for (size_t i = 0; i < root->chips.size(); i++)
			close_allocator(root, i);
}

/* The owner, then a view for each chip at its address, or where the program wants it. */
void Books::allocated(const Tensor &t)
{
	standin::AllocArgs view = t.args;

	if (t.facts.buffer)
		Line("alloc").tensor(t, t.args.size != 0);
	for (view.chip = 0; t.args.chip < 0 && view.chip < (int)t.mesh->chips.size(); view.chip++)
		Line("alloc")
			.spec(*t.mesh, view)
			.str("kind", "view")
			.num("address", t.facts.buffer ? t.facts.address : t.args.address);
}

void Books::not_allocated(const Tensor &t, const std::string &point)
{
	if (point == "buffer_create" || t.args.has_address)
		return; /* there was no Buffer yet, or none that owns */
	if (point == "track_allocate" || point == "buffer_create_at") {
		Line("alloc").spec(*t.mesh, t.args).str("kind", "owning");
		if (point == "buffer_create_at") { /* at the first chip */
			standin::AllocArgs view = t.args;

			view.chip = 0;
			Line("alloc").spec(*t.mesh, view).str("kind", "view");
		}
		Line("free").spec(*t.mesh, t.args).str("kind", "owning").str("class", "matched");
		return;
	}
	Line("alloc_failed").spec(*t.mesh, t.args);
}

const char *Books::class_of_free(Tensor &t, bool capturing)
{
	if (!t.args.size)
		return "zero_size";
	if (t.state == Tensor::FREED)
		return "repeated";
	if (t.facts.hooked)
		return "hooked";
	if (t.state == Tensor::CLOSED)
		return "device_closed";
	if (capturing || captured)
		return "suppressed";
	if (t.pid != getpid())
		return "foreign";
	if (t.state != Tensor::BULK_FREED)
		return "matched";
	each([&](Tensor &other) { /* whose memory is it that goes? */
				  if (other.is_in(t.mesh, t.args.chip) && other.is_held() &&
				      other.args.type == t.args.type &&
				      other.facts.address == t.facts.address)
					  other.robbed = true;
	});
	return "bulk_freed";
}

void Books::print_free(const Tensor &t, const char *free_class)
{
	bool has_memory = !strcmp(free_class, "matched") || !strcmp(free_class, "suppressed") ||
			  !strcmp(free_class, "bulk_freed");

	Line("free").tensor(t, true, has_memory).str("class", free_class);
}

void Books::freed(Tensor &t, bool capturing)
{
	const char *free_class = class_of_free(t, capturing);

	print_free(t, free_class);
	if (!strcmp(free_class, "suppressed")) {
		ghosts.push_back(t);
		ghosts.back().state = Tensor::SUPPRESSED;
	}
	t.state = Tensor::FREED;
}
