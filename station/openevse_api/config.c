// The configuration: what a client needs to know of the hardware, and the few settings that have a
// counterpart here. All others are set at the station's page. Passwords are never shown.
#include "openevse_api/parts.h"

#include <string.h>

#define RESTART_MS      500     // until a restart begins: its answer leaves first
#define GATEWAY_VERSION "5.1.2" // of the OpenEVSE gateway whose interface this is

static bool is_dc(const struct pw_oe_look *look)
{
    return strcmp(look->view.kind, "dc") == 0;
}

static enum pw_setting_id soft_limit(const struct pw_oe_look *look)
{
    return is_dc(look) ? PW_SET_CURRENT_MAX_MA : PW_SET_AC_MAX_MA;
}

static int64_t hardware_a(const struct pw_oe_look *look)
{
    return look->limits->row[PW_LIMIT_HARDWARE].ma / 1000;
}

// Tests that these clients ask for. An outlet of ours has them all; a board tells which of them
// somebody has switched off in it; a dc connector has other ones.
static void put_checks(const struct pw_oe_look *look, struct pw_json_writer *json)
{
    static const struct {
        const char *key;
        unsigned off; // enum pw_rapi_flag
    } rows[] = {
        {"diode_check", PW_RAPI_F_NO_DIODE},   {"gfci_check", PW_RAPI_F_NO_GFI_TEST},
        {"ground_check", PW_RAPI_F_NO_GROUND}, {"relay_check", PW_RAPI_F_NO_STUCK},
        {"vent_check", PW_RAPI_F_NO_VENT},     {"temp_check", PW_RAPI_F_NO_TEMP},
    };
    unsigned off = look->board != NULL ? look->board->flags : 0;
    for (size_t i = 0; i < PW_COUNT(rows); i++) {
        pw_json_say_bool(json, rows[i].key, !is_dc(look) && (off & rows[i].off) == 0);
    }
}

void pw_oe_put_config(const struct pw_oe_look *look, struct pw_json_writer *json)
{
    const struct pw_settings *settings = &look->st->settings;
    const char *serial = pw_settings_text(settings, PW_SET_STATION_SERIAL);
    const char *id = pw_settings_text(settings, PW_SET_STATION_ID);
    const char *central = pw_settings_text(settings, PW_SET_OCPP_URL);
    const char *broker = pw_settings_text(settings, PW_SET_MQTT_URL);
    bool solar = pw_settings_int(settings, PW_SET_SOLAR_MODE) != 0;
    pw_json_say_s(json, "firmware",
                  look->board != NULL ? look->board->firmware : look->st->cp16.firmware);
    pw_json_say_s(json, "protocol",
                  look->board != NULL && look->board->rapi[0] != '\0' ? look->board->rapi : "-");
    pw_json_say_s(json, "espinfo", "Pilotwire");
    pw_json_say_s(json, "buildenv", "pilotwire");
    pw_json_say_s(json, "version", GATEWAY_VERSION);
    pw_json_say_s(json, "wifi_serial", serial[0] != '\0' ? serial : id);
    pw_json_say_s(json, "hostname", id);
    put_checks(look, json);
    pw_json_say_int(json, "service", is_dc(look) ? 0 : 2);
    pw_json_say_int(json, "max_current_soft",
                    pw_min(pw_settings_connector(settings, soft_limit(look), look->index) / 1000,
                           hardware_a(look)));
    pw_json_say_int(json, "min_current_hard",
                    pw_settings_int(settings, PW_SET_CURRENT_MIN_MA) / 1000);
    pw_json_say_int(json, "max_current_hard", hardware_a(look));
    pw_json_say_bool(json, "is_threephase", look->view.phases == 3);
    pw_json_say_bool(json, "default_state", pw_settings_int(settings, PW_SET_PLUG_AND_CHARGE) != 0);
    pw_json_say_s(json, "time_zone", pw_settings_text(settings, PW_SET_TIME_ZONE));
    pw_json_say_bool(json, "divert_enabled", solar);
    pw_json_say_s(json, "charge_mode", solar ? "eco" : "fast");
    pw_json_say_bool(json, "current_shaper_enabled",
                     pw_settings_int(settings, PW_SET_HOUSE_MANAGED) != 0);
    pw_json_say_bool(json, "ocpp_enabled", central[0] != '\0');
    pw_json_say_s(json, "ocpp_server", central);
    pw_json_say_bool(json, "mqtt_enabled", broker[0] != '\0');
    pw_json_say_s(json, "mqtt_server", broker);
    pw_json_say_int(json, "scheduler_start_window", 0);
    pw_json_say_bool(json, "wizard_passed", true);
}

void pw_oe_config_get(struct pw_oe_call *call)
{
    struct pw_oe_look look = pw_oe_look(call->api, call->index, call->now, call->wall);
    struct pw_json_writer *json = pw_oe_object(call);
    pw_oe_put_config(&look, json);
    pw_oe_done(call, 200, '}');
}

// --- Changes. Each takes its value and sets it; false after answering.

static bool bad_value(struct pw_oe_call *call, const char *key, const char *must)
{
    pw_oe_say(call, 400, key, PW_STR(": must be "), must);
    return false;
}

static bool set_flag(struct pw_oe_call *call, const char *key, const struct pw_json_node *node,
                     enum pw_setting_id id, const char *const words[2])
{
    bool on = false;
    return pw_json_bool(node, &on) == PW_OK ? pw_oe_set(call, id, 0, pw_str_of(words[on ? 1 : 0]))
                                            : bad_value(call, key, "true or false");
}

static const char *const truth_words[2] = {"0", "1"};
static const char *const solar_words[2] = {"off", "surplus"};

static bool set_divert(struct pw_oe_call *call, const struct pw_json_node *node)
{
    return set_flag(call, "divert_enabled", node, PW_SET_SOLAR_MODE, solar_words);
}

static bool set_shaper(struct pw_oe_call *call, const struct pw_json_node *node)
{
    return set_flag(call, "current_shaper_enabled", node, PW_SET_HOUSE_MANAGED, truth_words);
}

static bool set_default_state(struct pw_oe_call *call, const struct pw_json_node *node)
{
    return set_flag(call, "default_state", node, PW_SET_PLUG_AND_CHARGE, truth_words);
}

static bool set_charge_mode(struct pw_oe_call *call, const struct pw_json_node *node)
{
    struct pw_str text = PW_STR("");
    (void)!pw_json_text(node, &text);
    if (!pw_str_is(text, "fast") && !pw_str_is(text, "eco")) {
        return bad_value(call, "charge_mode", "\"fast\" or \"eco\"");
    }
    const char *word = solar_words[pw_str_is(text, "eco") ? 1 : 0];
    return pw_oe_set(call, PW_SET_SOLAR_MODE, 0, pw_str_of(word));
}

// "Europe/London|GMT0BST,M3.5.0/1,M10.5.0": the name is the client's, the rule is ours.
static bool set_zone(struct pw_oe_call *call, const struct pw_json_node *node)
{
    struct pw_str text = PW_STR("");
    if (pw_json_text(node, &text) != PW_OK || text.len == 0) {
        return bad_value(call, "time_zone", "a text");
    }
    struct pw_str name = pw_str_cut(&text, '|');
    return pw_oe_set(call, PW_SET_TIME_ZONE, 0, text.len > 0 ? text : name);
}

static bool set_soft_limit(struct pw_oe_call *call, const struct pw_json_node *node)
{
    struct pw_oe_look look = pw_oe_look(call->api, call->index, call->now, call->wall);
    char text[16];
    struct pw_out out = PW_OUT(text);
    int64_t a = 0;
    if (pw_json_int(node, 0, hardware_a(&look), &a) != PW_OK) {
        return bad_value(call, "max_current_soft", "whole ampere, 0 to max_current_hard");
    }
    pw_put_int(&out, a * 1000);
    return pw_oe_set(call, soft_limit(&look), call->index, pw_out_str(&out));
}

static const struct {
    const char *key;
    bool (*set)(struct pw_oe_call *call, const struct pw_json_node *node);
} changes[] = {
    {"max_current_soft", set_soft_limit}, {"divert_enabled", set_divert},
    {"charge_mode", set_charge_mode},     {"current_shaper_enabled", set_shaper},
    {"default_state", set_default_state}, {"time_zone", set_zone},
};

static size_t change_of(struct pw_str key)
{
    size_t i = 0;
    while (i < PW_COUNT(changes) && !pw_str_is(key, changes[i].key)) {
        i++;
    }
    return i;
}

// Every key is looked at before the first is carried out.
void pw_oe_config_post(struct pw_oe_call *call)
{
    if (!pw_json_is(call->body, PW_JSON_OBJECT)) {
        pw_oe_say(call, 400, "the body must be a JSON object", PW_STR(""), "");
        return;
    }
    struct pw_json_iter it = pw_json_each(call->body);
    while (pw_json_next(&it) != NULL) {
        if (change_of(it.key) == PW_COUNT(changes)) {
            pw_oe_say(call, 400, "", it.key, ": is not set here, but at the station's page");
            return;
        }
    }
    it = pw_json_each(call->body);
    for (const struct pw_json_node *node; (node = pw_json_next(&it)) != NULL;) {
        if (!changes[change_of(it.key)].set(call, node)) {
            return;
        }
    }
    bool any = pw_json_count(call->body) > 0;
    struct pw_json_writer *json = pw_oe_object(call);
    pw_json_say_int(json, "config_version", call->api->config_version + (any ? 1 : 0));
    pw_json_say_s(json, "msg", any ? "done" : "no change");
    pw_oe_done(call, 200, '}');
}

// Forms, as the two switches of Home Assistant send them.

void pw_oe_divert_post(struct pw_oe_call *call)
{
    char text[8] = "";
    struct pw_out value = PW_OUT(text);
    bool given = pw_http_form(call->request->body, "divertmode", &value);
    if (!given || (strcmp(text, "1") != 0 && strcmp(text, "2") != 0)) {
        (void)bad_value(call, "divertmode", "1 (fast) or 2 (eco)");
        return;
    }
    if (pw_oe_set(call, PW_SET_SOLAR_MODE, 0, pw_str_of(solar_words[text[0] - '1']))) {
        call->reply->status = 200;
        call->reply->content_type = "text/plain; charset=utf-8";
        call->reply->body = PW_STR("Divert Mode changed");
    }
}

void pw_oe_shaper_post(struct pw_oe_call *call)
{
    char text[8] = "";
    struct pw_out value = PW_OUT(text);
    bool given = pw_http_form(call->request->body, "shaper", &value);
    if (!given || (strcmp(text, "0") != 0 && strcmp(text, "1") != 0)) {
        (void)bad_value(call, "shaper", "0 or 1");
        return;
    }
    if (pw_oe_set(call, PW_SET_HOUSE_MANAGED, 0, pw_str_of(text))) {
        pw_oe_say(call, 200, "Current Shaper state changed", PW_STR(""), "");
    }
}

// {"device":"gateway"}: this program. A board restarts when a fault that needs it is cleared, never
// in the middle of a charge because somebody asks.
void pw_oe_restart_post(struct pw_oe_call *call)
{
    struct pw_str device = PW_STR("");
    (void)!pw_json_text(pw_json_member(call->body, "device"), &device);
    if (pw_str_is(device, "evse")) {
        struct pw_json_writer *json = pw_oe_object(call);
        pw_json_say_s(json, "msg", "the board is restarted by clearing its fault: console, clear");
        pw_json_say_s(json, "error", "refused"); // Home Assistant's client looks for nothing else
        pw_oe_done(call, 409, '}');
        return;
    }
    if (!pw_str_is(device, "gateway")) {
        (void)bad_value(call, "device", "\"gateway\"");
        return;
    }
    call->api->restart_at = pw_after(call->now, RESTART_MS);
    struct pw_json_writer *json = pw_oe_object(call);
    pw_json_say_s(json, "msg", "restart gateway: ok");
    pw_json_say_s(json, "result", "OK");
    pw_oe_done(call, 200, '}');
}
