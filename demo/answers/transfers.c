/*
 * Layer: demo. One job: large bodies: a download whose bytes are made as the client takes them, and
 * an upload that is counted and hashed as it comes. Neither is ever held.
 */
#include <assert.h>

#include <xxhash.h>

#include "base/json.h"
#include "base/loop.h"
#include "demo/answers/kinds.h"
#include "demo/reply.h"
#include "demo/service.h"

/* --- download */

enum {
	DOWNLOAD_SIZE = 20 * 1024 * 1024,
	PIECE_SIZE = 64 * 1024,
};

struct download {
	struct demo_answer base;
	uint64_t at;
};

/* The eight bytes at `at`, a multiple of eight: the same in every run (splitmix64, Steele 2014). */
static uint64_t word_at(uint64_t at)
{
	uint64_t z = (at / 8 + 1) * UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

static void make_piece(char *bytes, uint64_t at)
{
	for (size_t i = 0; i < PIECE_SIZE; i += 8) {
		uint64_t word = word_at(at + i);

		for (size_t j = 0; j < 8; j++) {
			bytes[i + j] =
				(char)(word >> (8 * j) & 0xff); /* little-endian everywhere */
		}
	}
}

static void more_download(struct demo_answer *answer)
{
	struct download *self = container_of(answer, struct download, base);
	char *bytes = loop_scratch(answer->service->loop, PIECE_SIZE);

	make_piece(bytes, self->at);
	demo_client_write(answer->client, slice_of(bytes, PIECE_SIZE));
	self->at += PIECE_SIZE;
	if (self->at < DOWNLOAD_SIZE) {
		demo_client_want_more(answer->client);
	} else {
		demo_client_end(answer->client);
	}
}

static void end_download(struct demo_answer *answer)
{
	const struct demo_head head = {
		.status = 200,
		.content_type = "application/octet-stream",
		.length = DOWNLOAD_SIZE,
		.fields = SLICE("Content-Disposition: attachment; filename=\"sample.bin\"\r\n"
				"Cache-Control: no-store\r\n"),
	};

	if (demo_client_head(answer->client, &head)) {
		demo_client_want_more(answer->client);
	} else {
		demo_client_end(answer->client);
	}
}

const struct demo_answer_kind demo_download = {
	.size = sizeof(struct download),
	.end = end_download,
	.more = more_download,
};

/* --- upload */

struct upload {
	struct demo_answer base;
	uint64_t size;
	XXH3_state_t *hash; /* never NULL: the heap aborts */
};

static struct upload *upload_of(struct demo_answer *answer)
{
	return container_of(answer, struct upload, base);
}

static void begin_upload(struct demo_answer *answer)
{
	struct upload *self = upload_of(answer);

	self->hash = XXH3_createState();
	assert(self->hash != NULL);
	(void)XXH3_128bits_reset(self->hash); /* fails on NULL only, as do the next ones */
}

static void data_upload(struct demo_answer *answer, struct slice bytes)
{
	struct upload *self = upload_of(answer);

	self->size += bytes.len;
	(void)XXH3_128bits_update(self->hash, bytes.ptr, bytes.len);
}

static void end_upload(struct demo_answer *answer)
{
	struct upload *self = upload_of(answer);
	struct buffer body = BUFFER_INIT;
	struct buffer hex = BUFFER_INIT;
	XXH128_canonical_t hash;
	struct json json;

	XXH128_canonicalFromHash(&hash, XXH3_128bits_digest(self->hash));
	for (size_t i = 0; i < sizeof(hash.digest); i++) {
		buffer_printf(&hex, "%02x", hash.digest[i]);
	}
	json_init(&json, &body);
	json_begin_object(&json);
	json_key(&json, "size_bytes");
	json_u64(&json, self->size);
	json_key(&json, "hash"); /* what the inspector shows of the same body */
	json_text(&json, buffer_slice(&hex));
	json_key(&json, "algorithm");
	json_cstring(&json, "XXH3-128");
	json_end_object(&json);
	demo_reply_json(answer->client, 200, &body, slice_of(NULL, 0));
	buffer_fini(&hex);
}

static void fini_upload(struct demo_answer *answer)
{
	(void)XXH3_freeState(upload_of(answer)->hash);
}

const struct demo_answer_kind demo_upload = {
	.size = sizeof(struct upload),
	.begin = begin_upload,
	.data = data_upload,
	.end = end_upload,
	.fini = fini_upload,
};
