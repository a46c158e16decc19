# How every file of ours is compiled. `sightglass_options` carries it, so that other people's sources (the parser
# that the tests compare with) stay free of our warnings.
set(CMAKE_C_STANDARD 11)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
include(CheckPIESupported)
check_pie_supported(LANGUAGES C)

if(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
	set(CMAKE_BUILD_TYPE Release CACHE STRING "Kind of build" FORCE)
endif()
# CMake's own release flags bring NDEBUG; assertions guard against our own mistakes and stay on.
set(CMAKE_C_FLAGS_RELEASE "-O2 -g")
set(CMAKE_C_FLAGS_RELWITHDEBINFO "-O2 -g")
set(CMAKE_C_FLAGS_DEBUG "-O1 -g -fno-omit-frame-pointer")

add_library(sightglass_options INTERFACE)
target_compile_definitions(sightglass_options INTERFACE
	_GNU_SOURCE
	SIGHTGLASS_VERSION="${PROJECT_VERSION}")
target_compile_options(sightglass_options INTERFACE
	-Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wundef -Wvla -Wformat=2
	-Wstrict-prototypes -Wmissing-prototypes -Wcast-qual -Wwrite-strings -Wimplicit-fallthrough
	$<$<BOOL:${SIGHTGLASS_WERROR}>:-Werror>
	-fstack-protector-strong)

if(SIGHTGLASS_SANITIZE)
	# For the whole build: a sanitizer must see the sources it did not ask for, too.
	add_compile_options(-fsanitize=${SIGHTGLASS_SANITIZE} -fno-sanitize-recover=all)
	add_link_options(-fsanitize=${SIGHTGLASS_SANITIZE})
else()
	target_compile_options(sightglass_options INTERFACE
		-fno-plt
		$<$<NOT:$<CONFIG:Debug>>:-U_FORTIFY_SOURCE>
		$<$<NOT:$<CONFIG:Debug>>:-D_FORTIFY_SOURCE=2>)
endif()
# gcc copies and clears what has some hundred bytes by `rep movs` and `rep stos` where it is inlined, which take longer to
# begin than the library's functions to end: they were a tenth of what a request costs in our own code.
include(CheckCCompilerFlag)
check_c_compiler_flag("-mmemcpy-strategy=libcall:-1:noalign -mmemset-strategy=libcall:-1:noalign" HAVE_STRING_STRATEGIES)
if(HAVE_STRING_STRATEGIES)
	target_compile_options(sightglass_options INTERFACE
		-mmemcpy-strategy=libcall:-1:noalign -mmemset-strategy=libcall:-1:noalign)
endif()
# The program is optimized as a whole: a request passes through some hundred small functions of four libraries, and
# costs 2 to 3 % less where those are inlined across files. The objects hold ordinary code, too, so that the many test
# programs link as quickly as before.
option(SIGHTGLASS_WHOLE_PROGRAM "Optimize the program across files, where the compiler is gcc" ON)
if(SIGHTGLASS_WHOLE_PROGRAM AND CMAKE_C_COMPILER_ID STREQUAL "GNU" AND NOT SIGHTGLASS_SANITIZE
		AND NOT CMAKE_BUILD_TYPE STREQUAL "Debug")
	target_compile_options(sightglass_options INTERFACE -flto=auto -ffat-lto-objects)
	set(SIGHTGLASS_LINK_WHOLE -flto=auto)
	set(SIGHTGLASS_LINK_PLAIN -fno-lto)
endif()
if(NOT APPLE)
	add_link_options(-Wl,-z,relro,-z,now)
endif()
