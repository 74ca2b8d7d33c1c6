// parts: what the files of this room share among themselves. Nobody else includes this, but the
// fuzz target and the tests of the records.
#ifndef PW_FILES_PARTS_H
#define PW_FILES_PARTS_H

#include "files/files.h"

// keep.c: the records "up" and "fw" as bytes. A record of another version or one that is damaged
// reads as PW_ERR_PEER.
#define PW_FILES_RECORD_MAX 1000
size_t pw_upload_pack(const struct pw_upload *upload, uint8_t *to); // PW_FILES_RECORD_MAX bytes
size_t pw_update_pack(const struct pw_update *update, uint8_t *to);
PW_MUST_USE int pw_upload_unpack(struct pw_upload *upload, const uint8_t *from, size_t len);
PW_MUST_USE int pw_update_unpack(struct pw_update *update, const uint8_t *from, size_t len);

// files.c
void pw_notices_push(struct pw_files_notices *notices, struct pw_files_notice notice);
// Both write the record; the ticket, or an error, which is in the log.
int64_t pw_files_save(struct pw_files *files, enum pw_transfer_lane lane);
// The update as its record has it; nothing of one without a record. What is not kept stays.
void pw_files_read_update(struct pw_files *files);
// retries and seconds of a request in their bounds; absent ones are -1.
uint16_t pw_files_retries(int32_t asked);
uint32_t pw_files_retry_s(int32_t asked);

// upload.c
void pw_upload_init(struct pw_files *files, pw_ms now);
pw_ms pw_upload_step(struct pw_files *files, pw_ms now);

// update.c: requests, statuses, and which stage does what.
enum {
    PW_UPDATE_POLL_MS = 250,   // the ports wake their loop; this is the net below it
    PW_UPDATE_SETTLE_MS = 1000 // from holding charges back to looking whether one runs
};
void pw_update_init(struct pw_files *files, pw_ms now);
pw_ms pw_update_step(struct pw_files *files, pw_ms now);
// A new status with the stage it belongs to: said, kept, and told by whoever asked.
void pw_update_enter(struct pw_files *files, enum pw_update_stage stage,
                     enum pw_update_status status, const char *why);
// A stage without a status of its own.
void pw_update_go_on(struct pw_files *files, enum pw_update_stage stage);
// Ends it for good; what was downloaded goes.
void pw_update_refuse(struct pw_files *files, enum pw_update_status status, const char *why);
bool pw_update_is_kept(const struct pw_files *files);
void pw_update_say(struct pw_files *files, enum pw_level level, const char *event, const char *why);
// Milliseconds until a date; 0 when it has come. Nobody knows the date: look again in a second.
pw_ms pw_update_until(const struct pw_files *files, pw_unix_ms date);

// load.c: from the first byte to a whole file that may be installed.
pw_ms pw_update_wait_to_load(struct pw_files *files, pw_ms now);
pw_ms pw_update_load(struct pw_files *files, pw_ms now);
pw_ms pw_update_take(struct pw_files *files, pw_ms now);
pw_ms pw_update_judge(struct pw_files *files, pw_ms now);
int64_t pw_update_keep_papers(struct pw_files *files, const struct pw_update_request *request);

// head.c: what the head of the download says. FINE: update->release is filled in.
enum pw_release_verdict pw_update_read_head(struct pw_files *files, struct pw_out *why);
// Refuses as the verdict wants: status, security event.
void pw_update_refuse_verdict(struct pw_files *files, enum pw_release_verdict verdict,
                              const char *why, pw_ms now);
// Whether enough of the download is there for its head.
bool pw_update_has_head(struct pw_files *files);

// install.c: from a whole file to the restart.
pw_ms pw_update_write(struct pw_files *files, pw_ms now);
pw_ms pw_update_wait_to_install(struct pw_files *files, pw_ms now);
pw_ms pw_update_wait_for_rest(struct pw_files *files, pw_ms now);
pw_ms pw_update_switch_over(struct pw_files *files, pw_ms now);
pw_ms pw_update_restart(struct pw_files *files, pw_ms now);

// trial.c: what the program that starts next makes of it.
// False: what runs is not known yet; to be asked again.
bool pw_update_settle(struct pw_files *files, pw_ms now);
bool pw_update_is_asking(const struct pw_files *files);
pw_ms pw_update_try(struct pw_files *files, pw_ms now);
pw_ms pw_update_return(struct pw_files *files, pw_ms now);

// source.c: by itself, once in each window.
void pw_update_watch_init(struct pw_files *files);
pw_ms pw_update_watch(struct pw_files *files, pw_ms now);
// Whether the local clock is inside update.window; also when nobody knows the date: false.
bool pw_update_in_window(const struct pw_files *files, pw_ms now);

#endif
