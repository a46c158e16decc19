/*
 * Layer: base. One job: see tls_text.h.
 */
#include "base/tls_text.h"

#include <stdio.h>
#include <time.h>

#include <openssl/err.h>

const char *tls_reason(void)
{
	const char *reason = ERR_reason_error_string(ERR_peek_last_error());

	ERR_clear_error();
	return reason == NULL ? "unknown reason" : reason;
}

int64_t tls_time_seconds(const ASN1_TIME *time)
{
	struct tm parts;

	if (time == NULL || ASN1_TIME_to_tm(time, &parts) != 1) {
		ERR_clear_error();
		return INT64_MAX;
	}
	return (int64_t)timegm(&parts);
}

const char *tls_time_text(const ASN1_TIME *time, char out[static TLS_TIME_SIZE])
{
	struct tm parts;

	out[0] = '\0';
	if (time == NULL || ASN1_TIME_to_tm(time, &parts) != 1 ||
		strftime(out, TLS_TIME_SIZE, "%Y-%m-%dT%H:%M:%SZ", &parts) == 0) {
		ERR_clear_error();
		(void)snprintf(out, TLS_TIME_SIZE, "an unknown time");
	}
	return out;
}
