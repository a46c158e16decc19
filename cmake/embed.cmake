# sightglass_embed(TABLE HEADER OUTPUT PATTERN...)
#
# Turns the files of the calling folder that match a PATTERN into a C source that defines `TABLE[]` and
# `TABLE_count`, as HEADER declares them. OUTPUT names the variable that gets the source's path.
set(SIGHTGLASS_EMBED_SCRIPT "${CMAKE_CURRENT_LIST_DIR}/embed_files.cmake")

function(sightglass_embed table header output)
	set(files "")
	foreach(pattern IN LISTS ARGN)
		file(GLOB found CONFIGURE_DEPENDS "${CMAKE_CURRENT_SOURCE_DIR}/${pattern}")
		list(APPEND files ${found})
	endforeach()
	set(source "${CMAKE_CURRENT_BINARY_DIR}/${table}.c")
	# The list as a file: a removed asset changes it, which a dependency on the files alone would not show.
	set(list "${CMAKE_CURRENT_BINARY_DIR}/${table}.list")
	file(CONFIGURE OUTPUT "${list}" CONTENT "${files}" @ONLY)
	add_custom_command(OUTPUT "${source}"
		COMMAND "${CMAKE_COMMAND}" -D TABLE=${table} -D HEADER=${header} -D "LIST=${list}" -D "SOURCE=${source}"
			-P "${SIGHTGLASS_EMBED_SCRIPT}"
		DEPENDS ${files} "${list}" "${SIGHTGLASS_EMBED_SCRIPT}"
		COMMENT "Embedding ${table}"
		VERBATIM)
	set(${output} "${source}" PARENT_SCOPE)
endfunction()
