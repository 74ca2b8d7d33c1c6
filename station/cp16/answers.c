// What the central system asks: one row an action, one function an answer. And the reading of
// whatever comes over the link.
#include "cp16/measurands.h"
#include "cp16/parts.h"
#include "rotation/rotation.h"

#include <string.h>

// ---------------------------------------------------------------------------------------------
// Configuration.

enum { KEY_LEAST = 16 }; // characters of AuthorizationKey

static bool is_list_of_measurands(enum pw_setting_id id)
{
    return id == PW_SET_SAMPLED_DATA || id == PW_SET_ALIGNED_DATA || id == PW_SET_STOP_SAMPLED_DATA;
}

int pw_cp16_check_setting(enum pw_setting_id id, struct pw_str value, struct pw_out *why)
{
    uint32_t mask = 0;
    if (is_list_of_measurands(id)) {
        return pw_cp16_measurands(value, &mask, why);
    }
    if (id == PW_SET_PHASE_ROTATION) {
        enum pw_mains_rotation rotation;
        return pw_rotation_of(value, 0, &rotation, why);
    }
    if (id == PW_SET_STOP_ALIGNED_DATA && value.len > 0) {
        pw_put_s(why, "only the empty list is supported");
        return PW_ERR_RANGE;
    }
    // Whitepaper A00.FR.205: 16 to 40 characters.
    if (id == PW_SET_OCPP_KEY && value.len < KEY_LEAST) {
        pw_put_s(why, "it must have 16 to 40 characters");
        return PW_ERR_RANGE;
    }
    bool is_url = pw_str_starts(value, "ws://") || pw_str_starts(value, "wss://");
    if (id == PW_SET_OCPP_URL && value.len > 0 && !is_url) {
        pw_put_s(why, "it must begin with ws:// or wss://");
        return PW_ERR_RANGE;
    }
    return PW_OK;
}

static enum pw_ocpp16_configuration_status change(struct pw_cp16 *cp, struct pw_str key,
                                                  struct pw_str value, pw_ms now)
{
    char why[PW_SETTING_WHY_MAX] = "";
    struct pw_out out = PW_OUT(why);
    struct pw_setting_at at;
    if (pw_settings_find_ocpp(key, &at) != PW_OK) {
        return PW_OCPP16_CONFIGURATION_NOT_SUPPORTED;
    }
    int err = pw_cp16_check_setting(at.id, value, &out);
    if (err == PW_OK) {
        err = pw_settings_set(cp->settings, at, value, PW_BY_OCPP, &out);
    }
    struct pw_line line;
    pw_line(&line, cp->log, err == PW_OK ? PW_LOG_INFO : PW_LOG_WARN, "ocpp", "configuration");
    pw_line_str(&line, "key", key);
    pw_line_s(&line, "result", pw_err_name(err));
    if (err != PW_OK) {
        pw_line_s(&line, "why", why);
    }
    pw_line_end(&line);
    if (err != PW_OK) {
        return PW_OCPP16_CONFIGURATION_REJECTED;
    }
    if (at.id == PW_SET_ALIGNED_S) {
        cp->aligned_at = PW_NEVER;
    }
    cp->host->setting(cp->host->context, at, now);
    return pw_setting_rows[at.id].when == PW_WHEN_RESTART ? PW_OCPP16_CONFIGURATION_REBOOT_REQUIRED
                                                          : PW_OCPP16_CONFIGURATION_ACCEPTED;
}

enum { KEYS_MAX = 60 }; // GetConfigurationMaxKeys

// The keys asked for, with room for their values.
struct configuration {
    struct pw_ocpp16_key_value known[KEYS_MAX];
    struct pw_ocpp16_key_name unknown[KEYS_MAX];
    char numbers[KEYS_MAX][12];
    uint32_t known_count;
    uint32_t unknown_count;
};

static void add_known(const struct pw_cp16 *cp, struct configuration *all, struct pw_setting_at at)
{
    const struct pw_setting_row *row = &pw_setting_rows[at.id];
    if (all->known_count == KEYS_MAX) {
        return;
    }
    struct pw_ocpp16_key_value *known = &all->known[all->known_count];
    known->has = PW_OCPP16_HAS(key_value, value);
    known->key = pw_str_of(row->ocpp_key);
    known->readonly = row->when == PW_WHEN_FIXED || row->when == PW_WHEN_FILE;
    if (row->when == PW_WHEN_SECRET) {
        known->has = 0; // write-only
    } else if (row->kind == PW_KIND_TEXT) {
        known->value = pw_str_of(pw_settings_text(cp->settings, at.id));
    } else {
        struct pw_out out = PW_OUT(all->numbers[all->known_count]);
        pw_settings_print(cp->settings, at, &out);
        known->value = pw_out_str(&out);
    }
    all->known_count++;
}

static void collect(const struct pw_cp16 *cp, const struct pw_ocpp16_get_configuration_req *req,
                    struct configuration *all)
{
    struct pw_setting_at at = {.instance = 0};
    struct pw_ocpp16_key_name name;
    if (req->key.count == 0) {
        for (size_t id = 0; id < PW_SETTING_ROWS; id++) {
            if (pw_setting_rows[id].ocpp_key[0] != '\0') {
                at.id = (enum pw_setting_id)id;
                add_known(cp, all, at);
            }
        }
        return;
    }
    for (struct pw_ocpp_iter it = pw_ocpp_each(&req->key);
         pw_ocpp_next(&it, &name, sizeof(name));) {
        if (pw_settings_find_ocpp(name.name, &at) == PW_OK) {
            add_known(cp, all, at);
        } else if (all->unknown_count < KEYS_MAX) {
            all->unknown[all->unknown_count++] = name;
        }
    }
}

// ---------------------------------------------------------------------------------------------
// Answers. Each decodes nothing itself: it gets the request's struct and fills the confirmation's.

union request {
    struct pw_ocpp16_change_availability_req availability;
    struct pw_ocpp16_change_configuration_req change;
    struct pw_ocpp16_get_configuration_req get;
    struct pw_ocpp16_remote_start_transaction_req start;
    struct pw_ocpp16_remote_stop_transaction_req stop;
    struct pw_ocpp16_reset_req reset;
    struct pw_ocpp16_unlock_connector_req unlock;
    struct pw_ocpp16_data_transfer_req data;
    struct pw_ocpp16_clear_cache_req cache;
};

static void reply(struct pw_cp16 *cp, struct pw_str id, enum pw_ocpp16_action action,
                  const void *conf)
{
    struct pw_out out = PW_OUT(cp->out);
    pw_ocpp16_put_result(&out, id, action, conf);
    if (pw_out_err(&out) != PW_OK) {
        out = PW_OUT(cp->out);
        pw_ocpp_put_error(&out, id, PW_OCPP_INTERNAL_ERROR,
                          PW_STR("the answer is longer than this station can send"));
    }
    cp->out_len = out.len;
}

static void refuse(struct pw_cp16 *cp, struct pw_str id, enum pw_ocpp_error code, struct pw_str why)
{
    struct pw_out out = PW_OUT(cp->out);
    pw_ocpp_put_error(&out, id, code, why);
    PW_ASSERT(pw_out_err(&out) == PW_OK);
    cp->out_len = out.len;
}

static enum pw_ocpp16_generic_status generic(enum pw_cp16_answer answer)
{
    return answer == PW_CP16_ACCEPTED ? PW_OCPP16_GENERIC_ACCEPTED : PW_OCPP16_GENERIC_REJECTED;
}

static bool is_connector(const struct pw_cp16 *cp, int32_t connector)
{
    return connector >= 1 && (uint32_t)connector <= cp->connectors;
}

static void on_availability(struct pw_cp16 *cp, struct pw_str id, const union request *req,
                            pw_ms now)
{
    struct pw_ocpp16_change_availability_conf conf = {.status = PW_OCPP16_AVAILABILITY_REJECTED};
    int32_t connector = req->availability.connector_id;
    if (connector == 0 || is_connector(cp, connector)) {
        bool operative = req->availability.type == PW_OCPP16_AVAILABILITY_OPERATIVE;
        enum pw_cp16_answer answer =
            cp->host->availability(cp->host->context, (unsigned)connector, operative, now);
        conf.status = answer == PW_CP16_ACCEPTED    ? PW_OCPP16_AVAILABILITY_ACCEPTED
                      : answer == PW_CP16_SCHEDULED ? PW_OCPP16_AVAILABILITY_SCHEDULED
                                                    : PW_OCPP16_AVAILABILITY_REJECTED;
    }
    reply(cp, id, PW_OCPP16_CHANGE_AVAILABILITY, &conf);
}

static void on_change(struct pw_cp16 *cp, struct pw_str id, const union request *req, pw_ms now)
{
    struct pw_ocpp16_change_configuration_conf conf = {
        .status = change(cp, req->change.key, req->change.value, now)};
    reply(cp, id, PW_OCPP16_CHANGE_CONFIGURATION, &conf);
}

static void on_get(struct pw_cp16 *cp, struct pw_str id, const union request *req, pw_ms now)
{
    (void)now;
    struct configuration all;
    memset(&all, 0, sizeof(all));
    if (req->get.key.count > KEYS_MAX) {
        refuse(cp, id, PW_OCPP_OCCURENCE_CONSTRAINT_VIOLATION,
               PW_STR("key: more than GetConfigurationMaxKeys"));
        return;
    }
    collect(cp, &req->get, &all);
    struct pw_ocpp16_get_configuration_conf conf = {
        .configuration_key = {.items = all.known, .count = all.known_count},
        .unknown_key = {.items = all.unknown, .count = all.unknown_count},
    };
    conf.has |= all.known_count > 0 ? PW_OCPP16_HAS(get_configuration_conf, configuration_key) : 0;
    conf.has |= all.unknown_count > 0 ? PW_OCPP16_HAS(get_configuration_conf, unknown_key) : 0;
    reply(cp, id, PW_OCPP16_GET_CONFIGURATION, &conf);
}

static void on_start(struct pw_cp16 *cp, struct pw_str id, const union request *req, pw_ms now)
{
    struct pw_ocpp16_remote_start_transaction_conf conf = {.status = PW_OCPP16_GENERIC_REJECTED};
    bool named = (req->start.has & PW_OCPP16_HAS(remote_start_transaction_req, connector_id)) != 0;
    int32_t connector = named ? req->start.connector_id : 0;
    // Remote commands wait for acceptance (OCPP 1.6 §4.2).
    if (cp->boot == PW_CP16_BOOT_ACCEPTED && (!named || is_connector(cp, connector)) &&
        req->start.id_tag.len > 0) {
        conf.status = generic(
            cp->host->remote_start(cp->host->context, (unsigned)connector, req->start.id_tag, now));
    }
    reply(cp, id, PW_OCPP16_REMOTE_START_TRANSACTION, &conf);
}

static void on_stop(struct pw_cp16 *cp, struct pw_str id, const union request *req, pw_ms now)
{
    struct pw_ocpp16_remote_stop_transaction_conf conf = {.status = PW_OCPP16_GENERIC_REJECTED};
    unsigned connector = pw_journal_connector_of(cp->journal, req->stop.transaction_id);
    if (cp->boot == PW_CP16_BOOT_ACCEPTED && connector != 0) {
        conf.status = generic(cp->host->remote_stop(cp->host->context, connector, now));
    }
    reply(cp, id, PW_OCPP16_REMOTE_STOP_TRANSACTION, &conf);
}

static void on_reset(struct pw_cp16 *cp, struct pw_str id, const union request *req, pw_ms now)
{
    struct pw_ocpp16_reset_conf conf = {
        .status = generic(
            cp->host->reset(cp->host->context, req->reset.type == PW_OCPP16_RESET_HARD, now))};
    reply(cp, id, PW_OCPP16_RESET, &conf);
}

// Without a connector lock: NotSupported, and the transaction goes on (erratum 3.84).
static void on_unlock(struct pw_cp16 *cp, struct pw_str id, const union request *req, pw_ms now)
{
    struct pw_ocpp16_unlock_connector_conf conf = {.status = PW_OCPP16_UNLOCK_NOT_SUPPORTED};
    int32_t connector = req->unlock.connector_id;
    if (is_connector(cp, connector)) {
        int err = cp->host->unlock(cp->host->context, (unsigned)connector, now);
        conf.status = err == PW_OK            ? PW_OCPP16_UNLOCK_UNLOCKED
                      : err == PW_ERR_UNKNOWN ? PW_OCPP16_UNLOCK_NOT_SUPPORTED
                                              : PW_OCPP16_UNLOCK_FAILED;
    }
    reply(cp, id, PW_OCPP16_UNLOCK_CONNECTOR, &conf);
}

// Without a cache there is nothing to clear (erratum 3.23: Rejected).
static void on_cache(struct pw_cp16 *cp, struct pw_str id, const union request *req, pw_ms now)
{
    (void)now;
    (void)req;
    struct pw_ocpp16_clear_cache_conf conf = {.status = PW_OCPP16_GENERIC_REJECTED};
    reply(cp, id, PW_OCPP16_CLEAR_CACHE, &conf);
}

// "Limit", with the number of a connector: who limits its current. OCPP has no message of its own
// for a charge that is throttled and goes on.
static void on_data(struct pw_cp16 *cp, struct pw_str id, const union request *req, pw_ms now)
{
    char text[PW_CP16_LIMIT_MAX];
    struct pw_out json = PW_OUT(text);
    int64_t connector = 0;
    struct pw_str own = pw_str_of(pw_settings_text(cp->settings, PW_SET_VEHICLE_VENDOR));
    struct pw_ocpp16_data_transfer_conf conf = {.status = PW_OCPP16_DATA_TRANSFER_ACCEPTED};
    if (!pw_str_eq(req->data.vendor_id, own)) {
        conf.status = PW_OCPP16_DATA_TRANSFER_UNKNOWN_VENDOR_ID;
    } else if (!pw_str_is(req->data.message_id, "Limit")) {
        conf.status = PW_OCPP16_DATA_TRANSFER_UNKNOWN_MESSAGE_ID;
    } else if (pw_parse_int(req->data.data, 1, cp->connectors, &connector) != PW_OK) {
        conf.status = PW_OCPP16_DATA_TRANSFER_REJECTED;
    } else {
        cp->host->limit(cp->host->context, (unsigned)connector, &json, now);
        PW_ASSERT(!json.full);
        conf.data = pw_out_str(&json);
        conf.has = PW_OCPP16_HAS(data_transfer_conf, data);
    }
    reply(cp, id, PW_OCPP16_DATA_TRANSFER, &conf);
}

static const struct {
    enum pw_ocpp16_action action;
    void (*answer)(struct pw_cp16 *cp, struct pw_str id, const union request *req, pw_ms now);
} rows[] = {
    {PW_OCPP16_CHANGE_AVAILABILITY, on_availability},
    {PW_OCPP16_CHANGE_CONFIGURATION, on_change},
    {PW_OCPP16_CLEAR_CACHE, on_cache},
    {PW_OCPP16_DATA_TRANSFER, on_data},
    {PW_OCPP16_GET_CONFIGURATION, on_get},
    {PW_OCPP16_REMOTE_START_TRANSACTION, on_start},
    {PW_OCPP16_REMOTE_STOP_TRANSACTION, on_stop},
    {PW_OCPP16_RESET, on_reset},
    {PW_OCPP16_UNLOCK_CONNECTOR, on_unlock},
};

void pw_cp16_answer(struct pw_cp16 *cp, const struct pw_ocpp_frame *frame, pw_ms now)
{
    union request req;
    struct pw_ocpp_fault fault;
    int action = pw_ocpp16_action_find(frame->action);
    if (action < 0 || (pw_ocpp16_actions[action].sender & PW_OCPP16_FROM_CENTRAL) == 0) {
        refuse(cp, frame->id, PW_OCPP_NOT_IMPLEMENTED, PW_STR("this action is not known"));
        return;
    }
    for (size_t i = 0; i < PW_COUNT(rows); i++) {
        if ((int)rows[i].action != action) {
            continue;
        }
        PW_ASSERT(pw_ocpp16_actions[action].req->size <= sizeof(req));
        if (pw_ocpp_decode(pw_ocpp16_actions[action].req, frame->payload, PW_OCPP_NULL_IS_ABSENT,
                           &req, &fault) != PW_OK) {
            refuse(cp, frame->id, fault.code, pw_str_of(fault.text));
            return;
        }
        rows[i].answer(cp, frame->id, &req, now);
        return;
    }
    refuse(cp, frame->id, PW_OCPP_NOT_SUPPORTED,
           PW_STR("this action's feature profile is not supported"));
}

// ---------------------------------------------------------------------------------------------
// The link.

static void note_malformed(struct pw_cp16 *cp, struct pw_str what, const char *why)
{
    struct pw_line line;
    cp->malformed++;
    pw_line(&line, cp->log, PW_LOG_WARN, "ocpp", "strange-message");
    pw_line_str(&line, "what", what);
    pw_line_s(&line, "why", why);
    pw_line_end(&line);
}

static void on_answer(struct pw_cp16 *cp, const struct pw_ocpp_frame *frame, pw_ms now)
{
    enum pw_ocpp_answer match = pw_ocpp_rpc_answer(&cp->rpc, frame->id);
    if (match != PW_OCPP_ANSWER_MATCHED) {
        note_malformed(cp, frame->id, pw_ocpp_answer_name(match));
        return;
    }
    if (frame->kind == PW_OCPP_RESULT) {
        pw_cp16_call_answered(cp, frame->payload, now);
        return;
    }
    char code[40];
    // A word longer than any known one is cut by the copy: it is only shown.
    if (pw_str_copy(code, sizeof(code), frame->error_word) != PW_OK) {
        code[0] = '?';
        code[1] = '\0';
    }
    cp->timeouts = 0;
    pw_cp16_call_failed(cp, code, now);
}

int pw_cp16_text(struct pw_cp16 *cp, struct pw_str text, pw_ms now)
{
    struct pw_json json = {.node = cp->node,
                           .cap = PW_COUNT(cp->node),
                           .spare = cp->spare,
                           .spare_cap = sizeof(cp->spare)};
    struct pw_ocpp_frame frame = {.kind = PW_OCPP_CALL};
    struct pw_ocpp_fault fault;
    if (cp->link == PW_CP16_LINK_DOWN) {
        return PW_OK;
    }
    if (cp->out_len > 0) {
        return PW_ERR_AGAIN;
    }
    int err = pw_ocpp_frame_read(&json, text, &frame, &fault);
    // Rejected: neither calls nor answers until the interval is over (OCPP 1.6 §4.2).
    bool mute = cp->boot == PW_CP16_BOOT_REJECTED && cp->call != PW_CP16_CALL_BOOT;
    if (err == PW_ERR_UNKNOWN) {
        note_malformed(cp, PW_STR("message type"), "is none of 2, 3, 4");
    } else if (err != PW_OK) {
        note_malformed(cp, frame.id, fault.text);
        if (frame.id.len > 0 && !mute) {
            refuse(cp, frame.id, fault.code, pw_str_of(fault.text));
        }
    } else if (frame.kind != PW_OCPP_CALL) {
        on_answer(cp, &frame, now);
    } else if (!mute) {
        pw_cp16_answer(cp, &frame, now);
    }
    return PW_OK;
}
