// remote: a session with a central system's REST interface, over libcurl.
#ifndef PW_APP_PILOTWIRE_REMOTE_H
#define PW_APP_PILOTWIRE_REMOTE_H

#include "base/base.h"

struct remote; // owned by remote_login's caller

struct remote_place {
    const char *url;
    const char *ca_file; // who may sign an https server's certificate; NULL: the system's store
};

// Logs in. NULL with a sentence in *why; *refused tells a wrong password from a network that fails.
struct remote *remote_login(const struct remote_place *place, const char *user,
                            const char *password, bool *refused, struct pw_out *why);
// The same with a token in place of user and password.
struct remote *remote_with_token(const struct remote_place *place, const char *token,
                                 struct pw_out *why);
// Whether a password or token may go there: over https, to this machine, or where `trusted` says
// that nobody listens on the way. PW_ERR_RANGE with what to do in *why.
PW_MUST_USE int remote_may_tell(const char *url, bool trusted, struct pw_out *why);
void remote_logout(struct remote *remote);

// One exchange. `path` is what follows /api/v1; `body` is JSON or NULL. The answer's text is valid
// until the next call. PW_OK for 2xx, PW_ERR_BUSY when refused (4xx, the server's sentence in
// *why), PW_ERR_PEER when it cannot be reached or is broken.
PW_MUST_USE int remote_ask(struct remote *remote, const char *method, const char *path,
                           const char *body, struct pw_str *answer, struct pw_out *why);

// Sends a file as it is, of any size, or stores the answer in one: not in memory either way.
// `progress` is called with percents, now and then; may be NULL. Errors as of remote_ask,
// PW_ERR_STORE when the file cannot be read or written.
PW_MUST_USE int remote_send_file(struct remote *remote, const char *path, const char *file,
                                 void (*progress)(unsigned percent), struct pw_str *answer,
                                 struct pw_out *why);
PW_MUST_USE int remote_fetch_file(struct remote *remote, const char *path, const char *file,
                                  struct pw_out *why);

// Hands each line of the live events to `line` until the connection ends. `path` is that of the
// events, with what is wanted of them.
PW_MUST_USE int remote_listen(struct remote *remote, const char *path,
                              void (*line)(void *context, struct pw_str text), void *context,
                              struct pw_out *why);

#endif
