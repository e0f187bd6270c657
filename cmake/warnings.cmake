# One interface target carries what every target is compiled with.
add_library(domsnap_options INTERFACE)
target_compile_options(domsnap_options INTERFACE -Wall -Wextra -Wshadow -Wconversion)
if(DOMSNAP_WERROR)
  target_compile_options(domsnap_options INTERFACE -Werror)
endif()
if(DOMSNAP_SANITIZE)
  target_compile_options(domsnap_options INTERFACE -fsanitize=${DOMSNAP_SANITIZE} -fno-omit-frame-pointer)
  target_link_options(domsnap_options INTERFACE -fsanitize=${DOMSNAP_SANITIZE})
endif()
if(DOMSNAP_FUZZ)
  # Without it libFuzzer sees the branches of the target's own file alone, none of the rooms'.
  target_compile_options(domsnap_options INTERFACE -fsanitize=fuzzer-no-link)
  target_link_options(domsnap_options INTERFACE -fsanitize=fuzzer-no-link)
endif()
target_include_directories(domsnap_options INTERFACE
  $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include> $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/src>)
