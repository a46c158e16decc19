/*
 * Layer: base. One job: the heap that aborts. The last words go straight to stderr: the log would
 * need memory.
 */
#include "base/memory.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void die(size_t size)
{
	char text[96];
	int len = snprintf(text, sizeof(text), "sightglass: out of memory: %zu bytes\n", size);

	if (len > 0 && write(STDERR_FILENO, text, (size_t)len) < 0) {
		/* nobody is left to tell */
	}
	abort();
}

void *mem_alloc(size_t size)
{
	void *ptr = malloc(size == 0 ? 1 : size); /* malloc(0) may answer NULL */

	if (ptr == NULL) {
		die(size);
	}
	return ptr;
}

void *mem_zalloc(size_t size)
{
	void *ptr = calloc(1, size == 0 ? 1 : size);

	if (ptr == NULL) {
		die(size);
	}
	return ptr;
}

void *mem_realloc(void *ptr, size_t size)
{
	void *moved = realloc(ptr, size == 0 ? 1 : size);

	if (moved == NULL) {
		die(size);
	}
	return moved;
}

void *mem_alloc_array(size_t count, size_t size)
{
	if (size != 0 && count > SIZE_MAX / size) {
		die(SIZE_MAX);
	}
	return mem_alloc(count * size);
}

char *mem_strdup(const char *text)
{
	size_t size = strlen(text) + 1;

	return memcpy(mem_alloc(size), text, size);
}

void mem_free(void *ptr)
{
	free(ptr);
}

void mem_wipe(void *ptr, size_t size)
{
	if (size > 0) {
		memset(ptr, 0, size);
		/* To the compiler, somebody reads it here. */
		__asm__ __volatile__("" : : "r"(ptr) : "memory");
	}
}
