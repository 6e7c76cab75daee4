// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* The file of --suppressions: what is said when it cannot be taken. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "suppression_file.h"

struct files {
	char rules[40];
	int rules_fd;
	int said_fd;
	char said[1000]; /* by the last read_file() */
	struct suppressions *suppressions;
};

static int set_up(void **state)
{
	struct files *f = calloc(1, sizeof(*f));
	char said[] = "/tmp/tttrace-test-said-XXXXXX";

	assert_non_null(f);
	strcpy(f->rules, "/tmp/tttrace-test-rules-XXXXXX");
	f->rules_fd = mkstemp(f->rules);
	f->said_fd = mkstemp(said);
	*state = f;
	return f->rules_fd < 0 || f->said_fd < 0 || unlink(said);
}

static int tear_down(void **state)
{
	struct files *f = *state;

	close(f->rules_fd);
	close(f->said_fd);
	unlink(f->rules);
	suppressions__free(f->suppressions);
	free(f);
	return 0;
}

static int read_file(struct files *f, const char *path)
{
	int err, saved = dup(STDERR_FILENO);
	ssize_t size;

	assert_int_equal(ftruncate(f->said_fd, 0), 0);
	assert_int_equal(lseek(f->said_fd, 0, SEEK_SET), 0);
	assert_int_equal(dup2(f->said_fd, STDERR_FILENO), STDERR_FILENO);
	err = suppression_file__read(path, &f->suppressions);
	assert_int_equal(dup2(saved, STDERR_FILENO), STDERR_FILENO);
	close(saved);
	size = pread(f->said_fd, f->said, sizeof(f->said) - 1, 0);
	assert_true(size >= 0);
	f->said[size] = '\0';
	return err;
}

static int read_text(struct files *f, const char *text, size_t size)
{
	assert_int_equal(ftruncate(f->rules_fd, 0), 0);
	assert_int_equal(pwrite(f->rules_fd, text, size, 0), size);
	return read_file(f, f->rules);
}

static void expect_complaint(struct files *f, const char *text, size_t size, const char *complaint)
{
	char *wanted;

	assert_int_equal(read_text(f, text, size), -EINVAL);
	assert_true(asprintf(&wanted, "tttrace: '%s', %s: write leak:PATTERN\n", f->rules,
			     complaint) > 0);
	assert_string_equal(f->said, wanted);
	free(wanted);
}

static void all_rules_of_a_file_are_read(void **state)
{
	struct files *f = *state;
	char text[10000] = "leak:first\n#";

	memset(text + strlen(text), ' ', sizeof(text) - strlen(text));
	memcpy(text + sizeof(text) - 10, "\nleak:last", 10);
	assert_int_equal(read_text(f, text, sizeof(text)), 0);
	assert_string_equal(f->said, "");
	assert_int_equal(suppressions__count(f->suppressions), 2);
	assert_string_equal(suppressions__rule(f->suppressions, 1)->pattern, "last");
}

static void a_wrong_line_is_shown_with_its_number(void **state)
{
	static const char strange[] = "\n\nrace:\x1b[2J\r\n";
	static const char zeros[] = "leak:a\0b\n";

	expect_complaint(*state, "leak:a\nthread:b\nleak:c\n", 23,
			 "line 2: 'thread:b' is no suppression");
	expect_complaint(*state, "leak:", 5, "line 1: 'leak:' is no suppression");
	expect_complaint(*state, strange, sizeof(strange) - 1,
			 "line 3: 'race:\xef\xbf\xbd[2J' is no suppression");
	expect_complaint(*state, zeros, sizeof(zeros) - 1,
			 "line 1: 'leak:a\xef\xbf\xbd"
			 "b' is no suppression");
}

static void of_a_long_line_the_begin_is_shown(void **state)
{
	char text[5000];

	memset(text, 'x', sizeof(text));
	expect_complaint(*state, text, sizeof(text),
			 "line 1: 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
			 "xxxxxxxxxxxxxxxx' is no suppression");
}

static void what_cannot_be_read_is_named(void **state)
{
	struct files *f = *state;

	assert_int_equal(read_file(f, "/nowhere/at/all"), -ENOENT);
	assert_string_equal(f->said, "tttrace: cannot read the suppressions in '/nowhere/at/all': "
				     "No such file or directory\n");
	assert_int_equal(read_file(f, "/tmp"), -EISDIR);
	assert_int_equal(read_file(f, "/dev/zero"), -EFBIG);
	assert_string_equal(f->said, "tttrace: '/dev/zero' is no file of suppressions: it has more "
				     "than 16 MiB\n");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(all_rules_of_a_file_are_read),
		TEST(a_wrong_line_is_shown_with_its_number),
		TEST(of_a_long_line_the_begin_is_shown),
		TEST(what_cannot_be_read_is_named),
	};

	return cmocka_run_group_tests_name("suppression_file", tests, NULL, NULL);
}
