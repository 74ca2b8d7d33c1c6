#include "face/face.h"

#include "station.h"

#include <string.h>

#define BAR_FULL     1000
#define BAR_LEAST_MA 6000 // a scale below this would make noise look like a charge
#define FAULTS_SHOWN 4    // pages of one connector's faults

// ---------------------------------------------------------------------------------------------
// Words.

const char *pw_face_limit_words(enum pw_limit_source source)
{
    static const char *const words[PW_LIMIT_ROWS] = {
        [PW_LIMIT_HARDWARE] = "what the station is built for",
        [PW_LIMIT_SETTINGS] = "what its owner allows",
        [PW_LIMIT_CABLE] = "what this cable may carry",
        [PW_LIMIT_VEHICLE] = "what the vehicle asks for",
        [PW_LIMIT_RECTIFIER] = "what the power modules can give",
        [PW_LIMIT_TEMPERATURE] = "it is too warm for more",
        [PW_LIMIT_METER] = "the meter is silent",
        [PW_LIMIT_BOARD] = "what the board is set to",
        [PW_LIMIT_HOUSE] = "the house needs the rest",
        [PW_LIMIT_SCHEDULE] = "not now",
        [PW_LIMIT_SOLAR] = "what the roof gives",
        [PW_LIMIT_LOCAL] = "set by hand",
        [PW_LIMIT_CLAIM] = "asked for by another program",
        [PW_LIMIT_OCPP] = "set by the central system",
        [PW_LIMIT_LOAD] = "shared with others",
    };
    return words[source];
}

// What a fault means to who stands there, by vendor code; others speak for themselves.
static const struct {
    const char *vendor;
    const char *words;
} fault_words[] = {
    {"PW-ESTOP", "Emergency stop. Release it when it is safe again."},
    {"PW-WELD", "The power does not switch off. Do not touch plug or cable: call the operator."},
    {"PW-CLOSE", "The power does not switch on. Call the operator."},
    {"PW-FEEDBACK", "The power switch cannot be watched. Call the operator."},
    {"PW-STUCK", "The current does not fall. Do not unplug: call the operator."},
    {"PW-RCD", "Current leaks to earth. Do not touch cable or vehicle: call the operator."},
    {"PW-RCD-TEST", "The protection against leaking current fails its test. Call the operator."},
    {"PW-PE", "The protective earth is missing. Call the operator."},
    {"PW-OC-HARD", "Far too much current. Unplug, and have the vehicle looked at."},
    {"PW-OC", "More current than was offered. Unplug, then try once more."},
    {"PW-SHORT", "Short circuit. Unplug, and have the vehicle looked at."},
    {"PW-POL", "The battery does not fit this station. Unplug it."},
    {"PW-OV", "Too much voltage."},
    {"PW-UV", "Too little voltage. It goes on when the voltage is back."},
    {"PW-MAINS", "The mains is not good. It goes on when it is."},
    {"PW-OT", "Too hot. It goes on when it has cooled down."},
    {"PW-LOCK", "The plug does not lock. Push it in all the way, or unplug and try again."},
    {"PW-UNLOCK", "The plug does not come free. Push it in, then pull. Else call the operator."},
    {"PW-DIODE", "What is plugged in is no vehicle. Unplug it."},
    {"PW-CP-E", "The cable or the plug is wet or broken. Unplug it."},
    {"PW-PP", "This cable cannot be read. Unplug it and try again, or take another one."},
    {"PW-BMS", "The vehicle says nothing more. Unplug, then try once more."},
    {"PW-PRE", "The battery's voltage does not fit. Unplug, then try once more."},
    {"PW-DRAW", "The vehicle took more current than it may. Unplug it."},
    {"PW-BOARD", "The charging board does not answer. Call the operator."},
    {"PW-OE-LIVE", "The power does not switch off. Do not touch plug or cable: call the operator."},
    {"PW-OE-LIMIT", "The board does not keep to its limit. Call the operator."},
    {"PW-OE-VENT", "This vehicle wants ventilation, and there is none. Unplug it."},
    {"PW-OE-DIODE", "What is plugged in is no vehicle. Unplug it."},
    {"PW-OE-GFCI", "Current leaks to earth. Do not touch cable or vehicle: call the operator."},
    {"PW-OE-PE", "The protective earth is missing. Call the operator."},
    {"PW-OE-WELD", "The power does not switch off. Do not touch plug or cable: call the operator."},
    {"PW-OE-GFI-TEST", "The protection against leaking current fails its test. Call the operator."},
    {"PW-OE-OT", "Too hot. It goes on when it has cooled down."},
    {"PW-OE-OC", "More current than was offered. Unplug, then try once more."},
    {"PW-OE-CP", "The cable or the plug is wet or broken. Unplug it."},
    {"PW-OE-TEMP", "The station cannot feel its temperature. Call the operator."},
    {"PW-OE-CLOSE", "The power does not switch on. Call the operator."},
    {"PW-OE-PP-SHORT", "This cable cannot be read. Unplug it and try again, or take another one."},
    {"PW-OE-PP", "This cable cannot be read. Unplug it and try again, or take another one."},
    {"PW-OE-EEPROM", "The charging board has lost its memory. Call the operator."},
};

const char *pw_face_fault_words(const struct pw_connector_fault *fault)
{
    for (size_t i = 0; i < PW_COUNT(fault_words); i++) {
        if (strcmp(fault->vendor, fault_words[i].vendor) == 0) {
            return fault_words[i].words;
        }
    }
    return "The station needs its operator.";
}

// ---------------------------------------------------------------------------------------------
// Texts of the screen: what does not fit is cut, never refused.

static void put(struct pw_out out, const char *text)
{
    pw_put_s(&out, text);
}

#define PUT(array, text) put(PW_OUT(array), text)

static void put_figure(struct pw_screen_figure *figure, const char *label, const char *unit)
{
    PUT(figure->label, label);
    PUT(figure->unit, unit);
}

static void put_power(struct pw_screen_figure *figure, int64_t power_mw, bool measured)
{
    struct pw_out out = PW_OUT(figure->value);
    put_figure(figure, "Power", "kW");
    if (!measured) {
        pw_put_s(&out, "-");
        return;
    }
    int64_t size = power_mw < 0 ? -power_mw : power_mw;
    pw_put_places(&out, power_mw, 6, size >= 99950000 ? 0 : 1);
}

static void put_energy(struct pw_screen_figure *figure, uint64_t energy_mwh)
{
    struct pw_out out = PW_OUT(figure->value);
    put_figure(figure, "Energy", "kWh");
    pw_put_places(&out, (int64_t)energy_mwh, 6, energy_mwh >= 99995000 ? 1 : 2);
}

static void put_hours(struct pw_out *out, uint64_t ms)
{
    uint64_t minutes = ms / 60000;
    pw_put_uint(out, minutes / 60);
    pw_put_s(out, minutes % 60 < 10 ? ":0" : ":");
    pw_put_uint(out, minutes % 60);
}

static void put_ampere(struct pw_out *out, int32_t ma, unsigned places)
{
    pw_put_places(out, ma, 3, places);
    pw_put_s(out, " A");
}

static int16_t part(int32_t value, int32_t scale)
{
    return (int16_t)pw_clamp((int64_t)value * BAR_FULL / scale, 0, BAR_FULL);
}

// ---------------------------------------------------------------------------------------------
// Pages.

struct words {
    const char *state;
    const char *note;
    enum pw_screen_tone tone;
    enum pw_screen_layout layout;
};

static struct words of_preparing(const struct pw_face_page *page)
{
    if (page->view->phase == PW_PHASE_AUTHORISED) {
        return (struct words){"Card accepted", "Now plug in the vehicle", PW_SCREEN_INFO,
                              PW_SCREEN_WELCOME};
    }
    if (page->view->phase == PW_PHASE_PLUGGED) {
        return (struct words){"Plugged in", page->how_to_go_on, PW_SCREEN_INFO, PW_SCREEN_WELCOME};
    }
    return (struct words){"Starting", "One moment", PW_SCREEN_INFO, PW_SCREEN_WELCOME};
}

static struct words words_for(const struct pw_face_page *page)
{
    const struct pw_connector_view *view = page->view;
    switch (view->status) {
    case PW_STATUS_AVAILABLE:
        return (struct words){"Ready", page->how_to_start, PW_SCREEN_CALM, PW_SCREEN_WELCOME};
    case PW_STATUS_PREPARING: return of_preparing(page);
    case PW_STATUS_CHARGING: return (struct words){"Charging", "", PW_SCREEN_GO, PW_SCREEN_CHARGE};
    case PW_STATUS_SUSPENDED_EVSE:
        return (struct words){"Paused", "It goes on by itself", PW_SCREEN_WARN, PW_SCREEN_CHARGE};
    case PW_STATUS_SUSPENDED_EV:
        return (struct words){"Vehicle pauses", "Full, or waiting for its own time", PW_SCREEN_INFO,
                              PW_SCREEN_CHARGE};
    case PW_STATUS_FINISHING:
        return (struct words){"Finished", "Unplug the cable", PW_SCREEN_CALM, PW_SCREEN_WELCOME};
    case PW_STATUS_RESERVED:
        return (struct words){"Reserved", "Hold your card to the reader", PW_SCREEN_INFO,
                              PW_SCREEN_WELCOME};
    case PW_STATUS_UNAVAILABLE:
        return (struct words){"Out of service", "Please use another station", PW_SCREEN_MUTE,
                              PW_SCREEN_WELCOME};
    case PW_STATUS_FAULTED: return (struct words){"Fault", "", PW_SCREEN_BAD, PW_SCREEN_TROUBLE};
    case PW_STATUS_ROWS: break;
    }
    PW_UNREACHABLE();
}

static void phase_bars(const struct pw_connector_view *view, struct pw_screen *screen)
{
    static const char *const labels[] = {"L1", "L2", "L3"};
    int32_t scale = (int32_t)pw_max(view->offered_ma, BAR_LEAST_MA);
    for (unsigned i = 0; i < view->phases && i < PW_SCREEN_BARS; i++) {
        scale = (int32_t)pw_max(scale, view->ma[i]);
    }
    screen->bars = view->phases;
    for (unsigned i = 0; i < view->phases && i < PW_SCREEN_BARS; i++) {
        struct pw_screen_bar *bar = &screen->bar[i];
        bool known = view->measured && view->ma[i] != PW_BOARD_UNKNOWN;
        struct pw_out out = PW_OUT(bar->value);
        PUT(bar->label, labels[i]);
        if (known) {
            put_ampere(&out, view->ma[i], 1);
        } else {
            pw_put_s(&out, "-");
        }
        bar->filled = known ? part(view->ma[i], scale) : 0;
        bar->mark = part(view->offered_ma, scale);
    }
}

static void battery_bars(const struct pw_connector_view *view, struct pw_screen *screen)
{
    int32_t ma = view->measured ? view->out_ma : 0;
    int32_t scale = (int32_t)pw_max(pw_max(view->offered_ma, ma), BAR_LEAST_MA);
    if (view->vehicle.soc_permille >= 0) {
        struct pw_screen_bar *bar = &screen->bar[screen->bars++];
        struct pw_out out = PW_OUT(bar->value);
        PUT(bar->label, "Battery");
        pw_put_places(&out, view->vehicle.soc_permille, 1, 0);
        pw_put_s(&out, " %");
        bar->filled = part(view->vehicle.soc_permille, 1000);
        bar->mark = -1;
    }
    struct pw_screen_bar *bar = &screen->bar[screen->bars++];
    struct pw_out out = PW_OUT(bar->value);
    PUT(bar->label, "Current");
    if (view->measured) {
        put_ampere(&out, ma, 1);
    } else {
        pw_put_s(&out, "-");
    }
    bar->filled = part(ma, scale);
    bar->mark = part(view->offered_ma, scale);
}

static void put_most(struct pw_out *out, int32_t limit_ma)
{
    put_ampere(out, limit_ma, limit_ma % 1000 == 0 ? 0 : 1);
}

// Since when, from a minute on: seconds would only flicker.
static void put_age(struct pw_out *out, pw_ms age_ms)
{
    pw_ms minutes = age_ms / 60000;
    if (minutes == 0) {
        return;
    }
    pw_put_s(out, " for ");
    if (minutes < 60) {
        pw_put_uint(out, minutes);
        pw_put_s(out, " min");
    } else {
        put_hours(out, age_ms);
        pw_put_s(out, " h");
    }
}

// Whose limit it is, and why where that says more: a battery's or a power module's own reason is
// for the service.
static void put_limit(struct pw_out *out, const struct pw_face_page *page)
{
    const struct pw_connector_view *view = page->view;
    const char *words = pw_face_limit_words(view->limit_who);
    bool technical = view->limit_who == PW_LIMIT_VEHICLE || view->limit_who == PW_LIMIT_RECTIFIER;
    bool held = view->limit_who == PW_LIMIT_SCHEDULE && page->hold != NULL && page->hold[0] != '\0';
    const char *why = held ? page->hold : view->limit_why;
    pw_put_s(out, words);
    if (why[0] != '\0' && !technical && strcmp(why, words) != 0 &&
        strcmp(why, pw_limit_source_name(view->limit_who)) != 0) {
        pw_put_s(out, ": ");
        pw_put_s(out, why);
    }
}

static void charge_page(const struct pw_face_page *page, struct pw_screen *screen)
{
    const struct pw_connector_view *view = page->view;
    struct pw_out time = PW_OUT(screen->figure[2].value);
    struct pw_out most = PW_OUT(screen->line[0]);
    struct pw_out why = PW_OUT(screen->line[1]);
    put_power(&screen->figure[0], view->power_mw, view->measured);
    put_energy(&screen->figure[1], view->session_mwh);
    put_figure(&screen->figure[2], "Time", "h");
    put_hours(&time, view->session_ms);
    if (view->phases > 0) {
        phase_bars(view, screen);
    } else {
        battery_bars(view, screen);
    }
    pw_put_s(&most, "Up to ");
    put_most(&most, page->limit_ma);
    put_age(&most, page->limit_age_ms);
    put_limit(&why, page);
}

static void welcome_page(const struct pw_face_page *page, struct pw_screen *screen)
{
    const struct pw_connector_view *view = page->view;
    size_t line = 0;
    if (!page->only) {
        struct pw_out out = PW_OUT(screen->line[line]);
        line++;
        pw_put_s(&out, "Connector ");
        pw_put_uint(&out, view->connector_id);
    }
    if (view->status == PW_STATUS_UNAVAILABLE) {
        return;
    }
    struct pw_out what = PW_OUT(screen->line[line]);
    line++;
    pw_put_s(&what, view->phases == 0   ? "Direct current, up to "
                    : view->phases == 1 ? "One phase, up to "
                                        : "Three phases, up to ");
    put_most(&what, page->limit_ma);
    if (view->session_mwh > 0) {
        struct pw_out last = PW_OUT(screen->line[line]);
        pw_put_s(&last, view->status == PW_STATUS_FINISHING ? "This charge: " : "Last charge: ");
        pw_put_places(&last, (int64_t)view->session_mwh, 6, 2);
        pw_put_s(&last, " kWh");
        if (view->session_ms > 0) {
            pw_put_s(&last, " in ");
            put_hours(&last, view->session_ms);
            pw_put_s(&last, " h");
        }
    }
}

static void fault_page(const struct pw_connector_fault *fault, struct pw_screen *screen)
{
    struct pw_out code = PW_OUT(screen->code);
    PUT(screen->line[0], pw_face_fault_words(fault));
    PUT(screen->line[1], fault->stays ? "It stays until it is cleared." : "It goes by itself.");
    pw_put_s(&code, fault->vendor);
}

static void put_frame(const struct pw_face_frame *frame, struct pw_screen *screen)
{
    memset(screen, 0, sizeof(*screen));
    screen->pages = 1;
    PUT(screen->station, frame->station);
    PUT(screen->clock, frame->clock);
    PUT(screen->url, frame->url);
    PUT(screen->link, !frame->has_central ? "" : frame->online ? "online" : "offline");
    screen->link_tone = frame->online ? PW_SCREEN_GO : PW_SCREEN_WARN;
}

void pw_face_draw(const struct pw_face_frame *frame, const struct pw_face_page *page,
                  struct pw_screen *screen)
{
    const struct pw_connector_view *view = page->view;
    struct words words = page->fault != NULL
                             ? (struct words){"Fault", "", PW_SCREEN_BAD, PW_SCREEN_TROUBLE}
                             : words_for(page);
    put_frame(frame, screen);
    screen->layout = words.layout;
    screen->tone = words.tone;
    PUT(screen->state, words.state);
    struct pw_out note = PW_OUT(screen->note);
    if (words.layout != PW_SCREEN_WELCOME && !page->only) {
        pw_put_s(&note, "Connector ");
        pw_put_uint(&note, view->connector_id);
        pw_put_s(&note, words.note[0] != '\0' ? ": " : "");
    }
    pw_put_s(&note, words.note);
    if (page->fault != NULL) {
        fault_page(page->fault, screen);
    } else if (words.layout == PW_SCREEN_CHARGE) {
        charge_page(page, screen);
    } else if (words.layout == PW_SCREEN_WELCOME) {
        welcome_page(page, screen);
    } else {
        PUT(screen->line[0],
            view->info[0] != '\0' ? view->info : "The station needs its operator.");
        PUT(screen->code, view->vendor_code);
    }
}

// ---------------------------------------------------------------------------------------------
// Turns.

// The `wanted`-th active fault of a connector, counted from 0. False when it has fewer.
static bool find_fault(const struct pw_connector *connector, unsigned wanted,
                       struct pw_connector_fault *fault)
{
    for (unsigned row = 0; pw_connector_fault(connector, row, fault); row++) {
        if (fault->active && wanted-- == 0) {
            return true;
        }
    }
    return false;
}

// Pages of a connector: itself, or its faults; a fault beside a running charge comes after it.
static unsigned pages_of(const struct pw_connector *connector, const struct pw_connector_view *view,
                         unsigned *faults)
{
    struct pw_connector_fault fault;
    *faults = 0;
    while (*faults < FAULTS_SHOWN && find_fault(connector, *faults, &fault)) {
        (*faults)++;
    }
    return *faults + (view->status == PW_STATUS_FAULTED && *faults > 0 ? 0U : 1U);
}

// How a charge is begun here, from the start or with a vehicle plugged in.
static const char *how_to(const struct pw_station *st, bool plugged)
{
    const struct pw_settings *settings = &st->settings;
    if (st->rules.mode != PW_RULES_CONTROLLED) {
        return plugged ? "It starts by itself" : "Plug in: it starts by itself";
    }
    if (pw_settings_text(settings, PW_SET_CARD_DEVICE)[0] != '\0') {
        return plugged ? "Hold your card to the reader"
                       : "Plug in, and hold your card to the reader";
    }
    return plugged ? "Start in your app" : "Plug in, and start in your app";
}

// Page `within` of a connector: itself, or one of its faults.
static void show_connector(const struct pw_station *st, const struct pw_face_frame *frame,
                           const struct pw_connector_view *view, unsigned within, pw_ms now,
                           struct pw_screen *screen)
{
    unsigned index = view->connector_id - 1U;
    const struct pw_connector *connector = &st->connector[index];
    unsigned faults = 0;
    unsigned own = pages_of(connector, view, &faults) - faults; // 1: it has a page beside them
    struct pw_connector_fault fault;
    bool faulty = within >= own && find_fault(connector, within - own, &fault);
    struct pw_rules_view rules;
    pw_rules_view(&st->rules, index, &rules, now);
    pw_ms since = view->limit_since;
    const struct pw_face_page page = {.view = view,
                                      .limit_age_ms = since == PW_NEVER ? 0 : now - since,
                                      .hold = rules.text,
                                      .fault = faulty ? &fault : NULL,
                                      .limit_ma = pw_connector_limits(connector)->effective_ma,
                                      .only = st->connectors == 1,
                                      .how_to_start = how_to(st, false),
                                      .how_to_go_on = how_to(st, true)};
    pw_face_draw(frame, &page, screen);
}

// Connectors take turns with their faults, and with how to tell the station a network.
pw_ms pw_face_show(const struct pw_station *st, const char *clock, const char *url, pw_ms now,
                   struct pw_screen *screen)
{
    struct pw_connector_view view[PW_CONNECTORS_MAX] = {{.connector_id = 0}};
    unsigned pages[PW_CONNECTORS_MAX] = {0};
    unsigned faults = 0;
    unsigned all = st->network.state == PW_NETWORK_HOST ? 1 : 0;
    for (unsigned i = 0; i < st->connectors; i++) {
        pw_connector_view(&st->connector[i], &view[i], now);
        pages[i] = pages_of(&st->connector[i], &view[i], &faults);
        all += pages[i];
    }
    PW_ASSERT(all > 0 && st->connectors > 0);
    unsigned shown = (unsigned)(now / PW_FACE_TURN_MS % (pw_ms)pw_max(all, 1));
    unsigned index = 0;
    unsigned within = shown;
    while (index < st->connectors && within >= pages[index]) {
        within -= pages[index++];
    }
    const struct pw_face_frame frame = {
        .station = pw_settings_text(&st->settings, PW_SET_STATION_ID),
        .has_central = pw_settings_text(&st->settings, PW_SET_OCPP_URL)[0] != '\0',
        .online = pw_cp16_online(&st->cp16),
        .clock = clock,
        .url = url,
    };
    if (index < st->connectors) {
        show_connector(st, &frame, &view[index], within, now, screen);
    } else {
        put_frame(&frame, screen);
        pw_face_set_up(&st->network, screen);
    }
    screen->page = (uint8_t)shown;
    screen->pages = (uint8_t)all;
    return all > 1 ? (now / PW_FACE_TURN_MS + 1) * PW_FACE_TURN_MS : PW_NEVER;
}
