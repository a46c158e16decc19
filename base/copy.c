/*
 * Layer: base. One job: copying past the caches; see copy.h.
 */
#include "base/copy.h"

#include <stdint.h>
#include <string.h>

#ifdef __SSE2__
#include <emmintrin.h>

enum {
	LINE = 64,
	WORTH_IT = 1024, /* below, the fence costs what the stores save */
};

static void store_line(char *to, const char *from)
{
	__m128i *line = (__m128i *)(void *)to;

	_mm_stream_si128(line, _mm_loadu_si128((const __m128i *)(const void *)from));
	_mm_stream_si128(line + 1, _mm_loadu_si128((const __m128i *)(const void *)(from + 16)));
	_mm_stream_si128(line + 2, _mm_loadu_si128((const __m128i *)(const void *)(from + 32)));
	_mm_stream_si128(line + 3, _mm_loadu_si128((const __m128i *)(const void *)(from + 48)));
}

void copy_aside(void *to, const void *from, size_t len)
{
	char *out = to;
	const char *in = from;
	size_t before = (LINE - (uintptr_t)out % LINE) % LINE;

	if (len >= WORTH_IT) {
		memcpy(out, in, before);
		out += before;
		in += before;
		len -= before;
		for (; len >= LINE; len -= LINE) {
			store_line(out, in);
			out += LINE;
			in += LINE;
		}
		_mm_sfence(); /* these stores obey no other order */
	}
	if (len > 0) {
		memcpy(out, in, len);
	}
}
#else
void copy_aside(void *to, const void *from, size_t len)
{
	if (len > 0) {
		memcpy(to, from, len);
	}
}
#endif
