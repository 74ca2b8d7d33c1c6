#include "rotation/rotation.h"

static int refuse(struct pw_str entry, struct pw_out *why)
{
    if (why != NULL) {
        pw_put_c(why, '"');
        pw_put(why, (struct pw_str){.at = entry.at, .len = entry.len > 40 ? 40 : entry.len});
        pw_put_s(why,
                 "\" is no entry: they are CONNECTOR.WORD, the word one of RST, RTS, SRT, STR, "
                 "TRS, TSR, NotApplicable, Unknown");
    }
    return PW_ERR_RANGE;
}

int pw_rotation_of(struct pw_str text, unsigned connector, enum pw_mains_rotation *rotation,
                   struct pw_out *why)
{
    enum { CONNECTOR_MOST = 99 };
    enum pw_mains_rotation found = PW_MAINS_RST;
    struct pw_str rest = pw_str_trim(text);
    while (rest.len > 0) {
        struct pw_str entry = pw_str_trim(pw_str_cut(&rest, ','));
        struct pw_str word = entry;
        struct pw_str number = pw_str_cut(&word, '.');
        enum pw_mains_rotation named = PW_MAINS_RST;
        int64_t of = 0;
        bool plain = pw_str_is(word, "NotApplicable") || pw_str_is(word, "Unknown");
        if (pw_parse_int(number, 0, CONNECTOR_MOST, &of) != PW_OK ||
            (!plain && pw_mains_rotation_of(word, &named) != PW_OK)) {
            return refuse(entry, why);
        }
        if ((unsigned)of == connector) {
            found = named;
        }
    }
    *rotation = found;
    return PW_OK;
}

enum pw_mains_rotation pw_rotation_set(const struct pw_settings *settings, unsigned index)
{
    enum pw_mains_rotation rotation = PW_MAINS_RST;
    struct pw_str text = pw_str_of(pw_settings_text(settings, PW_SET_PHASE_ROTATION));
    (void)!pw_rotation_of(text, index + 1, &rotation, NULL);
    return rotation;
}
