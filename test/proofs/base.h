// For Frama-C only (tools/prove): what core/base promises to the rooms that are proved.
#ifndef PW_PROOFS_BASE_H
#define PW_PROOFS_BASE_H

#include "base/base.h"

/*@ assigns \nothing;
    ensures \result <==> since != PW_NEVER && now >= since && now - since >= span;
*/
bool pw_elapsed(pw_ms since, pw_ms span, pw_ms now);

//@ assigns \nothing;
pw_ms pw_after(pw_ms since, pw_ms span);

/*@ assigns \nothing;
    ensures \result == a || \result == b;
    ensures \result <= a && \result <= b;
*/
pw_ms pw_earlier(pw_ms a, pw_ms b);

/*@ assigns \nothing;
    ensures \false;
*/
_Noreturn void pw_panic(const char *file, int line, const char *what);

#endif
