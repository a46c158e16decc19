/*
 * Layer: pool (sees base). One job: run a program once, within bounds, and hand over what it wrote:
 * no shell, nothing to read, at most EXEC_OUTPUT_MAX to write, killed with all that it has started
 * when its time is over. Knows nothing of credentials but that no error may hold one.
 */
#ifndef SIGHTGLASS_POOL_EXEC_PROCESS_H
#define SIGHTGLASS_POOL_EXEC_PROCESS_H

#include "base/err.h"
#include "base/loop.h"
#include "base/slice.h"
#include "base/small_file.h"

enum {
	EXEC_TIMEOUT_MS = 10 * 1000,
};

struct exec_process;

/* `output` lives during the call; `err` is NULL where the program ended well, else ERR_CREDENTIAL
 * with a sentence that begins with the program's name. Within a turn; never from inside
 * exec_process_start(). */
typedef void (*exec_done_fn)(void *context, struct slice output, const struct err *err);

/*
 * Begins it; the texts are copied by the system. `done` is called once, unless the process is
 * closed before; the memory goes by itself then. NULL and ERR_CREDENTIAL where it cannot be begun.
 * It does not keep the loop running.
 */
struct exec_process *exec_process_start(struct loop *loop, char *const *arguments,
	char *const *environment, uint64_t timeout_ms, exec_done_fn done, void *context,
	struct err *err);
/* Before `done` is called: kills it, and `done` will not be. Takes NULL. */
void exec_process_close(struct exec_process *process);

/* 0, or ERR_SETTINGS: the program cannot be found by `path` ($PATH), or not be run. A command with
 * a '/' in it is a path itself. */
enum err_code exec_command_check(const char *command, const char *path, struct err *err);

/* The program's name without its folders, fit for a sentence. Returns `out`. */
const char *exec_program_name(const char *command, char out[static SMALL_FILE_NAME_SIZE]);

/* What of a line of the program's complaints may be shown: what is printable, without words that
 * look like a secret, cut to `size`. Returns `out`. */
const char *exec_complaint(struct slice text, char *out, size_t size);

#endif
