/*
 * Layer: proxy. One job: networks: read them from settings, and say whether an address belongs to
 * one. An IPv4 address that comes mapped into IPv6
 * (::ffff:10.0.0.1, as a socket for both families has it) counts as the IPv4 address that it is.
 */
#ifndef SIGHTGLASS_PROXY_NETWORK_H
#define SIGHTGLASS_PROXY_NETWORK_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/err.h"
#include "base/slice.h"
#include "proxy/settings.h"

enum {
	NETWORK_WORD_MAX = 4, /* networks that one word of the settings stands for */
};

/*
 * Reads "10.0.0.0/8", "2001:db8::/32", a single address, or a word: loopback (127.0.0.0/8, ::1),
 * private (RFC 1918's three and RFC 4193's fc00::/7). `*count` says how many of `out` are set. 0,
 * or ERR_SETTINGS with a sentence that says what would be right.
 */
enum err_code network_parse(struct slice text, struct network out[static NETWORK_WORD_MAX],
	unsigned *count, struct err *err);

/* False for what is neither IPv4 nor IPv6. */
bool network_list_has(const struct network *list, uint32_t count, const struct sockaddr *address);
/* The same of an address as text, without brackets or port; false where it is no address. */
bool network_list_has_text(const struct network *list, uint32_t count, const char *address);
/* Whether a connection over this local address can only come from this machine: loopback, or a unix
 * socket. */
bool network_is_local(const struct sockaddr *address);

#endif
