// UTF-8 as reader, writer and length count need it.
#ifndef PW_JSON_UTF8_H
#define PW_JSON_UTF8_H

#include "base/base.h"

// Bytes of the character at `at` (1 to 4), with `left` bytes to look at; 0 if it is no UTF-8: an
// overlong form, a surrogate, beyond U+10FFFF, or cut short (RFC 3629 §4).
size_t pw_json_utf8_size(const char *at, size_t left);

#endif
