// What we say: one function a CALL, one row for what its answer means.
#include "cp16/measurands.h"
#include "cp16/parts.h"

#include <string.h>

const char *pw_cp16_call_name(enum pw_cp16_call call)
{
    switch (call) {
    case PW_CP16_CALL_NONE: return "none";
    case PW_CP16_CALL_BOOT: return "BootNotification";
    case PW_CP16_CALL_HEARTBEAT: return "Heartbeat";
    case PW_CP16_CALL_STATUS: return "StatusNotification";
    case PW_CP16_CALL_AUTHORISE: return "Authorize";
    case PW_CP16_CALL_VEHICLE: return "DataTransfer";
    case PW_CP16_CALL_CLOCK_METER: return "MeterValues";
    case PW_CP16_CALL_TRANSACTION: return "transaction message";
    }
    PW_UNREACHABLE();
}

// Opens the call and prints it whole.
static void send(struct pw_cp16 *cp, enum pw_cp16_call call, enum pw_ocpp16_action action,
                 const void *req, pw_ms now)
{
    pw_ms timeout = (pw_ms)pw_settings_int(cp->settings, PW_SET_MESSAGE_TIMEOUT_S) * 1000;
    struct pw_out out = PW_OUT(cp->out);
    PW_ASSERT(cp->out_len == 0 && cp->call == PW_CP16_CALL_NONE);
    int err = pw_ocpp_rpc_call(&cp->rpc, (int)action, timeout, now);
    PW_ASSERT(err == PW_OK);
    pw_ocpp16_put_call(&out, pw_ocpp_rpc_id(&cp->rpc), action, req);
    PW_ASSERT(pw_out_err(&out) == PW_OK);
    cp->out_len = out.len;
    cp->call = call;
    pw_cp16_spoke(cp, now);
}

void pw_cp16_send_boot(struct pw_cp16 *cp, pw_ms now)
{
    struct pw_ocpp16_boot_notification_req req = {
        .has = PW_OCPP16_HAS(boot_notification_req, firmware_version),
        .charge_point_vendor = pw_str_of(pw_settings_text(cp->settings, PW_SET_STATION_VENDOR)),
        .charge_point_model = pw_str_of(pw_settings_text(cp->settings, PW_SET_STATION_MODEL)),
        .charge_point_serial_number =
            pw_str_of(pw_settings_text(cp->settings, PW_SET_STATION_SERIAL)),
        .firmware_version = pw_str_of(cp->firmware),
    };
    if (req.charge_point_serial_number.len > 0) {
        req.has |= PW_OCPP16_HAS(boot_notification_req, charge_point_serial_number);
    }
    send(cp, PW_CP16_CALL_BOOT, PW_OCPP16_BOOT_NOTIFICATION, &req, now);
}

void pw_cp16_send_heartbeat(struct pw_cp16 *cp, pw_ms now)
{
    struct pw_ocpp16_heartbeat_req req = {.has = 0};
    send(cp, PW_CP16_CALL_HEARTBEAT, PW_OCPP16_HEARTBEAT, &req, now);
}

void pw_cp16_send_status(struct pw_cp16 *cp, unsigned connector, pw_ms now)
{
    struct pw_cp16_voice *voice = &cp->voice[connector];
    struct pw_str word = pw_str_of(pw_session_status_name(voice->now.status));
    int status = pw_ocpp_code_find(&pw_ocpp16_connector_status, word);
    int error = pw_ocpp_code_find(&pw_ocpp16_error_code, pw_str_of(voice->now.error_code));
    PW_ASSERT(status >= 0 && error >= 0);
    struct pw_ocpp16_status_notification_req req = {
        .connector_id = (int32_t)connector,
        .status = (enum pw_ocpp16_connector_status)status,
        .error_code = (enum pw_ocpp16_error_code)error,
        .info = pw_str_of(voice->now.info),
        .vendor_id = pw_str_of(pw_settings_text(cp->settings, PW_SET_VEHICLE_VENDOR)),
        .vendor_error_code = pw_str_of(voice->now.vendor_code),
        .timestamp = pw_cp16_stamp_wall(
            cp, (struct pw_stamp){.mono = voice->since, .boot = cp->journal->boot}, now),
    };
    req.has |= req.timestamp > 0 ? PW_OCPP16_HAS(status_notification_req, timestamp) : 0;
    req.has |= req.info.len > 0 ? PW_OCPP16_HAS(status_notification_req, info) : 0;
    if (req.vendor_error_code.len > 0) {
        req.has |= PW_OCPP16_HAS(status_notification_req, vendor_error_code) |
                   PW_OCPP16_HAS(status_notification_req, vendor_id);
    }
    voice->said = voice->now;
    voice->said_any = true;
    cp->call_connector = connector;
    send(cp, PW_CP16_CALL_STATUS, PW_OCPP16_STATUS_NOTIFICATION, &req, now);
}

void pw_cp16_send_authorise(struct pw_cp16 *cp, unsigned connector, pw_ms now)
{
    struct pw_ocpp16_authorize_req req = {.id_tag = pw_str_of(cp->voice[connector].id_tag)};
    cp->call_connector = connector;
    send(cp, PW_CP16_CALL_AUTHORISE, PW_OCPP16_AUTHORIZE, &req, now);
}

static void put_vehicle_standard(struct pw_out *out, unsigned connector,
                                 const struct pw_cp16_vehicle *info)
{
    struct pw_json_writer json = PW_JSON_WRITER(out);
    pw_json_open(&json, '{');
    pw_json_key(&json, "connectorId");
    pw_json_put_int(&json, (int64_t)connector);
    const struct {
        const char *key;
        int32_t value;
        unsigned decimals;
    } parts[] = {{"ah", info->charge_mah, 3},
                 {"imaxA", info->imax_ma, 3},
                 {"packV", info->pack_mv, 3},
                 {"socPercent", info->soc_permille, 1}};
    for (size_t i = 0; i < PW_COUNT(parts); i++) {
        if (parts[i].value >= 0) {
            pw_json_key(&json, parts[i].key);
            pw_json_put_fixed(&json, parts[i].value, parts[i].decimals);
        }
    }
    if (info->model[0] != '\0') {
        pw_json_key(&json, "model");
        pw_json_put_s(&json, info->model);
    }
    pw_json_close(&json, '}');
}

// The form of the RivotMotors firmware: soc in percent, maxCurrent in ampere.
static void put_vehicle_seed(struct pw_out *out, const struct pw_cp16_vehicle *info)
{
    struct pw_json_writer json = PW_JSON_WRITER(out);
    pw_json_open(&json, '{');
    if (info->soc_permille >= 0) {
        pw_json_key(&json, "soc");
        pw_json_put_fixed(&json, info->soc_permille, 1);
    }
    pw_json_key(&json, "maxCurrent");
    pw_json_put_fixed(&json, info->imax_ma, 3);
    pw_json_close(&json, '}');
}

void pw_cp16_send_vehicle(struct pw_cp16 *cp, unsigned connector, pw_ms now)
{
    enum { STANDARD, SEED, OFF };
    char data[200];
    struct pw_out out = PW_OUT(data);
    struct pw_cp16_voice *voice = &cp->voice[connector];
    int32_t form = pw_settings_int(cp->settings, PW_SET_VEHICLE_INFO);
    voice->vehicle = false;
    if (form == OFF) {
        return;
    }
    struct pw_ocpp16_data_transfer_req req = {
        .has =
            PW_OCPP16_HAS(data_transfer_req, message_id) | PW_OCPP16_HAS(data_transfer_req, data),
        .vendor_id = pw_str_of(
            form == SEED ? "RivotMotors" : pw_settings_text(cp->settings, PW_SET_VEHICLE_VENDOR)),
        .message_id = PW_STR("VehicleInfo"),
    };
    if (form == SEED) {
        put_vehicle_seed(&out, &voice->info);
    } else {
        put_vehicle_standard(&out, connector, &voice->info);
    }
    PW_ASSERT(pw_out_err(&out) == PW_OK);
    req.data = pw_out_str(&out);
    cp->call_connector = connector;
    send(cp, PW_CP16_CALL_VEHICLE, PW_OCPP16_DATA_TRANSFER, &req, now);
}

// The quantities a setting lists. It was checked when it was set.
static uint32_t quantities_of(const struct pw_cp16 *cp, enum pw_setting_id id)
{
    uint32_t mask = 0;
    char why[1];
    struct pw_out out = PW_OUT(why);
    int err = pw_cp16_measurands(pw_str_of(pw_settings_text(cp->settings, id)), &mask, &out);
    return err == PW_OK ? mask : 0;
}

static bool send_meter_values(struct pw_cp16 *cp, enum pw_cp16_call call, unsigned connector,
                              const struct pw_sample *sample, int32_t transaction_id, pw_ms now)
{
    struct pw_cp16_meter_value part;
    bool clock = sample->reading == PW_READING_CLOCK;
    bool seed = !clock && pw_settings_int(cp->settings, PW_SET_SEED_MEASURANDS) != 0;
    uint32_t mask = quantities_of(cp, clock ? PW_SET_ALIGNED_DATA : PW_SET_SAMPLED_DATA);
    if (!pw_cp16_fill(&part, sample, mask, seed, pw_cp16_stamp_wall(cp, sample->at, now))) {
        return false;
    }
    struct pw_ocpp16_meter_values_req req = {
        .connector_id = (int32_t)connector,
        .transaction_id = transaction_id,
        .has = transaction_id != 0 ? PW_OCPP16_HAS(meter_values_req, transaction_id) : 0,
        .meter_value = {.items = &part.meter_value, .count = 1},
    };
    send(cp, call, PW_OCPP16_METER_VALUES, &req, now);
    return true;
}

void pw_cp16_send_clock_meter(struct pw_cp16 *cp, unsigned connector, pw_ms now)
{
    struct pw_cp16_voice *voice = &cp->voice[connector];
    voice->clock_meter = false;
    (void)send_meter_values(cp, PW_CP16_CALL_CLOCK_METER, connector, &voice->sample, 0, now);
}

static void send_start(struct pw_cp16 *cp, const struct pw_transaction *transaction, pw_ms now)
{
    struct pw_ocpp16_start_transaction_req req = {
        .connector_id = transaction->connector,
        .id_tag = pw_str_of(transaction->id_tag),
        .meter_start_wh = (int32_t)transaction->first.value[PW_ENERGY_WH],
        .timestamp = pw_cp16_stamp_wall(cp, transaction->first.at, now),
    };
    send(cp, PW_CP16_CALL_TRANSACTION, PW_OCPP16_START_TRANSACTION, &req, now);
}

static void send_stop(struct pw_cp16 *cp, const struct pw_transaction *transaction, pw_ms now)
{
    struct pw_cp16_meter_value first;
    struct pw_cp16_meter_value last;
    struct pw_ocpp16_meter_value data[2];
    uint32_t count = 0;
    uint32_t mask = quantities_of(cp, PW_SET_STOP_SAMPLED_DATA);
    pw_unix_ms started = pw_cp16_stamp_wall(cp, transaction->first.at, now);
    pw_unix_ms stopped = pw_cp16_stamp_wall(cp, transaction->last.at, now);
    int reason = pw_ocpp_code_find(
        &pw_ocpp16_stop_reason,
        pw_str_of(pw_session_reason_name((enum pw_session_reason)transaction->reason)));
    if (pw_cp16_fill(&first, &transaction->first, mask, false, started)) {
        data[count++] = first.meter_value;
    }
    if (pw_cp16_fill(&last, &transaction->last, mask, false, stopped)) {
        data[count++] = last.meter_value;
    }
    struct pw_ocpp16_stop_transaction_req req = {
        .has = reason >= 0 ? PW_OCPP16_HAS(stop_transaction_req, reason) : 0,
        .id_tag = pw_str_of(transaction->stop_id_tag),
        .meter_stop_wh = (int32_t)transaction->last.value[PW_ENERGY_WH],
        .timestamp = stopped,
        .transaction_id = transaction->transaction_id,
        .reason = reason >= 0 ? (enum pw_ocpp16_stop_reason)reason : PW_OCPP16_REASON_OTHER,
        .transaction_data = {.items = data, .count = count},
    };
    req.has |= req.id_tag.len > 0 ? PW_OCPP16_HAS(stop_transaction_req, id_tag) : 0;
    req.has |= count > 0 ? PW_OCPP16_HAS(stop_transaction_req, transaction_data) : 0;
    send(cp, PW_CP16_CALL_TRANSACTION, PW_OCPP16_STOP_TRANSACTION, &req, now);
}

void pw_cp16_send_transaction(struct pw_cp16 *cp, pw_ms now)
{
    const struct pw_transaction *transaction = &cp->message.transaction;
    switch (cp->message.kind) {
    case PW_MESSAGE_START: send_start(cp, transaction, now); return;
    case PW_MESSAGE_STOP: send_stop(cp, transaction, now); return;
    case PW_MESSAGE_METER:
        if (!send_meter_values(cp, PW_CP16_CALL_TRANSACTION, transaction->connector,
                               &cp->message.sample, transaction->transaction_id, now)) {
            // Nothing in it is wanted any more: it leaves the queue as if it had been said.
            cp->settle = true;
            cp->settle_refused = false;
        }
        return;
    }
    PW_UNREACHABLE();
}

// ---------------------------------------------------------------------------------------------
// What the answers mean. An answer that does not validate counts as a failed call.

static bool decode(struct pw_cp16 *cp, enum pw_ocpp16_action action,
                   const struct pw_json_node *payload, void *conf)
{
    struct pw_ocpp_fault fault;
    if (pw_ocpp_decode(pw_ocpp16_actions[action].conf, payload, PW_OCPP_NULL_IS_ABSENT, conf,
                       &fault) == PW_OK) {
        return true;
    }
    struct pw_line line;
    pw_line(&line, cp->log, PW_LOG_WARN, "ocpp", "bad-answer");
    pw_line_str(&line, "call", pw_ocpp16_action_name(action));
    pw_line_s(&line, "why", fault.text);
    pw_line_end(&line);
    return false;
}

static bool boot_answered(struct pw_cp16 *cp, const struct pw_json_node *payload, pw_ms now)
{
    struct pw_ocpp16_boot_notification_conf conf;
    if (!decode(cp, PW_OCPP16_BOOT_NOTIFICATION, payload, &conf)) {
        return false;
    }
    pw_cp16_learn_clock(cp, conf.current_time, now);
    switch (conf.status) {
    case PW_OCPP16_REGISTRATION_ACCEPTED:
        pw_cp16_booted(cp, PW_CP16_BOOT_ACCEPTED, conf.interval_s, now);
        break;
    case PW_OCPP16_REGISTRATION_PENDING:
        pw_cp16_booted(cp, PW_CP16_BOOT_PENDING, conf.interval_s, now);
        break;
    case PW_OCPP16_REGISTRATION_REJECTED:
        pw_cp16_booted(cp, PW_CP16_BOOT_REJECTED, conf.interval_s, now);
        break;
    }
    return true;
}

static bool heartbeat_answered(struct pw_cp16 *cp, const struct pw_json_node *payload, pw_ms now)
{
    struct pw_ocpp16_heartbeat_conf conf;
    if (!decode(cp, PW_OCPP16_HEARTBEAT, payload, &conf)) {
        return false;
    }
    pw_cp16_learn_clock(cp, conf.current_time, now);
    return true;
}

static bool authorise_answered(struct pw_cp16 *cp, const struct pw_json_node *payload, pw_ms now)
{
    struct pw_ocpp16_authorize_conf conf;
    struct pw_cp16_voice *voice = &cp->voice[cp->call_connector];
    if (!decode(cp, PW_OCPP16_AUTHORIZE, payload, &conf)) {
        return false;
    }
    voice->authorise = false;
    cp->host->authorised(cp->host->context, cp->call_connector, pw_str_of(voice->id_tag),
                         conf.id_tag_info.status == PW_OCPP16_AUTHORIZATION_ACCEPTED, false, now);
    return true;
}

static bool start_answered(struct pw_cp16 *cp, const struct pw_json_node *payload, pw_ms now)
{
    struct pw_ocpp16_start_transaction_conf conf;
    if (!decode(cp, PW_OCPP16_START_TRANSACTION, payload, &conf)) {
        return false;
    }
    cp->settle_id = conf.transaction_id;
    if (conf.id_tag_info.status != PW_OCPP16_AUTHORIZATION_ACCEPTED) {
        cp->host->start_refused(cp->host->context, cp->message.transaction.connector,
                                cp->message.transaction.seq, now);
    }
    return true;
}

static bool transaction_answered(struct pw_cp16 *cp, const struct pw_json_node *payload, pw_ms now)
{
    if (cp->message.kind == PW_MESSAGE_START && !start_answered(cp, payload, now)) {
        return false;
    }
    cp->settle = true;
    cp->settle_refused = false;
    return true;
}

void pw_cp16_call_answered(struct pw_cp16 *cp, const struct pw_json_node *payload, pw_ms now)
{
    bool good = true;
    cp->timeouts = 0;
    switch (cp->call) {
    case PW_CP16_CALL_BOOT: good = boot_answered(cp, payload, now); break;
    case PW_CP16_CALL_HEARTBEAT: good = heartbeat_answered(cp, payload, now); break;
    case PW_CP16_CALL_AUTHORISE: good = authorise_answered(cp, payload, now); break;
    case PW_CP16_CALL_TRANSACTION: good = transaction_answered(cp, payload, now); break;
    case PW_CP16_CALL_NONE:
    case PW_CP16_CALL_STATUS:
    case PW_CP16_CALL_VEHICLE:
    case PW_CP16_CALL_CLOCK_METER: break;
    }
    if (!good) {
        pw_cp16_call_failed(cp, "an answer that is not valid", now);
        return;
    }
    cp->call = PW_CP16_CALL_NONE;
}

// A refused transaction message is sent again after interval x attempts, then set aside; only
// refusals count, not silence (OCPP 1.6 §3.7.1, errata J 3.3).
static void transaction_failed(struct pw_cp16 *cp, bool refused, pw_ms now)
{
    if (!refused) {
        pw_cp16_message_timed_out(cp, now);
        return;
    }
    pw_ms pause = (pw_ms)pw_settings_int(cp->settings, PW_SET_TX_RETRY_S) * 1000;
    cp->attempts++;
    if (cp->attempts >= (unsigned)pw_settings_int(cp->settings, PW_SET_TX_ATTEMPTS)) {
        cp->settle = true;
        cp->settle_refused = true;
        return;
    }
    cp->message_at = pw_after(now, pause * cp->attempts);
}

void pw_cp16_call_failed(struct pw_cp16 *cp, const char *code, pw_ms now)
{
    enum pw_cp16_call call = cp->call;
    struct pw_cp16_voice *voice = &cp->voice[cp->call_connector];
    cp->call = PW_CP16_CALL_NONE;
    if (code != NULL) {
        struct pw_line line;
        pw_line(&line, cp->log, PW_LOG_WARN, "ocpp", "call-refused");
        pw_line_s(&line, "call", pw_cp16_call_name(call));
        pw_line_s(&line, "code", code);
        pw_line_end(&line);
    }
    switch (call) {
    case PW_CP16_CALL_BOOT: pw_cp16_boot_failed(cp, now); break;
    case PW_CP16_CALL_AUTHORISE:
        voice->authorise = false;
        cp->host->authorised(cp->host->context, cp->call_connector, pw_str_of(voice->id_tag), false,
                             code == NULL, now);
        break;
    case PW_CP16_CALL_TRANSACTION: transaction_failed(cp, code != NULL, now); break;
    case PW_CP16_CALL_STATUS:
        // Nobody heard it; a refusal, though, is an answer.
        voice->said_any = code != NULL;
        break;
    case PW_CP16_CALL_NONE:
    case PW_CP16_CALL_HEARTBEAT:
    case PW_CP16_CALL_VEHICLE:
    case PW_CP16_CALL_CLOCK_METER: break;
    }
}
