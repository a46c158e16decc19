/*
 * Layer: the benchmark's programs. One job: counts what a program allocates. Loaded before the C
 * library by LD_PRELOAD, it counts the calls that ask for memory, those of forked workers too, in a
 * file of one 64-bit number that others can read meanwhile: BENCH_ALLOCATIONS names it.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <sys/mman.h>
#include <unistd.h>

enum { FIRST_BYTES = 64 * 1024, FIRST_ALIGN = 16 };

static void *(*real_malloc)(size_t);
static void *(*real_calloc)(size_t, size_t);
static void *(*real_realloc)(void *, size_t);
static void *(*real_aligned_alloc)(size_t, size_t);
static int (*real_posix_memalign)(void **, size_t, size_t);
static void (*real_free)(void *);

static _Atomic uint64_t uncounted;
static _Atomic uint64_t *counter = &uncounted;

/* What is asked for while the real functions are looked up, which may itself allocate. */
static _Alignas(FIRST_ALIGN) char first[FIRST_BYTES];
static size_t first_used;

static void *allocate_first(size_t size)
{
	void *memory = first + first_used;

	if (size > sizeof(first) - first_used) {
		abort();
	}
	first_used += (size + FIRST_ALIGN - 1) / FIRST_ALIGN * FIRST_ALIGN;
	return memory;
}

static bool is_first(const void *memory)
{
	uintptr_t at = (uintptr_t)memory, zone = (uintptr_t)first;

	return at >= zone && at < zone + sizeof(first);
}

/* dlsym() gives an object pointer where a function's is wanted: POSIX has both of one size. */
static void look_up(void *function, const char *name)
{
	void *found = dlsym(RTLD_NEXT, name);

	memcpy(function, &found, sizeof(found));
}

__attribute__((constructor)) static void start(void)
{
	static bool looking;

	if (looking) {
		return;
	}
	looking = true;
	look_up(&real_calloc, "calloc");
	look_up(&real_realloc, "realloc");
	look_up(&real_aligned_alloc, "aligned_alloc");
	look_up(&real_posix_memalign, "posix_memalign");
	look_up(&real_free, "free");
	look_up(&real_malloc, "malloc");

	const char *path = getenv("BENCH_ALLOCATIONS");
	int fd = path != NULL ? open(path, O_RDWR | O_CLOEXEC) : -1;
	if (fd >= 0) {
		void *shared =
			mmap(NULL, sizeof(*counter), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
		if (shared != MAP_FAILED) {
			counter = shared;
		}
		(void)close(fd);
	}
}

static void count(void)
{
	(void)atomic_fetch_add_explicit(counter, 1, memory_order_relaxed);
}

void *malloc(size_t size)
{
	count();
	if (real_malloc == NULL) {
		start();
	}
	return real_malloc != NULL ? real_malloc(size) : allocate_first(size);
}

void *calloc(size_t items, size_t size)
{
	count();
	if (real_malloc == NULL) {
		start();
	}
	/* Zeroed, as it is static and never given out twice. */
	return real_malloc != NULL ? real_calloc(items, size) : allocate_first(items * size);
}

void *realloc(void *memory, size_t size)
{
	count();
	if (!is_first(memory)) {
		return real_realloc(memory, size);
	}
	char *moved = malloc(size);
	size_t left = (size_t)(first + sizeof(first) - (char *)memory);
	if (moved != NULL) {
		memcpy(moved, memory, size < left ? size : left);
	}
	return moved;
}

void *aligned_alloc(size_t align, size_t size)
{
	count();
	return real_aligned_alloc(align, size);
}

int posix_memalign(void **memory, size_t align, size_t size)
{
	count();
	return real_posix_memalign(memory, align, size);
}

void free(void *memory)
{
	if (memory != NULL && !is_first(memory)) {
		real_free(memory);
	}
}
