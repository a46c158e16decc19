/*
 * Layer: base. One job: read the two clocks, read and write dates. Dates are reckoned here and not
 * by gmtime_r, which takes the C library's time zone lock: each access-log line of each worker
 * would wait for it.
 */
#include "base/clock.h"

#include <time.h>

enum {
	US_PER_S = 1000000,
	S_PER_DAY = 86400,
};

struct date {
	unsigned year, month, day; /* month and day count from 1 */
	unsigned hour, minute, second;
	unsigned weekday; /* 0 is Sunday */
	unsigned us;
};

static uint64_t read_clock(clockid_t id)
{
	struct timespec now;

	clock_gettime(id, &now);
	return (uint64_t)now.tv_sec * US_PER_S + (uint64_t)now.tv_nsec / 1000;
}

/*
 * The proleptic Gregorian calendar in eras of 400 years that begin on 1 March, so that the leap day
 * comes last (the well-known "days from civil" reckoning, backwards).
 */
static void date_of(uint64_t wall_us, struct date *date)
{
	uint64_t seconds = wall_us / US_PER_S;
	uint64_t days = seconds / S_PER_DAY;
	unsigned second_of_day = (unsigned)(seconds % S_PER_DAY);
	uint64_t shifted = days + 719468; /* days since 0000-03-01 */
	uint64_t era = shifted / 146097;
	unsigned day_of_era = (unsigned)(shifted % 146097);
	unsigned year_of_era =
		(day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
	unsigned day_of_year =
		day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
	unsigned month_from_march = (5 * day_of_year + 2) / 153;

	date->day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
	date->month = month_from_march < 10 ? month_from_march + 3 : month_from_march - 9;
	date->year = (unsigned)(era * 400) + year_of_era + (date->month <= 2 ? 1 : 0);
	date->hour = second_of_day / 3600;
	date->minute = second_of_day / 60 % 60;
	date->second = second_of_day % 60;
	date->weekday = (unsigned)((days + 4) % 7); /* 1970-01-01 was a Thursday */
	date->us = (unsigned)(wall_us % US_PER_S);
}

/* Writes `value` with exactly `digits` digits; returns the place behind them. */
static char *put_number(char *at, unsigned value, unsigned digits)
{
	for (unsigned i = digits; i-- > 0; value /= 10) {
		at[i] = (char)('0' + value % 10);
	}
	return at + digits;
}

static char *put_text(char *at, const char *text, unsigned len)
{
	for (unsigned i = 0; i < len; i++) {
		at[i] = text[i];
	}
	return at + len;
}

static char *put_time(char *at, const struct date *date)
{
	at = put_number(at, date->hour, 2);
	*at++ = ':';
	at = put_number(at, date->minute, 2);
	*at++ = ':';
	return put_number(at, date->second, 2);
}

/* Seconds from the epoch to 00:00 of the date, negative before it; "days from civil" forwards. */
static int64_t seconds_to(const struct date *date)
{
	unsigned month_from_march = date->month > 2 ? date->month - 3 : date->month + 9;
	int64_t year = (int64_t)date->year - (date->month <= 2 ? 1 : 0);
	int64_t era = (year + 400) / 400 - 1; /* year 0 before March is in the era before */
	int64_t year_of_era = year - era * 400;
	int64_t day_of_year = (153 * month_from_march + 2) / 5 + date->day - 1;
	int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;

	return (era * 146097 + day_of_era - 719468) * S_PER_DAY;
}

static unsigned days_of(unsigned year, unsigned month)
{
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

	if (month == 2) {
		return leap ? 29 : 28;
	}
	return month == 4 || month == 6 || month == 9 || month == 11 ? 30 : 31;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Takes `count` digits off `*rest`, and where `stop` is not 0, that character behind them. */
static bool take_number(struct slice *rest, size_t count, char stop, unsigned *value)
{
	size_t len = count + (stop == 0 ? 0 : 1);

	if (rest->len < len || (stop != 0 && ascii_lower(rest->ptr[count]) != stop)) {
		return false;
	}
	*value = 0;
	for (size_t i = 0; i < count; i++) {
		if (!is_digit(rest->ptr[i])) {
			return false;
		}
		*value = *value * 10 + (unsigned)(rest->ptr[i] - '0');
	}
	*rest = slice_of(rest->ptr + len, rest->len - len);
	return true;
}

/* True where there is none, too. */
static bool skip_fraction(struct slice *rest)
{
	size_t len = 1;

	if (rest->len == 0 || rest->ptr[0] != '.') {
		return true;
	}
	while (len < rest->len && is_digit(rest->ptr[len])) {
		len++;
	}
	*rest = slice_of(rest->ptr + len, rest->len - len);
	return len > 1;
}

/* The whole of `text`: Z, or +hh:mm. */
static bool parse_offset(struct slice text, int64_t *offset_s)
{
	int64_t sign = text.len > 0 && text.ptr[0] == '-' ? -1 : 1;
	unsigned hours;
	unsigned minutes;

	*offset_s = 0;
	if (text.len == 1) {
		return ascii_lower(text.ptr[0]) == 'z';
	}
	if (text.len == 0 || (text.ptr[0] != '+' && text.ptr[0] != '-')) {
		return false;
	}
	text = slice_of(text.ptr + 1, text.len - 1);
	if (!take_number(&text, 2, ':', &hours) || !take_number(&text, 2, 0, &minutes) ||
		text.len > 0 || hours > 23 || minutes > 59) {
		return false;
	}
	*offset_s = sign * (int64_t)(hours * 3600 + minutes * 60);
	return true;
}

uint64_t clock_now_us(void)
{
	return read_clock(CLOCK_MONOTONIC);
}

uint64_t clock_wall_us(void)
{
	return read_clock(CLOCK_REALTIME);
}

size_t clock_format_rfc3339(uint64_t wall_us, char out[static CLOCK_RFC3339_SIZE])
{
	struct date date;
	char *at = out;

	date_of(wall_us, &date);
	at = put_number(at, date.year, 4);
	*at++ = '-';
	at = put_number(at, date.month, 2);
	*at++ = '-';
	at = put_number(at, date.day, 2);
	*at++ = 'T';
	at = put_time(at, &date);
	*at++ = '.';
	at = put_number(at, date.us, 6);
	*at++ = 'Z';
	*at = '\0';
	return (size_t)(at - out);
}

bool clock_parse_rfc3339(struct slice text, uint64_t *wall_s)
{
	struct date date;
	int64_t offset_s;
	int64_t seconds;

	if (!take_number(&text, 4, '-', &date.year) || !take_number(&text, 2, '-', &date.month) ||
		!take_number(&text, 2, 't', &date.day) || !take_number(&text, 2, ':', &date.hour) ||
		!take_number(&text, 2, ':', &date.minute) ||
		!take_number(&text, 2, 0, &date.second) || !skip_fraction(&text) ||
		!parse_offset(text, &offset_s)) {
		return false;
	}
	if (date.month < 1 || date.month > 12 || date.day < 1 ||
		date.day > days_of(date.year, date.month) || date.hour > 23 || date.minute > 59 ||
		date.second > 60) { /* a leap second is as good as the one that follows */
		return false;
	}
	seconds = seconds_to(&date) + (int64_t)(date.hour * 3600 + date.minute * 60 + date.second) -
		  offset_s;
	*wall_s = seconds > 0 ? (uint64_t)seconds : 0;
	return true;
}

size_t clock_format_imf(uint64_t wall_us, char out[static CLOCK_IMF_SIZE])
{
	static const char weekdays[] = "SunMonTueWedThuFriSat";
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	struct date date;
	char *at = out;

	date_of(wall_us, &date);
	at = put_text(at, weekdays + 3 * (size_t)date.weekday, 3);
	at = put_text(at, ", ", 2);
	at = put_number(at, date.day, 2);
	*at++ = ' ';
	at = put_text(at, months + 3 * (size_t)(date.month - 1), 3);
	*at++ = ' ';
	at = put_number(at, date.year, 4);
	*at++ = ' ';
	at = put_time(at, &date);
	at = put_text(at, " GMT", 4);
	*at = '\0';
	return (size_t)(at - out);
}
