// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "report/check.h"

#include <errno.h>
#include <string.h>

#include "report/check_line.h"
#include "report/words.h"

enum {
	NAME_SIZE = 4096, /* a C++ name, made harmless */
	COLUMNS = 100,
	HOW_COLUMN = 57, /* where the reasons begin */
};

/* Why a probe is not attached; NULL: it is. */
static const char *state_word(enum probe_state state)
{
	switch (state) {
	case PROBE_MISSING:
		return "missing";
	case PROBE_AMBIGUOUS:
		return "ambiguous";
	case PROBE_COVERED:
		return "covered";
	default:
		return NULL;
	}
}

static void add_string(struct json_object *line, const char *key, const char *value)
{
	char clean[NAME_SIZE];

	words__clean(clean, sizeof(clean), value);
	json_object_object_add(line, key, json_object_new_string(clean));
}

static void add_int(struct json_object *line, const char *key, __s64 value)
{
	json_object_object_add(line, key, json_object_new_int64(value));
}

static void add_hex(struct json_object *line, const char *key, __u64 value)
{
	char text[32];

	snprintf(text, sizeof(text), "0x%llx", value);
	json_object_object_add(line, key, json_object_new_string(text));
}

static void add_bool(struct json_object *line, const char *key, bool value)
{
	json_object_object_add(line, key, json_object_new_boolean(value));
}

static void add_allocator_vtables(struct json_object *line, const struct tt_layout *layout)
{
	struct json_object *vtables = json_object_new_array();
	char text[32];

	for (int i = 0; i < TT_MAX_ALLOCATOR_VTABLES && layout->vtable_allocator[i]; i++) {
		snprintf(text, sizeof(text), "0x%llx", layout->vtable_allocator[i]);
		json_object_array_add(vtables, json_object_new_string(text));
	}
	json_object_object_add(line, "vtables_allocator", vtables);
}

static int print_library(FILE *out, __u64 ts_ns, const struct library *lib)
{
	struct json_object *line = check_line__new("library", ts_ns);

	if (!line)
		return -ENOMEM;
	add_string(line, "path", lib->name);
	add_string(line, "build_id", lib->build_id);
	add_int(line, "generation", lib->generation);
	if (lib->is_stripped)
		add_bool(line, "stripped", true);
	add_int(line, "body_start", lib->layout.body_start);
	add_int(line, "chip_stride", lib->layout.chip_stride);
	add_hex(line, "vtable_device", lib->layout.vtable_device);
	add_hex(line, "vtable_mesh", lib->layout.vtable_mesh);
	add_allocator_vtables(line, &lib->layout);
	return check_line__print(out, line);
}

static int print_symbol(FILE *out, __u64 ts_ns, const struct library_probe *p)
{
	struct json_object *line = check_line__new("symbol", ts_ns);

	if (!line)
		return -ENOMEM;
	add_string(line, "name", library__probe_name(p->probe));
	add_bool(line, "found", true);
	add_string(line, "signature", p->name);
	add_string(line, "mangled", p->symbol);
	add_hex(line, "address", p->vaddr);
	return check_line__print(out, line);
}

static int print_missing_symbol(FILE *out, __u64 ts_ns, enum tt_probe probe, enum probe_state state)
{
	struct json_object *line = check_line__new("symbol", ts_ns);

	if (!line)
		return -ENOMEM;
	add_string(line, "name", library__probe_name(probe));
	add_bool(line, "found", state == PROBE_COVERED);
	add_string(line, "state", state_word(state));
	add_string(line, "loss", library__probe_loss(probe));
	return check_line__print(out, line);
}

static int print_field(FILE *out, __u64 ts_ns, const struct library *lib, enum tt_field field)
{
	struct json_object *line = check_line__new("field", ts_ns);
	const struct library_field *f = &lib->fields[field];
	const struct tt_path *path = &lib->layout.field[field];
	struct json_object *offsets;

	if (!line)
		return -ENOMEM;
	add_string(line, "class", library__field_class(field));
	add_string(line, "name", library__field_name(field));
	add_bool(line, "found", f->found);
	offsets = json_object_new_array();
	for (int i = 0; i < path->len; i++)
		json_object_array_add(offsets, json_object_new_int(path->off[i]));
	json_object_object_add(line, "path", offsets);
	add_int(line, "witnesses", f->num_witnesses);
	add_string(line, "how", f->how);
	if (!f->found)
		add_string(line, "loss", library__field_loss(field));
	return check_line__print(out, line);
}

static int print_probe(FILE *out, __u64 ts_ns, const struct library_probe *p)
{
	struct json_object *line = check_line__new("probe", ts_ns);

	if (!line)
		return -ENOMEM;
	add_string(line, "function", library__probe_name(p->probe));
	if (p->arg < TT_ARG_REGISTER)
		add_int(line, "argument", p->arg);
	else
		add_string(line, "register", library__register(p));
	add_int(line, "offset", p->insn_offset);
	add_string(line, "instruction", p->insn);
	add_bool(line, "emulated", p->emulated);
	add_hex(line, "file_offset", p->file_offset);
	return check_line__print(out, line);
}

static int print_json(FILE *out, __u64 ts_ns, const struct library *lib)
{
	int err = print_library(out, ts_ns, lib);

	if (lib->is_stripped)
		return err;
	for (size_t i = 0; i < lib->num_probes && !err; i++)
		err = print_symbol(out, ts_ns, &lib->probes[i]);
	for (int probe = 0; probe < TT_PROBE_COUNT && !err; probe++)
		if (lib->probe_state[probe] != PROBE_FOUND)
			err = print_missing_symbol(out, ts_ns, probe, lib->probe_state[probe]);
	for (int field = 0; field < TT_FIELD_COUNT && !err; field++)
		err = print_field(out, ts_ns, lib, field);
	for (size_t i = 0; i < lib->num_probes && !err; i++)
		err = print_probe(out, ts_ns, &lib->probes[i]);
	return err;
}

/* Writes @text in lines that begin at @column and end before COLUMNS; the first is begun. */
static void write_wrapped(FILE *out, const char *text, int column)
{
	int at = column;

	while (*text) {
		int word = (int)strcspn(text, " ");

		if (at > column && at + 1 + word > COLUMNS) {
			fprintf(out, "\n%*s", column, "");
			at = column;
		}
		at += fprintf(out, "%s%.*s", at > column ? " " : "", word, text);
		text += word;
		text += strspn(text, " ");
	}
	fputc('\n', out);
}

/* "BufferImpl::create" and @suffix of "tt::tt_metal::BufferImpl::create(tt::tt_metal::IDevice*,
 * …)". */
static void short_name(const char *signature, const char *suffix, char *buf, size_t size)
{
	static const char *const namespaces[] = { "tt::tt_metal::", "distributed::",
						  "allocator::" };
	char clean[NAME_SIZE];
	const char *name = words__clean(clean, sizeof(clean), signature);

	for (size_t i = 0; i < sizeof(namespaces) / sizeof(namespaces[0]); i++)
		if (!strncmp(name, namespaces[i], strlen(namespaces[i])))
			name += strlen(namespaces[i]);
	snprintf(buf, size, "%.*s%s", (int)strcspn(name, "("), name, suffix);
}

static void write_probes(FILE *out, const struct library *lib)
{
	fprintf(out, "\n%-41s%-8s%-26s%s\n", "Probes", "at", "instruction", "a hit is");
	for (size_t i = 0; i < lib->num_probes; i++) {
		const struct library_probe *p = &lib->probes[i];
		const char *special = strchr(library__probe_name(p->probe), ' ');
		char name[64];

		short_name(p->name, special ? special : "", name, sizeof(name));
		fprintf(out, "  %-38.38s +%-7u%-26.25s%s\n", name, p->insn_offset, p->insn,
			p->emulated ? "emulated" : "single-stepped");
	}
}

static void write_fields(FILE *out, const struct library *lib)
{
	fprintf(out, "\n%-41s%-16s%s\n", "Fields", "at (hex)", "known because it is");
	for (int field = 0; field < TT_FIELD_COUNT; field++) {
		const struct tt_path *path = &lib->layout.field[field];
		char name[64], where[32] = "", how[3 * sizeof(lib->fields[0].how) + 1];
		int used = 0;

		if (!lib->fields[field].found)
			continue;
		for (int i = 0; i < path->len; i++)
			used += snprintf(where + used, sizeof(where) - (size_t)used, "%s%x",
					 i ? " " : "", path->off[i]);
		snprintf(name, sizeof(name), "%s.%s", library__field_class(field),
			 library__field_name(field));
		fprintf(out, "  %-38s %-15s ", name, where);
		write_wrapped(out, words__clean(how, sizeof(how), lib->fields[field].how),
			      HOW_COLUMN);
	}
}

static void write_loss(FILE *out, const char *what, const char *loss)
{
	enum {
		LOSS_COLUMN = 6
	};

	fprintf(out, "  %s\n%*s", what, LOSS_COLUMN, "");
	write_wrapped(out, loss, LOSS_COLUMN);
}

static void write_missing(FILE *out, const struct library *lib)
{
	char what[128];

	fprintf(out, "\nMissing, and what does not work without it\n");
	for (int probe = 0; probe < TT_PROBE_COUNT; probe++) {
		enum probe_state state = lib->probe_state[probe];

		if (state != PROBE_MISSING && state != PROBE_AMBIGUOUS)
			continue;
		snprintf(what, sizeof(what), "%s%s", library__probe_name(probe),
			 state == PROBE_AMBIGUOUS ? " (several functions fit)" : "");
		write_loss(out, what, library__probe_loss(probe));
	}
	for (int field = 0; field < TT_FIELD_COUNT; field++) {
		if (lib->fields[field].found)
			continue;
		snprintf(what, sizeof(what), "%s.%s", library__field_class(field),
			 library__field_name(field));
		write_loss(out, what, library__field_loss(field));
	}
}

static bool lacks_something(const struct library *lib)
{
	for (int probe = 0; probe < TT_PROBE_COUNT; probe++)
		if (lib->probe_state[probe] == PROBE_MISSING ||
		    lib->probe_state[probe] == PROBE_AMBIGUOUS)
			return true;
	for (int field = 0; field < TT_FIELD_COUNT; field++)
		if (!lib->fields[field].found)
			return true;
	return false;
}

/* Of one without symbols; what is missing would be all. */
static void write_stripped(FILE *out, const struct library *lib)
{
	fprintf(out, "  build    %s, without symbols\n\n",
		lib->build_id[0] ? lib->build_id : "no id");
	write_wrapped(out,
		      "The runtime is known by the type names of its classes only: none of its "
		      "functions can be probed, so that no allocation and no free is seen. What a "
		      "process holds by it can be read off its objects: tttrace --snapshot PID.",
		      0);
}

static int write_text(FILE *out, const struct library *lib)
{
	char clean[NAME_SIZE];

	fprintf(out, "library    %s\n", words__clean(clean, sizeof(clean), lib->name));
	if (lib->is_stripped) {
		write_stripped(out, lib);
		return ferror(out) ? -EIO : 0;
	}
	fprintf(out, "  build    %s, generation %d\n", lib->build_id[0] ? lib->build_id : "no id",
		lib->generation);
	write_probes(out, lib);
	write_fields(out, lib);
	if (lacks_something(lib))
		write_missing(out, lib);
	return ferror(out) ? -EIO : 0;
}

int check__library(FILE *out, bool json, __u64 ts_ns, const struct library *lib)
{
	return json ? print_json(out, ts_ns, lib) : write_text(out, lib);
}
