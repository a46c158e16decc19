/*
 * Layer: base. One job: see file_watch.h.
 */
#include "base/file_watch.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/file_signature.h"
#include "base/log.h"
#include "base/memory.h"

enum {
	SETTLE_MS = 200,      /* a certificate and its key are written one after the other */
	SETTLE_MAX_MS = 2000, /* in a folder where there is always something going on */
	LOOK_MS = 5000,       /* where there are no events */
	LINKS_MAX = 40,       /* one behind the other; the system follows no more */
};

struct watched_file {
	char *path;
	struct file_signature last;
};

struct watched_group {
	struct list node;
	void (*changed)(void *context);
	void *context;
	size_t count;
	struct watched_file files[];
};

struct watched_folder {
	struct list node;
	struct file_watch *watch;
	char *path;
	bool needed; /* a file's way leads through it, as things are today: it is watched */
	bool told;   /* that it has no events */
	uv_fs_event_t event;
};

struct file_watch {
	struct loop *loop;
	struct list groups;
	struct list folders;
	struct timer timer;    /* until a change has settled, or the next look */
	uint64_t unsettled_ms; /* since when there are changes; 0: there are none */
	bool looks;            /* a folder has no events to give */
	bool closing;
	size_t open; /* handles that libuv has */
};

/* --- files */

static bool has_changed(struct watched_group *group)
{
	bool changed = false;

	for (size_t i = 0; i < group->count; i++) {
		struct file_signature now = file_signature_of(group->files[i].path);

		changed = changed || !file_signature_same(&now, &group->files[i].last);
		group->files[i].last = now;
	}
	return changed;
}

/* --- folders */

static struct watched_folder *find_folder(struct file_watch *watch, const char *path, size_t len)
{
	list_each (node, after, &watch->folders) {
		struct watched_folder *folder = container_of(node, struct watched_folder, node);

		if (strlen(folder->path) == len && memcmp(folder->path, path, len) == 0) {
			return folder;
		}
	}
	return NULL;
}

static void on_event(uv_fs_event_t *handle, const char *name, int events, int status);

/* Anew where it was watched before: what has that name now may be another folder, of which nothing
 * would be told. */
static void watch_folder(struct watched_folder *folder)
{
	int rc;

	(void)uv_fs_event_stop(&folder->event);
	rc = uv_fs_event_start(&folder->event, on_event, folder->path, 0);
	uv_unref((uv_handle_t *)&folder->event);
	if (rc < 0) {
		folder->watch->looks = true;
	}
	if (rc < 0 && !folder->told) {
		folder->told = true;
		log_warn("watch %s: %s; its files are looked at every %d seconds instead",
			folder->path, uv_strerror(rc), LOOK_MS / 1000);
	}
}

static void need_folder(struct file_watch *watch, const char *path, size_t len)
{
	struct watched_folder *folder = find_folder(watch, path, len);

	if (folder == NULL) {
		folder = mem_zalloc(sizeof(*folder));
		folder->watch = watch;
		folder->path = mem_alloc(len + 1);
		memcpy(folder->path, path, len);
		folder->path[len] = '\0';
		list_push_back(&watch->folders, &folder->node);
		(void)uv_fs_event_init(&watch->loop->uv, &folder->event); /* cannot fail */
		folder->event.data = folder;
		watch->open++;
	}
	if (!folder->needed) {
		folder->needed = true;
		watch_folder(folder);
	}
}

/* How much of the path's first `len` bytes stands before its last name, the slash included. */
static size_t folder_len(const char *path, size_t len)
{
	while (len > 0 && path[len - 1] != '/') {
		len--;
	}
	return len;
}

static void need_folder_of(struct file_watch *watch, const char *path, size_t len)
{
	size_t folder = folder_len(path, len);

	if (folder == 0) {
		need_folder(watch, ".", 1);
	} else {
		need_folder(watch, path, folder == 1 ? 1 : folder - 1);
	}
}

enum step {
	STEP_PLAIN,
	STEP_LINK,
	STEP_NOWHERE, /* there is nothing yet, or nothing that we may see */
};

/* What the path's first `len` bytes name. A link is put into `way`: where it leads, and the rest of
 * the path behind that. */
static enum step look_ahead(const char *path, size_t len, char way[static PATH_MAX])
{
	char name[PATH_MAX];
	char target[PATH_MAX];
	ssize_t target_len;
	size_t before;

	memcpy(name, path, len);
	name[len] = '\0';
	target_len = readlink(name, target, sizeof(target));
	if (target_len < 0) {
		return errno == EINVAL ? STEP_PLAIN : STEP_NOWHERE;
	}
	before = target[0] == '/' ? 0 : folder_len(path, len);
	if (before + (size_t)target_len + strlen(path + len) >= PATH_MAX) {
		return STEP_NOWHERE;
	}
	(void)snprintf(way, PATH_MAX, "%.*s%.*s%s", (int)before, path, (int)target_len, target,
		path + len);
	return STEP_LINK;
}

static size_t end_of_name(const char *path, size_t at)
{
	at += strspn(path + at, "/");
	return at + strcspn(path + at, "/");
}

/*
 * The folders in which something has to change before the path leads to another file: that of each
 * link on its way and that of the file; where it leads nowhere, the last one that there is.
 */
static void need_folders_of(struct file_watch *watch, const char *path)
{
	char way[PATH_MAX];
	char next[PATH_MAX];
	unsigned links = 0;
	size_t at = 0;

	if (strlen(path) >= sizeof(way)) {
		return; /* to the system, too, it leads nowhere */
	}
	memcpy(way, path, strlen(path) + 1);
	while (links <= LINKS_MAX) {
		enum step step;

		at = end_of_name(way, at);
		step = look_ahead(way, at, next);
		if (step != STEP_PLAIN || way[at] == '\0') {
			need_folder_of(watch, way, at);
			step = look_ahead(way, at, next); /* it may have changed before */
		}
		if (step == STEP_LINK) {
			memcpy(way, next, sizeof(way));
			at = 0;
			links++;
		} else if (step == STEP_NOWHERE || way[at] == '\0') {
			return;
		}
	}
}

static void forget_folder(struct watched_folder *folder);

/*
 * A link may lead elsewhere now, and a folder be gone: Kubernetes makes one anew for each state.
 * What the folders had still to tell is lost: the files have to be looked at behind this.
 */
static void watch_all_anew(struct file_watch *watch)
{
	watch->looks = false; /* unless a folder says so again */
	list_each (node, after, &watch->folders) {
		container_of(node, struct watched_folder, node)->needed = false;
	}
	list_each (node, after, &watch->groups) {
		struct watched_group *group = container_of(node, struct watched_group, node);

		for (size_t i = 0; i < group->count; i++) {
			need_folders_of(watch, group->files[i].path);
		}
	}
	list_each (node, after, &watch->folders) {
		struct watched_folder *folder = container_of(node, struct watched_folder, node);

		if (!folder->needed) {
			forget_folder(folder);
		}
	}
}

/* --- changes */

static void look(struct file_watch *watch)
{
	list_each (node, after, &watch->groups) {
		struct watched_group *group = container_of(node, struct watched_group, node);

		if (has_changed(group)) {
			group->changed(group->context);
		}
	}
}

/* First the folders, then the files: what changes from here on is told of. */
static void on_timer(struct timer *timer)
{
	struct file_watch *watch = container_of(timer, struct file_watch, timer);

	watch->unsettled_ms = 0;
	watch_all_anew(watch);
	if (watch->looks) {
		loop_timer_start(watch->loop, &watch->timer, LOOK_MS);
	}
	look(watch);
}

static void on_event(uv_fs_event_t *handle, const char *name, int events, int status)
{
	struct watched_folder *folder = handle->data;
	struct file_watch *watch = folder->watch;
	uint64_t now_ms = loop_now_ms(watch->loop);

	(void)name;
	(void)events;
	(void)status; /* whatever it was: the files tell */
	if (watch->unsettled_ms == 0) {
		watch->unsettled_ms = now_ms;
	}
	if (!watch->closing && now_ms - watch->unsettled_ms < SETTLE_MAX_MS) {
		loop_timer_start(watch->loop, &watch->timer, SETTLE_MS);
	}
	loop_settle(watch->loop);
}

/* --- */

struct file_watch *file_watch_create(struct loop *loop)
{
	struct file_watch *watch = mem_zalloc(sizeof(*watch));

	watch->loop = loop;
	list_init(&watch->groups);
	list_init(&watch->folders);
	timer_init(&watch->timer, on_timer);
	return watch;
}

void file_watch_add(struct file_watch *watch, const char *const *paths, size_t count,
	void (*changed)(void *context), void *context)
{
	struct watched_group *group = mem_zalloc(sizeof(*group) + count * sizeof(group->files[0]));

	group->changed = changed;
	group->context = context;
	for (size_t i = 0; i < count; i++) {
		if (paths[i] != NULL && paths[i][0] != '\0') {
			struct watched_file *file = &group->files[group->count++];

			file->path = mem_strdup(paths[i]);
			need_folders_of(watch, file->path);
		}
	}
	list_push_back(&watch->groups, &group->node);
	(void)has_changed(group); /* from here on it would have */
	if (watch->looks && !timer_active(&watch->timer)) {
		loop_timer_start(watch->loop, &watch->timer, LOOK_MS);
	}
}

static void free_watch(struct file_watch *watch)
{
	struct list *node;

	while ((node = list_pop_front(&watch->groups)) != NULL) {
		struct watched_group *group = container_of(node, struct watched_group, node);

		for (size_t i = 0; i < group->count; i++) {
			mem_free(group->files[i].path);
		}
		mem_free(group);
	}
	mem_free(watch);
}

static void on_closed(uv_handle_t *handle)
{
	struct watched_folder *folder = handle->data;
	struct file_watch *watch = folder->watch;

	mem_free(folder->path);
	mem_free(folder);
	watch->open--;
	if (watch->open == 0 && watch->closing) {
		free_watch(watch);
	}
}

static void forget_folder(struct watched_folder *folder)
{
	list_remove(&folder->node);
	uv_close((uv_handle_t *)&folder->event, on_closed);
}

void file_watch_close(struct file_watch *watch)
{
	if (watch == NULL) {
		return;
	}
	watch->closing = true;
	loop_timer_stop(watch->loop, &watch->timer);
	if (watch->open == 0) {
		free_watch(watch);
		return;
	}
	list_each (node, after, &watch->folders) {
		forget_folder(container_of(node, struct watched_folder, node));
	}
}
