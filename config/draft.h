/*
 * Layer: config. One job: the settings while they are put together: what each place has said so
 * far, and which place that was.
 */
#ifndef SIGHTGLASS_CONFIG_DRAFT_H
#define SIGHTGLASS_CONFIG_DRAFT_H

#include <stdbool.h>
#include <stddef.h>

#include "config/problems.h"
#include "config/setting.h"
#include "config/settings.h"

enum {
	SETTINGS_MAX = 64, /* rows of one table */
	OBJECT_PATH_SIZE = 32,
};

/* A struct, the table that describes its members, and where each of them was said. */
struct object {
	const struct setting *table;
	size_t count;
	void *base;
	struct place places[SETTINGS_MAX];
	char path[OBJECT_PATH_SIZE]; /* what stands before its keys: "", "upstreams[0]." */
	struct place place;          /* where it begins */
};

struct upstream_draft {
	struct object object;
	struct upstream_settings settings; /* without its address */
	char *name;
};

struct route_draft {
	struct object object;
	struct route_settings
		settings; /* without prefix and upstream; the text is as it was written */
	char *upstream;
};

struct draft {
	struct object object;
	struct settings settings; /* without upstreams, routes, networks and what was `auto` */
	char *upstream_url;
	struct string_list exclude_get;
	unsigned request_id_inbound;  /* 0 replace, 1 keep */
	const char *kubeconfig_paths; /* what the environment says of kubeconfigs; borrowed */
	const char *home;
	const char *search_path;
	bool help;
	bool version;
	struct upstream_draft **upstreams;
	size_t upstream_count;
	struct route_draft **routes;
	size_t route_count;
	bool file_failed; /* the file could not be read: what it would have said is not missing */
	struct problems problems;
};

enum {
	UPSTREAMS_MAX = 1000,
	ROUTES_MAX = 50000,
};

/* Every default is in place. */
void draft_init(struct draft *draft);
void draft_fini(struct draft *draft);
/* A further one, with its defaults, that is `index` in its list for those who read messages. The
 * draft keeps it. */
struct upstream_draft *draft_add_upstream(struct draft *draft, size_t index, struct place place);
struct route_draft *draft_add_route(struct draft *draft, size_t index, struct place place);

void object_init(struct object *object, const struct setting *table, size_t count, void *base,
	struct place place);
/* Frees what its members own. */
void object_fini(struct object *object);
/* NULL where there is none. */
const struct setting *object_find_key(const struct object *object, struct slice key);
const struct setting *object_find_flag(const struct object *object, struct slice flag);
/*
 * Reads `text` into the member, or adds it to the list; a list that an earlier source had filled is
 * emptied first. An error is a problem of that place; `element` is a list's index in it, or -1.
 */
void object_assign(struct object *object, const struct setting *setting, struct place place,
	int element, struct slice text, struct problems *problems);
/* The file said a list without elements. */
void object_assign_empty(struct object *object, const struct setting *setting, struct place place);
/* Where the member was said that has this key, or this flag ("--upstream"). */
struct place object_place(const struct object *object, const char *name);
/* A problem of that member, wherever it was said; where nobody said it, of the whole object. */
void object_complain(const struct object *object, const char *name, struct problems *problems,
	const char *format, ...) __attribute__((format(printf, 4, 5)));

#endif
