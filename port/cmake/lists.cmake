# Reads core/Filelists.mk, the one list of sources.
get_filename_component(NANOACME_ROOT "${CMAKE_CURRENT_LIST_DIR}/../.." ABSOLUTE)

# nanoacme_list(VARIABLE ACME_CORE ACME_BEARSSL ...): the files of these lists, with their whole path.
function(nanoacme_list variable)
    set(files)
    foreach(name IN LISTS ARGN)
        file(STRINGS "${NANOACME_ROOT}/core/Filelists.mk" lines REGEX "^${name} \\+= ")
        foreach(line IN LISTS lines)
            string(REGEX REPLACE "^${name} \\+= " "${NANOACME_ROOT}/" file "${line}")
            list(APPEND files "${file}")
        endforeach()
    endforeach()
    set(${variable} "${files}" PARENT_SCOPE)
endfunction()

if(NOT CMAKE_SCRIPT_MODE_FILE)
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${NANOACME_ROOT}/core/Filelists.mk")
endif()
