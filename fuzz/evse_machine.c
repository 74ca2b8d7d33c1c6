// Fuzzes core/evse: pw_evse_step, pw_evse_clear, pw_evse_restore. Bytes are changes of what the
// board senses, of permit and limit, and steps of time; any value may come, also ones no board
// would send.
#include "evse/evse.h"

#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct run {
    struct pw_evse evse;
    struct pw_board_senses senses;
    bool permit;
    int32_t limit_ma;
    pw_ms now;
    pw_ms next;
};

static void broken(const struct run *r, const char *rule)
{
    (void)fprintf(stderr, "at %llu ms in %s (%s), faults %x: %s\n", (unsigned long long)r->now,
                  pw_evse_state_name(r->evse.state), r->evse.why, r->evse.faults, rule);
    abort();
}

static void judge(const struct run *r, const struct pw_board_drive *had)
{
    const struct pw_evse *e = &r->evse;
    const struct pw_board_drive d = pw_evse_drive(e);
    int32_t offer = pw_pilot_offer_ma(d.duty_ppm);
    bool ready = e->pilot.level == PW_PILOT_C ||
                 (e->pilot.level == PW_PILOT_D && e->config.ventilation != 0);
    bool stopping = e->state == PW_EVSE_STOPPING && r->now - e->since < 6000;
    if (d.contactor && (!ready || !e->pilot.diode || e->faults != 0 || (!r->permit && !stopping))) {
        broken(r, "closed against the rules");
    }
    if (d.contactor && !had->contactor &&
        (!r->permit || offer < 6000 || r->senses.contact == PW_BOARD_CONTACT_CLOSED)) {
        broken(r, "closed without reason");
    }
    if (offer > 0 && (offer < 6000 || offer > r->limit_ma || offer > e->config.max_ma)) {
        broken(r, "offer outside the limits");
    }
    if ((d.cp == PW_BOARD_CP_PWM) != (d.duty_ppm > 0) || r->next <= r->now ||
        (d.contactor && r->next > r->now + 100)) {
        broken(r, "PWM without offer, or no deadline");
    }
}

static void step(struct run *r)
{
    const struct pw_board_drive had = r->evse.drive;
    const struct pw_evse_input input = {
        .senses = &r->senses, .permit = r->permit, .limit_ma = r->limit_ma};
    r->next = pw_evse_step(&r->evse, &input, r->now);
    judge(r, &had);
}

// A time in which the board speaks every 5 ms and its parts follow what they are told.
static void live(struct run *r, unsigned turns)
{
    for (unsigned i = 0; i < turns; i++) {
        const struct pw_board_drive d = pw_evse_drive(&r->evse);
        r->now += 5;
        r->senses.at = r->now;
        r->senses.mains.at = r->now;
        r->senses.rcd = d.rcd_test ? PW_BOARD_RCD_TRIPPED : PW_BOARD_RCD_OK;
        r->senses.contact = d.contactor ? PW_BOARD_CONTACT_CLOSED : PW_BOARD_CONTACT_OPEN;
        r->senses.lock = d.lock ? PW_BOARD_LOCK_CLOSED : PW_BOARD_LOCK_OPEN;
        if (r->senses.cp_high_mv > 0 && d.cp == PW_BOARD_CP_FAULT) {
            r->senses.cp_high_mv = -12000;
        } else if (r->senses.cp_high_mv == -12000 && d.cp != PW_BOARD_CP_FAULT) {
            r->senses.cp_high_mv = 9000;
        }
        step(r);
    }
}

static const int32_t volts[] = {12000, 9000, 6000,   3000,  0,     -12000,    10400,     7600,
                                7400,  4400, -13000, 20000, 10600, INT32_MIN, INT32_MAX, 1400};
static const int32_t odd[] = {0,      INT32_MIN, INT32_MAX, -1,     75,    220,    680,   1500,
                              230000, 300000,    100000,    -40000, 16000, 100000, 70000, 5900};

static void flag(struct run *r, unsigned arg)
{
    struct pw_board_senses *s = &r->senses;
    switch (arg) {
    case 0: r->permit = !r->permit; break;
    case 1: s->estop = !s->estop; break;
    case 2: s->contact = (enum pw_board_contact)(((unsigned)s->contact + 1) % 3); break;
    case 3: s->lock = (enum pw_board_lock)(((unsigned)s->lock + 1) % 4); break;
    case 4: s->rcd = (enum pw_board_rcd)(((unsigned)s->rcd + 1) % 3); break;
    case 5: s->earth = (enum pw_board_earth)(((unsigned)s->earth + 1) % 3); break;
    case 6: s->at = PW_NEVER; break;
    case 7: s->at = r->now + 1000; break;
    case 8: s->at = r->now; break;
    case 9: s->mains.at = PW_NEVER; break;
    case 10: s->cp_low_mv = -12000; break;
    case 11: s->cp_low_mv = -3000; break;
    case 12: pw_evse_restore(&r->evse, 0xFFFFFFFF); break;
    case 13: r->now -= r->now > 2000 ? 1000 : 0; break;
    case 14: s->temp_dc[0] = 250; break;
    default: s->temp_dc[0] = 790; break;
    }
}

static void one(struct run *r, uint8_t byte)
{
    unsigned arg = byte & 15U;
    struct pw_board_senses *s = &r->senses;
    switch (byte >> 4) {
    case 0: flag(r, arg); break;
    case 1: r->now += (pw_ms)1 << arg; break;
    case 2: s->cp_high_mv = volts[arg]; break;
    case 3: s->cp_low_mv = volts[arg]; break;
    case 4: s->pp_ohm = odd[arg]; break;
    case 5: r->limit_ma = odd[arg]; break;
    case 6: s->mains.ma[0] = odd[arg]; break;
    case 7: s->mains.mv[1] = odd[arg]; break;
    case 8: s->load_mv[2] = odd[arg]; break;
    case 9: s->temp_dc[1] = odd[arg]; break;
    case 10: {
        int err = pw_evse_clear(&r->evse, (enum pw_evse_fault)(arg + 4), r->now);
        (void)err;
        break;
    }
    case 11: {
        int err = pw_evse_clear(&r->evse, (enum pw_evse_fault)arg, r->now);
        (void)err;
        break;
    }
    default: live(r, 8 * (arg + 1)); break;
    }
    if (r->now < r->evse.stepped_at) {
        r->now = r->evse.stepped_at; // the machine takes a clock that runs back as standing
    }
    step(r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct run r = {
        .limit_ma = 16000,
        .now = 10000,
        .senses = {.at = PW_NEVER,
                   .cp_high_mv = -12000,
                   .cp_low_mv = -12000,
                   .pp_ohm = 220,
                   .contact = PW_BOARD_CONTACT_OPEN,
                   .lock = PW_BOARD_LOCK_OPEN,
                   .rcd = PW_BOARD_RCD_OK,
                   .earth = PW_BOARD_EARTH_OK,
                   .temp_dc = {250, 240},
                   .mains = {.at = PW_NEVER, .mv = {230000, 230000, 230000}}},
    };
    unsigned kind = size > 0 ? data[0] : 0;
    const struct pw_evse_config config = {
        .max_ma = 32000,
        .socket = (kind & 1U) != 0,
        .ventilation = (kind & 2U) != 0 ? PW_EVSE_VENTILATION_RELAY : PW_EVSE_VENTILATION_NONE,
        .wake = (kind & 4U) != 0 ? PW_EVSE_WAKE_FAULT : PW_EVSE_WAKE_NONE,
        .rcd_resets = (kind & 8U) != 0 ? 4 : 0,
        .blind_lock = (kind & 16U) != 0,
    };
    int err = pw_evse_init(&r.evse, 1, &config, NULL, r.now, NULL);
    PW_ASSERT(err == PW_OK);
    step(&r);
    for (size_t i = 1; i < size && i < 500; i++) {
        one(&r, data[i]);
    }
    return 0;
}
