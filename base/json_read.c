/*
 * Layer: base. One job: see json_read.h.
 */
#include "base/json_read.h"

#include <pthread.h>
#include <stdlib.h>

#ifdef __APPLE__
#include <malloc/malloc.h>
#define block_size malloc_size
#else
#include <malloc.h>
#define block_size malloc_usable_size
#endif

#include "base/memory.h"

/*
 * jansson's memory is the heap's, so what was allocated before this took its place is freed as
 * well. It never reallocates: what grows is copied and freed, through here.
 */
static void free_wiped(void *ptr)
{
	if (ptr != NULL) {
		mem_wipe(ptr, block_size(ptr));
		mem_free(ptr);
	}
}

static void set_up(void)
{
	json_set_alloc_funcs(mem_alloc, free_wiped);
}

json_t *json_read_object(struct slice text, size_t max, struct err *err)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	json_error_t problem;
	json_t *value;

	(void)pthread_once(&once, set_up);
	if (text.len > max) {
		(void)err_set(err, ERR_SETTINGS, "it has more than %zu bytes", max);
		return NULL;
	}
	value = json_loadb(text.len > 0 ? text.ptr : "", text.len, JSON_REJECT_DUPLICATES,
		&problem); /* which refuses what is neither object nor list */
	if (value == NULL) {
		int line = problem.line;

		mem_wipe(&problem, sizeof(problem)); /* its words quote what stands there */
		(void)err_set(err, ERR_SETTINGS, "it is no JSON (line %d)", line);
		return NULL;
	}
	if (!json_is_object(value)) {
		json_decref(value);
		(void)err_set(err, ERR_SETTINGS, "it is a list and no JSON object");
		return NULL;
	}
	return value;
}

bool json_read_string(const json_t *object, const char *name, struct slice *text)
{
	const json_t *value = json_object_get(object, name);

	if (!json_is_string(value)) {
		return false;
	}
	*text = slice_of(json_string_value(value), json_string_length(value));
	return true;
}
