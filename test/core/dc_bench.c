#include "dc_bench.h"

#include "test.h"

struct pw_dc dc;
struct pw_dc_input in;
pw_ms now;
struct dc_bench bench;
static struct dc_oracle oracle;
static pw_ms bms_says_at;

void bench_turn(void)
{
    const struct pw_dc_output *out = &dc.out;
    if (!bench.bms_silent && now >= bms_says_at) {
        in.bms_at = now;
        bms_says_at = now + 1000;
    }
    if (!bench.out_silent) {
        in.out_at = now;
    }
    if (!bench.rectifier_silent) {
        in.rectifier_at = now;
    }
    if (!bench.io_silent && !dc.config.no_contactor) {
        in.io_at = now;
        if (!bench.feedback_stuck) {
            in.feedback = out->contactor_closed ? PW_DC_FEEDBACK_CLOSED : PW_DC_FEEDBACK_OPEN;
        }
    }
    in.battery_at = bench.battery_mv == 0 ? PW_NEVER : now;
    in.battery_mv = bench.battery_mv;
    if (bench.battery_mv != 0 && out->contactor_closed) {
        in.battery_mv = in.out_mv; // both sides of a closed contactor
    }
    if (!bench.hold_output) {
        bool on = out->rectifier_on && out->contactor_closed;
        in.out_ma = on ? out->set_ma : 0;
        if (out->contactor_closed) {
            in.out_mv = 76000 + in.out_ma / 20;
        } else if (out->rectifier_on) {
            in.out_mv = out->set_mv;
        } else {
            in.out_mv = (int32_t)pw_max(bench.rest_mv, in.out_mv - 100);
        }
    }
    pw_ms next = pw_dc_step(&dc, &in, now);
    const char *broken = dc_oracle_judge(&oracle, &dc, &in, now, next);
    if (broken != NULL) {
        fail_msg("at %llu in %s: %s", (unsigned long long)now, pw_dc_state_name(dc.state), broken);
    }
}

void bench_run(pw_ms span)
{
    for (pw_ms end = now + span; now < end; now += 10) {
        bench_turn();
    }
}

void bench_set_up(const struct pw_dc_config *config)
{
    now = 10000;
    bms_says_at = now;
    oracle = dc_oracle_new();
    bench = (struct dc_bench){.battery_mv = config->no_contactor ? 0 : 76000};
    in = (struct pw_dc_input){.bus_ok = true,
                              .stack_ma = 100000,
                              .bms_at = PW_NEVER,
                              .bms_mv = 84000,
                              .bms_ma = 30000,
                              .soc_permille = 500,
                              .out_at = PW_NEVER,
                              .rectifier_at = PW_NEVER,
                              .rectifier_mv = -1,
                              .temp_at = PW_NEVER,
                              .io_at = PW_NEVER,
                              .battery_at = PW_NEVER};
    assert_int_equal(pw_dc_init(&dc, 1, config, NULL, now, NULL), PW_OK);
}

void bench_charge_with(const struct pw_dc_config *config)
{
    bench_set_up(config);
    in.permit = true;
    bench_run(5000);
    assert_int_equal(dc.state, PW_DC_CHARGING);
    assert_int_equal(dc.out.set_ma, 30000);
}

void bench_charge(void)
{
    bench_charge_with(&(struct pw_dc_config){0});
}

bool bench_stands(enum pw_dc_fault fault)
{
    return (dc.faults & PW_DC_BIT(fault)) != 0;
}

void bench_clear(enum pw_dc_fault fault)
{
    assert_int_equal(pw_dc_clear(&dc, fault, now), PW_OK);
    oracle.latched &= ~PW_DC_BIT(fault);
}

bool bench_passed_through(enum pw_dc_state state)
{
    for (unsigned i = 0; i < PW_DC_TRAIL_MAX && i < dc.steps; i++) {
        if (dc.trail[i].to == state) {
            return true;
        }
    }
    return false;
}
