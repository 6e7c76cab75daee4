// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * Separate debug files, made by gcc and binutils below a root directory of our own: where they are
 * looked for, that a wrong one is never taken, and that none is a danger.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "target/elf_debug.h"
#include "target/elf_functions.h"

enum {
	MUTANTS = 300,
	CHANGES = 8,
	PROBED = 32, /* addresses that are asked for in each */
};

#define NAME	  "/lib/libhidden.so" /* as the process calls it */
#define BY_ID	  "/usr/lib/debug/.build-id/ab/cdef0123456789.debug"
#define BY_ID_DIR "/usr/lib/debug/.build-id/ab"

/* libelf 0.192 loses the buffer of a chunk that could not be read whole: elf_getdata_rawchunk(). */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
	return "leak:libelf.so\n";
}

static char directory[] = "/tmp/tttrace-test-XXXXXX"; /* what was made */
static char root[PATH_MAX];			      /* the root directory of a test, in it */
static __u64 hidden;				      /* where the function of that name is */

/* --- files ----------------------------------------------------------------------------------- */

/* Runs @line of the shell in the directory; $R is the root. */
static void shell(const char *line)
{
	char command[4096];

	assert_true((size_t)snprintf(command, sizeof(command), "set -e; cd %s; R=%s; %s", directory,
				     root, line) < sizeof(command));
	assert_int_equal(system(command), 0);
}

/*
 * A library with a function that only .symtab knows; stripped, with its debug file, with a link to
 * it, without a build id; and another library that says it is the same, and is not.
 */
static const char make_files[] =
	"printf '"
	"static __attribute__((noinline)) int hidden(int i) { return i * 3; }\\n"
	"int shown(int i) { return hidden(i) + 1; }\\n' >lib.c;"
	"printf 'int filler(int i) { return i; }\\n' | cat - lib.c >other.c;"
	"build() { gcc -O1 -g -fno-ipa-cp -shared -fPIC -Wl,--build-id=\"$1\" $2 -o $3; };"
	"build 0xabcdef0123456789 lib.c whole.so; build 0xabcdef4567456789 other.c other.so;"
	"build none lib.c nameless.so;"
	"objcopy --only-keep-debug whole.so hidden.debug;"
	"objcopy --only-keep-debug other.so other.debug;"
	"objcopy --only-keep-debug nameless.so nameless.debug;"
	"strip -o stripped.so whole.so; strip -o stripped-nameless.so nameless.so;"
	"objcopy --add-gnu-debuglink=hidden.debug stripped.so linked.so;"
	"objcopy --add-gnu-debuglink=nameless.debug stripped-nameless.so linked-nameless.so";

static int open_made(const char *name, struct elf_file **ret_file)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	return elf_file__open(path, ret_file);
}

static __u64 find_hidden(void)
{
	struct elf_symbol symbol;
	struct elf_file *whole;
	struct elf_syms syms;
	__u64 vaddr = 0;

	assert_int_equal(open_made("whole.so", &whole), 0);
	assert_int_equal(elf_syms__init(&syms, whole, ELF_TABLE_SYMTAB), 0);
	while (elf_syms__next(&syms, &symbol))
		if (!strcmp(symbol.name, "hidden"))
			vaddr = symbol.vaddr;
	elf_file__close(whole);
	return vaddr;
}

static int make_all(void **state)
{
	(void)state;
	if (!mkdtemp(directory))
		return -1;
	snprintf(root, sizeof(root), "%s/root", directory);
	shell(make_files);
	hidden = find_hidden();
	return hidden ? 0 : -1;
}

static int remove_all(void **state)
{
	(void)state;
	shell("rm -rf \"$PWD\"");
	return 0;
}

static int new_root(void **state)
{
	(void)state;
	shell("rm -rf $R; mkdir -p $R/lib/.debug $R/usr/lib/debug/lib $R" BY_ID_DIR);
	return 0;
}

/* --- questions ------------------------------------------------------------------------------- */

/* Of the library @name: is there a debug file, and does it know the function? */
static int look(const char *name)
{
	int root_fd = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC), err, found;
	struct elf_file *file, *debug;
	struct elf_functions *functions;
	char *function;
	__u64 offset;

	assert_int_equal(open_made(name, &file), 0);
	err = elf_debug__open_below(file, root_fd, NAME, &debug);
	close(root_fd);
	if (!err) {
		assert_int_equal(elf_functions__new(file, debug, &functions), 0);
		found = elf_functions__find(functions, hidden + 2, &function, &offset);
		assert_int_equal(found, 0);
		assert_string_equal(function, "hidden");
		assert_int_equal(offset, 2);
		free(function);
		elf_functions__free(functions);
		elf_file__close(debug);
	}
	elf_file__close(file);
	return err;
}

static void assert_nameless_without_it(void)
{
	struct elf_functions *functions;
	struct elf_file *file;
	char *function;
	__u64 offset;

	assert_int_equal(open_made("stripped.so", &file), 0);
	assert_int_equal(elf_functions__new(file, NULL, &functions), 0);
	assert_int_equal(elf_functions__find(functions, hidden, &function, &offset), -ENOENT);
	elf_functions__free(functions);
	elf_file__close(file);
}

/* --- tests ----------------------------------------------------------------------------------- */

static void it_is_found_by_the_build_id(void **state)
{
	(void)state;
	assert_nameless_without_it();
	assert_int_equal(look("stripped.so"), -ENOENT);
	shell("cp hidden.debug $R" BY_ID);
	assert_int_equal(look("stripped.so"), 0);
	/* that has all of them itself */
	assert_int_equal(look("whole.so"), -ENOENT);
}

static void it_is_found_by_its_name_in_three_places(void **state)
{
	static const char *const places[] = { "/lib/hidden.debug", "/lib/.debug/hidden.debug",
					      "/usr/lib/debug/lib/hidden.debug" };
	char line[256];

	(void)state;
	for (int i = 0; i < 3; i++) {
		assert_int_equal(look("linked.so"), -ENOENT);
		snprintf(line, sizeof(line), "cp hidden.debug $R%s", places[i]);
		shell(line);
		assert_int_equal(look("linked.so"), 0);
		/* who has no link, does not know its name */
		assert_int_equal(look("stripped.so"), -ENOENT);
		snprintf(line, sizeof(line), "rm $R%s", places[i]);
		shell(line);
	}
}

static void a_version_is_no_part_of_a_name(void **state)
{
	struct elf_functions *functions;
	struct elf_file *file;
	char *function;
	__u64 offset;

	(void)state;
	shell("echo 'V1 { shown; };' >map;"
	      "gcc -shared -fPIC -Wl,--version-script=map -Wl,-Ttext=0x1000 -nostdlib lib.c -o versioned.so;"
	      "readelf -sW versioned.so | grep -q ' shown@@V1$'");
	assert_int_equal(open_made("versioned.so", &file), 0);
	assert_int_equal(elf_functions__new(file, NULL, &functions), 0);
	for (__u64 vaddr = 0x1000; vaddr < 0x1040; vaddr++)
		if (!elf_functions__find(functions, vaddr, &function, &offset)) {
			assert_true(!strcmp(function, "hidden") || !strcmp(function, "shown"));
			free(function);
		}
	elf_functions__free(functions);
	elf_file__close(file);
}

static void without_a_build_id_the_link_will_do(void **state)
{
	(void)state;
	shell("cp nameless.debug $R/lib");
	assert_int_equal(look("linked-nameless.so"), 0);
}

static void one_with_another_build_id_is_not_taken(void **state)
{
	(void)state;
	shell("cp other.debug $R" BY_ID);
	assert_int_equal(look("stripped.so"), -ENOENT);
	shell("cp nameless.debug $R" BY_ID);
	assert_int_equal(look("stripped.so"), -ENOENT);
	/* the right CRC makes nothing good */
	shell("cp other.debug hidden.debug.other; cp hidden.debug kept.debug;"
	      "cp other.debug hidden.debug;"
	      "objcopy --add-gnu-debuglink=hidden.debug stripped.so lying.so;"
	      "cp hidden.debug $R/lib; mv kept.debug hidden.debug");
	assert_int_equal(look("lying.so"), -ENOENT);
}

static void one_with_another_crc_is_not_taken(void **state)
{
	(void)state;
	shell("{ cat nameless.debug; printf x; } >$R/lib/nameless.debug");
	assert_int_equal(look("linked-nameless.so"), -ENOENT);
	shell("{ cat hidden.debug; printf x; } >$R/lib/hidden.debug");
	assert_int_equal(look("linked.so"), -ENOENT);
	/* the build id is better than a CRC: where that is found by it, nobody asks for more */
	shell("cp $R/lib/hidden.debug $R" BY_ID);
	assert_int_equal(look("linked.so"), 0);
}

static void a_wrong_one_does_not_hide_the_right_one(void **state)
{
	(void)state;
	shell("cp other.debug $R" BY_ID "; cp other.debug $R/lib/hidden.debug;"
	      "cp hidden.debug $R/usr/lib/debug/lib");
	assert_int_equal(look("linked.so"), 0);
}

static void one_without_symbols_is_none(void **state)
{
	(void)state;
	shell("cp stripped.so $R" BY_ID);
	assert_int_equal(look("linked.so"), -ENOENT);
	shell("cp hidden.debug $R/lib");
	assert_int_equal(look("linked.so"), 0);
}

static void what_is_no_regular_file_is_not_opened(void **state)
{
	(void)state;
	shell("mkfifo $R" BY_ID "; mkdir $R/lib/hidden.debug;"
	      "ln -s /dev/tty $R/lib/.debug/hidden.debug; mkdir $R/dev;"
	      "mkfifo $R/dev/tty; ln -s hidden.debug $R/usr/lib/debug/lib/hidden.debug");
	assert_int_equal(look("linked.so"), -ENOENT);
}

static void no_link_leads_out_of_the_root(void **state)
{
	(void)state;
	shell("ln -s $PWD/hidden.debug $R" BY_ID ";"
	      "ln -s ../../../../../../../../../../../$PWD/hidden.debug $R/lib/hidden.debug");
	assert_int_equal(look("linked.so"), -ENOENT);
	/* and one that is absolute is meant in it */
	shell("mkdir $R/store; cp hidden.debug $R/store/x; ln -sf /store/x $R" BY_ID);
	assert_int_equal(look("linked.so"), 0);
}

static void a_name_with_a_way_in_it_is_refused(void **state)
{
	(void)state;
	/* as long as the right one */
	shell("sed 's,hidden\\.debug,../../../x/y,' linked.so >leaving.so; cmp -s linked.so leaving.so && exit 1;"
	      "mkdir -p $R/x $R/usr/x; for d in x usr/x; do cp hidden.debug $R/$d/y; done");
	assert_int_equal(look("leaving.so"), -ENOENT);
}

/* --- files that are made to harm ------------------------------------------------------------- */

struct bytes {
	char *at;
	size_t size;
};

static struct bytes read_all(const char *name)
{
	struct bytes bytes;
	char path[PATH_MAX];
	struct stat st;
	int fd;

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0 && !fstat(fd, &st));
	bytes.size = (size_t)st.st_size;
	bytes.at = malloc(bytes.size);
	assert_non_null(bytes.at);
	assert_int_equal(read(fd, bytes.at, bytes.size), bytes.size);
	close(fd);
	return bytes;
}

static void write_all(const char *name, const char *at, size_t size)
{
	char path[PATH_MAX];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, at, size), size);
	close(fd);
}

static __u64 next_random(__u64 *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	return *seed;
}

/* Whatever they say, we come back. */
static void ask(const char *name, __u64 *seed)
{
	int root_fd = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct elf_file *file, *debug = NULL;
	struct elf_functions *functions;
	char *function;
	__u64 offset;

	if (!open_made(name, &file)) {
		elf_debug__open_below(file, root_fd, NAME, &debug);
		if (!elf_functions__new(file, debug, &functions)) {
			for (int i = 0; i < PROBED; i++)
				if (!elf_functions__find(functions, next_random(seed) % 0x5000,
							 &function, &offset))
					free(function);
			elf_functions__free(functions);
		}
		elf_file__close(debug);
		elf_file__close(file);
	}
	close(root_fd);
}

/* Asks with a file of @bytes, changed in many ways, as @target. */
static void ask_with_mutants(const char *from, const char *target, const char *asked)
{
	struct bytes whole = read_all(from), changed = read_all(from);
	__u64 seed = 88172645463325252ull;

	for (int i = 0; i < MUTANTS; i++) {
		memcpy(changed.at, whole.at, whole.size);
		for (int j = 0; j < CHANGES; j++) {
			/* every other one in the tables of segments and sections */
			size_t where = next_random(&seed) % (j % 2 ? whole.size : 1024);

			changed.at[j % 4 == 2 ? whole.size - 1 - where : where] =
				(char)next_random(&seed);
		}
		memcpy(changed.at, whole.at, 24); /* else it is no ELF file at all */
		write_all(target, changed.at, i % 8 ? whole.size : next_random(&seed) % whole.size);
		ask(asked, &seed);
	}
	free(whole.at);
	free(changed.at);
}

static void debug_files_with_changed_bytes_are_no_danger(void **state)
{
	(void)state;
	ask_with_mutants("hidden.debug", "root" BY_ID, "stripped.so");
}

static void stripped_files_with_changed_bytes_are_no_danger(void **state)
{
	(void)state;
	shell("cp hidden.debug $R" BY_ID "; cp hidden.debug $R/lib");
	ask_with_mutants("linked.so", "changed.so", "changed.so");
}

/* Makes all sections of @type as large as nobody wants to read. */
static void inflate(struct bytes *file, __u32 type)
{
	Elf64_Ehdr *header = (Elf64_Ehdr *)file->at;
	Elf64_Shdr *sections = (Elf64_Shdr *)(file->at + header->e_shoff);

	for (int i = 1; i < header->e_shnum; i++)
		if (sections[i].sh_type == type)
			sections[i].sh_size = 1ull << 31;
}

static void sparse(const char *from, const char *to, __u32 type)
{
	struct bytes bytes = read_all(from);
	char path[PATH_MAX];

	inflate(&bytes, type);
	write_all(to, bytes.at, bytes.size);
	free(bytes.at);
	snprintf(path, sizeof(path), "%s/%s", directory, to);
	assert_int_equal(truncate(path, 1ll << 40), 0);
}

static void files_that_promise_more_than_there_is_memory_are_not_read(void **state)
{
	static const __u32 types[] = { SHT_NOTE, SHT_PROGBITS, SHT_STRTAB, SHT_SYMTAB };
	struct rusage used;

	(void)state;
	for (int i = 0; i < 4; i++) {
		shell("rm -f $R" BY_ID " $R/lib/hidden.debug; cp hidden.debug $R/lib");
		sparse("linked.so", "promising.so", types[i]);
		look("promising.so"); /* some are of no matter here */
		sparse("hidden.debug", "root" BY_ID, types[i]);
		if (types[i] != SHT_PROGBITS)
			assert_int_equal(look("stripped.so"), -ENOENT);
		shell("mv $R" BY_ID " $R/lib/hidden.debug");
		assert_int_equal(look("linked.so"), -ENOENT);
	}
	assert_int_equal(getrusage(RUSAGE_SELF, &used), 0);
	assert_true(used.ru_maxrss < 512 << 10); /* KiB */
}

int main(void)
{
#define a_test(name) cmocka_unit_test_setup(name, new_root)
	const struct CMUnitTest tests[] = {
		a_test(it_is_found_by_the_build_id),
		a_test(it_is_found_by_its_name_in_three_places),
		a_test(a_version_is_no_part_of_a_name),
		a_test(without_a_build_id_the_link_will_do),
		a_test(one_with_another_build_id_is_not_taken),
		a_test(one_with_another_crc_is_not_taken),
		a_test(a_wrong_one_does_not_hide_the_right_one),
		a_test(one_without_symbols_is_none),
		a_test(what_is_no_regular_file_is_not_opened),
		a_test(no_link_leads_out_of_the_root),
		a_test(a_name_with_a_way_in_it_is_refused),
		a_test(debug_files_with_changed_bytes_are_no_danger),
		a_test(stripped_files_with_changed_bytes_are_no_danger),
		a_test(files_that_promise_more_than_there_is_memory_are_not_read),
	};

	return cmocka_run_group_tests(tests, make_all, remove_all);
}
