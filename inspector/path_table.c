/*
 * Layer: inspector. One job: see path_table.h.
 *
 * What a request costs is the hash of its path and a look into the worker's cache. A path that is
 * not there is folded, and looked for in an open hash table whose slots hold numbers; whoever adds
 * one has the lock, all others only load.
 */
#include "inspector/path_table.h"

#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include <xxhash.h>

#include "base/memory.h"
#include "base/random.h"
#include "http/head.h"
#include "inspector/path_fold.h"

enum {
	SLOTS = 2048, /* a third is full at most: the way to an empty one is short */
};

_Static_assert(SLOTS > 2 * PATHS && PATHS < UINT16_MAX, "numbers fit into the slots");

struct path_table {
	uint64_t seed;
	pthread_mutex_t lock;          /* of who adds */
	_Atomic unsigned named;        /* taken of PATHS_NAMED */
	_Atomic unsigned others;       /* of PATHS_OTHER */
	unsigned next;                 /* number; guarded by the lock */
	_Atomic uint16_t slots[SLOTS]; /* a number; 0: empty */
	struct path_name *_Atomic names[PATHS];
	_Atomic uint32_t by_route[]; /* how many of `named` are the route's */
};

/* One that is looked for. */
struct wanted {
	uint64_t hash;
	uint32_t route;
	unsigned method;
	bool is_other;
	struct slice path;
};

static uint64_t seed_for(
	const struct path_table *table, uint32_t route, unsigned method, bool is_other)
{
	uint64_t key = ((uint64_t)route << 8 | method) << 1 | (is_other ? 1 : 0);

	return table->seed ^ key * UINT64_C(0x9e3779b97f4a7c15);
}

static struct wanted want(const struct path_table *table, uint32_t route, unsigned method,
	bool is_other, struct slice path)
{
	return (struct wanted){
		.hash = XXH3_64bits_withSeed(
			path.ptr, path.len, seed_for(table, route, method, is_other)),
		.route = route,
		.method = method,
		.is_other = is_other,
		.path = path,
	};
}

static bool is_it(const struct path_name *name, const struct wanted *wanted)
{
	return name->hash == wanted->hash && name->route == wanted->route &&
	       name->method == wanted->method && name->is_other == wanted->is_other &&
	       slice_equal(slice_of(name->path, name->len), wanted->path);
}

/* Its number; or 0, and where it is to be put. */
static unsigned look_up(const struct path_table *table, const struct wanted *wanted, unsigned *slot)
{
	for (*slot = (unsigned)(wanted->hash % SLOTS);; *slot = (*slot + 1) % SLOTS) {
		unsigned number = atomic_load_explicit(&table->slots[*slot], memory_order_acquire);

		if (number == 0 || is_it(path_table_name(table, number), wanted)) {
			return number;
		}
	}
}

static bool has_room(struct path_table *table, const struct wanted *wanted)
{
	unsigned named = atomic_load_explicit(&table->named, memory_order_relaxed);

	if (wanted->is_other) {
		return atomic_load_explicit(&table->others, memory_order_relaxed) < PATHS_OTHER;
	}
	return atomic_load_explicit(&table->by_route[wanted->route], memory_order_relaxed) <
	       PATHS_NAMED - named;
}

static void count(struct path_table *table, const struct wanted *wanted)
{
	if (wanted->is_other) {
		atomic_fetch_add_explicit(&table->others, 1, memory_order_relaxed);
	} else {
		atomic_fetch_add_explicit(&table->named, 1, memory_order_relaxed);
		atomic_fetch_add_explicit(&table->by_route[wanted->route], 1, memory_order_relaxed);
	}
}

static struct path_name *new_name(const struct path_table *table, const struct wanted *wanted)
{
	struct path_name *name = mem_alloc(sizeof(*name) + wanted->path.len);

	*name = (struct path_name){
		.hash = wanted->hash,
		.path_hash = XXH3_64bits_withSeed(wanted->path.ptr, wanted->path.len, table->seed),
		.route = wanted->route,
		.method = (uint8_t)wanted->method,
		.is_other = wanted->is_other,
		.len = (uint16_t)wanted->path.len,
	};
	if (wanted->path.len > 0) {
		memcpy(name->path, wanted->path.ptr, wanted->path.len);
	}
	return name;
}

/* With the lock. 0 where there is no room for it. */
static unsigned add(struct path_table *table, const struct wanted *wanted)
{
	unsigned slot;
	unsigned number = look_up(table, wanted, &slot); /* another worker may have been faster */

	if (number != 0 || !has_room(table, wanted)) {
		return number;
	}
	count(table, wanted);
	number = table->next++;
	atomic_store_explicit(&table->names[number], new_name(table, wanted), memory_order_release);
	atomic_store_explicit(&table->slots[slot], (uint16_t)number, memory_order_release);
	return number;
}

static unsigned find_or_add(struct path_table *table, const struct wanted *wanted)
{
	unsigned slot;
	unsigned number = look_up(table, wanted, &slot);

	if (number == 0 && has_room(table, wanted)) {
		int rc = pthread_mutex_lock(&table->lock);

		assert(rc == 0);
		number = add(table, wanted);
		rc = pthread_mutex_unlock(&table->lock);
		assert(rc == 0);
		(void)rc;
	}
	return number;
}

static unsigned fold_and_find(
	struct path_table *table, uint32_t route, unsigned method, struct slice path)
{
	char folded[PATH_FOLD_MAX];
	size_t len = path_fold(path, folded);
	struct wanted wanted = want(table, route, method, false, slice_of(folded, len));
	unsigned number = find_or_add(table, &wanted);

	if (number == 0) {
		wanted = want(table, route, method, true, SLICE("other"));
		number = find_or_add(table, &wanted);
	}
	return number; /* 0 is PATH_OTHER */
}

unsigned path_table_find(struct path_table *table, struct path_cache *cache, uint32_t route,
	unsigned method, struct slice path)
{
	uint64_t hash =
		XXH3_64bits_withSeed(path.ptr, path.len, seed_for(table, route, method, false));
	uint64_t *set = cache->entries[hash % PATH_CACHE_SETS];
	uint64_t tag = hash & ~(uint64_t)UINT16_MAX;

	for (unsigned i = 0; i < PATH_CACHE_WAYS; i++) {
		if ((set[i] & ~(uint64_t)UINT16_MAX) == tag) {
			return (unsigned)(set[i] & UINT16_MAX);
		}
	}
	set[1] = set[0];
	set[0] = tag | fold_and_find(table, route, method, path);
	return (unsigned)(set[0] & UINT16_MAX);
}

const struct path_name *path_table_name(const struct path_table *table, unsigned path)
{
	return atomic_load_explicit(&table->names[path], memory_order_acquire);
}

const char *path_method_name(unsigned method)
{
	static const char *const names[] = {
		[METHOD_OTHER] = "_OTHER",
		[METHOD_GET] = "GET",
		[METHOD_HEAD] = "HEAD",
		[METHOD_POST] = "POST",
		[METHOD_PUT] = "PUT",
		[METHOD_PATCH] = "PATCH",
		[METHOD_DELETE] = "DELETE",
		[METHOD_OPTIONS] = "OPTIONS",
		[METHOD_TRACE] = "TRACE",
		[METHOD_CONNECT] = "CONNECT",
	};

	return names[method];
}

static size_t table_size(uint32_t routes)
{
	return sizeof(struct path_table) +
	       ((size_t)routes + 2) * sizeof(((struct path_table *)NULL)->by_route[0]);
}

struct path_table *path_table_create(uint32_t routes)
{
	/* The routes of the settings, the one that covers the rest, and what found none. */
	struct path_table *table = mem_zalloc(table_size(routes));

	if (pthread_mutex_init(&table->lock, NULL) != 0) {
		abort(); /* the system is out of memory */
	}
	table->seed = random_u64();
	table->next = PATH_OTHER + 1;
	atomic_init(&table->others, 1); /* that of all */
	return table;
}

void path_table_destroy(struct path_table *table)
{
	if (table == NULL) {
		return;
	}
	for (unsigned i = 0; i < PATHS; i++) {
		mem_free(table->names[i]);
	}
	pthread_mutex_destroy(&table->lock);
	mem_free(table);
}

uint64_t path_table_memory_max(uint32_t routes)
{
	return table_size(routes) + PATHS * (sizeof(struct path_name) + PATH_FOLD_MAX);
}
