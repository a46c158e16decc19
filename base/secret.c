/*
 * Layer: base. One job: see secret.h.
 */
#include "base/secret.h"

#include "base/memory.h"

char *secret_reserve(struct secret *secret, size_t len)
{
	*secret = (struct secret){.text = mem_zalloc(len + 1), .len = len, .room = len};
	return secret->text;
}

void secret_init(struct secret *secret, struct slice text)
{
	char *copy = secret_reserve(secret, text.len);

	if (text.len > 0) { /* memcpy from NULL is undefined even for no bytes */
		memcpy(copy, text.ptr, text.len);
	}
}

void secret_fini(struct secret *secret)
{
	mem_wipe(secret->text, secret->room);
	mem_free(secret->text);
	*secret = SECRET_INIT;
}
