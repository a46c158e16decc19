/*
 * Layer: proxy/responders. One job: which credential a request goes out with.
 */
#include "pool/credential_source.h"
#include "proxy/responders/origin_state.h"
#include "proxy/worker.h"

bool origin_credential_ended(const struct origin *self, const struct credential *credential)
{
	/* Without a margin: it is sent up to its end. */
	return credential_life(credential_expires_s(credential), 0,
		       worker_wall_us(self->exchange->worker)) == CREDENTIAL_HAS_ENDED;
}

static bool client_has(const struct origin *self, struct slice field)
{
	return field.len > 0 && head_find_name(&self->exchange->request, field) != NULL;
}

bool origin_choose_credential(struct origin *self, struct credential **credential)
{
	const struct credential_source *source =
		upstream_credential_source(pool_upstream(self->pool));
	bool known;

	*credential = NULL;
	if (source == NULL || !credential_is_added(self->exchange->request.method,
				      credential_source_scope(source),
				      client_has(self, credential_source_field(source)))) {
		return true;
	}
	*credential = pool_credential(self->pool, &known);
	if (*credential == NULL) {
		return known;
	}
	return !origin_credential_ended(self, *credential);
}

void origin_forget_credential(struct origin *self)
{
	credential_unref(self->credential);
	self->credential = NULL;
	self->waiter.credential = NULL;
}
