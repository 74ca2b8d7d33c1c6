// TriggerMessage and ExtendedTriggerMessage: what the central system wants to hear now. One row a
// message; what was asked for waits in cp->triggered, and is said before everything else, also
// while BootNotification is not accepted yet (OCPP 1.6 §4.2, §5.17; whitepaper 5.5).
#include "cp16/parts.h"

struct row {
    const char *word;
    unsigned sets; // which of both messages may ask for it
    // Whether it can be said now. NULL: always.
    bool (*can)(struct pw_cp16 *cp, pw_ms now);
    // Says it, about a connector where that matters. NULL: `can` has done all.
    void (*say)(struct pw_cp16 *cp, unsigned connector, pw_ms now);
    bool each; // of a connector, or of all
    bool zero; // ... the station as connector 0 among them
};

enum { PLAIN = 1, EXTENDED = 2, BOTH = 3 };

// ---------------------------------------------------------------------------------------------
// What is said.

// After acceptance there is nothing to boot (errata 3.35, 3.40).
static bool can_boot(struct pw_cp16 *cp, pw_ms now)
{
    if (cp->boot == PW_CP16_BOOT_ACCEPTED) {
        return false;
    }
    cp->boot_at = now;
    return true;
}

static void say_heartbeat(struct pw_cp16 *cp, unsigned connector, pw_ms now)
{
    (void)connector;
    cp->speaking = &pw_cp16_heartbeat_topic;
    pw_cp16_heartbeat_topic.say(cp, now);
}

static void say_status(struct pw_cp16 *cp, unsigned connector, pw_ms now)
{
    cp->speaking = &pw_cp16_status_topic;
    pw_cp16_say_status(cp, connector, now);
}

static bool can_measure(struct pw_cp16 *cp, pw_ms now)
{
    (void)now;
    // Without a clock the reading would bear no time.
    return cp->clock_known && pw_cp16_quantities(cp, PW_SET_SAMPLED_DATA) != 0;
}

static void say_meter_values(struct pw_cp16 *cp, unsigned connector, pw_ms now)
{
    const struct pw_transaction *open = pw_journal_open_on(cp->journal, connector);
    struct pw_sample sample;
    cp->host->measure(cp->host->context, connector, PW_READING_TRIGGER, &sample, now);
    sample.at = pw_cp16_stamp(cp, now);
    // What has no id yet is not told: -1 is for a start that failed (erratum 3.18).
    bool named = open != NULL && open->id_state == PW_ID_GIVEN;
    (void)pw_cp16_send_meter_values(cp, connector, &sample, named ? open : NULL, now);
}

static bool can_sign(struct pw_cp16 *cp, pw_ms now)
{
    if (cp->security == NULL || pw_security_ask_certificate(cp->security, now) != PW_OK) {
        struct pw_line line;
        pw_line(&line, cp->log, PW_LOG_WARN, "ocpp", "trigger-refused");
        pw_line_s(&line, "message", "SignChargePointCertificate");
        pw_line_s(&line, "why", "CpoName is not set, or certificates cannot be kept");
        pw_line_end(&line);
        return false;
    }
    return true;
}

static void say_diagnostics(struct pw_cp16 *cp, unsigned connector, pw_ms now)
{
    (void)connector;
    pw_cp16_say_transfer(cp, PW_TRANSFER_UP, false, now);
}

static void say_firmware(struct pw_cp16 *cp, unsigned connector, pw_ms now)
{
    (void)connector;
    pw_cp16_say_transfer(cp, PW_TRANSFER_DOWN, false, now);
}

static void say_log(struct pw_cp16 *cp, unsigned connector, pw_ms now)
{
    (void)connector;
    pw_cp16_say_transfer(cp, PW_TRANSFER_UP, true, now);
}

static void say_signed_firmware(struct pw_cp16 *cp, unsigned connector, pw_ms now)
{
    (void)connector;
    pw_cp16_say_transfer(cp, PW_TRANSFER_DOWN, true, now);
}

static const struct row rows[PW_CP16_TRIGGERS] = {
    {"BootNotification", BOTH, can_boot, NULL, false, false},
    {"StatusNotification", BOTH, NULL, say_status, true, true},
    {"MeterValues", BOTH, can_measure, say_meter_values, true, false},
    {"Heartbeat", BOTH, NULL, say_heartbeat, false, false},
    {"DiagnosticsStatusNotification", PLAIN, NULL, say_diagnostics, false, false},
    {"FirmwareStatusNotification", PLAIN, NULL, say_firmware, false, false},
    {"FirmwareStatusNotification", EXTENDED, NULL, say_signed_firmware, false, false},
    {"LogStatusNotification", EXTENDED, NULL, say_log, false, false},
    {"SignChargePointCertificate", EXTENDED, can_sign, NULL, false, false},
};

// ---------------------------------------------------------------------------------------------
// The topic.

static pw_ms trigger_due(const struct pw_cp16 *cp, pw_ms now)
{
    for (size_t i = 0; i < PW_COUNT(rows); i++) {
        if (cp->triggered[i] != 0) {
            return now;
        }
    }
    return PW_NEVER;
}

static void say_triggered(struct pw_cp16 *cp, pw_ms now)
{
    for (size_t i = 0; i < PW_COUNT(rows); i++) {
        for (unsigned connector = 0; cp->triggered[i] != 0; connector++) {
            if (((unsigned)cp->triggered[i] >> connector & 1U) == 0) {
                continue;
            }
            cp->triggered[i] = (uint8_t)(cp->triggered[i] & ~(1U << connector));
            rows[i].say(cp, connector, now);
            if (cp->out_len > 0) {
                return;
            }
        }
    }
}

const struct pw_cp16_topic pw_cp16_trigger_topic = {
    .name = "triggered message",
    .unaccepted = true,
    .due = trigger_due,
    .say = say_triggered,
};

// ---------------------------------------------------------------------------------------------
// The answers.

// The connectors that a message shall be said of, one bit each; 0: there is no such connector.
static unsigned connectors_of(const struct pw_cp16 *cp, const struct row *row, bool named,
                              int32_t connector)
{
    if (!row->each) {
        return 1;
    }
    if (named) {
        return pw_cp16_is_connector(cp, connector) ? 1U << connector : 0;
    }
    return ((2U << cp->connectors) - 1U) & ~(row->zero ? 0U : 1U);
}

static enum pw_ocpp16_trigger_status trigger(struct pw_cp16 *cp, unsigned set, struct pw_str word,
                                             bool named, int32_t connector, pw_ms now)
{
    _Static_assert(PW_CONNECTORS_MAX < 8, "one bit a connector, and connector 0");
    for (size_t i = 0; i < PW_COUNT(rows); i++) {
        if ((rows[i].sets & set) == 0 || !pw_str_is(word, rows[i].word)) {
            continue;
        }
        unsigned connectors = connectors_of(cp, &rows[i], named, connector);
        if (connectors == 0 || (rows[i].can != NULL && !rows[i].can(cp, now))) {
            return PW_OCPP16_TRIGGER_REJECTED;
        }
        unsigned more = rows[i].say != NULL ? connectors : 0;
        cp->triggered[i] = (uint8_t)(cp->triggered[i] | more);
        return PW_OCPP16_TRIGGER_ACCEPTED;
    }
    return PW_OCPP16_TRIGGER_NOT_IMPLEMENTED;
}

// A word in a list of codes, or as it came.
static struct pw_str word_of(const struct pw_ocpp_codes *codes, const struct pw_ocpp_word *word)
{
    return word->code == PW_OCPP_OTHER ? word->text : pw_ocpp_code_text(codes, word->code);
}

void pw_cp16_on_trigger(struct pw_cp16 *cp, struct pw_str id, const union pw_cp16_request *req,
                        pw_ms now)
{
    const struct pw_ocpp16_trigger_message_req *wanted = &req->trigger_message;
    bool named = (wanted->has & PW_OCPP16_HAS(trigger_message_req, connector_id)) != 0;
    struct pw_str word = word_of(&pw_ocpp16_message_trigger, &wanted->requested_message);
    struct pw_ocpp16_trigger_message_conf conf = {
        .status = trigger(cp, PLAIN, word, named, wanted->connector_id, now)};
    pw_cp16_reply(cp, id, PW_OCPP16_TRIGGER_MESSAGE, &conf);
}

void pw_cp16_on_extended_trigger(struct pw_cp16 *cp, struct pw_str id,
                                 const union pw_cp16_request *req, pw_ms now)
{
    const struct pw_ocpp16_extended_trigger_message_req *wanted = &req->extended_trigger_message;
    bool named = (wanted->has & PW_OCPP16_HAS(extended_trigger_message_req, connector_id)) != 0;
    struct pw_str word = word_of(&pw_ocpp16_extended_trigger, &wanted->requested_message);
    struct pw_ocpp16_extended_trigger_message_conf conf = {
        .status = trigger(cp, EXTENDED, word, named, wanted->connector_id, now)};
    pw_cp16_reply(cp, id, PW_OCPP16_EXTENDED_TRIGGER_MESSAGE, &conf);
}
