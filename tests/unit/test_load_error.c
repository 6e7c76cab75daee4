// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* Why the kernel refuses programs, from what it says and what it is; and how its settings read. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "lib/capability.h"
#include "target/host.h"
#include "trace/load_error.h"

/* A machine on which all is well, and root. */
static struct host make_host(void)
{
	return (struct host){
		.release = "6.12.9-amd64",
		.has_sysfs = true,
		.has_btf = true,
		.has_uprobes = true,
		.capabilities = ~0ULL,
		.files = 1024,
	};
}

static void assert_last_words(const char *log, const char *expected)
{
	char words[LOAD_WORDS_SIZE];

	assert_true(load_error__last_words(log, words, sizeof(words)));
	assert_string_equal(words, expected);
}

static void the_last_words_are_not_statistics(void **state)
{
	(void)state;
	assert_last_words("0: R1=ctx() R10=fp0\n; int f(void) @ f.c:3\n0: (b7) r0 = 0\n"
			  "R1 type=scalar expected=map_ptr\nverification time 120 usec\n"
			  "stack depth 0+16\nprocessed 14 insns (limit 1000000) max_states 1\n",
			  "R1 type=scalar expected=map_ptr");
}

static void the_last_words_are_no_state_of_registers(void **state)
{
	(void)state;
	assert_last_words("infinite loop detected at insn 3191\ncur state: R0=0 R1_w=1\n"
			  "old state: R0=0\nR0_w=scalar() R10=fp0\n12: R0=1 R2=3\n",
			  "infinite loop detected at insn 3191");
	assert_last_words("R2 unbounded memory access, make sure to bounds check it\n",
			  "R2 unbounded memory access, make sure to bounds check it");
	assert_last_words("The sequence of 8193 jumps is too complex.\nprocessed 9 insns",
			  "The sequence of 8193 jumps is too complex.");
}

static void a_log_that_says_nothing_has_no_last_words(void **state)
{
	char words[8] = "x";

	(void)state;
	assert_false(load_error__last_words("", words, sizeof(words)));
	assert_string_equal(words, "");
	assert_false(load_error__last_words("\n\nprocessed 0 insns\n\n", words, sizeof(words)));
}

static void last_words_are_cut_to_fit(void **state)
{
	char words[8];

	(void)state;
	assert_true(load_error__last_words("back-edge from insn 1 to 0", words, sizeof(words)));
	assert_string_equal(words, "back-ed");
}

static enum load_cause cause(int err, bool verifier, const struct host *host)
{
	struct load_failure failure = { .err = err, .is_verifier = verifier };

	return load_error__cause(&failure, host);
}

static void each_cause_is_told_apart(void **state)
{
	struct host host = make_host();

	(void)state;
	assert_int_equal(cause(-EINVAL, true, &host), LOAD_CAUSE_VERIFIER);
	assert_int_equal(cause(-E2BIG, true, &host), LOAD_CAUSE_VERIFIER);
	assert_int_equal(cause(-EACCES, true, &host), LOAD_CAUSE_VERIFIER);
	assert_int_equal(cause(-EINVAL, false, &host), LOAD_CAUSE_OTHER);
	assert_int_equal(cause(-EMFILE, false, &host), LOAD_CAUSE_FILES);
	assert_int_equal(cause(-ENOMEM, false, &host), LOAD_CAUSE_MEMORY);
	assert_int_equal(cause(-ENOSYS, false, &host), LOAD_CAUSE_NO_BPF);
	assert_int_equal(cause(-EPERM, false, &host), LOAD_CAUSE_SECURITY_MODULE);
	host.seccomp = true;
	assert_int_equal(cause(-EPERM, false, &host), LOAD_CAUSE_SECCOMP);
	assert_int_equal(cause(-ENOSYS, false, &host), LOAD_CAUSE_SECCOMP);
	host.lockdown = LOCKDOWN_CONFIDENTIALITY;
	assert_int_equal(cause(-EPERM, false, &host), LOAD_CAUSE_LOCKDOWN);
	assert_int_equal(cause(-EINVAL, true, &host), LOAD_CAUSE_LOCKDOWN);
	host.user_namespace = true;
	assert_int_equal(cause(-EPERM, false, &host), LOAD_CAUSE_USER_NAMESPACE);
	host.capabilities = CAPABILITY_MASK(CAP_BPF);
	assert_int_equal(cause(-EPERM, false, &host), LOAD_CAUSE_CAPABILITIES);
}

static void without_btf_the_reason_is_that_or_that_sys_is_missing(void **state)
{
	struct host host = make_host();

	(void)state;
	host.has_btf = false;
	assert_int_equal(cause(-ESRCH, false, &host), LOAD_CAUSE_NO_BTF);
	host.has_sysfs = false;
	assert_int_equal(cause(-ESRCH, false, &host), LOAD_CAUSE_NO_SYSFS);
}

static void only_an_old_kernel_is_called_old(void **state)
{
	struct host host = make_host();
	char why[LOAD_TEXT_SIZE];
	struct load_failure failure = { .err = -EINVAL };

	(void)state;
	strcpy(host.release, "5.10.0-38-cloud-amd64");
	assert_int_equal(cause(-EINVAL, true, &host), LOAD_CAUSE_OLD_KERNEL);
	assert_non_null(strstr(load_error__why(&failure, &host, why, sizeof(why)), "5.10.0-38"));
	strcpy(host.release, "5.15.0-1-generic");
	assert_int_equal(cause(-EINVAL, true, &host), LOAD_CAUSE_VERIFIER);
	strcpy(host.release, "unknown");
	assert_int_equal(cause(-EINVAL, true, &host), LOAD_CAUSE_VERIFIER);
}

static void every_cause_has_a_reason_and_an_advice(void **state)
{
	struct host host = make_host();
	struct load_failure failure = { .words = "words" };
	char why[LOAD_TEXT_SIZE];

	(void)state;
	for (int i = 0; i < LOAD_CAUSE_COUNT; i++)
		assert_non_null(load_error__advice((enum load_cause)i));
	for (failure.err = -1; failure.err > -133; failure.err--)
		assert_true(*load_error__why(&failure, &host, why, sizeof(why)));
}

static void perf_events_may_take_sys_admin(void **state)
{
	struct load_failure failure = { .err = -EACCES, .step = LOAD_STEP_PROBES };
	struct host host = make_host();
	char why[LOAD_TEXT_SIZE];

	(void)state;
	host.capabilities = CAPABILITIES_TO_LOAD;
	assert_int_equal(load_error__cause(&failure, &host), LOAD_CAUSE_ADMIN);
	assert_non_null(
		strstr(load_error__why(&failure, &host, why, sizeof(why)), "CAP_SYS_ADMIN"));
	failure.err = -EPERM; /* not of the kernel */
	assert_int_equal(load_error__cause(&failure, &host), LOAD_CAUSE_SECURITY_MODULE);
	failure.err = -EACCES;
	host.capabilities |= CAPABILITY_MASK(CAP_SYS_ADMIN);
	assert_int_equal(load_error__cause(&failure, &host), LOAD_CAUSE_SECURITY_MODULE);
	host.capabilities = CAPABILITIES_TO_LOAD;
	failure.step = LOAD_STEP_ATTACH;
	assert_int_equal(load_error__cause(&failure, &host), LOAD_CAUSE_SECURITY_MODULE);
}

static void missing_capabilities_are_named(void **state)
{
	struct load_failure failure = { .err = -EPERM };
	struct host host = make_host();
	char why[LOAD_TEXT_SIZE];

	(void)state;
	host.capabilities = CAPABILITY_MASK(CAP_BPF);
	load_error__why(&failure, &host, why, sizeof(why));
	assert_non_null(strstr(why, "CAP_PERFMON"));
	assert_null(strstr(why, "CAP_BPF"));
	host.capabilities = 0;
	load_error__why(&failure, &host, why, sizeof(why));
	assert_non_null(strstr(why, "CAP_BPF and CAP_PERFMON"));
	host.capabilities = CAPABILITY_MASK(CAP_SYS_ADMIN); /* it stands for both */
	assert_int_equal(cause(-EPERM, false, &host), LOAD_CAUSE_SECURITY_MODULE);
}

static void what_a_capability_is_missing_for_depends_on_the_others(void **state)
{
	(void)state;
	assert_int_equal(capability__missing(~0ULL), 0);
	assert_int_equal(capability__missing(CAPABILITY_MASK(CAP_SYS_ADMIN)),
			 CAPABILITY_MASK(CAP_SYS_PTRACE) | CAPABILITY_MASK(CAP_DAC_READ_SEARCH));
}

static void lockdown_is_the_mode_in_brackets(void **state)
{
	(void)state;
	assert_int_equal(host__parse_lockdown("[none] integrity confidentiality\n"), LOCKDOWN_NONE);
	assert_int_equal(host__parse_lockdown("none [integrity] confidentiality\n"),
			 LOCKDOWN_INTEGRITY);
	assert_int_equal(host__parse_lockdown("none integrity [confidentiality]\n"),
			 LOCKDOWN_CONFIDENTIALITY);
	assert_int_equal(host__parse_lockdown(""), LOCKDOWN_UNKNOWN);
}

static void a_choice_is_the_word_in_parentheses(void **state)
{
	char word[8];

	(void)state;
	host__parse_choice("none voluntary full (lazy)\n", word, sizeof(word));
	assert_string_equal(word, "lazy");
	host__parse_choice("none\n", word, sizeof(word));
	assert_string_equal(word, "none");
	host__parse_choice("(a long word)", word, sizeof(word));
	assert_string_equal(word, "a long ");
	host__parse_choice("", word, sizeof(word));
	assert_string_equal(word, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_last_words_are_not_statistics),
		cmocka_unit_test(the_last_words_are_no_state_of_registers),
		cmocka_unit_test(a_log_that_says_nothing_has_no_last_words),
		cmocka_unit_test(last_words_are_cut_to_fit),
		cmocka_unit_test(each_cause_is_told_apart),
		cmocka_unit_test(without_btf_the_reason_is_that_or_that_sys_is_missing),
		cmocka_unit_test(only_an_old_kernel_is_called_old),
		cmocka_unit_test(every_cause_has_a_reason_and_an_advice),
		cmocka_unit_test(perf_events_may_take_sys_admin),
		cmocka_unit_test(missing_capabilities_are_named),
		cmocka_unit_test(what_a_capability_is_missing_for_depends_on_the_others),
		cmocka_unit_test(lockdown_is_the_mode_in_brackets),
		cmocka_unit_test(a_choice_is_the_word_in_parentheses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
