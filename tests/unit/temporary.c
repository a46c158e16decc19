/*
 * Files of a test.
 */
#include "tests/unit/temporary.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static void expect(bool good, const char *what)
{
	if (!good) {
		perror(what);
		abort();
	}
}

void temporary_init(struct temporary *temporary)
{
	*temporary = (struct temporary){.directory = "/tmp/sightglass-test-XXXXXX"};
	expect(mkdtemp(temporary->directory) != NULL, "mkdtemp");
}

void temporary_fini(struct temporary *temporary)
{
	char path[TEMPORARY_PATH_SIZE];

	while (temporary->count > 0) {
		const char *name = temporary->names[--temporary->count];

		expect(remove(temporary_path(temporary, name, path)) == 0, name);
	}
	expect(remove(temporary->directory) == 0, temporary->directory);
}

const char *temporary_path(
	const struct temporary *temporary, const char *name, char out[static TEMPORARY_PATH_SIZE])
{
	int len = snprintf(out, TEMPORARY_PATH_SIZE, "%s/%s", temporary->directory, name);

	expect(len > 0 && len < TEMPORARY_PATH_SIZE, "a path that fits");
	return out;
}

/* True where it was not there yet. */
static bool remember(struct temporary *temporary, struct slice name)
{
	for (size_t i = 0; i < temporary->count; i++) {
		if (slice_equal(slice_str(temporary->names[i]), name)) {
			return false;
		}
	}
	expect(temporary->count < TEMPORARY_FILES_MAX && name.len < TEMPORARY_PATH_SIZE,
		"room for a file");
	memcpy(temporary->names[temporary->count++], name.ptr, name.len);
	return true;
}

void temporary_write(struct temporary *temporary, const char *name, struct slice bytes)
{
	const char *slash = strchr(name, '/');
	char path[TEMPORARY_PATH_SIZE];
	FILE *file;

	if (slash != NULL && remember(temporary, slice_of(name, (size_t)(slash - name)))) {
		(void)temporary_path(temporary, temporary->names[temporary->count - 1], path);
		expect(mkdir(path, 0700) == 0, path);
	}
	(void)remember(temporary, slice_str(name));
	file = fopen(temporary_path(temporary, name, path), "we");
	expect(file != NULL, path);
	expect(bytes.len == 0 || fwrite(bytes.ptr, 1, bytes.len, file) == bytes.len, path);
	expect(fclose(file) == 0, path);
}
