# domsnap_room(NAME [LIBS lib...]): the .cpp files of src/NAME as the object library domsnap_NAME.
# The rooms may see each other only as tests/rooms.py allows.
function(domsnap_room name)
  cmake_parse_arguments(ROOM "" "" "LIBS" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.cpp)
  add_library(domsnap_${name} OBJECT ${sources})
  target_link_libraries(domsnap_${name} PRIVATE domsnap_options fmt::fmt Threads::Threads ${ROOM_LIBS})
  if(DOMSNAP_FUZZ AND name IN_LIST plain_rooms)
    set_target_properties(domsnap_${name} PROPERTIES PLAIN ON)
    target_compile_options(domsnap_${name} PRIVATE -O0)
  endif()
  domsnap_precompile(domsnap_${name})
endfunction()

# Rooms that no fuzz target gives hostile bytes: fuzz_rpc links them, because its handlers call them. Built like the others,
# they are three fifths of the fuzz build's time; plain and unoptimized they are a quarter of that.
set(plain_rooms plan agent machine store engine ui)

# The first target of a kind makes the precompiled header, all others of that kind use it.
function(domsnap_precompile target)
  if(NOT DOMSNAP_PCH)
    return()
  endif()
  set(maker domsnap_base)
  get_target_property(plain ${target} PLAIN)
  if(plain)
    set(maker domsnap_plan)
  endif()
  if(target STREQUAL maker)
    target_precompile_headers(${target} PRIVATE <algorithm> <chrono> <functional> <map> <memory> <optional> <string>
      <string_view> <vector> <fmt/format.h>)
    if(CMAKE_CXX_COMPILER_ID MATCHES Clang) # which reads only what it needs of a precompiled header; GCC reads all
      target_precompile_headers(${target} PRIVATE <nlohmann/json.hpp>)
    endif()
  else()
    target_precompile_headers(${target} REUSE_FROM ${maker})
  endif()
endfunction()

# Compiles a target's files some at a time, where DOMSNAP_UNITY says so: two thirds of what a test costs to compile are
# headers. Of two files that have the same name in their unnamed namespaces, one has SKIP_UNITY_BUILD_INCLUSION.
function(domsnap_unity target)
  if(DOMSNAP_UNITY)
    set_target_properties(${target} PROPERTIES UNITY_BUILD ON UNITY_BUILD_BATCH_SIZE 6)
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
  domsnap_unity(test_${name})
  add_test(NAME unit.${name} COMMAND test_${name})
  set_tests_properties(unit.${name} PROPERTIES LABELS unit TIMEOUT 400)
endfunction()
