// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "output.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/log.h"
#include "lib/patient.h"
#include "options.h"
#include "report/sink.h"

struct output {
	const struct options *opts;
	const struct sink_ops *ops;
	struct sink *sink;
	struct patient patient; /* NULL file: it is a plain stream */
	FILE *out;
	int fd;
	int err;
	uint64_t unwritten; /* events after the error */
};

static const char *name_of(const struct options *opts)
{
	return opts->output ? opts->output : "stdout";
}

static void take_error(struct output *output, int err)
{
	if (!err || output->err)
		return;
	output->err = err;
	if (output->patient.given_up)
		pr_err("nobody reads '%s': the trace ends here, the report follows on stderr",
		       name_of(output->opts));
	else if (err != -EPIPE)
		pr_err("cannot write to '%s': %s; the trace ends here, the report follows on stderr",
		       name_of(output->opts), strerror(-err));
}

/* Its descriptor, or -errno. */
static int open_fd(const struct options *opts, struct patient_clock *clock)
{
	int fd;

	if (!opts->output)
		return STDOUT_FILENO;
	if (clock)
		return patient__open(clock, opts->output);
	fd = open(opts->output, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	return fd < 0 ? -errno : fd;
}

static int open_stream(struct output *output, struct patient_clock *clock)
{
	int err = 0;

	output->fd = open_fd(output->opts, clock);
	if (output->fd < 0)
		return output->fd;
	if (clock) {
		err = patient__init(&output->patient, clock, output->fd);
		output->out = output->patient.file;
	} else {
		output->out = output->opts->output ? fdopen(output->fd, "w") : stdout;
		err = output->out ? 0 : -errno;
	}
	return err;
}

int output__open(const struct options *opts, struct patient_clock *clock,
		 struct output **ret_output)
{
	struct sink_opts sink_opts = { .verbose = opts->verbose,
				       .top = opts->top,
				       .top_peak = opts->top_peak,
				       .folded = opts->folded };
	struct output *output = calloc(1, sizeof(*output));
	int err;

	if (!output)
		return -ENOMEM;
	output->opts = opts;
	output->ops = opts->folded ? &sink_folded : opts->json ? &sink_json : &sink_text;
	err = open_stream(output, clock);
	if (!err) {
		sink_opts.out = output->out;
		err = output->ops->open(&sink_opts, &output->sink);
	}
	if (err) {
		pr_err("cannot open '%s': %s", name_of(opts), strerror(-err));
		output__close(output);
		return err;
	}
	*ret_output = output;
	return 0;
}

void output__event(struct output *output, const struct event *ev)
{
	if (output->err)
		output->unwritten++;
	else
		take_error(output, output->ops->event(output->sink, ev));
}

void output__interval(struct output *output, const struct snapshot *snap)
{
	if (!output->err)
		take_error(output, output->ops->interval(output->sink, snap));
}

static void report_to_stderr(const struct output *output, const struct snapshot *snap)
{
	struct sink_opts sink_opts = { .out = stderr,
				       .verbose = output->opts->verbose,
				       .top = output->opts->top,
				       .top_peak = output->opts->top_peak };
	struct sink *sink;

	if (sink_text.open(&sink_opts, &sink))
		return;
	sink_text.report(sink, snap);
	sink_text.close(sink);
}

static void tell_unwritten(const struct output *output)
{
	if (output->patient.lost || output->unwritten)
		pr_warn("not written: %llu bytes of results, and %llu events after them",
			(unsigned long long)output->patient.lost,
			(unsigned long long)output->unwritten);
}

void output__report(struct output *output, const struct snapshot *snap)
{
	if (!output->err)
		take_error(output, output->ops->report(output->sink, snap));
	output__flush(output);
	if (output->err && output->err != -EPIPE)
		tell_unwritten(output);
	if (output->err && output->err != -EPIPE)
		report_to_stderr(output, snap);
}

void output__flush(struct output *output)
{
	if (!output->err)
		take_error(output, output->ops->flush(output->sink));
}

void output__hang_up(struct output *output)
{
	take_error(output, -EPIPE);
}

int output__error(const struct output *output)
{
	return output->err;
}

int output__fd(const struct output *output)
{
	return output->fd;
}

void output__close(struct output *output)
{
	if (!output)
		return;
	if (output->sink)
		output->ops->close(output->sink);
	if (output->out && !output->patient.file && output->out != stdout)
		fclose(output->out);
	patient__done(&output->patient);
	if (output->patient.clock && output->opts->output)
		close(output->fd);
	free(output);
}
