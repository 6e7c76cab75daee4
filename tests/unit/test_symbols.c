// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* Finding the runtime's functions by their mangled names: this program plays the library. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "assembly.h"
#include "target/elf.h"
#include "target/probes.h"
#include "target/symbols.h"

#define M "_ZN2tt8tt_metal"

FUNCTION(M "12GraphTracker14track_allocateEPKNS0_6BufferE", "push rbp; ret");
/* Types behind the ones that count may change; parts of a function do not count. */
FUNCTION(M "10BufferImpl6createEPNS0_7IDeviceEmmNS0_10BufferTypeEjjj", "push rbp; ret");
FUNCTION(M "10BufferImpl6createEPNS0_7IDeviceEmmNS0_10BufferTypeEjjj.cold", "ud2");
/* Two that fit, at different addresses. */
FUNCTION(M "10BufferImpl6createEPNS0_7IDeviceEmmmNS0_10BufferTypeEi", "push rbp; ret");
FUNCTION(M "10BufferImpl6createEPNS0_7IDeviceEmmmNS0_10BufferTypeEj", "push rbp; ret");
/* The old class lives on as a forwarder. */
FUNCTION(M "9Allocator18deallocate_buffersEv", "mov rdi, [rdi]; ret");
FUNCTION(M "13AllocatorImpl18deallocate_buffersEv", "push rbp; ret");
FUNCTION(M "9Allocator15allocate_bufferEPNS0_6BufferE", "push rbp; ret");
/* Destructors: deleting, complete and base, the last two are one. */
FUNCTION(M "13AllocatorImplD0Ev", "push rbp; ret");
FUNCTION(M "13AllocatorImplD1Ev", "push rbx; ret");
ALIAS(M "13AllocatorImplD2Ev", M "13AllocatorImplD1Ev");
/* A generation without close_impl. */
FUNCTION(M "11distributed10MeshDevice5closeEv", "push rbp; ret");
/* A name of the right kind in a class that is of no interest. */
FUNCTION(M "7Program2idEv", "ret");

/* An object where a function should be. */
VARIABLE(M "6Device5closeEv");

struct fixture {
	struct elf_file *file;
	struct symbols *symbols;
	struct probe_site sites[PROBE_MAX_SITES];
	enum probe_state state;
};

static int open_self(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_int_equal(elf_file__open("/proc/self/exe", &f->file), 0);
	assert_int_equal(symbols__open(f->file, &f->symbols), 0);
	*state = f;
	return 0;
}

static int close_self(void **state)
{
	struct fixture *f = *state;

	symbols__free(f->symbols);
	elf_file__close(f->file);
	free(f);
	return 0;
}

static size_t find(struct fixture *f, enum tt_probe probe)
{
	return probes__find_sites(f->symbols, probe, f->sites, &f->state);
}

static void a_name_is_found_and_is_a_function(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(find(f, TT_PROBE_TRACK_ALLOCATE), 1);
	assert_int_equal(f->state, PROBE_FOUND);
	assert_int_equal(f->sites[0].arg, 1);
	assert_true(f->sites[0].symbol->is_func);
}

static void parameters_behind_the_known_ones_may_change(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(find(f, TT_PROBE_BUFFER_CREATE), 1);
	assert_null(strstr(f->sites[0].symbol->name, ".cold"));
	assert_int_equal(f->sites[0].arg, 1);
}

static void several_functions_that_fit_are_none(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(find(f, TT_PROBE_BUFFER_CREATE_AT), 0);
	assert_int_equal(f->state, PROBE_AMBIGUOUS);
}

static void what_is_not_there_is_missing(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(find(f, TT_PROBE_FREE_LIST_ALLOCATE), 0);
	assert_int_equal(f->state, PROBE_MISSING);
}

static void data_with_the_name_of_a_function_is_no_function(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(find(f, TT_PROBE_DEVICE_CLOSE), 0);
	assert_int_equal(f->state, PROBE_MISSING);
}

static void the_newer_class_is_taken_and_the_older_where_it_is_alone(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(find(f, TT_PROBE_DEALLOCATE_BUFFERS), 1);
	assert_non_null(strstr(f->sites[0].symbol->name, "AllocatorImpl"));
	assert_int_equal(find(f, TT_PROBE_ALLOCATE_BUFFER), 1);
	assert_null(strstr(f->sites[0].symbol->name, "AllocatorImpl"));
}

static void destructors_are_probed_once_an_address(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(find(f, TT_PROBE_ALLOCATOR_DESTROY), 2);
	assert_int_equal(f->state, PROBE_FOUND);
}

static void one_function_has_one_meaning(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(find(f, TT_PROBE_MESH_CLOSING), 1);
	assert_int_equal(f->sites[0].arg, 0);
	assert_int_equal(find(f, TT_PROBE_MESH_CLOSE), 0);
	assert_int_equal(f->state, PROBE_COVERED);
}

static void other_classes_are_not_kept(void **state)
{
	const struct fixture *f = *state;
	const struct elf_symbol *sym;

	assert_int_equal(symbols__find(f->symbols, M "7Program", &sym), -ENOENT);
}

static void an_ambiguous_prefix_is_not_resolved(void **state)
{
	const struct fixture *f = *state;
	const struct elf_symbol *sym;

	assert_int_equal(symbols__find(f->symbols, M "13AllocatorImpl", &sym), -ENOTUNIQ);
	assert_int_equal(symbols__find(f->symbols, M "13AllocatorImplD1", &sym), 0);
	assert_ptr_equal(symbols__at(f->symbols, sym->vaddr), sym);
}

static void names_are_shown_as_cplusplus(void **state)
{
	char *name = symbol__demangle(M "6Buffer15deallocate_implEv");

	(void)state;
	assert_string_equal(name, "tt::tt_metal::Buffer::deallocate_impl()");
	free(name);
	name = symbol__short_name(M "9allocator11FreeListOpt8allocateEmbm");
	assert_string_equal(name, "FreeListOpt::allocate");
	free(name);
	name = symbol__demangle("no mangled name");
	assert_string_equal(name, "no mangled name");
	free(name);
}

static void assert_shown(const char *mangled, const char *shown)
{
	char *name = symbol__demangle_name(mangled);

	assert_string_equal(name, shown);
	free(name);
}

static void of_a_name_that_cannot_be_demangled_its_begin_is_shown(void **state)
{
	(void)state;
	assert_shown("_ZN2tt8tt_metal6Buffer4sizeEv", "tt::tt_metal::Buffer::size");
	/* a constraint of C++20, which libiberty does not know */
	assert_shown("_ZN4ttnn16device_operation6detail6launchITkNS0_7ConceptENS_3FooEEEvv",
		     "ttnn::device_operation::detail::launch<…>");
	assert_shown("_ZZN8nanobind6detail11func_createITkNS0_1CEiEEvvENKUlvE_clEv",
		     "nanobind::detail::func_create<…>::{…}");
	/* lengths that lie */
	assert_shown("_ZN4ttnn99launchITkE", "ttnn");
	assert_shown("_ZN99999999999999999999999999x", "_ZN99999999999999999999999999x");
	assert_shown("_ZN", "_ZN");
	assert_shown("_Z", "_Z");
	assert_shown("main", "main");
	assert_shown("", "");
}

static void append_number(char *text, unsigned int number)
{
	static const char digits[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";
	char two[3] = { digits[number / 36 % 36], digits[number % 36], 0 };

	strcat(text, number < 36 ? two + 1 : two);
}

/* f<A<int, int>, A<that, that>, …>: each argument is twice as long as the one before. */
static void a_name_that_stands_for_gigabytes_is_cut(void **state)
{
	char mangled[1024] = "_Z1fI1AIiiE", *name;

	(void)state;
	/* S_ is f, S0_ A, S1_ and those that follow the arguments */
	for (unsigned int i = 1; i < 60; i++) {
		strcat(mangled, "S0_IS");
		append_number(mangled, i);
		strcat(mangled, "_S");
		append_number(mangled, i);
		strcat(mangled, "_E");
	}
	strcat(mangled, "Evv");
	name = symbol__demangle_name(mangled);
	assert_memory_equal(name, "f<A<int, int>, A<A<int, int>, A<int, int> >, ", 45);
	assert_int_equal(strlen(name), (64 << 10) - 1);
	free(name);
	name = symbol__demangle(mangled);
	assert_int_equal(strlen(name), (64 << 10) - 1);
	free(name);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(of_a_name_that_cannot_be_demangled_its_begin_is_shown),
		cmocka_unit_test(a_name_that_stands_for_gigabytes_is_cut),
		cmocka_unit_test(a_name_is_found_and_is_a_function),
		cmocka_unit_test(parameters_behind_the_known_ones_may_change),
		cmocka_unit_test(several_functions_that_fit_are_none),
		cmocka_unit_test(what_is_not_there_is_missing),
		cmocka_unit_test(data_with_the_name_of_a_function_is_no_function),
		cmocka_unit_test(the_newer_class_is_taken_and_the_older_where_it_is_alone),
		cmocka_unit_test(destructors_are_probed_once_an_address),
		cmocka_unit_test(one_function_has_one_meaning),
		cmocka_unit_test(other_classes_are_not_kept),
		cmocka_unit_test(an_ambiguous_prefix_is_not_resolved),
		cmocka_unit_test(names_are_shown_as_cplusplus),
	};

	return cmocka_run_group_tests(tests, open_self, close_self);
}
