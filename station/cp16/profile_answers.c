// What the central system asks in profile SmartCharging, and the profile that comes with a remote
// start: words of OCPP to those of core/profiles and back. What is decided is decided in
// station/smart.
#include "cp16/parts.h"

enum { WHY_MAX = 120 };

static int refuse(struct pw_out *why, const char *sentence)
{
    pw_put_s(why, sentence);
    return PW_ERR_RANGE;
}

static int translate_kind(const struct pw_ocpp16_charging_profile *from, struct pw_profile *to,
                          struct pw_out *why)
{
    bool recurs = (from->has & PW_OCPP16_HAS(charging_profile, recurrency_kind)) != 0;
    switch (from->charging_profile_kind) {
    case PW_OCPP16_PROFILE_ABSOLUTE: to->kind = PW_PROFILE_ABSOLUTE; return PW_OK;
    case PW_OCPP16_PROFILE_RELATIVE: to->kind = PW_PROFILE_RELATIVE; return PW_OK;
    case PW_OCPP16_PROFILE_RECURRING: break;
    }
    if (!recurs) {
        return refuse(why, "recurrencyKind is missing");
    }
    to->kind =
        from->recurrency_kind == PW_OCPP16_RECURRENCY_DAILY ? PW_PROFILE_DAILY : PW_PROFILE_WEEKLY;
    return PW_OK;
}

static int translate_periods(const struct pw_ocpp16_charging_schedule *from, struct pw_profile *to,
                             struct pw_out *why)
{
    struct pw_ocpp16_charging_schedule_period period;
    if (!pw_within(why, "chargingSchedulePeriod", from->charging_schedule_period.count, 1,
                   PW_PROFILE_PERIODS_MAX)) {
        return PW_ERR_RANGE;
    }
    for (struct pw_ocpp_iter it = pw_ocpp_each(&from->charging_schedule_period);
         pw_ocpp_next(&it, &period, sizeof(period));) {
        bool phases = (period.has & PW_OCPP16_HAS(charging_schedule_period, number_phases)) != 0;
        if (!pw_within(why, "startPeriod", period.start_period_s, 0, INT32_MAX) ||
            !pw_within(why, "numberPhases", phases ? period.number_phases : 1, 1, 3)) {
            return PW_ERR_RANGE;
        }
        to->start_s[to->periods] = (uint32_t)period.start_period_s;
        to->limit_tenths[to->periods] = period.limit_tenths;
        to->phases[to->periods] = (uint8_t)(phases ? period.number_phases : 0);
        to->periods++;
    }
    return PW_OK;
}

static int translate_schedule(const struct pw_ocpp16_charging_schedule *from, struct pw_profile *to,
                              struct pw_out *why)
{
    bool ends = (from->has & PW_OCPP16_HAS(charging_schedule, duration_s)) != 0;
    bool least = (from->has & PW_OCPP16_HAS(charging_schedule, min_charging_rate_tenths)) != 0;
    if (!pw_within(why, "duration", ends ? from->duration_s : 1, 1, INT32_MAX)) {
        return PW_ERR_RANGE;
    }
    to->unit = from->charging_rate_unit == PW_OCPP16_RATE_W ? PW_PROFILE_WATT : PW_PROFILE_AMPERE;
    to->has_start = (from->has & PW_OCPP16_HAS(charging_schedule, start_schedule)) != 0;
    to->start = to->has_start ? from->start_schedule : 0;
    to->duration_s = ends ? from->duration_s : 0;
    to->min_tenths = least ? from->min_charging_rate_tenths : 0;
    return translate_periods(from, to, why);
}

// PW_ERR_RANGE with one sentence in *why when it cannot be said in our words; what else a profile
// must be, pw_profile_check says.
int pw_cp16_profile(const struct pw_ocpp16_charging_profile *from, struct pw_profile *to,
                    struct pw_out *why)
{
    static const uint8_t purposes[] = {
        [PW_OCPP16_PROFILE_CHARGE_POINT_MAX] = PW_PROFILE_STATION,
        [PW_OCPP16_PROFILE_TX_DEFAULT] = PW_PROFILE_DEFAULT,
        [PW_OCPP16_PROFILE_TX] = PW_PROFILE_TX,
    };
    bool begins = (from->has & PW_OCPP16_HAS(charging_profile, valid_from)) != 0;
    bool ends = (from->has & PW_OCPP16_HAS(charging_profile, valid_to)) != 0;
    *to = (struct pw_profile){
        .id = from->charging_profile_id,
        .level = from->stack_level,
        .purpose = purposes[from->charging_profile_purpose],
        .valid_from = begins ? from->valid_from : PW_PROFILE_ALWAYS,
        .valid_to = ends ? from->valid_to : PW_PROFILE_EVER,
    };
    int err = translate_kind(from, to, why);
    return err == PW_OK ? translate_schedule(&from->charging_schedule, to, why) : err;
}

void pw_cp16_profile_refused(struct pw_cp16 *cp, int32_t profile, const char *why)
{
    struct pw_line line;
    pw_line(&line, cp->log, PW_LOG_WARN, "ocpp", "profile-refused");
    pw_line_int(&line, "id", profile);
    pw_line_s(&line, "why", why);
    pw_line_end(&line);
}

// ---------------------------------------------------------------------------------------------
// SetChargingProfile.

// The central's id of an open transaction. The answer to its start may be here already, and on its
// way to the journal.
static int32_t central_id(const struct pw_cp16 *cp, const struct pw_transaction *open)
{
    bool fresh = cp->settle && !cp->settle_refused && cp->message.kind == PW_MESSAGE_START &&
                 cp->message.transaction.seq == open->seq;
    return fresh ? cp->settle_id : open->transaction_id;
}

// The transaction that a TxProfile is for, as the journal counts; 0: there is none such (§5.16.4).
static uint32_t transaction_for(const struct pw_cp16 *cp, unsigned connector,
                                const struct pw_ocpp16_charging_profile *profile)
{
    bool named = (profile->has & PW_OCPP16_HAS(charging_profile, transaction_id)) != 0;
    const struct pw_transaction *open =
        connector > 0 ? pw_journal_open_on(cp->journal, connector) : NULL;
    if (open == NULL || (named && central_id(cp, open) != profile->transaction_id)) {
        return 0;
    }
    return open->seq;
}

static void say_set(struct pw_cp16 *cp, struct pw_str id, bool kept)
{
    struct pw_ocpp16_set_charging_profile_conf conf = {.status = kept ? PW_OCPP16_PROFILE_ACCEPTED
                                                                      : PW_OCPP16_PROFILE_REJECTED};
    pw_cp16_reply(cp, id, PW_OCPP16_SET_CHARGING_PROFILE, &conf);
}

// It counts at once; "Accepted" is said when it outlives a power cut (erratum 3.37).
void pw_cp16_on_set_profile(struct pw_cp16 *cp, struct pw_str id, const union pw_cp16_request *req,
                            pw_ms now)
{
    const struct pw_ocpp16_set_charging_profile_req *set = &req->set_charging_profile;
    struct pw_profile profile;
    char text[WHY_MAX] = "";
    struct pw_out why = PW_OUT(text);
    int32_t connector = set->connector_id;
    // Erratum 3.39.
    if (connector != 0 && !pw_cp16_is_connector(cp, connector)) {
        pw_cp16_refuse(cp, id, PW_OCPP_PROPERTY_CONSTRAINT_VIOLATION,
                       PW_STR("connectorId: there is no such connector"));
        return;
    }
    int err = pw_cp16_profile(&set->cs_charging_profiles, &profile, &why);
    if (err == PW_OK && pw_journal_keeps(cp->journal) != PW_OK) {
        pw_put_s(&why, "it could not be kept: the disk is full or fails");
        err = PW_ERR_STORE;
    }
    if (err == PW_OK) {
        uint32_t transaction = transaction_for(cp, (unsigned)connector, &set->cs_charging_profiles);
        err = pw_smart_set(cp->smart, (unsigned)connector, transaction, &profile,
                           pw_cp16_wall(cp, now), &why);
    }
    if (err != PW_OK) {
        pw_cp16_profile_refused(cp, set->cs_charging_profiles.charging_profile_id, text);
        say_set(cp, id, false);
        return;
    }
    pw_cp16_reply_later(cp, id, cp->smart->ticket, say_set);
}

// ---------------------------------------------------------------------------------------------
// ClearChargingProfile.

static void say_cleared(struct pw_cp16 *cp, struct pw_str id, bool kept)
{
    struct pw_ocpp16_clear_charging_profile_conf conf = {
        .status = kept ? PW_OCPP16_CLEAR_PROFILE_ACCEPTED : PW_OCPP16_CLEAR_PROFILE_UNKNOWN};
    pw_cp16_reply(cp, id, PW_OCPP16_CLEAR_CHARGING_PROFILE, &conf);
}

void pw_cp16_on_clear_profile(struct pw_cp16 *cp, struct pw_str id,
                              const union pw_cp16_request *req, pw_ms now)
{
    (void)now;
    const struct pw_ocpp16_clear_charging_profile_req *clear = &req->clear_charging_profile;
    static const uint8_t purposes[] = {
        [PW_OCPP16_PROFILE_CHARGE_POINT_MAX] = PW_PROFILE_STATION,
        [PW_OCPP16_PROFILE_TX_DEFAULT] = PW_PROFILE_DEFAULT,
        [PW_OCPP16_PROFILE_TX] = PW_PROFILE_TX,
    };
    struct pw_smart_filter filter = {
        .by_id = (clear->has & PW_OCPP16_HAS(clear_charging_profile_req, id)) != 0,
        .by_connector = (clear->has & PW_OCPP16_HAS(clear_charging_profile_req, connector_id)) != 0,
        .by_purpose =
            (clear->has & PW_OCPP16_HAS(clear_charging_profile_req, charging_profile_purpose)) != 0,
        .by_level = (clear->has & PW_OCPP16_HAS(clear_charging_profile_req, stack_level)) != 0,
    };
    filter.id = filter.by_id ? clear->id : 0;
    filter.connector = filter.by_connector ? (unsigned)clear->connector_id : 0;
    filter.level = filter.by_level ? clear->stack_level : 0;
    filter.purpose = filter.by_purpose
                         ? (enum pw_profile_purpose)purposes[clear->charging_profile_purpose]
                         : PW_PROFILE_STATION;
    int gone =
        pw_journal_keeps(cp->journal) == PW_OK ? pw_smart_clear(cp->smart, &filter) : PW_ERR_STORE;
    if (gone < 0) {
        pw_cp16_refuse(cp, id, PW_OCPP_INTERNAL_ERROR, PW_STR("the store has failed"));
        return;
    }
    if (gone == 0) {
        say_cleared(cp, id, false);
        return;
    }
    pw_cp16_reply_later(cp, id, cp->smart->ticket, say_cleared);
}

// ---------------------------------------------------------------------------------------------
// GetCompositeSchedule.

static void reply_composite(struct pw_cp16 *cp, struct pw_str id, int32_t connector,
                            const struct pw_smart_schedule *schedule)
{
    struct pw_ocpp16_charging_schedule_period period[PW_PROFILE_PERIODS_MAX];
    const struct pw_composite *composite = &schedule->composite;
    for (unsigned i = 0; i < composite->periods; i++) {
        period[i] = (struct pw_ocpp16_charging_schedule_period){
            .has = composite->phases[i] > 0 ? PW_OCPP16_HAS(charging_schedule_period, number_phases)
                                            : 0,
            .start_period_s = (int32_t)composite->start_s[i],
            .limit_tenths = composite->limit_tenths[i],
            .number_phases = composite->phases[i],
        };
    }
    const struct pw_ocpp16_get_composite_schedule_conf conf = {
        .has = PW_OCPP16_HAS(get_composite_schedule_conf, connector_id) |
               PW_OCPP16_HAS(get_composite_schedule_conf, schedule_start) |
               PW_OCPP16_HAS(get_composite_schedule_conf, charging_schedule),
        .status = PW_OCPP16_GENERIC_ACCEPTED,
        .connector_id = connector,
        .schedule_start = schedule->start,
        // startSchedule stays away (erratum 3.57).
        .charging_schedule = {.has = PW_OCPP16_HAS(charging_schedule, duration_s),
                              .duration_s = (int32_t)composite->duration_s,
                              .charging_rate_unit = schedule->unit == PW_PROFILE_WATT
                                                        ? PW_OCPP16_RATE_W
                                                        : PW_OCPP16_RATE_A,
                              .charging_schedule_period = {.items = period,
                                                           .count = composite->periods}},
    };
    pw_cp16_reply(cp, id, PW_OCPP16_GET_COMPOSITE_SCHEDULE, &conf);
}

void pw_cp16_on_composite(struct pw_cp16 *cp, struct pw_str id, const union pw_cp16_request *req,
                          pw_ms now)
{
    const struct pw_ocpp16_get_composite_schedule_req *get = &req->get_composite_schedule;
    struct pw_ocpp16_get_composite_schedule_conf refused = {.status = PW_OCPP16_GENERIC_REJECTED};
    bool named = (get->has & PW_OCPP16_HAS(get_composite_schedule_req, charging_rate_unit)) != 0;
    bool watts = named && get->charging_rate_unit == PW_OCPP16_RATE_W;
    bool known = get->connector_id == 0 || pw_cp16_is_connector(cp, get->connector_id);
    struct pw_smart_schedule schedule;
    if (get->duration_s < 0) {
        pw_cp16_refuse(cp, id, PW_OCPP_PROPERTY_CONSTRAINT_VIOLATION,
                       PW_STR("duration: must not be negative"));
        return;
    }
    const struct pw_smart_ask ask = {.connector = (unsigned)get->connector_id,
                                     .duration_s = (uint32_t)get->duration_s,
                                     .any_unit = !named,
                                     .unit = watts ? PW_PROFILE_WATT : PW_PROFILE_AMPERE};
    if (!known || pw_smart_composite(cp->smart, &ask, &schedule, now) != PW_OK) {
        pw_cp16_reply(cp, id, PW_OCPP16_GET_COMPOSITE_SCHEDULE, &refused);
        return;
    }
    reply_composite(cp, id, get->connector_id, &schedule);
}
