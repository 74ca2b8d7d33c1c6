// VehicleInfo: what the vehicle told about itself, as a DataTransfer.
#include "cp16/parts.h"

void pw_cp16_vehicle(struct pw_cp16 *cp, unsigned connector, const struct pw_cp16_vehicle *info)
{
    PW_ASSERT(connector >= 1 && connector <= cp->connectors);
    cp->voice[connector].info = *info;
    cp->voice[connector].vehicle = true;
}

static void put_vehicle_standard(struct pw_out *out, unsigned connector,
                                 const struct pw_cp16_vehicle *info)
{
    struct pw_json_writer json = PW_JSON_WRITER(out);
    pw_json_open(&json, '{');
    pw_json_say_int(&json, "connectorId", (int64_t)connector);
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
            pw_json_say_fixed(&json, parts[i].key, parts[i].value, parts[i].decimals);
        }
    }
    if (info->model[0] != '\0') {
        pw_json_say_s(&json, "model", info->model);
    }
    pw_json_close(&json, '}');
}

// The form of the RivotMotors firmware: soc in percent, maxCurrent in ampere.
static void put_vehicle_seed(struct pw_out *out, const struct pw_cp16_vehicle *info)
{
    struct pw_json_writer json = PW_JSON_WRITER(out);
    pw_json_open(&json, '{');
    if (info->soc_permille >= 0) {
        pw_json_say_fixed(&json, "soc", info->soc_permille, 1);
    }
    pw_json_say_fixed(&json, "maxCurrent", info->imax_ma, 3);
    pw_json_close(&json, '}');
}

static void say(struct pw_cp16 *cp, unsigned connector, pw_ms now)
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
    pw_cp16_send(cp, PW_OCPP16_DATA_TRANSFER, &req, now);
}

// The connector whose vehicle waits to be told about, or 0.
static unsigned waiting(const struct pw_cp16 *cp)
{
    for (unsigned i = 1; i <= cp->connectors; i++) {
        if (cp->voice[i].vehicle) {
            return i;
        }
    }
    return 0;
}

static pw_ms vehicle_due(const struct pw_cp16 *cp, pw_ms now)
{
    return waiting(cp) != 0 ? now : PW_NEVER;
}

static void say_vehicle(struct pw_cp16 *cp, pw_ms now)
{
    say(cp, waiting(cp), now);
}

const struct pw_cp16_topic pw_cp16_vehicle_topic = {
    .name = "DataTransfer",
    .due = vehicle_due,
    .say = say_vehicle,
};
