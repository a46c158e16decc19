/*
 * Layer: pool. One job: see pem.h.
 */
#include "pool/pem.h"

static const struct slice begin = SLICE_INIT("-----BEGIN ");
static const struct slice dashes = SLICE_INIT("-----");

/* Labels differ: RSA PRIVATE KEY, TRUSTED CERTIFICATE, … */
static const struct slice labels[] = {
	[PEM_CERTIFICATE] = SLICE_INIT("CERTIFICATE"),
	[PEM_PRIVATE_KEY] = SLICE_INIT("PRIVATE KEY"),
};

static struct slice behind(struct slice text, const char *place, size_t len)
{
	return slice_of(place + len, text.len - (size_t)(place + len - text.ptr));
}

bool pem_holds(struct slice text, enum pem_kind kind)
{
	const char *place;

	while ((place = slice_find(text, begin)) != NULL) {
		text = behind(text, place, begin.len);
		place = slice_find(text, dashes);
		if (place != NULL && slice_ends_with(slice_of(text.ptr, (size_t)(place - text.ptr)),
					     labels[kind])) {
			return true;
		}
	}
	return false;
}

const char *pem_kind_name(enum pem_kind kind)
{
	return kind == PEM_CERTIFICATE ? "certificate" : "private key";
}
