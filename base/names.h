/*
 * Layer: base. One job: look names up on one event loop: the addresses of a name, and for how long
 * they hold.
 *
 * By c-ares, as the system is set up: the hosts file, and the name servers, search domains and
 * options of resolv.conf. Lookups run side by side, in the loop's own sockets: a name whose servers
 * are silent holds no other back. All there is for this, a channel of c-ares, lives while something
 * is looked up and no longer: a loop that asks nothing has neither memory nor descriptors nor a
 * timer for it, and who asks next finds resolv.conf read anew. Where that file changes while a
 * lookup runs, it is asked again by what the file says now.
 *
 * Everything here belongs to the loop's thread.
 */
#ifndef SIGHTGLASS_BASE_NAMES_H
#define SIGHTGLASS_BASE_NAMES_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct loop;

enum {
	NAMES_ADDRESSES_MAX = 8, /* of one name; the rest is passed over */
};

enum names_status {
	NAMES_FOUND,
	NAMES_UNKNOWN,     /* there is no such name */
	NAMES_NO_ADDRESS,  /* there is, but it has no address */
	NAMES_SILENT,      /* no name server answered in time */
	NAMES_NO_SERVER,   /* none could be reached, or none was willing */
	NAMES_BAD_ANSWER,  /* an answer that breaks the rules */
	NAMES_BAD_NAME,    /* nothing that can be asked for */
	NAMES_UNAVAILABLE, /* the system lacks what is needed to ask */
};

union names_address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

struct names_answer {
	enum names_status status;
	bool local;     /* from the hosts file, which tells no time to live */
	uint32_t ttl_s; /* the smallest one of the addresses and of the aliases before them */
	uint8_t count;  /* of addresses; 0 where the status is not NAMES_FOUND, else not */
	union names_address addresses[NAMES_ADDRESSES_MAX]; /* as RFC 6724 orders them; port 0 */
};

/* One that asks; embedded in it, all zero but for `answered` before the first lookup. */
struct names_lookup {
	struct names_question *question; /* NULL while nothing is looked up for it */
	/* Once a lookup, from a turn's end. `answer` is valid during the call. */
	void (*answered)(struct names_lookup *lookup, const struct names_answer *answer);
};

/*
 * Looks `host` up, which outlives the lookup. None runs for `lookup` yet. `answered` follows in any
 * case, later: after a few times `options timeout` of resolv.conf at the latest.
 */
void names_look_up(struct loop *loop, struct names_lookup *lookup, const char *host);
/* `answered` does not follow. Harmless where no lookup runs. */
void names_forget(struct names_lookup *lookup);

static inline bool names_runs(const struct names_lookup *lookup)
{
	return lookup->question != NULL;
}

/* What failed, as it stands behind "look up NAME: ". */
const char *names_status_text(enum names_status status);

#endif
