/*
 * Layer: inspector (sees base, http, proxy). One job: a captured request as a curl command for a
 * POSIX shell (INTERFACE section 4, `GET api/requests/{id}/curl`), redacted: the request as its
 * client sent it, but for what belongs to the connection and what curl has to say in its own way.
 * In steps, since its body may be large.
 */
#ifndef SIGHTGLASS_INSPECTOR_CURL_H
#define SIGHTGLASS_INSPECTOR_CURL_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buffer.h"
#include "inspector/body_windows.h"
#include "inspector/record.h"
#include "inspector/record_json.h"

enum curl_phase {
	CURL_BEGIN,
	CURL_CHECK, /* of the body: is it UTF-8? */
	CURL_LOOK,  /* has it control characters? */
	CURL_COMMENTS,
	CURL_PIPE, /* the body, where it goes through printf */
	CURL_ARGUMENTS,
	CURL_DATA, /* the body, where it is an argument */
	CURL_DONE,
};

/* A command on its way. */
struct curl {
	struct record_view *view;
	enum curl_phase phase;
	struct body_windows body;
	bool has_data; /* something is sent as the body, if only nothing */
	bool is_plain; /* the body is text that may stand in quotes */
	bool is_piped; /* it goes through printf: it is not plain, or too long for an argument */
};

/* Whether enough of the request could be read for a command. */
bool curl_is_possible(const struct record_view *view);
/* `view` lives until the end, is told what is found out about the body, and curl_is_possible(). */
void curl_begin(struct curl *curl, struct record_view *view);
/* Also in the middle; harmless where it never began. */
void curl_fini(struct curl *curl);
/*
 * Writes the next part, of about 64 KiB at most (a body's bytes may grow fourfold), and adds the
 * bytes that it went through to `*spent`. False once the command is complete.
 * `format->body_limit` has no part in it.
 */
bool curl_step(
	struct curl *curl, struct buffer *out, const struct record_format *format, size_t *spent);

#endif
