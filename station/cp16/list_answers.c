// What the central system asks of the cards that are known here: cache and local list. And answers
// that wait for the disk: what is accepted survives a power cut.
#include "cp16/parts.h"

void pw_cp16_reply_later(struct pw_cp16 *cp, struct pw_str id, int64_t ticket,
                         void (*say)(struct pw_cp16 *cp, struct pw_str id, bool kept))
{
    cp->late.say = say;
    cp->late.ticket = ticket;
    int err = pw_str_copy(cp->late.id, sizeof(cp->late.id), id);
    PW_ASSERT(err == PW_OK); // the frame was read with an id of that length
    cp->late.until = PW_NEVER;
    pw_cp16_step_late(cp, PW_NEVER);
}

// 1: kept, 0: not yet, below: it cannot be.
static int is_kept(struct pw_cp16 *cp)
{
    if (cp->late.ticket != 0) {
        return pw_journal_durable(cp->journal, cp->late.ticket);
    }
    (void)pw_tags_step(cp->tags);
    enum pw_tags_update update = pw_tags_updated(cp->tags);
    return update == PW_TAGS_UPDATING ? 0 : update == PW_TAGS_UPDATED ? 1 : PW_ERR_STORE;
}

void pw_cp16_step_late(struct pw_cp16 *cp, pw_ms now)
{
    enum { MOST_MS = 10000 };
    if (cp->late.say == NULL || cp->out_len > 0) {
        return;
    }
    int kept = is_kept(cp);
    if (kept != 0) {
        void (*say)(struct pw_cp16 *, struct pw_str, bool) = cp->late.say;
        cp->late.say = NULL;
        say(cp, pw_str_of(cp->late.id), kept > 0);
    } else if (now != PW_NEVER && cp->late.until == PW_NEVER) {
        cp->late.until = pw_after(now, MOST_MS);
    } else if (now != PW_NEVER && now >= cp->late.until) {
        cp->late.say = NULL;
        pw_cp16_refuse(cp, pw_str_of(cp->late.id), PW_OCPP_INTERNAL_ERROR,
                       PW_STR("the disk does not take it"));
    }
}

// ---------------------------------------------------------------------------------------------
// The cache.

static void say_cleared(struct pw_cp16 *cp, struct pw_str id, bool kept)
{
    struct pw_ocpp16_clear_cache_conf conf = {.status = kept ? PW_OCPP16_GENERIC_ACCEPTED
                                                             : PW_OCPP16_GENERIC_REJECTED};
    pw_cp16_reply(cp, id, PW_OCPP16_CLEAR_CACHE, &conf);
}

// Without a cache there is nothing to clear (erratum 3.23: Rejected).
void pw_cp16_on_cache(struct pw_cp16 *cp, struct pw_str id, const union pw_cp16_request *req,
                      pw_ms now)
{
    (void)now;
    (void)req;
    int64_t ticket = pw_tags_clear_cache(cp->tags);
    if (ticket <= 0) {
        say_cleared(cp, id, false);
        return;
    }
    pw_cp16_reply_later(cp, id, ticket, say_cleared);
}

// ---------------------------------------------------------------------------------------------
// The local list.

void pw_cp16_on_list_version(struct pw_cp16 *cp, struct pw_str id, const union pw_cp16_request *req,
                             pw_ms now)
{
    (void)now;
    (void)req;
    struct pw_ocpp16_get_local_list_version_conf conf = {.list_version = pw_tags_version(cp->tags)};
    pw_cp16_reply(cp, id, PW_OCPP16_GET_LOCAL_LIST_VERSION, &conf);
}

static void say_update(struct pw_cp16 *cp, struct pw_str id, enum pw_ocpp16_update_status status)
{
    struct pw_ocpp16_send_local_list_conf conf = {.status = status};
    pw_cp16_reply(cp, id, PW_OCPP16_SEND_LOCAL_LIST, &conf);
}

static void say_updated(struct pw_cp16 *cp, struct pw_str id, bool kept)
{
    say_update(cp, id, kept ? PW_OCPP16_UPDATE_ACCEPTED : PW_OCPP16_UPDATE_FAILED);
}

// Every change of the request, in ours. False: one of them cannot be.
static bool take_changes(struct pw_cp16 *cp, const struct pw_ocpp16_send_local_list_req *req,
                         enum pw_tags_kind kind)
{
    struct pw_ocpp16_authorization_data entry;
    if (pw_tags_update_begin(cp->tags) != PW_OK) {
        return false;
    }
    if ((req->has & PW_OCPP16_HAS(send_local_list_req, local_authorization_list)) == 0) {
        return true;
    }
    for (struct pw_ocpp_iter it = pw_ocpp_each(&req->local_authorization_list);
         pw_ocpp_next(&it, &entry, sizeof(entry));) {
        struct pw_tags_change change = {.remove = false};
        bool given = (entry.has & PW_OCPP16_HAS(authorization_data, id_tag_info)) != 0;
        static const struct pw_ocpp16_id_tag_info none = {.status =
                                                              PW_OCPP16_AUTHORIZATION_INVALID};
        if (!pw_cp16_tag(entry.id_tag, given ? &entry.id_tag_info : &none, &change.tag)) {
            return false;
        }
        change.remove = !given;
        if (pw_tags_update_add(cp->tags, &change, kind) != PW_OK) {
            return false;
        }
    }
    return true;
}

void pw_cp16_on_list(struct pw_cp16 *cp, struct pw_str id, const union pw_cp16_request *req,
                     pw_ms now)
{
    const struct pw_ocpp16_send_local_list_req *list = &req->send_local_list;
    enum pw_tags_kind kind =
        list->update_type == PW_OCPP16_UPDATE_FULL ? PW_TAGS_FULL : PW_TAGS_DIFFERENTIAL;
    (void)now;
    if (pw_tags_version(cp->tags) < 0) {
        say_update(cp, id, PW_OCPP16_UPDATE_NOT_SUPPORTED);
        return;
    }
    if (!take_changes(cp, list, kind)) {
        say_update(cp, id, PW_OCPP16_UPDATE_FAILED);
        return;
    }
    switch (pw_tags_update_commit(cp->tags, kind, list->list_version)) {
    case PW_TAGS_UPDATED:
    case PW_TAGS_UPDATING: pw_cp16_reply_later(cp, id, 0, say_updated); return;
    case PW_TAGS_FAILED: say_update(cp, id, PW_OCPP16_UPDATE_FAILED); return;
    case PW_TAGS_VERSION_MISMATCH: say_update(cp, id, PW_OCPP16_UPDATE_VERSION_MISMATCH); return;
    case PW_TAGS_NOT_SUPPORTED: say_update(cp, id, PW_OCPP16_UPDATE_NOT_SUPPORTED); return;
    }
    PW_UNREACHABLE();
}
