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

# nanoacme_tls(CHOICE LISTS FOLDERS): what TLS takes, lists of files and folders with headers: `bearssl`, which is asked for then and only
# then; `mbedtls`, the project's; `own`, a struct acme_secure_net of the project's, a modem's.
function(nanoacme_tls choice lists folders)
    if(choice STREQUAL bearssl)
        set(${lists} ACME_BEARSSL PARENT_SCOPE)
        set(${folders} PARENT_SCOPE)
    elseif(choice STREQUAL mbedtls)
        set(${lists} ACME_SECURE ACME_MBEDTLS PARENT_SCOPE)
        set(${folders} port/mbedtls PARENT_SCOPE)
    elseif(choice STREQUAL own)
        set(${lists} ACME_SECURE PARENT_SCOPE)
        set(${folders} PARENT_SCOPE)
    else()
        message(FATAL_ERROR "nanoacme's TLS is bearssl, mbedtls or own, and not \"${choice}\"")
    endif()
endfunction()

if(NOT CMAKE_SCRIPT_MODE_FILE)
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${NANOACME_ROOT}/core/Filelists.mk")
endif()
