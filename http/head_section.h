/*
 * Layer: http (private to head_reader). One job: what the reading of a section and the arrival of
 * its bytes say to each other.
 */
#ifndef SIGHTGLASS_HTTP_HEAD_SECTION_H
#define SIGHTGLASS_HTTP_HEAD_SECTION_H

#include "http/head_reader.h"

enum phase {
	PHASE_BEFORE, /* requests: an empty line may come first */
	PHASE_METHOD,
	PHASE_TARGET,
	PHASE_REQUEST_VERSION,
	PHASE_ANSWER_VERSION,
	PHASE_STATUS,
	PHASE_REASON,
	PHASE_FIELDS,
	PHASE_DONE,
};

enum step {
	STEP_ON,   /* this part is read, the next one follows */
	STEP_MORE, /* more bytes are needed */
	STEP_DONE,
	STEP_FAILED,
};

/* The section's bytes so far: those that a reader holds, or those that were fed. */
struct view {
	const char *bytes;
	uint32_t len;
};

/* The next byte, at `at`, is the first one of `phase`. Returns STEP_ON. */
enum step head_section_begin(struct head_reader *reader, enum phase phase, uint32_t at);
/* Reads on from where it was left. Never STEP_ON. */
enum step head_section_read(struct head_reader *reader, struct view view, struct err *err);

/* Both set `err` and return STEP_FAILED. */
enum step head_section_fail_limit(const struct head_reader *reader, struct err *err);
enum step head_section_fail_byte(struct err *err, const char *where, char c);

#endif
