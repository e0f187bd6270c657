# One interface target carries what every target is compiled with.
add_library(domsnap_options INTERFACE)
# Where files are compiled some at a time, one file's names would shadow another's, and GCC takes what is unnamed in them for
# a header's.
set(several "$<BOOL:$<TARGET_PROPERTY:UNITY_BUILD>>")
target_compile_options(domsnap_options INTERFACE -Wall -Wextra $<$<NOT:${several}>:-Wshadow> -Wconversion
  $<$<AND:${several},$<CXX_COMPILER_ID:GNU>>:-Wno-subobject-linkage>)
if(DOMSNAP_WERROR)
  target_compile_options(domsnap_options INTERFACE -Werror)
endif()
# A target with the property PLAIN is built without the sanitizers, whatever the preset says.
set(sanitized "$<NOT:$<BOOL:$<TARGET_PROPERTY:PLAIN>>>")
if(DOMSNAP_SANITIZE)
  target_compile_options(domsnap_options INTERFACE
    "$<${sanitized}:-fsanitize=${DOMSNAP_SANITIZE};-fno-omit-frame-pointer>")
  target_link_options(domsnap_options INTERFACE -fsanitize=${DOMSNAP_SANITIZE})
endif()
if(DOMSNAP_FUZZ)
  # Without it libFuzzer sees the branches of the target's own file alone, none of the rooms'.
  target_compile_options(domsnap_options INTERFACE "$<${sanitized}:-fsanitize=fuzzer-no-link>")
  target_link_options(domsnap_options INTERFACE -fsanitize=fuzzer-no-link)
endif()
target_include_directories(domsnap_options INTERFACE
  $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include> $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/src>)
