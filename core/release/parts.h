// parts: what the files of this room share. Nobody else includes this.
#ifndef PW_RELEASE_PARTS_H
#define PW_RELEASE_PARTS_H

#include "release/release.h"

// A manifest: format only; offsets and file_size are left 0. PW_OK or PW_ERR_RANGE with *why.
PW_MUST_USE int pw_release_manifest(struct pw_str text, struct pw_release *release,
                                    struct pw_out *why);

// Of a document; 0 with *why: it is none.
uint32_t pw_release_root_version(struct pw_str document, struct pw_out *why);

// True when `signatures` key ids, each with its signature, stand in rising order.
bool pw_release_in_order(const uint8_t *signature, uint8_t signatures);

// "NEEDS threshold signatures of COUNT keys, has GOOD".
void pw_release_put_short(struct pw_out *why, const struct pw_release_keys *keys, uint8_t good,
                          uint8_t test);

#endif
