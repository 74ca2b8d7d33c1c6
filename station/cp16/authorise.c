// Authorize: may this card charge?
#include "cp16/parts.h"

int pw_cp16_authorise(struct pw_cp16 *cp, unsigned connector, struct pw_str id_tag, pw_ms now)
{
    PW_ASSERT(connector >= 1 && connector <= cp->connectors);
    struct pw_cp16_voice *voice = &cp->voice[connector];
    if (voice->authorise) {
        return PW_ERR_BUSY;
    }
    int err = pw_str_copy(voice->id_tag, sizeof(voice->id_tag), id_tag);
    if (err != PW_OK) {
        return err;
    }
    if (!pw_cp16_online(cp)) {
        cp->host->authorised(cp->host->context, connector, id_tag, false, true, now);
        return PW_OK;
    }
    voice->authorise = true;
    return PW_OK;
}

// The connector whose card waits to be asked, or 0.
static unsigned waiting(const struct pw_cp16 *cp)
{
    for (unsigned i = 1; i <= cp->connectors; i++) {
        if (cp->voice[i].authorise) {
            return i;
        }
    }
    return 0;
}

static pw_ms authorise_due(const struct pw_cp16 *cp, pw_ms now)
{
    return waiting(cp) != 0 ? now : PW_NEVER;
}

static void say_authorise(struct pw_cp16 *cp, pw_ms now)
{
    cp->call_connector = waiting(cp);
    struct pw_ocpp16_authorize_req req = {.id_tag =
                                              pw_str_of(cp->voice[cp->call_connector].id_tag)};
    pw_cp16_send(cp, PW_OCPP16_AUTHORIZE, &req, now);
}

static bool authorise_answered(struct pw_cp16 *cp, const struct pw_json_node *payload, pw_ms now)
{
    struct pw_ocpp16_authorize_conf conf;
    struct pw_cp16_voice *voice = &cp->voice[cp->call_connector];
    if (!pw_cp16_decode(cp, PW_OCPP16_AUTHORIZE, payload, &conf)) {
        return false;
    }
    voice->authorise = false;
    cp->host->authorised(cp->host->context, cp->call_connector, pw_str_of(voice->id_tag),
                         conf.id_tag_info.status == PW_OCPP16_AUTHORIZATION_ACCEPTED, false, now);
    return true;
}

static void authorise_failed(struct pw_cp16 *cp, const char *code, pw_ms now)
{
    struct pw_cp16_voice *voice = &cp->voice[cp->call_connector];
    voice->authorise = false;
    cp->host->authorised(cp->host->context, cp->call_connector, pw_str_of(voice->id_tag), false,
                         code == NULL, now);
}

void pw_cp16_authorise_link_down(struct pw_cp16 *cp, pw_ms now)
{
    for (unsigned i = 1; i <= cp->connectors; i++) {
        struct pw_cp16_voice *voice = &cp->voice[i];
        if (voice->authorise) {
            voice->authorise = false;
            cp->host->authorised(cp->host->context, i, pw_str_of(voice->id_tag), false, true, now);
        }
    }
}

const struct pw_cp16_topic pw_cp16_authorise_topic = {
    .name = "Authorize",
    .due = authorise_due,
    .say = say_authorise,
    .answered = authorise_answered,
    .failed = authorise_failed,
};
