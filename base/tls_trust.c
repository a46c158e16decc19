/*
 * Layer: base. One job: see tls_trust.h.
 */
#include "base/tls_trust.h"

#include <pthread.h>
#include <signal.h>
#include <stdbool.h>

#include <openssl/err.h>
#include <openssl/x509.h>

/* The one thing of TLS that is the process's and no loop's: it is never changed once it is read. */
static struct {
	pthread_mutex_t lock; /* held while it is read: who wants it, waits */
	X509_STORE *store;
	pthread_t thread;
	bool preparing; /* the thread is to be waited for */
} shared = {.lock = PTHREAD_MUTEX_INITIALIZER};

static X509_STORE *read_store(void)
{
	X509_STORE *store = X509_STORE_new();

	if (store != NULL && X509_STORE_set_default_paths(store) != 1) {
		X509_STORE_free(store);
		store = NULL;
	}
	ERR_clear_error(); /* of a file that the system does not have */
	return store;
}

struct x509_store_st *tls_trust_system(void)
{
	X509_STORE *store;

	pthread_mutex_lock(&shared.lock);
	if (shared.store == NULL) {
		shared.store = read_store();
	}
	store = shared.store;
	pthread_mutex_unlock(&shared.lock);
	return store;
}

static void *prepare(void *unused)
{
	(void)unused;
	(void)tls_trust_system();
	return NULL;
}

void tls_trust_prepare(void)
{
	sigset_t all;
	sigset_t before;

	pthread_mutex_lock(&shared.lock);
	if (shared.store == NULL && !shared.preparing) {
		/* Signals are for the thread that waits for them. */
		sigfillset(&all);
		(void)pthread_sigmask(SIG_SETMASK, &all, &before);
		/* Without the thread, the first connection reads them. */
		shared.preparing = pthread_create(&shared.thread, NULL, prepare, NULL) == 0;
		(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	}
	pthread_mutex_unlock(&shared.lock);
}

void tls_trust_settle(void)
{
	bool preparing;

	pthread_mutex_lock(&shared.lock);
	preparing = shared.preparing;
	shared.preparing = false;
	pthread_mutex_unlock(&shared.lock);
	if (preparing) {
		(void)pthread_join(shared.thread, NULL);
	}
}
