// What the client does next. A job is done when it is due, and orders only while the board is not
// as wanted; the first row in the table is the most urgent. Nothing charges before limit and
// heartbeat are set.
#include "rapi/parts.h"

#include <string.h>

enum {
    LEAST_A = 6, // IEC 61851-1 annex A: no duty cycle says less
    MOST_A = 80,
    CLAMPED_MS = 60000, // before a board that gives less than asked is asked again
    RETRY_MS = 1000,    // after an order that had no effect on a limit
    LIMIT_TRIES = 2,    // the next one without effect makes it sleep instead
    STUBBORN_MS = 5000, // and is asked so often
    PAUSE_MS = 2000,    // between orders of power without effect, doubled
    PAUSE_MAX_MS = 60000,
    ARM_MS = 600000, // each time is a write to the board's memory
    UNLOCK_MS = 5000,
    LCD_MS = 1000, // the display is slow, and people read no faster
    LCD_REFUSED_MS = 10000,
    PULSES = 3, // within the interval of the heartbeat
    STREAK = 3,
};

static int32_t amps(int32_t ma)
{
    return ma / 1000;
}

static int32_t least_a(const struct pw_rapi_client *client)
{
    return (int32_t)pw_max(amps(client->view.min_ma), LEAST_A);
}

// What may be offered by what is wanted: nothing below the least, which is no charging.
static int32_t wanted_ma(const struct pw_rapi_client *client)
{
    int32_t ma = client->want.limit_ma;
    return client->want.let_go ? (int32_t)pw_min(ma, client->config.heartbeat_ma) : ma;
}

static int32_t target_a(const struct pw_rapi_client *client)
{
    const struct pw_rapi_view *view = &client->view;
    int32_t most = view->hardware_ma == PW_RAPI_UNKNOWN ? MOST_A : amps(view->hardware_ma);
    if (view->config_ma != PW_RAPI_UNKNOWN) {
        most = (int32_t)pw_min(most, amps(view->config_ma));
    }
    int32_t least = least_a(client);
    return (int32_t)pw_clamp(amps(wanted_ma(client)), least, pw_max(most, least));
}

static enum pw_rapi_power aim(const struct pw_rapi_client *client)
{
    if (client->want.power != PW_RAPI_ENABLED) {
        return client->want.power;
    }
    bool too_little = amps(wanted_ma(client)) < least_a(client);
    return too_little || client->view.keeps_limit ? PW_RAPI_SLEEP : PW_RAPI_ENABLED;
}

static bool limit_held(const struct pw_rapi_client *client)
{
    return client->wanted && client->view.offered_ma != PW_RAPI_UNKNOWN && !client->unproved &&
           client->view.offered_ma <= target_a(client) * 1000;
}

static bool heartbeat_ready(const struct pw_rapi_client *client)
{
    return client->config.heartbeat_s == 0 || client->view.heartbeat == PW_RAPI_HEARTBEAT_NONE ||
           client->view.heartbeat == PW_RAPI_HEARTBEAT_ARMED;
}

static bool state_is_aim(const struct pw_rapi_client *client)
{
    uint8_t state = client->view.state;
    switch (aim(client)) {
    case PW_RAPI_ENABLED: return state != PW_RAPI_STATE_SLEEPING && state != PW_RAPI_STATE_DISABLED;
    case PW_RAPI_SLEEP: return state == PW_RAPI_STATE_SLEEPING;
    case PW_RAPI_DISABLED: return state == PW_RAPI_STATE_DISABLED;
    }
    PW_UNREACHABLE();
}

static bool charges(const struct pw_rapi_client *client)
{
    return client->view.relay || client->view.state == PW_RAPI_STATE_C;
}

// ---------------------------------------------------------------------------------------------
// When an order is wanted.

// A board that is called back offers its maximum until it hears its limit: on a line that loses
// every other word it stays where it is.
static bool wants_ack(const struct pw_rapi_client *client)
{
    return client->wanted && !client->want.let_go && client->streak >= STREAK &&
           client->view.heartbeat == PW_RAPI_HEARTBEAT_MISSED;
}

static bool knows_version(const struct pw_rapi_client *client)
{
    return client->view.firmware_version != PW_RAPI_UNKNOWN ||
           (client->cannot & (UINT32_C(1) << PW_RAPI_JOB_VERSION)) != 0;
}

// Not before it is known whether the board has fallen back: it would not listen.
static bool wants_limit(const struct pw_rapi_client *client)
{
    enum pw_rapi_heartbeat heartbeat = client->view.heartbeat;
    return client->wanted && knows_version(client) && heartbeat != PW_RAPI_HEARTBEAT_UNKNOWN &&
           heartbeat != PW_RAPI_HEARTBEAT_MISSED && client->due[PW_RAPI_JOB_BEAT] == PW_NEVER &&
           client->view.offered_ma != target_a(client) * 1000;
}

// A board in fault has its relay open, and would hide the fault behind its sleep (§2.7).
static bool wants_stop(const struct pw_rapi_client *client)
{
    const struct pw_rapi_view *view = &client->view;
    bool known_fault = view->fault && pw_rapi_state_of(view->state)->code == view->state;
    return client->wanted && view->state_at != PW_NEVER && view->state != PW_RAPI_STATE_STARTING &&
           !known_fault && aim(client) != PW_RAPI_ENABLED && !state_is_aim(client);
}

static bool wants_start(const struct pw_rapi_client *client)
{
    return client->wanted && !client->want.let_go && client->view.state_at != PW_NEVER &&
           aim(client) == PW_RAPI_ENABLED && !state_is_aim(client) && limit_held(client) &&
           heartbeat_ready(client);
}

static bool wants_unlock(const struct pw_rapi_client *client)
{
    return client->wanted && !client->want.let_go && client->view.boot_locked &&
           !client->view.fault && aim(client) == PW_RAPI_ENABLED && limit_held(client) &&
           heartbeat_ready(client);
}

static bool wants_arm(const struct pw_rapi_client *client)
{
    const struct pw_rapi_view *view = &client->view;
    if (!client->wanted || client->want.let_go) {
        return false;
    }
    if (view->heartbeat == PW_RAPI_HEARTBEAT_OFF) {
        return client->config.heartbeat_s > 0;
    }
    return view->heartbeat == PW_RAPI_HEARTBEAT_ARMED &&
           (view->heartbeat_s != client->config.heartbeat_s ||
            amps(view->heartbeat_ma) != amps(client->config.heartbeat_ma));
}

static bool wants_pulse(const struct pw_rapi_client *client)
{
    return client->wanted && !client->want.let_go &&
           client->view.heartbeat == PW_RAPI_HEARTBEAT_ARMED;
}

static bool wants_restart(const struct pw_rapi_client *client)
{
    return client->asked_to_restart;
}

static bool wants_ask(const struct pw_rapi_client *client)
{
    for (unsigned i = 0; i < PW_RAPI_ASKS; i++) {
        if (client->asks[i].ticket != 0 && client->asks[i].state == PW_RAPI_ASK_QUEUED) {
            return true;
        }
    }
    return false;
}

static bool wants_cable(const struct pw_rapi_client *client)
{
    return !charges(client);
}

static bool lcd_wanted(const struct pw_rapi_client *client)
{
    return client->wanted && client->want.lcd_on && !client->view.fault &&
           client->view.state_at != PW_NEVER;
}

static bool wants_lcd_take(const struct pw_rapi_client *client)
{
    return lcd_wanted(client) && !client->lcd_ours;
}

static bool lcd_differs(const struct pw_rapi_client *client, unsigned row)
{
    return lcd_wanted(client) && client->lcd_ours &&
           memcmp(client->lcd[row], client->want.lcd[row], sizeof(client->lcd[row])) != 0;
}

static bool wants_lcd_1(const struct pw_rapi_client *client)
{
    return lcd_differs(client, 0);
}

static bool wants_lcd_2(const struct pw_rapi_client *client)
{
    return lcd_differs(client, 1);
}

// A board with a voltmeter refuses it, and knows better.
static bool wants_voltage(const struct pw_rapi_client *client)
{
    return client->config.mains_mv != 0;
}

static bool wants_lcd_give(const struct pw_rapi_client *client)
{
    return client->lcd_ours && !lcd_wanted(client);
}

// ---------------------------------------------------------------------------------------------
// The jobs.

enum poll { ONCE, STATE, CURRENT, ENERGY, CAPACITY, CABLE };

struct job {
    const char *line;                                    // NULL: plan_line makes it
    bool (*wanted)(const struct pw_rapi_client *client); // NULL: always
    pw_rapi_take *take;                                  // NULL: its answer has nothing to say
    bool at_nk;                                          // an $NK says as much as an $OK
    enum poll poll;
};

// clang-format off
static const struct job jobs[] = {
    [PW_RAPI_JOB_ACK]      = {"$SY 165", wants_ack,      pw_rapi_take_beat,     true,  ONCE},
    [PW_RAPI_JOB_LIMIT]    = {NULL,      wants_limit,    pw_rapi_take_amps,     true,  ONCE},
    [PW_RAPI_JOB_STOP]     = {NULL,      wants_stop,     NULL,                  false, ONCE},
    [PW_RAPI_JOB_VERSION]  = {"$GV",     NULL,           pw_rapi_take_version,  false, ONCE},
    [PW_RAPI_JOB_BEAT]     = {"$GY",     NULL,           pw_rapi_take_beat,     false, ONCE},
    [PW_RAPI_JOB_ARM]      = {NULL,      wants_arm,      pw_rapi_take_beat,     true,  ONCE},
    [PW_RAPI_JOB_PULSE]    = {"$SY",     wants_pulse,    pw_rapi_take_beat,     true,  ONCE},
    [PW_RAPI_JOB_STATE]    = {"$GS",     NULL,           pw_rapi_take_state,    false, STATE},
    [PW_RAPI_JOB_RESTART]  = {"$FR",     wants_restart,  NULL,                  false, ONCE},
    [PW_RAPI_JOB_UNLOCK]   = {"$SB",     wants_unlock,   NULL,                  false, ONCE},
    [PW_RAPI_JOB_START]    = {"$FE",     wants_start,    NULL,                  false, ONCE},
    [PW_RAPI_JOB_ASK]      = {NULL,      wants_ask,      NULL,                  false, ONCE},
    [PW_RAPI_JOB_CAPACITY] = {"$GC",     NULL,           pw_rapi_take_capacity, false, CAPACITY},
    [PW_RAPI_JOB_SETTINGS] = {"$GE",     NULL,           pw_rapi_take_settings, false, CAPACITY},
    [PW_RAPI_JOB_VOLTAGE]  = {NULL,      wants_voltage,  NULL,                  false, ONCE},
    [PW_RAPI_JOB_CURRENT]  = {"$GG",     NULL,           pw_rapi_take_current,  false, CURRENT},
    [PW_RAPI_JOB_CABLE]    = {"$G0",     wants_cable,    pw_rapi_take_cable,    false, CABLE},
    [PW_RAPI_JOB_ENERGY]   = {"$GU",     NULL,           pw_rapi_take_energy,   false, ENERGY},
    [PW_RAPI_JOB_TEMPS]    = {"$GP",     NULL,           pw_rapi_take_temps,    false, ENERGY},
    [PW_RAPI_JOB_TRIPS]    = {"$GF",     NULL,           pw_rapi_take_trips,    false, ENERGY},
    [PW_RAPI_JOB_MCU]      = {"$GI",     NULL,           pw_rapi_take_mcu,      false, ONCE},
    [PW_RAPI_JOB_LCD_TAKE] = {"$F0 0",   wants_lcd_take, NULL,                  false, ONCE},
    [PW_RAPI_JOB_LCD_1]    = {NULL,      wants_lcd_1,    NULL,                  false, ONCE},
    [PW_RAPI_JOB_LCD_2]    = {NULL,      wants_lcd_2,    NULL,                  false, ONCE},
    [PW_RAPI_JOB_LCD_GIVE] = {"$F0 1",   wants_lcd_give, NULL,                  false, ONCE},
};
// clang-format on
_Static_assert(PW_COUNT(jobs) == PW_RAPI_JOBS, "a client has room for each job's time");
_Static_assert(PW_RAPI_JOBS <= 32, "`cannot` is a set of 32");

static pw_ms interval(const struct pw_rapi_client *client, unsigned job)
{
    const struct pw_rapi_config *config = &client->config;
    pw_ms idle = charges(client) ? 1 : (pw_ms)config->idle_factor;
    switch (jobs[job].poll) {
    case ONCE: return PW_NEVER;
    case STATE: return (pw_ms)config->poll_state_ms;
    case CURRENT: return (pw_ms)config->poll_current_ms * idle;
    case ENERGY: return (pw_ms)config->poll_energy_ms * idle;
    case CAPACITY: return (pw_ms)config->poll_capacity_ms * idle;
    case CABLE: return (pw_ms)config->poll_cable_ms;
    }
    PW_UNREACHABLE();
}

static bool can(const struct pw_rapi_client *client, unsigned job)
{
    return (client->cannot & (UINT32_C(1) << job)) == 0 && client->due[job] != PW_NEVER &&
           (jobs[job].wanted == NULL || jobs[job].wanted(client));
}

void pw_rapi_plan_anew(struct pw_rapi_client *client, pw_ms now)
{
    for (unsigned i = 0; i < PW_RAPI_JOBS; i++) {
        client->due[i] = now;
        client->refused[i] = 0;
    }
    client->cannot = 0;
    client->view.heartbeat = PW_RAPI_HEARTBEAT_UNKNOWN;
    client->limit_tries = 0;
    client->view.keeps_limit = false;
    client->order_pause = PAUSE_MS;
    client->lcd_ours = false;
}

enum pw_rapi_job pw_rapi_plan_next(const struct pw_rapi_client *client, pw_ms now)
{
    for (unsigned i = 0; i < PW_RAPI_JOBS; i++) {
        if (client->due[i] <= now && can(client, i)) {
            return (enum pw_rapi_job)i;
        }
    }
    return PW_RAPI_JOB_NONE;
}

pw_ms pw_rapi_plan_deadline(const struct pw_rapi_client *client)
{
    pw_ms at = PW_NEVER;
    for (unsigned i = 0; i < PW_RAPI_JOBS; i++) {
        if (can(client, i)) {
            at = pw_earlier(at, client->due[i]);
        }
    }
    return at;
}

// ---------------------------------------------------------------------------------------------
// The lines.

static void put_limit(struct pw_rapi_client *client, struct pw_out *body)
{
    int32_t rapi = client->view.rapi_version;
    bool old = rapi != PW_RAPI_UNKNOWN && rapi < PW_RAPI_VERSION(2, 0, 4);
    client->sent_a = target_a(client);
    pw_put_s(body, "$SC ");
    pw_put_int(body, client->sent_a);
    pw_put_s(body, old ? " N" : " V");
}

// One word of 16 characters: a space would begin another. The display shows nothing for 0x11, and
// boards before 8.2.0, whose list does not have it, for 0xFE (§2.3).
static void put_lcd(struct pw_rapi_client *client, unsigned row, struct pw_out *body)
{
    bool old = client->view.firmware_version < PW_RAPI_VERSION(8, 2, 0);
    char *shown = client->lcd[row];
    const char *text = client->want.lcd[row];
    bool ended = false;
    memcpy(shown, text, sizeof(client->lcd[row]));
    pw_put_s(body, row == 0 ? "$FP 0 0 " : "$FP 0 1 ");
    for (unsigned i = 0; i < PW_RAPI_LCD_COLUMNS; i++) {
        char c = ended ? ' ' : text[i];
        ended = ended || c == '\0';
        if (ended || c == ' ') {
            c = old ? '\xFE' : '\x11';
        } else if (c < ' ' || c > '~' || c == '$' || c == '^' || c == '*') {
            c = '?';
        }
        pw_put_c(body, c);
    }
}

void pw_rapi_plan_line(struct pw_rapi_client *client, struct pw_out *body)
{
    const struct job *job = &jobs[client->job];
    if (job->line != NULL) {
        pw_put_s(body, job->line);
        return;
    }
    switch ((enum pw_rapi_job)client->job) {
    case PW_RAPI_JOB_LIMIT: put_limit(client, body); return;
    case PW_RAPI_JOB_STOP: pw_put_s(body, aim(client) == PW_RAPI_DISABLED ? "$FD" : "$FS"); return;
    case PW_RAPI_JOB_ARM:
        pw_put_s(body, "$SY ");
        pw_put_int(body, client->config.heartbeat_s);
        pw_put_c(body, ' ');
        pw_put_int(body, client->config.heartbeat_s == 0 ? 0 : amps(client->config.heartbeat_ma));
        return;
    case PW_RAPI_JOB_VOLTAGE:
        pw_put_s(body, "$SV ");
        pw_put_int(body, client->config.mains_mv);
        return;
    case PW_RAPI_JOB_ASK: pw_put_s(body, client->asks[client->ask].text); return;
    case PW_RAPI_JOB_LCD_1: put_lcd(client, 0, body); return;
    case PW_RAPI_JOB_LCD_2: put_lcd(client, 1, body); return;
    case PW_RAPI_JOB_ACK:
    case PW_RAPI_JOB_VERSION:
    case PW_RAPI_JOB_BEAT:
    case PW_RAPI_JOB_PULSE:
    case PW_RAPI_JOB_STATE:
    case PW_RAPI_JOB_RESTART:
    case PW_RAPI_JOB_UNLOCK:
    case PW_RAPI_JOB_START:
    case PW_RAPI_JOB_CAPACITY:
    case PW_RAPI_JOB_SETTINGS:
    case PW_RAPI_JOB_CURRENT:
    case PW_RAPI_JOB_CABLE:
    case PW_RAPI_JOB_ENERGY:
    case PW_RAPI_JOB_TEMPS:
    case PW_RAPI_JOB_TRIPS:
    case PW_RAPI_JOB_MCU:
    case PW_RAPI_JOB_LCD_TAKE:
    case PW_RAPI_JOB_LCD_GIVE:
    case PW_RAPI_JOB_NONE: break;
    }
    PW_UNREACHABLE();
}

// ---------------------------------------------------------------------------------------------
// What answers change.

static void note(const struct pw_rapi_client *client, enum pw_level level, const char *event)
{
    struct pw_line line;
    pw_line(&line, client->log, level, "rapi", event);
    pw_line_int(&line, "wanted_a", target_a(client));
    pw_line_int(&line, "offered_ma", client->view.offered_ma);
    pw_line_end(&line);
}

// A board that has kept more than wanted is forgiven when it offers no more than that.
static void forgive(struct pw_rapi_client *client)
{
    client->view.keeps_limit = client->view.keeps_limit && !limit_held(client);
}

// Told three times and still more than wanted: then it must not charge.
static void judge_limit(struct pw_rapi_client *client)
{
    int32_t offered = client->view.offered_ma;
    bool more = offered == PW_RAPI_UNKNOWN || offered > target_a(client) * 1000;
    if (client->wanted && more && client->limit_tries > LIMIT_TRIES && !client->view.keeps_limit) {
        client->view.keeps_limit = true;
        note(client, PW_LOG_ERROR, "board-keeps-its-limit");
    }
}

// The board was told its limit. It says what it made of it, and is asked once more ($GC).
static void after_limit(struct pw_rapi_client *client, pw_ms now)
{
    int32_t offered = client->view.offered_ma;
    client->due[PW_RAPI_JOB_CAPACITY] = now;
    client->due[PW_RAPI_JOB_LIMIT] = now;
    if (offered != PW_RAPI_UNKNOWN && offered < client->sent_a * 1000) {
        client->due[PW_RAPI_JOB_LIMIT] = now + CLAMPED_MS;
        note(client, PW_LOG_INFO, "less-than-asked");
        return;
    }
    client->limit_tries = (uint8_t)pw_min(client->limit_tries + 1, LIMIT_TRIES + 1);
    if (client->limit_tries > LIMIT_TRIES) {
        client->due[PW_RAPI_JOB_LIMIT] = now + STUBBORN_MS;
    }
    judge_limit(client);
}

// What the board says to a `$SC` is one thing, what it offers then the other: that counts.
static void after_offer(struct pw_rapi_client *client, pw_ms now)
{
    bool less = client->sent_a > 0 && client->view.offered_ma < client->sent_a * 1000;
    if (client->unproved) {
        return; // it has not said it yet
    }
    if (client->limit_tries > 0 && less) {
        client->due[PW_RAPI_JOB_LIMIT] = now + CLAMPED_MS;
    }
    if (client->wanted && client->view.offered_ma == target_a(client) * 1000) {
        client->limit_tries = 0;
    }
    forgive(client);
    judge_limit(client);
}

static void after_power(struct pw_rapi_client *client, pw_ms now)
{
    client->due[PW_RAPI_JOB_STATE] = now;
    client->due[client->job] = now + client->order_pause;
    client->order_pause = pw_earlier(client->order_pause * 2, PAUSE_MAX_MS);
}

static pw_ms pulse_ms(const struct pw_rapi_client *client)
{
    return (pw_ms)pw_clamp(client->view.heartbeat_s, 1, 60) * 1000 / PULSES;
}

// The board has just gone to its maximum: what it offers is not known until it has its limit.
static void after_ack(struct pw_rapi_client *client, pw_ms now)
{
    client->due[PW_RAPI_JOB_ACK] = now + RETRY_MS;
    client->due[PW_RAPI_JOB_PULSE] = now + pulse_ms(client);
    if (client->view.heartbeat != PW_RAPI_HEARTBEAT_MISSED) {
        client->view.offered_ma = PW_RAPI_UNKNOWN;
        client->due[PW_RAPI_JOB_LIMIT] = now;
        note(client, PW_LOG_INFO, "called-back");
    }
}

void pw_rapi_plan_over(struct pw_rapi_client *client, pw_ms now)
{
    enum pw_rapi_job job = (enum pw_rapi_job)client->job;
    client->due[job] = pw_after(now, interval(client, job));
    switch (job) {
    case PW_RAPI_JOB_ACK: after_ack(client, now); break;
    case PW_RAPI_JOB_LIMIT: after_limit(client, now); break;
    case PW_RAPI_JOB_STOP:
    case PW_RAPI_JOB_START: after_power(client, now); break;
    case PW_RAPI_JOB_ARM:
        client->due[job] = now + ARM_MS;
        client->due[PW_RAPI_JOB_PULSE] = now + pulse_ms(client);
        break;
    case PW_RAPI_JOB_PULSE: client->due[job] = now + pulse_ms(client); break;
    case PW_RAPI_JOB_UNLOCK:
        client->due[job] = now + UNLOCK_MS;
        client->due[PW_RAPI_JOB_STATE] = now;
        break;
    case PW_RAPI_JOB_LCD_TAKE:
        client->lcd_ours = true;
        client->due[job] = now;
        memset(client->lcd, 0xFF, sizeof(client->lcd)); // unlike any text
        break;
    case PW_RAPI_JOB_LCD_GIVE:
        client->lcd_ours = false;
        client->due[job] = now;
        break;
    case PW_RAPI_JOB_LCD_1:
    case PW_RAPI_JOB_LCD_2: client->due[job] = now + LCD_MS; break;
    case PW_RAPI_JOB_RESTART:
        client->asked_to_restart = false;
        client->due[job] = now;
        break;
    case PW_RAPI_JOB_ASK: client->due[job] = now; break;
    case PW_RAPI_JOB_CAPACITY:
    case PW_RAPI_JOB_SETTINGS: after_offer(client, now); break;
    case PW_RAPI_JOB_VERSION:
    case PW_RAPI_JOB_BEAT:
    case PW_RAPI_JOB_VOLTAGE:
    case PW_RAPI_JOB_STATE:
    case PW_RAPI_JOB_CURRENT:
    case PW_RAPI_JOB_CABLE:
    case PW_RAPI_JOB_ENERGY:
    case PW_RAPI_JOB_TEMPS:
    case PW_RAPI_JOB_TRIPS:
    case PW_RAPI_JOB_MCU:
    case PW_RAPI_JOB_NONE: break;
    }
}

// Whether what the board offers was said by itself, or only taken from its $OK to our number.
static void note_proof(struct pw_rapi_client *client, const struct pw_rapi_line *line)
{
    enum { CAPACITY_WORDS = 5 }; // with fewer it says nothing of what it offers
    bool said = client->job == PW_RAPI_JOB_LIMIT || client->job == PW_RAPI_JOB_SETTINGS ||
                (client->job == PW_RAPI_JOB_CAPACITY && line->words >= CAPACITY_WORDS);
    client->unproved = client->unproved && !said;
}

// Boards that say no more than $OK to a `$SC` are asked what they made of it ($GE).
static bool take(struct pw_rapi_client *client, const struct pw_rapi_line *line, bool ok, pw_ms now)
{
    const struct job *job = &jobs[client->job];
    if (job->take == NULL || job->take(&client->view, line, now)) {
        note_proof(client, line);
        return true;
    }
    if (ok && client->job == PW_RAPI_JOB_LIMIT && line->words == 1) {
        client->view.offered_ma = client->sent_a * 1000;
        client->unproved = (client->cannot & (UINT32_C(1) << PW_RAPI_JOB_SETTINGS)) == 0;
        client->due[PW_RAPI_JOB_SETTINGS] = now;
        return true;
    }
    return false;
}

enum pw_rapi_verdict pw_rapi_plan_answer(struct pw_rapi_client *client,
                                         const struct pw_rapi_line *line, pw_ms now)
{
    const struct job *job = &jobs[client->job];
    bool ok = pw_str_is(line->word[0], "OK");
    if ((ok || job->at_nk) && take(client, line, ok, now)) {
        client->refused[client->job] = 0;
        pw_rapi_plan_over(client, now);
        return PW_RAPI_DONE;
    }
    if (ok) {
        client->view.bad++;
        return PW_RAPI_AGAIN;
    }
    client->refused[client->job]++;
    if (client->refused[client->job] < 2) {
        return PW_RAPI_AGAIN;
    }
    client->refused[client->job] = 0;
    pw_rapi_plan_failed(client, true, now);
    return PW_RAPI_DONE;
}

void pw_rapi_plan_failed(struct pw_rapi_client *client, bool refused, pw_ms now)
{
    enum pw_rapi_job job = (enum pw_rapi_job)client->job;
    pw_rapi_plan_over(client, now);
    if (job == PW_RAPI_JOB_LCD_TAKE || job == PW_RAPI_JOB_LCD_1 || job == PW_RAPI_JOB_LCD_2) {
        client->due[PW_RAPI_JOB_LCD_TAKE] = now + LCD_REFUSED_MS;
        client->lcd_ours = false;
        return;
    }
    if (job == PW_RAPI_JOB_BEAT) {
        client->view.heartbeat = PW_RAPI_HEARTBEAT_NONE;
    }
    if (job == PW_RAPI_JOB_SETTINGS && refused) {
        client->unproved = false; // it will never say more
    }
    bool reading = jobs[job].wanted == NULL || job == PW_RAPI_JOB_CABLE;
    if (reading && (refused || job == PW_RAPI_JOB_VERSION)) {
        client->cannot |= UINT32_C(1) << job;
    }
}

// The polls that a charging board gets more often do not wait for what was planned for an idle one.
static void hurry(struct pw_rapi_client *client, pw_ms now)
{
    for (unsigned i = 0; i < PW_RAPI_JOBS; i++) {
        if (client->due[i] != PW_NEVER) {
            client->due[i] = pw_earlier(client->due[i], pw_after(now, interval(client, i)));
        }
    }
}

void pw_rapi_plan_heard(struct pw_rapi_client *client, const struct pw_rapi_view *before, pw_ms now)
{
    const struct pw_rapi_view *view = &client->view;
    bool is_charging = charges(client);
    bool was_charging = before->relay || before->state == PW_RAPI_STATE_C;
    if (is_charging && !was_charging) {
        hurry(client, now);
    }
    if (was_charging && !is_charging) {
        client->due[PW_RAPI_JOB_CURRENT] = now;
        client->due[PW_RAPI_JOB_ENERGY] = now;
    }
    if (view->plugged != before->plugged) {
        client->due[PW_RAPI_JOB_CAPACITY] = now; // a cable may carry less
        client->due[PW_RAPI_JOB_ENERGY] = now;
    }
    if (view->offered_ma != before->offered_ma && view->offered_ma != PW_RAPI_UNKNOWN &&
        view->offered_ma < target_a(client) * 1000 && client->job != PW_RAPI_JOB_LIMIT &&
        view->heartbeat == PW_RAPI_HEARTBEAT_ARMED) {
        client->due[PW_RAPI_JOB_BEAT] = now; // it may have fallen back
    }
    if (client->wanted && state_is_aim(client)) {
        client->order_pause = PAUSE_MS;
    }
}

bool pw_rapi_plan_hurries(const struct pw_rapi_client *client)
{
    return client->job == PW_RAPI_JOB_LIMIT && !limit_held(client);
}

void pw_rapi_plan_wanted(struct pw_rapi_client *client)
{
    client->due[PW_RAPI_JOB_LIMIT] = 0;
    client->due[PW_RAPI_JOB_STOP] = 0;
    client->due[PW_RAPI_JOB_START] = 0;
    client->due[PW_RAPI_JOB_UNLOCK] = 0;
    client->due[PW_RAPI_JOB_ACK] = 0;
    client->limit_tries = 0;
    forgive(client);
    client->order_pause = PAUSE_MS;
}

void pw_rapi_plan_judge(struct pw_rapi_client *client)
{
    struct pw_rapi_view *view = &client->view;
    view->limit_held = limit_held(client);
    view->settled = view->ok && view->limit_held && view->state_at != PW_NEVER &&
                    state_is_aim(client) && heartbeat_ready(client);
}
