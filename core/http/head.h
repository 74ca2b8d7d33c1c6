// head: what the head of an HTTP/1.1 request must look like before anything is done with it. Looked
// at while it comes: pure, without state, linear in the text. Stricter than RFC 9112 where its
// leniency has made two readers of one text see two requests: no bare CR or LF, no folded or
// doubtful field, one length, no transfer coding, and no request behind one that has no answer yet.
// Sources: RFC 9112 §2 to §6, RFC 9110 §5, §8.6, §15; facts/reliability.md T20.
#ifndef PW_HTTP_HEAD_H
#define PW_HTTP_HEAD_H

#include "base/base.h"

#define PW_HTTP_HEAD_MAX   8192 // bytes of a head, with the empty line that ends it
#define PW_HTTP_TARGET_MAX 1024 // bytes of what is asked for
#define PW_HTTP_PARTS_MAX  16   // '&' and ';' in it
#define PW_HTTP_FIELDS_MAX 64

enum pw_head_progress {
    PW_HEAD_MORE,    // fine so far, but it has not come whole
    PW_HEAD_WHOLE,   // `len` bytes are the head of one good request
    PW_HEAD_REFUSED, // `status` and `reason` are the answer; what else comes need not be read
};

struct pw_http_head {
    enum pw_head_progress progress;
    size_t len;
    bool expects; // the peer sends its body once it has been told to go on (RFC 9110 §10.1.1)
    int status;   // 400, 411, 414, 417, 431, 501, 505
    const char *reason; // a sentence without its full stop; static
};

// Judges what has come of a request so far, from its first byte on.
struct pw_http_head pw_http_head_judge(struct pw_str bytes);

#endif
