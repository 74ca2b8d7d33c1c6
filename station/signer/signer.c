#include "signer/signer.h"

static void cut_to(char *to, size_t cap, struct pw_str text)
{
    text.len = text.len < cap ? text.len : cap - 1;
    int err = pw_str_copy(to, cap, text);
    PW_ASSERT(err == PW_OK);
}

void pw_signer_ask(struct pw_signer *signer, const struct pw_signed_request *request, pw_ms now)
{
    uint32_t ticket = signer->request.ticket + 1;
    PW_ASSERT(signer->present);
    signer->request = *request;
    signer->request.ticket = ticket;
    signer->state = PW_SIGNER_WAITS;
    signer->offered = true;
    signer->until = pw_after(now, request->wait_ms);
    signer->why[0] = '\0';
}

bool pw_signer_take(struct pw_signer *signer, struct pw_signed_request *request)
{
    bool offered = signer->offered;
    signer->offered = false;
    if (offered) {
        *request = signer->request;
    }
    return offered;
}

static void fail(struct pw_signer *signer, struct pw_str why)
{
    signer->state = PW_SIGNER_FAILED;
    signer->offered = false;
    cut_to(signer->why, sizeof(signer->why), why);
}

bool pw_signer_hear(struct pw_signer *signer, uint32_t ticket,
                    const struct pw_signed_reading *reading, struct pw_str why)
{
    if (ticket != signer->request.ticket || signer->state != PW_SIGNER_WAITS) {
        return false;
    }
    if (reading == NULL) {
        fail(signer, why);
    } else {
        signer->state = PW_SIGNER_DONE;
        signer->reading = *reading;
    }
    return true;
}

enum pw_signer_state pw_signer_state(struct pw_signer *signer, pw_ms now)
{
    if (signer->state == PW_SIGNER_WAITS && now >= signer->until) {
        fail(signer, PW_STR("no answer in time"));
    }
    return signer->state;
}

void pw_signer_rest(struct pw_signer *signer)
{
    signer->state = PW_SIGNER_IDLE;
    signer->offered = false;
}

pw_ms pw_signer_deadline(const struct pw_signer *signer)
{
    return signer->state == PW_SIGNER_WAITS ? signer->until : PW_NEVER;
}
