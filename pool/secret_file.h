/*
 * Layer: pool (sees base). One job: read a secret that is to stand in a request's field: a token,
 * or a whole field value, from its file.
 */
#ifndef SIGHTGLASS_POOL_SECRET_FILE_H
#define SIGHTGLASS_POOL_SECRET_FILE_H

#include "base/err.h"
#include "base/secret.h"

enum {
	SECRET_FILE_MAX = 64 * 1024,
};

enum secret_shape {
	SECRET_TOKEN,       /* stands behind "Bearer ": visible ASCII characters, no space */
	SECRET_FIELD_VALUE, /* RFC 9110 section 5.5: spaces and tabs within, and bytes from 0x80 */
};

/* 0, or ERR_SETTINGS and a sentence without a subject: "is empty; …". It never holds the text. */
enum err_code secret_check(struct slice text, enum secret_shape shape, struct err *err);

/*
 * What the file holds, without spaces and line ends around it (as client-go reads a token), into a
 * new `out`. 0, or ERR_SETTINGS: the sentence names the file, what is wrong and what would be
 * right, and never holds a byte of it.
 */
enum err_code secret_file_read(
	const char *path, enum secret_shape shape, struct secret *out, struct err *err);

#endif
