/*
 * libFuzzer's way into check_redact_body().
 */
#include <stdint.h>

#include "tests/fuzz/check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	check_redact_body(slice_of((const char *)data, size));
	return 0;
}
