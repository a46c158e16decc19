/* Layer: the benchmark's programs. One job: connections with TLS or without. See channel.h. */
#include "tests/bench/channel.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include <sys/socket.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/ssl.h>

#include "tests/bench/sockets.h"

enum {
	RECORD_BYTES = 16 * 1024,      /* of text in one record, at most */
	READ_AHEAD = 4 * RECORD_BYTES, /* of what has come, by one call */
};

static _Noreturn void refuse(const char *what)
{
	ERR_print_errors_fp(stderr);
	errno = EPROTO;
	give_up(what);
}

/* --- contexts */

static SSL_CTX *create_context(const SSL_METHOD *method)
{
	char groups[] = "X25519"; /* OpenSSL's macro takes no constant */
	SSL_CTX *context = SSL_CTX_new(method);

	if (context == NULL || SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION) != 1 ||
		SSL_CTX_set_ciphersuites(context, "TLS_AES_128_GCM_SHA256") != 1 ||
		SSL_CTX_set1_groups_list(context, groups) != 1) {
		refuse("TLS");
	}
	(void)SSL_CTX_set_mode(
		context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	(void)SSL_CTX_set_options(context, SSL_OP_IGNORE_UNEXPECTED_EOF); /* a proxy was ended */
	(void)SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
	/* Else each record takes two reads. */
	SSL_CTX_set_read_ahead(context, 1);
	SSL_CTX_set_default_read_buffer_len(context, READ_AHEAD);
	(void)signal(SIGPIPE, SIG_IGN); /* OpenSSL writes without MSG_NOSIGNAL */
	return context;
}

struct ssl_ctx_st *channel_client_context(void)
{
	return create_context(TLS_client_method());
}

struct ssl_ctx_st *channel_server_context(const char *certificate, const char *key)
{
	SSL_CTX *context = create_context(TLS_server_method());

	if (SSL_CTX_use_certificate_chain_file(context, certificate) != 1 ||
		SSL_CTX_use_PrivateKey_file(context, key, SSL_FILETYPE_PEM) != 1) {
		refuse(certificate);
	}
	return context;
}

/* --- connections */

void channel_open(struct channel *channel, int fd, struct ssl_ctx_st *context)
{
	*channel = (struct channel){.fd = fd};
	if (context == NULL) {
		return;
	}
	channel->ssl = SSL_new(context);
	if (channel->ssl == NULL || SSL_set_fd(channel->ssl, fd) != 1) {
		refuse("TLS");
	}
	if (SSL_is_server(channel->ssl)) {
		SSL_set_accept_state(channel->ssl);
	} else {
		SSL_set_connect_state(channel->ssl);
	}
}

void channel_close(struct channel *channel)
{
	if (channel->ssl != NULL) {
		if ((SSL_get_shutdown(channel->ssl) & SSL_RECEIVED_SHUTDOWN) == 0) {
			(void)SSL_shutdown(channel->ssl);
			ERR_clear_error(); /* the handshake may not have ended */
		}
		/* Else the session would not be resumed. */
		SSL_set_shutdown(channel->ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
		SSL_free(channel->ssl);
	}
	(void)close(channel->fd);
}

/* What a call has come to that brought nothing: 0 or -1, and errno, as a socket has them. */
static ssize_t outcome(SSL *ssl, int returned)
{
	switch (SSL_get_error(ssl, returned)) {
	case SSL_ERROR_WANT_READ:
	case SSL_ERROR_WANT_WRITE:
		errno = EAGAIN;
		return -1;
	case SSL_ERROR_ZERO_RETURN:
		return 0;
	case SSL_ERROR_SYSCALL:
		return -1;
	default:
		ERR_print_errors_fp(stderr);
		errno = EPROTO;
		return -1;
	}
}

bool channel_shake_hands(struct channel *channel)
{
	if (channel->ssl == NULL) {
		return true;
	}
	int done = SSL_do_handshake(channel->ssl);
	if (done != 1 && (outcome(channel->ssl, done) == 0 || !would_block())) {
		give_up("a handshake");
	}
	return done == 1;
}

/* Copies what stands in the slices from byte `from` on, at most a record. */
static size_t gather(char *record, const struct iovec *slices, size_t count, size_t from)
{
	size_t gathered = 0;

	for (size_t i = 0; i < count && gathered < RECORD_BYTES; i++) {
		if (from >= slices[i].iov_len) {
			from -= slices[i].iov_len;
			continue;
		}
		size_t len = slices[i].iov_len - from;
		if (len > RECORD_BYTES - gathered) {
			len = RECORD_BYTES - gathered;
		}
		memcpy(record + gathered, (const char *)slices[i].iov_base + from, len);
		gathered += len;
		from = 0;
	}
	return gathered;
}

static ssize_t send_records(SSL *ssl, const struct iovec *slices, size_t count)
{
	char record[RECORD_BYTES];
	size_t sent = 0;

	for (;;) {
		size_t len = gather(record, slices, count, sent);
		int written = len > 0 ? SSL_write(ssl, record, (int)len) : 0;
		if (written > 0) {
			sent += (size_t)written;
		} else if (len == 0 || sent > 0) {
			return (ssize_t)sent;
		} else {
			return outcome(ssl, written);
		}
	}
}

ssize_t channel_send(struct channel *channel, const struct iovec *slices, size_t count)
{
	union {
		const struct iovec *in;
		struct iovec *out;
	} parts = {slices}; /* sendmsg() only reads them */
	struct msghdr message = {.msg_iov = parts.out, .msg_iovlen = count};

	return channel->ssl != NULL ? send_records(channel->ssl, slices, count)
				    : sendmsg(channel->fd, &message, MSG_NOSIGNAL);
}

static ssize_t receive_records(SSL *ssl, char *to, size_t room)
{
	size_t received = 0;

	do {
		int got = SSL_read(ssl, to + received, (int)(room - received));
		if (got <= 0) {
			if (received == 0) {
				return outcome(ssl, got);
			}
			ERR_clear_error(); /* the end, or a failure, is told by the next call */
			break;
		}
		received += (size_t)got;
	} while (received < room && SSL_has_pending(ssl));
	return (ssize_t)received;
}

ssize_t channel_receive(struct channel *channel, char *to, size_t room)
{
	return channel->ssl != NULL ? receive_records(channel->ssl, to, room)
				    : recv(channel->fd, to, room, 0);
}

bool channel_holds_more(const struct channel *channel)
{
	return channel->ssl != NULL && SSL_has_pending(channel->ssl);
}
