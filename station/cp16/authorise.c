// Authorize: may this card charge?
#include "cp16/parts.h"

static enum pw_tag_status status_of(enum pw_ocpp16_authorization_status status)
{
    switch (status) {
    case PW_OCPP16_AUTHORIZATION_ACCEPTED: return PW_TAG_ACCEPTED;
    case PW_OCPP16_AUTHORIZATION_BLOCKED: return PW_TAG_BLOCKED;
    case PW_OCPP16_AUTHORIZATION_EXPIRED: return PW_TAG_EXPIRED;
    case PW_OCPP16_AUTHORIZATION_INVALID: return PW_TAG_INVALID;
    case PW_OCPP16_AUTHORIZATION_CONCURRENT_TX: return PW_TAG_CONCURRENT_TX;
    }
    PW_UNREACHABLE();
}

bool pw_cp16_tag(struct pw_str id_tag, const struct pw_ocpp16_id_tag_info *info, struct pw_tag *to)
{
    bool dated = (info->has & PW_OCPP16_HAS(id_tag_info, expiry_date)) != 0;
    bool grouped = (info->has & PW_OCPP16_HAS(id_tag_info, parent_id_tag)) != 0;
    *to = (struct pw_tag){.status = status_of(info->status),
                          .expires = dated ? pw_max(info->expiry_date, 1) : 0};
    // 20 characters, of which some may take several bytes: such a group is none.
    if (grouped && pw_str_copy(to->parent, sizeof(to->parent), info->parent_id_tag) != PW_OK) {
        to->parent[0] = '\0';
    }
    return pw_str_copy(to->id_tag, sizeof(to->id_tag), id_tag) == PW_OK;
}

void pw_cp16_learn(struct pw_cp16 *cp, const struct pw_tag *news, pw_ms now)
{
    pw_tags_learn(cp->tags, news, pw_cp16_wall(cp, now));
}

// The card that nobody can or will say anything about.
static void tell_host(struct pw_cp16 *cp, unsigned connector, bool offline, pw_ms now)
{
    struct pw_tag card = {.status = PW_TAG_INVALID};
    int err = pw_str_copy(card.id_tag, sizeof(card.id_tag), pw_str_of(cp->voice[connector].id_tag));
    PW_ASSERT(err == PW_OK);
    cp->voice[connector].authorise = false;
    cp->host->authorised(cp->host->context, connector, &card, offline, now);
}

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
        tell_host(cp, connector, true, now);
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
    struct pw_tag card;
    struct pw_cp16_voice *voice = &cp->voice[cp->call_connector];
    if (!pw_cp16_decode(cp, PW_OCPP16_AUTHORIZE, payload, &conf)) {
        return false;
    }
    bool fits = pw_cp16_tag(pw_str_of(voice->id_tag), &conf.id_tag_info, &card);
    PW_ASSERT(fits);
    voice->authorise = false;
    pw_cp16_learn(cp, &card, now);
    // By its own date a card may be over although it is accepted.
    if (card.expires != 0 && card.expires <= pw_cp16_wall(cp, now) &&
        card.status == PW_TAG_ACCEPTED) {
        card.status = PW_TAG_EXPIRED;
    }
    cp->host->authorised(cp->host->context, cp->call_connector, &card, false, now);
    return true;
}

static void authorise_failed(struct pw_cp16 *cp, const char *code, pw_ms now)
{
    tell_host(cp, cp->call_connector, code == NULL, now);
}

void pw_cp16_authorise_link_down(struct pw_cp16 *cp, pw_ms now)
{
    for (unsigned i = 1; i <= cp->connectors; i++) {
        if (cp->voice[i].authorise) {
            tell_host(cp, i, true, now);
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
