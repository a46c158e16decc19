/*
 * For the tests of the settings: loads them as the program does, from a temporary file.
 */
#include "tests/unit/load_settings.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum {
	ARGUMENTS_MAX = 32,
};

static void write_file(const char *text, char *path)
{
	int fd = mkstemp(path);
	size_t len = strlen(text);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, len), len);
	close(fd);
}

/* `text` with every `path` in it called FILE. */
static char *without_path(char *text, const char *path)
{
	size_t len = strlen(path);

	for (char *at = text; (at = strstr(at, path)) != NULL;) {
		memcpy(at, "FILE", 4);
		memmove(at + 4, at + len, strlen(at + len) + 1);
	}
	return text;
}

void load(struct loaded *loaded, const char *yaml, char *const variables[], char *const arguments[])
{
	char path[] = "/tmp/sightglass-settings-XXXXXX";
	char flag[] = "--config";
	char *argv[ARGUMENTS_MAX];
	int argc = 0;
	size_t out_size, errors_size;
	FILE *out = open_memstream(&loaded->out, &out_size);
	FILE *errors = open_memstream(&loaded->errors, &errors_size);

	assert_true(out != NULL && errors != NULL);
	while (arguments[argc] != NULL) {
		assert_true(argc + 3 < ARGUMENTS_MAX);
		argv[argc] = arguments[argc];
		argc++;
	}
	if (yaml != NULL) {
		write_file(yaml, path);
		argv[argc++] = flag;
		argv[argc++] = path;
	}
	argv[argc] = NULL;
	loaded->outcome = settings_load(argc, argv, variables, &loaded->settings, out, errors);
	(void)fclose(out);
	(void)fclose(errors);
	if (yaml != NULL) {
		unlink(path);
		without_path(loaded->errors, path);
	}
}

void unload(struct loaded *loaded)
{
	if (loaded->outcome == SETTINGS_RUN) {
		settings_fini(&loaded->settings);
	}
	free(loaded->out);
	free(loaded->errors);
}

void expect_good(const struct loaded *loaded)
{
	if (loaded->outcome == SETTINGS_BAD) {
		fail_msg("refused: %s", loaded->errors);
	}
	assert_string_equal(loaded->errors, "");
}

void expect_error(const struct loaded *loaded, const char *line)
{
	const char *at = strstr(loaded->errors, line);

	assert_int_equal(loaded->outcome, SETTINGS_BAD);
	if (at == NULL || (at > loaded->errors && at[-1] != '\n') || at[strlen(line)] != '\n') {
		fail_msg("not said: %s\nbut: %s", line, loaded->errors);
	}
}
