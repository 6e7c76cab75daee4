// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * A program that the runtime is linked into: this one. It exports nothing, and its functions call
 * each other by their addresses.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "assembly.h"
#include "target/elf.h"
#include "target/library.h"

#define M  "_ZN2tt8tt_metal"
#define K  "_ZNK2tt8tt_metal"
#define DM "_ZN2tt8tt_metal11distributed"
#define DK "_ZNK2tt8tt_metal11distributed"

LOCAL_FUNCTION(M "12GraphTracker14track_allocateEPKNS0_6BufferE", "push rbp; pop rbp; ret");
FUNCTION(M "12GraphTracker16track_deallocateEPNS0_6BufferE", "push rbx; pop rbx; ret");

/* The chips of a mesh are counted in a function that get_devices() calls. */
FUNCTION(DK "10MeshDevice8get_viewEv", "mov rax, [rdi+0x30]; ret");
FUNCTION(DM "14extract_localsIPNS0_7IDeviceEEE",
	 "mov rdx, [rsi+8]; sub rdx, [rsi]; sar rdx, 4; mov rax, rdx; .skip 80, 0x90; ret");
FUNCTION(DK "14MeshDeviceView11get_devicesEv",
	 "push rbx; mov rbx, rdi; lea rsi, [rsi+0x110]; call " DM
	 "14extract_localsIPNS0_7IDeviceEEE; mov rax, rbx; pop rbx; ret");

/* The constructor takes a number from a variable. */
VARIABLE(M "10BufferImpl14next_unique_idE");
FUNCTION(M "10BufferImplC2EPNS0_7IDeviceEmm",
	 "mov eax, 1; lock xadd [rip+" M "10BufferImpl14next_unique_idE], rax; mov [rdi], rsi;"
	 "mov [rdi+0x218], rax; ret");
FUNCTION(M "6Buffer4implEv", "mov rax, [rdi+0x10]; ret");

/* A container counts what it holds; it is passed to a function that is not a method. */
LOCAL_FUNCTION("_ZNSt10_HashtableIPN2tt8tt_metal6BufferES3_SaIS3_EE6insertERKS3_",
	       ".skip 80, 0x90; ret");
FUNCTION(M "13AllocatorImpl15allocate_bufferEPNS0_6BufferE",
	 "push rbx; lea rdi, [rdi+0x130]; call "
	 "_ZNSt10_HashtableIPN2tt8tt_metal6BufferES3_SaIS3_EE6insertERKS3_; pop rbx; ret");

static struct library *lib;

static int open_self(void **state)
{
	(void)state;
	return library__open("/proc/self/exe", "a program", &lib);
}

static int close_self(void **state)
{
	(void)state;
	library__free(lib);
	return 0;
}

static const struct library_probe *find_probe(enum tt_probe probe)
{
	for (size_t i = 0; i < lib->num_probes; i++)
		if (lib->probes[i].probe == probe)
			return &lib->probes[i];
	return NULL;
}

static void assert_path(enum tt_field field, int len, int first, int second, int third)
{
	const struct tt_path *path = &lib->layout.field[field];

	assert_int_equal(path->len, len);
	assert_int_equal(path->off[0], first);
	assert_int_equal(path->off[1], second);
	assert_int_equal(path->off[2], third);
}

static void a_program_that_the_runtime_is_linked_into_is_recognised(void **state)
{
	(void)state;
	assert_int_equal(library__kind("/proc/self/exe"), LIBRARY_RUNTIME);
}

static void it_is_called_what_people_call_it(void **state)
{
	(void)state;
	assert_string_equal(lib->name, "a program");
}

static void local_and_global_functions_are_probed(void **state)
{
	(void)state;
	assert_non_null(find_probe(TT_PROBE_TRACK_ALLOCATE));
	assert_true(find_probe(TT_PROBE_TRACK_ALLOCATE)->emulated);
	assert_non_null(find_probe(TT_PROBE_TRACK_DEALLOCATE));
	assert_int_equal(lib->probe_state[TT_PROBE_CLEAR], PROBE_MISSING);
}

static void a_call_by_address_is_followed(void **state)
{
	(void)state;
	assert_path(TT_FIELD_MESH_CHIPS, 2, 0x30, 0x110, 0);
	assert_int_equal(lib->layout.chip_stride, 16);
}

static void the_callee_of_a_call_by_address_is_known_by_name(void **state)
{
	(void)state;
	assert_path(TT_FIELD_ALLOCATED_BUFFERS, 1, 0x130 + 24, 0, 0);
}

static void a_variable_at_an_address_is_known_by_name(void **state)
{
	(void)state;
	assert_path(TT_FIELD_UNIQUE_ID, 2, 0x10, 0x218, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_program_that_the_runtime_is_linked_into_is_recognised),
		cmocka_unit_test(it_is_called_what_people_call_it),
		cmocka_unit_test(local_and_global_functions_are_probed),
		cmocka_unit_test(a_call_by_address_is_followed),
		cmocka_unit_test(the_callee_of_a_call_by_address_is_known_by_name),
		cmocka_unit_test(a_variable_at_an_address_is_known_by_name),
	};

	return cmocka_run_group_tests(tests, open_self, close_self);
}
