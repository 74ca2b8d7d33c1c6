// What station/files asks of the station: the text of a log for a service engineer, piece by piece,
// and what goes with an update. Nothing in a text is secret, and no idTag is whole: what is written
// is looked through for every one the station knows before it leaves.
// Sources: OCPP 1.6 §5.9; whitepaper N01; facts/reliability.md T15.
#include "parts.h"

#include <string.h>

enum {
    TAG_SHOWN = 4,      // last characters of an idTag that stay
    SECRET_LEAST = 4,   // shorter ones are no secret, and would spoil every text
    RESTART_MS = 60000, // an update waits for rest before; this is the net below it
    LOG_LINES = 20,     // in one piece
    RECORD_LINES = 20,  // of the security log
};

// ---------------------------------------------------------------------------------------------
// What must not leave.

// Puts stars over `word` wherever it stands behind `from`, but for its last `shown` characters.
static void hide(struct pw_out *out, size_t from, struct pw_str word, size_t shown)
{
    for (size_t i = from; word.len > shown && i + word.len <= out->len; i++) {
        if (pw_str_eq_nocase((struct pw_str){.at = out->at + i, .len = word.len}, word)) {
            memset(out->at + i, '*', word.len - shown);
        }
    }
}

// As on the page, the end of a card's number stays; of a short one half.
static size_t shown_of(size_t len)
{
    return (size_t)pw_min(TAG_SHOWN, (int64_t)len / 2);
}

static void hide_tag(struct pw_out *out, size_t from, const char *tag)
{
    struct pw_str word = pw_str_of(tag);
    hide(out, from, word, shown_of(word.len));
}

// "scheme://user:password@host": what stands before the last @ goes; a password may hold anything.
static void hide_users(struct pw_out *out, size_t from)
{
    for (size_t i = from; i + 3 <= out->len; i++) {
        if (memcmp(out->at + i, "://", 3) != 0) {
            continue;
        }
        size_t end = i + 3;
        for (size_t at = end; at < out->len && strchr(" \"\n", out->at[at]) == NULL; at++) {
            end = out->at[at] == '@' ? at : end;
        }
        memset(out->at + i + 3, '*', end - i - 3);
    }
}

// Words behind which a card's number stands in lines that others write.
static void hide_marked(struct pw_out *out, size_t from)
{
    static const char *const marks[] = {
        "\"id_tag\":\"", "\"idTag\":\"", "id_tag=", "idTag=", "card=", "tag="};
    for (size_t m = 0; m < PW_COUNT(marks); m++) {
        size_t len = strlen(marks[m]);
        for (size_t i = from; i + len < out->len; i++) {
            if (memcmp(out->at + i, marks[m], len) != 0) {
                continue;
            }
            size_t end = i + len;
            while (end < out->len && strchr("\" \n\t,}", out->at[end]) == NULL) {
                end++;
            }
            size_t word = end - i - len;
            memset(out->at + i + len, '*', word - shown_of(word));
        }
    }
}

static void hide_all(struct pw_station *st, struct pw_out *out, size_t from)
{
    for (size_t id = 0; id < PW_SETTING_ROWS; id++) {
        const struct pw_setting_row *row = &pw_setting_rows[id];
        if (row->when == PW_WHEN_SECRET && row->kind == PW_KIND_TEXT &&
            row->scope == PW_SCOPE_STATION) {
            struct pw_str secret =
                pw_str_of(pw_settings_text(&st->settings, (enum pw_setting_id)id));
            hide(out, from, secret, secret.len < SECRET_LEAST ? secret.len : 0);
        }
    }
    for (unsigned i = 0; i < st->connectors; i++) {
        const struct pw_session *session = pw_connector_session(&st->connector[i]);
        hide_tag(out, from, session->id_tag);
    }
    hide_tag(out, from, pw_settings_text(&st->settings, PW_SET_FREE_ID));
    hide_users(out, from);
    hide_marked(out, from);
}

// ---------------------------------------------------------------------------------------------
// Sections. Each writes some of itself and returns whether there is more.

static void heading(struct pw_out *out, const char *title)
{
    pw_put_s(out, "\n=== ");
    pw_put_s(out, title);
    pw_put_s(out, "\n");
}

static void head_line(struct pw_out *out, const char *label, uint64_t value)
{
    pw_put_s(out, label);
    pw_put_uint(out, value);
    pw_put_c(out, '\n');
}

static void put_head(const struct pw_station *st, const char *what, struct pw_out *out, pw_ms now)
{
    pw_put_s(out, what);
    pw_put_s(out, "\nstation     ");
    pw_put_s(out, pw_settings_text(&st->settings, PW_SET_STATION_ID));
    pw_put_s(out, "\nprogram     pilotwire-station ");
    pw_put_s(out, st->cp16.firmware);
    pw_put_s(out, "\ntime        ");
    if (pw_station_wall(st, now) > 0) {
        pw_put_time(out, pw_station_wall(st, now));
    } else {
        pw_put_s(out, "not set");
    }
    head_line(out, "\nuptime s    ", (now - st->started_at) / 1000);
    head_line(out, "starts      ", st->journal.boot);
}

static bool put_begin(struct pw_station *st, struct pw_files_reading *reading, struct pw_out *out,
                      pw_ms now)
{
    (void)reading;
    put_head(st, "Pilotwire diagnostics", out, now);
    heading(out, "journal");
    head_line(out, "messages that wait     ", pw_journal_waiting(&st->journal));
    head_line(out, "messages set aside     ", st->journal.parked);
    head_line(out, "meter values dropped   ", st->journal.dropped);
    head_line(out, "records damaged        ", st->journal.damaged);
    head_line(out, "strange OCPP messages  ", st->cp16.malformed);
    head_line(out, "security log, newest   ", st->security.seclog.newest);
    head_line(out, "security log, unsaid   ",
              st->security.seclog.newest - st->security.seclog.told);
    heading(out, "settings");
    return false;
}

// The cursor counts rows times connectors.
static bool put_settings(struct pw_station *st, struct pw_files_reading *reading,
                         struct pw_out *out, pw_ms now)
{
    enum { LINES = 16 };
    (void)now;
    for (unsigned i = 0;
         i < LINES && reading->cursor < (uint64_t)PW_SETTING_ROWS * PW_CONNECTORS_MAX; i++) {
        const struct pw_setting_at at = {
            .id = (enum pw_setting_id)(reading->cursor / PW_CONNECTORS_MAX),
            .instance = (uint8_t)(reading->cursor % PW_CONNECTORS_MAX)};
        const struct pw_setting_row *row = &pw_setting_rows[at.id];
        bool one = row->scope == PW_SCOPE_STATION;
        reading->cursor += one ? PW_CONNECTORS_MAX : 1;
        if (!(one || at.instance < st->connectors) || !pw_settings_concerns(&st->settings, at)) {
            continue;
        }
        pw_settings_print_path(at, out);
        pw_put_s(out, ": ");
        pw_settings_print(&st->settings, at, out);
        pw_put_c(out, '\n');
    }
    return reading->cursor < (uint64_t)PW_SETTING_ROWS * PW_CONNECTORS_MAX;
}

// What a person at the console would ask for.
static bool put_reports(struct pw_station *st, struct pw_files_reading *reading, struct pw_out *out,
                        pw_ms now)
{
    static const char *const lines[] = {
        "json status", "status", "faults", "limits", "schedule", "house", "pilot",
        "5",           "can",    "board",  "uplink", "network",  "files",
    };
    heading(out, lines[reading->cursor]);
    // A refusal is an answer too ("no connector has an OpenEVSE board").
    (void)!pw_station_command(st, pw_str_of(lines[reading->cursor]), out, now);
    return ++reading->cursor < PW_COUNT(lines);
}

static bool put_charges(struct pw_station *st, struct pw_files_reading *reading, struct pw_out *out,
                        pw_ms now)
{
    struct pw_transaction receipt;
    if (reading->cursor == 0) {
        heading(out, "charges that ended, newest first");
    }
    size_t from = out->len;
    int err = pw_report_charge(st, (unsigned)reading->cursor++, &receipt, out, now);
    if (err == PW_OK) {
        hide_tag(out, from, receipt.id_tag);
        hide_tag(out, from, receipt.stop_id_tag);
    }
    return err != PW_ERR_RANGE;
}

static bool is_wanted(const struct pw_files_reading *reading, pw_unix_ms wall)
{
    return wall == 0 || ((reading->from == 0 || wall >= reading->from) &&
                         (reading->to == 0 || wall <= reading->to));
}

static bool put_log(struct pw_station *st, struct pw_files_reading *reading, struct pw_out *out,
                    pw_ms now)
{
    struct pw_logring_line line;
    (void)now;
    if (reading->cursor == 0) {
        heading(out, "log");
    }
    for (unsigned i = 0; i < LOG_LINES; i++) {
        if (st->logring == NULL ||
            !pw_logring_read(st->logring, reading->cursor, PW_LOG_DEBUG, &line)) {
            return false;
        }
        reading->cursor = line.cursor + 1;
        if (!is_wanted(reading, line.wall)) {
            continue;
        }
        if (line.wall > 0) {
            pw_put_time(out, line.wall);
        } else {
            pw_put_c(out, '+');
            pw_put_fixed(out, (int64_t)line.at, 3);
        }
        pw_put_c(out, ' ');
        pw_put_s(out, pw_level_name(line.level));
        pw_put_c(out, ' ');
        pw_put_s(out, line.room);
        pw_put_c(out, ' ');
        pw_put(out, line.text);
        pw_put_c(out, '\n');
    }
    return true;
}

static bool put_security_begin(struct pw_station *st, struct pw_files_reading *reading,
                               struct pw_out *out, pw_ms now)
{
    (void)reading;
    put_head(st, "Pilotwire security log", out, now);
    pw_put_s(out, "newest hash ");
    for (size_t i = 0; i < PW_SHA256_LEN; i++) {
        pw_put_hex(out, st->security.seclog.hash[i], 2);
    }
    pw_put_s(out, "\n\n");
    return false;
}

static bool put_security(struct pw_station *st, struct pw_files_reading *reading,
                         struct pw_out *out, pw_ms now)
{
    struct pw_seclog_record record;
    const struct pw_seclog *seclog = &st->security.seclog;
    if (reading->cursor == 0) {
        reading->cursor = pw_seclog_oldest(seclog);
    }
    for (unsigned i = 0; i < RECORD_LINES; i++) {
        if (reading->cursor == 0 || reading->cursor > seclog->newest) {
            return false;
        }
        int err = pw_seclog_read(seclog, (uint32_t)reading->cursor++, &record);
        const struct pw_stamp at = {.wall = record.wall, .mono = record.mono, .boot = record.boot};
        if (err == PW_OK && is_wanted(reading, pw_cp16_stamp_wall(&st->cp16, at, now))) {
            pw_seclog_put(out, &record);
            if (out->len > 0 && out->at[out->len - 1] != '\n') {
                pw_put_c(out, '\n');
            }
        }
    }
    return true;
}

typedef bool section(struct pw_station *st, struct pw_files_reading *reading, struct pw_out *out,
                     pw_ms now);

static void host_piece(void *context, struct pw_files_reading *reading, struct pw_out *out,
                       pw_ms now)
{
    static section *const diagnostics[] = {put_begin,   put_settings, put_reports,
                                           put_charges, put_log,      NULL};
    static section *const security[] = {put_security_begin, put_security, NULL};
    struct pw_station *st = context;
    section *const *sections = reading->kind == PW_UPLOAD_SECURITY ? security : diagnostics;
    size_t from = out->len;
    if (!sections[reading->section](st, reading, out, now)) {
        reading->section++;
        reading->cursor = 0;
        reading->over = sections[reading->section] == NULL;
    }
    hide_all(st, out, from);
}

// ---------------------------------------------------------------------------------------------
// What goes with an update.

static bool host_at_rest(void *context)
{
    return pw_station_at_rest(context);
}

// There are no lists of revoked certificates here: a signer that must not be trusted any more is
// taken away with its root (DeleteCertificate).
static int host_certificate(void *context, struct pw_str pem, struct pw_out *why, pw_ms now)
{
    struct pw_station *st = context;
    return pw_security_check_signer(&st->security, pem, why, now) == PW_OK ? PW_OK : PW_ERR_RANGE;
}

static int host_signature(void *context, struct pw_str pem, struct pw_str signature,
                          const uint8_t sha256[PW_SHA256_LEN], struct pw_out *why, pw_ms now)
{
    struct pw_station *st = context;
    return pw_security_verify(&st->security, pem, signature, sha256, why, now);
}

static void host_event(void *context, enum pw_files_event event, struct pw_str detail, pw_ms now)
{
    static const enum pw_security_event_kind types[] = {
        [PW_FILES_UPDATED] = PW_SECURITY_FIRMWARE_UPDATED,
        [PW_FILES_UNSIGNED] = PW_SECURITY_FIRMWARE_SIGNATURE,
        [PW_FILES_REPLAYED] = PW_SECURITY_REPLAY,
    };
    struct pw_station *st = context;
    pw_security_event(&st->security, types[event],
                      event == PW_FILES_UPDATED ? pw_str_of(st->cp16.firmware) : detail, now);
}

static void host_end_charges(void *context, pw_ms now)
{
    struct pw_station *st = context;
    for (unsigned i = 0; i < st->connectors; i++) {
        char text[PW_SETTING_WHY_MAX];
        struct pw_out why = PW_OUT(text);
        (void)!pw_charge_remote_stop(st, i, &why, now); // where nothing charges it says so
    }
}

static uint32_t host_usable(void *context, pw_ms now)
{
    struct pw_station *st = context;
    uint32_t usable = 0;
    for (unsigned i = 0; i < st->connectors; i++) {
        struct pw_connector_view view;
        pw_connector_view(&st->connector[i], &view, now);
        usable |= view.status == PW_STATUS_FAULTED ? 0 : UINT32_C(1) << i;
    }
    return usable;
}

static int check_store(const struct pw_station *st, struct pw_out *why)
{
    if (st->store_failed) {
        pw_put_s(why, "nothing can be written down any more");
        return PW_ERR_STORE;
    }
    return PW_OK;
}

static int check_settings(const struct pw_station *st, struct pw_out *why)
{
    if (st->connectors == 0 || pw_settings_text(&st->settings, PW_SET_STATION_ID)[0] == '\0') {
        pw_put_s(why, "the configuration holds no connector, or no id");
        return PW_ERR_RANGE;
    }
    return PW_OK;
}

// The program before kept a journal; a new one that does not find it has another place or form.
static int check_journal(const struct pw_station *st, struct pw_out *why)
{
    if (st->journal.boot <= 1) {
        pw_put_s(why, "the journal of the program before is not there");
        return PW_ERR_STORE;
    }
    return PW_OK;
}

static int host_check(void *context, enum pw_files_check check, struct pw_out *why, pw_ms now)
{
    static int (*const rows[PW_FILES_CHECK_ROWS])(const struct pw_station *, struct pw_out *) = {
        [PW_FILES_CHECK_STORE] = check_store,
        [PW_FILES_CHECK_SETTINGS] = check_settings,
        [PW_FILES_CHECK_JOURNAL] = check_journal,
    };
    (void)now;
    return rows[check](context, why);
}

static bool host_reached(void *context)
{
    struct pw_station *st = context;
    return pw_cp16_online(&st->cp16) || st->uplink.link.state == PW_LINK_ONLINE;
}

static int64_t host_local(void *context, pw_ms now)
{
    const struct pw_station *st = context;
    pw_unix_ms wall = pw_station_wall(st, now);
    return wall > 0 ? pw_zone_local(&st->rules.schedule.zone, wall) : -1;
}

static void host_restart(void *context, pw_ms now)
{
    struct pw_station *st = context;
    st->stopping = true;
    st->restart = PW_RESTART_UPDATE;
    st->restart_at = pw_after(now, RESTART_MS);
}

void pw_station_files_init(struct pw_station *st, const struct pw_station_start *start)
{
    st->logring = start->logring;
    st->files_host = (struct pw_files_host){
        .context = st,
        .piece = host_piece,
        .at_rest = host_at_rest,
        .end_charges = host_end_charges,
        .usable = host_usable,
        .check = host_check,
        .reached = host_reached,
        .local = host_local,
        .certificate = host_certificate,
        .signature = host_signature,
        .event = host_event,
        .restart = host_restart,
    };
    const struct pw_files_parts parts = {
        .settings = &st->settings,
        .store = start->store,
        .transfer = start->transfer,
        .install = start->install,
        .crypto = start->crypto,
        .version = start->firmware,
        .hardware = start->hardware != NULL ? start->hardware : "generic",
        .seed = start->seed ^ 0x5EED,
        .host = &st->files_host,
        .log = st->log,
    };
    pw_files_init(&st->files, &parts, start->now);
    st->cp16.files = &st->files;
}
