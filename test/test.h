// What every test includes: cmocka with the headers it needs first.
#ifndef PW_TEST_H
// clang-format off
#define PW_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
// clang-format on

#endif
