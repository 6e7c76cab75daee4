// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * ttdriver: a program that uses a stand-in runtime as a script tells it, and prints what a tracer
 * should see of it (expect.h). `total` compares its books with the allocator's own view.
 *
 *	ttdriver [-o FILE] [-l LIBRARY] [COMMAND...]
 *
 * Commands are read from stdin when none are given; the table at the end lists them. With -o the
 * expected events are appended to FILE instead of stdout.
 */
#include <csignal>
#include <cstdlib>
#include <deque>
#include <dlfcn.h>
#include <semaphore>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <thread>

#include "driver.h"

const standin::Api *api;
Books books;
std::string armed;
thread_local bool capturing;

static std::deque<std::string> script;
static bool from_stdin;

static void run_line(const std::string &line);

void die(const std::string &what)
{
	fprintf(stderr, "ttdriver: %s\n", what.c_str());
	_exit(2);
}

static Words split(const std::string &line)
{
	size_t at = line.find_first_not_of(" \t");
	Words w;

	while (at != line.npos && line[at] != '#') {
		size_t end = line.find_first_of(" \t", at);

		w.push_back(line.substr(at, end - at));
		at = line.find_first_not_of(" \t", end);
	}
	return w;
}

std::string join(const Words &w, size_t from)
{
	std::string line;

	for (size_t i = from; i < w.size(); i++)
		line += (i > from ? " " : "") + w[i];
	return line;
}

/* --- processes and threads ------------------------------------------------------------------- */

static int parse_status(const Words &w)
{
	return w.size() > 1 ? atoi(w[1].c_str()) : 0;
}

/* As a program that ends in good order: its meshes go, then what is left of its tensors. */
static void cmd_exit(const Words &w)
{
	for (auto &[name, mesh] : books.meshes)
		if (mesh.handle)
			cmd_drop({ "drop", name });
	while (!books.tensors.empty())
		cmd_free({ "free", books.tensors.begin()->first });
	Line("process_exit").num("exit_code", parse_status(w));
	exit(parse_status(w));
}

static void cmd_exit_now(const Words &w)
{
	books.leaks();
	Line("process_exit").num("exit_code", parse_status(w));
	_exit(parse_status(w));
}

static void cmd_kill(const Words &w)
{
	books.leaks(true);
	Line("process_exit").num("signal", parse_status(w));
	kill(getpid(), parse_status(w));
}

static void cmd_exec(const Words &w)
{
	std::vector<char *> argv;

	for (size_t i = 1; i < w.size(); i++)
		argv.push_back(const_cast<char *>(w[i].c_str()));
	argv.push_back(nullptr);
	books.leaks();
	execv(argv[0], argv.data());
	die("cannot execute " + w[1]);
}

/* From stdin without a buffer: what follows may be another reader's. */
static bool read_line(std::string &line)
{
	ssize_t n;
	char c;

	line.clear();
	while ((n = read(STDIN_FILENO, &c, 1)) == 1 && c != '\n')
		line += c;
	return n == 1 || !line.empty();
}

static bool next_line(std::string &line)
{
	if (script.empty())
		return from_stdin && read_line(line);
	line = script.front();
	script.pop_front();
	return true;
}

static void cmd_wait(const Words &w)
{
	std::string line;

	Line("sync").str("text", join(w, 1));
	read_line(line);
}

static void cmd_fork(const Words &)
{
	std::deque<std::string> lines;
	std::string line;
	pid_t parent = getpid(), pid;

	while (next_line(line) && line != "end")
		lines.push_back(line);
	pid = fork();
	if (pid) {
		waitpid(pid, nullptr, 0);
		return;
	}
	Line("process_start").num("parent", parent);
	for (const std::string &l : lines)
		run_line(l);
	cmd_exit_now({ "_exit" });
}

/* A thread that runs one command at a time, until the process ends. */
class Worker {
	std::string line_;
	std::binary_semaphore begin_{ 0 }, done_{ 0 };
	std::thread thread_{ [this] {
		for (begin_.acquire(); line_ != "end"; begin_.acquire()) {
			run_line(line_);
			done_.release();
		}
	} };

public:
	void run(const std::string &line)
	{
		line_ = line;
		begin_.release();
		done_.acquire();
	}

	~Worker()
	{
		line_ = "end";
		begin_.release();
		thread_.join();
	}
};

static void cmd_in(const Words &w)
{
	static std::map<std::string, Worker> workers;

	workers[w[1]].run(join(w, 2));
}

static void at_once(size_t n, const std::function<void(size_t)> &work)
{
	std::vector<std::thread> threads;

	for (size_t i = 0; i < n; i++)
		threads.emplace_back(work, i);
	for (std::thread &thread : threads)
		thread.join();
}

/* Each thread allocates COUNT buffers, and frees those of the next one. */
static void cmd_threads(const Words &w)
{
	size_t n = atoi(w[1].c_str()), count = atoi(w[2].c_str());
	std::vector<std::vector<Tensor>> all(n);
	Mesh *mesh = find_mesh(w[3]);

	at_once(n, [&](size_t i) {
		for (size_t k = 0; k < count; k++) {
			Tensor t;

			t.mesh = mesh;
			t.args.size = 2048 * (k % 7 + 1);
			t.args.page_size = 2048;
			if (try_alloc(t))
				all[i].push_back(t);
		}
	});
	at_once(n, [&](size_t i) {
		for (Tensor &t : all[(i + 1) % n]) {
			books.freed(t, false);
			api->release(t.handle, false);
		}
	});
}

/* --- the rest -------------------------------------------------------------------------------- */

static void cmd_load(const Words &w)
{
	void *library = dlopen(w[1].c_str(), RTLD_NOW | RTLD_LOCAL);
	void *entry = library ? dlsym(library, "standin_api") : nullptr;

	if (!entry)
		die(dlerror());
	api = ((const standin::Api *(*)())entry)();
}

static void cmd_capture(const Words &w)
{
	api->capture(w[1] == "on");
	(api->generation == 1 ? books.captured : capturing) = w[1] == "on";
}

static void cmd_throw(const Words &w)
{
	armed = w[1];
	api->arm(armed.c_str());
}

static void cmd_times(const Words &w)
{
	for (int i = 0; i < atoi(w[1].c_str()); i++) {
		std::string line = join(w, 2);

		for (size_t at; (at = line.find('%')) != line.npos;)
			line.replace(at, 1, std::to_string(i));
		run_line(line);
	}
}

static void cmd_pause(const Words &w)
{
	usleep(atof(w[1].c_str()) * 1e6);
}

/* As allocators of host memory do: address space that nothing is behind yet, each part guarded. */
static void cmd_reserve(const Words &w)
{
	size_t size = strtoull(w[2].c_str(), nullptr, 0) << 30, guard = 4096;

	for (int i = 0; i < atoi(w[1].c_str()); i++) {
		void *p = mmap(nullptr, size + 2 * guard, PROT_NONE,
			       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

		if (p == MAP_FAILED || mprotect((char *)p + guard, size, PROT_READ | PROT_WRITE))
			die("cannot reserve so much");
	}
}

static void cmd_rename(const Words &w)
{
	if (rename(w[1].c_str(), w[2].c_str()))
		die("cannot rename " + w[1]);
}

static void cmd_name(const Words &w)
{
	prctl(PR_SET_NAME, w[1].c_str());
}

static const struct command {
	const char *name;
	size_t least; /* words that must follow */
	void (*run)(const Words &);
	const char *usage;
} commands[] = {
	{ "load", 1, cmd_load, "LIBRARY: map it now" },
	{ "open", 2, cmd_open,
	  "MESH CHIPS [first=CHIP] [system=BYTES] [align=BYTES] [TYPE=BYTES]" },
	{ "submesh", 4, cmd_submesh, "MESH PARENT FIRST COUNT" },
	{ "close", 1, cmd_close, "MESH" },
	{ "drop", 1, cmd_drop, "MESH: its last reference" },
	{ "alloc", 5, cmd_alloc,
	  "NAME MESH[/CHIP] TYPE SIZE PAGE [topdown] [at=ADDRESS] [height|width|block=CORES]" },
	{ "free", 1, cmd_free, "NAME: its last reference" },
	{ "dealloc", 1, cmd_dealloc, "NAME: DeallocateBuffer, the object lives on" },
	{ "oom", 1, cmd_oom, "MESH[/CHIP] [TYPE [SIZE]]" },
	{ "bulk", 1, cmd_bulk, "MESH[/CHIP] [deallocate_buffers|clear|override_state]" },
	{ "program", 3, cmd_program,
	  "MESH[/CHIP] circular|dataflow X0-Y0-X1-Y1[+X0-...]:ADDRESS:SIZE ..." },
	{ "total", 1, cmd_total, "MESH[/CHIP]: compare, and print what is occupied" },
	{ "capture", 1, cmd_capture, "on|off: a graph capture without dispatch, on this thread" },
	{ "throw", 1, cmd_throw, "PROBE: an exception there, during the next command" },
	{ "in", 2, cmd_in, "THREAD COMMAND" },
	{ "threads", 3, cmd_threads, "N COUNT MESH: allocate and free across each other" },
	{ "times", 2, cmd_times, "N COMMAND, in which % is the number" },
	{ "fork", 0, cmd_fork, "run the lines up to `end` in a child, which then ends by _exit" },
	{ "exec", 1, cmd_exec, "PATH ARGUMENTS" },
	{ "exit", 0, cmd_exit, "[STATUS]: in good order; so ends every script" },
	{ "_exit", 0, cmd_exit_now, "[STATUS]" },
	{ "kill", 1, cmd_kill, "SIGNAL" },
	{ "reserve", 2, cmd_reserve, "TIMES GIBIBYTES: of address space" },
	{ "rename", 2, cmd_rename, "OLD NEW" },
	{ "name", 1, cmd_name, "NAME: of this thread; the first one's is that of the process" },
	{ "pause", 1, cmd_pause, "SECONDS" },
	{ "wait", 0, cmd_wait, "[TEXT]: print a `sync` event, read a line from stdin" },
};

static void run_line(const std::string &line)
{
	Words w = split(line);
	bool was_armed = !armed.empty();

	if (w.empty())
		return;
	for (const command &c : commands) {
		if (w[0] != c.name)
			continue;
		if (w.size() <= c.least)
			die(w[0] + " " + c.usage);
		c.run(w);
		if (was_armed) {
			api->arm(nullptr);
			armed.clear();
		}
		return;
	}
	die("no such command: " + line);
}

static void usage()
{
	fprintf(stderr, "usage: ttdriver [-o FILE] [-l LIBRARY] [COMMAND...]\n");
	for (const command &c : commands)
		fprintf(stderr, "  %s %s\n", c.name, c.usage);
	exit(2);
}

int main(int argc, char **argv)
{
	std::string line;
	int opt;

	while ((opt = getopt(argc, argv, "+o:l:")) != -1) {
		if (opt == 'o')
			expect_out = fopen(optarg, "ae");
		else if (opt == 'l')
			cmd_load({ "load", optarg });
		else
			usage();
	}
	if (!expect_out)
		die("cannot write the file of -o");
#ifdef STANDIN_LINKED
	api = standin_api();
#endif
	script.assign(argv + optind, argv + argc);
	from_stdin = script.empty();
	Line("process_start").num("parent", getppid());
	while (next_line(line))
		run_line(line);
	cmd_exit({ "exit" });
}
