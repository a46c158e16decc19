/*
 * Layer: inspector. One job: see messages.h.
 */
#include "inspector/messages.h"

#include <assert.h>

#include "inspector/record_layout.h"
#include "inspector/store.h"

struct entry { /* its name and its text follow it */
	uint64_t wall_us;
	uint64_t size;
	uint32_t text_len;
	uint8_t name_len;
	uint8_t type;
	bool incoming;
	bool compressed;
};

static_assert(sizeof(struct entry) + MESSAGE_NAME_MAX + MESSAGE_TEXT_MAX <=
		      sizeof(((struct messages_page *)0)->bytes),
	"the longest message fits into a page");

static void lock(const struct messages *messages)
{
	int rc = pthread_mutex_lock(messages->lock);

	assert(rc == 0);
	(void)rc;
}

static void unlock(const struct messages *messages)
{
	int rc = pthread_mutex_unlock(messages->lock);

	assert(rc == 0);
	(void)rc;
}

void messages_init(struct messages *messages, pthread_mutex_t *lock_of_store)
{
	*messages = (struct messages){.lock = lock_of_store};
}

/* The oldest is at 0. */
static struct messages_page *page_at(const struct messages *messages, uint32_t index)
{
	return messages->pages[(messages->first + index) % messages->count];
}

static size_t size_of(const struct stream_message *message)
{
	return record_aligned(sizeof(struct entry) + message->name.len + message->text.len);
}

/* --- adding. Nobody else changes anything: what is only read needs no lock */

static bool newest_has_room(const struct messages *messages, size_t size)
{
	return messages->count > 0 &&
	       sizeof(page_at(messages, 0)->bytes) - page_at(messages, messages->count - 1)->used >=
		       size;
}

/* A page that is empty, at the end. False where there is none to be had. Wants no lock. */
static bool add_page(struct messages *messages, struct capture_store *store, struct record *record)
{
	struct messages_page *page = NULL;

	if (messages->count < MESSAGES_PAGES && messages->first == 0) {
		page = capture_store_add(store, record, sizeof(*page));
	}
	if (page == NULL && messages->count == 0) {
		return false;
	}
	lock(messages);
	if (page != NULL) {
		page->used = 0;
		messages->pages[messages->count] = page; /* behind them all, as `first` is 0 */
		messages->count++;
	} else { /* the oldest becomes the newest */
		page_at(messages, 0)->used = 0;
		messages->first = (messages->first + 1) % messages->count;
	}
	unlock(messages);
	return true;
}

static char *put(char *at, struct slice text)
{
	if (text.len > 0) {
		memcpy(at, text.ptr, text.len);
	}
	return at + text.len;
}

static void write_entry(struct messages_page *page, const struct stream_message *message)
{
	char *at = page->bytes + page->used;
	const struct entry entry = {
		.wall_us = message->wall_us,
		.size = message->size,
		.text_len = (uint32_t)message->text.len,
		.name_len = (uint8_t)message->name.len,
		.type = (uint8_t)message->type,
		.incoming = message->incoming,
		.compressed = message->compressed,
	};

	memcpy(at, &entry, sizeof(entry));
	(void)put(put(at + sizeof(entry), message->name), message->text);
	page->used += (uint32_t)size_of(message);
}

void messages_add(struct messages *messages, struct capture_store *store, struct record *record,
	const struct stream_message *message)
{
	size_t size = size_of(message);
	bool has_room;

	assert(message->name.len <= MESSAGE_NAME_MAX && message->text.len <= MESSAGE_TEXT_MAX);
	has_room = newest_has_room(messages, size) || add_page(messages, store, record);
	lock(messages);
	messages->total++;
	if (has_room) {
		write_entry(page_at(messages, messages->count - 1), message);
	}
	unlock(messages);
}

/* --- reading */

struct slice messages_copy(const struct messages *messages, struct buffer *out, uint64_t *total)
{
	buffer_clear(out);
	(void)buffer_reserve(out, MESSAGES_PAGES * sizeof(struct messages_page));
	lock(messages);
	*total = messages->total;
	for (uint32_t i = 0; i < messages->count; i++) {
		const struct messages_page *page = page_at(messages, i);

		buffer_append(out, page->bytes, page->used);
	}
	unlock(messages);
	return buffer_slice(out);
}

bool messages_next(struct slice *rest, struct stream_message *message)
{
	const char *at = rest->ptr;
	struct entry entry;
	size_t size;

	if (rest->len == 0) {
		return false;
	}
	memcpy(&entry, at, sizeof(entry));
	at += sizeof(entry);
	*message = (struct stream_message){
		.wall_us = entry.wall_us,
		.size = entry.size,
		.type = (enum message_type)entry.type,
		.incoming = entry.incoming,
		.compressed = entry.compressed,
		.name = slice_of(at, entry.name_len),
		.text = slice_of(at + entry.name_len, entry.text_len),
	};
	size = size_of(message);
	*rest = slice_of(rest->ptr + size, rest->len - size);
	return true;
}
