// Updates that come by themselves: once in each window, at a random time in it, the source is asked
// whether it has something newer.
#include "files/parts.h"
#include "schedule/schedule.h"

enum {
    LOOK_MS = 60000,
    DAY_MIN = 1440,
    MINUTE_MS = 60000,
    DAY_MS = 86400000,
};

void pw_update_watch_init(struct pw_files *files)
{
    files->watch = (struct pw_update_watch){
        .at = PW_NEVER, .random = files->parts.seed == 0 ? 1 : files->parts.seed};
}

static uint32_t next_random(struct pw_update_watch *watch)
{
    watch->random ^= watch->random << 13; // xorshift32 (Marsaglia)
    watch->random ^= watch->random >> 17;
    watch->random ^= watch->random << 5;
    return watch->random;
}

// Minutes left of the window, 1 to a day; 0: outside, or nobody knows the date.
static unsigned window_left(const struct pw_files *files, pw_ms now)
{
    const struct pw_files_host *host = files->parts.host;
    struct pw_str text = pw_str_of(pw_settings_text(files->parts.settings, PW_SET_UPDATE_WINDOW));
    struct pw_plan plan;
    char unused[80];
    struct pw_out why = PW_OUT(unused);
    int64_t local = host->local(host->context, now);
    if (local < 0 || pw_plan_parse_timer(text, &plan, &why) != PW_OK) {
        return 0;
    }
    if (plan.windows == 0) {
        return DAY_MIN;
    }
    int minute = (int)(local % DAY_MS / MINUTE_MS);
    int from = plan.window[0].from_min;
    int span = (plan.window[0].to_min + DAY_MIN - from) % DAY_MIN;
    int into = (minute + DAY_MIN - from) % DAY_MIN;
    span = span == 0 ? DAY_MIN : span;
    return into < span ? (unsigned)(span - into) : 0;
}

bool pw_update_in_window(const struct pw_files *files, pw_ms now)
{
    return window_left(files, now) > 0;
}

static bool is_wanted(const struct pw_files *files)
{
    return files->parts.transfer != NULL &&
           pw_settings_int(files->parts.settings, PW_SET_AUTO_UPDATE) != 0 &&
           pw_settings_text(files->parts.settings, PW_SET_UPDATE_SOURCE)[0] != '\0';
}

pw_ms pw_update_watch(struct pw_files *files, pw_ms now)
{
    struct pw_update_watch *watch = &files->watch;
    if (!is_wanted(files)) {
        watch->inside = false;
        watch->at = PW_NEVER;
        watch->look_at = now;
        return PW_NEVER;
    }
    if (now >= watch->look_at) {
        uint64_t left = (uint64_t)window_left(files, now) * (uint64_t)MINUTE_MS;
        uint64_t delay =
            (uint64_t)pw_settings_int(files->parts.settings, PW_SET_UPDATE_DELAY_S) * 1000;
        watch->look_at = pw_after(now, LOOK_MS);
        if (left == 0) {
            watch->at = PW_NEVER;
        } else if (!watch->inside) {
            uint64_t most = delay < left ? delay : left;
            uint64_t random = (uint64_t)next_random(watch) << 16 ^ next_random(watch);
            watch->at = pw_after(now, random % (most + 1));
        }
        watch->inside = left > 0;
    }
    if (now >= watch->at && files->update.stage == PW_UPDATE_NONE && pw_update_is_kept(files)) {
        char text[PW_TRANSFER_WHY_MAX];
        struct pw_out why = PW_OUT(text);
        // Without a window of its own a day goes by until the next one.
        bool any = pw_settings_text(files->parts.settings, PW_SET_UPDATE_WINDOW)[0] == '\0';
        watch->at = any ? pw_after(now, DAY_MS) : PW_NEVER;
        (void)!pw_files_check_source(files, PW_UPDATE_BY_AUTOMATIC, false, &why, now);
    }
    return pw_earlier(watch->look_at, watch->at > now ? watch->at : watch->look_at);
}
