// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "output.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/log.h"
#include "options.h"
#include "report/sink.h"

struct output {
	const struct options *opts;
	const struct sink_ops *ops;
	struct sink *sink;
	FILE *out;
	int err;
};

static void take_error(struct output *output, int err)
{
	if (!err || output->err)
		return;
	output->err = err;
	if (err != -EPIPE)
		pr_err("cannot write to '%s': %s; the trace ends here, the report follows on stderr",
		       output->opts->output ? output->opts->output : "stdout", strerror(-err));
}

int output__open(const struct options *opts, struct output **ret_output)
{
	struct sink_opts sink_opts = { .verbose = opts->verbose,
				       .top = opts->top,
				       .folded = opts->folded };
	struct output *output = calloc(1, sizeof(*output));
	int err;

	if (!output)
		return -ENOMEM;
	output->opts = opts;
	output->ops = opts->folded ? &sink_folded : opts->json ? &sink_json : &sink_text;
	output->out = opts->output ? fopen(opts->output, "we") : stdout;
	err = output->out ? 0 : -errno;
	if (!err) {
		sink_opts.out = output->out;
		err = output->ops->open(&sink_opts, &output->sink);
	}
	if (err) {
		pr_err("cannot open '%s': %s", opts->output ? opts->output : "stdout",
		       strerror(-err));
		output__close(output);
		return err;
	}
	*ret_output = output;
	return 0;
}

void output__event(struct output *output, const struct event *ev)
{
	if (!output->err)
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
				       .top = output->opts->top };
	struct sink *sink;

	if (sink_text.open(&sink_opts, &sink))
		return;
	sink_text.report(sink, snap);
	sink_text.close(sink);
}

void output__report(struct output *output, const struct snapshot *snap)
{
	if (!output->err)
		take_error(output, output->ops->report(output->sink, snap));
	output__flush(output);
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
	return fileno(output->out);
}

void output__close(struct output *output)
{
	if (!output)
		return;
	if (output->sink)
		output->ops->close(output->sink);
	if (output->out && output->out != stdout)
		fclose(output->out);
	free(output);
}
