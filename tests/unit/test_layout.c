// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* Fields out of witnesses: this program plays a library of generation 3, written by hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "assembly.h"
#include "target/elf.h"
#include "target/layout.h"
#include "target/symbols.h"

#define M "_ZN2tt8tt_metal"
#define K "_ZNK2tt8tt_metal"

FUNCTION(M "6Buffer4implEv", "mov rax, [rdi+0x10]; ret");
/* Getter and constructor agree. */
FUNCTION(K "6Buffer4sizeEv", "mov rax, [rdi+0x10]; mov rax, [rax+8]; ret");
/* They do not: page_size() reads another word than the constructor writes. */
FUNCTION(K "6Buffer9page_sizeEv", "mov rax, [rdi+0x10]; mov rax, [rax+0x50]; ret");
FUNCTION(M "10BufferImplC2EPNS0_7IDeviceEmm",
	 "mov [rdi], rsi; mov [rdi+8], rdx; mov [rdi+0x48], rcx; ret");
/* One witness is enough if it is sure. */
FUNCTION(K "6Buffer11buffer_typeEv", "mov rax, [rdi+0x10]; mov eax, [rax+0x10]; ret");
/* The getter computes: it says nothing. */
FUNCTION(K "6Buffer13buffer_layoutEv", "mov rax, [rdi+0x10]; mov eax, [rax+0x14]; shr eax, 2; ret");
/* Two bytes fit both of the hook's witnesses, but one of them is the status. */
FUNCTION(K "6Buffer12is_allocatedEv",
	 "mov rax, [rdi+0x10]; cmp byte ptr [rax+0x38], 1; sete al; ret");
FUNCTION(M "10BufferImpl15deallocate_implERNS0_6BufferE",
	 "cmp byte ptr [rdi+0x38], 0; cmp byte ptr [rdi+0x39], 0; mov byte ptr [rdi+0x38], 2; ret");
FUNCTION(M "10BufferImpl13allocate_implERNS0_6BufferE",
	 "mov byte ptr [rdi+0x38], 1; mov byte ptr [rdi+0x39], 1; ret");
/* Bytes that two functions test, and nothing tells which. */
FUNCTION(M "10BufferImpl10deallocateERNS0_6BufferE",
	 "cmp byte ptr [rdi+0x1b], 0; cmp byte ptr [rdi+0x1c], 0; ret");
/* It lies elsewhere than the other fields of a Buffer. */
FUNCTION(K "6Buffer7addressEv", "mov eax, [rdi+0x40]; ret");
/* Far from the others: it is not in the body, and need not be. */
FUNCTION(K "6Buffer9unique_idEv", "mov rax, [rdi+0x10]; mov rax, [rax+0x218]; ret");
/* A table that is indexed by the type. */
FUNCTION(
	K "13AllocatorImpl13get_num_banksERKNS0_10BufferTypeE",
	"mov eax, [rsi]; cmp rax, 4; ja 1f; lea rcx, [rip+2f]; mov rax, [rcx+rax*8];"
	"mov rax, [rdi+rax]; mov eax, [rax+0x20]; ret; 1: ud2; 2: .quad 0x30, 0x38, 0, 0x40, 0x48");
/* Elements of 4 bytes cannot be pointers. */
FUNCTION("_ZNK2tt8tt_metal11distributed10MeshDevice8get_viewEv", "mov rax, [rdi+0x30]; ret");
FUNCTION("_ZNK2tt8tt_metal11distributed14MeshDeviceView11get_devicesEv",
	 "mov rax, [rsi+0x110]; sub rax, [rsi+0x108]; sar rax, 2; ret");

/* What is taken from an address is no length of what is taken from. */
FUNCTION(M "9allocator11FreeListOpt10deallocateEm",
	 "sub rdx, [rdi+0x18]; sub [rdi+0x28], rsi; sub rsi, [rdi+0x10]; mov rax, rsi; ret");

/* A block goes where one was given up, or to the ends of the vectors; the sizes disagree. */
FUNCTION(M "9allocator11FreeListOpt16alloc_meta_blockEmmllb",
	 "mov rax, [rdi+0xd8]; cmp [rdi+0xd0], rax; je 1f; mov rax, [rax-8];"
	 "mov r10, [rdi+0x40]; mov [r10+rax*8], rsi; mov r10, [rdi+0x58]; mov [r10+rax*8], rdx;"
	 "mov r10, [rdi+0xa0]; mov [rax+r10], r9b; mov r10, [rdi+0xb8]; mov byte ptr [r10+rax], 1;"
	 "ret; 1: mov r10, [rdi+0x48]; mov [r10], rsi; mov r10, [rdi+0x80]; mov [r10], rdx;"
	 "mov r10, [rdi+0xa8]; mov [r10], r9b; ret");
FUNCTION(M "9allocator11FreeListOpt15free_meta_blockEm",
	 "mov rax, [rdi+0xb8]; mov byte ptr [rax+rsi], 0; ret");

/* Many a byte is compared with 1. */
FUNCTION("_ZNK2tt8tt_metal11distributed10MeshDevice14is_initializedEv",
	 "cmp byte ptr [rdi+0x40], 1; sete al; ret");

/* A base, a class that derives from it, one that does from that one, a stranger; and vtables. */
#define WORDS(name, words)                                                                         \
	__asm__(".pushsection .data.rel.ro,\"aw\"\n.globl \"" name "\"\n.type \"" name             \
		"\", @object\n\"" name "\": .quad " words "\n.size \"" name "\", .-\"" name        \
		"\"\n.popsection\n")
#define BASE   "_ZTIN2tt8tt_metal13AllocatorImplE"
#define MIDDLE "_ZTIN2tt8tt_metal6MiddleE"
#define LEAF   "_ZTIN2tt8tt_metal12experimental4LeafE"
WORDS(BASE, "0, 0");
WORDS(LEAF, "0, 0, 0x100000001, " MIDDLE ", 2");
WORDS(MIDDLE, "0, 0, " BASE);
WORDS("_ZTIN2tt8tt_metal8StrangerE", "0, 0, 0");
WORDS("_ZTVN2tt8tt_metal13AllocatorImplE", "0, " BASE ", 0");
WORDS("_ZTVN2tt8tt_metal6MiddleE", "0, " MIDDLE ", 0, 0");
WORDS("_ZTVN2tt8tt_metal12experimental4LeafE", "0, " LEAF ", 0");
WORDS("_ZTVN2tt8tt_metal8StrangerE", "0, _ZTIN2tt8tt_metal8StrangerE, 0");
extern const char vtable_base[] __asm__("_ZTVN2tt8tt_metal13AllocatorImplE");
extern const char vtable_middle[] __asm__("_ZTVN2tt8tt_metal6MiddleE");
extern const char vtable_leaf[] __asm__("_ZTVN2tt8tt_metal12experimental4LeafE");

static struct tt_layout layout;
static struct library_field fields[TT_FIELD_COUNT];

static int decode_self(void **state)
{
	struct symbols *symbols;
	struct elf_file *file;

	(void)state;
	assert_int_equal(elf_file__open("/proc/self/exe", &file), 0);
	assert_int_equal(symbols__open(file, &symbols), 0);
	assert_int_equal(layout__decode(file, symbols, &layout, fields), 0);
	symbols__free(symbols);
	elf_file__close(file);
	return 0;
}

static void assert_path(enum tt_field field, int len, int first, int second)
{
	assert_true(fields[field].found);
	assert_int_equal(layout.field[field].len, len);
	assert_int_equal(layout.field[field].off[0], first);
	if (len > 1)
		assert_int_equal(layout.field[field].off[1], second);
}

static void assert_absent(enum tt_field field, const char *why)
{
	assert_false(fields[field].found);
	assert_int_equal(layout.field[field].len, 0);
	assert_memory_equal(fields[field].how, why, strlen(why));
}

static void witnesses_that_agree_establish_a_field(void **state)
{
	(void)state;
	assert_path(TT_FIELD_SIZE, 2, 0x10, 8);
	assert_int_equal(fields[TT_FIELD_SIZE].num_witnesses, 2);
	assert_string_equal(fields[TT_FIELD_SIZE].how,
			    "returned by Buffer::size; argument 2 of BufferImpl::BufferImpl");
}

static void one_witness_that_is_sure_is_enough(void **state)
{
	(void)state;
	assert_path(TT_FIELD_TYPE, 2, 0x10, 0x10);
	assert_int_equal(fields[TT_FIELD_TYPE].num_witnesses, 1);
}

static void one_weak_witness_is_not_enough(void **state)
{
	(void)state;
	assert_absent(TT_FIELD_MESH_INITIALIZED, "one weak witness: ");
}

static void witnesses_that_disagree_establish_nothing(void **state)
{
	(void)state;
	assert_absent(TT_FIELD_PAGE_SIZE, "disagreement: ");
}

static void a_field_with_several_places_is_absent(void **state)
{
	(void)state;
	assert_absent(TT_FIELD_OWNS_DATA, "ambiguous: ");
}

static void a_place_that_another_field_takes_is_ruled_out(void **state)
{
	(void)state;
	assert_path(TT_FIELD_STATUS, 2, 0x10, 0x38);
	assert_path(TT_FIELD_HOOKED, 2, 0x10, 0x39);
}

static void a_field_without_witness_is_absent_without_reason(void **state)
{
	(void)state;
	assert_absent(TT_FIELD_CHIP_ID, "");
	assert_string_equal(fields[TT_FIELD_CHIP_ID].how, "");
	assert_absent(TT_FIELD_LAYOUT, "");
}

static void tables_by_type_are_read(void **state)
{
	(void)state;
	assert_path(TT_FIELD_BANKS_DRAM, 1, 0x30, 0);
	assert_path(TT_FIELD_BANKS_L1, 1, 0x38, 0);
	assert_path(TT_FIELD_BANKS_L1_SMALL, 1, 0x40, 0);
	assert_path(TT_FIELD_BANKS_TRACE, 1, 0x48, 0);
	assert_path(TT_FIELD_NUM_BANKS, 1, 0x20, 0);
}

static void what_is_subtracted_from_an_argument_is_a_base(void **state)
{
	(void)state;
	assert_path(TT_FIELD_FL_BASE, 1, 0x10, 0);
	assert_string_equal(fields[TT_FIELD_FL_BASE].how,
			    "subtracted from argument 1 of FreeListOpt::deallocate");
}

static void arrays_are_known_by_what_is_stored_in_their_elements(void **state)
{
	(void)state;
	assert_path(TT_FIELD_FL_ADDRESSES, 1, 0x40, 0);
	assert_int_equal(fields[TT_FIELD_FL_ADDRESSES].num_witnesses, 2);
	assert_absent(TT_FIELD_FL_SIZES, "disagreement: ");
	assert_path(TT_FIELD_FL_ALLOCATED, 1, 0xa0, 0);
	/* two weak witnesses; where elements are bytes, base and index may be swapped */
	assert_path(TT_FIELD_FL_META, 1, 0xb8, 0);
}

static void allocator_classes_are_those_that_derive_from_the_base(void **state)
{
	const __u64 *v = layout.vtable_allocator;

	(void)state;
	/* by name; a test program is moved as a library is, so distances are what can be compared
	 */
	assert_int_equal(v[1] - v[0], (__u64)(vtable_base - vtable_leaf));
	assert_int_equal(v[2] - v[1], (__u64)(vtable_middle - vtable_base));
	assert_true(v[0] && !v[3]);
}

static void elements_that_are_no_pointers_are_no_chips(void **state)
{
	(void)state;
	assert_absent(TT_FIELD_MESH_CHIPS, "");
	assert_int_equal(layout.chip_stride, 0);
}

static void a_field_outside_of_the_body_is_absent(void **state)
{
	(void)state;
	assert_absent(TT_FIELD_ADDRESS, "outside of the body");
	assert_path(TT_FIELD_UNIQUE_ID, 2, 0x10, 0x218);
	assert_int_equal(layout.body_start, 0);
}

/* A layout with one path of length 1 for each of @n fields. */
static void set_field(struct tt_layout *l, struct library_field *f, enum tt_field field, __u16 off)
{
	l->field[field] = (struct tt_path){ .len = 1, .off = { off } };
	f[field].found = true;
}

static void sealing_sets_the_begin_of_the_body(void **state)
{
	struct library_field f[TT_FIELD_COUNT] = {};
	struct tt_layout l = {};

	(void)state;
	set_field(&l, f, TT_FIELD_DEVICE, 0x10);
	set_field(&l, f, TT_FIELD_PAGE_SIZE, 0x58);
	set_field(&l, f, TT_FIELD_UNIQUE_ID, 0x220);
	layout__seal(&l, f);
	assert_int_equal(l.body_start, 0x10);
	assert_true(f[TT_FIELD_DEVICE].found && f[TT_FIELD_PAGE_SIZE].found);
	assert_true(f[TT_FIELD_UNIQUE_ID].found);
}

static void sealing_drops_what_does_not_fit_into_a_record(void **state)
{
	struct library_field f[TT_FIELD_COUNT] = {};
	struct tt_layout l = {};

	(void)state;
	set_field(&l, f, TT_FIELD_DEVICE, 0x10);
	set_field(&l, f, TT_FIELD_SIZE, 0x10 + TT_BODY_SIZE - 8);
	set_field(&l, f, TT_FIELD_ADDRESS, 0x10 + TT_BODY_SIZE - 7);
	layout__seal(&l, f);
	assert_true(f[TT_FIELD_SIZE].found);
	assert_false(f[TT_FIELD_ADDRESS].found);
	assert_int_equal(l.field[TT_FIELD_ADDRESS].len, 0);
}

static void sealing_nothing_is_possible(void **state)
{
	struct library_field f[TT_FIELD_COUNT] = {};
	struct tt_layout l = {};

	(void)state;
	layout__seal(&l, f);
	assert_int_equal(l.body_start, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(witnesses_that_agree_establish_a_field),
		cmocka_unit_test(one_witness_that_is_sure_is_enough),
		cmocka_unit_test(one_weak_witness_is_not_enough),
		cmocka_unit_test(witnesses_that_disagree_establish_nothing),
		cmocka_unit_test(a_field_with_several_places_is_absent),
		cmocka_unit_test(a_place_that_another_field_takes_is_ruled_out),
		cmocka_unit_test(a_field_without_witness_is_absent_without_reason),
		cmocka_unit_test(tables_by_type_are_read),
		cmocka_unit_test(what_is_subtracted_from_an_argument_is_a_base),
		cmocka_unit_test(arrays_are_known_by_what_is_stored_in_their_elements),
		cmocka_unit_test(allocator_classes_are_those_that_derive_from_the_base),
		cmocka_unit_test(elements_that_are_no_pointers_are_no_chips),
		cmocka_unit_test(a_field_outside_of_the_body_is_absent),
		cmocka_unit_test(sealing_sets_the_begin_of_the_body),
		cmocka_unit_test(sealing_drops_what_does_not_fit_into_a_record),
		cmocka_unit_test(sealing_nothing_is_possible),
	};

	return cmocka_run_group_tests(tests, decode_self, NULL);
}
