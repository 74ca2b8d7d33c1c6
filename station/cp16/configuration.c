// ChangeConfiguration and GetConfiguration: the rows of settings.def that have an OCPP key.
#include "cp16/measurands.h"
#include "cp16/parts.h"
#include "rotation/rotation.h"

#include <string.h>

enum { KEY_LEAST = 16 }; // characters of AuthorizationKey

static bool is_list_of_measurands(enum pw_setting_id id)
{
    return id == PW_SET_SAMPLED_DATA || id == PW_SET_ALIGNED_DATA ||
           id == PW_SET_STOP_SAMPLED_DATA || id == PW_SET_STOP_ALIGNED_DATA ||
           id == PW_SET_START_SAMPLED_DATA;
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
    // Whitepaper A00.FR.205: 16 to 40 characters.
    if (id == PW_SET_OCPP_KEY && value.len < KEY_LEAST) {
        pw_put_s(why, "it must have 16 to 40 characters");
        return PW_ERR_RANGE;
    }
    if (id == PW_SET_PROFILES_OFFLINE) {
        unsigned purposes = 0;
        return pw_smart_purposes(value, &purposes, why);
    }
    bool is_url = id == PW_SET_OCPP_URL || id == PW_SET_OCPP_TLS_URL;
    return is_url && value.len > 0 ? pw_security_check_url(value, why) : PW_OK;
}

// "MeterPublicKey2" (Signed Meter Values 1.0 §3.3.1): the connector, or 0.
static unsigned public_key_of(const struct pw_cp16 *cp, struct pw_str key)
{
    static const char name[] = "MeterPublicKey";
    size_t len = sizeof(name) - 1;
    if (key.len != len + 1 || !pw_str_starts(key, name)) {
        return 0;
    }
    char digit = key.at[len];
    return digit >= '1' && digit <= '9' && (unsigned)(digit - '0') <= cp->connectors
               ? (unsigned)(digit - '0')
               : 0;
}

// Some keys are only what they are where the connector is a socket (errata 3.84, 3.85).
static bool needs_socket(const struct pw_cp16 *cp, enum pw_setting_id id)
{
    if (id != PW_SET_UNLOCK_ON_DISCONNECT && id != PW_SET_STOP_ON_DISCONNECT) {
        return false;
    }
    for (unsigned i = 0; i < cp->connectors; i++) {
        if (pw_settings_connector(cp->settings, PW_SET_KIND, i) == PW_KIND_OF_CONNECTOR_PILOT &&
            pw_settings_connector(cp->settings, PW_SET_SOCKET, i) != 0) {
            return false;
        }
    }
    return true;
}

static enum pw_ocpp16_configuration_status change(struct pw_cp16 *cp, struct pw_str key,
                                                  struct pw_str value, pw_ms now)
{
    char why[PW_SETTING_WHY_MAX] = "";
    struct pw_out out = PW_OUT(why);
    struct pw_setting_at at;
    if (public_key_of(cp, key) != 0) {
        return PW_OCPP16_CONFIGURATION_REJECTED; // the meter's, not ours
    }
    if (pw_settings_find_ocpp(key, &at) != PW_OK) {
        return PW_OCPP16_CONFIGURATION_NOT_SUPPORTED;
    }
    if (needs_socket(cp, at.id)) {
        return PW_OCPP16_CONFIGURATION_REJECTED;
    }
    int err = pw_cp16_check_setting(at.id, value, &out);
    if (err == PW_OK) {
        err = pw_security_check_setting(cp->security, at.id, value, PW_BY_OCPP, &out, now);
    }
    if (err == PW_OK && pw_journal_keeps(cp->journal) != PW_OK) {
        pw_put_s(&out, "it could not be kept: the disk is full or fails");
        err = PW_ERR_STORE;
    }
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
    if (at.id == PW_SET_HEARTBEAT_S) {
        pw_cp16_spoke(cp, now);
    }
    cp->host->setting(cp->host->context, at, now);
    return pw_setting_rows[at.id].when == PW_WHEN_RESTART ? PW_OCPP16_CONFIGURATION_REBOOT_REQUIRED
                                                          : PW_OCPP16_CONFIGURATION_ACCEPTED;
}

enum { KEYS_MAX = 80 }; // GetConfigurationMaxKeys: as many as a request may name, and as there are

// What GetConfiguration of all keys takes: each with its longest value, unescaped.
#define KEY_ROW(scope, concerns, name, path, kind, least, most, value, when, ocpp, doc)            \
    +(sizeof(ocpp) > 1 ? 1 : 0)
#define KEY_BYTES(scope, concerns, name, path, kind, least, most, value, when, ocpp, doc)          \
    +(sizeof(ocpp) > 1                                                                             \
          ? sizeof("{\"key\":\"\",\"readonly\":false,\"value\":\"\"},") + sizeof(ocpp) +           \
                (PW_KIND_##kind == PW_KIND_TEXT ? (size_t)(most) : sizeof("-2147483648"))          \
          : 0)
_Static_assert((PW_CONNECTORS_MAX PW_SETTINGS(KEY_ROW)) <= KEYS_MAX, "every key has a place");
_Static_assert((128 + PW_CONNECTORS_MAX * (PW_CP16_PUBLIC_KEY_MAX + 64) PW_SETTINGS(KEY_BYTES)) <=
                   PW_CP16_OUT_MAX,
               "all keys fit one message");
#undef KEY_ROW
#undef KEY_BYTES

// The keys asked for, with room for their values.
struct configuration {
    struct pw_ocpp16_key_value known[KEYS_MAX];
    struct pw_ocpp16_key_name unknown[KEYS_MAX];
    char numbers[KEYS_MAX][12];
    char key_names[PW_CONNECTORS_MAX][16];
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
    if (needs_socket(cp, at.id)) {
        known->readonly = true;
        known->value = at.id == PW_SET_UNLOCK_ON_DISCONNECT ? PW_STR("false") : PW_STR("true");
    }
    all->known_count++;
}

// A connector whose meter is not known to sign has none, and is then no key of this station.
static bool add_public_key(struct pw_cp16 *cp, struct configuration *all, unsigned connector)
{
    unsigned at = connector - 1;
    struct pw_out name = PW_OUT(all->key_names[at]);
    struct pw_out out = PW_OUT(cp->public_keys[at]);
    cp->host->public_key(cp->host->context, connector, &out);
    if (out.len == 0 || all->known_count == KEYS_MAX) {
        return false;
    }
    pw_put_s(&name, "MeterPublicKey");
    pw_put_uint(&name, connector);
    all->known[all->known_count++] = (struct pw_ocpp16_key_value){
        .has = PW_OCPP16_HAS(key_value, value),
        .key = pw_out_str(&name),
        .readonly = true,
        .value = pw_out_str(&out),
    };
    return true;
}

static void collect(struct pw_cp16 *cp, const struct pw_ocpp16_get_configuration_req *req,
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
        for (unsigned connector = 1; connector <= cp->connectors; connector++) {
            (void)add_public_key(cp, all, connector);
        }
        return;
    }
    for (struct pw_ocpp_iter it = pw_ocpp_each(&req->key);
         pw_ocpp_next(&it, &name, sizeof(name));) {
        unsigned connector = public_key_of(cp, name.name);
        if (connector != 0 && add_public_key(cp, all, connector)) {
            continue;
        }
        if (pw_settings_find_ocpp(name.name, &at) == PW_OK) {
            add_known(cp, all, at);
        } else if (all->unknown_count < KEYS_MAX) {
            all->unknown[all->unknown_count++] = name;
        }
    }
}

static void say_change(struct pw_cp16 *cp, struct pw_str id,
                       enum pw_ocpp16_configuration_status status)
{
    const struct pw_ocpp16_change_configuration_conf conf = {.status = status};
    pw_cp16_reply(cp, id, PW_OCPP16_CHANGE_CONFIGURATION, &conf);
}

static void say_changed(struct pw_cp16 *cp, struct pw_str id, bool kept)
{
    say_change(cp, id, kept ? PW_OCPP16_CONFIGURATION_ACCEPTED : PW_OCPP16_CONFIGURATION_REJECTED);
}

static void say_changed_from_restart(struct pw_cp16 *cp, struct pw_str id, bool kept)
{
    say_change(cp, id,
               kept ? PW_OCPP16_CONFIGURATION_REBOOT_REQUIRED : PW_OCPP16_CONFIGURATION_REJECTED);
}

// A change counts at once; it is said when it outlives a power cut. A station that came back with
// the AuthorizationKey of before could not come in any more.
void pw_cp16_on_change(struct pw_cp16 *cp, struct pw_str id, const union pw_cp16_request *req,
                       pw_ms now)
{
    enum pw_ocpp16_configuration_status status =
        change(cp, req->change_configuration.key, req->change_configuration.value, now);
    bool restart = status == PW_OCPP16_CONFIGURATION_REBOOT_REQUIRED;
    if (status != PW_OCPP16_CONFIGURATION_ACCEPTED && !restart) {
        say_change(cp, id, status);
    } else if (cp->journal->setting_ticket <= 0) {
        say_change(cp, id, PW_OCPP16_CONFIGURATION_REJECTED);
    } else {
        pw_cp16_reply_later(cp, id, cp->journal->setting_ticket,
                            restart ? say_changed_from_restart : say_changed);
    }
}

void pw_cp16_on_get(struct pw_cp16 *cp, struct pw_str id, const union pw_cp16_request *req,
                    pw_ms now)
{
    (void)now;
    struct configuration all;
    memset(&all, 0, sizeof(all));
    if (req->get_configuration.key.count > KEYS_MAX) {
        pw_cp16_refuse(cp, id, PW_OCPP_OCCURENCE_CONSTRAINT_VIOLATION,
                       PW_STR("key: more than GetConfigurationMaxKeys"));
        return;
    }
    collect(cp, &req->get_configuration, &all);
    struct pw_ocpp16_get_configuration_conf conf = {
        .configuration_key = {.items = all.known, .count = all.known_count},
        .unknown_key = {.items = all.unknown, .count = all.unknown_count},
    };
    conf.has |= all.known_count > 0 ? PW_OCPP16_HAS(get_configuration_conf, configuration_key) : 0;
    conf.has |= all.unknown_count > 0 ? PW_OCPP16_HAS(get_configuration_conf, unknown_key) : 0;
    pw_cp16_reply(cp, id, PW_OCPP16_GET_CONFIGURATION, &conf);
}
