// Fuzzes core/dc: pw_dc_step, pw_dc_clear, pw_dc_restore. Bytes are changes of the input and steps
// of time; the machine is called at every deadline it asks for, as a station would. The oracle is
// test/core/dc_oracle.h.
#include "../test/core/dc_oracle.h"

#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct run {
    struct pw_dc dc;
    struct pw_dc_input in;
    struct dc_oracle oracle;
    pw_ms now;
    pw_ms next;
};

static void step(struct run *r)
{
    r->next = pw_dc_step(&r->dc, &r->in, r->now);
    const char *broken = dc_oracle_judge(&r->oracle, &r->dc, &r->in, r->now, r->next);
    if (broken != NULL) {
        (void)fprintf(stderr, "at %llu ms in %s (%s): %s\n", (unsigned long long)r->now,
                      pw_dc_state_name(r->dc.state), r->dc.why, broken);
        abort();
    }
}

static void wait(struct run *r, pw_ms span)
{
    pw_ms end = r->now + span;
    while (r->next < end) {
        r->now = r->next;
        step(r);
    }
    r->now = end;
    step(r);
}

static const int32_t volts[] = {0,     -5000, 20000, 50000, 56000, 70000, 74000,  76000,
                                77500, 84000, 85000, 85500, 86600, 95000, 200000, INT32_MAX};
static const int32_t amps[] = {0,      100,      400,       900,      1500,   5000,
                               30000,  33000,    60000,     90000,    100000, 160000,
                               300000, -1000000, INT32_MAX, INT32_MIN};

static void measure(struct run *r, unsigned v)
{
    r->in.out_at = r->now;
    r->in.out_mv = volts[v];
}

// A vehicle, a rectifier and an I/O node that speak now.
static void all_speak(struct run *r)
{
    r->in.bms_at = r->now;
    r->in.rectifier_at = r->now;
    r->in.io_at = r->now;
    r->in.out_at = r->now;
    r->in.battery_at = r->in.battery_at == PW_NEVER ? PW_NEVER : r->now;
    // A contactor that works.
    if (r->in.feedback != PW_DC_FEEDBACK_NONE) {
        r->in.feedback = r->dc.out.contactor_closed ? PW_DC_FEEDBACK_CLOSED : PW_DC_FEEDBACK_OPEN;
    }
}

static void flags(struct run *r, unsigned arg)
{
    switch (arg) {
    case 0: r->in.permit = !r->in.permit; break;
    case 1: r->in.bus_ok = !r->in.bus_ok; break;
    case 2: r->in.estop = !r->in.estop; break;
    case 3: r->in.feedback = PW_DC_FEEDBACK_NONE; break;
    case 4: r->in.feedback = PW_DC_FEEDBACK_OPEN; break;
    case 5: r->in.feedback = PW_DC_FEEDBACK_CLOSED; break;
    case 6: r->in.bms_stop = !r->in.bms_stop; break;
    case 7: r->in.bms_heating = !r->in.bms_heating; break;
    case 8: r->in.soc_permille = 1000; break;
    case 9: r->in.soc_permille = -1; break;
    case 10: r->in.capacity_mah = r->in.capacity_mah == 0 ? 30000 : 0; break;
    case 11: r->in.battery_at = PW_NEVER; break;
    case 12: r->in.rectifier_mv = -1; break;
    case 13: all_speak(r); break;
    case 14: r->in.out_mv = r->in.battery_mv; break; // pre-charge done
    default: r->in.rectifier_max_ma = r->in.rectifier_max_ma == 0 ? 50000 : 0; break;
    }
}

static void one(struct run *r, uint8_t byte)
{
    unsigned arg = byte & 15U;
    switch (byte >> 4) {
    case 0: flags(r, arg); break;
    case 1: wait(r, (pw_ms)1 << arg); break;
    case 2: measure(r, arg); break;
    case 3: r->in.out_ma = amps[arg]; break;
    case 4: r->in.bms_mv = volts[arg]; break;
    case 5: r->in.bms_ma = amps[arg]; break;
    case 6:
        r->in.battery_at = r->now;
        r->in.battery_mv = volts[arg];
        break;
    case 7: r->in.stack_ma = amps[arg]; break;
    case 8:
        r->in.temp_at = r->now;
        r->in.temp_dc = (int32_t)arg * 60;
        break;
    case 9: r->in.alarms = arg * 2 + (arg & 1U); break;
    case 10: {
        // By hand; the latch is then gone with good reason.
        int err = pw_dc_clear(&r->dc, (enum pw_dc_fault)arg, r->now);
        if (err == PW_OK) {
            r->oracle.latched &= ~PW_DC_BIT(arg);
        }
        break;
    }
    case 11: r->in.rectifier_mv = volts[arg]; break;
    default:
        // A time in which everybody speaks every 100 ms.
        for (unsigned i = 0; i < 4 * (arg + 1); i++) {
            all_speak(r);
            wait(r, 100);
        }
        break;
    }
    step(r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct run r = {
        .oracle = dc_oracle_new(),
        .now = 1000,
        .in = {.permit = true,
               .bus_ok = true,
               .feedback = PW_DC_FEEDBACK_OPEN,
               .stack_ma = 100000,
               .bms_mv = 84000,
               .bms_ma = 30000,
               .soc_permille = 400,
               .out_mv = 76000,
               .battery_mv = 76000,
               .rectifier_mv = -1,
               .bms_at = PW_NEVER,
               .out_at = PW_NEVER,
               .io_at = PW_NEVER,
               .rectifier_at = PW_NEVER,
               .temp_at = PW_NEVER,
               .battery_at = PW_NEVER},
    };
    struct pw_dc_config config = {.no_contactor = size > 0 && (data[0] & 1U) != 0};
    if (config.no_contactor) {
        r.in.feedback = PW_DC_FEEDBACK_NONE;
    }
    int err = pw_dc_init(&r.dc, 1, &config, NULL, r.now, NULL);
    PW_ASSERT(err == PW_OK);
    if (size > 1) {
        pw_dc_restore(&r.dc, data[1] == 0xFF ? data[1] : 0);
    }
    step(&r);
    for (size_t i = 2; i < size && i < 600; i++) {
        one(&r, data[i]);
    }
    return 0;
}
