/*
 * Layer: config. One job: the kinds of values that a setting can have (config/setting.h), each read
 * from text and written back as the same text.
 */
#ifndef SIGHTGLASS_CONFIG_VALUE_H
#define SIGHTGLASS_CONFIG_VALUE_H

#include <stdint.h>

#include "base/buffer.h"
#include "base/err.h"
#include "base/slice.h"
#include "config/setting.h"

extern const struct value_type value_switch;   /* bool: on, off, true, false */
extern const struct value_type value_number16; /* uint16_t, within min and max */
extern const struct value_type value_number32; /* uint32_t */
extern const struct value_type value_size32;   /* bytes in a uint32_t */
extern const struct value_type value_size64;   /* bytes in a uint64_t */
extern const struct value_type value_duration; /* milliseconds in a uint64_t; 0 = off */
extern const struct value_type value_choice;   /* an enum, by its names */
extern const struct value_type value_text;     /* char *, owned; NULL = none */

/* The four forms, also for messages. Each reads a whole text, and writes the shortest that reads
 * the same. */

/* "65536", "64KiB", "32MiB", "1GiB", "1TiB". 0, or ERR_SETTINGS. */
enum err_code size_parse(struct slice text, uint64_t *bytes, struct err *err);
void size_format(uint64_t bytes, struct buffer *out);
/* "250ms", "10s", "5m", "1h", "0". 0, or ERR_SETTINGS. */
enum err_code duration_parse(struct slice text, uint64_t *ms, struct err *err);
void duration_format(uint64_t ms, struct buffer *out);

#endif
