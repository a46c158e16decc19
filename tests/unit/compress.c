#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <brotli/encode.h>
#include <zlib.h>
#include <zstd.h>

#include "compress.h"

static void with_zlib(int bits, struct slice text, struct buffer *out)
{
	z_stream stream = {
		.next_in = (z_const Bytef *)(uintptr_t)text.ptr, .avail_in = (uInt)text.len};

	assert_int_equal(deflateInit2(&stream, 6, Z_DEFLATED, bits, 8, Z_DEFAULT_STRATEGY), Z_OK);
	stream.avail_out = (uInt)deflateBound(&stream, (uLong)text.len);
	stream.next_out = (Bytef *)buffer_reserve(out, stream.avail_out);
	assert_int_equal(deflate(&stream, Z_FINISH), Z_STREAM_END);
	out->len += stream.total_out;
	deflateEnd(&stream);
}

static void with_brotli(struct slice text, struct buffer *out)
{
	size_t len = BrotliEncoderMaxCompressedSize(text.len) + 64;
	uint8_t *to = (uint8_t *)buffer_reserve(out, len);

	assert_true(BrotliEncoderCompress(
		5, 22, BROTLI_MODE_TEXT, text.len, (const uint8_t *)text.ptr, &len, to));
	out->len += len;
}

static void with_zstd(struct slice text, struct buffer *out)
{
	size_t room = ZSTD_compressBound(text.len);
	size_t len = ZSTD_compress(buffer_reserve(out, room), room, text.ptr, text.len, 3);

	assert_false(ZSTD_isError(len));
	out->len += len;
}

void compress_as(const char *coding, struct slice text, struct buffer *out)
{
	if (strcmp(coding, "gzip") == 0) {
		with_zlib(16 + MAX_WBITS, text, out);
	} else if (strcmp(coding, "deflate") == 0) {
		with_zlib(MAX_WBITS, text, out);
	} else if (strcmp(coding, "raw") == 0) {
		with_zlib(-MAX_WBITS, text, out);
	} else if (strcmp(coding, "br") == 0) {
		with_brotli(text, out);
	} else {
		assert_string_equal(coding, "zstd");
		with_zstd(text, out);
	}
}
