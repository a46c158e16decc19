/*
 * Layer: base. One job: see file_watch.h.
 */
#include "base/file_watch.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/log.h"
#include "base/memory.h"

enum {
	SETTLE_MS = 200, /* a certificate and its key are written one after the other */
	LOOK_MS = 5000,  /* where there are no events */
};

/* What tells one state of a file from another. */
struct signature {
	dev_t device;
	ino_t inode;
	off_t size;
	struct timespec written;
};

struct watched_file {
	char *path;
	struct signature last;
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
	bool needed; /* a file lies there, as far as the links lead today */
	uv_fs_event_t event;
};

struct file_watch {
	struct loop *loop;
	struct list groups;
	struct list folders;
	struct timer timer; /* until a change has settled, or the next look */
	bool looks;         /* a folder has no events to give */
	bool closing;
	size_t open; /* handles that libuv has */
};

/* --- files */

static struct signature look_at(const char *path)
{
	struct signature signature = {.size = -1}; /* of one that is missing */
	struct stat status;

	if (stat(path, &status) == 0) {
		signature.device = status.st_dev;
		signature.inode = status.st_ino;
		signature.size = status.st_size;
#ifdef __APPLE__
		signature.written = status.st_mtimespec;
#else
		signature.written = status.st_mtim;
#endif
	}
	return signature;
}

static bool same(const struct signature *a, const struct signature *b)
{
	return a->device == b->device && a->inode == b->inode && a->size == b->size &&
	       a->written.tv_sec == b->written.tv_sec && a->written.tv_nsec == b->written.tv_nsec;
}

static bool has_changed(struct watched_group *group)
{
	bool changed = false;

	for (size_t i = 0; i < group->count; i++) {
		struct signature now = look_at(group->files[i].path);

		changed = changed || !same(&now, &group->files[i].last);
		group->files[i].last = now;
	}
	return changed;
}

/* --- folders */

static void watch_folder(struct file_watch *watch, const char *path, size_t len);

/* The folder of the path, and that of the file behind its links. */
static void watch_folders_of(struct file_watch *watch, const char *path)
{
	const char *slash = strrchr(path, '/');
	char *real;

	if (slash == NULL) {
		watch_folder(watch, ".", 1);
	} else {
		watch_folder(watch, path, slash == path ? 1 : (size_t)(slash - path));
	}
	real = realpath(path, NULL);
	if (real != NULL) {
		slash = strrchr(real, '/');
		watch_folder(watch, real, slash == real ? 1 : (size_t)(slash - real));
		free(real);
	}
}

static void forget_folder(struct watched_folder *folder);

/* A link may lead elsewhere now, and a folder be gone: Kubernetes makes one anew for each state. */
static void follow_links(struct file_watch *watch)
{
	list_each (node, after, &watch->folders) {
		container_of(node, struct watched_folder, node)->needed = false;
	}
	list_each (node, after, &watch->groups) {
		struct watched_group *group = container_of(node, struct watched_group, node);

		for (size_t i = 0; i < group->count; i++) {
			watch_folders_of(watch, group->files[i].path);
		}
	}
	list_each (node, after, &watch->folders) {
		struct watched_folder *folder = container_of(node, struct watched_folder, node);

		if (!folder->needed) {
			forget_folder(folder);
		}
	}
}

static void look(struct file_watch *watch)
{
	bool any = false;

	list_each (node, after, &watch->groups) {
		struct watched_group *group = container_of(node, struct watched_group, node);

		if (has_changed(group)) {
			any = true;
			group->changed(group->context);
		}
	}
	if (any) {
		follow_links(watch);
	}
}

static void on_timer(struct timer *timer)
{
	struct file_watch *watch = container_of(timer, struct file_watch, timer);

	look(watch);
	if (watch->looks) {
		loop_timer_start(watch->loop, &watch->timer, LOOK_MS);
	}
}

static void on_event(uv_fs_event_t *handle, const char *name, int events, int status)
{
	struct watched_folder *folder = handle->data;
	struct file_watch *watch = folder->watch;

	(void)name;
	(void)events;
	(void)status; /* whatever it was: the files tell */
	if (!watch->closing) {
		loop_timer_start(watch->loop, &watch->timer, SETTLE_MS);
	}
	loop_settle(watch->loop);
}

static void look_from_now_on(struct file_watch *watch, const char *path, int why)
{
	log_warn("watch %s: %s; its files are looked at every %d seconds instead", path,
		uv_strerror(why), LOOK_MS / 1000);
	if (!watch->looks) {
		watch->looks = true;
		loop_timer_start(watch->loop, &watch->timer, LOOK_MS);
	}
}

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

static void watch_folder(struct file_watch *watch, const char *path, size_t len)
{
	struct watched_folder *folder = find_folder(watch, path, len);
	int rc;

	if (folder != NULL) {
		folder->needed = true;
		return;
	}
	folder = mem_zalloc(sizeof(*folder));
	folder->watch = watch;
	folder->needed = true;
	folder->path = mem_alloc(len + 1);
	memcpy(folder->path, path, len);
	folder->path[len] = '\0';
	list_push_back(&watch->folders, &folder->node);
	(void)uv_fs_event_init(&watch->loop->uv, &folder->event); /* cannot fail */
	folder->event.data = folder;
	watch->open++;
	rc = uv_fs_event_start(&folder->event, on_event, folder->path, 0);
	if (rc < 0) {
		look_from_now_on(watch, folder->path, rc);
	}
	uv_unref((uv_handle_t *)&folder->event);
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
			file->last = look_at(file->path);
			watch_folders_of(watch, file->path);
		}
	}
	list_push_back(&watch->groups, &group->node);
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
