/*
 * Layer: base. One job: see small_file.h.
 */
#include "base/small_file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *kind_of(mode_t mode)
{
	if (S_ISDIR(mode)) {
		return "a directory";
	}
	return S_ISFIFO(mode) || S_ISSOCK(mode) ? "a pipe or a socket" : "a device";
}

static enum err_code cannot_be_read(const char *path, int error, struct err *err)
{
	char name[SMALL_FILE_NAME_SIZE];

	return err_set(err, ERR_SETTINGS, "%s cannot be read: %s", small_file_name(path, name),
		strerror(error));
}

/* Up to one byte more than `max`, so that the caller sees that there is more. Fails with errno. */
static ssize_t read_all(int fd, char *out, size_t max)
{
	size_t len = 0;

	while (len < max + 1) {
		ssize_t got = read(fd, out + len, max + 1 - len);

		if (got == 0) {
			break;
		}
		if (got < 0 && errno != EINTR) {
			return -1;
		}
		len += got > 0 ? (size_t)got : 0;
	}
	return (ssize_t)len;
}

static enum err_code read_open(
	int fd, const char *path, size_t max, struct secret *out, struct err *err)
{
	char name[SMALL_FILE_NAME_SIZE];
	struct stat status;
	size_t room = max;
	ssize_t len;

	if (fstat(fd, &status) != 0) {
		return cannot_be_read(path, errno, err);
	}
	if (!S_ISREG(status.st_mode)) {
		return err_set(err, ERR_SETTINGS, "%s is %s and no file",
			small_file_name(path, name), kind_of(status.st_mode));
	}
	/* It may grow while it is read; one that was empty (as in /proc) tells nothing. */
	if (status.st_size > 0 && (uint64_t)status.st_size < max) {
		room = (size_t)status.st_size;
	}
	len = read_all(fd, secret_reserve(out, room + 1), room);
	if (len < 0) {
		int error = errno;

		secret_fini(out);
		return cannot_be_read(path, error, err);
	}
	if ((size_t)len > room) {
		secret_fini(out);
		return room < max ? err_set(err, ERR_SETTINGS, "%s grows while it is read",
					    small_file_name(path, name))
				  : err_set(err, ERR_SETTINGS, "%s has more than %zu bytes",
					    small_file_name(path, name), max);
	}
	out->len = (size_t)len;
	out->text[len] = '\0';
	return ERR_NONE;
}

enum err_code small_file_read(const char *path, size_t max, struct secret *out, struct err *err)
{
	/* Without O_NONBLOCK a pipe would wait here for somebody who writes. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	enum err_code code;

	if (fd < 0) {
		return cannot_be_read(path, errno, err);
	}
	code = read_open(fd, path, max, out, err);
	(void)close(fd);
	return code;
}

const char *small_file_name(const char *path, char out[static SMALL_FILE_NAME_SIZE])
{
	static const char more[] = "...";
	size_t len = strlen(path);
	size_t at = 0;

	if (len >= SMALL_FILE_NAME_SIZE) {
		size_t shown = SMALL_FILE_NAME_SIZE - sizeof(more);

		memcpy(out, more, sizeof(more) - 1);
		at = sizeof(more) - 1;
		path += len - shown;
		len = shown;
	}
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)path[i];

		out[at++] = c < ' ' || c == 0x7f ? '?' : (char)c;
	}
	out[at] = '\0';
	return out;
}
