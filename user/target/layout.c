// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "target/layout.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/cleanup.h"
#include "target/decode.h"
#include "target/fields.h"
#include "target/vtables.h"
#include "target/witness.h"

enum {
	PLT_ENTRY_SIZE = 16
};

/* A place among what has been established so far. */
struct finding {
	struct witness_paths paths; /* on which all witnesses so far agree */
	int num_witnesses, num_strong;
	bool disagreement;
	char how[256];
};

struct survey {
	struct elf_file *file;
	const struct symbols *symbols;
	struct decode_image image;
	struct finding found[PART_END]; /* by enum tt_field, then enum layout_part */
};

static int image_read(void *ctx, __u64 vaddr, void *buf, size_t size)
{
	const struct survey *s = ctx;

	return elf_file__read(s->file, vaddr, buf, size);
}

static int image_read_const(void *ctx, __u64 vaddr, void *buf, size_t size)
{
	const struct survey *s = ctx;

	return elf_file__read_const(s->file, vaddr, buf, size);
}

static int image_slot(void *ctx, __u64 vaddr, const char **ret_name)
{
	const struct survey *s = ctx;
	struct elf_symbol sym;
	int err = elf_file__slot(s->file, vaddr, &sym);

	if (!err)
		*ret_name = sym.name;
	return err;
}

/*
 * Is there a PLT entry at @vaddr? `jmp *slot(%rip)` by GNU ld and lld; mold puts `mov $n, %r11d`
 * before it, and all of them endbr64 if so asked.
 */
static bool find_slot(const struct survey *s, __u64 vaddr, __u64 *ret_slot)
{
	__u8 code[PLT_ENTRY_SIZE];
	struct insn insn;

	if (elf_file__read(s->file, vaddr, code, sizeof(code)))
		return false;
	for (size_t at = 0; !insn__decode(code + at, sizeof(code) - at, vaddr + at, &insn);
	     at += insn.size) {
		const struct insn_operand *op = &insn.operand[0];

		if (insn.kind == INSN_JUMP && op->kind == OPERAND_MEM && op->base == REG_NONE &&
		    op->index == REG_NONE) {
			*ret_slot = (__u64)op->value;
			return true;
		}
		if (insn.kind != INSN_ENDBR && !(insn.kind == INSN_MOV && op->reg == REG_R11))
			return false;
	}
	return false;
}

/*
 * Where the linker has bound a name already (a runtime that is linked into a program, -Bsymbolic)
 * there is only its address. Functions that nobody looks for need no name.
 */
static int find_symbol(const struct survey *s, __u64 vaddr, struct elf_symbol *ret_symbol)
{
	const struct elf_symbol *known = symbols__at(s->symbols, vaddr);

	if (!known)
		return -ENOENT;
	*ret_symbol = *known;
	return 0;
}

static int image_resolve(void *ctx, __u64 vaddr, struct decode_function *ret_function)
{
	const struct survey *s = ctx;
	struct elf_symbol sym;
	__u64 slot;

	if ((!find_slot(s, vaddr, &slot) || elf_file__slot(s->file, slot, &sym)) &&
	    find_symbol(s, vaddr, &sym))
		return -ENOENT;
	*ret_function = (struct decode_function){ sym.name, sym.vaddr, sym.size };
	return 0;
}

static int image_variable(void *ctx, __u64 vaddr, const char **ret_name)
{
	struct elf_symbol sym;
	int err = find_symbol(ctx, vaddr, &sym);

	if (!err)
		*ret_name = sym.name;
	return err;
}

/* The path of a field that is established beyond doubt; NULL: it is not. */
static const struct tt_path *established(const struct survey *s, int field)
{
	const struct finding *f = &s->found[field];

	if (f->paths.count != 1 || f->disagreement || (!f->num_strong && f->num_witnesses < 2))
		return NULL;
	return &f->paths.path[0];
}

/* @path with @base before it. false: too long. */
static bool prepend(const struct tt_path *base, struct tt_path *path)
{
	struct tt_path joined = *base;

	if (base->len + path->len > TT_PATH_MAX)
		return false;
	memcpy(joined.off + joined.len, path->off, path->len * sizeof(*path->off));
	joined.len += path->len;
	*path = joined;
	return true;
}

static const struct elf_symbol *find_function(const struct survey *s, const struct witness *w)
{
	const struct elf_symbol *sym;

	for (int i = 0; i < WITNESS_MAX_NAMES && w->function[i]; i++)
		if (!symbols__find(s->symbols, w->function[i], &sym) && sym->is_func && sym->size)
			return sym;
	return NULL;
}

/* Fills in what the witness takes for granted. false: that is not known. */
static bool make_given(const struct survey *s, const struct witness *w,
		       struct decode_given *ret_given)
{
	const struct tt_path *type = established(s, TT_FIELD_TYPE);
	struct decode_given given = { .place = value__arg(1), .number = w->number };

	switch (w->given) {
	case GIVEN_NOTHING:
		return false;
	case GIVEN_ARG1:
		break;
	case GIVEN_POINTEE1:
		given.place.len = 1;
		break;
	case GIVEN_TYPE1:
		if (!type)
			return false;
		given.place.len = (__u8)type->len;
		for (int i = 0; i < type->len; i++)
			given.place.off[i] = type->off[i];
		break;
	}
	*ret_given = given;
	return true;
}

/* What one witness says, as paths from the field's own object. */
static int hear_witness(const struct survey *s, const struct witness *w,
			const struct elf_symbol *sym, struct witness_paths *ret_paths)
{
	struct decode_function function = { sym->name, sym->vaddr, sym->size };
	const struct tt_path *base = w->base ? established(s, w->base) : NULL;
	struct witness_paths paths;
	struct decode_given given;
	size_t kept = 0;
	int err;

	*ret_paths = (struct witness_paths){};
	if (w->base && !base)
		return 0;
	err = witness__ask(w, &s->image, &function, make_given(s, w, &given) ? &given : NULL,
			   &paths);
	if (err)
		return err == -ENOMEM ? err : 0;
	for (size_t i = 0; i < paths.count; i++)
		if (!base || prepend(base, &paths.path[i]))
			paths.path[kept++] = paths.path[i];
	paths.count = kept;
	*ret_paths = paths;
	return 0;
}

static bool contains(const struct witness_paths *paths, const struct tt_path *path)
{
	for (size_t i = 0; i < paths->count; i++)
		if (memcmp(&paths->path[i], path, sizeof(*path)) == 0)
			return true;
	return false;
}

/* Keeps what both say. */
static void intersect(struct finding *f, const struct witness_paths *said)
{
	size_t kept = 0;

	for (size_t i = 0; i < f->paths.count; i++)
		if (contains(said, &f->paths.path[i]))
			f->paths.path[kept++] = f->paths.path[i];
	f->paths.count = kept;
	if (!kept || f->paths.span_size != said->span_size)
		f->disagreement = true;
}

static void note_how(struct finding *f, const struct witness *w, const char *function)
{
	size_t used = strlen(f->how);
	char text[128];

	witness__describe(w, function, text, sizeof(text));
	/* The same words from two rows of the table, or no room: it is counted all the same. */
	if (!strstr(f->how, text) && used + strlen(text) + 3 <= sizeof(f->how))
		snprintf(f->how + used, sizeof(f->how) - used, "%s%s", used ? "; " : "", text);
}

static int weigh(struct survey *s, const struct witness *w)
{
	const struct elf_symbol *sym = find_function(s, w);
	struct finding *f = &s->found[w->field];
	struct witness_paths said;
	int err;

	if (!sym || f->disagreement)
		return 0;
	err = hear_witness(s, w, sym, &said);
	if (err || !said.count)
		return err;
	if (f->num_witnesses++)
		intersect(f, &said);
	else
		f->paths = said;
	if (witness__is_strong(w))
		f->num_strong++;
	note_how(f, w, sym->name);
	return 0;
}

static bool same_object(int a, int b)
{
	return strcmp(field_info[a].class, field_info[b].class) == 0;
}

/* Where several places are left: two fields of an object do not lie at the same one. */
static void rule_out(struct survey *s, int field)
{
	struct witness_paths *paths = &s->found[field].paths;
	size_t kept = 0;

	if (paths->count < 2)
		return;
	for (size_t i = 0; i < paths->count; i++) {
		bool taken = false;

		for (int other = 0; other < TT_FIELD_COUNT && !taken; other++) {
			const struct tt_path *p = established(s, other);

			taken = p && same_object(field, other) &&
				!memcmp(p, &paths->path[i], sizeof(*p));
		}
		if (!taken)
			paths->path[kept++] = paths->path[i];
	}
	paths->count = kept;
}

static const char *why_not(const struct finding *f)
{
	if (f->disagreement)
		return "disagreement";
	if (f->paths.count > 1)
		return "ambiguous";
	return f->paths.count ? "one weak witness" : "where another field is";
}

/* Says what became of a field, and takes it over if it is established. */
static void conclude(const struct survey *s, int field, struct tt_layout *layout,
		     struct library_field *ret_field)
{
	const struct finding *f = &s->found[field];
	const struct tt_path *path = established(s, field);
	struct library_field concluded = { .found = path != NULL };

	if (path) {
		layout->field[field] = *path;
		concluded.num_witnesses = f->num_witnesses;
		snprintf(concluded.how, sizeof(concluded.how), "%s", f->how);
	} else if (f->num_witnesses) {
		snprintf(concluded.how, sizeof(concluded.how), "%s: %.230s", why_not(f), f->how);
	}
	*ret_field = concluded;
}

/* Of Buffer, and from 0.80 on of BufferImpl (symbols of libtt_metal.so 0.62.2 to 0.81.1). */
static __u64 find_counter(const struct symbols *symbols)
{
	const struct elf_symbol *found;

	if (symbols__find(symbols, "_ZN2tt8tt_metal10BufferImpl14next_unique_idE", &found) &&
	    symbols__find(symbols, "_ZN2tt8tt_metal6Buffer14next_unique_idE", &found))
		return 0;
	return found->vaddr;
}

int layout__decode(struct elf_file *file, const struct symbols *symbols,
		   struct tt_layout *ret_layout, struct library_field fields[TT_FIELD_COUNT])
{
	_cleanup_free_ struct survey *s = calloc(1, sizeof(*s));
	struct tt_layout layout = {};
	int err = 0;

	if (!s)
		return -ENOMEM;
	s->file = file;
	s->symbols = symbols;
	s->image = (struct decode_image){ s,	      image_read,     image_read_const,
					  image_slot, image_variable, image_resolve };
	for (size_t i = 0; i < num_witnesses && !err; i++)
		err = weigh(s, &witnesses[i]);
	if (err)
		return err;
	for (int field = 0; field < TT_FIELD_COUNT; field++)
		rule_out(s, field);
	for (int field = 0; field < TT_FIELD_COUNT; field++)
		conclude(s, field, &layout, &fields[field]);
	if (fields[TT_FIELD_MESH_CHIPS].found)
		layout.chip_stride = s->found[TT_FIELD_MESH_CHIPS].paths.span_size;
	layout.vtable_device = vtables__find(symbols, "_ZTVN2tt8tt_metal6DeviceE");
	layout.vtable_mesh = vtables__find(symbols, "_ZTVN2tt8tt_metal11distributed10MeshDeviceE");
	vtables__find_allocators(file, symbols, layout.vtable_allocator);
	layout.next_unique_id = find_counter(symbols);
	if (fields[TT_FIELD_CORE_RANGES].found)
		layout.range_stride = s->found[TT_FIELD_CORE_RANGES].paths.span_size;
	layout__seal(&layout, fields);
	*ret_layout = layout;
	return 0;
}

static bool same_body(const struct tt_path *a, const struct tt_path *b)
{
	return a->len == b->len && !memcmp(a->off, b->off, (a->len - 1u) * sizeof(*a->off));
}

static bool is_body_field(const struct tt_layout *layout, int field)
{
	return field_info[field].in_body && layout->field[field].len;
}

/* How many fields of a Buffer lie in one object with @field. */
static int count_companions(const struct tt_layout *layout, int field)
{
	int n = 0;

	for (int i = 0; i < TT_FIELD_COUNT; i++)
		n += is_body_field(layout, i) &&
		     same_body(&layout->field[i], &layout->field[field]);
	return n;
}

static __u16 last_offset(const struct tt_path *path)
{
	return path->off[path->len - 1];
}

static void remove_field(struct tt_layout *layout, struct library_field *fields, int field,
			 const char *why)
{
	layout->field[field] = (struct tt_path){};
	fields[field].found = false;
	snprintf(fields[field].how, sizeof(fields[field].how), "%s", why);
}

void layout__seal(struct tt_layout *layout, struct library_field fields[TT_FIELD_COUNT])
{
	struct tt_path body = {};
	int most = 0;

	for (int i = 0; i < TT_FIELD_COUNT; i++) {
		if (is_body_field(layout, i) && count_companions(layout, i) > most) {
			most = count_companions(layout, i);
			body = layout->field[i];
		}
	}
	layout->body_start = UINT16_MAX;
	for (int i = 0; i < TT_FIELD_COUNT; i++) {
		if (!is_body_field(layout, i))
			continue;
		if (!same_body(&layout->field[i], &body))
			remove_field(layout, fields, i, "outside of the body of the other fields");
		else if (last_offset(&layout->field[i]) < layout->body_start)
			layout->body_start = last_offset(&layout->field[i]);
	}
	if (!most)
		layout->body_start = 0;
	for (int i = 0; i < TT_FIELD_COUNT; i++) {
		if (is_body_field(layout, i) &&
		    last_offset(&layout->field[i]) + field_info[i].size >
			    layout->body_start + TT_BODY_SIZE)
			remove_field(layout, fields, i, "too far from the other fields");
	}
}
