// The start: what was kept is laid over the file, every part is set up, the last charges are
// settled.
#include "parts.h"
#include "sealed/sealed.h"

#include <string.h>

static void log_kept_setting(const struct pw_station *st, const char *path, const char *why)
{
    struct pw_line line;
    pw_line(&line, st->log, PW_LOG_WARN, "station", "kept-setting-ignored");
    pw_line_s(&line, "path", path);
    pw_line_s(&line, "why", why);
    pw_line_end(&line);
}

// What was set while running counts more than the file. A value that no longer fits its row (after
// an update) is left out, and said.
static int lay_over_kept_settings(struct pw_station *st)
{
    char path[PW_STORE_KEY_MAX + 1] = "";
    char value[PW_SETTING_TEXT_MAX];
    for (;;) {
        char why[PW_SETTING_WHY_MAX] = "";
        struct pw_out out = PW_OUT(why);
        struct pw_setting_at at;
        int err = pw_journal_next_setting(&st->journal, path, value, sizeof(value));
        if (err == PW_ERR_UNKNOWN) {
            return PW_OK;
        }
        if (err != PW_OK) {
            return err;
        }
        if (pw_settings_find(pw_str_of(path), &at) != PW_OK) {
            log_kept_setting(st, path, "there is no such setting");
        } else if (pw_setting_rows[at.id].when == PW_WHEN_SECRET &&
                   strcmp(value, PW_SEALED_LOCKED) == 0) {
            pw_settings_lock(&st->settings, at);
        } else if (pw_settings_set(&st->settings, at, pw_str_of(value), PW_BY_STORE, &out) !=
                   PW_OK) {
            log_kept_setting(st, path, why);
        }
    }
}

// A radio without its key: nobody hears it, and it believes nobody, until it is given anew. The
// other connectors go on.
static void replace_radio_key(struct pw_station *st, const struct pw_trust *trust)
{
    enum { BYTES = 24 };
    uint8_t bytes[BYTES];
    char text[2 * BYTES + 1];
    struct pw_out out = PW_OUT(text);
    struct pw_out why = {.cap = 0};
    if (!pw_settings_locked(&st->settings, PW_SET_LORA_KEY) || trust == NULL ||
        trust->random(trust->context, bytes, sizeof(bytes)) != PW_OK) {
        return;
    }
    for (unsigned i = 0; i < BYTES; i++) {
        static const char digits[] = "0123456789abcdef";
        pw_put_c(&out, digits[bytes[i] >> 4U]);
        pw_put_c(&out, digits[bytes[i] & 15U]);
    }
    (void)!pw_settings_set(&st->settings, (struct pw_setting_at){.id = PW_SET_LORA_KEY},
                           pw_out_str(&out), PW_BY_STORE, &why);
}

// What goes with one setting that outlives the others, as text.
struct identity {
    struct pw_setting_at at;
    char value[PW_SETTING_TEXT_MAX];
};
enum { IDENTITIES = 4 };

static unsigned take_identity(const struct pw_settings *from, struct identity to[IDENTITIES])
{
    unsigned count = 0;
    for (size_t id = 0; id < PW_SETTING_ROWS; id++) {
        const struct pw_setting_at at = {.id = (enum pw_setting_id)id};
        if (!pw_security_outlives(at.id)) {
            continue;
        }
        PW_ASSERT(count < IDENTITIES);
        to[count].at = at;
        struct pw_out out = PW_OUT(to[count].value);
        if (pw_setting_rows[id].kind == PW_KIND_TEXT) {
            pw_put_s(&out, pw_settings_text(from, at.id)); // secrets are not printed
        } else {
            pw_settings_print(from, at, &out);
        }
        count++;
    }
    return count;
}

// A file edited since may contradict what was kept. Then the file counts, but for what the central
// system knows the station by: a station that does not start is worse than one that forgot a
// change.
static void settle_contradictions(struct pw_station *st, const struct pw_station_start *start)
{
    char why[PW_SETTING_WHY_MAX] = "";
    struct pw_out out = PW_OUT(why);
    struct identity kept[IDENTITIES];
    if (pw_settings_check(&st->settings, &out) == PW_OK &&
        pw_rules_check(start->zones, &st->settings, &out) == PW_OK) {
        return;
    }
    log_kept_setting(st, "all of them", why);
    unsigned count = take_identity(&st->settings, kept);
    st->settings = *start->settings;
    for (unsigned i = 0; i < count; i++) {
        // Each value was good there.
        if (strcmp(kept[i].value, PW_SEALED_LOCKED) == 0) {
            pw_settings_lock(&st->settings, kept[i].at);
        } else {
            (void)!pw_settings_set(&st->settings, kept[i].at, pw_str_of(kept[i].value), PW_BY_STORE,
                                   &out);
        }
    }
}

static int init_connector(struct pw_station *st, unsigned index, pw_ms now)
{
    struct pw_connector *connector = &st->connector[index];
    struct pw_station_connector *extra = &st->extra[index];
    struct pw_connector_keep keep = {.latched = 0};
    struct pw_register reg;
    char why[PW_SETTING_WHY_MAX] = "";
    struct pw_out out = PW_OUT(why);
    int err = pw_connector_init(connector, &st->settings, index, st->log, now, &out);
    if (err != PW_OK) {
        struct pw_line line;
        pw_line(&line, st->log, PW_LOG_ERROR, "station", "connector-refused");
        pw_line_int(&line, "connector", (int64_t)index + 1);
        pw_line_s(&line, "why", why);
        pw_line_end(&line);
        return err;
    }
    err = pw_journal_read_keep(&st->journal, index + 1, &extra->kept);
    if (err == PW_OK) {
        err = pw_journal_read_register(&st->journal, index + 1, &reg);
    }
    if (err == PW_OK) {
        keep.energy = reg.energy;
        keep.counter = reg.counter;
        keep.latched = extra->kept.latched;
        keep.interrupted = pw_journal_open_on(&st->journal, index + 1) != NULL;
        err = pw_connector_restore(connector, &keep, now);
    }
    if (err == PW_OK && extra->kept.inoperative) {
        (void)pw_session_set_operative(pw_connector_session(connector), false, now);
    }
    return err;
}

static int uplink_start(void *context, unsigned connector, struct pw_str id_tag, struct pw_out *why,
                        pw_ms now)
{
    return pw_charge_remote_start(context, connector - 1, id_tag, NULL, why, now);
}

static int uplink_stop(void *context, unsigned connector, struct pw_out *why, pw_ms now)
{
    return pw_charge_remote_stop(context, connector - 1, why, now);
}

static bool uplink_at_rest(void *context)
{
    return pw_station_at_rest(context);
}

// Never the same twice: the count of starts, and chance for a store that was made anew.
static uint64_t start_number(const struct pw_station *st, const struct pw_station_start *start)
{
    return ((uint64_t)st->journal.boot << 31) + (start->seed & INT32_MAX) + 1;
}

static void init_uplink(struct pw_station *st, const struct pw_station_start *start)
{
    st->uplink_host = (struct pw_uplink_host){
        .context = st, .start = uplink_start, .stop = uplink_stop, .at_rest = uplink_at_rest};
    const struct pw_uplink_parts parts = {
        .settings = &st->settings,
        .cp16 = &st->cp16,
        .connector = st->connector,
        .connectors = st->connectors,
        .host = &st->uplink_host,
        .logring = start->logring,
        .files = &st->files,
        .log = st->log,
        .firmware = start->firmware,
        .boot = start_number(st, start),
        .seed = start->seed,
    };
    pw_uplink_init(&st->uplink, &parts, start->now);
}

static void init_network(struct pw_station *st, const struct pw_station_start *start)
{
    const struct pw_network_config config = {
        .settings = &st->settings, .store = start->store, .port = start->network, .log = st->log};
    pw_network_init(&st->network, &config, start->now);
}

static int init_rules(struct pw_station *st, const struct pw_station_start *start)
{
    const struct pw_rules_parts parts = {
        .settings = &st->settings,
        .connector = st->connector,
        .connectors = st->connectors,
        .zones = start->zones,
        .log = st->log,
    };
    char why[PW_SETTING_WHY_MAX] = "";
    struct pw_out out = PW_OUT(why);
    int err = pw_rules_init(&st->rules, &parts, &out, start->now);
    for (unsigned i = 0; err == PW_OK && i < st->connectors; i++) {
        if (st->extra[i].kept.charge_now) {
            pw_rules_restore(&st->rules, i, start->now);
        }
    }
    if (err != PW_OK) {
        struct pw_line line;
        pw_line(&line, st->log, PW_LOG_ERROR, "station", "schedule-refused");
        pw_line_s(&line, "why", why);
        pw_line_end(&line);
    }
    return err;
}

static pw_unix_ms security_wall(void *context, pw_ms now)
{
    return pw_station_wall(context, now);
}

static void security_setting(void *context, struct pw_setting_at at, pw_ms now)
{
    struct pw_station *st = context;
    st->host.setting(st, at, now);
}

static void init_security(struct pw_station *st, const struct pw_station_start *start)
{
    const struct pw_security_start parts = {
        .settings = &st->settings,
        .store = start->store,
        .trust = start->trust,
        .log = st->log,
        .host = {.context = st, .setting = security_setting, .wall = security_wall},
        .boot = st->journal.boot,
        .now = start->now,
    };
    pw_security_init(&st->security, &parts);
}

// The rooms that hold what outlives a restart, beside the journal.
static int init_rooms(struct pw_station *st, const struct pw_station_start *start)
{
    int err = init_rules(st, start);
    if (err == PW_OK) {
        err = pw_tags_init(&st->tags, &st->settings, start->store, start->log);
    }
    if (err == PW_OK) {
        err = pw_reservations_init(&st->reservations, &st->settings, st->connectors, start->store,
                                   start->log, start->now);
    }
    if (err == PW_OK) {
        err = pw_household_init(&st->house, &st->settings, st->connectors, st->log, start->now);
    }
    return err;
}

static void init_cp16(struct pw_station *st, const struct pw_station_start *start)
{
    pw_cp16_init(&st->cp16, &st->settings, &st->journal, &st->host, st->log);
    st->cp16.security = &st->security;
    st->cp16.smart = &st->smart;
    st->cp16.tags = &st->tags;
    st->cp16.reservations = &st->reservations;
    st->cp16.firmware = start->firmware;
    st->cp16.random = start->seed == 0 ? 1 : start->seed;
    if (start->wall > 0) {
        pw_cp16_learn_clock(&st->cp16, start->wall, start->now);
    }
}

int pw_station_init(struct pw_station *st, const struct pw_station_start *start)
{
    memset(st, 0, sizeof(*st));
    st->settings = *start->settings;
    st->log = start->log;
    st->connectors = start->settings->connectors;
    st->started_at = start->now;
    st->now = start->now;
    st->status_at = start->now;
    st->restart_at = PW_NEVER;
    int err = pw_journal_open(&st->journal, start->store, start->log);
    st->journal.started = start->now;
    if (err == PW_OK) {
        err = lay_over_kept_settings(st);
        settle_contradictions(st, start);
        replace_radio_key(st, start->trust);
        // ocpp.url counts from the next start on, so this stays true.
        st->journal.alone = pw_settings_text(&st->settings, PW_SET_OCPP_URL)[0] == '\0';
    }
    if (err == PW_OK) {
        struct pw_keep whole;
        err = pw_journal_read_keep(&st->journal, 0, &whole);
        st->inoperative = whole.inoperative;
    }
    for (unsigned i = 0; err == PW_OK && i < st->connectors; i++) {
        err = init_connector(st, i, start->now);
    }
    if (err == PW_OK) {
        err = init_rooms(st, start);
    }
    if (err != PW_OK) {
        return err;
    }
    init_security(st, start);
    init_cp16(st, start);
    pw_security_event(&st->security, PW_SECURITY_STARTUP, pw_str_of(start->firmware), start->now);
    pw_charge_init(st, start->now);
    // What has just been stopped has no profiles any more.
    const struct pw_smart_parts smart = {
        .settings = &st->settings,
        .store = start->store,
        .journal = &st->journal,
        .connector = st->connector,
        .connectors = st->connectors,
        .log = st->log,
    };
    err = pw_smart_init(&st->smart, &smart);
    if (err != PW_OK) {
        return err;
    }
    for (unsigned i = 0; i < st->connectors; i++) {
        pw_connector_wire_start(&st->connector[i], start_number(st, start));
    }
    pw_station_files_init(st, start);
    init_uplink(st, start);
    init_network(st, start);
    return PW_OK;
}
