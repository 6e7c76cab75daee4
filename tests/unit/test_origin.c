// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* What a stack says of the operation that allocated, and of what the memory is for. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "core/origin.h"
#include "lib/function_name.h"

enum {
	FRAMES_MAX = 16,
	NAME_SIZE = 64,
};

/* A stack, innermost frame first; a name that begins with '@' is of Python. NULL ends it. */
struct scene {
	struct event_frame frames[FRAMES_MAX];
	struct {
		struct event_stack stack;
		const struct event_frame *frames[FRAMES_MAX];
	} told;
	char op[NAME_SIZE];
	char factory[NAME_SIZE];
};

static enum owner look(struct scene *s, enum tt_stack_end end, const char *const *names)
{
	memset(s, 0, sizeof(*s));
	s->told.stack.end = end;
	for (__u32 i = 0; names[i]; i++) {
		bool python = names[i][0] == '@';

		s->frames[i].function = names[i][0] == '?' ? NULL : names[i] + python;
		s->frames[i].image = python ? "model.py" : "/lib/libtt_metal.so";
		s->frames[i].line = python;
		s->told.frames[i] = &s->frames[i];
		s->told.stack.num_frames = i + 1;
	}
	origin__operation(&s->told.stack, s->op, sizeof(s->op));
	origin__factory(&s->told.stack, s->factory, sizeof(s->factory));
	return origin__owner(&s->told.stack);
}

#define LOOK(s, ...) look(s, TT_STACK_COMPLETE, (const char *const[]){ __VA_ARGS__, NULL })

static void the_operation_is_the_public_function_nearest_to_the_caller(void **state)
{
	struct scene s;

	(void)state;
	/* as 0.81.1 shows a tensor that ttnn.add made */
	LOOK(&s, "tt::tt_metal::GraphTracker::track_allocate", "tt::tt_metal::BufferImpl::create",
	     "tt::tt_metal::distributed::MeshBuffer::create",
	     "tt::tt_metal::tensor_impl::allocate_device_buffer", "ttnn::create_device_tensor",
	     "ttnn::device_operation::detail::launch<A<B> >", "ttnn::prim::binary_ng",
	     "ttnn::detail::invoke_binary_ng_impl<ttnn::Tensor>", "ttnn::add",
	     "ttnn::operations::binary::detail::add_fast_approx_tensor_tensor",
	     "nanobind::detail::nb_func_vectorcall_complex", "@forward", "ttnn::not_this", "main");
	assert_string_equal(s.op, "ttnn::add");
	LOOK(&s, "tt::tt_metal::GraphTracker::track_allocate", "ttnn::full_impl<float>",
	     "ttnn::zeros", "ttnn::operations::creation::(anonymous namespace)::zeros_impl",
	     "@main");
	assert_string_equal(s.op, "ttnn::zeros");
	LOOK(&s, "tt::tt_metal::GraphTracker::track_allocate",
	     "ttnn::matmul<int>::operator()<float>", "my::model", "main");
	assert_string_equal(s.op, "ttnn::matmul::operator()");
	LOOK(&s, "tt::tt_metal::GraphTracker::track_allocate",
	     "tt::tt_metal::distributed::MeshBuffer::create", "?", "main");
	assert_string_equal(s.op, "tt::tt_metal::distributed::MeshBuffer::create");
}

static void a_stack_that_names_no_such_function_has_no_operation(void **state)
{
	struct scene s;

	(void)state;
	/* what is probed says nothing of who called it */
	LOOK(&s, "tt::tt_metal::GraphTracker::track_allocate", "main");
	assert_string_equal(s.op, "");
	LOOK(&s, "x", "ttnnx::add", "my::ttnn::add", "ttnn::detail::add", "ttnn::add_impl",
	     "ttnn::prim::add", "ttnn::add::{lambda}", "main");
	assert_string_equal(s.op, "");
}

static void the_name_of_an_operation_that_is_too_long_is_cut(void **state)
{
	char name[3 * NAME_SIZE] = "ttnn::";
	struct scene s;

	(void)state;
	memset(name + 6, 'a', sizeof(name) - 7);
	LOOK(&s, "x", name);
	assert_int_equal(strlen(s.op), NAME_SIZE - 1);
}

static void the_owner_is_what_the_innermost_frame_that_tells_it_says(void **state)
{
	struct scene s;

	(void)state;
	assert_int_equal(LOOK(&s, "x", "tt::tt_metal::tensor_impl::allocate_device_buffer"),
			 OWNER_TENSOR);
	assert_int_equal(LOOK(&s, "x", "tt::tt_metal::distributed::MeshWorkloadImpl::load_binaries",
			      "ttnn::device_operation::detail::launch", "ttnn::add"),
			 OWNER_KERNEL_BINARY);
	assert_int_equal(
		LOOK(&s, "x",
		     "tt::tt_metal::detail::ProgramImpl::allocate_kernel_bin_buf_on_device"),
		OWNER_KERNEL_BINARY);
	assert_int_equal(
		LOOK(&s, "x", "tt::tt_metal::distributed::MeshTrace::populate_mesh_buffer"),
		OWNER_TRACE);
	assert_int_equal(LOOK(&s, "x", "tt::tt_metal::GlobalSemaphoreImpl::setup_buffer",
			      "tt::tt_metal::GlobalSemaphore::GlobalSemaphore"),
			 OWNER_SEMAPHORE);
	assert_int_equal(
		LOOK(&s, "x",
		     "tt::tt_metal::experimental::GlobalCircularBufferImpl::setup_cb_buffers"),
		OWNER_CIRCULAR_BUFFER);
	assert_int_equal(LOOK(&s, "x", "tt::tt_metal::distributed::create_socket_config_buffer",
			      "tt::tt_metal::distributed::MeshSocket::create_socket_pair"),
			 OWNER_SOCKET);
}

static void what_a_program_in_the_cache_holds_is_of_the_cache(void **state)
{
	struct scene s;

	(void)state;
	/* as 0.81.1 shows a tensor that halo keeps */
	assert_int_equal(
		LOOK(&s, "x", "tt::tt_metal::tensor_impl::allocate_device_buffer",
		     "ttnn::operations::sliding_window::move_config_tensor_to_device",
		     "ttnn::prim::UntilizeWithHaloProgramFactory::create_workload_descriptor",
		     "ttnn::device_operation::MeshDeviceOperationAdapter<A>::B<C::D>::create<E>",
		     "ttnn::device_operation::detail::create_and_cache_mesh_workload<A>::{lambda}",
		     "ttnn::device_operation::detail::launch<A>", "ttnn::conv2d", "@main"),
		OWNER_PROGRAM_CACHE);
	assert_string_equal(s.op, "ttnn::conv2d");
	assert_string_equal(s.factory, "ttnn::prim::UntilizeWithHaloProgramFactory");
	/* its kernels, and traces, say more */
	assert_int_equal(LOOK(&s, "x", "tt::tt_metal::distributed::MeshWorkloadImpl::load_binaries",
			      "ttnn::device_operation::detail::create_and_cache_mesh_workload<A>",
			      "main"),
			 OWNER_KERNEL_BINARY);
	/* the result of the operation is none of it, and what only has such a name neither */
	assert_int_equal(LOOK(&s, "x", "ttnn::create_device_tensor",
			      "ttnn::device_operation::detail::launch<A>", "ttnn::conv2d", "@main"),
			 OWNER_TENSOR);
	assert_string_equal(s.factory, "");
	assert_int_equal(LOOK(&s, "x", "ttnn::create_device_tensor",
			      "@::create_and_cache_mesh_workload<A>", "main"),
			 OWNER_TENSOR);
}

static void of_a_buffer_without_a_stack_kind_and_pages_tell_the_owner(void **state)
{
	struct buffer buffer = { .type = TT_TYPE_DRAM, .kind = KIND_SYSTEM, .page_size = 2048 };

	(void)state;
	assert_int_equal(owner__of_buffer(&buffer, NULL), OWNER_KERNEL_BINARY);
	buffer.page_size = 4096;
	assert_int_equal(owner__of_buffer(&buffer, NULL), OWNER_UNKNOWN);
	buffer.page_size = 2048;
	buffer.kind = KIND_OWNING;
	assert_int_equal(owner__of_buffer(&buffer, NULL), OWNER_UNKNOWN);
	buffer.type = TT_TYPE_TRACE;
	assert_int_equal(owner__of_buffer(&buffer, NULL), OWNER_TRACE);
}

static void what_nothing_tells_is_other_if_all_was_seen_else_unknown(void **state)
{
	static const char *const names[] = { "x", "tt::tt_metal::distributed::MeshBuffer::create",
					     "main", NULL };
	struct scene s;

	(void)state;
	assert_int_equal(look(&s, TT_STACK_COMPLETE, names), OWNER_OTHER);
	assert_int_equal(look(&s, TT_STACK_NO_PYTHON, names), OWNER_OTHER);
	assert_int_equal(look(&s, TT_STACK_CUT, names), OWNER_UNKNOWN);
	assert_int_equal(look(&s, TT_STACK_NO_RULE, names), OWNER_UNKNOWN);
}

static void names_are_shortened_by_what_templates_were_made_with(void **state)
{
	static const char dots[] = "<…>";
	char buf[NAME_SIZE];

	(void)state;
#define SHORT(size, name) function_name__shorten(buf, size, name, dots)
	assert_string_equal(SHORT(NAME_SIZE, "a::b"), "a::b");
	assert_string_equal(SHORT(NAME_SIZE, "a<b<c>, d>::e<f>"), "a<…>::e<…>");
	assert_string_equal(SHORT(NAME_SIZE, "a::operator<"), "a::operator<");
	assert_string_equal(SHORT(NAME_SIZE, "a::operator<< <b>"), "a::operator<< <…>");
	assert_string_equal(SHORT(NAME_SIZE, "a::operator->"), "a::operator->");
	assert_string_equal(SHORT(NAME_SIZE, "my_operator<b>"), "my_operator<…>");
	assert_string_equal(SHORT(4, "abcdef"), "abc");
	assert_string_equal(SHORT(NAME_SIZE, "<<<"), "<…>");
	assert_string_equal(SHORT(NAME_SIZE, ">>"), ">>");
#undef SHORT
	assert_string_equal(function_name__shorten(buf, sizeof(buf), "a<b>::c", ""), "a::c");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_operation_is_the_public_function_nearest_to_the_caller),
		cmocka_unit_test(a_stack_that_names_no_such_function_has_no_operation),
		cmocka_unit_test(the_name_of_an_operation_that_is_too_long_is_cut),
		cmocka_unit_test(the_owner_is_what_the_innermost_frame_that_tells_it_says),
		cmocka_unit_test(what_a_program_in_the_cache_holds_is_of_the_cache),
		cmocka_unit_test(of_a_buffer_without_a_stack_kind_and_pages_tell_the_owner),
		cmocka_unit_test(what_nothing_tells_is_other_if_all_was_seen_else_unknown),
		cmocka_unit_test(names_are_shortened_by_what_templates_were_made_with),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
