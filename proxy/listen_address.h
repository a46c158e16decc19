/*
 * Layer: proxy. One job: read an address to listen on from the settings.
 */
#ifndef SIGHTGLASS_PROXY_LISTEN_ADDRESS_H
#define SIGHTGLASS_PROXY_LISTEN_ADDRESS_H

#include <stdbool.h>

#include "base/err.h"
#include "base/slice.h"
#include "proxy/settings.h"

/*
 * HOST:PORT, :PORT (every address, IPv4 and IPv6), [V6]:PORT or unix:/path. A name is resolved here
 * and now, which may block: it stands for its first IPv4 address, else for its first IPv6 one
 * (localhost is 127.0.0.1: one name is one listener, so that port 0 gives one port). 0, or
 * ERR_SETTINGS with a sentence that says what would be right.
 */
enum err_code listen_address_parse(
	struct slice text, struct listen_settings *listen, struct err *err);

/* Whether the two cannot both be listened on. Never true of port 0, which the system chooses. */
bool listen_address_equal(const struct listen_settings *a, const struct listen_settings *b);

#endif
