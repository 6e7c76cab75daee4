// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "target/symbols.h"

#include <errno.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include <libiberty/demangle.h>

#include "lib/cleanup.h"

enum {
	DEMANGLED_MAX = 64 << 10, /* bytes of a name, with its end; a longer one is cut */
};

#define array_size(a) (sizeof(a) / sizeof((a)[0]))

/* What is in tt::tt_metal, and a const member; what follows is the class, or the function. */
static const char *const kinds[] = { "_ZN" NS_METAL, "_ZNK" NS_METAL };

/* Vtables and type informations, which are few: of all classes. */
static const char *const tables[] = { "_ZTVN" NS_METAL, "_ZTIN" NS_METAL };

/*
 * The classes whose members are kept. Twenty thousand dynamic symbols shrink to a thousand, which
 * is what makes sorting them cheap.
 */
static const char *const classes[] = {
	"6Buffer",
	"10BufferImpl",
	"12GraphTracker",
	"9Allocator",
	"13AllocatorImpl",
	"11BankManager",
	"9allocator11FreeListOpt",
	"6Device",
	"11distributed10MeshDevice",
	"11distributed14MeshDeviceImpl",
	"11distributed14MeshDeviceView",
	"11distributed14extract_localsI",
	"6detail11ProgramImpl",
	"12CoreRangeSet",
};

/* Up to 0.62 CoreRangeSet is in no namespace. An allocator keeps its buffers in the other one. */
static const char *const elsewhere[] = { "_ZNK12CoreRangeSet",
					 "_ZNSt10_HashtableIPN2tt8tt_metal6BufferE" };

struct symbols {
	struct elf_symbol *all; /* sorted by name, then address; each pair once */
	size_t count, room;
};

static const char *skip_prefix(const char *name, const char *prefix)
{
	size_t size = strlen(prefix);

	return strncmp(name, prefix, size) == 0 ? name + size : NULL;
}

static bool is_clone(const char *name)
{
	return strchr(name, '.') || strchr(name, '$');
}

static bool is_wanted(const char *name)
{
	/* Cheap first: nearly all names of the file fail here. */
	if (name[0] != '_' || name[1] != 'Z' || (name[2] != 'N' && name[2] != 'T'))
		return false;
	for (size_t t = 0; t < array_size(tables); t++)
		if (skip_prefix(name, tables[t]))
			return !is_clone(name);
	for (size_t k = 0; k < array_size(kinds); k++) {
		const char *class = skip_prefix(name, kinds[k]);

		for (size_t c = 0; class && c < array_size(classes); c++)
			if (*class == *classes[c] && skip_prefix(class, classes[c]))
				return !is_clone(class);
	}
	for (size_t e = 0; e < array_size(elsewhere); e++)
		if (skip_prefix(name, elsewhere[e]))
			return !is_clone(name);
	return false;
}

static int keep_symbol(struct symbols *s, const struct elf_symbol *sym)
{
	if (s->count == s->room) {
		size_t room = s->room ? 2 * s->room : 1024;
		struct elf_symbol *all = realloc(s->all, room * sizeof(*all));

		if (!all)
			return -ENOMEM;
		s->all = all;
		s->room = room;
	}
	s->all[s->count++] = *sym;
	return 0;
}

static int read_table(struct symbols *s, struct elf_file *file, enum elf_table table)
{
	struct elf_symbol sym;
	struct elf_syms syms;
	int err;

	err = elf_syms__init(&syms, file, table);
	while (!err && elf_syms__next(&syms, &sym))
		if (is_wanted(sym.name))
			err = keep_symbol(s, &sym);
	return err;
}

static int read_tables(struct symbols *s, struct elf_file *file)
{
	int dynamic = read_table(s, file, ELF_TABLE_DYNSYM), rest;

	if (dynamic && dynamic != -ENOENT)
		return dynamic;
	rest = read_table(s, file, ELF_TABLE_SYMTAB);
	if (rest != -ENOENT)
		return rest;
	/* A stripped library, or section headers that hide all: a file that wants to confuse. */
	return dynamic ? -ENOEXEC : 0;
}

static int compare_symbols(const void *a, const void *b)
{
	const struct elf_symbol *x = a, *y = b;
	int order = strcmp(x->name, y->name);

	if (order)
		return order;
	return x->vaddr < y->vaddr ? -1 : x->vaddr > y->vaddr;
}

/* Most names stand in both tables. */
static void drop_duplicates(struct symbols *s)
{
	size_t kept = 0;

	qsort(s->all, s->count, sizeof(*s->all), compare_symbols);
	for (size_t i = 0; i < s->count; i++)
		if (!kept || compare_symbols(&s->all[kept - 1], &s->all[i]) != 0)
			s->all[kept++] = s->all[i];
	s->count = kept;
}

int symbols__open(struct elf_file *file, struct symbols **ret_symbols)
{
	struct symbols *s = calloc(1, sizeof(*s));
	int err;

	if (!s)
		return -ENOMEM;
	err = read_tables(s, file);
	if (!err && !s->count)
		err = -ENODATA;
	if (err) {
		symbols__free(s);
		return err;
	}
	drop_duplicates(s);
	*ret_symbols = s;
	return 0;
}

void symbols__free(struct symbols *s)
{
	if (!s)
		return;
	free(s->all);
	free(s);
}

size_t symbols__prefixed(const struct symbols *s, const char *prefix,
			 const struct elf_symbol **ret_first)
{
	size_t low = 0, high = s->count, n = 0;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (strcmp(s->all[middle].name, prefix) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	while (low + n < s->count && skip_prefix(s->all[low + n].name, prefix))
		n++;
	*ret_first = s->all + low;
	return n;
}

int symbols__find(const struct symbols *s, const char *prefix, const struct elf_symbol **ret_symbol)
{
	const struct elf_symbol *first;
	size_t n = symbols__prefixed(s, prefix, &first);

	if (!n)
		return -ENOENT;
	for (size_t i = 1; i < n; i++)
		if (first[i].vaddr != first[0].vaddr)
			return -ENOTUNIQ;
	*ret_symbol = first;
	return 0;
}

const struct elf_symbol *symbols__at(const struct symbols *s, __u64 vaddr)
{
	for (size_t i = 0; i < s->count; i++)
		if (s->all[i].vaddr == vaddr)
			return &s->all[i];
	return NULL;
}

/* What libiberty has said of a name so far. */
struct saying {
	size_t used;
	jmp_buf full;
	char text[DEMANGLED_MAX];
};

static void hear(const char *words, size_t len, void *ctx)
{
	struct saying *saying = ctx;
	size_t room = DEMANGLED_MAX - 1 - saying->used;

	memcpy(saying->text + saying->used, words, len < room ? len : room);
	saying->used += len < room ? len : room;
	if (len > room)
		longjmp(saying->full, 1);
}

/*
 * By its compression a name of 300 letters may stand for one of gigabytes, which nobody wants to
 * wait for. Libiberty cannot be told to stop, but with a callback it allocates nothing (so that it
 * can be called in a signal handler), and may be left.
 */
static bool say(struct saying *saying, const char *mangled, int options)
{
	if (setjmp(saying->full))
		return true;
	return cplus_demangle_v3_callback(mangled, options, hear, saying);
}

/* NULL: it is no mangled name. */
static char *demangle(const char *mangled, int options)
{
	_cleanup_free_ struct saying *saying = malloc(sizeof(*saying));

	if (!saying)
		return NULL;
	saying->used = 0;
	return say(saying, mangled, options) ? strndup(saying->text, saying->used) : NULL;
}

char *symbol__demangle(const char *mangled)
{
	char *name = demangle(mangled, DMGL_PARAMS | DMGL_ANSI);

	return name ? name : strdup(mangled);
}

/* Of a mangled name at @s, which it moves on: the identifier, with its length before it. */
static bool next_identifier(const char **s, const char **ret_name, size_t *ret_len)
{
	char *rest;
	size_t len;

	if (**s < '1' || **s > '9')
		return false;
	len = strtoul(*s, &rest, 10);
	if (len > strlen(rest))
		return false;
	*ret_name = rest;
	*ret_len = len;
	*s = rest + len;
	return true;
}

static void append(char *text, size_t *used, const char *from, size_t len)
{
	memcpy(text + *used, from, len);
	*used += len;
}

/*
 * What can be read of a name that libiberty does not know how to demangle, such as one of a
 * template with a constraint of C++20 (Tk): namespaces, class and function, which stand at its
 * begin. NULL: nothing.
 */
static char *read_begin(const char *mangled)
{
	static const char arguments[] = "<\xe2\x80\xa6>", inside[] = "::{\xe2\x80\xa6}";
	bool is_local = !strncmp(mangled, "_ZZ", 3);
	const char *s = mangled + (is_local ? 3 : 2), *name;
	size_t len, used = 0;
	char *text;

	if (strncmp(mangled, "_Z", 2) || *s++ != 'N')
		return NULL;
	s += strspn(s, "KVrOR"); /* const, volatile … of a member */
	/* "::" takes no more than a length and its identifier's first letter */
	text = malloc(2 * strlen(mangled) + sizeof(arguments) + sizeof(inside));
	if (!text)
		return NULL;
	while (next_identifier(&s, &name, &len)) {
		if (used)
			append(text, &used, "::", 2);
		append(text, &used, name, len);
	}
	if (used && *s == 'I')
		append(text, &used, arguments, sizeof(arguments) - 1);
	if (used && is_local)
		append(text, &used, inside, sizeof(inside) - 1);
	text[used] = '\0';
	if (used)
		return text;
	free(text);
	return NULL;
}

char *symbol__demangle_name(const char *mangled)
{
	char *name = demangle(mangled, DMGL_NO_OPTS);

	if (!name)
		name = read_begin(mangled);
	return name ? name : strdup(mangled);
}

char *symbol__short_name(const char *mangled)
{
	static const char *const namespaces[] = { "tt::tt_metal::", "distributed::",
						  "allocator::" };
	char *name = demangle(mangled, DMGL_NO_OPTS), *rest = name, *shorter;

	if (!name)
		return strdup(mangled);
	for (size_t i = 0; i < array_size(namespaces); i++)
		if (skip_prefix(rest, namespaces[i]))
			rest += strlen(namespaces[i]);
	shorter = strdup(rest);
	free(name);
	return shorter;
}
