// The schedule. OpenEVSE has events: from this time on these days the station is active, or
// disabled. This station has windows in which charging is allowed (schedule.weekly). A window is an
// active event and the disabled one that follows; events without any disabled one leave every time
// allowed, and disabled ones alone would end charging for ever: they are refused.
#include "openevse_api/parts.h"

#include <string.h>

#define DAY        1440U
#define WEEK       (7U * DAY)
#define EVENTS     ((size_t)PW_OPENEVSE_API_EVENTS_MAX)
#define PAIRS      (EVENTS * EVENTS)
#define OCCURS_MAX (7 * EVENTS)

static const char *const day_names[7] = {"monday", "tuesday",  "wednesday", "thursday",
                                         "friday", "saturday", "sunday"};

// --- Windows and events.

static bool falls_on(uint8_t days, size_t day)
{
    return ((unsigned)days >> day & 1U) != 0;
}

static uint8_t next_days(uint8_t days)
{
    return (uint8_t)(((unsigned)days << 1 | (unsigned)days >> 6) & 0x7F);
}

static void derive(struct pw_openevse_api *api)
{
    char text[PW_SETTING_WHY_MAX];
    struct pw_out why = PW_OUT(text);
    struct pw_plan plan = {.windows = 0};
    memset(api->event, 0, sizeof(api->event));
    if (pw_plan_parse_week(pw_str_of(api->plan), &plan, &why) != PW_OK) {
        return; // a setting is checked when it is set; nothing is shown of one that is not
    }
    _Static_assert(PW_OPENEVSE_API_EVENTS_MAX >= 2 * PW_PLAN_WINDOWS_MAX,
                   "every window has two events");
    for (size_t i = 0; i < plan.windows; i++) {
        const struct pw_window *window = &plan.window[i];
        bool over = window->to_min <= window->from_min || window->to_min == DAY;
        api->event[i * 2] = (struct pw_openevse_event){.id = (uint32_t)i * 2 + 1,
                                                       .active = true,
                                                       .days = window->days,
                                                       .minute = window->from_min};
        api->event[i * 2 + 1] =
            (struct pw_openevse_event){.id = (uint32_t)i * 2 + 2,
                                       .days = over ? next_days(window->days) : window->days,
                                       .minute = window->to_min % DAY};
    }
}

void pw_oe_follow_plan(struct pw_openevse_api *api)
{
    const char *set = pw_settings_text(&api->config.station->settings, PW_SET_WEEKLY_PLAN);
    if (strcmp(set, api->plan) != 0) {
        int err = pw_str_copy(api->plan, sizeof(api->plan), pw_str_of(set));
        PW_ASSERT(err == PW_OK);
        derive(api);
        api->schedule_version++;
    }
}

// One time of the week at which an event falls due.
struct occurrence {
    uint16_t at; // minutes since Monday
    bool active;
};

static size_t list(const struct pw_openevse_event *event, struct occurrence *to)
{
    size_t count = 0;
    for (size_t i = 0; i < EVENTS; i++) {
        for (unsigned day = 0; event[i].id != 0 && day < 7; day++) {
            if (falls_on(event[i].days, day)) {
                to[count++] = (struct occurrence){.at = (uint16_t)(day * DAY + event[i].minute),
                                                  .active = event[i].active};
            }
        }
    }
    return count;
}

static unsigned ahead(uint16_t from, uint16_t to)
{
    return (unsigned)(to + WEEK - from) % WEEK;
}

// How long after `from` the nearest disabled occurrence comes; WEEK: there is none.
static unsigned until_disabled(const struct occurrence *all, size_t count, uint16_t from)
{
    unsigned least = WEEK;
    for (size_t i = 0; i < count; i++) {
        unsigned span = ahead(from, all[i].at);
        least = !all[i].active && span > 0 && span < least ? span : least;
    }
    return least;
}

// Whether the station is active already when an active occurrence comes.
static bool runs_before(const struct occurrence *all, size_t count, uint16_t at)
{
    unsigned least = WEEK;
    bool active = false;
    for (size_t i = 0; i < count; i++) {
        unsigned span = ahead(all[i].at, at);
        if (span > 0 && span < least) {
            least = span;
            active = all[i].active;
        }
    }
    return active;
}

// Adds a day to the window with these times; PW_ERR_LIMIT when there are too many.
static int add_window(struct pw_plan *plan, unsigned day, unsigned from, unsigned to)
{
    size_t i = 0;
    while (i < plan->windows &&
           (plan->window[i].from_min != from || plan->window[i].to_min != to)) {
        i++;
    }
    if (i == PW_PLAN_WINDOWS_MAX) {
        return PW_ERR_LIMIT;
    }
    plan->windows = (uint8_t)pw_max(plan->windows, (int64_t)i + 1);
    plan->window[i].from_min = (uint16_t)from;
    plan->window[i].to_min = (uint16_t)to;
    plan->window[i].days |= (uint8_t)(1U << day);
    return PW_OK;
}

// The windows of one active occurrence; one of a day or more is cut at midnight.
static int add_span(struct pw_plan *plan, unsigned at, unsigned span)
{
    int err = PW_OK;
    while (err == PW_OK && span > 0) {
        unsigned from = at % DAY;
        unsigned piece = span < DAY ? span : DAY - from;
        unsigned to = from + piece;
        err = add_window(plan, at / DAY, from, to > DAY ? to - DAY : to);
        at = (at + piece) % WEEK;
        span -= piece;
    }
    return err;
}

static void put_minute(struct pw_out *out, unsigned minute)
{
    pw_put_c(out, (char)('0' + minute / 600));
    pw_put_c(out, (char)('0' + minute / 60 % 10));
    pw_put_c(out, ':');
    pw_put_c(out, (char)('0' + minute % 60 / 10));
    pw_put_c(out, (char)('0' + minute % 10));
}

static void put_plan(const struct pw_plan *plan, struct pw_out *out)
{
    for (size_t i = 0; i < plan->windows; i++) {
        bool first = true;
        pw_put_s(out, i > 0 ? "; " : "");
        for (unsigned day = 0; day < 7; day++) {
            if (falls_on(plan->window[i].days, day)) {
                pw_put_s(out, first ? "" : ",");
                pw_put(out, (struct pw_str){.at = day_names[day], .len = 3});
                first = false;
            }
        }
        pw_put_c(out, ' ');
        put_minute(out, plan->window[i].from_min);
        pw_put_c(out, '-');
        put_minute(out, plan->window[i].to_min);
    }
}

// The weekly plan of these events as the setting has it. False after answering why there is none.
static bool compose(struct pw_oe_call *call, const struct pw_openevse_event *event,
                    struct pw_out *out)
{
    struct occurrence all[OCCURS_MAX];
    struct pw_plan plan = {.windows = 0};
    size_t count = list(event, all);
    bool any_active = false;
    int err = PW_OK;
    for (size_t i = 0; err == PW_OK && i < count; i++) {
        any_active = any_active || all[i].active;
        unsigned span = until_disabled(all, count, all[i].at);
        if (all[i].active && span < WEEK && !runs_before(all, count, all[i].at)) {
            err = add_span(&plan, all[i].at, span);
        }
    }
    if (count > 0 && !any_active) {
        pw_oe_say(call, 400,
                  "with disabled events alone nothing would charge any more: post the active ones "
                  "first, or all in one list",
                  PW_STR(""), "");
        return false;
    }
    put_plan(&plan, out);
    if (err != PW_OK || out->full) {
        pw_oe_say(call, 400, "the plan has too many windows: at most 16, and 200 characters",
                  PW_STR(""), "");
        return false;
    }
    return true;
}

// Two events at the same time that want different things mean nothing.
static bool contradict(const struct pw_openevse_event *a, const struct pw_openevse_event *b)
{
    return a->id != 0 && b->id != 0 && a->minute == b->minute && a->active != b->active &&
           (a->days & b->days) != 0;
}

// Puts the events into force. False after answering.
static bool enforce(struct pw_oe_call *call, const struct pw_openevse_event *event)
{
    struct pw_openevse_api *api = call->api;
    char text[PW_SETTING_TEXT_MAX] = "";
    struct pw_out plan = PW_OUT(text);
    for (size_t i = 0; i < PAIRS; i++) {
        if (contradict(&event[i / EVENTS], &event[i % EVENTS])) {
            pw_oe_say(call, 400, "two events at the same time are active and disabled", PW_STR(""),
                      "");
            return false;
        }
    }
    if (!compose(call, event, &plan) ||
        (strcmp(text, api->plan) != 0 &&
         !pw_oe_set(call, PW_SET_WEEKLY_PLAN, 0, pw_out_str(&plan)))) {
        return false;
    }
    int err = pw_str_copy(api->plan, sizeof(api->plan), pw_out_str(&plan));
    PW_ASSERT(err == PW_OK);
    memcpy(api->event, event, sizeof(api->event));
    api->schedule_version++;
    return true;
}

// --- Requests.

// "07:30" or "07:30:00".
static bool take_time(struct pw_oe_call *call, const struct pw_json_node *node, uint16_t *minute)
{
    struct pw_str text = PW_STR("");
    int64_t hours = 0;
    int64_t minutes = 0;
    (void)!pw_json_text(node, &text);
    struct pw_str h = pw_str_cut(&text, ':');
    struct pw_str m = pw_str_cut(&text, ':');
    if (pw_parse_int(h, 0, 23, &hours) != PW_OK || pw_parse_int(m, 0, 59, &minutes) != PW_OK ||
        (text.len > 0 && !pw_str_is(text, "00"))) {
        pw_oe_say(call, 400, "time: must be local, HH:MM or HH:MM:00", PW_STR(""), "");
        return false;
    }
    *minute = (uint16_t)(hours * 60 + minutes);
    return true;
}

static bool take_days(struct pw_oe_call *call, const struct pw_json_node *node, uint8_t *days)
{
    struct pw_json_iter it = pw_json_each(node);
    *days = 0;
    for (const struct pw_json_node *item; (item = pw_json_next(&it)) != NULL;) {
        struct pw_str name = PW_STR("");
        unsigned day = 0;
        (void)!pw_json_text(item, &name);
        while (day < 7 && !pw_str_is(name, day_names[day])) {
            day++;
        }
        if (day == 7) {
            pw_oe_say(call, 400, "days: must be names of days, monday to sunday", PW_STR(""), "");
            return false;
        }
        *days |= (uint8_t)(1U << day);
    }
    if (*days == 0) {
        pw_oe_say(call, 400, "days: must be a list of at least one day", PW_STR(""), "");
    }
    return *days != 0;
}

static uint32_t free_id(const struct pw_openevse_event *event)
{
    uint32_t id = 0;
    for (size_t i = 0; i < EVENTS; i++) {
        id = event[i].id > id ? event[i].id : id;
    }
    return id + 1;
}

static struct pw_openevse_event *event_of(struct pw_openevse_event *event, uint32_t id)
{
    for (size_t i = 0; i < EVENTS; i++) {
        if (event[i].id == id) {
            return &event[i];
        }
    }
    return NULL;
}

// Reads an event into its row. `id` 0: as the body says, or a new one. False after answering.
static bool take_event(struct pw_oe_call *call, const struct pw_json_node *node, uint32_t id,
                       struct pw_openevse_event *events)
{
    const struct pw_json_node *given = pw_json_member(node, "id");
    struct pw_openevse_event made = {.id = id};
    struct pw_str state = PW_STR("");
    int64_t number = id;
    if (given != NULL &&
        (pw_json_int(given, 1, 65535, &number) != PW_OK || (id != 0 && number != (int64_t)id))) {
        pw_oe_say(call, 400, "id: must be 1 to 65535, and that of the path", PW_STR(""), "");
        return false;
    }
    made.id = number > 0 ? (uint32_t)number : free_id(events);
    (void)!pw_json_text(pw_json_member(node, "state"), &state);
    made.active = pw_str_is(state, "active");
    if (!made.active && !pw_str_is(state, "disabled")) {
        pw_oe_say(call, 400, "state: must be \"active\" or \"disabled\"", PW_STR(""), "");
        return false;
    }
    if (!take_time(call, pw_json_member(node, "time"), &made.minute) ||
        !take_days(call, pw_json_member(node, "days"), &made.days)) {
        return false;
    }
    struct pw_openevse_event *row = event_of(events, made.id);
    row = row != NULL ? row : event_of(events, 0);
    if (row == NULL) {
        pw_oe_say(call, 400, "there may be 32 events at most", PW_STR(""), "");
        return false;
    }
    *row = made;
    return true;
}

static void put_event(struct pw_json_writer *json, const struct pw_openevse_event *event)
{
    char text[16];
    struct pw_out time = PW_OUT(text);
    put_minute(&time, event->minute);
    pw_put_s(&time, ":00");
    pw_json_say_int(json, "id", event->id);
    pw_json_say_s(json, "state", event->active ? "active" : "disabled");
    pw_json_say_text(json, "time", pw_out_str(&time));
    pw_json_key(json, "days");
    pw_json_open(json, '[');
    for (unsigned day = 0; day < 7; day++) {
        if (falls_on(event->days, day)) {
            pw_json_put_s(json, day_names[day]);
        }
    }
    pw_json_close(json, ']');
}

void pw_oe_schedule_get(struct pw_oe_call *call)
{
    pw_oe_follow_plan(call->api);
    struct pw_json_writer *json = pw_oe_array(call);
    for (size_t i = 0; i < EVENTS; i++) {
        if (call->api->event[i].id != 0) {
            pw_json_open(json, '{');
            put_event(json, &call->api->event[i]);
            pw_json_close(json, '}');
        }
    }
    pw_oe_done(call, 200, ']');
}

// One event or a list of them. Home Assistant's client asks for the schedule with an empty POST.
void pw_oe_schedule_post(struct pw_oe_call *call)
{
    struct pw_openevse_event events[EVENTS];
    if (call->body == NULL) {
        pw_oe_schedule_get(call);
        return;
    }
    pw_oe_follow_plan(call->api);
    memcpy(events, call->api->event, sizeof(events));
    if (pw_json_is(call->body, PW_JSON_ARRAY)) {
        struct pw_json_iter it = pw_json_each(call->body);
        for (const struct pw_json_node *node; (node = pw_json_next(&it)) != NULL;) {
            if (!take_event(call, node, 0, events)) {
                return;
            }
        }
    } else if (!take_event(call, call->body, 0, events)) {
        return;
    }
    if (enforce(call, events)) {
        pw_oe_say(call, 200, "done", PW_STR(""), "");
    }
}

static bool take_id(struct pw_oe_call *call, uint32_t *id)
{
    int64_t number = 0;
    if (pw_parse_int(call->param, 1, 65535, &number) != PW_OK) {
        pw_oe_say(call, 404, "there is no event \"", call->param, "\"");
        return false;
    }
    *id = (uint32_t)number;
    pw_oe_follow_plan(call->api);
    return true;
}

// As take_id, for an event that must be there.
static struct pw_openevse_event *take_known(struct pw_oe_call *call)
{
    uint32_t id = 0;
    if (!take_id(call, &id)) {
        return NULL;
    }
    struct pw_openevse_event *event = event_of(call->api->event, id);
    if (event == NULL) {
        pw_oe_say(call, 404, "Not found", PW_STR(""), "");
    }
    return event;
}

void pw_oe_event_get(struct pw_oe_call *call)
{
    const struct pw_openevse_event *event = take_known(call);
    if (event != NULL) {
        struct pw_json_writer *json = pw_oe_object(call);
        put_event(json, event);
        pw_oe_done(call, 200, '}');
    }
}

void pw_oe_event_post(struct pw_oe_call *call)
{
    struct pw_openevse_event events[EVENTS];
    uint32_t id = 0;
    if (!take_id(call, &id)) {
        return;
    }
    memcpy(events, call->api->event, sizeof(events));
    if (take_event(call, call->body, id, events) && enforce(call, events)) {
        pw_oe_say(call, 200, "done", PW_STR(""), "");
    }
}

void pw_oe_event_delete(struct pw_oe_call *call)
{
    struct pw_openevse_event events[EVENTS];
    const struct pw_openevse_event *event = take_known(call);
    if (event == NULL) {
        return;
    }
    memcpy(events, call->api->event, sizeof(events));
    struct pw_openevse_event *gone = event_of(events, event->id);
    PW_ASSERT(gone != NULL);
    gone->id = 0;
    if (enforce(call, events)) {
        pw_oe_say(call, 200, "done", PW_STR(""), "");
    }
}

// Where the week stands, and which event comes next.
void pw_oe_plan_get(struct pw_oe_call *call)
{
    if (call->wall == 0) {
        pw_oe_say(call, 503, "this station has not been told the time yet", PW_STR(""), "");
        return;
    }
    pw_oe_follow_plan(call->api);
    int64_t local_s = (int64_t)(call->wall / 1000) + pw_oe_zone_s(pw_oe_station(call), call->wall);
    unsigned day = (unsigned)((local_s / 86400 + 3) % 7); // 1970-01-01 was a Thursday
    uint16_t at = (uint16_t)(day * DAY + (unsigned)(local_s % 86400 / 60));
    const struct pw_openevse_event *next = NULL;
    unsigned least = WEEK + 1;
    for (size_t i = 0; i < OCCURS_MAX; i++) {
        const struct pw_openevse_event *event = &call->api->event[i / 7];
        unsigned span = ahead(at, (uint16_t)(i % 7 * DAY + event->minute));
        span = span == 0 ? WEEK : span;
        if (event->id != 0 && falls_on(event->days, i % 7) && span < least) {
            least = span;
            next = event;
        }
    }
    struct pw_json_writer *json = pw_oe_object(call);
    pw_json_say_s(json, "current_day", day_names[day]);
    pw_json_say_int(json, "current_offset", local_s % 86400);
    if (next != NULL) {
        pw_json_say_int(json, "next_event_delay", (int64_t)least * 60 - local_s % 60);
        pw_json_key(json, "next_event");
        pw_json_open(json, '{');
        put_event(json, next);
        pw_json_close(json, '}');
    }
    pw_oe_done(call, 200, '}');
}
