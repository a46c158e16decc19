/*
 * Layer: base. One job: a TLS context that can be read anew from its files while connections are
 * made with it: what runs stays with the one it began with, and a file that is wrong changes
 * nothing.
 */
#ifndef SIGHTGLASS_BASE_TLS_SOURCE_H
#define SIGHTGLASS_BASE_TLS_SOURCE_H

#include "base/err.h"
#include "base/tls_context.h"

struct tls_source;

enum tls_side {
	TLS_CLIENT,
	TLS_SERVER,
};

/* Reads the files; copies `settings`. The caller ends it with tls_source_destroy(). NULL and
 * ERR_SETTINGS: see base/tls_context.h. */
struct tls_source *tls_source_create(
	enum tls_side side, const struct tls_settings *settings, struct err *err);
/* NULL is harmless. Contexts that are held live on. */
void tls_source_destroy(struct tls_source *source);

/* The context of the files as they were last read well. The caller releases it. Any thread. */
struct tls_context *tls_source_hold(struct tls_source *source);
/* Reads the files again. 0, or ERR_SETTINGS: then all stays as it was. Any thread. */
enum err_code tls_source_reload(struct tls_source *source, struct err *err);
/* Reads by other settings from now on, which are copied. 0, or ERR_SETTINGS: then all stays as it
 * was. Any thread, but one at a time with the above. */
enum err_code tls_source_replace(
	struct tls_source *source, const struct tls_settings *settings, struct err *err);

/*
 * Counts the certificates that it has shown: 1 for the first, another number once a reload brought
 * another certificate. What was opened before then has the older number in its context. Any thread,
 * no lock.
 */
uint32_t tls_source_serial(const struct tls_source *source);

#endif
