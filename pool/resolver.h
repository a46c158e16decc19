/*
 * Layer: pool (sees base). One job: the network addresses of one upstream, on one event loop.
 *
 * A name is looked up only when it is asked for (base/names.h): answers are kept until somebody
 * could not connect to them and asks again, or uses them when their time to live is over. An
 * address in numbers needs no asking. All who ask while a lookup runs get its answer; and where a
 * lookup that was needed brought nothing new, the next one begins after a while at the earliest, so
 * that the requests to an upstream that is gone are not as many questions to the name server.
 */
#ifndef SIGHTGLASS_POOL_RESOLVER_H
#define SIGHTGLASS_POOL_RESOLVER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"
#include "base/loop.h"
#include "base/names.h"
#include "pool/address_order.h"

enum {
	RESOLVER_ADDRESSES_MAX = ADDRESS_ORDER_MAX, /* of one name; the rest is passed over */
	/* The bounds of a time to live. Above the upper one an upstream that moved while its old
	 * address still answers would be missed for too long. */
	RESOLVER_TTL_MIN_MS = 1000,
	RESOLVER_TTL_MAX_MS = 300 * 1000,
	RESOLVER_TTL_LOCAL_MS = 30 * 1000, /* of an address from the hosts file */
	RESOLVER_HOLD_MS = 1000,           /* after a lookup that brought nothing new */
	RESOLVER_ADDRESS_TEXT_SIZE =
		sizeof("[ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255]:65535"),
};

/* One that asked; embedded in it. */
struct resolver_query {
	struct list node;
	/* `status` is of the lookup that ended last. Never from inside resolver_ask(). */
	void (*answered)(struct resolver_query *query, enum names_status status);
};

struct resolver {
	struct loop *loop;
	const char *host;
	uint16_t port;
	bool numeric;
	bool needed;              /* the lookup that runs: somebody has no address that works */
	uint8_t count;            /* of addresses; 0 before the first answer */
	uint32_t generation;      /* changes when the addresses do */
	enum names_status status; /* of the last lookup */
	uint64_t fresh_until_ms;  /* whoever uses the addresses after this asks for them again */
	uint64_t hold_until_ms;   /* nobody asks before this */
	union names_address addresses[RESOLVER_ADDRESSES_MAX]; /* families in turn */
	struct address_mark marks[RESOLVER_ADDRESSES_MAX];
	struct names_lookup lookup;
	struct list queries;
	struct task answer;
};

/* `host` outlives the resolver. No lookup is begun. */
void resolver_init(struct resolver *resolver, struct loop *loop, const char *host, uint16_t port);
/* Asks for addresses, whatever is known already: there is none that works. */
void resolver_ask(struct resolver *resolver, struct resolver_query *query);
/* The query is not answered any more. Harmless on one that does not wait, if its node was
 * initialised. */
void resolver_forget(struct resolver_query *query);
/* Looks the name up again, for who comes next: no address works. */
void resolver_refresh(struct resolver *resolver);

/*
 * Writes the indexes of the addresses in the order in which they are to be tried by who begins now,
 * and returns how many there are. Where their time is over, a lookup begins, for who comes next:
 * so a pool that is not used asks nothing.
 */
uint8_t resolver_order(struct resolver *resolver, uint8_t order[static RESOLVER_ADDRESSES_MAX]);
/* The address of this index of this generation failed: it is tried last for a while; see
 * address_order.h. Of addresses that are gone, these two say nothing. */
void resolver_blame(struct resolver *resolver, uint32_t generation, uint8_t index);
/* Connecting to it worked. */
void resolver_worked(struct resolver *resolver, uint32_t generation, uint8_t index);

/* No query waits. Nothing is looked up any more. */
void resolver_stop(struct resolver *resolver);

/* "127.0.0.1:8000" or "[::1]:8000". */
void resolver_address_text(
	const union names_address *address, char text[static RESOLVER_ADDRESS_TEXT_SIZE]);

#endif
