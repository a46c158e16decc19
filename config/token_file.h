/*
 * Layer: config. One job: read a token from its file.
 */
#ifndef SIGHTGLASS_CONFIG_TOKEN_FILE_H
#define SIGHTGLASS_CONFIG_TOKEN_FILE_H

#include "base/err.h"

/* The file's text without line ends behind it, into a new `*token`. 0, or ERR_SETTINGS with a
 * sentence that never holds the text; `*token` is then left alone. */
enum err_code token_file_read(const char *path, char **token, struct err *err);

#endif
