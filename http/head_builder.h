/*
 * Layer: http (sees base). One job: make the head of an answer that the program gives itself (a
 * problem, the inspector's answers), laid out in memory as if it had been received: so that it is
 * sent, observed and recorded like any other.
 */
#ifndef SIGHTGLASS_HTTP_HEAD_BUILDER_H
#define SIGHTGLASS_HTTP_HEAD_BUILDER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/slice.h"
#include "http/head.h"

/* The first failure stays and is told by head_builder_finish(): calls between need no check. */
struct head_builder {
	char *bytes;
	struct field *fields;
	uint32_t len;
	uint32_t capacity;
	uint16_t count;
	uint16_t field_capacity;
	uint16_t status;
	bool failed;
};

/*
 * Takes room for `capacity_fields` fields and `capacity_bytes` bytes from the arena; both count the
 * fields alone, the start line and the last line end have room of their own. What is built lives as
 * long as the arena.
 */
void head_builder_init(struct head_builder *builder, struct arena *arena, uint16_t capacity_fields,
	uint32_t capacity_bytes);
/* "HTTP/1.1 200 OK": before the first field, once. */
void head_builder_status(struct head_builder *builder, unsigned status);
/*
 * "name: value". The name is a token; the value holds no control byte but the tab and no white
 * space at its ends: asserted, so what comes from a peer is checked by the caller.
 */
void head_builder_field(struct head_builder *builder, struct slice name, struct slice value);
void head_builder_field_u64(struct head_builder *builder, struct slice name, uint64_t value);
/*
 * Ends the section and fills `head`. 0, or ERR_LIMIT where a capacity or the arena's bound did not
 * suffice.
 */
enum err_code head_builder_finish(struct head_builder *builder, struct head *head);

#endif
