// Looking up rows, for the interpreters.
#ifndef PW_OCPP_ROWS_H
#define PW_OCPP_ROWS_H

#include "ocpp/codec.h"

// The row of a key, or NULL. `guess` is where to look first: most senders keep an order, so the
// row after the last one found is a good one.
const struct pw_ocpp_row *pw_ocpp_row_find(const struct pw_ocpp_object *object, uint32_t guess,
                                           const char *key, size_t len);

#endif
