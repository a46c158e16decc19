/*
 * Layer: inspector. One job: see unchanged.h.
 *
 * All workers share what was seen last of a URL, as a poll may come over another connection each
 * time. It is written some times a second, without a lock: an entry is two words, of which the
 * first holds the URL's hash mixed with the second, so that one which two workers wrote at once is
 * no entry of either.
 */
#include "inspector/unchanged.h"

#include <stdatomic.h>
#include <stdlib.h>

#include <xxhash.h>
#ifdef HAVE_XXHASH_DISPATCH
#include <xxh_x86dispatch.h> /* puts the processor's own variants in the functions' place */
#endif

#include "base/memory.h"
#include "base/random.h"

enum {
	URLS = 1024,
	WAYS = 4,   /* entries in which a URL may be: a cache line */
	BURST = 16, /* answers of one kind a second */
	SECOND_US = 1000000,
	BODY_MAX = 1024 * 1024, /* bytes of an answer that is hashed */
	SAMPLES_MAX = 64,       /* running at once, of one worker */
	HASH_STATE = 704,       /* bytes of the library's, and what aligns it */
};

struct url_entry {
	_Atomic uint64_t mixed; /* the URL's hash, exclusive-or the body's; both 0: empty */
	_Atomic uint64_t body;
};

struct unchanged {
	uint64_t seed;
	struct url_entry urls[URLS];
	_Atomic uint64_t due_us[]; /* of each kind: from when on the next is hashed; with bursts,
				      it runs ahead of the clock */
};

struct body_sample {
	struct body_sample *next;
	XXH3_state_t *xxh; /* aligned as the library wants it, so an allocation of its own */
	uint64_t size;
	bool wanted;
};

/* --- which ones */

bool unchanged_wants(struct unchanged *unchanged, unsigned kind, const struct exchange *exchange)
{
	_Atomic uint64_t *due = &unchanged->due_us[kind];
	uint64_t now_us = exchange->clock.begin_us;
	uint64_t burst = exchange->capture == CAPTURE_ROW ? 1 : BURST;
	uint64_t due_us;

	if (exchange->request.method != METHOD_GET || exchange->capture == CAPTURE_NONE) {
		return false;
	}
	due_us = atomic_load_explicit(due, memory_order_relaxed);
	if (due_us > now_us + (burst - 1) * (SECOND_US / burst)) {
		return false;
	}
	due_us = due_us > now_us ? due_us : now_us;
	atomic_store_explicit(due, due_us + SECOND_US / burst, memory_order_relaxed);
	return true;
}

/* --- hashing */

struct body_sample *body_sample_begin(struct body_samples *samples)
{
	struct body_sample *sample = samples->spare;

	if (sample != NULL) {
		samples->spare = sample->next;
	} else if (samples->made == SAMPLES_MAX) {
		return NULL;
	} else {
		sample = mem_zalloc(sizeof(*sample));
		sample->xxh = XXH3_createState();
		if (sample->xxh == NULL) {
			abort(); /* the heap is exhausted: base/memory.h */
		}
		samples->made++;
	}
	sample->size = 0;
	sample->wanted = false; /* until its head has come */
	return sample;
}

static bool is_event_stream(const struct head *head)
{
	static const struct slice type = SLICE_INIT("text/event-stream");
	struct slice value = head_get(head, FIELD_CONTENT_TYPE);

	return value.len >= type.len && slice_equal_nocase(slice_of(value.ptr, type.len), type);
}

void body_sample_head(struct body_sample *sample, const struct head *head)
{
	uint64_t length = 0;

	(void)slice_to_u64(head_get(head, FIELD_CONTENT_LENGTH), INT64_MAX, &length);
	sample->wanted = head->status == 200 && length <= BODY_MAX && !is_event_stream(head);
	if (sample->wanted) {
		XXH3_64bits_reset(sample->xxh);
	}
}

void body_sample_add(struct body_sample *sample, struct slice bytes)
{
	sample->size += bytes.len;
	sample->wanted = sample->wanted && sample->size <= BODY_MAX;
	if (sample->wanted) {
		XXH3_64bits_update(sample->xxh, bytes.ptr, bytes.len);
	}
}

/* --- comparing */

static uint64_t hash_on(uint64_t hash, struct slice text)
{
	return XXH3_64bits_withSeed(text.ptr, text.len, hash);
}

static uint64_t hash_of_url(const struct unchanged *unchanged, const struct exchange *exchange)
{
	uint64_t hash = hash_on(unchanged->seed, exchange->host);

	hash = hash_on(hash, exchange->target.path);
	return hash_on(hash, exchange->target.query);
}

/* Puts `body` in the place of what is known of that URL. */
static enum comparison exchange_body(struct unchanged *unchanged, uint64_t url, uint64_t body)
{
	struct url_entry *set = &unchanged->urls[url % (URLS / WAYS) * WAYS];
	struct url_entry *place = &set[(url >> 32) % WAYS]; /* which one goes is left to chance */
	enum comparison comparison = COMPARISON_NONE;

	for (unsigned i = 0; i < WAYS; i++) {
		uint64_t mixed = atomic_load_explicit(&set[i].mixed, memory_order_relaxed);
		uint64_t known = atomic_load_explicit(&set[i].body, memory_order_relaxed);

		if ((mixed ^ known) == url) {
			comparison = known == body ? COMPARISON_UNCHANGED : COMPARISON_CHANGED;
			place = &set[i];
			break;
		}
		if (mixed == 0 && known == 0) {
			place = &set[i];
		}
	}
	atomic_store_explicit(&place->body, body, memory_order_relaxed);
	atomic_store_explicit(&place->mixed, url ^ body, memory_order_relaxed);
	return comparison;
}

enum comparison unchanged_compare(struct unchanged *unchanged, struct body_samples *samples,
	struct body_sample *sample, const struct exchange *exchange)
{
	sample->next = samples->spare;
	samples->spare = sample;
	if (!sample->wanted || !exchange->response_ended || exchange->state != EXCHANGE_COMPLETE) {
		return COMPARISON_NONE;
	}
	return exchange_body(
		unchanged, hash_of_url(unchanged, exchange), XXH3_64bits_digest(sample->xxh));
}

/* --- beginning and end */

void body_samples_fini(struct body_samples *samples)
{
	while (samples->spare != NULL) {
		struct body_sample *sample = samples->spare;

		samples->spare = sample->next;
		XXH3_freeState(sample->xxh);
		mem_free(sample);
	}
}

uint64_t body_samples_memory_max(void)
{
	return SAMPLES_MAX * (sizeof(struct body_sample) + HASH_STATE);
}

static size_t size_of(unsigned kinds)
{
	return sizeof(struct unchanged) + kinds * sizeof(((struct unchanged *)NULL)->due_us[0]);
}

struct unchanged *unchanged_create(unsigned kinds)
{
	struct unchanged *unchanged = mem_zalloc(size_of(kinds));

	unchanged->seed = random_u64();
	return unchanged;
}

void unchanged_destroy(struct unchanged *unchanged)
{
	mem_free(unchanged);
}

uint64_t unchanged_memory_max(unsigned kinds)
{
	return size_of(kinds);
}
