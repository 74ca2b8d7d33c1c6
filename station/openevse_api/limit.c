// The limit of a charge: one of time, energy and state of charge. With auto_release it is the
// running or the next charge's (console: until), without it every charge's (charging.*_limit*).
#include "openevse_api/parts.h"

#include <string.h>

// The client's unit in those of the rules and the settings (seconds, Wh, permille), and of the
// console (seconds, Wh, percent).
static const struct kind {
    const char *word;
    const char *unit;
    int64_t most;
    enum pw_rules_use use;
    enum pw_setting_id setting;
    int32_t rules_unit;
    int32_t until_unit;
} kinds[] = {
    {"time", "minutes", 10080, PW_RULES_TIME, PW_SET_TIME_LIMIT_S, 60, 60},
    {"energy", "watt hours", 1000000, PW_RULES_ENERGY, PW_SET_ENERGY_LIMIT_WH, 1, 1},
    {"soc", "percent", 100, PW_RULES_SOC, PW_SET_SOC_LIMIT_PERMILLE, 10, 1},
};

struct pw_oe_limit pw_oe_limit(const struct pw_station *st, unsigned index)
{
    for (size_t i = 0; i < PW_COUNT(kinds); i++) {
        int64_t value = pw_rules_limit_of(&st->rules, index, kinds[i].use);
        if (value > 0) {
            return (struct pw_oe_limit){
                .type = kinds[i].word,
                .value = value / kinds[i].rules_unit,
                .auto_release = value != pw_settings_int(&st->settings, kinds[i].setting)};
        }
    }
    return (struct pw_oe_limit){.type = NULL};
}

// For the running or the next charge, where something else counts now.
static bool set_once(struct pw_oe_call *call, const struct kind *kind, int64_t value)
{
    const struct pw_rules *rules = &pw_oe_station(call)->rules;
    char line[64];
    struct pw_out out = PW_OUT(line);
    if (pw_rules_limit_of(rules, call->index, kind->use) == value * kind->rules_unit) {
        return true;
    }
    pw_put_s(&out, "until ");
    pw_put_s(&out, kind->word);
    pw_put_c(&out, ' ');
    pw_put_int(&out, value * kind->until_unit);
    pw_put_c(&out, ' ');
    pw_put_uint(&out, call->index + 1);
    return pw_oe_run(call, pw_out_str(&out));
}

static bool set_standing(struct pw_oe_call *call, const struct kind *kind, int64_t value)
{
    char text[24];
    struct pw_out out = PW_OUT(text);
    if (pw_settings_int(&pw_oe_station(call)->settings, kind->setting) ==
        value * kind->rules_unit) {
        return true;
    }
    pw_put_int(&out, value * kind->rules_unit);
    return pw_oe_set(call, kind->setting, 0, pw_out_str(&out));
}

void pw_oe_limit_get(struct pw_oe_call *call)
{
    struct pw_oe_limit limit = pw_oe_limit(pw_oe_station(call), call->index);
    if (limit.type == NULL) {
        pw_oe_say(call, 404, "no limit", PW_STR(""), "");
        return;
    }
    struct pw_json_writer *json = pw_oe_object(call);
    pw_json_say_s(json, "type", limit.type);
    pw_json_say_int(json, "value", limit.value);
    pw_json_say_bool(json, "auto_release", limit.auto_release);
    pw_oe_done(call, 200, '}');
}

// There is one limit: a new one takes the place of the others. One for this charge leaves alone
// what stands for all. False after answering.
static bool put_limit(struct pw_oe_call *call, const struct kind *kind, int64_t value,
                      bool standing)
{
    for (size_t i = 0; i < PW_COUNT(kinds); i++) {
        int64_t wanted = &kinds[i] == kind ? value : 0;
        if ((standing && !set_standing(call, &kinds[i], wanted)) ||
            !set_once(call, &kinds[i], wanted)) {
            return false;
        }
    }
    return true;
}

void pw_oe_limit_post(struct pw_oe_call *call)
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
        pw_oe_say(call, 400, "type: must be \"time\", \"energy\" or \"soc\"", PW_STR(""), "");
        return;
    }
    if (pw_json_int(pw_json_member(call->body, "value"), 1, kinds[i].most, &value) != PW_OK) {
        char text[64];
        struct pw_out range = PW_OUT(text);
        pw_put_s(&range, "1 to ");
        pw_put_int(&range, kinds[i].most);
        pw_put_c(&range, ' ');
        pw_put_s(&range, kinds[i].unit);
        pw_oe_say(call, 400, "value: must be ", pw_out_str(&range), "");
        return;
    }
    if (node != NULL && pw_json_bool(node, &auto_release) != PW_OK) {
        pw_oe_say(call, 400, "auto_release: must be true or false", PW_STR(""), "");
        return;
    }
    if (put_limit(call, &kinds[i], value, !auto_release)) {
        pw_oe_say(call, 201, "done", PW_STR(""), "");
    }
}

void pw_oe_limit_delete(struct pw_oe_call *call)
{
    if (pw_oe_limit(pw_oe_station(call), call->index).type == NULL) {
        pw_oe_say(call, 404, "no limit", PW_STR(""), "");
        return;
    }
    if (put_limit(call, NULL, 0, true)) {
        pw_oe_say(call, 200, "Deleted", PW_STR(""), "");
    }
}
