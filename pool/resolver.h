/*
 * Layer: pool (sees base). One job: the network addresses of one upstream, on one event loop.
 *
 * A name is looked up in libuv's thread pool, so the loop never waits, and only when it is asked
 * for: answers are kept until somebody could not connect to them and asks again, or uses them when
 * they are old: the system tells no time to live. An address in numbers needs no asking. All who
 * ask while a lookup runs get its answer.
 */
#ifndef SIGHTGLASS_POOL_RESOLVER_H
#define SIGHTGLASS_POOL_RESOLVER_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

#include <uv.h>

#include "base/list.h"
#include "base/loop.h"
#include "pool/address_order.h"

enum {
	RESOLVER_ADDRESSES_MAX = ADDRESS_ORDER_MAX, /* of one name; the rest is passed over */
	RESOLVER_REFRESH_MS = 30 * 1000,            /* how old an answer is used as it is */
	RESOLVER_ADDRESS_TEXT_SIZE =
		sizeof("[ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255]:65535"),
};

union resolver_address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

/* One that asked; embedded in it. */
struct resolver_query {
	struct list node;
	/* `status` is 0 where there are addresses, or a libuv error. Never from inside
	 * resolver_ask(). */
	void (*answered)(struct resolver_query *query, int status);
};

struct resolver {
	struct loop *loop;
	const char *host;
	uint16_t port;
	bool numeric;
	bool asking;         /* `request` is with libuv */
	uint8_t count;       /* of addresses; 0 before the first answer */
	uint32_t generation; /* changes when the addresses do */
	int status;          /* of the last lookup */
	uint64_t asked_ms;   /* when that ended */
	union resolver_address addresses[RESOLVER_ADDRESSES_MAX]; /* families in turn */
	struct address_mark marks[RESOLVER_ADDRESSES_MAX];
	struct list queries;
	struct task answer;
	uv_getaddrinfo_t request;
	void (*quiet)(struct resolver *resolver); /* after resolver_stop() */
};

/* `host` outlives the resolver. No lookup is begun. */
void resolver_init(struct resolver *resolver, struct loop *loop, const char *host, uint16_t port);
/* Asks for addresses, whatever is known already. */
void resolver_ask(struct resolver *resolver, struct resolver_query *query);
/* The query is not answered any more. Harmless on one that does not wait, if its node was
 * initialised. */
void resolver_forget(struct resolver_query *query);
/* Looks the name up again, for who comes next. */
void resolver_refresh(struct resolver *resolver);

/*
 * Writes the indexes of the addresses in the order in which they are to be tried by who begins now,
 * and returns how many there are. Where the answer is old, a lookup begins, for who comes next: so
 * a pool that is not used asks nothing.
 */
uint8_t resolver_order(struct resolver *resolver, uint8_t order[static RESOLVER_ADDRESSES_MAX]);
/* The address of this index of this generation failed: it is tried last for a while; see
 * address_order.h. Of addresses that are gone, these two say nothing. */
void resolver_blame(struct resolver *resolver, uint32_t generation, uint8_t index);
/* Connecting to it worked. */
void resolver_worked(struct resolver *resolver, uint32_t generation, uint8_t index);

/*
 * No query waits. Returns true where nothing is left with libuv; else `quiet` is called when the
 * lookup that still runs has ended: it can be called off only before it has begun.
 */
bool resolver_stop(struct resolver *resolver, void (*quiet)(struct resolver *resolver));

/* "127.0.0.1:8000" or "[::1]:8000". */
void resolver_address_text(
	const union resolver_address *address, char text[static RESOLVER_ADDRESS_TEXT_SIZE]);

#endif
