# Warnings are errors everywhere; hardening is for the daemons.
set(CMAKE_C_STANDARD 17)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)

add_library(pw_flags INTERFACE)
# Assertions name files from the root of the tree, not from this machine.
add_compile_options(-fmacro-prefix-map=${CMAKE_SOURCE_DIR}/=)

target_compile_options(pw_flags INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wcast-qual -Wcast-align
  -Wwrite-strings -Wpointer-arith -Wstrict-prototypes -Wmissing-prototypes -Wmissing-declarations
  -Wundef -Wvla -Wdouble-promotion -Wfloat-equal -Wformat=2 -Wswitch-enum -Wimplicit-fallthrough
  -Wnull-dereference -Wunused-macros -Werror)
if(CMAKE_C_COMPILER_ID STREQUAL "GNU")
  target_compile_options(pw_flags INTERFACE
    -Wduplicated-cond -Wduplicated-branches -Wlogical-op -Wcast-align=strict -Warith-conversion
    -Wjump-misses-init -Wstringop-overflow=4 -Wformat-signedness -Walloca -Wdate-time)
else()
  target_compile_options(pw_flags INTERFACE
    -Wcomma -Wconditional-uninitialized -Wassign-enum -Wmissing-variable-declarations
    -Wshift-sign-overflow -Wextra-semi-stmt)
endif()

if(PW_ASAN)
  add_compile_options(-fsanitize=address,undefined -fno-sanitize-recover=all
                      -fno-omit-frame-pointer)
  add_link_options(-fsanitize=address,undefined)
endif()
if(PW_ANALYZE)
  add_compile_options(-fanalyzer)
endif()
if(PW_HARDEN)
  add_compile_options(-D_FORTIFY_SOURCE=3 -fstack-protector-strong -fstack-clash-protection
                      -fcf-protection -ftrivial-auto-var-init=zero -fPIE)
  add_link_options(-pie -Wl,-z,relro,-z,now)
endif()
