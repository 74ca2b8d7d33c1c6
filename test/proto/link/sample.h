// One frame of each kind, as doc/link.md shows them.
#ifndef PW_TEST_LINK_SAMPLE_H
#define PW_TEST_LINK_SAMPLE_H

#include "link/link.h"

// Writes sample `index` into `at` and gives its name in the document; its length, 0 past the last.
size_t sample_write(unsigned index, uint8_t *at, size_t cap, const char **name);

#endif
