// What stations ask and how it is answered: one row an action.
#include "records.h"
#include "rollouts.h"

#include <string.h>

struct pw_str action_text(int action)
{
    return pw_ocpp16_action_name((enum pw_ocpp16_action)action);
}

// --- Answering.

static void note_answer(const struct call *call, enum pw_ocpp_frame_kind kind,
                        struct pw_str payload)
{
    struct traffic traffic = {
        .from_station = false,
        .kind = kind,
        .action = call->action >= 0 ? action_text(call->action) : PW_STR(""),
        .id = call->id,
        .latency_ms = 0,
        .payload = payload,
    };
    traffic_note(call->central, call->station, &traffic, call->at);
}

void call_answer(const struct call *call, const struct pw_ocpp_object *object, const void *conf)
{
    struct pw_out payload = {.at = call->central->payload, .cap = PW_CENTRAL_MESSAGE_MAX};
    pw_ocpp_encode(object, conf, &payload);
    struct pw_out out = {.at = call->central->frame, .cap = SCRATCH_MAX};
    pw_ocpp_put_result_raw(&out, call->id, pw_out_str(&payload));
    PW_ASSERT(pw_out_err(&payload) == PW_OK && pw_out_err(&out) == PW_OK);
    pw_ocpp_rpc_served(&call->station->rpc);
    note_answer(call, PW_OCPP_RESULT, pw_out_str(&payload));
    link_send(call->central, call->link, pw_out_str(&out));
}

void call_refuse(const struct call *call, enum pw_ocpp_error code, struct pw_str why)
{
    call->central->count.calls_refused++;
    struct pw_out out = {.at = call->central->frame, .cap = SCRATCH_MAX};
    pw_ocpp_put_error(&out, call->id, code, why);
    pw_ocpp_rpc_served(&call->station->rpc);
    char text[PW_OCPP_DESCRIPTION_MAX * 6];
    struct pw_out payload = PW_OUT(text);
    struct pw_json_writer json = PW_JSON_WRITER(&payload);
    pw_json_open(&json, '{');
    pw_json_say_text(&json, "code", pw_ocpp_error_text(code));
    pw_json_say_text(&json, "description", why);
    pw_json_close(&json, '}');
    note_answer(call, PW_OCPP_ERROR, pw_out_str(&payload));
    link_send(call->central, call->link, pw_out_str(&out));
}

// --- Core, from the station.

static void boot_answer(const struct call *call, enum pw_ocpp16_registration_status status,
                        int32_t interval_s)
{
    struct pw_ocpp16_boot_notification_conf conf = {
        .status = status, .current_time = call->at.wall, .interval_s = interval_s};
    call_answer(call, &pw_ocpp16_boot_notification_conf, &conf);
}

static void boot(const struct call *call, const void *message)
{
    const struct pw_ocpp16_boot_notification_req *req = message;
    struct station *station = call->station;
    int32_t wait_s = boot_wait_s(call->central, station, call->at.now);
    if (wait_s > 0) {
        call->central->count.boots_deferred++;
        boot_answer(call, PW_OCPP16_REGISTRATION_PENDING, wait_s);
        return;
    }
    struct pw_out vendor = PW_OUT(station->vendor);
    struct pw_out model = PW_OUT(station->model);
    struct pw_out firmware = PW_OUT(station->firmware);
    struct pw_out serial = PW_OUT(station->serial);
    pw_put(&vendor, req->charge_point_vendor);
    pw_put(&model, req->charge_point_model);
    pw_put(&firmware, req->firmware_version);
    pw_put(&serial, req->charge_point_serial_number.len > 0 ? req->charge_point_serial_number
                                                            : req->charge_box_serial_number);
    if (firmware.len == 0) {
        station->firmware[0] = '\0';
    }
    if (serial.len == 0) {
        station->serial[0] = '\0';
    }
    station->boot_at = call->at.wall;
    struct pw_db_value args[] = {pw_db_text(pw_str_of(station->vendor)),
                                 pw_db_text(pw_str_of(station->model)),
                                 db_words(station->firmware),
                                 db_words(station->serial),
                                 db_time(station->boot_at),
                                 db_time(station->last_seen),
                                 pw_db_text(call->payload_text),
                                 pw_db_text(pw_str_of(station->id))};
    (void)db_write(call->central,
                   "UPDATE station SET vendor = $1, model = $2, firmware = $3, serial = $4,"
                   " boot_at = $5, last_seen = $6, boot = $7 WHERE id = $8",
                   args, PW_COUNT(args), call->at.now);
    configuration_booted(call->central, station, call->at.now);
    if (station->list_automatic) {
        lists_look(call->central, station, call->at.now);
    }
    boot_answer(call, PW_OCPP16_REGISTRATION_ACCEPTED, (int32_t)call->central->config.heartbeat_s);
    struct sight sight = {.kind = SIGHT_BOOT, .number = call->at.wall};
    sight_note(call->central, station, &sight, call->at);
    member_started(call->central, station, call->at);
    event_station(call->central, station);
}

static void heartbeat(const struct call *call, const void *message)
{
    (void)message;
    struct pw_ocpp16_heartbeat_conf conf = {.current_time = call->at.wall};
    struct pw_db_value args[] = {db_time(call->station->last_seen),
                                 pw_db_text(pw_str_of(call->station->id))};
    (void)db_write(call->central, "UPDATE station SET last_seen = $1 WHERE id = $2", args,
                   PW_COUNT(args), call->at.now);
    call_answer(call, &pw_ocpp16_heartbeat_conf, &conf);
}

static void text_into(char *to, size_t cap, struct pw_str text)
{
    struct pw_out out = {.at = to, .cap = cap};
    pw_put(&out, text);
    to[out.len] = '\0';
}

static void status(const struct call *call, const void *message)
{
    const struct pw_ocpp16_status_notification_req *req = message;
    struct connector *connector = connector_of(call->station, req->connector_id);
    if (connector == NULL) {
        call_refuse(call, PW_OCPP_PROPERTY_CONSTRAINT_VIOLATION,
                    PW_STR("connectorId: only 0 to 32 are kept"));
        return;
    }
    connector->status = (int)req->status;
    connector->error_code = (int)req->error_code;
    text_into(connector->info, sizeof(connector->info), req->info);
    text_into(connector->vendor_error_code, sizeof(connector->vendor_error_code),
              req->vendor_error_code);
    connector->since = (req->has & PW_OCPP16_HAS(status_notification_req, timestamp)) != 0
                           ? req->timestamp
                           : call->at.wall;
    connector_keep(call->central, call->station, connector, call->at);
    if (req->status == PW_OCPP16_STATUS_AVAILABLE) {
        vehicle_forget(&connector->vehicle);
        session_unended(call->central, connector, call->at);
    }
    struct pw_ocpp16_status_notification_conf conf = {0};
    call_answer(call, &pw_ocpp16_status_notification_conf, &conf);
    struct sight sight = {
        .kind = SIGHT_STATUS, .connector = req->connector_id, .status = (int)req->status};
    sight_note(call->central, call->station, &sight, call->at);
    event_station(call->central, call->station);
}

static void authorize(const struct call *call, const void *message)
{
    const struct pw_ocpp16_authorize_req *req = message;
    char parent[ID_TAG_MAX];
    struct card_question question = {.id_tag = req->id_tag, .station = call->station};
    struct pw_ocpp16_authorize_conf conf = {
        .id_tag_info = card_judge(call->central, &question, parent, call->at)};
    call_answer(call, &pw_ocpp16_authorize_conf, &conf);
}

static void start_transaction(const struct call *call, const void *message)
{
    session_start(call, message);
}

static void stop_transaction(const struct call *call, const void *message)
{
    session_stop(call, message);
}

static void take_meter_values(const struct call *call, const void *message)
{
    const struct pw_ocpp16_meter_values_req *req = message;
    struct connector *connector = connector_of(call->station, req->connector_id);
    if (connector == NULL) {
        call_refuse(call, PW_OCPP_PROPERTY_CONSTRAINT_VIOLATION,
                    PW_STR("connectorId: only 0 to 32 are kept"));
        return;
    }
    int64_t session = 0;
    if ((req->has & PW_OCPP16_HAS(meter_values_req, transaction_id)) != 0) {
        session = req->transaction_id;
        const char *stranger =
            session != connector->session
                ? session_stranger(call->central, call->station, req->connector_id, session)
                : NULL;
        if (stranger != NULL) {
            orphan_keep(call, stranger);
            session = 0;
        }
    }
    meter_values(call, connector, session, &req->meter_value);
    struct pw_ocpp16_meter_values_conf conf = {0};
    call_answer(call, &pw_ocpp16_meter_values_conf, &conf);
}

static void data_transfer(const struct call *call, const void *message)
{
    const struct pw_ocpp16_data_transfer_req *req = message;
    struct pw_ocpp16_data_transfer_conf conf = {.status =
                                                    PW_OCPP16_DATA_TRANSFER_UNKNOWN_VENDOR_ID};
    if (pw_str_is(req->message_id, "VehicleInfo")) {
        // The vendor id is the station's setting: what counts is that the data can be read.
        struct vehicle_news news;
        char name[TEXT50_MAX];
        int64_t id = 0;
        bool read = vehicle_info(req->data, &id, &news, name);
        struct connector *connector = read ? connector_of(call->station, id) : NULL;
        conf.status =
            connector != NULL ? PW_OCPP16_DATA_TRANSFER_ACCEPTED : PW_OCPP16_DATA_TRANSFER_REJECTED;
        if (connector != NULL) {
            vehicle_learn(call->central->vehicles, &connector->vehicle, &news, call->at.wall);
            if (connector->session != 0) {
                session_reading(call->central, connector->session, NULL, &connector->vehicle,
                                call->at, call->at.wall);
            }
        }
    }
    if (pw_str_is(req->message_id, "UpdateFailed")) {
        conf.status = files_take_why(call, req->data) ? PW_OCPP16_DATA_TRANSFER_ACCEPTED
                                                      : PW_OCPP16_DATA_TRANSFER_REJECTED;
    }
    call_answer(call, &pw_ocpp16_data_transfer_conf, &conf);
    event_station(call->central, call->station);
}

// --- The table.

static const struct {
    enum pw_ocpp16_action action;
    void (*serve)(const struct call *call, const void *message);
} rows[] = {
    {PW_OCPP16_AUTHORIZE, authorize},
    {PW_OCPP16_BOOT_NOTIFICATION, boot},
    {PW_OCPP16_DATA_TRANSFER, data_transfer},
    {PW_OCPP16_DIAGNOSTICS_STATUS_NOTIFICATION, files_serve_diagnostics},
    {PW_OCPP16_FIRMWARE_STATUS_NOTIFICATION, files_serve_firmware},
    {PW_OCPP16_HEARTBEAT, heartbeat},
    {PW_OCPP16_LOG_STATUS_NOTIFICATION, files_serve_log},
    {PW_OCPP16_METER_VALUES, take_meter_values},
    {PW_OCPP16_SECURITY_EVENT_NOTIFICATION, security_serve_event},
    {PW_OCPP16_SIGN_CERTIFICATE, security_serve_sign},
    {PW_OCPP16_SIGNED_FIRMWARE_STATUS_NOTIFICATION, files_serve_signed_firmware},
    {PW_OCPP16_START_TRANSACTION, start_transaction},
    {PW_OCPP16_STATUS_NOTIFICATION, status},
    {PW_OCPP16_STOP_TRANSACTION, stop_transaction},
};

// Any request a station may send, decoded.
union request {
    uint32_t has;
    struct pw_ocpp16_authorize_req authorize;
    struct pw_ocpp16_boot_notification_req boot;
    struct pw_ocpp16_data_transfer_req data;
    struct pw_ocpp16_diagnostics_status_notification_req diagnostics;
    struct pw_ocpp16_firmware_status_notification_req firmware;
    struct pw_ocpp16_heartbeat_req heartbeat;
    struct pw_ocpp16_log_status_notification_req log;
    struct pw_ocpp16_meter_values_req meter;
    struct pw_ocpp16_security_event_notification_req event;
    struct pw_ocpp16_sign_certificate_req sign;
    struct pw_ocpp16_signed_firmware_status_notification_req signed_firmware;
    struct pw_ocpp16_start_transaction_req start;
    struct pw_ocpp16_status_notification_req status;
    struct pw_ocpp16_stop_transaction_req stop;
};

// The connector a message is about; -1 when it names none.
static int named(const struct call *call, const union request *request)
{
    switch (call->action) {
    case PW_OCPP16_STATUS_NOTIFICATION: return request->status.connector_id;
    case PW_OCPP16_METER_VALUES: return request->meter.connector_id;
    case PW_OCPP16_START_TRANSACTION: return request->start.connector_id;
    default: return -1;
    }
}

static void refuse_call(const struct call *call, enum pw_ocpp_error code, const char *text)
{
    call->station->violations++;
    call_refuse(call, code, pw_str_of(text));
}

static void serve(const struct call *call, const struct pw_json_node *payload)
{
    size_t row = 0;
    while (row < PW_COUNT(rows) && (int)rows[row].action != call->action) {
        row++;
    }
    if (row == PW_COUNT(rows)) {
        refuse_call(call, call->action < 0 ? PW_OCPP_NOT_IMPLEMENTED : PW_OCPP_NOT_SUPPORTED,
                    call->action < 0 ? "no such action in OCPP 1.6"
                                     : "this central does not serve the action");
        return;
    }
    union request request;
    struct pw_ocpp_fault fault;
    const struct pw_ocpp_object *object = pw_ocpp16_actions[call->action].req;
    PW_ASSERT(object->size <= sizeof(request));
    // Lenient reading: what a station adds or spells its own way is kept as text, not refused.
    if (pw_ocpp_decode(object, payload, PW_OCPP_KEEP_UNKNOWN_CODES | PW_OCPP_NULL_IS_ABSENT,
                       &request, &fault) != PW_OK) {
        refuse_call(call, fault.code, fault.text);
        return;
    }
    rows[row].serve(call, &request);
    // Behind the answer: a command is a question of its own.
    struct sight sight = {
        .kind = SIGHT_MESSAGE, .action = call->action, .connector = named(call, &request)};
    sight_note(call->central, call->station, &sight, call->at);
}

static void serve_call(struct call *call, const struct pw_ocpp_frame *frame)
{
    struct traffic traffic = {.from_station = true,
                              .kind = PW_OCPP_CALL,
                              .action = frame->action,
                              .id = frame->id,
                              .latency_ms = -1,
                              .payload = call->payload_text};
    traffic_note(call->central, call->station, &traffic, call->at);
    int open = pw_ocpp_rpc_serve(&call->station->rpc, frame->id);
    if (open == PW_ERR_PEER) {
        refuse_call(call, PW_OCPP_PROTOCOL_ERROR, "a call with this id is being served");
        return;
    }
    // PW_ERR_BUSY: it did not wait for an answer that is being stored. It gets both.
    call->station->violations += open == PW_ERR_BUSY ? 1 : 0;
    serve(call, frame->payload);
}

// A frame that is none, or a call with a bad frame.
static void serve_bad(struct call *call, struct pw_str text, const struct pw_ocpp_fault *fault)
{
    call->central->count.bad_messages++;
    call->station->violations++;
    struct traffic traffic = {.from_station = true,
                              .kind = PW_OCPP_CALL,
                              .id = call->id,
                              .latency_ms = -1,
                              .payload = text};
    traffic_note(call->central, call->station, &traffic, call->at);
    if (call->id.len > 0) {
        call_refuse(call, fault->code, pw_str_of(fault->text));
    }
}

void calls_serve(struct pw_central *central, struct link *link, struct pw_str text,
                 struct pw_instant at)
{
    struct pw_ocpp_frame frame = {.kind = PW_OCPP_CALL};
    struct pw_ocpp_fault fault = {0};
    int read = pw_ocpp_frame_read(&central->json, text, &frame, &fault);
    struct call call = {.central = central,
                        .link = link,
                        .station = link->station,
                        .id = frame.id,
                        .payload_text = PW_STR("{}"),
                        .action = -1,
                        .at = at};
    if (read == PW_OK && frame.payload != NULL) {
        call.payload_text = (struct pw_str){.at = frame.payload->at, .len = frame.payload->len};
    }
    if (read == PW_ERR_UNKNOWN) {
        return;
    }
    if (read != PW_OK) {
        serve_bad(&call, text, &fault);
    } else if (frame.kind == PW_OCPP_CALL) {
        call.action = pw_ocpp16_action_find(frame.action);
        serve_call(&call, &frame);
    } else {
        command_answered(central, link->station, &frame, at);
    }
}
