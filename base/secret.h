/*
 * Layer: base. One job: text that is overwritten before its memory goes back to the heap: tokens,
 * passwords, keys.
 */
#ifndef SIGHTGLASS_BASE_SECRET_H
#define SIGHTGLASS_BASE_SECRET_H

#include "base/slice.h"

struct secret {     /* all zero is no text */
	char *text; /* NUL-terminated; NULL where there is none */
	size_t len;
	size_t room; /* bytes to overwrite, the NUL's not counted */
};

#define SECRET_INIT ((struct secret){.text = NULL})

/* Copies `text`. */
void secret_init(struct secret *secret, struct slice text);
/* `len` bytes and a NUL, all zero: the caller writes there, and may lower `len` afterwards. */
char *secret_reserve(struct secret *secret, size_t len);
/* Overwrites and frees all of it; what is left is no text. */
void secret_fini(struct secret *secret);

static inline struct slice secret_slice(const struct secret *secret)
{
	return slice_of(secret->text, secret->len);
}

#endif
