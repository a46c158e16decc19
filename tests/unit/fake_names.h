/*
 * For unit tests. One job: name lookups that are answered when the test likes. A program that uses
 * it gets the functions of base/names.h from here, and asks no name server.
 */
#ifndef SIGHTGLASS_TESTS_FAKE_NAMES_H
#define SIGHTGLASS_TESTS_FAKE_NAMES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/names.h"

struct fake_names {
	unsigned asked;
	uint32_t ttl_s;               /* of the answers; 60 */
	bool local;                   /* the answers come from the hosts file */
	struct names_lookup *pending; /* one at a time */
	struct loop *loop;            /* its */
	char host[256];               /* that was asked for last */
};
extern struct fake_names fake_names;

/* To be called first by every test: nothing was asked. */
void fake_names_forget(void);
/* Answers what is pending with these addresses, and ends the turn. */
void fake_names_answer(const char *const *addresses);
#define FAKE_NAMES_ANSWER(...) fake_names_answer((const char *const[]){__VA_ARGS__, NULL})
void fake_names_fail(enum names_status status);

#endif
