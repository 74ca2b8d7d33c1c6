#include "clamps.h"

#include "stream.h"

#include <string.h>

#define PATH_CAP  512
#define READ_MAX  64  // events in one turn
#define REOPEN_MS 500 // between tries to open a lost line

static void tell(const struct clamps *clamps, enum pw_level level, const char *event,
                 struct pw_str why)
{
    struct pw_line line;
    pw_line(&line, clamps->log, level, "meter", event);
    pw_line_s(&line, "of", "house");
    pw_line_str(&line, "why", why);
    pw_line_end(&line);
}

static void complain(struct clamps *clamps, struct pw_str why)
{
    if (!clamps->complained) {
        tell(clamps, PW_LOG_WARN, "away", why);
    }
    clamps->complained = true;
}

static void lose(struct clamps *clamps, pw_ms now)
{
    pw_watch_end(&clamps->watch);
    pw_hardware_close(clamps->hardware);
    clamps->hardware = NULL;
    clamps->more = false;
    clamps->reopen_at = pw_after(now, REOPEN_MS);
}

static void take(struct clamps *clamps, const struct pw_hardware_event *event, pw_ms now)
{
    struct pw_board_mains reading;
    bool fresh = false;
    switch (event->kind) {
    case PW_HARDWARE_SENSES:
        fresh = pw_house_transformers_mains(&clamps->transformers, &event->senses->mains, &reading);
        break;
    case PW_HARDWARE_BLOCK:
        fresh = pw_house_transformers_block(&clamps->transformers, event->block, &reading, now);
        break;
    case PW_HARDWARE_STATE:
        tell(clamps, event->up ? PW_LOG_INFO : PW_LOG_WARN, event->up ? "up" : "down",
             pw_str_of(event->why));
        break;
    }
    if (fresh) {
        pw_station_mains(clamps->station, 0, &reading, now);
    }
}

static void read_some(struct clamps *clamps, pw_ms now)
{
    clamps->more = false;
    for (unsigned i = 0; i < READ_MAX; i++) {
        struct pw_hardware_event event;
        int got = pw_hardware_read(clamps->hardware, now, &event);
        if (got == 0) {
            return;
        }
        if (got < 0) {
            complain(clamps, PW_STR("the line is lost"));
            lose(clamps, now);
            return;
        }
        take(clamps, &event, now);
    }
    clamps->more = true;
}

static void on_ready(void *context, unsigned events)
{
    struct clamps *clamps = context;
    (void)events;
    read_some(clamps, pw_clock_now(clamps->loop->clock));
}

static int open_line(struct clamps *clamps, pw_ms now, struct pw_out *why)
{
    int err = pw_hardware_open(&clamps->hardware, &clamps->file, now, why);
    if (err != PW_OK) {
        clamps->reopen_at = pw_after(now, REOPEN_MS);
        return err;
    }
    clamps->complained = false;
    clamps->watch = (struct pw_watch){.ready = on_ready, .context = clamps};
    pw_watch_start(&clamps->watch, clamps->loop, pw_hardware_fd(clamps->hardware), PW_LOOP_READ,
                   PW_LOOP_CAN);
    return PW_OK;
}

static bool is_file(struct pw_str where)
{
    static const struct pw_str end = {.at = ".yaml", .len = 5};
    return where.len > end.len &&
           pw_str_eq((struct pw_str){.at = where.at + where.len - end.len, .len = end.len}, end);
}

int clamps_check(struct pw_str where, struct pw_out *why)
{
    return is_file(where) ? PW_OK : pw_stream_check(where, why);
}

static int read_file(struct clamps *clamps, const char *config, struct pw_str where,
                     struct pw_out *why)
{
    char path[PATH_CAP] = "";
    struct pw_out out = PW_OUT(path);
    const char *slash = config != NULL ? strrchr(config, '/') : NULL;
    if (where.at[0] != '/' && slash != NULL) {
        pw_put(&out, (struct pw_str){.at = config, .len = (size_t)(slash - config) + 1});
    }
    pw_put(&out, where);
    int err = out.full ? PW_ERR_RANGE : pw_board_file_read(&clamps->file, path, why);
    if (err == PW_OK && clamps->file.kind != PW_BOARD_KIND_FRONTEND) {
        pw_put_s(why, "current transformers need a board of kind frontend");
        err = PW_ERR_RANGE;
    }
    return err;
}

static int calibrate(struct clamps *clamps, const struct pw_settings *settings)
{
    unsigned phases = pw_house_transformers_phases(pw_settings_int(settings, PW_SET_HOUSE_CTS));
    clamps->scale = pw_settings_int(settings, PW_SET_HOUSE_CT_SCALE);
    return pw_house_transformers_init(&clamps->transformers, phases, clamps->scale,
                                      clamps->own_scale ? NULL : &clamps->file.analog);
}

// Somebody calibrates while the meter runs.
static void follow_scale(struct clamps *clamps)
{
    int32_t scale = pw_settings_int(&clamps->station->settings, PW_SET_HOUSE_CT_SCALE);
    struct pw_house_transformers *transformers = &clamps->transformers;
    if (clamps->own_scale && scale != clamps->scale) {
        // The phases stay as they were at the start.
        int err = pw_house_transformers_init(transformers, transformers->fitted, scale, NULL);
        PW_ASSERT(err == PW_OK); // the row's range is what it takes
        clamps->scale = scale;
    }
}

int clamps_open(struct clamps *clamps, const struct pw_settings *settings, const char *config,
                struct pw_str where, struct pw_out *why)
{
    pw_ms now = pw_clock_now(clamps->loop->clock);
    char text[PW_HARDWARE_REASON_MAX] = "";
    struct pw_out reason = PW_OUT(text);
    bool file = is_file(where);
    memset(&clamps->file, 0, sizeof(clamps->file));
    clamps->file.kind = PW_BOARD_KIND_FRONTEND;
    int err = file ? read_file(clamps, config, where, why)
                   : pw_str_copy(clamps->file.device, sizeof(clamps->file.device), where);
    if (err != PW_OK) {
        return err;
    }
    if (pw_settings_int(settings, PW_SET_HOUSE_CTS) == 0) {
        pw_put_s(why, "house.cts must say which phases carry a current transformer");
        return PW_ERR_RANGE;
    }
    clamps->own_scale = !file;
    err = calibrate(clamps, settings);
    if (err != PW_OK) {
        pw_put_s(why, "the calibration cannot be");
        return err;
    }
    err = open_line(clamps, now, &reason);
    if (err == PW_ERR_RANGE) {
        pw_put(why, pw_out_str(&reason));
        return err;
    }
    if (err != PW_OK) {
        complain(clamps, pw_out_str(&reason));
    }
    clamps->on = true;
    return PW_OK;
}

void clamps_close(struct clamps *clamps)
{
    if (clamps->hardware != NULL) {
        pw_watch_end(&clamps->watch);
        pw_hardware_close(clamps->hardware);
        clamps->hardware = NULL;
    }
    clamps->on = false;
}

pw_ms clamps_step(struct clamps *clamps, pw_ms now)
{
    char text[PW_HARDWARE_REASON_MAX] = "";
    struct pw_out why = PW_OUT(text);
    if (!clamps->on) {
        return PW_NEVER;
    }
    follow_scale(clamps);
    if (clamps->hardware == NULL && now >= clamps->reopen_at &&
        open_line(clamps, now, &why) != PW_OK) {
        complain(clamps, pw_out_str(&why));
    }
    if (clamps->hardware != NULL &&
        (clamps->more || now >= pw_hardware_deadline(clamps->hardware))) {
        read_some(clamps, now);
    }
    if (clamps->hardware == NULL) {
        return clamps->reopen_at;
    }
    return clamps->more ? now : pw_hardware_deadline(clamps->hardware);
}
