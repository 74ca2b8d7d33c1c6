// The rig itself: its station, its person, its link, its time.
#include "parts.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SLICE_MS = 100 };

static void open_world(struct rig *r)
{
    struct pw_world_ac_config ac = pw_world_ac_defaults();
    struct pw_world_dc_config dc = pw_world_dc_defaults();
    struct pw_world_oe_config oe = pw_world_oe_defaults();
    switch (r->kind) {
    case RIG_SOCKET: street_open_ac(&r->street, &ac); return;
    case RIG_CABLE:
        ac.path.socket = false;
        street_open_ac(&r->street, &ac);
        street_set(&r->street, "connectors[0].socket", "false");
        return;
    case RIG_DC:
        dc.scooter.soc = 0.2;
        street_open(&r->street, &dc);
        return;
    case RIG_OPENEVSE: street_open_oe(&r->street, &oe); return;
    case RIG_PAIR: rig_pair_open(r); return;
    }
    PW_UNREACHABLE();
}

struct rig *rig_open(enum rig_kind kind)
{
    struct rig *r = calloc(1, sizeof(*r));
    PW_ASSERT(r != NULL);
    r->kind = kind;
    open_world(r);
    rig_central_init(r);
    street_set(&r->street, "metering.sample_interval_s", "60");
    return r;
}

// What the observer of the physical world saw, who knows nothing of OCPP, must be right as well.
static void check_world(struct rig *r)
{
    const struct acwatch *ac = &r->street.watch;
    const struct oewatch *oe = &r->street.oewatch;
    if (r->street.kind == &street_kind_ac && ac->violations > 0 && !r->was_off) {
        rig_fail(r, "the outlet: %s", ac->what);
    }
    if (r->street.kind == &street_kind_oe && oe->violations > 0 && !r->was_off) {
        rig_fail(r, "the OpenEVSE station: %s", oe->what);
    }
}

void rig_close(struct rig *r)
{
    check_world(r);
    street_close(&r->street);
    rig_central_free(r);
    free(r);
}

void rig_fail(struct rig *r, const char *format, ...)
{
    static char text[RIG_NOTE_MAX];
    va_list args;
    int len = snprintf(text, sizeof(text), "%s:%d, at %llu ms: ", r->file == NULL ? "?" : r->file,
                       r->line, (unsigned long long)r->street.now);
    va_start(args, format);
    (void)vsnprintf(text + len, sizeof(text) - (size_t)len, format, args);
    va_end(args);
    rig_end(RIG_FAILED, text);
}

void rig_shown_by(const char *program, const char *const *tests, unsigned count)
{
    static char output[65536];
    char path[512];
    char line[RIG_NOTE_MAX];
    (void)snprintf(path, sizeof(path), "%s/%s 2>&1", CONFORMANCE_BUILD, program);
    // NOLINTNEXTLINE(cert-env33-c): a test program of ours, from our own build.
    FILE *pipe = popen(path, "r");
    size_t len = pipe == NULL ? 0 : fread(output, 1, sizeof(output) - 1, pipe);
    int status = pipe == NULL ? -1 : pclose(pipe);
    output[len] = '\0';
    for (unsigned i = 0; i < count; i++) {
        (void)snprintf(line, sizeof(line), "[       OK ] %s", tests[i]);
        if (status != 0 || strstr(output, line) == NULL) {
            (void)snprintf(line, sizeof(line), "%s: %s does not pass", program, tests[i]);
            rig_end(RIG_FAILED, line);
        }
    }
}

void rig_not_applicable(const char *why)
{
    rig_end(RIG_NOT_APPLICABLE, why);
}

// ---------------------------------------------------------------------------------------------
// The station.

void rig_set(struct rig *r, const char *path, const char *value)
{
    street_set(&r->street, path, value);
}

void rig_power_on(struct rig *r)
{
    rig_central_new_program(r);
    street_power_on(&r->street);
}

void rig_boot(struct rig *r)
{
    if (r->street.station == NULL) {
        rig_power_on(r);
    }
    (void)rig_expect_(r, "BootNotification", "{}", RIG_WAIT_MS);
    for (unsigned i = 0; i <= r->street.station->connectors; i++) {
        char subset[40];
        size_t cursor = r->cursor;
        (void)snprintf(subset, sizeof(subset), "{'connectorId':%u}", i);
        (void)rig_expect_(r, "StatusNotification", subset, RIG_WAIT_MS);
        r->cursor = cursor;
    }
    rig_run(r, 2000);
    rig_forget(r);
}

void rig_power_off(struct rig *r)
{
    r->was_off = true;
    street_power_off(&r->street);
}

void rig_reboot(struct rig *r)
{
    r->was_off = true;
    street_power_off(&r->street);
    rig_power_on(r);
}

// A program that asks for its restart gets it, as app/station does.
static void tend_restart(struct rig *r)
{
    if (r->street.station == NULL || r->stay_down ||
        pw_station_wants_restart(r->street.station) == PW_RESTART_NONE) {
        return;
    }
    r->restarts++;
    street_crash(&r->street);
    rig_power_on(r);
}

static void slice(struct rig *r, pw_ms ms)
{
    street_run(&r->street, ms);
    tend_restart(r);
}

void rig_slice(struct rig *r)
{
    slice(r, SLICE_MS);
}

void rig_run(struct rig *r, pw_ms ms)
{
    for (pw_ms end = r->street.now + ms; r->street.now < end;) {
        pw_ms left = end - r->street.now;
        slice(r, left < SLICE_MS ? left : SLICE_MS);
    }
}

const char *rig_console(struct rig *r, const char *line)
{
    return street_command(&r->street, line);
}

// ---------------------------------------------------------------------------------------------
// The person and the vehicle.

static void plug(struct rig *r, unsigned connector, bool in)
{
    if (r->kind == RIG_DC) {
        pw_world_dc_plug(&r->street.world, in);
        r->street.world_at = r->street.now;
    } else if (connector == 2) {
        rig_pair_act(r, in ? "plug" : "unplug");
    } else {
        street_do(&r->street, in ? "plug" : "unplug");
    }
}

void rig_plug(struct rig *r)
{
    plug(r, 1, true);
}

void rig_unplug(struct rig *r)
{
    plug(r, 1, false);
}

void rig_plug_at(struct rig *r, unsigned connector)
{
    plug(r, connector, true);
}

void rig_unplug_at(struct rig *r, unsigned connector)
{
    plug(r, connector, false);
}

void rig_leave(struct rig *r)
{
    acwatch_leave(&r->street.watch, r->street.now);
    oewatch_leave(&r->street.oewatch);
}

void rig_card_at(struct rig *r, unsigned connector, const char *id_tag)
{
    pw_station_card(r->street.station, connector, pw_str_of(id_tag), r->street.now);
    r->street.station_at = r->street.now;
    rig_leave(r);
}

void rig_card(struct rig *r, const char *id_tag)
{
    rig_card_at(r, 0, id_tag);
}

void rig_world(struct rig *r, const char *line)
{
    street_do(&r->street, line);
}

void rig_fault(struct rig *r, bool on)
{
    if (r->kind == RIG_DC) {
        enum pw_can_state state = on ? PW_CAN_OFF : PW_CAN_ACTIVE;
        r->street.world.bus[0] = state;
        pw_station_bus_state(r->street.station, 0, state, r->street.now);
        r->street.station_at = r->street.now;
    } else {
        street_do(&r->street, on ? "earth lost" : "earth good");
    }
}

bool rig_energy_flows(const struct rig *r)
{
    if (r->street.station == NULL) {
        return false;
    }
    if (r->kind == RIG_DC) {
        return pw_world_dc_truth(&r->street.world).connector_ma > 5000;
    }
    return r->kind == RIG_OPENEVSE ? pw_world_oe_truth(&r->street.oe).ma[0] > 5000
                                   : pw_world_ac_truth(&r->street.ac).ma[0] > 5000;
}

int64_t rig_energy_wh(const struct rig *r)
{
    if (r->kind == RIG_DC) {
        return pw_world_dc_truth(&r->street.world).energy_mwh / 1000;
    }
    return r->kind == RIG_OPENEVSE ? pw_world_oe_truth(&r->street.oe).energy_mwh / 1000
                                   : pw_world_ac_truth(&r->street.ac).energy_mwh / 1000;
}

void rig_charge(struct rig *r)
{
    rig_plug(r);
    (void)rig_expect_(r, "StatusNotification", "{'connectorId':1,'status':'Preparing'}",
                      RIG_WAIT_MS);
    rig_card_at(r, 1, "TAG-1");
    (void)rig_expect_(r, "StartTransaction", "{'connectorId':1,'idTag':'TAG-1'}", RIG_WAIT_MS);
    for (pw_ms end = r->street.now + RIG_WAIT_MS; !rig_energy_flows(r);) {
        if (r->street.now > end) {
            rig_fail(r, "no energy flows");
        }
        rig_slice(r);
    }
    rig_run(r, 1000);
    rig_forget(r);
}

// ---------------------------------------------------------------------------------------------
// The link.

void rig_cut(struct rig *r)
{
    street_cut_link(&r->street);
}

void rig_offline(struct rig *r)
{
    r->street.reachable = false;
    street_cut_link(&r->street);
}

void rig_online(struct rig *r)
{
    r->street.reachable = true;
}
