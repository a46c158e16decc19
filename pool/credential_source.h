/*
 * Layer: pool (sees base; seen by proxy and inspector). One job: the credential of one upstream as
 * it stands now, for all workers: read by each of their requests, replaced by whoever keeps it up
 * (pool/credential_upkeep.h).
 *
 * A worker keeps a reference of its own and looks at the generation alone, which is written when
 * the credential is replaced and at no other time. A refresh that fails takes nothing away: the
 * credential is used to its end.
 */
#ifndef SIGHTGLASS_POOL_CREDENTIAL_SOURCE_H
#define SIGHTGLASS_POOL_CREDENTIAL_SOURCE_H

#include "base/err.h"
#include "pool/credential.h"
#include "pool/credential_rules.h"

struct credential_source; /* opaque: its members are in credential_source.c */

/* Copied. */
struct credential_source_settings {
	const char *upstream; /* its name, for messages */
	const char *from;     /* "bearer_file /run/token": where it comes from, for messages */
	const char *field;    /* the field it goes into: "Authorization" */
	struct credential_scope scope;
	uint64_t margin_ms;
};

/* What the inspector shows. */
struct credential_status {
	const char *kind;    /* of the credential in use; "none" */
	uint64_t expires_s;  /* wall-clock seconds; 0: it does not end, or there is none */
	uint64_t renewed_us; /* wall-clock microseconds, when it was last read well; 0: never */
	struct err err;      /* what the last attempt said; ERR_NONE where it was good */
};

/* Without a credential yet. Never NULL. */
struct credential_source *credential_source_create(
	const struct credential_source_settings *settings);
/* Takes NULL. References that are held live on. */
void credential_source_destroy(struct credential_source *source);

/* These live as long as the source, and are for any thread. */
const struct credential_scope *credential_source_scope(const struct credential_source *source);
struct slice credential_source_field(const struct credential_source *source);
uint64_t credential_source_margin_ms(const struct credential_source *source);
/* What identities of its credentials are keyed by. */
const struct credential_key *credential_source_key(const struct credential_source *source);

/* 0 while nothing was ever read; another number with each credential. Any thread, no lock. */
uint32_t credential_source_generation(const struct credential_source *source);
/* The credential and its generation. The caller releases it; NULL: nobody, or none yet. Any thread.
 */
struct credential *credential_source_hold(struct credential_source *source, uint32_t *generation);

/*
 * What was read well, at `wall_us`. Takes `credential` over; NULL is nobody. One that equals the
 * one in use takes its place without a new generation, unless its end is another. One that has
 * ended by then clears no complaint.
 */
void credential_source_publish(
	struct credential_source *source, struct credential *credential, uint64_t wall_us);
/* What went wrong: kept for the status, and logged where it is not what went wrong before. */
void credential_source_complain(struct credential_source *source, const struct err *err);

/* Any thread. */
void credential_source_status(struct credential_source *source, struct credential_status *status);
/* ERR_CREDENTIAL: why a request cannot have it: which upstream, where from, since when, and why.
 * Any thread. */
void credential_source_explain(struct credential_source *source, struct err *err);

#endif
