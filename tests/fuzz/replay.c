/*
 * fuzz_replay CORPUS: runs every file of CORPUS/head, CORPUS/body and so on through its check: what
 * a fuzzer once found stays found, also where there is no fuzzer.
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/buffer.h"
#include "tests/fuzz/check.h"

enum {
	PATH_SIZE = 4096,
};

static bool read_file(const char *path, struct buffer *out)
{
	FILE *file = fopen(path, "rb");
	size_t got;

	buffer_clear(out);
	if (file == NULL) {
		perror(path);
		return false;
	}
	while ((got = fread(buffer_reserve(out, 4096), 1, 4096, file)) > 0) {
		out->len += got;
	}
	fclose(file);
	return true;
}

/* How many files were run; below 0 where one could not be read. */
static int replay(const char *corpus, const char *name, void (*check)(struct slice input))
{
	struct buffer input = BUFFER_INIT;
	char path[PATH_SIZE];
	struct dirent *entry;
	int count = 0;
	DIR *folder;

	snprintf(path, sizeof(path), "%s/%s", corpus, name);
	folder = opendir(path);
	if (folder == NULL) {
		perror(path);
		return -1;
	}
	while (count >= 0 && (entry = readdir(folder)) != NULL) {
		if (entry->d_name[0] == '.') {
			continue;
		}
		snprintf(path, sizeof(path), "%s/%s/%s", corpus, name, entry->d_name);
		if (!read_file(path, &input)) {
			count = -1;
			break;
		}
		fprintf(stderr, "%s\n", path); /* the last one named is the one that broke */
		check(buffer_slice(&input));
		count++;
	}
	closedir(folder);
	buffer_fini(&input);
	return count;
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*check)(struct slice input);
	} checks[] = {
		{"head", check_head},
		{"body", check_body},
		{"target", check_target},
		{"tls", check_tls},
		{"websocket", check_websocket},
		{"event_stream", check_event_stream},
		{"redact_body", check_redact_body},
		{"decode", check_decode},
	};

	if (argc != 2) {
		fprintf(stderr, "usage: fuzz_replay CORPUS\n");
		return 2;
	}
	for (size_t i = 0; i < sizeof(checks) / sizeof(checks[0]); i++) {
		if (replay(argv[1], checks[i].name, checks[i].check) <= 0) {
			fprintf(stderr, "no corpus in %s/%s\n", argv[1], checks[i].name);
			return 1;
		}
	}
	return 0;
}
