/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Functions with names and instructions of our choice, in the test program itself: what compilers
 * make of the runtime's source, written down by hand.
 */
#ifndef TTTRACE_TEST_ASSEMBLY_H
#define TTTRACE_TEST_ASSEMBLY_H

#define FUNCTION(name, body)                                                                       \
	__asm__(".globl \"" name "\"\n");                                                          \
	LOCAL_FUNCTION(name, body)

/* One that no other object sees. */
#define LOCAL_FUNCTION(name, body)                                                                 \
	__asm__(".pushsection .text\n.intel_syntax noprefix\n"                                     \
		".type \"" name "\", @function\n\"" name "\":\n" body "\n.size \"" name            \
		"\", .-\"" name "\"\n.att_syntax prefix\n.popsection\n")

/* A variable of 8 bytes. */
#define VARIABLE(name)                                                                             \
	__asm__(".pushsection .data\n.globl \"" name "\"\n.type \"" name "\", @object\n\"" name    \
		"\":\n.quad 0\n.size \"" name "\", 8\n.popsection\n")

/* Another name for a function. */
#define ALIAS(name, of)                                                                            \
	__asm__(".globl \"" name "\"\n.type \"" name "\", @function\n.set \"" name "\", \"" of     \
		"\"\n.size \"" name "\", 1\n")

#endif
