/*
 * For unit tests. One job: see fake_name_server.h. Messages are RFC 1035's.
 */
#include "tests/unit/fake_name_server.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	HEADER_SIZE = 12,
	FLAG_ANSWER = 0x80,
	ANSWERS_AT = 6, /* the count's low byte is behind it */
};

void fake_name_server_open(struct fake_name_server *server)
{
	struct sockaddr_in address = {.sin_family = AF_INET};
	socklen_t size = sizeof(address);
	int rc;

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	server->descriptor = socket(AF_INET, SOCK_DGRAM, 0);
	rc = bind(server->descriptor, (struct sockaddr *)&address, sizeof(address));
	assert(rc == 0);
	rc = getsockname(server->descriptor, (struct sockaddr *)&address, &size);
	assert(rc == 0);
	(void)rc;
	server->port = ntohs(address.sin_port);
}

void fake_name_server_close(struct fake_name_server *server)
{
	(void)close(server->descriptor);
}

static void add_byte(struct dns_message *message, unsigned byte)
{
	assert(message->len < sizeof(message->bytes));
	message->bytes[message->len++] = (uint8_t)byte;
}

static void add_short(struct dns_message *message, unsigned number)
{
	add_byte(message, number >> 8);
	add_byte(message, number & 0xff);
}

static void add_bytes(struct dns_message *message, const void *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		add_byte(message, ((const uint8_t *)bytes)[i]);
	}
}

static void add_name(struct dns_message *message, const char *name)
{
	while (*name != '\0') {
		size_t len = strcspn(name, ".");

		add_byte(message, (unsigned)len);
		add_bytes(message, name, len);
		name += len + (name[len] == '.' ? 1 : 0);
	}
	add_byte(message, 0);
}

/* The name at `at`, which moves behind it. */
static void read_name(const uint8_t *bytes, size_t *at, char name[static DNS_NAME_SIZE])
{
	size_t len = 0;

	while (bytes[*at] != 0) {
		size_t label = bytes[*at];

		assert(len + label + 2 < DNS_NAME_SIZE);
		if (len > 0) {
			name[len++] = '.';
		}
		memcpy(name + len, bytes + *at + 1, label);
		len += label;
		*at += label + 1;
	}
	name[len] = '\0';
	(*at)++;
}

bool fake_name_server_take(struct fake_name_server *server, struct dns_message *message)
{
	socklen_t size = sizeof(message->from);
	ssize_t got = recvfrom(server->descriptor, message->bytes, sizeof(message->bytes),
		MSG_DONTWAIT, (struct sockaddr *)&message->from, &size);
	size_t at = HEADER_SIZE;

	if (got < 0) {
		return false;
	}
	read_name(message->bytes, &at, message->name);
	message->type = (uint16_t)(message->bytes[at] << 8 | message->bytes[at + 1]);
	message->len = at + 4; /* behind type and class */
	return true;
}

void dns_add(struct dns_message *message, uint16_t type, uint32_t ttl_s, const char *value)
{
	uint8_t address[16];
	size_t length_at;

	add_name(message, message->name);
	add_short(message, type);
	add_short(message, 1);
	add_short(message, ttl_s >> 16);
	add_short(message, ttl_s & 0xffff);
	length_at = message->len + 1;
	add_short(message, 0);
	if (type == DNS_CNAME) {
		add_name(message, value);
		(void)snprintf(message->name, sizeof(message->name), "%s", value);
	} else {
		int rc = inet_pton(type == DNS_A ? AF_INET : AF_INET6, value, address);

		assert(rc == 1);
		(void)rc;
		add_bytes(message, address, type == DNS_A ? 4 : 16);
	}
	message->bytes[length_at] = (uint8_t)(message->len - length_at - 1);
	message->bytes[ANSWERS_AT + 1]++;
}

void fake_name_server_answer(
	struct fake_name_server *server, struct dns_message *message, uint8_t code)
{
	ssize_t sent;

	message->bytes[2] |= FLAG_ANSWER;
	message->bytes[3] = code;
	message->bytes[11] = 0; /* nothing additional */
	sent = sendto(server->descriptor, message->bytes, message->len, 0,
		(struct sockaddr *)&message->from, sizeof(message->from));
	assert(sent == (ssize_t)message->len);
	(void)sent;
}
