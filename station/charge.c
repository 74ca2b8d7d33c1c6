// From sessions to records and messages: a start is on stable storage before energy flows, a stop
// before anybody is told. And what the central system may ask of a charge.
#include "parts.h"

#include <string.h>

enum { VEHICLE_WAIT_MS = 2500 }; // for the ampere hours, before VehicleInfo goes without them

void pw_charge_say(const struct pw_station *st, enum pw_level level, unsigned index,
                   const char *event, struct pw_str detail)
{
    struct pw_line line;
    pw_line(&line, st->log, level, "charge", event);
    pw_line_int(&line, "connector", (int64_t)index + 1);
    if (detail.len > 0) {
        pw_line_str(&line, "detail", detail);
    }
    pw_line_end(&line);
}

// ---------------------------------------------------------------------------------------------
// Measurements as samples.

static void set(struct pw_sample *sample, enum pw_quantity quantity, int64_t value)
{
    sample->has |= 1U << quantity;
    sample->value[quantity] = value;
}

// A quantity of one phase: those of L1, L2 and L3 follow each other.
static void set_phase(struct pw_sample *sample, enum pw_quantity first, unsigned phase,
                      int32_t value)
{
    if (value != PW_BOARD_UNKNOWN) {
        set(sample, (enum pw_quantity)(first + phase), value);
    }
}

static void measure_phases(const struct pw_connector_view *view, struct pw_sample *sample)
{
    set(sample, PW_OFFERED_MA, view->offered_ma);
    if (!view->measured) {
        return;
    }
    for (unsigned phase = 0; phase < view->phases; phase++) {
        set_phase(sample, PW_VOLTAGE_L1_MV, phase, view->mv[phase]);
        set_phase(sample, PW_CURRENT_L1_MA, phase, view->ma[phase]);
        if (view->mw[phase] != PW_BOARD_UNKNOWN && view->phases > 1) {
            set_phase(sample, PW_POWER_L1_W, phase, view->mw[phase] / 1000);
        }
    }
    if (view->mains_mhz != PW_BOARD_UNKNOWN) {
        set(sample, PW_FREQUENCY_MHZ, view->mains_mhz);
    }
}

static void measure(const struct pw_connector_view *view, enum pw_reading reading,
                    struct pw_stamp at, struct pw_sample *sample)
{
    memset(sample, 0, sizeof(*sample));
    sample->reading = reading;
    sample->at = at;
    set(sample, PW_ENERGY_WH, (int64_t)(view->energy_mwh / 1000));
    if (view->measured) {
        set(sample, PW_POWER_W, view->power_mw / 1000);
    }
    if (view->measured && view->phases == 0) {
        set(sample, PW_VOLTAGE_MV, view->out_mv);
        set(sample, PW_CURRENT_MA, view->out_ma);
    }
    if (view->phases > 0) {
        measure_phases(view, sample);
    }
    if (view->vehicle.max_ma >= 0 && view->plugged) {
        set(sample, PW_ASKED_MA, view->vehicle.max_ma);
    }
    if (view->vehicle.soc_permille >= 0) {
        set(sample, PW_SOC_PERMILLE, view->vehicle.soc_permille);
    }
    if (view->temp_dc != INT32_MIN) {
        set(sample, PW_TEMP_DC, view->temp_dc);
    }
    if (view->vehicle.charge_mah >= 0) {
        set(sample, PW_CHARGE_MAH, view->vehicle.charge_mah);
    }
}

static void host_meter(void *context, unsigned connector, const struct pw_sample *sample, pw_ms now)
{
    pw_signed_meter(context, connector - 1, sample, now);
}

static void host_public_key(void *context, unsigned connector, struct pw_out *out)
{
    pw_signed_public_key(context, connector - 1, out);
}

// The register is kept before a reading of it is told: after a power cut it must not be lower than
// what the central system has heard. True when there was something to keep.
static bool keep_register(struct pw_station *st, unsigned index, pw_ms now)
{
    struct pw_connector *connector = &st->connector[index];
    struct pw_connector_keep have = pw_connector_keep(connector);
    const struct pw_register reg = {
        .energy = have.energy, .counter = have.counter, .at = pw_cp16_stamp(&st->cp16, now)};
    if (pw_journal_save_register(&st->journal, index + 1, &reg) != PW_OK) {
        return false;
    }
    pw_connector_kept(connector, &have, now);
    return true;
}

static void host_measure(void *context, unsigned connector, enum pw_reading reading,
                         struct pw_sample *sample, pw_ms now)
{
    struct pw_station *st = context;
    struct pw_connector_view view;
    if (pw_journal_open_on(&st->journal, connector) != NULL) {
        (void)keep_register(st, connector - 1, now);
    }
    pw_connector_view(&st->connector[connector - 1], &view, now);
    measure(&view, reading, pw_cp16_stamp(&st->cp16, now), sample);
}

// The reading of a session's event: now's measurements with the event's own energy.
static void event_sample(struct pw_station *st, unsigned index,
                         const struct pw_session_event *event, enum pw_reading reading,
                         struct pw_sample *sample)
{
    struct pw_connector_view view;
    pw_connector_view(&st->connector[index], &view, event->at);
    measure(&view, reading, pw_cp16_stamp(&st->cp16, event->at), sample);
    set(sample, PW_ENERGY_WH, (int64_t)(event->energy_mwh / 1000));
}

// ---------------------------------------------------------------------------------------------
// Begin and end.

// The profile of a remote start that comes to nothing.
void pw_charge_forget_profile(struct pw_station *st, unsigned index)
{
    int err = pw_smart_expect(&st->smart, index + 1, NULL, 0, NULL);
    PW_ASSERT(err == PW_OK); // taking back is never refused
}

// Nothing flows before the record is safe; its first reading is the meter's own where that signs.
static void begin(struct pw_station *st, unsigned index, pw_ms now)
{
    const struct pw_session_event *event = &st->extra[index].begin;
    if (pw_signed_waits(st, index, now)) {
        return;
    }
    st->extra[index].begin_waits = false;
    struct pw_transaction transaction = {.connector = (uint8_t)(index + 1)};
    int err = pw_str_copy(transaction.id_tag, sizeof(transaction.id_tag), pw_str_of(event->id_tag));
    PW_ASSERT(err == PW_OK);
    event_sample(st, index, event, PW_READING_BEGIN, &transaction.first);
    transaction.reserved =
        pw_admission_reserved(st, index, pw_str_of(event->id_tag), &transaction.reservation_id);
    if (event->by != PW_START_REMOTE) {
        pw_charge_forget_profile(st, index);
    }
    // As a reading of the register is told, the register is kept (keep_register).
    (void)keep_register(st, index, now);
    // A profile that came with the start is safe before the start is. What cannot be kept counts
    // all the same while the program runs.
    uint32_t seq = st->journal.transaction_next;
    (void)!pw_smart_began(&st->smart, index + 1, seq);
    pw_signed_join(st, index, &transaction.first);
    int64_t ticket = pw_journal_begin(&st->journal, &transaction);
    if (ticket < 0) {
        pw_smart_ended(&st->smart, seq);
        pw_charge_say(st, PW_LOG_ERROR, index, "start-not-kept", PW_STR("the charge is not begun"));
        pw_session_recorded(pw_connector_session(&st->connector[index]), false, now);
        return;
    }
    if (transaction.reserved) {
        pw_reservations_used(&st->reservations, transaction.reservation_id);
    }
    st->extra[index].ticket = ticket;
    st->extra[index].sampled_at = now;
    if (pw_settings_text(&st->settings, PW_SET_START_SAMPLED_DATA)[0] != '\0') {
        (void)!pw_journal_meter(&st->journal, index + 1, &transaction.first);
    }
}

// A stop that cannot be kept is tried again every turn: it is never lost while the program runs.
static void end(struct pw_station *st, unsigned index, pw_ms now)
{
    struct pw_station_connector *extra = &st->extra[index];
    const struct pw_session_event *event = &extra->end;
    struct pw_sample last;
    if (pw_signed_waits(st, index, now)) {
        return;
    }
    uint32_t seq = pw_journal_open_on(&st->journal, index + 1)->seq;
    event_sample(st, index, event, PW_READING_END, &last);
    pw_signed_join(st, index, &last);
    // The next charge must not begin below what this one ended with.
    (void)keep_register(st, index, now);
    int64_t ticket = pw_journal_end(&st->journal, index + 1, (uint8_t)event->reason,
                                    pw_str_of(event->stop_tag), &last);
    if (ticket < 0) {
        return;
    }
    extra->end_waits = false;
    extra->sampled_at = PW_NEVER;
    pw_smart_ended(&st->smart, seq);
    pw_charge_say(st, PW_LOG_INFO, index, "ended",
                  pw_str_of(pw_session_reason_name(event->reason)));
}

static bool take_events(struct pw_station *st, unsigned index, pw_ms now)
{
    struct pw_session *session = pw_connector_session(&st->connector[index]);
    struct pw_session_event event;
    bool any = false;
    struct pw_station_connector *extra = &st->extra[index];
    while (!extra->begin_waits && !extra->end_waits && pw_session_take(session, &event)) {
        any = true;
        switch (event.kind) {
        case PW_SESSION_BEGIN:
            extra->begin = event;
            extra->begin_waits = true;
            pw_signed_ask(st, index, PW_SIGNED_BEGIN, event.id_tag, now);
            begin(st, index, now);
            break;
        case PW_SESSION_END:
            // Without an open record the start was never kept, so there is nothing to end.
            if (pw_journal_open_on(&st->journal, index + 1) != NULL) {
                extra->end = event;
                extra->end_waits = true;
                pw_signed_ask(st, index, PW_SIGNED_END, "", now);
                end(st, index, now);
            }
            break;
        case PW_SESSION_TIMEOUT:
            pw_charge_say(st, PW_LOG_INFO, index, "nobody-plugged-in", PW_STR(""));
            pw_charge_forget_profile(st, index);
            break;
        case PW_SESSION_CHANGED: break;
        }
    }
    return any;
}

static bool await_record(struct pw_station *st, unsigned index, pw_ms now)
{
    struct pw_station_connector *extra = &st->extra[index];
    int safe = extra->ticket == 0 ? 0 : pw_journal_durable(&st->journal, extra->ticket);
    if (safe == 0) {
        return false;
    }
    extra->ticket = 0;
    pw_session_recorded(pw_connector_session(&st->connector[index]), safe > 0, now);
    return true;
}

// ---------------------------------------------------------------------------------------------
// Readings while it runs, the register, the latches, the vehicle.

static void tell_vehicle(struct pw_station *st, unsigned index,
                         const struct pw_connector_view *view)
{
    struct pw_cp16_vehicle info = {
        .charge_mah = view->vehicle.charge_mah > INT32_MAX ? -1 : (int32_t)view->vehicle.charge_mah,
        .imax_ma = view->vehicle.peak_ma,
        .pack_mv = view->vehicle.pack_mv,
        .soc_permille = view->vehicle.soc_permille,
        .model = view->vehicle.model,
    };
    pw_cp16_vehicle(&st->cp16, index + 1, &info);
}

// Once after plugging in, as soon as there is something to tell (D19: before the charge).
static void greet_vehicle(struct pw_station *st, unsigned index,
                          const struct pw_connector_view *view, pw_ms now)
{
    struct pw_station_connector *extra = &st->extra[index];
    bool known =
        view->vehicle.peak_ma > 0 &&
        (view->vehicle.charge_mah >= 0 || pw_elapsed(view->plugged_since, VEHICLE_WAIT_MS, now));
    if (!view->plugged) {
        extra->vehicle_told = false;
    } else if (!extra->vehicle_told && known) {
        extra->vehicle_told = true;
        tell_vehicle(st, index, view);
    }
}

static pw_ms sample_due(const struct pw_station *st, unsigned index)
{
    pw_ms interval_ms = (pw_ms)pw_settings_int(&st->settings, PW_SET_SAMPLE_S) * 1000;
    return interval_ms == 0 ? PW_NEVER : pw_after(st->extra[index].sampled_at, interval_ms);
}

static void sample(struct pw_station *st, unsigned index, const struct pw_connector_view *view,
                   pw_ms now)
{
    struct pw_sample reading;
    pw_ms due = sample_due(st, index);
    if (now < due || pw_journal_open_on(&st->journal, index + 1) == NULL) {
        return;
    }
    // From the time it was due, so that the readings do not wander.
    st->extra[index].sampled_at = now - due > 10000 ? now : due;
    measure(view, PW_READING_PERIODIC, pw_cp16_stamp(&st->cp16, now), &reading);
    (void)keep_register(st, index, now);
    pw_signed_meter(st, index, &reading, now);
    tell_vehicle(st, index, view);
}

_Static_assert(PW_JOURNAL_LIMITS == PW_RULES_USES, "the journal keeps every limit of a charge");

static void keep_rules(const struct pw_rules_connector *rules, struct pw_keep *keep)
{
    keep->charge_now = rules->now;
    for (unsigned use = 0; use < PW_RULES_USES; use++) {
        keep->limited[use] = rules->given[use];
        keep->limit[use] = rules->given[use] ? rules->asked[use] : 0;
    }
}

static bool same_keep(const struct pw_keep *a, const struct pw_keep *b)
{
    bool same = a->latched == b->latched && a->charge_now == b->charge_now &&
                a->card_refused == b->card_refused;
    for (unsigned use = 0; use < PW_RULES_USES; use++) {
        same = same && a->limited[use] == b->limited[use] && a->limit[use] == b->limit[use];
    }
    return same;
}

static bool keep(struct pw_station *st, unsigned index, pw_ms now)
{
    struct pw_connector *connector = &st->connector[index];
    struct pw_station_connector *extra = &st->extra[index];
    struct pw_connector_keep have = pw_connector_keep(connector);
    struct pw_keep now_kept = {.latched = have.latched, .inoperative = extra->kept.inoperative};
    now_kept.card_refused =
        extra->kept.card_refused && pw_session_in_transaction(pw_connector_session(connector));
    keep_rules(&st->rules.of[index], &now_kept);
    if (!same_keep(&now_kept, &extra->kept) &&
        pw_journal_save_keep(&st->journal, index + 1, now_kept) == PW_OK) {
        extra->kept = now_kept;
    }
    return pw_connector_keep_due(connector, now) && keep_register(st, index, now);
}

bool pw_charge_step(struct pw_station *st, unsigned index, const struct pw_connector_view *view,
                    pw_ms now)
{
    if (st->extra[index].begin_waits) {
        begin(st, index, now);
    }
    if (st->extra[index].end_waits) {
        end(st, index, now);
    }
    bool told = take_events(st, index, now);
    told = await_record(st, index, now) || told;
    greet_vehicle(st, index, view, now);
    sample(st, index, view, now);
    pw_signed_step(st, index, now);
    return keep(st, index, now) || told;
}

pw_ms pw_charge_deadline(const struct pw_station *st, unsigned index)
{
    pw_ms at = pw_earlier(sample_due(st, index), pw_signed_deadline(st, index));
    if (st->extra[index].end_waits || st->extra[index].ticket != 0) {
        // The store's port wakes the loop; this is the net below it.
        at = pw_earlier(at, pw_after(st->now, 100));
    }
    return at;
}

// ---------------------------------------------------------------------------------------------
// What the central system asks of a charge.

int pw_charge_remote_stop(struct pw_station *st, unsigned index, struct pw_out *why, pw_ms now)
{
    int err = pw_session_stop(pw_connector_session(&st->connector[index]), PW_REASON_REMOTE,
                              PW_STR(""), now);
    if (err != PW_OK) {
        pw_put_s(why, "nothing is charging");
    }
    return err;
}

static enum pw_cp16_answer host_remote_start(void *context, unsigned connector,
                                             struct pw_str id_tag, const struct pw_profile *profile,
                                             pw_ms now)
{
    struct pw_station *st = context;
    unsigned index = connector - 1;
    char text[PW_LINK_WHY_MAX] = "";
    struct pw_out why = PW_OUT(text);
    int err = connector == 0 ? pw_charge_choose(st, id_tag, &index) : PW_OK;
    if (err == PW_OK) {
        err = pw_charge_remote_start(st, index, id_tag, profile, &why, now);
    }
    if (err != PW_OK) {
        pw_charge_say(st, PW_LOG_INFO, connector == 0 ? 0 : index, "remote-start-refused",
                      pw_out_str(&why));
    }
    return err == PW_OK ? PW_CP16_ACCEPTED : PW_CP16_REJECTED;
}

static enum pw_cp16_answer host_remote_stop(void *context, unsigned connector, pw_ms now)
{
    char text[PW_LINK_WHY_MAX] = "";
    struct pw_out why = PW_OUT(text);
    int err = pw_charge_remote_stop(context, connector - 1, &why, now);
    return err == PW_OK ? PW_CP16_ACCEPTED : PW_CP16_REJECTED;
}

// ---------------------------------------------------------------------------------------------
// Availability, reset, settings.

int pw_charge_availability(struct pw_station *st, unsigned index, bool operative, pw_ms now)
{
    struct pw_station_connector *extra = &st->extra[index];
    struct pw_keep wanted = extra->kept;
    wanted.inoperative = !operative;
    int err = pw_journal_keeps(&st->journal);
    if (err == PW_OK) {
        err = pw_journal_save_keep(&st->journal, index + 1, wanted);
    }
    if (err != PW_OK) {
        return err;
    }
    extra->kept = wanted;
    operative = operative && !pw_rules_is_off(&st->rules) && !pw_files_holds(&st->files);
    return pw_session_set_operative(pw_connector_session(&st->connector[index]), operative, now)
               ? 1
               : 0;
}

static enum pw_cp16_answer host_availability(void *context, unsigned connector, bool operative,
                                             pw_ms now)
{
    struct pw_station *st = context;
    enum pw_cp16_answer answer = PW_CP16_ACCEPTED;
    const struct pw_keep whole = {.inoperative = !operative};
    if (connector == 0 && pw_journal_save_keep(&st->journal, 0, whole) != PW_OK) {
        return PW_CP16_REJECTED;
    }
    st->inoperative = connector == 0 ? !operative : st->inoperative;
    for (unsigned i = 0; i < st->connectors; i++) {
        if (connector != 0 && connector != i + 1) {
            continue;
        }
        int done = pw_charge_availability(st, i, operative, now);
        if (done < 0) {
            return PW_CP16_REJECTED;
        }
        answer = done == 0 ? PW_CP16_SCHEDULED : answer;
    }
    return answer;
}

static int host_unlock(void *context, unsigned connector, pw_ms now)
{
    struct pw_station *st = context;
    return pw_connector_unlock(&st->connector[connector - 1], now);
}

static enum pw_cp16_answer host_reset(void *context, bool hard, pw_ms now)
{
    struct pw_station *st = context;
    enum { HARD_WAIT_MS = 5000, SOFT_WAIT_MS = 60000 };
    st->stopping = true;
    if (st->restart < PW_RESTART_UPDATE) {
        st->restart = hard ? PW_RESTART_HARD : PW_RESTART_SOFT;
    }
    st->restart_at = pw_after(now, hard ? HARD_WAIT_MS : SOFT_WAIT_MS);
    pw_security_event(&st->security, PW_SECURITY_RESET, hard ? PW_STR("hard") : PW_STR("soft"),
                      now);
    for (unsigned i = 0; i < st->connectors; i++) {
        // BUSY: nothing to stop there.
        (void)!pw_session_stop(pw_connector_session(&st->connector[i]),
                               hard ? PW_REASON_HARD_RESET : PW_REASON_SOFT_RESET, PW_STR(""), now);
    }
    return PW_CP16_ACCEPTED;
}

static void host_setting(void *context, struct pw_setting_at at, pw_ms now)
{
    struct pw_station *st = context;
    char path[PW_SETTING_PATH_MAX];
    char value[PW_SETTING_TEXT_MAX];
    struct pw_out path_out = PW_OUT(path);
    struct pw_out value_out = PW_OUT(value);
    pw_settings_print_path(at, &path_out);
    if (pw_setting_rows[at.id].when == PW_WHEN_SECRET) {
        pw_put_s(&value_out, pw_settings_text(&st->settings, at.id));
    } else {
        pw_settings_print(&st->settings, at, &value_out);
    }
    // Ahead of the value: a profile that is tried must be known as such when it is kept.
    pw_security_changed(&st->security, at.id, now);
    if (pw_journal_save_setting(&st->journal, pw_out_str(&path_out), pw_out_str(&value_out)) !=
        PW_OK) {
        pw_charge_say(st, PW_LOG_ERROR, at.instance, "setting-not-kept", pw_out_str(&path_out));
    }
    if (pw_rules_configure(&st->rules, NULL) != PW_OK) {
        pw_charge_say(st, PW_LOG_ERROR, at.instance, "setting-refused", pw_out_str(&path_out));
    }
    pw_household_configure(&st->house);
    for (unsigned i = 0; i < st->connectors; i++) {
        if (pw_connector_configure(&st->connector[i], &st->settings, i, NULL, now) != PW_OK) {
            pw_charge_say(st, PW_LOG_ERROR, i, "setting-refused", pw_out_str(&path_out));
        }
    }
}

// ---------------------------------------------------------------------------------------------
// After a restart.

// What the last checkpoint says about a transaction that nobody stopped.
static void stop_after_power_loss(struct pw_station *st, unsigned index)
{
    const struct pw_transaction *open = pw_journal_open_on(&st->journal, index + 1);
    struct pw_register reg;
    struct pw_sample last = {.reading = PW_READING_END, .at = open->first.at};
    set(&last, PW_ENERGY_WH, open->first.value[PW_ENERGY_WH]);
    if (pw_journal_read_register(&st->journal, index + 1, &reg) == PW_OK &&
        (int64_t)(reg.energy.energy_mwh / 1000) >= last.value[PW_ENERGY_WH]) {
        set(&last, PW_ENERGY_WH, (int64_t)(reg.energy.energy_mwh / 1000));
        last.at = reg.at.boot == 0 ? open->first.at : reg.at;
    }
    if (last.at.wall != 0 && last.at.wall < open->first.at.wall) {
        last.at = open->first.at;
    }
    if (pw_journal_end(&st->journal, index + 1, PW_REASON_POWER_LOSS, PW_STR(""), &last) < 0) {
        pw_charge_say(st, PW_LOG_ERROR, index, "power-loss-stop-not-kept", PW_STR(""));
        return;
    }
    pw_charge_say(st, PW_LOG_WARN, index, "stopped-after-power-loss", PW_STR(""));
}

static void resume(struct pw_station *st, unsigned index, pw_ms now)
{
    const struct pw_transaction *open = pw_journal_open_on(&st->journal, index + 1);
    pw_unix_ms wall = pw_cp16_wall(&st->cp16, now);
    pw_unix_ms ran =
        wall > open->first.at.wall && open->first.at.wall > 0 ? wall - open->first.at.wall : 0;
    if (pw_session_resume(pw_connector_session(&st->connector[index]), pw_str_of(open->id_tag),
                          (uint64_t)open->first.value[PW_ENERGY_WH] * 1000, (uint64_t)ran,
                          now) != PW_OK) {
        stop_after_power_loss(st, index);
        return;
    }
    st->extra[index].sampled_at = now;
    struct pw_connector_view view;
    struct pw_sample reading;
    pw_connector_view(&st->connector[index], &view, now);
    measure(&view, PW_READING_INTERRUPTION_END, pw_cp16_stamp(&st->cp16, now), &reading);
    pw_cp16_keep_reading(&st->cp16, index + 1, &reading);
    pw_admission_resumed(st, index, now);
    pw_charge_say(st, PW_LOG_WARN, index, "resumed-after-power-loss", PW_STR(""));
}

// What somebody asked for the charge that goes on, or for the next.
static void restore_limits(struct pw_station *st, unsigned index)
{
    const struct pw_keep *kept = &st->extra[index].kept;
    for (unsigned use = 0; use < PW_RULES_USES; use++) {
        if (kept->limited[use]) {
            pw_rules_limit(&st->rules, index, (enum pw_rules_use)use, kept->limit[use]);
        }
    }
}

static void host_limit(void *context, unsigned connector, struct pw_out *json, pw_ms now)
{
    pw_report_limit_json(context, connector - 1, json, now);
}

void pw_charge_init(struct pw_station *st, pw_ms now)
{
    st->host = (struct pw_cp16_host){
        .context = st,
        .remote_start = host_remote_start,
        .remote_stop = host_remote_stop,
        .availability = host_availability,
        .unlock = host_unlock,
        .reset = host_reset,
        .authorised = pw_admission_authorised,
        .start_answered = pw_admission_start_answered,
        .setting = host_setting,
        .limit = host_limit,
        .measure = host_measure,
        .meter = host_meter,
        .public_key = host_public_key,
    };
    _Static_assert(PW_JOURNAL_CONNECTORS == PW_CONNECTORS_MAX, "the journal keeps them all");
    for (unsigned i = 0; i < PW_CONNECTORS_MAX; i++) {
        st->extra[i].sampled_at = PW_NEVER;
        if (pw_journal_open_on(&st->journal, i + 1) == NULL) {
            restore_limits(st, i);
            continue;
        }
        // A connector that the file no longer has cannot go on.
        bool gone = i >= st->connectors;
        if (gone || pw_settings_int(&st->settings, PW_SET_AFTER_POWER_LOSS) == 0) {
            stop_after_power_loss(st, i);
        } else {
            restore_limits(st, i);
            resume(st, i, now);
        }
    }
}
