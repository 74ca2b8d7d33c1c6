#include "mqtt/topics.h"

#include "mqtt/parts.h"

#include <string.h>

#define STATION   PW_MQTT_OF_STATION
#define CONNECTOR PW_MQTT_OF_CONNECTOR
#define NONE      PW_SETTING_ROWS
#define YES_NO    "0=false,1=true"

// Rows of one kind. The wire's number times `times` over `over` is the setting's.
#define SHOW(topic_, scope_, doc_)                                                                 \
    {                                                                                              \
        .topic = (topic_), .scope = (scope_), .form = PW_MQTT_ONCE, .deed = PW_MQTT_SHOW,          \
        .setting = NONE, .words = "", .unit = "", .argument = "", .echo = "", .json = "",          \
        .doc = (doc_)                                                                              \
    }
#define DO(topic_, deed_, argument_, echo_, doc_)                                                  \
    {                                                                                              \
        .topic = (topic_), .scope = STATION, .form = PW_MQTT_ONCE, .deed = (deed_),                \
        .setting = NONE, .words = "", .unit = "", .argument = (argument_), .echo = (echo_),        \
        .json = "", .doc = (doc_)                                                                  \
    }
#define NUMBER(topic_, scope_, set_, least_, most_, times_, over_, unit_, echo_, json_, doc_)      \
    {                                                                                              \
        .topic = (topic_), .scope = (scope_), .form = PW_MQTT_NUMBER, .deed = PW_MQTT_SET,         \
        .setting = (set_), .least = (least_), .most = (most_), .times = (times_), .over = (over_), \
        .words = "", .unit = (unit_), .argument = "", .echo = (echo_), .json = (json_),            \
        .doc = (doc_)                                                                              \
    }
#define CHOICE(topic_, scope_, set_, words_, echo_, json_, doc_)                                   \
    {                                                                                              \
        .topic = (topic_), .scope = (scope_), .form = PW_MQTT_CHOICE, .deed = PW_MQTT_SET,         \
        .setting = (set_), .words = (words_), .unit = "", .argument = "", .echo = (echo_),         \
        .json = (json_), .doc = (doc_)                                                             \
    }
#define UNTIL(topic_, times_, unit_, argument_, doc_)                                              \
    {                                                                                              \
        .topic = (topic_), .scope = CONNECTOR, .form = PW_MQTT_NUMBER, .deed = PW_MQTT_UNTIL,      \
        .setting = NONE, .least = 1, .most = 100, .times = (times_), .over = 1, .words = "",       \
        .unit = (unit_), .argument = (argument_), .echo = "limits", .json = "", .doc = (doc_)      \
    }
#define TIMER(topic_, set_, least_, most_, times_, over_, unit_, doc_)                             \
    NUMBER("set_" topic_, STATION, set_, least_, most_, times_, over_, unit_, "timers", topic_,    \
           doc_)

// clang-format off
const struct pw_mqtt_command_row pw_mqtt_commands[] = {
    SHOW("get_status", CONNECTOR, "publishes the connector's values anew, asks an OpenEVSE board for its answers (response...)"),
    SHOW("get_settings", STATION, "publishes settings"),
    SHOW("get_timers", STATION, "publishes timers"),
    SHOW("get_wifi", STATION, "publishes wifi; passwords never"),
    SHOW("get_debug", STATION, "publishes debug"),
    {.topic = "rapi_request", .scope = CONNECTOR, .form = PW_MQTT_TEXT, .deed = PW_MQTT_ASK, .setting = NONE, .least = 2, .most = 60,
     .words = "", .unit = "", .argument = "", .echo = "", .json = "",
     .doc = "a line for the OpenEVSE board, without $ and checksum; its answer is published on rapi_response. Lines that change the board need mqtt.username; those that would wear or endanger it are refused"},
    CHOICE("set_enable", STATION, PW_SET_CHARGING_ENABLE, "1=off,2=on,3=sleep", "enable", "", "1: out of service, 2: charges may run, 3: asleep"),
    NUMBER("set_breaker", STATION, PW_SET_HOUSE_BREAKER_MA, 6, 250, 1000, 1, "A", "breaker", "B", "main breaker of the house, each phase"),
    NUMBER("set_c_limit", CONNECTOR, PW_SET_AC_MAX_MA, 6, 32, 1000, 1, "A", "settings", "MAXC", "most current of a charge, each phase"),
    NUMBER("set_c_min_limit", STATION, PW_SET_CURRENT_MIN_MA, 6, 32, 1000, 1, "A", "settings", "MINC", "least current of a charge; with less available it pauses"),
    NUMBER("set_calibration", STATION, PW_SET_HOUSE_CT_SCALE, 5, 5000, 1, 1, "A at 10 V", "settings", "C", "our current transformers: 277 for 50 A at 1 V, 544 for 100 A at 1 V"),
    CHOICE("set_plugandcharge", STATION, PW_SET_PLUG_AND_CHARGE, YES_NO, "plugandcharge", "P&C", "1: a plugged vehicle charges at once, 0: somebody starts the charge"),
    CHOICE("set_nwpc", STATION, PW_SET_PLUG_WITHOUT_NETWORK, YES_NO, "settings", "NWPC", "plug and charge while neither broker nor central system is there"),
    CHOICE("set_neg_amp", STATION, PW_SET_HOUSE_SIGNED, YES_NO, "settings", "NA", "1: the house's meter tells direction, what is given back counts as room"),
    CHOICE("set_adjust", STATION, PW_SET_REMOTE_ADJUST, YES_NO, "settings", "A", "limits from outside (peak shaving) count"),
    CHOICE("set_autoupdate", STATION, PW_SET_AUTO_UPDATE, YES_NO, "settings", "AU", "a newer release at update.source is installed by itself, in update.window"),
    CHOICE("set_cte", STATION, PW_SET_HOUSE_CTS, "0=none,1=1,2=2,3=3,12=12,13=13,23=23,123=123", "settings", "CTE", "phases that carry a current transformer of ours; from the next start on"),
    CHOICE("set_dinamics", STATION, PW_SET_HOUSE_MANAGED, YES_NO, "settings", "DA", "1: the house stays below its breaker, 0: only set_c_limit counts"),
    CHOICE("set_lora", CONNECTOR, PW_SET_RAPI_WIRE, "0=cable,1=lora", "settings", "L", "the OpenEVSE board hangs on a cable or behind a radio; from the next start on"),
    {.topic = "set_lcd", .scope = STATION, .form = PW_MQTT_LCD, .deed = PW_MQTT_SET, .setting = PW_SET_RAPI_LCD_TEXT, .least = 1, .most = 32,
     .words = YES_NO, .unit = "", .argument = "", .echo = "settings", .json = "LCD",
     .doc = "0 or 1: the OpenEVSE board has a display; any other text is shown on it, two lines of 16"},
    {.topic = "erase_lcd", .scope = STATION, .form = PW_MQTT_ONCE, .deed = PW_MQTT_CLEAR, .setting = NONE, .words = "", .unit = "",
     .argument = "rapi.lcd_text", .echo = "responseEraseLCD", .json = "", .doc = "takes the text away; the board shows its own again"},
    UNTIL("set_t_limit", 900, "15 min", "time", "the running charge ends after so long: 4 is one hour"),
    UNTIL("set_e_limit", 1000, "kWh", "energy", "the running charge ends after so much, all phases together"),
    TIMER("timer", PW_SET_MQTT_PUBLISH_MS, 200, 500000, 1, 1, "ms", "between two looks whether a value changed enough to be published"),
    TIMER("timer1", PW_SET_STOP_IDLE_S, 1, 500000, 1, 1, "s", "without plug and charge: a charge below 0.5 A for so long ends"),
    TIMER("timer2", PW_SET_STOP_UNPLUGGED_S, 1, 500000, 1, 1, "s", "so long without a vehicle, and what held for its visit is over: charge now, the fault of timer3"),
    TIMER("timer3", PW_SET_STOP_OVER_S, 1000, 500000, 1, 1000, "ms", "a vehicle that draws 0.5 A and 2 % more than allowed for so long is stopped; whole seconds"),
    TIMER("timer4", PW_SET_HOUSE_PAUSE_AFTER_S, 1, 500000, 1, 1, "s", "with less than the least current available for so long the charge pauses"),
    TIMER("timer5", PW_SET_RAPI_POLL_CAPACITY_MS, 1000, 500000, 1, 1, "ms", "between two looks at the board's limits ($GC)"),
    TIMER("timer6", PW_SET_RAPI_POLL_CABLE_MS, 1000, 500000, 1, 1, "ms", "between two looks at the cable ($G0)"),
    TIMER("timer7", PW_SET_RAPI_POLL_CURRENT_MS, 500, 500000, 1, 1, "ms", "between two readings of current and voltage ($GG); 1000 for load management"),
    TIMER("timer8", PW_SET_RAPI_POLL_STATE_MS, 500, 10000, 1, 1, "ms", "between two looks at the board's state ($GS)"),
    TIMER("timer9", PW_SET_RAPI_POLL_ENERGY_MS, 1000, 500000, 1, 1, "ms", "between two readings of energy ($GU)"),
    TIMER("timer10", PW_SET_MQTT_FLUSH_MS, 1000, 500000, 1, 1, "ms", "between two messages on debug_log"),
    TIMER("timer11", PW_SET_NET_RETRY_MS, 1000, 500000, 1, 1, "ms", "pause before the next try to join a Wi-Fi network; doubles up to five minutes"),
    TIMER("timer12", PW_SET_MQTT_TIME_MS, 1000, 500000, 1, 1, "ms", "between two messages on synctime and freeRAM"),
    TIMER("timer13", PW_SET_RAPI_TIMEOUT_MS, 2500, 500000, 1, 1, "ms", "wait for the board's answer"),
    TIMER("timer14", PW_SET_RAPI_ERROR_RESET_MS, 1000, 500000, 1, 1, "ms", "pause after three tries without an answer"),
    TIMER("TFO", PW_SET_RAPI_IDLE_FACTOR, 1, 1000, 1, 1, "", "timers 5, 7 and 9 are so many times longer while nothing charges"),
    {.topic = "set_debug", .scope = STATION, .form = PW_MQTT_DIGITS, .deed = PW_MQTT_SET, .setting = PW_SET_MQTT_DEBUG, .most = 2 * PW_MQTT_AREAS,
     .words = "", .unit = "", .argument = "", .echo = "debug", .json = "digits", .doc = "20 areas, two digits each: log, MQTT"},
    DO("set_update", PW_MQTT_RUN, "update check", "", "installs what lies at update.source, if it is newer"),
    DO("set_update_spiffs", PW_MQTT_RUN, "update check", "", "the same: the pages come with the program"),
    DO("delete_settings", PW_MQTT_RUN, "defaults", "", "forgets every setting made while running, but Wi-Fi, AuthorizationKey and SecurityProfile, and restarts"),
    DO("delete_wifi", PW_MQTT_CLEAR, "network.", "wifi", "forgets Wi-Fi names and passwords"),
};
const size_t pw_mqtt_command_count = PW_COUNT(pw_mqtt_commands);

#define ON_DECIMAL(scope_, unit_, decimals_, places_, band_, number_)                              \
    .scope = (scope_), .when = PW_MQTT_CHANGED, .form = PW_MQTT_DECIMAL, .retain = true,           \
    .unit = (unit_), .decimals = (decimals_), .places = (places_), .band = (band_),                \
    .number = (number_)
#define ON_TEXT(scope_, when_, form_, retain_, text_)                                              \
    .scope = (scope_), .when = (when_), .form = (form_), .retain = (retain_), .unit = "",          \
    .text = (text_)
#define EVENT(scope_, form_)                                                                       \
    .scope = (scope_), .when = PW_MQTT_EVENT, .form = (form_), .unit = "", .shown_by = ""
#define BOARD(topic_, doc_) {.topic = (topic_), EVENT(CONNECTOR, PW_MQTT_PLAIN), .doc = (doc_)}

const struct pw_mqtt_value_row pw_mqtt_values[] = {
    {.topic = "fwversion", ON_TEXT(STATION, PW_MQTT_CHANGED, PW_MQTT_PLAIN, true, pw_mqtt_text_version), .shown_by = "get_status", .doc = "version of this program"},
    {.topic = "ip", ON_TEXT(STATION, PW_MQTT_CHANGED, PW_MQTT_PLAIN, true, pw_mqtt_text_ip), .shown_by = "get_status", .doc = "address of the station in its network"},
    {.topic = "breaker", ON_DECIMAL(STATION, "A", 3, 3, 0, pw_mqtt_breaker), .shown_by = "get_status", .doc = "main breaker of the house, each phase"},
    {.topic = "current1", ON_DECIMAL(STATION, "A", 3, 2, 150, pw_mqtt_current1), .shown_by = "get_status", .doc = "current of the house on L1; below zero: given back"},
    {.topic = "current2", ON_DECIMAL(STATION, "A", 3, 2, 150, pw_mqtt_current2), .shown_by = "get_status", .doc = "current of the house on L2"},
    {.topic = "current3", ON_DECIMAL(STATION, "A", 3, 2, 150, pw_mqtt_current3), .shown_by = "get_status", .doc = "current of the house on L3"},
    {.topic = "max_charging_current", ON_DECIMAL(CONNECTOR, "A", 3, 2, 150, pw_mqtt_most_current), .shown_by = "get_status", .doc = "least of all limits: what a charge may draw now, each phase"},
    {.topic = "charging_current", ON_DECIMAL(CONNECTOR, "A", 3, 2, 150, pw_mqtt_charging_current), .shown_by = "get_status", .doc = "what the charge draws; the largest phase"},
    {.topic = "active_phases", ON_TEXT(CONNECTOR, PW_MQTT_CHANGED, PW_MQTT_PLAIN, true, pw_mqtt_text_phases), .shown_by = "get_status", .doc = "phases of the house that the vehicle loads: 0 none, 1, 2, 3, 12, 13, 23, 123; 99 not known yet"},
    {.topic = "no_of_phases", ON_DECIMAL(CONNECTOR, "", 0, 0, 0, pw_mqtt_phase_count), .shown_by = "get_status", .doc = "how many these are"},
    {.topic = "power", ON_DECIMAL(CONNECTOR, "W", 3, 0, 35000, pw_mqtt_power), .shown_by = "get_status", .doc = "charging power, all phases"},
    {.topic = "energy", ON_DECIMAL(CONNECTOR, "Wh", 3, 0, 1000, pw_mqtt_energy), .shown_by = "get_status", .doc = "of the running or the last charge, all phases"},
    {.topic = "state", ON_DECIMAL(CONNECTOR, "", 0, 0, 0, pw_mqtt_plug), .shown_by = "get_status", .doc = "0: no vehicle, 1: a vehicle is connected, 2: not known"},
    {.topic = "status", ON_TEXT(CONNECTOR, PW_MQTT_CHANGED, PW_MQTT_PLAIN, true, pw_mqtt_text_status), .shown_by = "get_status", .doc = "Available, Preparing, Charging, SuspendedEVSE, SuspendedEV, Finishing, Reserved, Unavailable, Faulted"},
    {.topic = "fault", ON_TEXT(CONNECTOR, PW_MQTT_CHANGED, PW_MQTT_PLAIN, true, pw_mqtt_text_fault), .shown_by = "get_status", .doc = "code of the worst fault, PW-...; none"},
    {.topic = "voltage", ON_DECIMAL(CONNECTOR, "V", 3, 1, 1000, pw_mqtt_voltage), .shown_by = "get_status", .doc = "phase to neutral, or at the output of a dc connector"},
    {.topic = "temperature", ON_DECIMAL(CONNECTOR, "°C", 1, 1, 5, pw_mqtt_temperature), .shown_by = "get_status", .doc = "of the hottest part"},
    {.topic = "total_energy", ON_DECIMAL(CONNECTOR, "kWh", 6, 2, 10000, pw_mqtt_total_energy), .shown_by = "get_status", .doc = "of all charges, all phases"},
    {.topic = "connection", ON_TEXT(CONNECTOR, PW_MQTT_CHANGED, PW_MQTT_PLAIN, true, pw_mqtt_text_connection), .shown_by = "get_status", .doc = "OpenEVSE board: OK, or CON_ERROR_FAILED_COM : and the command that got no answer"},
    {.topic = "limits", ON_TEXT(CONNECTOR, PW_MQTT_CHANGED, PW_MQTT_JSON, true, pw_mqtt_text_limits), .shown_by = "get_status", .doc = "every source that limits the current, why, since when, and which one counts; what ends the charge"},
    {.topic = "enable", ON_TEXT(STATION, PW_MQTT_CHANGED, PW_MQTT_PLAIN, true, pw_mqtt_text_enable), .shown_by = "get_status", .doc = "1: out of service, 2: charges may run, 3: asleep"},
    {.topic = "plugandcharge", ON_TEXT(STATION, PW_MQTT_CHANGED, PW_MQTT_PLAIN, true, pw_mqtt_text_plug_and_charge), .shown_by = "get_status", .doc = "0 or 1"},
    {.topic = "settings", ON_TEXT(STATION, PW_MQTT_CHANGED, PW_MQTT_JSON, true, pw_mqtt_text_settings), .shown_by = "get_settings", .doc = "settings under their short names; schema counts changes of this form"},
    {.topic = "timers", ON_TEXT(STATION, PW_MQTT_CHANGED, PW_MQTT_JSON, true, pw_mqtt_text_timers), .shown_by = "get_timers", .doc = "all timers and TFO, in the units of their topics"},
    {.topic = "wifi", ON_TEXT(STATION, PW_MQTT_CHANGED, PW_MQTT_JSON, true, pw_mqtt_text_wifi), .shown_by = "get_wifi", .doc = "names of the two networks; a password that is set is three stars"},
    {.topic = "debug", ON_TEXT(STATION, PW_MQTT_CHANGED, PW_MQTT_JSON, true, pw_mqtt_text_debug), .shown_by = "get_debug", .doc = "the debug switches, as digits and area by area"},
    {.topic = "synctime", ON_TEXT(STATION, PW_MQTT_TIMED, PW_MQTT_PLAIN, false, pw_mqtt_text_time), .shown_by = "", .doc = "seconds since 1970 as this message left; nothing while the time is not known"},
    {.topic = "freeRAM", ON_TEXT(STATION, PW_MQTT_TIMED, PW_MQTT_PLAIN, false, pw_mqtt_text_memory), .shown_by = "get_status", .doc = "free memory, KiB"},
    {.topic = "state_change", EVENT(CONNECTOR, PW_MQTT_PLAIN), .doc = "what an OpenEVSE board says by itself, $AT and others"},
    {.topic = "timeout", EVENT(CONNECTOR, PW_MQTT_PLAIN), .doc = "milliseconds that the board took for an answer, when more than half of timer13"},
    BOARD("rapi_response", "the board's answer to rapi_request"),
    BOARD("responseGC", "the board's answer to GC, after get_status; likewise the next four"),
    BOARD("responseG0", "... to G0"),
    BOARD("responseGG", "... to GG"),
    BOARD("responseGS", "... to GS"),
    BOARD("responseGU", "... to GU"),
    BOARD("responseFD", "the board's answer when the station tells it FD, or a person by rapi_request; likewise the next five"),
    BOARD("responseFE", "... to FE"),
    BOARD("responseFS", "... to FS"),
    BOARD("responseSC", "... to SC"),
    BOARD("responseST", "... to ST"),
    BOARD("responseSH", "... to SH"),
    BOARD("responseEraseLCD", "the board's answer after erase_lcd (to F0 1: it draws its own text again)"),
    {.topic = "debug_log", EVENT(STATION, PW_MQTT_PLAIN), .doc = "log lines of the areas switched on, each between two $: $line one$$line two$"},
    {.topic = "error", EVENT(STATION, PW_MQTT_JSON), .doc = "a command that was refused: topic, value, error"},
};
const size_t pw_mqtt_value_count = PW_COUNT(pw_mqtt_values);
_Static_assert(PW_COUNT(pw_mqtt_values) <= PW_MQTT_ROWS_MAX, "pw_mqtt.said has a place for each");

// Source: the seed has twenty; ours follow the rooms that write lines.
const struct pw_mqtt_area pw_mqtt_areas[PW_MQTT_AREAS] = {
    {"charging", "dc evse session charge outlet bay"},
    {"board", "rapi openevse board wire lora"},
    {"house", "house mains meter"},
    {"load", "load"},
    {"rules", "rules schedule"},
    {"solar", "solar surplus"},
    {"mqtt", "mqtt"},
    {"network", "network wireless netman"},
    {"page", "page"},
    {"openevse_api", "openevse_api"},
    {"ocpp", "ocpp link"},
    {"uplink", "uplink"},
    {"can", "can"},
    {"store", "store journal"},
    {"station", "station"},
    {"program", "program"},
    {"", ""},
    {"", ""},
    {"", ""},
    {"", ""},
};
// clang-format on

static struct pw_str cut_word(struct pw_str *rest, struct pw_str *ours)
{
    *ours = pw_str_cut(rest, ',');
    return pw_str_cut(ours, '=');
}

struct pw_str pw_mqtt_theirs(const char *words, struct pw_str ours)
{
    struct pw_str rest = pw_str_of(words);
    while (rest.len > 0) {
        struct pw_str word;
        struct pw_str theirs = cut_word(&rest, &word);
        if (pw_str_eq(word, ours)) {
            return theirs;
        }
    }
    return PW_STR("");
}

struct pw_str pw_mqtt_ours(const char *words, struct pw_str theirs)
{
    struct pw_str rest = pw_str_of(words);
    while (rest.len > 0) {
        struct pw_str word;
        if (pw_str_eq(cut_word(&rest, &word), theirs)) {
            return word;
        }
    }
    return PW_STR("");
}

static void put_words(const char *words, struct pw_out *out)
{
    struct pw_str rest = pw_str_of(words);
    while (rest.len > 0) {
        struct pw_str ours;
        pw_put(out, cut_word(&rest, &ours));
        pw_put_s(out, rest.len == 0 ? "" : memchr(rest.at, ',', rest.len) == NULL ? " or " : ", ");
    }
}

static void put_span(const struct pw_mqtt_command_row *row, struct pw_out *out)
{
    pw_put_int(out, row->least);
    pw_put_s(out, "..");
    pw_put_int(out, row->most);
}

void pw_mqtt_print_range(const struct pw_mqtt_command_row *row, struct pw_out *out)
{
    switch (row->form) {
    case PW_MQTT_ONCE: pw_put_c(out, '1'); return;
    case PW_MQTT_NUMBER:
        put_span(row, out);
        pw_put_s(out, row->unit[0] == '\0' ? "" : row->unit[0] == '1' ? " x " : " ");
        pw_put_s(out, row->unit);
        if (row->over > 1) {
            pw_put_s(out, " in steps of ");
            pw_put_int(out, row->over);
        }
        return;
    case PW_MQTT_CHOICE: put_words(row->words, out); return;
    case PW_MQTT_DIGITS:
        pw_put_int(out, row->most);
        pw_put_s(out, " digits, each 0 or 1");
        return;
    case PW_MQTT_LCD:
        put_words(row->words, out);
        pw_put_s(out, ", or ");
        break;
    case PW_MQTT_TEXT: break;
    }
    put_span(row, out);
    pw_put_s(out, " printable ASCII characters");
}

void pw_mqtt_print_wire(const struct pw_settings *settings, const struct pw_mqtt_command_row *row,
                        unsigned connector, struct pw_out *out)
{
    // The display's switch is a setting beside its text.
    enum pw_setting_id id = row->form == PW_MQTT_LCD ? PW_SET_RAPI_LCD : row->setting;
    bool each = pw_setting_rows[id].scope == PW_SCOPE_CONNECTOR;
    const struct pw_setting_at at = {.id = id, .instance = (uint8_t)(each ? connector : 0)};
    char text[PW_SETTING_TEXT_MAX] = "";
    struct pw_out ours = PW_OUT(text);
    pw_settings_print(settings, at, &ours);
    if (row->form == PW_MQTT_NUMBER) {
        int64_t number =
            each ? pw_settings_connector(settings, id, connector) : pw_settings_int(settings, id);
        // Finer than the wire's unit: the decimals are shown, in thousandths of it.
        pw_put_fixed(out, number * 1000 * row->over / row->times, 3);
    } else if (row->words[0] != '\0') {
        pw_put(out, pw_mqtt_theirs(row->words, pw_out_str(&ours)));
    } else {
        pw_put(out, pw_out_str(&ours));
    }
}
