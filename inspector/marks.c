/*
 * Layer: inspector. One job: see marks.h.
 */
#include "inspector/marks.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/memory.h"

struct mark {
	struct mark_facts facts;
	struct path_counts counts[PATHS]; /* until then */
};

struct marks {
	const struct path_statistics *statistics;
	uint64_t started_wall_us;
	pthread_mutex_t lock; /* guards the rest; held while counters are read and copied: some ten
				 microseconds */
	size_t count;
	struct mark *marks[MARKS_MAX]; /* the oldest first */
};

static void lock(struct marks *marks)
{
	int rc = pthread_mutex_lock(&marks->lock);

	assert(rc == 0);
	(void)rc;
}

static void unlock(struct marks *marks)
{
	int rc = pthread_mutex_unlock(&marks->lock);

	assert(rc == 0);
	(void)rc;
}

struct marks *marks_create(const struct path_statistics *statistics, uint64_t started_wall_us)
{
	struct marks *marks = mem_zalloc(sizeof(*marks));

	if (pthread_mutex_init(&marks->lock, NULL) != 0) {
		abort(); /* the system is out of memory */
	}
	marks->statistics = statistics;
	marks->started_wall_us = started_wall_us;
	return marks;
}

void marks_destroy(struct marks *marks)
{
	if (marks == NULL) {
		return;
	}
	for (size_t i = 0; i < marks->count; i++) {
		mem_free(marks->marks[i]);
	}
	pthread_mutex_destroy(&marks->lock);
	mem_free(marks);
}

uint64_t marks_memory_max(void)
{
	return sizeof(struct marks) + MARKS_MAX * sizeof(struct mark);
}

/* --- with the lock */

static size_t find(const struct marks *marks, struct slice name)
{
	size_t at = 0;

	while (at < marks->count && !slice_equal(slice_str(marks->marks[at]->facts.name), name)) {
		at++;
	}
	return at;
}

/* Takes it out; it comes back at the end. */
static struct mark *take(struct marks *marks, size_t at)
{
	struct mark *mark = marks->marks[at];

	marks->count--;
	memmove(&marks->marks[at], &marks->marks[at + 1],
		(marks->count - at) * sizeof(marks->marks[0]));
	return mark;
}

static void read_counts(const struct marks *marks, struct path_counts counts[static PATHS])
{
	for (unsigned i = 0; i < PATHS; i++) {
		path_statistics_counts(marks->statistics, i, &counts[i]);
	}
}

static void set_here(struct marks *marks, struct mark *mark, struct slice name)
{
	memset(mark->facts.name, 0, sizeof(mark->facts.name));
	memcpy(mark->facts.name, name.ptr, name.len);
	mark->facts.wall_us = clock_wall_us();
	mark->facts.count = 0;
	read_counts(marks, mark->counts);
	for (unsigned i = 0; i < PATHS; i++) {
		mark->facts.count += mark->counts[i].count;
	}
	marks->marks[marks->count++] = mark;
}

/* --- */

static enum err_code check_name(struct slice name, struct err *err)
{
	bool printable = utf8_valid(name);

	for (size_t i = 0; i < name.len; i++) {
		unsigned char c = (unsigned char)name.ptr[i];

		printable = printable && c >= ' ' && c != 0x7f;
	}
	if (name.len == 0 || name.len > MARK_NAME_MAX || !printable) {
		return err_set(err, ERR_SYNTAX,
			"a mark's name has 1 to %d bytes and no control characters", MARK_NAME_MAX);
	}
	if (slice_equal(name, SLICE(MARK_NOW))) {
		return err_set(
			err, ERR_SYNTAX, "\"%s\" is always now, and no mark's name", MARK_NOW);
	}
	return ERR_NONE;
}

enum err_code marks_set(
	struct marks *marks, struct slice name, struct mark_facts *facts, struct err *err)
{
	struct mark *mark;
	size_t at;

	if (check_name(name, err) != ERR_NONE) {
		return ERR_SYNTAX;
	}
	lock(marks);
	at = find(marks, name);
	if (at == MARKS_MAX) {
		unlock(marks);
		return err_set(err, ERR_LIMIT,
			"there are %d marks already: set one of their names again, or clear them",
			MARKS_MAX);
	}
	mark = at < marks->count ? take(marks, at) : mem_alloc(sizeof(*mark));
	set_here(marks, mark, name);
	*facts = mark->facts;
	unlock(marks);
	return ERR_NONE;
}

size_t marks_list(struct marks *marks, struct mark_facts out[static MARKS_MAX])
{
	size_t count;

	lock(marks);
	count = marks->count;
	for (size_t i = 0; i < count; i++) {
		out[i] = marks->marks[i]->facts;
	}
	unlock(marks);
	return count;
}

void marks_clear(struct marks *marks)
{
	lock(marks);
	while (marks->count > 0) {
		mem_free(marks->marks[--marks->count]);
	}
	unlock(marks);
}

static void subtract(struct path_counts *from, const struct path_counts *what)
{
	from->count -= what->count;
	from->upstream_calls -= what->upstream_calls;
	from->duration_us -= what->duration_us;
}

/* With the lock: the period that ends before the mark at `at`, which is there, or now. */
static void read_period(const struct marks *marks, size_t at, struct mark_period *out)
{
	const struct mark *before = at > 0 ? marks->marks[at - 1] : NULL;

	if (at < marks->count) {
		memcpy(out->name, marks->marks[at]->facts.name, sizeof(out->name));
		memcpy(out->counts, marks->marks[at]->counts, sizeof(out->counts));
		out->end_wall_us = marks->marks[at]->facts.wall_us;
	} else {
		memcpy(out->name, MARK_NOW, sizeof(MARK_NOW));
		read_counts(marks, out->counts);
		out->end_wall_us = clock_wall_us();
	}
	out->begin_wall_us = before == NULL ? marks->started_wall_us : before->facts.wall_us;
	for (unsigned i = 0; before != NULL && i < PATHS; i++) {
		subtract(&out->counts[i], &before->counts[i]);
	}
}

enum err_code marks_period(
	struct marks *marks, struct slice name, struct mark_period *out, struct err *err)
{
	bool now = slice_equal(name, SLICE(MARK_NOW));
	size_t at;

	lock(marks);
	at = now ? marks->count : find(marks, name);
	if (now || at < marks->count) {
		read_period(marks, at, out);
		unlock(marks);
		return ERR_NONE;
	}
	unlock(marks);
	return err_set(err, ERR_NOT_FOUND, "there is no mark \"%.*s\"", SLICE_ARGS(name));
}
