/*
 * Layer: inspector. One job: see counts_json.h.
 */
#include "inspector/counts_json.h"

static void write_number(struct json *json, const char *key, uint64_t value)
{
	json_key(json, key);
	json_u64(json, value);
}

void counts_json(struct json *json, const struct capture_counts *counts)
{
	write_number(json, "count", counts->count);
	write_number(json, "capacity", counts->capacity);
	write_number(json, "evicted", counts->evicted);
	write_number(json, "bytes", counts->bytes);
	write_number(json, "bytes_capacity", counts->memory);
	write_number(json, "poll_rows", counts->rows);
	write_number(json, "poll_capacity", counts->row_capacity);
	json_key(json, "paused");
	json_bool(json, counts->paused);
}
