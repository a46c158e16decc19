# The libraries we stand on, all from the distribution. Imported targets, so that their headers count as system
# headers and get none of our warnings.
find_package(PkgConfig REQUIRED)
set(THREADS_PREFER_PTHREAD_FLAG ON)
find_package(Threads REQUIRED)
if(APPLE AND NOT OPENSSL_ROOT_DIR)
	# Homebrew keeps its OpenSSL out of the usual folders, because the system has a LibreSSL of that name.
	execute_process(COMMAND brew --prefix openssl@3
		OUTPUT_VARIABLE OPENSSL_ROOT_DIR OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
endif()
find_package(OpenSSL 3.0 REQUIRED COMPONENTS Crypto SSL)
pkg_check_modules(LIBUV REQUIRED IMPORTED_TARGET libuv>=1.44)
pkg_check_modules(CARES REQUIRED IMPORTED_TARGET libcares>=1.18)
pkg_check_modules(YAML REQUIRED IMPORTED_TARGET yaml-0.1)
pkg_check_modules(JANSSON REQUIRED IMPORTED_TARGET jansson>=2.13)
pkg_check_modules(XXHASH REQUIRED IMPORTED_TARGET libxxhash>=0.8)
pkg_check_modules(ZLIB REQUIRED IMPORTED_TARGET zlib>=1.2.11)
pkg_check_modules(BROTLI REQUIRED IMPORTED_TARGET libbrotlidec>=1.0)
pkg_check_modules(ZSTD REQUIRED IMPORTED_TARGET libzstd>=1.4.4)

# Where the library chooses by the processor it runs on (Debian's does, on x86), a body's hash costs a third.
include(CheckCSourceCompiles)
set(CMAKE_REQUIRED_LIBRARIES PkgConfig::XXHASH)
check_c_source_compiles("
	#include <xxhash.h>
	#include <xxh_x86dispatch.h>
	int main(void) { return (int)XXH3_128bits(\"\", 0).low64; }" XXHASH_DISPATCHES)
unset(CMAKE_REQUIRED_LIBRARIES)
add_library(xxhash_by_processor INTERFACE)
target_link_libraries(xxhash_by_processor INTERFACE PkgConfig::XXHASH)
if(XXHASH_DISPATCHES)
	target_compile_definitions(xxhash_by_processor INTERFACE HAVE_XXHASH_DISPATCH)
endif()

find_path(UTHASH_INCLUDE_DIR uthash.h REQUIRED)
add_library(uthash INTERFACE IMPORTED)
target_include_directories(uthash INTERFACE "${UTHASH_INCLUDE_DIR}")
