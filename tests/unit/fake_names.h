/*
 * For unit tests. One job: a name service that answers when the test likes. A program that uses it
 * gets libuv's functions for names from here, and asks no other.
 */
#ifndef SIGHTGLASS_TESTS_FAKE_NAMES_H
#define SIGHTGLASS_TESTS_FAKE_NAMES_H

#include <stdbool.h>

#include <uv.h>

struct fake_names {
	unsigned asked;
	int refusal; /* what uv_getaddrinfo returns */
	bool cancelled;
	uv_getaddrinfo_t *pending; /* one at a time */
	uv_getaddrinfo_cb answered;
	char node[256];
};
extern struct fake_names fake_names;

/* To be called first by every test: nothing was asked. */
void fake_names_forget(void);
/* Answers what is pending with these addresses, or with the status where there are none. Like a
 * callback from libuv. */
void fake_names_answer(int status, const char *const *addresses);
#define FAKE_NAMES_ANSWER(...) fake_names_answer(0, (const char *const[]){__VA_ARGS__, NULL})

#endif
