/*
 * Layer: inspector (sees base). One job: hide what is secret in a form (application/x-www-form-
 * urlencoded), which comes in slices: the values of secret names, and in all others what is secret
 * in them once they are decoded. What is shown stays encoded as it came.
 */
#ifndef SIGHTGLASS_INSPECTOR_REDACT_FORM_H
#define SIGHTGLASS_INSPECTOR_REDACT_FORM_H

#include <stdbool.h>

#include "base/buffer.h"
#include "base/slice.h"
#include "inspector/redact.h"

struct redact_form; /* opaque */

/* `redactor` outlives it. Never NULL. */
struct redact_form *redact_form_create(const struct redactor *redactor);
void redact_form_destroy(struct redact_form *form);
/* As those of redact_body.h. */
void redact_form_add(struct redact_form *form, struct slice bytes, struct buffer *out);
void redact_form_end(struct redact_form *form, bool cut, struct buffer *out);
bool redact_form_hid(const struct redact_form *form);

#endif
