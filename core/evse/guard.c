// The contactor's guard: what must be true for it to be closed, told without states and times. It
// has the last word over every state's wish, and is proved (doc/proofs.md).
#include "evse/turn.h"

// Conditions under which a closed contactor may stay closed.
bool pw_evse_may_hold(const struct pw_evse_facts *facts)
{
    if (!facts->heard || !facts->ready || !facts->diode) {
        return false;
    }
    if (!facts->permit && !facts->ending) {
        return false;
    }
    if (!facts->locked || !facts->cable) {
        return false;
    }
    return facts->faults == 0 && facts->offer_ma <= facts->limit_ma;
}

// Conditions under which closing may be prepared: the self-test of the residual current device.
bool pw_evse_may_test(const struct pw_evse_facts *facts)
{
    if (!pw_evse_may_hold(facts) || !facts->permit) {
        return false;
    }
    if (!facts->settled || !facts->open || !facts->rested || !facts->seldom) {
        return false;
    }
    return facts->offer_ma >= PW_PILOT_LEAST_MA;
}

// Conditions under which an open contactor may close.
bool pw_evse_may_close(const struct pw_evse_facts *facts)
{
    return pw_evse_may_test(facts) && facts->rcd;
}

// What the contactor is told, from what the state wishes and what it was told before.
bool pw_evse_contactor(bool wished, bool closed, const struct pw_evse_facts *facts)
{
    if (!wished) {
        return false;
    }
    return closed ? pw_evse_may_hold(facts) : pw_evse_may_close(facts);
}
