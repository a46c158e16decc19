/*
 * Layer: proxy. One job: networks and the addresses that belong to them.
 */
#include "proxy/network.h"

#include <string.h>

#include <arpa/inet.h>
#include <netinet/in.h>

enum {
	BITS_V4 = 32,
	BITS_V6 = 128,
	MAPPED_LEN = 12, /* bytes of ::ffff:0:0/96 */
};

static const uint8_t mapped[MAPPED_LEN] = {[10] = 0xff, [11] = 0xff};

static const struct network loopback[] = {
	{.family_v6 = 0, .bits = 8, .address = {127}},
	{.family_v6 = 1, .bits = BITS_V6, .address = {[15] = 1}},
};

static const struct network private_use[NETWORK_WORD_MAX] = {
	{.family_v6 = 0, .bits = 8, .address = {10}},
	{.family_v6 = 0, .bits = 12, .address = {172, 16}},
	{.family_v6 = 0, .bits = 16, .address = {192, 168}},
	{.family_v6 = 1, .bits = 7, .address = {0xfc}},
};

static const struct {
	struct slice name;
	const struct network *networks;
	unsigned count;
} words[] = {
	{SLICE_INIT("loopback"), loopback, sizeof(loopback) / sizeof(loopback[0])},
	{SLICE_INIT("private"), private_use, NETWORK_WORD_MAX},
};

static struct network from_v4(const void *bytes)
{
	struct network host = {.family_v6 = 0, .bits = BITS_V4};

	memcpy(host.address, bytes, BITS_V4 / 8);
	return host;
}

/* An address as the network that holds it alone. */
static struct network from_v6(const void *bytes)
{
	struct network host = {.family_v6 = 1, .bits = BITS_V6};

	if (memcmp(bytes, mapped, MAPPED_LEN) == 0) {
		return from_v4((const char *)bytes + MAPPED_LEN);
	}
	memcpy(host.address, bytes, BITS_V6 / 8);
	return host;
}

static bool from_sockaddr(const struct sockaddr *address, struct network *host)
{
	if (address->sa_family == AF_INET) {
		struct sockaddr_in v4;

		memcpy(&v4, address, sizeof(v4));
		*host = from_v4(&v4.sin_addr);
		return true;
	}
	if (address->sa_family == AF_INET6) {
		struct sockaddr_in6 v6;

		memcpy(&v6, address, sizeof(v6));
		*host = from_v6(&v6.sin6_addr);
		return true;
	}
	return false;
}

static bool from_text(const char *text, struct network *host)
{
	struct in_addr v4;
	struct in6_addr v6;

	if (inet_pton(AF_INET, text, &v4) == 1) {
		*host = from_v4(&v4);
		return true;
	}
	if (inet_pton(AF_INET6, text, &v6) == 1) {
		*host = from_v6(&v6);
		return true;
	}
	return false;
}

static bool network_has(const struct network *network, const struct network *host)
{
	unsigned whole = network->bits / 8;
	unsigned rest = network->bits % 8;

	return network->family_v6 == host->family_v6 &&
	       memcmp(network->address, host->address, whole) == 0 &&
	       (rest == 0 || ((network->address[whole] ^ host->address[whole]) >> (8 - rest)) == 0);
}

static bool list_has(const struct network *list, uint32_t count, const struct network *host)
{
	for (uint32_t i = 0; i < count; i++) {
		if (network_has(&list[i], host)) {
			return true;
		}
	}
	return false;
}

bool network_list_has(const struct network *list, uint32_t count, const struct sockaddr *address)
{
	struct network host;

	return from_sockaddr(address, &host) && list_has(list, count, &host);
}

bool network_list_has_text(const struct network *list, uint32_t count, const char *address)
{
	struct network host;

	return from_text(address, &host) && list_has(list, count, &host);
}

bool network_is_local(const struct sockaddr *address)
{
	return address->sa_family == AF_UNIX ||
	       network_list_has(loopback, sizeof(loopback) / sizeof(loopback[0]), address);
}

/* The first address of the network that `host`, cut to `bits`, lies in. */
static struct network cut(const struct network *host, unsigned bits)
{
	struct network network = *host;

	network.bits = (uint8_t)bits;
	for (unsigned i = 0; i < sizeof(network.address); i++) {
		unsigned kept = bits <= i * 8 ? 0 : bits - i * 8;

		if (kept < 8) {
			network.address[i] &= (uint8_t)(0xff00u >> kept);
		}
	}
	return network;
}

static enum err_code parse_cidr(const char *text, struct network *out, struct err *err)
{
	char host_text[INET6_ADDRSTRLEN];
	char right[INET6_ADDRSTRLEN];
	const char *slash = strchr(text, '/');
	size_t host_len = slash == NULL ? strlen(text) : (size_t)(slash - text);
	bool was_v6 = memchr(text, ':', host_len) != NULL;
	uint64_t bits = was_v6 ? BITS_V6 : BITS_V4;
	struct network host;

	if (host_len < sizeof(host_text)) {
		memcpy(host_text, text, host_len);
		host_text[host_len] = '\0';
	}
	if (host_len >= sizeof(host_text) || !from_text(host_text, &host)) {
		return err_set(err, ERR_SETTINGS,
			"\"%s\" is not a network; give one such as 10.0.0.0/8 or 2001:db8::/32, "
			"loopback or private",
			text);
	}
	if (slash != NULL && !slice_to_u64(slice_str(slash + 1), bits, &bits)) {
		return err_set(err, ERR_SETTINGS,
			"\"%s\" does not end in how many bits count; give /0 to /%d", text,
			was_v6 ? BITS_V6 : BITS_V4);
	}
	if (was_v6 &&
		host.family_v6 == 0) { /* a mapped one: its first 96 bits are said by the family */
		if (bits < BITS_V6 - BITS_V4) {
			return err_set(err, ERR_SETTINGS,
				"\"%s\" mixes IPv4 and IPv6; give two networks", text);
		}
		bits -= BITS_V6 - BITS_V4;
	}
	*out = cut(&host, (unsigned)bits);
	if (memcmp(out->address, host.address, sizeof(host.address)) != 0) {
		inet_ntop(host.family_v6 != 0 ? AF_INET6 : AF_INET, out->address, right,
			sizeof(right));
		return err_set(err, ERR_SETTINGS,
			"\"%s\" has bits set behind those that count; give %s/%u", text, right,
			(unsigned)bits);
	}
	return ERR_NONE;
}

enum err_code network_parse(struct slice text, struct network out[static NETWORK_WORD_MAX],
	unsigned *count, struct err *err)
{
	char copy[64];

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (slice_equal(text, words[i].name)) {
			memcpy(out, words[i].networks, words[i].count * sizeof(out[0]));
			*count = words[i].count;
			return ERR_NONE;
		}
	}
	if (text.len >= sizeof(copy) || memchr(text.ptr, '\0', text.len) != NULL) {
		return err_set(err, ERR_SETTINGS,
			"this is not a network; give one such as 10.0.0.0/8 or 2001:db8::/32, "
			"loopback or private");
	}
	if (text.len > 0) {
		memcpy(copy, text.ptr, text.len);
	}
	copy[text.len] = '\0';
	*count = 1;
	return parse_cidr(copy, &out[0], err);
}
