/*
 * Kubeconfigs in a temporary directory, read with their outcome.
 */
#ifndef SIGHTGLASS_TESTS_UNIT_KUBECONFIG_FIXTURE_H
#define SIGHTGLASS_TESTS_UNIT_KUBECONFIG_FIXTURE_H

#include "base/buffer.h"
#include "pool/kubeconfig.h"
#include "tests/unit/temporary.h"

#define FAKE_CERTIFICATE "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"
#define FAKE_KEY "-----BEGIN EC PRIVATE KEY-----\ns3cr3t\n-----END EC PRIVATE KEY-----\n"
/* base64 of the two */
#define FAKE_CERTIFICATE_DATA                                                                      \
	"LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0tCk1JSUIKLS0tLS1FTkQgQ0VSVElGSUNBVEUtLS0tLQo="
#define FAKE_KEY_DATA                                                                              \
	"LS0tLS1CRUdJTiBFQyBQUklWQVRFIEtFWS0tLS0tCnMzY3IzdAotLS0tLUVORCBFQyBQUklWQVRFIEtFWS0tLS0t" \
	"Cg=="

struct kubeconfig_fixture {
	struct temporary files;
	struct kubeconfig_url url; /* its texts are borrowed; the file is "config" where it is NULL
				      and no environment is set */
	struct kubeconfig_environment environment;
	struct kubeconfig config;
	struct err err;
};

int kubeconfig_setup(void **state);
int kubeconfig_teardown(void **state);

/* Writes the file "config". */
void kubeconfig_write(struct kubeconfig_fixture *f, const char *text);
/* One of a context, with these lines for its cluster (beside a server) and its user, each with six
 * blanks before it. */
void kubeconfig_write_parts(struct kubeconfig_fixture *f, const char *cluster, const char *user);

/* Reads it anew; the result is f->config. Fails the test where it is refused. */
void kubeconfig_expect_good(struct kubeconfig_fixture *f);
/* It is refused with these words, and with none of a secret: what holds "s3cr3t" is one. */
void kubeconfig_expect_refused(struct kubeconfig_fixture *f, const char *words);

#endif
