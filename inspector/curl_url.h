/*
 * Layer: inspector (sees base, http). One job: the URL and the options that make curl ask
 * for exactly what was asked for: curl reads a URL in its own way, and changes some.
 */
#ifndef SIGHTGLASS_INSPECTOR_CURL_URL_H
#define SIGHTGLASS_INSPECTOR_CURL_URL_H

#include <stdbool.h>

#include "base/buffer.h"
#include "base/slice.h"

enum curl_host {
	CURL_HOST_SAME,   /* the Host that curl makes of the URL is the one that came */
	CURL_HOST_FIELD,  /* it needs a field of its own */
	CURL_HOST_FOREIGN /* nor does curl take it in a URL: "localhost" stands there */
};

/* `shown` is the Host as it may be shown; `scheme` is "http" or "https". */
enum curl_host curl_url_host(struct slice shown, const char *scheme);
/* Appends the host, with its port, as it stands in the URL. */
void curl_url_append_host(struct buffer *out, struct slice shown, enum curl_host host);

struct curl_target {
	bool in_url;     /* else it needs --request-target, and the URL's path is "/" */
	bool globoff;    /* it has what curl would take for a pattern */
	bool path_as_is; /* it has dot segments, which curl would resolve */
};

/* What it takes that curl asks for `target`. */
struct curl_target curl_url_target(struct slice target);

#endif
