// Time zones and plans as people and systems write them. Every refusal says what was expected
// where, and changes nothing.
#include "schedule/schedule.h"

#define HOUR_S 3600

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static char peek(const struct pw_str *rest)
{
    return rest->len > 0 ? rest->at[0] : '\0';
}

static void skip(struct pw_str *rest, size_t count)
{
    rest->at += count;
    rest->len -= count;
}

static bool take(struct pw_str *rest, char c)
{
    bool there = rest->len > 0 && rest->at[0] == c;
    skip(rest, there ? 1 : 0);
    return there;
}

// 1..most_digits digits of a number in least..most; -1 if that is not what stands there.
static int32_t take_number(struct pw_str *rest, unsigned most_digits, int32_t least, int32_t most)
{
    int32_t value = 0;
    unsigned digits = 0;
    while (digits < most_digits && is_digit(peek(rest))) {
        value = value * 10 + (rest->at[0] - '0');
        skip(rest, 1);
        digits++;
    }
    return digits > 0 && value >= least && value <= most ? value : -1;
}

static int refuse(struct pw_out *why, const char *thing, struct pw_str text, const char *must)
{
    enum { SHOWN = 60 };
    if (why != NULL) {
        pw_put_s(why, thing);
        pw_put_s(why, " \"");
        pw_put(why, (struct pw_str){.at = text.at, .len = text.len > SHOWN ? SHOWN : text.len});
        pw_put_s(why, "\" is not allowed; ");
        pw_put_s(why, must);
    }
    return PW_ERR_RANGE;
}

// ---------------------------------------------------------------------------------------------
// POSIX TZ: std offset [dst [offset] , start [/time] , end [/time]]

// The pieces of a zone, each with what is wrong when it does not stand there.
enum flaw { FINE, NAME, OFFSET, RULE, TIME, MISSING, TRAILING, FLAWS };

static const char *const flaws[FLAWS] = {
    [FINE] = "",
    [NAME] = "a zone's name has 3 to 8 letters, or letters, digits, + and - in <>",
    [OFFSET] = "an offset is 0 to 24 hours west of Greenwich, [-]HH[:MM[:SS]]",
    [RULE] = "a rule is Mmonth.week.day (M3.5.0), Jday (J60) or day (59)",
    [TIME] = "a rule's time is -167 to 167 hours, [-]HH[:MM[:SS]]",
    [MISSING] = "daylight saving time needs both rules: CET-1CEST,M3.5.0,M10.5.0/3",
    [TRAILING] = "nothing may follow: CET-1CEST,M3.5.0,M10.5.0/3, or UTC0",
};

static enum flaw take_name(struct pw_str *rest, char to[PW_ZONE_NAME_MAX])
{
    bool quoted = take(rest, '<');
    size_t len = 0;
    while (len < rest->len && (is_letter(rest->at[len]) ||
                               (quoted && (is_digit(rest->at[len]) || rest->at[len] == '+' ||
                                           rest->at[len] == '-')))) {
        len++;
    }
    struct pw_str name = {.at = rest->at, .len = len};
    skip(rest, len);
    if (len < 3 || len >= PW_ZONE_NAME_MAX || (quoted && !take(rest, '>'))) {
        return NAME;
    }
    return pw_str_copy(to, PW_ZONE_NAME_MAX, name) == PW_OK ? FINE : NAME;
}

// [+-]h[h[h]][:mm[:ss]] in seconds.
static enum flaw take_hours(struct pw_str *rest, int32_t most_hours, enum flaw flaw, int32_t *value)
{
    bool minus = take(rest, '-');
    if (!minus) {
        (void)take(rest, '+');
    }
    int32_t hours = take_number(rest, most_hours > 99 ? 3 : 2, 0, most_hours);
    int32_t minutes = 0;
    int32_t seconds = 0;
    if (take(rest, ':')) {
        minutes = take_number(rest, 2, 0, 59);
        seconds = take(rest, ':') ? take_number(rest, 2, 0, 59) : 0;
    }
    if (hours < 0 || minutes < 0 || seconds < 0) {
        return flaw;
    }
    *value = (hours * HOUR_S + minutes * 60 + seconds) * (minus ? -1 : 1);
    return FINE;
}

static bool take_month_rule(struct pw_str *rest, struct pw_zone_rule *rule)
{
    int32_t month = take_number(rest, 2, 1, 12);
    bool dot_1 = take(rest, '.');
    int32_t nth = take_number(rest, 1, 1, 5);
    bool dot_2 = take(rest, '.');
    int32_t day = take_number(rest, 1, 0, 6);
    *rule = (struct pw_zone_rule){
        .kind = PW_ZONE_MONTH, .month = (uint8_t)month, .week = (uint8_t)nth, .day = (uint16_t)day};
    return month > 0 && dot_1 && nth > 0 && dot_2 && day >= 0;
}

static enum flaw take_rule(struct pw_str *rest, struct pw_zone_rule *rule)
{
    if (!take(rest, ',')) {
        return MISSING;
    }
    if (take(rest, 'M')) {
        if (!take_month_rule(rest, rule)) {
            return RULE;
        }
    } else {
        bool julian = take(rest, 'J');
        int32_t day = take_number(rest, 3, julian ? 1 : 0, 365);
        if (day < 0) {
            return RULE;
        }
        *rule = (struct pw_zone_rule){.kind = julian ? PW_ZONE_JULIAN : PW_ZONE_DAY,
                                      .day = (uint16_t)day};
    }
    rule->time_s = 2 * HOUR_S;
    return take(rest, '/') ? take_hours(rest, 167, TIME, &rule->time_s) : FINE;
}

static enum flaw take_dst(struct pw_str *rest, struct pw_zone *zone)
{
    enum flaw flaw = take_name(rest, zone->dst);
    int32_t west_s = -zone->std_s - HOUR_S; // an hour ahead, unless it is said
    if (flaw == FINE && rest->len > 0 && peek(rest) != ',') {
        flaw = take_hours(rest, 24, OFFSET, &west_s);
    }
    zone->dst_s = -west_s;
    if (flaw == FINE) {
        flaw = take_rule(rest, &zone->start);
    }
    return flaw == FINE ? take_rule(rest, &zone->end) : flaw;
}

int pw_zone_parse(struct pw_str text, struct pw_zone *zone, struct pw_out *why)
{
    struct pw_zone read = {.std_s = 0};
    struct pw_str rest = text;
    int32_t west_s = 0;
    enum flaw flaw = take_name(&rest, read.std);
    if (flaw == FINE) {
        flaw = take_hours(&rest, 24, OFFSET, &west_s);
    }
    read.std_s = -west_s;
    if (flaw == FINE && rest.len > 0) {
        flaw = take_dst(&rest, &read);
    }
    if (flaw == FINE && rest.len > 0) {
        flaw = TRAILING;
    }
    if (flaw != FINE) {
        return refuse(why, "time zone", text, flaws[flaw]);
    }
    *zone = read;
    return PW_OK;
}

// ---------------------------------------------------------------------------------------------
// Windows

static const char *const week[7] = {"mon", "tue", "wed", "thu", "fri", "sat", "sun"};

#define EVERY_DAY 0x7F

// "HH:MM" in minutes; -1 when it is none.
static int32_t take_time(struct pw_str *rest, int32_t most_hours)
{
    bool two = rest->len >= 5 && is_digit(rest->at[1]) && is_digit(rest->at[4]);
    int32_t hours = take_number(rest, 2, 0, most_hours);
    bool colon = take(rest, ':');
    int32_t minutes = take_number(rest, 2, 0, hours == 24 ? 0 : 59);
    return two && hours >= 0 && colon && minutes >= 0 ? hours * 60 + minutes : -1;
}

static int take_times(struct pw_str text, struct pw_window *window, struct pw_out *why)
{
    struct pw_str rest = text;
    int32_t from = take_time(&rest, 23);
    bool dash = take(&rest, '-');
    int32_t to = take_time(&rest, 24);
    if (from < 0 || !dash || to < 0 || rest.len > 0) {
        return refuse(why, "window", text, "it must be HH:MM-HH:MM, 00:00 to 24:00");
    }
    if (from == to) {
        return refuse(why, "window", text,
                      "it must not end when it begins; the whole day is 00:00-24:00");
    }
    window->from_min = (uint16_t)from;
    window->to_min = (uint16_t)to;
    return PW_OK;
}

// The number of a day's name, 0 Monday; -1 for other text.
static int day_number(struct pw_str text)
{
    for (int day = 0; day < 7; day++) {
        if (pw_str_eq_nocase(text, pw_str_of(week[day]))) {
            return day;
        }
    }
    return -1;
}

static int take_days(struct pw_str text, struct pw_window *window, struct pw_out *why)
{
    struct pw_str rest = text;
    window->days = 0;
    do {
        struct pw_str last = pw_str_cut(&rest, ',');
        bool range = false;
        for (size_t i = 0; i < last.len; i++) {
            range = range || last.at[i] == '-';
        }
        struct pw_str first = range ? pw_str_cut(&last, '-') : last;
        int from = day_number(first);
        int to = day_number(last);
        if (from < 0 || to < 0) {
            return refuse(why, "days", text,
                          "they must be mon tue wed thu fri sat sun, as mon-fri or sat,sun");
        }
        for (int day = from;; day = (day + 1) % 7) {
            window->days |= (uint8_t)(1U << day);
            if (day == to) {
                break;
            }
        }
    } while (rest.len > 0);
    return text.at[text.len - 1] == ','
               ? refuse(why, "days", text, "a day must follow the last comma")
               : PW_OK;
}

static int take_window(struct pw_str text, struct pw_window *window, struct pw_out *why)
{
    struct pw_str rest = pw_str_trim(text);
    struct pw_str days = pw_str_cut(&rest, ' ');
    if (days.len == 0 || rest.len == 0) {
        return refuse(why, "window", pw_str_trim(text),
                      "it must be days and times: mon-fri 22:00-06:00");
    }
    int err = take_days(days, window, why);
    return err == PW_OK ? take_times(pw_str_trim(rest), window, why) : err;
}

int pw_plan_parse_timer(struct pw_str text, struct pw_plan *plan, struct pw_out *why)
{
    struct pw_plan read = {.windows = 0};
    struct pw_str rest = pw_str_trim(text);
    if (rest.len > 0) {
        read.window[0].days = EVERY_DAY;
        int err = take_times(rest, &read.window[0], why);
        if (err != PW_OK) {
            return err;
        }
        read.windows = 1;
    }
    *plan = read;
    return PW_OK;
}

int pw_plan_parse_week(struct pw_str text, struct pw_plan *plan, struct pw_out *why)
{
    struct pw_plan read = {.windows = 0};
    struct pw_str rest = pw_str_trim(text);
    bool more = rest.len > 0;
    while (more) {
        size_t before = rest.len;
        struct pw_str part = pw_str_cut(&rest, ';');
        more = part.len < before; // a ';' stood behind it: one more must follow
        if (read.windows == PW_PLAN_WINDOWS_MAX) {
            (void)refuse(why, "plan", text, "it has more than 16 windows");
            return PW_ERR_LIMIT;
        }
        int err = take_window(part, &read.window[read.windows], why);
        if (err != PW_OK) {
            return err;
        }
        read.windows++;
    }
    *plan = read;
    return PW_OK;
}
