/*
 * Layer: base. One job: see name_files.h. What is wrong in a file is passed over, as the C library
 * and c-ares do: an option of another day, a number that is none.
 */
#include "base/name_files.h"

#include <stdlib.h>

#include "base/small_file.h"

enum {
	RESOLV_CONF_MAX = 64 * 1024,
	HOSTS_MAX = 1024 * 1024,
};

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

/* Takes the next word off `*rest`; false at its end. */
static bool next_word(struct slice *rest, struct slice *word)
{
	size_t start = 0;
	size_t end;

	while (start < rest->len && is_blank(rest->ptr[start])) {
		start++;
	}
	end = start;
	while (end < rest->len && !is_blank(rest->ptr[end])) {
		end++;
	}
	*word = slice_of(rest->ptr + start, end - start);
	*rest = slice_of(rest->ptr + end, rest->len - end);
	return word->len > 0;
}

/* Takes the next line off `*rest`, without its end; false where nothing is left. */
static bool next_line(struct slice *rest, struct slice *line)
{
	size_t end = 0;

	if (rest->len == 0) {
		return false;
	}
	while (end < rest->len && rest->ptr[end] != '\n') {
		end++;
	}
	*line = slice_of(rest->ptr, end);
	end += end < rest->len ? 1 : 0;
	*rest = slice_of(rest->ptr + end, rest->len - end);
	return true;
}

/* The number behind `name`, at least 1, or `otherwise`. */
static int number_of(struct slice word, struct slice name, int max, int otherwise)
{
	uint64_t number;

	if (!slice_starts_with(word, name) ||
		!slice_to_u64(
			slice_of(word.ptr + name.len, word.len - name.len), UINT32_MAX, &number)) {
		return otherwise;
	}
	if (number == 0) {
		return 1;
	}
	return number < (uint64_t)max ? (int)number : max;
}

/* One line of options, without that word. */
static void read_options_line(struct slice line, struct name_options *options)
{
	struct slice word;

	while (next_word(&line, &word)) {
		options->timeout_ms =
			1000 * number_of(word, SLICE("timeout:"), NAME_FILES_TIMEOUT_MAX_MS / 1000,
				       options->timeout_ms / 1000);
		options->attempts = number_of(
			word, SLICE("attempts:"), NAME_FILES_ATTEMPTS_MAX, options->attempts);
	}
}

void name_files_read_options(struct slice text, struct name_options *options)
{
	struct slice line;
	struct slice word;

	while (next_line(&text, &line)) {
		if (next_word(&line, &word) && slice_equal(word, SLICE("options"))) {
			read_options_line(line, options);
		}
	}
}

void name_files_load_options(struct name_options *options)
{
	struct secret text = SECRET_INIT;
	struct err err = ERR_INIT;
	const char *environment = getenv("RES_OPTIONS");

	*options = (struct name_options){NAME_FILES_TIMEOUT_MS, NAME_FILES_ATTEMPTS};
	if (small_file_read(NAME_FILES_RESOLV_CONF, RESOLV_CONF_MAX, &text, &err) == ERR_NONE) {
		name_files_read_options(secret_slice(&text), options);
	}
	secret_fini(&text);
	if (environment != NULL) {
		read_options_line(slice_str(environment), options);
	}
}

bool name_files_has_host(struct slice text, struct slice name)
{
	struct slice line;
	struct slice word;

	while (next_line(&text, &line)) {
		const char *comment = slice_find(line, SLICE("#"));

		if (comment != NULL) {
			line.len = (size_t)(comment - line.ptr);
		}
		(void)next_word(&line, &word); /* the address */
		while (next_word(&line, &word)) {
			if (slice_equal_nocase(word, name)) {
				return true;
			}
		}
	}
	return false;
}

bool name_files_know(struct slice name)
{
	struct secret text = SECRET_INIT;
	struct err err = ERR_INIT;
	bool known = small_file_read(NAME_FILES_HOSTS, HOSTS_MAX, &text, &err) != ERR_NONE ||
		     name_files_has_host(secret_slice(&text), name);

	secret_fini(&text);
	return known;
}
