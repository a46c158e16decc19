/*
 * Layer: the benchmark's programs. One job: the clock of the loads, and what the times that they
 * took come to.
 */
#ifndef SIGHTGLASS_TESTS_BENCH_LATENCIES_H
#define SIGHTGLASS_TESTS_BENCH_LATENCIES_H

#include <stddef.h>
#include <stdint.h>

uint64_t now_us(void); /* monotonic */

struct latencies {
	uint32_t *us;
	size_t count, room;
	uint64_t beyond; /* were not kept, as there was no room */
};

/* Room for so many, in memory that is touched as it fills. Ends the process without memory. */
void latencies_init(struct latencies *latencies, size_t room);
void latencies_add(struct latencies *latencies, uint64_t us);
/* Prints `"requests": …, "p50_us": …, "p99_us": …, "p999_us": …, "max_us": …` on stdout, for a line
 * of JSON. Ends the process where there is none at all. Sorts them. */
void latencies_print(struct latencies *latencies);

#endif
