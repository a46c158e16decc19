/*
 * Layer: inspector (sees base, http, proxy). One job: a record as an entry of a HAR (har.h), in
 * steps, since its bodies may be large.
 */
#ifndef SIGHTGLASS_INSPECTOR_HAR_ENTRY_H
#define SIGHTGLASS_INSPECTOR_HAR_ENTRY_H

#include <stdbool.h>
#include <stddef.h>

#include "base/json.h"
#include "inspector/body_windows.h"
#include "inspector/record.h"
#include "inspector/record_json.h"

enum har_phase {
	HAR_REQUEST_HEAD,
	HAR_REQUEST_CHECK, /* of the body: is it text? */
	HAR_REQUEST_TEXT,
	HAR_REQUEST_PARAMS, /* the same once more, where it is a form */
	HAR_RESPONSE_HEAD,
	HAR_RESPONSE_CHECK,
	HAR_RESPONSE_TEXT,
	HAR_DONE,
};

/* An entry on its way. */
struct har_entry {
	struct record_view *view;
	enum har_phase phase;
	struct body_windows body;
	bool in_text;  /* its string was begun, */
	bool in_form;  /* or, where it is a form, the array of its parameters; */
	bool in_pair;  /* in it an object, */
	bool in_value; /* and in it the value */
};

/* `view` lives until the end, and is told of its bodies what is found out. */
void har_entry_begin(struct har_entry *entry, struct record_view *view);
/* Also in the middle; harmless where it never began. */
void har_entry_fini(struct har_entry *entry);
/*
 * Writes the next part, mostly below 64 KiB, at most some 150 KiB (a body's bytes may grow sixfold
 * by escapes, and twelvefold in a form), and adds the bytes that it went through to `*spent`. False
 * once the entry is complete.
 */
bool har_entry_step(struct har_entry *entry, struct json *json, const struct record_format *format,
	size_t *spent);

#endif
