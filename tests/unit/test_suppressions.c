// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* Known leaks: what a file of them may hold, and what its patterns match. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <errno.h>

#include "core/suppressions.h"

enum {
	MANY = 20000
};

static const struct event_frame add = {
	.function = "ttnn::detail::invoke<ttnn::add, true>::operator()",
	.image = "/venv/ttnn/_ttnncpp.so",
};
static const struct event_frame forward = {
	.function = "<lambda>",
	.image = "model/layers.py",
	.line = 12,
};
static const struct event_frame nameless = { .image = "/usr/lib/libfoo.so.1" };

static struct suppressions *parse(const char *text)
{
	struct suppressions *suppressions;
	unsigned int line;

	assert_int_equal(suppressions__parse(text, strlen(text), &suppressions, &line), 0);
	return suppressions;
}

static unsigned int line_of_error(const char *text, size_t size)
{
	struct suppressions *suppressions;
	unsigned int line = 0;

	assert_int_equal(suppressions__parse(text, size, &suppressions, &line), -EINVAL);
	return line;
}

static struct event_stack *stack_of(__u32 number, __u32 num,
				    const struct event_frame *const *frames)
{
	struct event_stack *stack = malloc(sizeof(*stack) + num * sizeof(stack->frames[0]));

	assert_non_null(stack);
	*stack = (struct event_stack){ .number = number, .num_frames = num };
	memcpy(stack->frames, frames, num * sizeof(stack->frames[0]));
	return stack;
}

static bool matches_frame(const char *pattern, const struct event_frame *frame)
{
	char *text;
	struct event_stack *stack = stack_of(1, 1, &frame);
	struct suppressions *suppressions;
	bool found;

	assert_true(asprintf(&text, "leak:%s", pattern) > 0);
	suppressions = parse(text);
	found = suppressions__match(suppressions, stack);
	suppressions__free(suppressions);
	free(stack);
	free(text);
	return found;
}

static bool matches(const char *pattern, const char *function)
{
	struct event_frame frame = { .function = function, .image = "" };

	return matches_frame(pattern, &frame);
}

static void comments_and_blank_lines_are_no_rules(void **state)
{
	struct suppressions *suppressions;

	(void)state;
	suppressions = parse("# known\n\n  \t\n  leak:first \n\t# leak:none\nleak: second");
	assert_int_equal(suppressions__count(suppressions), 2);
	assert_string_equal(suppressions__rule(suppressions, 0)->pattern, "first");
	assert_int_equal(suppressions__rule(suppressions, 0)->line, 4);
	assert_string_equal(suppressions__rule(suppressions, 1)->pattern, "second");
	assert_int_equal(suppressions__rule(suppressions, 1)->line, 6);
	assert_int_equal(suppressions__rule(suppressions, 1)->number, 1);
	suppressions__free(suppressions);
}

static void a_file_without_rules_suppresses_nothing(void **state)
{
	const struct event_frame *frame = &add;
	struct event_stack *stack = stack_of(1, 1, &frame);
	struct suppressions *suppressions = parse("");

	(void)state;
	assert_int_equal(suppressions__count(suppressions), 0);
	assert_null(suppressions__match(suppressions, stack));
	suppressions__free(suppressions);
	suppressions__free(NULL);
	free(stack);
}

static void lines_of_windows_end_where_they_seem_to(void **state)
{
	struct suppressions *suppressions = parse("leak:a$\r\n\r\n# c\r\nleak:b\r\n");

	(void)state;
	assert_int_equal(suppressions__count(suppressions), 2);
	assert_string_equal(suppressions__rule(suppressions, 0)->pattern, "a$");
	assert_string_equal(suppressions__rule(suppressions, 1)->pattern, "b");
	suppressions__free(suppressions);
}

static void what_is_no_rule_is_named_by_its_line(void **state)
{
	static const char with_nul[] = "leak:a\nleak:b\0c\n";

	(void)state;
	assert_int_equal(line_of_error("leak:a\n\nthread:b\n", 17), 3);
	assert_int_equal(line_of_error("leak\n", 5), 1);
	assert_int_equal(line_of_error("#\nleak:", 7), 2);
	assert_int_equal(line_of_error("#\n#\nleak:  \t\r\n", 14), 3);
	assert_int_equal(line_of_error("Leak:a", 6), 1);
	assert_int_equal(line_of_error("leak :a", 7), 1);
	assert_int_equal(line_of_error("some_function", 13), 1);
	assert_int_equal(line_of_error(with_nul, sizeof(with_nul) - 1), 2);
	assert_int_equal(line_of_error("\0", 1), 1);
	assert_int_equal(line_of_error("\x7f"
				       "ELF\x02\x01\x01\0\0",
				       9),
			 1);
}

static void a_pattern_is_a_part_of_a_name(void **state)
{
	(void)state;
	assert_true(matches("ttnn::add", "ttnn::add"));
	assert_true(matches("add", "ttnn::add_one"));
	assert_false(matches("Add", "ttnn::add"));
	assert_false(matches("ttnn::add_one", "ttnn::add"));
}

static void a_star_stands_for_anything(void **state)
{
	(void)state;
	assert_true(matches("ttnn::*::run", "ttnn::prim::run"));
	assert_true(matches("ttnn::*run", "ttnn::run"));
	assert_true(matches("*", "a"));
	assert_true(matches("**a**", "a"));
	assert_true(matches("a*b*c", "xaxbxbxcx"));
	assert_false(matches("a*b*c", "acb"));
	assert_false(matches("a*a", "a"));
}

static void anchors_are_the_ends_of_the_name(void **state)
{
	(void)state;
	assert_true(matches("^ttnn", "ttnn::add"));
	assert_false(matches("^add", "ttnn::add"));
	assert_true(matches("add$", "ttnn::add"));
	assert_true(matches("add$", "add_add"));
	assert_false(matches("ttnn$", "ttnn::add"));
	assert_true(matches("^add$", "add"));
	assert_false(matches("^add$", "add_add"));
	assert_true(matches("^t*d$", "ttnn::add"));
	assert_true(matches("^*add", "ttnn::add"));
	assert_true(matches("ttnn*$", "ttnn::add"));
	assert_false(matches("^a*ab$", "ab"));
}

static void anchors_elsewhere_are_letters(void **state)
{
	(void)state;
	assert_true(matches("a^b", "a^b"));
	assert_true(matches("a$b", "a$b"));
	assert_false(matches("a$b", "a"));
	assert_true(matches("a$$", "a$"));
}

static void file_and_function_of_any_frame_are_looked_at(void **state)
{
	(void)state;
	assert_true(matches_frame("_ttnncpp.so$", &add));
	assert_true(matches_frame("^model/*.py$", &forward));
	assert_true(matches_frame("<lambda>", &forward));
	assert_true(matches_frame("libfoo", &nameless));
	assert_false(matches_frame("layers.py:12", &forward));
	assert_false(matches_frame("<…>", &forward));
	assert_false(matches_frame("^$", &nameless));
}

static void templates_may_be_left_out_of_a_name(void **state)
{
	(void)state;
	assert_true(matches_frame("invoke<ttnn::add, true>", &add));
	assert_true(matches_frame("invoke<…>::operator()", &add));
	assert_true(matches_frame("^ttnn::detail::invoke::operator()$", &add));
	assert_true(matches("^a<…>b<…>c<…>$", "a<>b<>c<>"));
}

static void the_first_rule_in_the_file_is_the_one_that_is_named(void **state)
{
	const struct event_frame *frames[] = { &add, &nameless, &forward };
	struct event_stack *stack = stack_of(7, 3, frames);
	struct suppressions *suppressions = parse("leak:nowhere\nleak:layers.py\nleak:ttnn\n");

	(void)state;
	assert_int_equal(suppressions__match(suppressions, stack)->number, 1);
	assert_int_equal(suppressions__match(suppressions, stack)->number, 1);
	assert_null(suppressions__match(suppressions, NULL));
	suppressions__free(suppressions);
	free(stack);
}

static void a_stack_is_looked_at_once(void **state)
{
	struct event_frame frame = { .function = "a", .image = "" };
	const struct event_frame *frames = &frame;
	struct event_stack *stack = stack_of(5000, 1, &frames);
	struct event_stack *other = stack_of(3, 1, &frames);
	struct suppressions *suppressions = parse("leak:a");

	(void)state;
	assert_non_null(suppressions__match(suppressions, stack));
	frame.function = "b";
	assert_non_null(suppressions__match(suppressions, stack));
	assert_null(suppressions__match(suppressions, other));
	frame.function = "a";
	assert_null(suppressions__match(suppressions, other));
	suppressions__free(suppressions);
	free(stack);
	free(other);
}

/* A matcher that goes back takes longer than the universe for this one. */
static void many_stars_cost_no_more_than_their_number(void **state)
{
	char *name = calloc(1, MANY + 1), *pattern = calloc(1, 2 * MANY + 2);

	(void)state;
	assert_non_null(name);
	assert_non_null(pattern);
	memset(name, 'a', MANY);
	for (size_t i = 0; i < MANY; i++)
		memcpy(pattern + 2 * i, "a*", 2);
	assert_true(matches(pattern, name));
	pattern[2 * MANY] = 'b';
	assert_false(matches(pattern, name));
	free(name);
	free(pattern);
}

static void a_pattern_may_be_longer_than_any_name(void **state)
{
	char *pattern = malloc(MANY + 1);

	(void)state;
	assert_non_null(pattern);
	memset(pattern, 'x', MANY);
	pattern[MANY] = '\0';
	assert_false(matches(pattern, "x"));
	assert_true(matches("x", pattern));
	assert_true(matches(pattern, pattern));
	free(pattern);
}

static void no_bytes_are_too_strange_to_be_read(void **state)
{
	char text[64];

	(void)state;
	srand(1);
	for (int i = 0; i < MANY; i++) {
		static const char letters[] = "leak:*^$#\n\r\t \0a\xff";
		struct suppressions *suppressions;
		size_t size = (size_t)rand() % sizeof(text);
		unsigned int line;

		memcpy(text, "leak:", 5);
		for (size_t j = i % 2 ? 5 : 0; j < size; j++)
			text[j] = letters[(size_t)rand() % (sizeof(letters) - 1)];
		if (!suppressions__parse(text, size, &suppressions, &line))
			suppressions__free(suppressions);
		else
			assert_in_range(line, 1, size);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(comments_and_blank_lines_are_no_rules),
		cmocka_unit_test(a_file_without_rules_suppresses_nothing),
		cmocka_unit_test(lines_of_windows_end_where_they_seem_to),
		cmocka_unit_test(what_is_no_rule_is_named_by_its_line),
		cmocka_unit_test(a_pattern_is_a_part_of_a_name),
		cmocka_unit_test(a_star_stands_for_anything),
		cmocka_unit_test(anchors_are_the_ends_of_the_name),
		cmocka_unit_test(anchors_elsewhere_are_letters),
		cmocka_unit_test(file_and_function_of_any_frame_are_looked_at),
		cmocka_unit_test(templates_may_be_left_out_of_a_name),
		cmocka_unit_test(the_first_rule_in_the_file_is_the_one_that_is_named),
		cmocka_unit_test(a_stack_is_looked_at_once),
		cmocka_unit_test(many_stars_cost_no_more_than_their_number),
		cmocka_unit_test(a_pattern_may_be_longer_than_any_name),
		cmocka_unit_test(no_bytes_are_too_strange_to_be_read),
	};

	return cmocka_run_group_tests_name("suppressions", tests, NULL, NULL);
}
