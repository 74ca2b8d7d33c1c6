// record: the bytes of the journal's records. Big-endian integers and length-prefixed text behind
// one version byte; a record of another version or length is refused whole. The two versions before
// this one are read too.
#ifndef PW_RECORD_H
#define PW_RECORD_H

#include "journal/journal.h"

#define PW_RECORD_MAX 512 // bytes of the largest record

struct pw_record {
    uint8_t bytes[PW_RECORD_MAX];
    size_t len;      // bytes written, or bytes there to read
    size_t at;       // read so far
    uint8_t version; // of a record being read
    bool bad;        // ran out of room, or read past the end
};

void pw_record_start(struct pw_record *record); // writes the version
void pw_record_put(struct pw_record *record, uint64_t value, unsigned bytes);
void pw_record_put_transaction(struct pw_record *record, const struct pw_transaction *transaction);
void pw_record_put_sample(struct pw_record *record, const struct pw_sample *sample);
void pw_record_put_stamp(struct pw_record *record, struct pw_stamp at);

// Takes `len` bytes to read. PW_ERR_STORE when the version is not ours.
PW_MUST_USE int pw_record_load(struct pw_record *record, const char *bytes, size_t len);
uint64_t pw_record_get(struct pw_record *record, unsigned bytes);
void pw_record_get_transaction(struct pw_record *record, struct pw_transaction *transaction);
void pw_record_get_sample(struct pw_record *record, struct pw_sample *sample);
struct pw_stamp pw_record_get_stamp(struct pw_record *record);
// A register: whether its version has a board's counter.
bool pw_record_has_counter(const struct pw_record *record);
// A message: whether its version names its connector.
bool pw_record_has_connector(const struct pw_record *record);
// PW_OK when everything was there and nothing is left, else PW_ERR_STORE.
PW_MUST_USE int pw_record_end(const struct pw_record *record);

struct pw_str pw_record_str(const struct pw_record *record);

#endif
