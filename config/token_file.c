/*
 * Layer: config. One job: the file that holds a token.
 */
#include "config/token_file.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "config/check_text.h"
#include "config/problems.h"

enum {
	TOKEN_FILE_MAX = 4096,
};

enum err_code token_file_read(const char *path, char **token, struct err *err)
{
	char text[TOKEN_FILE_MAX + 1];
	char shown[QUOTED_SIZE];
	FILE *file = fopen(path, "re");
	size_t len = 0;
	bool failed = file == NULL;
	int error = errno;

	if (!failed) {
		len = fread(text, 1, sizeof(text), file);
		failed = ferror(file) != 0;
		error = errno;
		(void)fclose(file);
	}
	if (failed) {
		return err_set(err, ERR_SETTINGS,
			"%s cannot be read: %s; give a file that holds the token",
			quoted(slice_str(path), shown), strerror(error));
	}
	if (len > TOKEN_FILE_MAX) {
		return err_set(err, ERR_SETTINGS,
			"%s has more than %d bytes; give a file that holds the token and nothing "
			"else",
			quoted(slice_str(path), shown), TOKEN_FILE_MAX);
	}
	while (len > 0 && (text[len - 1] == '\n' || text[len - 1] == '\r')) {
		len--;
	}
	if (check_token(slice_of(text, len), err) != ERR_NONE) {
		return ERR_SETTINGS;
	}
	text[len] = '\0';
	*token = mem_strdup(text);
	return ERR_NONE;
}
