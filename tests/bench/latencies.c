/* Layer: the benchmark's programs. One job: how long answers took. See latencies.h. */
#include "tests/bench/latencies.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "tests/bench/sockets.h"

uint64_t now_us(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

void latencies_init(struct latencies *latencies, size_t room)
{
	*latencies = (struct latencies){.us = calloc(room, sizeof(uint32_t)), .room = room};
	if (latencies->us == NULL) {
		give_up("calloc");
	}
}

void latencies_add(struct latencies *latencies, uint64_t us)
{
	if (latencies->count == latencies->room) {
		latencies->beyond++;
		return;
	}
	latencies->us[latencies->count++] = us < UINT32_MAX ? (uint32_t)us : UINT32_MAX;
}

static int compare(const void *left, const void *right)
{
	uint32_t a = *(const uint32_t *)left, b = *(const uint32_t *)right;

	return (a > b) - (a < b);
}

void latencies_print(struct latencies *latencies)
{
	size_t count = latencies->count;
	const uint32_t *us = latencies->us;

	if (count == 0) {
		errno = ETIMEDOUT;
		give_up("no answer at all");
	}
	qsort(latencies->us, count, sizeof(*latencies->us), compare);
	(void)printf("\"requests\": %" PRIu64 ", \"p50_us\": %" PRIu32 ", \"p99_us\": %" PRIu32
		     ", \"p999_us\": %" PRIu32 ", \"max_us\": %" PRIu32,
		count + latencies->beyond, us[count / 2], us[count * 99 / 100],
		us[count * 999 / 1000], us[count - 1]);
}
