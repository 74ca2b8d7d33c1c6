// The kind `meter`: nothing but a meter, for the house's supply or beside a real station.
#include "sim.h"

static int open_meter(struct pw_sim *sim, struct pw_out *reason)
{
    (void)reason;
    pw_world_meter_init(&sim->meter, pw_clock_now(&sim->clock));
    return PW_OK;
}

static void close_meter(struct pw_sim *sim)
{
    (void)sim;
}

static pw_ms turn_meter(struct pw_sim *sim, pw_ms now)
{
    static const enum pw_modbus_mood moods[] = {
        [PW_WORLD_METER_ANSWERS] = PW_MODBUS_ANSWERS,
        [PW_WORLD_METER_SILENT] = PW_MODBUS_SILENT,
        [PW_WORLD_METER_REFUSES] = PW_MODBUS_REFUSES,
        [PW_WORLD_METER_GARBLES] = PW_MODBUS_GARBLES,
    };
    pw_ms next = pw_world_meter_step(&sim->meter, now);
    pw_modbus_server_show(sim->wired.server, &sim->meter.shown);
    pw_modbus_server_mood(sim->wired.server, moods[sim->meter.mood]);
    return next;
}

static int line_meter(struct pw_sim *sim, struct pw_str text, struct pw_out *answer)
{
    int err = pw_world_meter_run(&sim->meter, text, answer);
    (void)turn_meter(sim, pw_clock_now(&sim->clock));
    return err;
}

static void status_meter(const struct pw_sim *sim, struct pw_line *line)
{
    const struct pw_board_mains *shown = &sim->meter.shown;
    pw_line_fixed(line, "a1", shown->ma[0], 3);
    pw_line_fixed(line, "a2", shown->ma[1], 3);
    pw_line_fixed(line, "a3", shown->ma[2], 3);
    pw_line_fixed(line, "w", (int64_t)shown->mw[0] + shown->mw[1] + shown->mw[2], 3);
    pw_line_fixed(line, "kwh", shown->import_mwh, 6);
    pw_line_int(line, "asked", pw_modbus_server_asked(sim->wired.server));
}

static void result_meter(const struct pw_sim *sim, struct pw_out *out)
{
    pw_world_meter_print(&sim->meter, out);
}

const struct pw_sim_kind pw_sim_kind_meter = {
    .open = open_meter,
    .close = close_meter,
    .turn = turn_meter,
    .line = line_meter,
    .status = status_meter,
    .result = result_meter,
};
