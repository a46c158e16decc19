/*
 * Layer: proxy (sees base, http, pool). One job: the settings of clients, routes and workers, as
 * the configuration hands them over: checked, with defaults filled in, immutable from then on and
 * read by all threads.
 */
#ifndef SIGHTGLASS_PROXY_SETTINGS_H
#define SIGHTGLASS_PROXY_SETTINGS_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/slice.h"
#include "http/target.h"
#include "pool/kubeconfig.h"
#include "pool/upstream.h"

enum {
	SETTINGS_UNIX_PATH_MAX = 108, /* sizeof(sockaddr_un.sun_path) */
	SETTINGS_METHODS_OTHER =
		1u << 0, /* the bit of METHOD_OTHER: methods the program has no number for */
	SETTINGS_METHODS_ALL = 0xffff,
};

enum listener_role {
	LISTENER_TRAFFIC,
	LISTENER_INSPECTOR, /* the inspector alone */
	LISTENER_ADMIN,     /* metrics and health alone; plain also where the others speak TLS */
	LISTENER_ROLES      /* how many there are */
};

struct listen_settings {
	char text[160]; /* as it was written: for messages */
	bool is_unix;
	char path[SETTINGS_UNIX_PATH_MAX];
	bool any_family; /* ":PORT": one socket for IPv6 and IPv4, or IPv4 alone where the system
			    has no IPv6 */
	struct sockaddr_storage address;
};

struct limit_settings {
	uint32_t connections; /* client connections of all workers; 0 = from the file-descriptor
				 limit */
	uint32_t header_bytes;
	uint16_t headers;
	uint64_t body_bytes; /* 0 = no limit */
};

struct timeout_settings { /* 0 = off */
	uint64_t header_ms;
	uint64_t body_ms;
	uint64_t send_ms;
	uint64_t keep_alive_ms;
	uint64_t drain_ms;
};

struct upstream_timeouts { /* 0 = off */
	uint64_t connect_ms;
	uint64_t first_byte_ms;
	uint64_t idle_ms;
	uint64_t total_ms;
};

/* Which credential requests to it get; all NULL: none. See pool/credential_upkeep.h. */
struct upstream_credential {
	char *bearer_file;
	char *header; /* both or none */
	char *header_file;
	uint32_t methods; /* bits, as a route's; SETTINGS_METHODS_ALL = every method */
	bool replaces;    /* what the client itself put into that field */
};

/* Of an upstream at kubeconfig:[FILE][?context=NAME]. */
struct upstream_kubeconfig {
	bool used;
	struct kubeconfig_url url;
	char *paths; /* what the environment said at the start; NULL: nothing */
	char *home;
};

struct upstream_settings {
	char name[UPSTREAM_NAME_MAX];
	char *url;
	struct upstream_address address;
	struct pool_settings pool;
	struct upstream_tls tls;
	struct upstream_credential credential;
	struct upstream_kubeconfig kubeconfig;
	struct upstream_timeouts timeouts;
};

enum capture_level {
	CAPTURE_FULL,    /* heads and bodies */
	CAPTURE_HEADERS, /* heads */
	CAPTURE_ROW,     /* one line of facts in the poll log */
	CAPTURE_NONE,    /* counted only */
};

struct route_settings {
	char *text; /* the prefix as it was written: the route's name in records, logs and metrics
		     */
	struct prefix prefix;
	uint32_t methods;  /* a bit (1 << enum method) each; SETTINGS_METHODS_ALL = every method */
	uint32_t upstream; /* index in proxy_settings.upstreams */
	enum capture_level capture;
	struct upstream_timeouts timeouts; /* the upstream's, but for what the route says itself */
};

struct network {           /* an address and how many of its bits count */
	uint8_t family_v6; /* 0: IPv4, in the first 4 bytes; 1: IPv6 */
	uint8_t bits;
	uint8_t address[16];
};

struct listener_tls { /* PEM files; both, or none: then listeners are plain */
	char *certificate;
	char *key;
};

struct proxy_settings {
	struct listen_settings *listens;
	uint32_t listen_count;
	struct listen_settings *inspector_listens; /* none: the inspector answers on `listens` */
	uint32_t inspector_listen_count;
	struct listen_settings *admin_listens;
	uint32_t admin_listen_count;
	struct listener_tls tls; /* of all of them but unix sockets and `admin_listens` */
	uint32_t workers;        /* resolved from auto: at least 1 */
	struct limit_settings limits;
	struct timeout_settings timeouts;
	struct network *trusted_proxies;
	uint32_t trusted_proxy_count;
	bool trust_unix;              /* "loopback" also trusts peers of unix listeners */
	struct slice request_id_name; /* X-Request-ID */
	bool request_id_keep;         /* a well-formed inbound ID stays */
	struct upstream_settings *upstreams;
	uint32_t upstream_count;       /* at least 1 */
	struct route_settings *routes; /* in the order of the file, those of --exclude-get behind
					  them; none covers all by itself: see proxy/route.h */
	uint32_t route_count;
	bool access_log;
	bool access_log_json;
};

#endif
