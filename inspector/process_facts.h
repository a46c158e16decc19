/*
 * Layer: inspector (sees base). One job: what the system says of this process: the facts behind the
 * metrics process_*. What a system does not say is absent.
 */
#ifndef SIGHTGLASS_INSPECTOR_PROCESS_FACTS_H
#define SIGHTGLASS_INSPECTOR_PROCESS_FACTS_H

#include <stdint.h>

#define PROCESS_FACT_ABSENT UINT64_MAX

struct process_facts {
	uint64_t cpu_us; /* of all threads, in the kernel too */
	uint64_t resident_bytes;
	uint64_t virtual_bytes;
	uint64_t open_descriptors;
	uint64_t max_descriptors;
};

/* Some system calls: for a scrape, not for every request. Any thread. */
void process_facts_read(struct process_facts *facts);
/* When the process began, in microseconds since the epoch. Ask once and keep it: the wall clock may
 * be set. */
uint64_t process_start_wall_us(void);

#endif
