/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * What the driver knows of its meshes and tensors, and what a tracer should see of them: NDJSON
 * with the names of tttrace's contract. A line holds what is certain: a tracer may say more of an
 * event, but not something else. Nothing here calls the runtime.
 */
#ifndef STANDIN_EXPECT_H
#define STANDIN_EXPECT_H

#include <cstdio>
#include <functional>
#include <list>
#include <map>
#include <string>
#include <unistd.h>
#include <vector>

#include "standin.h"

extern const char *const type_names[standin::NUM_TYPES];
extern FILE *expect_out;

struct Mesh {
	standin::Mesh *handle = nullptr; /* nullptr: its last reference is gone */
	int id = -1;
	std::vector<int> chips;
	Mesh *parent = nullptr;
	bool open = true;
};

struct Tensor {
	enum State { LIVE, SUPPRESSED, BULK_FREED, CLOSED, FREED };

	standin::Tensor *handle = nullptr;
	standin::AllocArgs args;
	standin::Facts facts = {};
	Mesh *mesh = nullptr;
	const char *kind = "view";
	State state = LIVE;
	bool robbed = false; /* its memory went with the free of another buffer */
	pid_t pid = getpid();

	bool is_in(const Mesh *m, int chip) const { return mesh == m && args.chip == chip; }
	/* Its memory is its own still, as far as the program can know. */
	bool is_held() const { return (state == LIVE || state == SUPPRESSED) && facts.footprint; }
	void set_kind();
};

/* One line of output, written when it goes out of scope. */
class Line {
	std::string text_;

public:
	explicit Line(const char *event);
	Line(const Line &) = delete;
	~Line();
	Line &raw(const char *key, const std::string &value);
	Line &num(const char *key, uint64_t value) { return raw(key, std::to_string(value)); }
	Line &str(const char *key, const std::string &s) { return raw(key, '"' + s + '"'); }
	/* @chip: index in @mesh; -1: all of it */
	Line &device(const Mesh &mesh, int chip);
	Line &spec(const Mesh &mesh, const standin::AllocArgs &args);
	/*
	 * Of a buffer of size 0 no probe sees the pointer while it is made; and what occupies
	 * nothing has no footprint.
	 */
	Line &tensor(const Tensor &t, bool pointer = true, bool has_memory = true);
};

class Books {
public:
	std::map<std::string, Mesh> meshes;
	std::map<std::string, Tensor> tensors;
	std::list<Tensor> ghosts; /* occupied still, but nobody can free them any more */
	bool captured = false;	  /* by a graph capture of the whole process: generation 1 */

	void each(const std::function<void(Tensor &)> &visit);
	/* What leaks now; or with a signal, which gives no chance to free it, ends with the
	 * process. */
	void leaks(const std::function<bool(const Tensor &)> &which, bool killed = false);
	void leaks(bool killed = false)
	{
		leaks([](const Tensor &) { return true; }, killed);
	}
	/* All memory of one allocator goes at once. */
	void take_back(const Mesh *mesh, int chip, Tensor::State state);
	void open(const Mesh &mesh);
	void close(Mesh *mesh);
	void allocated(const Tensor &t);
	/* An exception came out of alloc(): begun at @point, or for want of memory. */
	void not_allocated(const Tensor &t, const std::string &point);
	/* A free that goes all its way through deallocate_impl. @capturing: on this thread */
	void freed(Tensor &t, bool capturing);
	/* One that is broken off by an exception: the memory stays. */
	void not_freed(const Tensor &t) { print_free(t, "suppressed"); }

private:
	const char *class_of_free(Tensor &t, bool capturing);
	void print_free(const Tensor &t, const char *free_class);
	void close_allocator(const Mesh *mesh, int chip);
	bool is_last_of_its_chips(const Mesh *mesh);
};

#endif
