# domsnap_room(NAME [LIBS lib...]): the .cpp files of src/NAME as the object library domsnap_NAME.
# The rooms may see each other only as tests/rooms.py allows.
function(domsnap_room name)
  cmake_parse_arguments(ROOM "" "" "LIBS" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.cpp)
  add_library(domsnap_${name} OBJECT ${sources})
  target_link_libraries(domsnap_${name} PRIVATE domsnap_options fmt::fmt Threads::Threads ${ROOM_LIBS})
  domsnap_precompile(domsnap_${name})
endfunction()

# The first target makes the precompiled header, all others use it.
function(domsnap_precompile target)
  if(NOT DOMSNAP_PCH)
    return()
  endif()
  if(target STREQUAL domsnap_base)
    target_precompile_headers(domsnap_base PRIVATE <algorithm> <chrono> <functional> <map> <memory> <optional> <string>
      <string_view> <vector> <fmt/format.h>)
  else()
    target_precompile_headers(${target} REUSE_FROM domsnap_base)
  endif()
endfunction()

# domsnap_unit_test(NAME [LIBS lib...]): every .cpp of tests/unit/NAME as one GoogleTest program, with ctest's
# label "unit". It links the whole library; what a room may include is checked by tests/rooms.py, not here.
function(domsnap_unit_test name)
  cmake_parse_arguments(TEST "" "" "LIBS" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.cpp)
  add_executable(test_${name} ${sources})
  target_link_libraries(test_${name} PRIVATE domsnap domsnap_options fmt::fmt GTest::gtest GTest::gmock GTest::gtest_main
    ${TEST_LIBS})
  target_compile_definitions(test_${name} PRIVATE TEST_DATA="${CMAKE_CURRENT_SOURCE_DIR}")
  add_test(NAME unit.${name} COMMAND test_${name})
  set_tests_properties(unit.${name} PROPERTIES LABELS unit TIMEOUT 400)
endfunction()
