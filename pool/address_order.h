/*
 * Layer: pool (sees base). One job: in which order the addresses of one name are tried: as the
 * system gave them (RFC 6724), families in turn, and those that failed lately last. Functions of
 * state and time, without I/O.
 */
#ifndef SIGHTGLASS_POOL_ADDRESS_ORDER_H
#define SIGHTGLASS_POOL_ADDRESS_ORDER_H

#include <stdint.h>
#include <sys/socket.h>

enum {
	ADDRESS_ORDER_MAX = 8, /* addresses of one name */
	ADDRESS_MARK_MS = 10 * 1000,
	ADDRESS_MARK_MAX_MS = 120 * 1000,
};

/* What is held against one address. All zero: nothing. */
struct address_mark {
	uint64_t until_ms;  /* until then it is tried last */
	uint64_t length_ms; /* of this mark; 0 = it has worked since */
};

/*
 * The address failed: it is tried last for ADDRESS_MARK_MS, and for twice as long each time it was
 * tried after that and failed again, up to ADDRESS_MARK_MAX_MS. A failure while it is marked makes
 * the mark no longer: connections that were begun together fail together.
 */
void address_mark_failed(struct address_mark *mark, uint64_t now_ms);
/* It worked: nothing is held against it any more. */
void address_mark_worked(struct address_mark *mark);

/*
 * Writes the indexes of `count` addresses (at most ADDRESS_ORDER_MAX) so that their families take
 * turns, the first address's first, each in its own order (RFC 8305 section 4).
 */
void address_order_interleave(
	const sa_family_t *families, uint8_t count, uint8_t order[static ADDRESS_ORDER_MAX]);
/* Writes their indexes in the order in which they are to be tried now: the marked ones last, among
 * themselves as they are. */
void address_order_by_marks(const struct address_mark *marks, uint8_t count, uint64_t now_ms,
	uint8_t order[static ADDRESS_ORDER_MAX]);

#endif
