/*
 * Which segments of a path are folded, and which stay.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#include "base/memory.h"
#include "guarded.h"
#include "inspector/path_fold.h"

struct sample {
	const char *path;
	const char *folded;
};

static void expect(const char *path, const char *wanted)
{
	char folded[PATH_FOLD_MAX + 1];
	size_t len = path_fold(slice_str(path), folded);

	assert_true(len <= PATH_FOLD_MAX);
	folded[len] = '\0';
	assert_string_equal(folded, wanted);
}

static void identifiers_are_folded(void **state)
{
	static const struct sample samples[] = {
		{"/api/jobs/17", "/api/jobs/{id}"},
		{"/api/jobs/17/logs/3", "/api/jobs/{id}/logs/{id}"},
		{"/0", "/{id}"},
		{"/days/2024-01-31", "/days/{id}"},
		{"/hosts/10.0.0.1", "/hosts/{id}"},
		{"/u/9f1c2f5e-7d3b-4b6e-9d0a-1f2e3d4c5b6a", "/u/{id}"},
		{"/u/ABCDEFAB-CDEF-ABCD-EFAB-CDEFABCDEFAB/x", "/u/{id}/x"},
		{"/ulid/01ARZ3NDEKTSV4RRFFQ69G5FAV", "/ulid/{id}"},
		{"/commits/deadbee1", "/commits/{id}"},
		{"/commits/3f786850e387550fdab836ed7e6dc881de23001b", "/commits/{id}"},
		{"/keys/abcdefabcdefabcd", "/keys/{id}"},
		{"/containers/web-3f786850e3", "/containers/{id}"},
		{"/pods/api-5f6c7wq8z2-x2k4p", "/pods/{id}"},
		{"/instances/i-0abcdef1234567890", "/instances/{id}"},
		{"/t/V1StGXR8_Z5jdHi6B-myT", "/t/{id}"},
		{"/t/ghp_16C7e42F292c6912E7710c838347Ae178B4a", "/t/{id}"},
		{"/t/eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl", "/t/{id}"},
		{"/t/QmFzZTY0UrlSafeAndRandomTextXYZABCDEFGabc", "/t/{id}"},
		{"/s/%2Fsubscriptions%2Fdeadbeef01", "/s/{id}"},
		{"/x;jsessionid=3f786850e387550f", "/{id}"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++) {
		expect(samples[i].path, samples[i].folded);
	}
}

static void what_could_be_a_word_stays(void **state)
{
	static const char *const paths[] = {
		"",
		"/",
		"*",
		"/api/",
		"/api/v1/clusters",
		"/apis/apps/v1beta1/deployments",
		"/defaced",
		"/decade/effaced/facade",
		"/fabaceae",
		"/oauth2/oauth2callback",
		"/base64encode/sha256/utf-8/x86_64",
		"/getOAuth2TokenForUser",
		"/subscriptions/resourceGroups/Microsoft.ContainerService",
		"/kubernetes-cluster-overview",
		"/page-2/log4j-2.17.1/v1.2.3",
		"/reports-1-of-2-v3-x4",
		"/internationalization-of-configuration-management",
		"/h264/mp3tool/web3js",
		"/caf\xc3\xa9/%C3%A9t%C3%A9",
		"/{id}",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		expect(paths[i], paths[i]);
	}
}

static void a_segment_longer_than_any_word_is_an_identifier(void **state)
{
	char path[80];

	(void)state;
	(void)snprintf(path, sizeof(path), "/%064d", 0);
	memset(path + 1, 'a' + 25, 64);
	expect(path, path);
	memcpy(path + 65, "z", 2);
	expect(path, "/{id}");
}

static void what_does_not_fit_is_cut_between_segments(void **state)
{
	char path[1024] = "";
	char folded[PATH_FOLD_MAX];
	struct slice cut;

	(void)state;
	for (unsigned i = 0; i < 100; i++) {
		strcat(path, "/segment");
	}
	cut = slice_of(folded, path_fold(slice_str(path), folded));
	assert_int_equal(cut.len, 15 * 8 + sizeof(PATH_FOLD_REST) - 1);
	assert_true(slice_ends_with(cut, SLICE("/segment" PATH_FOLD_REST)));
	path[15 * 8] = '\0'; /* a path that just fits */
	assert_int_equal(path_fold(slice_str(path), folded), 15 * 8);
}

static void no_byte_behind_the_path_is_read(void **state)
{
	static const char path[] =
		"/api/v1/3f786850e387550f/01ARZ3NDEKTSV4RRFFQ69G5FAV/x1y2z3a4b5/%2F";
	char folded[PATH_FOLD_MAX];

	(void)state;
	for (size_t len = 0; len < sizeof(path); len++) {
		assert_true(path_fold(guarded_copy(slice_of(path, len)), folded) <= PATH_FOLD_MAX);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(identifiers_are_folded),
		cmocka_unit_test(what_could_be_a_word_stays),
		cmocka_unit_test(a_segment_longer_than_any_word_is_an_identifier),
		cmocka_unit_test(what_does_not_fit_is_cut_between_segments),
		cmocka_unit_test(no_byte_behind_the_path_is_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
