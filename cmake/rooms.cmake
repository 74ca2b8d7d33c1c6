# pw_layer(core base/base.c ...): one static library a layer. Only the layer's own root is an
# include path of those who link it, so a forbidden include does not compile.
function(pw_layer name)
  add_library(pw_${name} STATIC ${ARGN})
  target_include_directories(pw_${name} PUBLIC ${CMAKE_CURRENT_SOURCE_DIR})
  target_link_libraries(pw_${name} PRIVATE pw_flags)
endfunction()

# What runs under sanitizers (tools/sanitizers): whatever needs no socket, and the fuzz targets.
set(PW_SANITIZED
    "^(core|proto|station|world|central|street|fuzz)/|^port/(vault|central_depot|config)$")
if(PW_ASAN)
  add_custom_target(sanitized)
endif()
function(pw_sanitized name target)
  if(PW_ASAN AND name MATCHES "${PW_SANITIZED}" AND NOT name STREQUAL street/month)
    add_dependencies(sanitized ${target})
  endif()
endfunction()

# pw_test(name sources... LINK libraries...): a cmocka program, run by ctest under its name.
function(pw_test name)
  cmake_parse_arguments(T "" "" "LINK" ${ARGN})
  string(REPLACE "/" "_" target "test_${name}")
  add_executable(${target} ${T_UNPARSED_ARGUMENTS})
  target_link_libraries(${target} PRIVATE pw_flags ${T_LINK} pw_test_panic cmocka)
  add_test(NAME ${name} COMMAND ${target})
  pw_sanitized(${name} ${target})
endfunction()

# pw_said_tests(names...): what our programs say in OCPP in these tests is written down (test/said),
# and peers/schema-said holds every message of all of them against the official schemas.
function(pw_said_tests)
  foreach(name ${ARGN})
    string(REPLACE "/" "_" file ${name})
    set_property(TEST ${name} APPEND PROPERTY ENVIRONMENT
      "PW_OCPP_DUMP=${CMAKE_BINARY_DIR}/said/${file}.jsonl")
    set_property(TEST ${name} APPEND PROPERTY FIXTURES_REQUIRED said_fresh)
    set_property(TEST ${name} APPEND PROPERTY FIXTURES_SETUP said)
  endforeach()
endfunction()

# pw_quiet_tests(names...): a board that waits 200 ms for a processor gives up, so beside these runs
# one other test at most, and a gate. They begin early: later ctest never finds two places free.
function(pw_quiet_tests)
  set_tests_properties(${ARGN} PROPERTIES PROCESSORS 2 COST 100)
  set_property(GLOBAL APPEND PROPERTY PW_EARLY_TESTS ${ARGN})
endfunction()

# pw_fuzz(name source LINK libraries...): a fuzz target. With PW_FUZZ it is built with libFuzzer, and
# ctest gives it its corpus and then up to 5,000 of its own inputs, a second at most (tools/fuzz: as
# long as you like); everywhere else it is a program that replays fuzz/corpus/<name>.
function(pw_fuzz name source)
  cmake_parse_arguments(F "" "" "LINK" ${ARGN})
  if(PW_FUZZ)
    add_executable(fuzz_${name} ${source})
    target_link_options(fuzz_${name} PRIVATE -fsanitize=fuzzer)
    add_dependencies(fuzzers fuzz_${name})
    set(own ${CMAKE_BINARY_DIR}/corpus/${name})
    file(MAKE_DIRECTORY ${own} ${CMAKE_BINARY_DIR}/found/${name})
    add_test(NAME fuzz/${name} COMMAND fuzz_${name} -runs=5000 -max_total_time=1 -max_len=65536 -timeout=5
      -rss_limit_mb=1024 -verbosity=0 -artifact_prefix=${CMAKE_BINARY_DIR}/found/${name}/
      ${own} ${CMAKE_SOURCE_DIR}/fuzz/corpus/${name})
    pw_sanitized(fuzz/${name} fuzz_${name})
  else()
    add_executable(fuzz_${name} ${source} ${CMAKE_SOURCE_DIR}/fuzz/replay.c)
    add_test(NAME fuzz/${name} COMMAND fuzz_${name} ${CMAKE_SOURCE_DIR}/fuzz/corpus/${name})
  endif()
  target_link_libraries(fuzz_${name} PRIVATE pw_flags ${F_LINK} pw_test_panic)
endfunction()
