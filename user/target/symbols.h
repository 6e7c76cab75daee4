/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * The functions that we care for, mostly of the runtime's classes, and the vtables and type
 * informations of all of its classes, by mangled name. It may use elf; it neither decodes nor logs.
 *
 * Mangled names are ABI: they say class, method and the types of the parameters, so they are
 * looked up as they are, and only what is shown to people is demangled. A name without the types
 * that may change between versions is a prefix ("_ZN2tt8tt_metal6Buffer6createEPNS0_7IDeviceEmm").
 *
 * Names belong to the struct elf_file that they were read from.
 */
#ifndef TTTRACE_SYMBOLS_H
#define TTTRACE_SYMBOLS_H

#include "target/elf.h"

/* Namespaces as they stand in mangled names: tt::tt_metal, tt::tt_metal::distributed. */
#define NS_METAL "2tt8tt_metal"
#define NS_MESH	 NS_METAL "11distributed"

struct symbols;

/*
 * Reads DYNSYM, and for what is not exported (Device::id, and all of a runtime that was linked
 * statically) SYMTAB, each once.
 * Returns 0; -ENOEXEC: the tables are broken; -ENODATA: no symbol of the runtime.
 */
int symbols__open(struct elf_file *file, struct symbols **ret_symbols);
void symbols__free(struct symbols *symbols);

/* All symbols whose name begins with @prefix, sorted by name: @ret_first and how many. */
size_t symbols__prefixed(const struct symbols *symbols, const char *prefix,
			 const struct elf_symbol **ret_first);

/*
 * The one function or object that @prefix means. -ENOENT: none; -ENOTUNIQ: several, at different
 * addresses. Clones that the compiler split off (.cold, .part.0, …) do not count.
 */
int symbols__find(const struct symbols *symbols, const char *prefix,
		  const struct elf_symbol **ret_symbol);

/* The function or object at exactly @vaddr, of those classes; NULL: none. */
const struct elf_symbol *symbols__at(const struct symbols *symbols, __u64 vaddr);

/*
 * The C++ name of @mangled with its parameters, to be freed; a copy if it cannot be demangled. It
 * has no more than 64 KiB.
 */
char *symbol__demangle(const char *mangled);

/* The same without parameters; of a name that cannot be demangled, what can be read of it. */
char *symbol__demangle_name(const char *mangled);

/* The same without parameters and namespaces, e.g. "BufferImpl::create". */
char *symbol__short_name(const char *mangled);

#endif
