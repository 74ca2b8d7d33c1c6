// The limit of a charge: one of time, energy and state of charge. With auto_release it is the
// running or the next charge's (console: until), without it every charge's (charging.*_limit*).
#include "openevse_api/parts.h"

#include <string.h>

static uint64_t time_of(const struct pw_session_limits *limits)
{
    return limits->time_ms / 60000;
}

static uint64_t energy_of(const struct pw_session_limits *limits)
{
    return limits->energy_mwh / 1000;
}

static uint64_t soc_of(const struct pw_session_limits *limits)
{
    return (uint64_t)limits->soc_permille / 10;
}

// `unit`: what one of the client's units is in those of the setting and of the console.
static const struct kind {
    const char *word;
    const char *unit;
    int64_t most;
    uint64_t (*of)(const struct pw_session_limits *limits);
    enum pw_setting_id setting;
    int32_t setting_unit;
    int32_t until_unit;
} kinds[] = {
    {"time", "minutes", 10080, time_of, PW_SET_TIME_LIMIT_S, 60, 60},
    {"energy", "watt hours", 1000000, energy_of, PW_SET_ENERGY_LIMIT_WH, 1, 1},
    {"soc", "percent", 100, soc_of, PW_SET_SOC_LIMIT_PERMILLE, 10, 1},
};

struct oe_limit oe_limit(struct pw_station *st, unsigned index)
{
    const struct pw_session_limits *limits = &pw_connector_session(&st->connector[index])->limits;
    for (size_t i = 0; i < PW_COUNT(kinds); i++) {
        int64_t standing = pw_settings_int(&st->settings, kinds[i].setting) / kinds[i].setting_unit;
        int64_t once = (int64_t)kinds[i].of(limits);
        if (once > 0 || standing > 0) {
            return (struct oe_limit){.type = kinds[i].word,
                                     .value = once > 0 ? once : standing,
                                     .auto_release = once > 0 && once != standing};
        }
    }
    return (struct oe_limit){.type = NULL};
}

static bool set_once(struct oe_call *call, const struct kind *kind, int64_t value)
{
    char line[64];
    struct pw_out out = PW_OUT(line);
    pw_put_s(&out, "until ");
    pw_put_s(&out, kind->word);
    pw_put_c(&out, ' ');
    pw_put_int(&out, value * kind->until_unit);
    pw_put_c(&out, ' ');
    pw_put_uint(&out, call->index + 1);
    return oe_run(call, pw_out_str(&out));
}

static bool set_standing(struct oe_call *call, const struct kind *kind, int64_t value)
{
    char text[24];
    struct pw_out out = PW_OUT(text);
    if (pw_settings_int(&oe_station(call)->settings, kind->setting) == value * kind->setting_unit) {
        return true;
    }
    pw_put_int(&out, value * kind->setting_unit);
    return oe_set(call, kind->setting, 0, pw_out_str(&out));
}

void oe_limit_get(struct oe_call *call)
{
    struct oe_limit limit = oe_limit(oe_station(call), call->index);
    if (limit.type == NULL) {
        oe_say(call, 404, "no limit", PW_STR(""), "");
        return;
    }
    struct pw_json_writer *json = oe_object(call);
    pw_json_key(json, "type");
    pw_json_put_s(json, limit.type);
    pw_json_key(json, "value");
    pw_json_put_int(json, limit.value);
    pw_json_key(json, "auto_release");
    pw_json_put_bool(json, limit.auto_release);
    oe_done(call, 200, '}');
}

// There is one limit: a new one takes the place of the others. False after answering.
static bool put_limit(struct oe_call *call, const struct kind *kind, int64_t value,
                      bool auto_release)
{
    for (size_t i = 0; i < PW_COUNT(kinds); i++) {
        bool this = &kinds[i] == kind;
        if (!set_standing(call, &kinds[i], this && !auto_release ? value : 0) ||
            !set_once(call, &kinds[i], this ? value : 0)) {
            return false;
        }
    }
    return true;
}

void oe_limit_post(struct oe_call *call)
{
    struct pw_str type = PW_STR("");
    const struct pw_json_node *node = pw_json_member(call->body, "auto_release");
    bool auto_release = true;
    int64_t value = 0;
    size_t i = 0;
    (void)!pw_json_text(pw_json_member(call->body, "type"), &type);
    while (i < PW_COUNT(kinds) && !pw_str_is(type, kinds[i].word)) {
        i++;
    }
    if (i == PW_COUNT(kinds)) {
        oe_say(call, 400, "type: must be \"time\", \"energy\" or \"soc\"", PW_STR(""), "");
        return;
    }
    if (pw_json_int(pw_json_member(call->body, "value"), 1, kinds[i].most, &value) != PW_OK) {
        char text[64];
        struct pw_out range = PW_OUT(text);
        pw_put_s(&range, "1 to ");
        pw_put_int(&range, kinds[i].most);
        pw_put_c(&range, ' ');
        pw_put_s(&range, kinds[i].unit);
        oe_say(call, 400, "value: must be ", pw_out_str(&range), "");
        return;
    }
    if (node != NULL && pw_json_bool(node, &auto_release) != PW_OK) {
        oe_say(call, 400, "auto_release: must be true or false", PW_STR(""), "");
        return;
    }
    if (put_limit(call, &kinds[i], value, auto_release)) {
        oe_say(call, 201, "done", PW_STR(""), "");
    }
}

void oe_limit_delete(struct oe_call *call)
{
    if (oe_limit(oe_station(call), call->index).type == NULL) {
        oe_say(call, 404, "no limit", PW_STR(""), "");
        return;
    }
    if (put_limit(call, NULL, 0, true)) {
        oe_say(call, 200, "Deleted", PW_STR(""), "");
    }
}
