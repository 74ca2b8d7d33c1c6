// parts: what the files of this room share among themselves. Nobody else includes this, but the
// fuzz target and the tests of the records.
#ifndef PW_FILES_PARTS_H
#define PW_FILES_PARTS_H

#include "files/files.h"

// keep.c: the records "up" and "fw" as bytes. A record of another version or one that is damaged
// reads as PW_ERR_PEER.
#define PW_FILES_RECORD_MAX 900
size_t pw_upload_pack(const struct pw_upload *upload, uint8_t *to); // PW_FILES_RECORD_MAX bytes
size_t pw_update_pack(const struct pw_update *update, uint8_t *to);
PW_MUST_USE int pw_upload_unpack(struct pw_upload *upload, const uint8_t *from, size_t len);
PW_MUST_USE int pw_update_unpack(struct pw_update *update, const uint8_t *from, size_t len);

// files.c
void pw_notices_push(struct pw_files_notices *notices, struct pw_files_notice notice);
// Both write the record; the ticket, or an error, which is in the log.
int64_t pw_files_save(struct pw_files *files, enum pw_transfer_lane lane);
// retries and seconds of a request in their bounds; absent ones are -1.
uint16_t pw_files_retries(int32_t asked);
uint32_t pw_files_retry_s(int32_t asked);

// upload.c, update.c
void pw_upload_init(struct pw_files *files, pw_ms now);
pw_ms pw_upload_step(struct pw_files *files, pw_ms now);
void pw_update_init(struct pw_files *files, pw_ms now);
pw_ms pw_update_step(struct pw_files *files, pw_ms now);

#endif
