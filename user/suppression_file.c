// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
#include "suppression_file.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "lib/bytes.h"
#include "lib/cleanup.h"
#include "lib/log.h"
#include "report/words.h"

enum {
	SIZE_MAX_BYTES = 16 << 20, /* of a file; one of rules is not as large */
	STEP = 4096,
	SHOWN = 80, /* bytes of a line that is wrong */
};

static int read_all(FILE *file, struct bytes *text)
{
	size_t got;

	do {
		if (text->size > SIZE_MAX_BYTES)
			return -EFBIG;
		if (bytes__reserve(text, STEP))
			return -ENOMEM;
		errno = 0;
		got = fread(text->data + text->size, 1, STEP, file);
		text->size += got;
	} while (got);
	return ferror(file) ? -(errno ? errno : EIO) : 0;
}

static int read_file(const char *path, struct bytes *text)
{
	_cleanup_fclose_ FILE *file = fopen(path, "re");
	int err = file ? read_all(file, text) : -errno;

	if (err == -EFBIG)
		pr_err("'%s' is no file of suppressions: it has more than %d MiB", path,
		       SIZE_MAX_BYTES >> 20);
	else if (err)
		pr_err("cannot read the suppressions in '%s': %s", path, strerror(-err));
	return err;
}

/* The line of that number, without its end, cut at @size - 1 bytes. */
static const char *copy_line(const struct bytes *text, unsigned int line, char *buf, size_t size)
{
	size_t used = 0;

	for (size_t i = 0; i < text->size && line; i++) {
		char c = text->data[i];

		if (c == '\n')
			line--;
		else if (line == 1 && c != '\r' && used < size - 1)
			buf[used++] = c ? c : '\1'; /* is then shown */
	}
	buf[used] = '\0';
	return buf;
}

static void complain(const char *path, const struct bytes *text, unsigned int line)
{
	char shown[SHOWN + 1], clean[3 * SHOWN + 1];

	copy_line(text, line, shown, sizeof(shown));
	pr_err("'%s', line %u: '%s' is no suppression: write leak:PATTERN", path, line,
	       words__clean(clean, sizeof(clean), shown));
}

int suppression_file__read(const char *path, struct suppressions **ret_suppressions)
{
	struct bytes text = { 0 };
	unsigned int line;
	int err = read_file(path, &text);

	if (!err) {
		err = suppressions__parse(text.data, text.size, ret_suppressions, &line);
		if (err == -EINVAL)
			complain(path, &text, line);
		else if (err)
			pr_err("cannot keep the suppressions in '%s': out of memory", path);
	}
	free(text.data);
	return err;
}
