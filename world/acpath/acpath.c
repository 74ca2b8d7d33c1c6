#include "acpath/acpath.h"

#include <math.h>

#define BROKEN_DC  (-500) // what an open NTC reads as
#define SHORTED_DC 2000
#define WARM_EVERY 1000                // ms between refreshes of the temperatures
#define REF_A2     (3.0 * 32.0 * 32.0) // squares of the current that warms by PW_ACPATH_WARM_K
#define INSIDE     0.6                 // the inside warms by that share of the contacts' rise

void pw_acpath_init(struct pw_acpath *path, const struct pw_acpath_config *config, pw_ms now)
{
    *path = (struct pw_acpath){
        .config = *config,
        .hertz = config->hertz,
        .ambient_c = config->temp_c,
        .powered = true,
        .moves_at = PW_NEVER,
        .trips_at = PW_NEVER,
        .lock_at = now,
        .now = now,
    };
    for (unsigned i = 0; i < config->phases && i < PW_BOARD_PHASES; i++) {
        path->volt[i] = config->volt;
    }
    for (unsigned i = 0; i < PW_BOARD_PROBES; i++) {
        path->probe_dc[i] = (int32_t)lrint(config->temp_c * 10.0);
    }
    pw_noise_init(&path->noise, config->seed, 'p');
}

void pw_acpath_drive(struct pw_acpath *path, bool contactor, bool lock, bool test)
{
    path->commanded = contactor;
    path->lock_on = lock;
    path->test = test;
}

bool pw_acpath_any_closed(const struct pw_acpath *path)
{
    return path->closed[0] || path->closed[1] || path->closed[2];
}

double pw_acpath_load_volt(const struct pw_acpath *path, unsigned phase)
{
    return path->closed[phase] ? path->volt[phase] : 0.0;
}

enum pw_board_contact pw_acpath_contact(const struct pw_acpath *path)
{
    if (!path->config.mirror) {
        return PW_BOARD_CONTACT_NONE;
    }
    switch (path->mirror) {
    case PW_ACPATH_MIRROR_OPEN: return PW_BOARD_CONTACT_OPEN;
    case PW_ACPATH_MIRROR_CLOSED: return PW_BOARD_CONTACT_CLOSED;
    case PW_ACPATH_MIRROR_GOOD: break;
    }
    return pw_acpath_any_closed(path) ? PW_BOARD_CONTACT_CLOSED : PW_BOARD_CONTACT_OPEN;
}

enum pw_board_lock pw_acpath_lock(const struct pw_acpath *path)
{
    if (!path->config.socket) {
        return PW_BOARD_LOCK_NONE;
    }
    if (path->lock_place >= 1.0) {
        return PW_BOARD_LOCK_CLOSED;
    }
    return path->lock_place <= 0.0 ? PW_BOARD_LOCK_OPEN : PW_BOARD_LOCK_MOVING;
}

// ---------------------------------------------------------------------------------------------

static double most_amps(const double amps[PW_BOARD_PHASES])
{
    return fmax(amps[0], fmax(amps[1], amps[2]));
}

static void set_poles(struct pw_acpath *path, bool closed)
{
    for (unsigned i = 0; i < path->config.phases; i++) {
        path->closed[i] = closed || (path->closed[i] && path->weld[i]);
    }
}

static void move_contacts(struct pw_acpath *path, const double amps[PW_BOARD_PHASES])
{
    if (path->now < path->moves_at) {
        return;
    }
    path->moves_at = PW_NEVER;
    if (!path->coil) {
        if (pw_acpath_any_closed(path) && most_amps(amps) > PW_ACPATH_LOADED_A) {
            path->wear.opened_loaded++;
        }
        set_poles(path, false);
        return;
    }
    if (path->stuck_open) {
        return;
    }
    if (path->bounces > 0) {
        path->bounces--;
        set_poles(path, path->bounces % 2 == 0);
        path->moves_at = path->bounces > 0 ? path->now + PW_ACPATH_BOUNCE_MS / 2 : PW_NEVER;
        return;
    }
    path->wear.closings++;
    path->bounces = 2;
    set_poles(path, true);
    path->moves_at = path->now + PW_ACPATH_BOUNCE_MS / 2;
}

static void move_coil(struct pw_acpath *path)
{
    // What the detector has cut stays off until the board lets go of its line.
    path->cut = path->commanded &&
                (path->cut || (path->config.rcd_hardwired && path->tripped && !path->test));
    bool coil = path->powered && path->commanded && !path->cut && !path->estop;
    if (coil == path->coil) {
        return;
    }
    path->coil = coil;
    path->bounces = 0;
    path->moves_at = path->now + (coil ? PW_ACPATH_CLOSE_MS : PW_ACPATH_OPEN_MS);
}

static void move_lock(struct pw_acpath *path)
{
    double ran = (double)(path->now - path->lock_at) / PW_ACPATH_LOCK_MS;
    path->lock_at = path->now;
    if (path->jam || !path->config.socket) {
        return;
    }
    // Without its supply the lock opens: its capacitor sees to that.
    bool to = path->lock_on && path->powered;
    path->lock_place = to ? fmin(1.0, path->lock_place + ran) : fmax(0.0, path->lock_place - ran);
}

static bool lock_moves(const struct pw_acpath *path)
{
    bool to = path->lock_on && path->powered;
    return path->config.socket && !path->jam &&
           (to ? path->lock_place < 1.0 : path->lock_place > 0);
}

// Milliseconds until the residual current device says what it now feels; 0: it says so already.
static pw_ms rcd_lag(const struct pw_acpath *path, bool *feels)
{
    bool live = pw_acpath_any_closed(path);
    bool test = path->test && !path->rcd_deaf;
    bool ac = live && path->leak_ac_ma > PW_ACPATH_RCD_AC_MA;
    bool dc = live && path->leak_dc_ma >= PW_ACPATH_RCD_DC_MA;
    *feels = test || ac || dc;
    if (test || !*feels) {
        return PW_ACPATH_RCD_TEST_MS;
    }
    return ac ? PW_ACPATH_RCD_TRIP_MS : PW_ACPATH_RCD_DC_MS;
}

static void move_rcd(struct pw_acpath *path)
{
    if (!path->config.rcd) {
        return;
    }
    if (path->rcd_stuck) {
        path->tripped = true;
        path->trips_at = PW_NEVER;
        return;
    }
    bool feels = false;
    pw_ms lag = rcd_lag(path, &feels);
    if (feels == path->tripped) {
        path->trips_at = PW_NEVER;
        return;
    }
    if (path->trips_at == PW_NEVER) {
        path->trips_at = path->now + lag;
    }
    if (path->now >= path->trips_at) {
        path->tripped = feels;
        path->trips_at = PW_NEVER;
    }
}

static void warm(struct pw_acpath *path, const double amps[PW_BOARD_PHASES], double ms)
{
    double squares = amps[0] * amps[0] + amps[1] * amps[1] + amps[2] * amps[2];
    double goal = PW_ACPATH_WARM_K * squares / REF_A2;
    if (squares > 0.0 || path->rise_k > 0.01) {
        path->rise_k = goal + (path->rise_k - goal) * exp(-ms / 1000.0 / PW_ACPATH_THERMAL_TAU_S);
    }
    for (unsigned i = 0; i < PW_BOARD_PROBES; i++) {
        double kelvin = path->rise_k * (i == 0 ? 1.0 : INSIDE) + path->forced_k[i];
        switch (path->probe[i]) {
        case PW_ACPATH_PROBE_GOOD:
            path->probe_dc[i] = (int32_t)lrint((path->ambient_c + kelvin) * 10.0);
            break;
        case PW_ACPATH_PROBE_BROKEN: path->probe_dc[i] = BROKEN_DC; break;
        case PW_ACPATH_PROBE_SHORTED: path->probe_dc[i] = SHORTED_DC; break;
        case PW_ACPATH_PROBE_STUCK: break;
        }
    }
}

pw_ms pw_acpath_step(struct pw_acpath *path, const double amps[PW_BOARD_PHASES], pw_ms now)
{
    double ms = (double)(now - path->now);
    path->now = now;
    warm(path, amps, ms);
    move_lock(path);
    move_rcd(path);
    move_coil(path);
    move_contacts(path, amps);
    pw_ms at = pw_earlier(path->moves_at, path->trips_at);
    if (lock_moves(path)) {
        double left = path->lock_on && path->powered ? 1.0 - path->lock_place : path->lock_place;
        at = pw_earlier(at, now + (pw_ms)lrint(ceil(left * PW_ACPATH_LOCK_MS)));
    }
    return most_amps(amps) > 0.0 ? pw_earlier(at, now + WARM_EVERY) : at;
}
