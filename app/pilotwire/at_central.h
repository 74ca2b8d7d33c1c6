// at_central: what the files with commands at a central system share.
#ifndef PW_APP_PILOTWIRE_AT_CENTRAL_H
#define PW_APP_PILOTWIRE_AT_CENTRAL_H

#include "remote.h"
#include "request.h"

struct call {
    const struct request *request;
    struct remote *remote;
    struct pw_out *why;
};

struct list {
    const struct column *column;
    size_t columns;
    const char *member; // of the answer
    const char *inner;
};

// The exit code of an error. PW_ERR_BUSY is a refusal; everything else means the other side is out
// of reach or broken.
int code_of(const struct call *call, int err);
// For a path or query.
void put_escaped(struct pw_out *out, const char *text);
// "/stations/ID" and what follows.
void put_station_path(struct pw_out *out, const struct call *call, const char *rest);
// Asks and prints a table, or the JSON as it came.
int show_list(const struct call *call, const char *path, const struct list *list);
// An answer's list as it is wanted; JSON whole. PW_OK, or what document_read() says.
int print_list(const struct call *call, struct pw_str answer, const struct list *list);
// Sends an order and follows its command to the end, for which it returns the exit code; prints
// the answer unless `quiet`.
int order(const struct call *call, const char *method, const char *path, const char *body,
          bool quiet);

// A member with what a file holds: as text, or `binary` as base64 (at_credentials.c). False with
// *why.
bool put_file(struct pw_json_writer *json, const char *key, const char *path, bool binary,
              struct pw_out *why);

// at_records.c
int on_actions(const struct call *call);
int on_send(const struct call *call);
int on_commands(const struct call *call);
int on_configuration(const struct call *call);
int on_local_list(const struct call *call);
int on_reservations(const struct call *call);
int on_reserve(const struct call *call);
int on_unreserve(const struct call *call);
int on_profiles(const struct call *call);
int on_clear_profiles(const struct call *call);
int on_files(const struct call *call);
int on_diagnostics(const struct call *call);
int on_security_events(const struct call *call);
int on_certificates(const struct call *call);
int on_renew(const struct call *call);
int on_rekey(const struct call *call);

// at_credentials.c
int on_accept(const struct call *call);
int on_block(const struct call *call);
int on_forget(const struct call *call);
int on_trust(const struct call *call);
int on_firmware(const struct call *call);

// at_fleet.c
int on_release(const struct call *call);
int on_rollout(const struct call *call);
int on_uploads(const struct call *call);
int on_fetch(const struct call *call);

// at_link.c
int on_limit(const struct call *call);
int on_energize(const struct call *call);
int on_snapshot(const struct call *call);
int on_logs(const struct call *call);
int on_link_events(const struct call *call);

#endif
