/*
 * Layer: config. One job: see yaml_file.h.
 */
#include "config/yaml_file.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static void complain(void *context, unsigned line, const char *key, const char *sentence)
{
	problems_add(
		context, (struct place){.source = SOURCE_FILE, .line = line}, key, "%s", sentence);
}

void yaml_file_parse(struct yaml *yaml, struct slice text, struct problems *problems)
{
	struct yaml_rules rules = {
		.bytes_max = YAML_FILE_MAX,
		.depth_max = YAML_FILE_DEPTH_MAX,
		.keys_max = YAML_FILE_KEYS_MAX,
		.example = "listen: [\":8080\"]",
		.complain = complain,
		.context = problems,
	};

	yaml_read(yaml, text, &rules);
}

/* All of a file, at most a byte more than may be. False, with errno, where it cannot be read. */
static bool read_file(const char *path, struct buffer *out)
{
	FILE *file = fopen(path, "re");
	bool good;

	if (file == NULL) {
		return false;
	}
	out->len = fread(buffer_reserve(out, YAML_FILE_MAX + 1), 1, YAML_FILE_MAX + 1, file);
	good = ferror(file) == 0;
	if (!good) {
		int error = errno;

		(void)fclose(file);
		errno = error;
		return false;
	}
	(void)fclose(file);
	return true;
}

void yaml_file_load(struct yaml *yaml, struct problems *problems)
{
	struct place whole = {.source = SOURCE_FILE, .line = 0};
	struct buffer bytes = BUFFER_INIT;

	*yaml = (struct yaml){.root = NULL};
	if (!read_file(problems->file, &bytes)) {
		problems_add(problems, whole, NULL,
			"it cannot be read: %s; give a YAML file with --config", strerror(errno));
	} else if (bytes.len > YAML_FILE_MAX) {
		problems_add(problems, whole, NULL, "it has more than 4 MiB; give a smaller file");
	} else {
		yaml_file_parse(yaml, buffer_slice(&bytes), problems);
	}
	buffer_fini(&bytes);
}
