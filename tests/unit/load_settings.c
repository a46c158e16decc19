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

#include "base/memory.h"

enum {
	WORDS_MAX = 64,
};

const char settings_everything[] =
	"listen: [\"127.0.0.1:0\", \"unix:/tmp/in.sock\"]\n"
	"workers: 3\n"
	"trusted_proxies: [loopback, 10.0.0.0/8]\n"
	"request_id: {header: X-Correlation-ID, inbound: replace}\n"
	"limits: {connections: 500, header_bytes: 8KiB, headers: 50, body_bytes: 10MiB}\n"
	"timeouts: {header: 1s, body: 2s, send: 3s, keep_alive: 4s, drain: 0}\n"
	"upstreams:\n"
	"  - name: api\n"
	"    url: http://127.0.0.1:8000/base\n"
	"    pool: {max_connections: 5, max_idle: 2, idle_timeout: 6s, max_age: 7m, queue: 8, "
	"queue_timeout: 900ms}\n"
	"    timeouts: {connect: 1s, first_byte: 2s, idle: 3s, total: 1h}\n"
	"    breaker: {failures: 7, open: 90s}\n"
	"  - {name: jobs, url: \"unix:/run/jobs.sock\"}\n"
	"routes:\n"
	"  - {prefix: /api/jobs, upstream: jobs}\n"
	"  - {prefix: /api/me*, methods: [GET, HEAD, DELETE], capture: row, timeouts: {total: 0}}\n"
	"inspector:\n"
	"  enabled: true\n"
	"  prefix: /_i/\n"
	"  listen: [\"127.0.0.1:9\"]\n"
	"  token: abc.DEF-123\n"
	"  capture: {entries: 10, memory: 1MiB, body: 0, rows: 20}\n"
	"  redact: {headers: [X-Secret-*, X-Own], query: [session], json: [pin_code], mode: tag}\n"
	"  allow_hosts: [\"dashboard.example:8080\"]\n"
	"  allow_origins: [\"https://dashboard.example\"]\n"
	"  frame_ancestors: [self, \"http://localhost:3000\"]\n"
	"log: {format: json, level: warn, access: off}\n";

static void write_file(const char *text, char *path)
{
	int fd = mkstemp(path);
	size_t len = strlen(text);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, len), len);
	close(fd);
}

/* `text` with every `path` in it called FILE, which is shorter. */
static void call_file(char *text, const char *path)
{
	static const struct slice name = SLICE_INIT("FILE");
	size_t len = strlen(path);

	for (char *at = text; (at = strstr(at, path)) != NULL; at += name.len) {
		memmove(at + name.len, at + len, strlen(at + len) + 1);
		memcpy(at, name.ptr, name.len);
	}
}

/* As main() gets them: words that may be written to. */
static void copy_words(const char *const words[], char *copies[], int *count)
{
	*count = 0;
	while (words[*count] != NULL) {
		assert_true(*count < WORDS_MAX);
		copies[*count] = mem_strdup(words[*count]);
		(*count)++;
	}
	copies[*count] = NULL;
}

static void free_words(char *copies[])
{
	for (size_t i = 0; copies[i] != NULL; i++) {
		mem_free(copies[i]);
	}
}

void load(struct loaded *loaded, const char *yaml, const char *const variables[],
	const char *const arguments[])
{
	char path[] = "/tmp/sightglass-settings-XXXXXX";
	char *argv[WORDS_MAX + 3], *environment[WORDS_MAX + 1];
	int argc, count;
	size_t out_size, errors_size;
	FILE *out = open_memstream(&loaded->out, &out_size);
	FILE *errors = open_memstream(&loaded->errors, &errors_size);

	assert_true(out != NULL && errors != NULL);
	copy_words(arguments, argv, &argc);
	copy_words(variables, environment, &count);
	if (yaml != NULL) {
		write_file(yaml, path);
		argv[argc++] = mem_strdup("--config");
		argv[argc++] = mem_strdup(path);
		argv[argc] = NULL;
	}
	loaded->outcome = settings_load(argc, argv, environment, &loaded->settings, out, errors);
	free_words(argv); /* the settings must not live on them */
	free_words(environment);
	(void)fclose(out);
	(void)fclose(errors);
	if (yaml != NULL) {
		unlink(path);
		call_file(loaded->errors, path);
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
