#include "charger/charger.h"

#include <math.h>

// Ten millifarads over fifteen kilohms: 83 V fall to 56 V in a minute (facts/dc-can.md §1.1).
#define CAP_F      0.010
#define BLEED_S    (1.0 / 15000.0)
// Contactor, cable and connector. The meter of the terminal report sits before them.
#define PATH_OHM   0.001
#define DIODE_V    0.7  // body diode of an open charge MOSFET
#define CONN_TAU_S 0.05 // a free connector loses its voltage at once
#define LOADED_A   5.0
#define APART_V    5.0
#define FLOWING_A  0.05

void pw_charger_init(struct pw_charger *charger)
{
    *charger = (struct pw_charger){.moves_at = PW_NEVER};
}

static bool wants_closed(const struct pw_charger *charger)
{
    return (charger->coil && !charger->estop) || (charger->weld && charger->closed);
}

static void arm(struct pw_charger *charger, pw_ms now)
{
    bool wanted = wants_closed(charger);
    if (wanted == charger->closed) {
        charger->moves_at = PW_NEVER;
    } else if (charger->moves_at == PW_NEVER) {
        charger->moves_at = now + (wanted ? PW_CHARGER_CLOSE_MS : PW_CHARGER_OPEN_MS);
    }
}

void pw_charger_set_coil(struct pw_charger *charger, bool on, pw_ms now)
{
    charger->coil = on;
    arm(charger, now);
}

void pw_charger_set_estop(struct pw_charger *charger, bool pressed, pw_ms now)
{
    charger->estop = pressed;
    arm(charger, now);
}

static double battery_emf(const struct pw_charger_battery *battery)
{
    return battery->charge_mosfet ? battery->emf_v : battery->emf_v - DIODE_V;
}

static void close_contacts(struct pw_charger *charger, const struct pw_charger_battery *battery)
{
    charger->closed = true;
    if (!battery->plugged) {
        return;
    }
    double apart_v = charger->cap_v - battery_emf(battery);
    if (apart_v > 0.0 && !battery->charge_mosfet) {
        return; // the diode blocks
    }
    if (fabs(apart_v) > APART_V) {
        charger->wear.closed_apart++;
    }
    double inrush_a = fabs(apart_v) / (battery->ohm + PATH_OHM);
    charger->wear.worst_inrush_a = fmax(charger->wear.worst_inrush_a, inrush_a);
}

static void open_contacts(struct pw_charger *charger)
{
    charger->closed = false;
    if (fabs(charger->amps) > LOADED_A) {
        charger->wear.opened_loaded++;
    }
    charger->amps = 0.0;
}

pw_ms pw_charger_move(struct pw_charger *charger, const struct pw_charger_battery *battery,
                      pw_ms now)
{
    if (charger->plugged && !battery->plugged && fabs(charger->amps) > LOADED_A) {
        charger->wear.pulled_loaded++;
    }
    charger->plugged = battery->plugged;
    arm(charger, now);
    if (now >= charger->moves_at) {
        charger->moves_at = PW_NEVER;
        if (charger->closed) {
            open_contacts(charger);
        } else {
            close_contacts(charger, battery);
        }
    }
    return charger->moves_at;
}

double pw_charger_flow(struct pw_charger *charger, struct pw_world_rectifier_drive drive,
                       const struct pw_charger_battery *battery, uint32_t ms)
{
    PW_ASSERT(ms > 0 && battery->ohm > 0.0);
    double s = ms * 0.001;
    double emf_v = battery_emf(battery);
    double path_s = charger->closed && battery->plugged ? 1.0 / (battery->ohm + PATH_OHM) : 0.0;
    double store_s = CAP_F / s;
    double source_a = 0.0;
    double volts = 0.0;
    for (;;) {
        // Node equation at the end of the step: capacitors, bleeder, battery and source meet.
        double total_s = store_s + BLEED_S + path_s;
        double held_a = store_s * charger->cap_v + path_s * emf_v;
        source_a = fmin(fmax(drive.volts * total_s - held_a, 0.0), drive.amps);
        volts = (held_a + source_a) / total_s;
        if (path_s > 0.0 && !battery->charge_mosfet && volts > emf_v) {
            path_s = 0.0; // the diode blocks: once more without the battery
            continue;
        }
        break;
    }
    charger->cap_v = volts;
    charger->amps = path_s * (volts - emf_v);
    if (charger->closed) {
        charger->conn_v = volts;
    } else if (battery->plugged) {
        charger->conn_v = emf_v;
    } else {
        charger->conn_v *= CONN_TAU_S / (CONN_TAU_S + s);
    }
    charger->energy_nj += (int64_t)llrint(volts * charger->amps * s * 1e9);
    return source_a;
}

bool pw_charger_busy(const struct pw_charger *charger)
{
    return charger->moves_at != PW_NEVER || fabs(charger->amps) > FLOWING_A;
}
