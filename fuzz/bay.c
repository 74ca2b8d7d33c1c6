// Fuzzes station/bay and through it every CAN protocol: pw_bay_can, pw_bay_bus_state, pw_bay_step,
// pw_bay_take_can, pw_bay_view. Bytes are frames (those of our protocols, then mutated, and plain
// random ones), states of the wires, requests and time. Judged by what the bay sends and shows.
#include "bay/bay.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct run {
    struct pw_bay bay;
    const uint8_t *at;
    const uint8_t *end;
    pw_ms now;
    pw_ms next;
    uint64_t energy_mwh;
    unsigned begins;
    unsigned ends;
    unsigned recorded;
};

static unsigned take(struct run *r)
{
    return r->at < r->end ? *r->at++ : 0;
}

static void broken(const struct run *r, const char *rule)
{
    (void)fprintf(stderr, "at %llu ms in %s: %s\n", (unsigned long long)r->now,
                  pw_dc_state_name(r->bay.dc.state), rule);
    abort();
}

static void judge(struct run *r)
{
    struct pw_bay_view view;
    pw_bay_view(&r->bay, &view, r->now);
    const struct pw_dc_output *out = &r->bay.dc.out;
    if (view.energised && out->set_ma > 0 && r->recorded <= r->ends) {
        broken(r, "current without a recorded start");
    }
    if (out->set_mv > 85500 || out->set_ma > 100000 || out->set_ma < 0 || out->set_mv < 0) {
        broken(r, "set-point outside the limits");
    }
    if (out->set_ma > view.offered_ma) {
        broken(r, "more asked for than offered");
    }
    if (view.energy_mwh < r->energy_mwh) {
        broken(r, "the energy register went back");
    }
    if (r->next <= r->now) {
        broken(r, "no deadline ahead");
    }
    if (view.faults != 0 && strcmp(view.error_code, "NoError") == 0) {
        broken(r, "a fault without a code");
    }
    r->energy_mwh = view.energy_mwh;
}

static void drain(struct run *r)
{
    uint8_t bus;
    struct pw_can_frame frame;
    unsigned frames = 0;
    while (pw_bay_take_can(&r->bay, &bus, &frame)) {
        if (!r->bay.bus[bus].transmit || frame.len > PW_CAN_DATA_MAX || frames++ > PW_BAY_TX_MAX) {
            broken(r, "a frame that must not be sent");
        }
    }
    struct pw_session_event event;
    while (pw_session_take(&r->bay.session, &event)) {
        r->begins += event.kind == PW_SESSION_BEGIN ? 1 : 0;
        r->ends += event.kind == PW_SESSION_END ? 1 : 0;
    }
}

static void step(struct run *r)
{
    r->next = pw_bay_step(&r->bay, r->now);
    judge(r);
    drain(r);
}

static void wait(struct run *r, pw_ms span)
{
    pw_ms end = r->now + span;
    for (unsigned i = 0; r->next < end && i < 2000; i++) {
        r->now = r->next;
        step(r);
    }
    r->now = end;
    step(r);
}

// Frames a healthy world sends: request of the BMS (84 V, 30 A, 41.5 %), terminal report (76 V, and
// 30 A or none), a rectifier's echo and voltage, I/O node inputs (open, closed), its voltage.
static const struct pw_can_frame known[] = {
    {0x1806E5F4, true, false, 8, {0x03, 0x48, 0x01, 0x2C, 0x00, 0x01, 0x9F, 0x00}},
    {0x00433F01, true, false, 8, {0x42, 0x98, 0x00, 0x00, 0x41, 0xF0, 0x00, 0x00}},
    {0x00433F01, true, false, 8, {0x42, 0x98, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00}},
    {0x0681827E, true, false, 8, {0x01, 0x84, 0x00, 0x00, 0x00, 0x01, 0x30, 0x00}},
    {0x0681827E, true, false, 8, {0x01, 0x83, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00}},
    {0x000001A0, false, false, 1, {0x00}},
    {0x000001A0, false, false, 1, {0x01}},
    {0x000002A0, false, false, 2, {0xB0, 0x1D}},
    {0x00000720, false, false, 1, {0x05}},
    {0x160B8001, true, false, 8, {0x00, 0x01, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00}},
    {0x160D8001, true, false, 8, {0x00, 0x00, 0xA0, 0x00, 0x00, 0x00, 0x00, 0x00}},
    {0x18904001, true, false, 8, {0x02, 0xF8, 0x02, 0xF8, 0x75, 0x30, 0x01, 0x9F}},
    {0x0681817E, true, false, 8, {0x01, 0x32, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00}},
    {0x00473F01, true, false, 8, {0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x03, 0x02}},
    {0x0681827E, true, false, 8, {0x01, 0x80, 0x00, 0x00, 0x00, 0x00, 0x78, 0x00}},
};

static void hear(struct run *r, struct pw_can_frame frame)
{
    pw_bay_can(&r->bay, 0, &frame, r->now);
}

static void frame(struct run *r, bool mutated)
{
    struct pw_can_frame f = known[take(r) % PW_COUNT(known)];
    if (mutated) {
        unsigned where = take(r);
        unsigned what = take(r);
        f.data[where & 7U] = (uint8_t)what;
        f.len = (where & 8U) != 0 ? (uint8_t)(what % (PW_CAN_DATA_MAX + 1)) : f.len;
        f.id ^= (where & 16U) != 0 ? what : 0;
        f.remote = (where & 32U) != 0;
    }
    hear(r, f);
}

static void random_frame(struct run *r)
{
    struct pw_can_frame f = {.extended = true, .len = 8};
    f.id = (take(r) << 24 | take(r) << 16 | take(r) << 8 | take(r)) & 0x1FFFFFFF;
    for (unsigned i = 0; i < PW_CAN_DATA_MAX; i++) {
        f.data[i] = (uint8_t)take(r);
    }
    hear(r, f);
}

// A world that does what it is told, for a while: contactor, current, BMS, rectifier.
static void healthy(struct run *r, unsigned turns)
{
    for (unsigned i = 0; i < turns; i++) {
        bool closed = r->bay.dc.out.contactor_closed;
        if (i % 10 == 0) {
            hear(r, known[0]);
        }
        hear(r, known[closed && r->bay.dc.out.set_ma > 20000 ? 1 : 2]);
        hear(r, known[3]);
        hear(r, known[closed ? 6 : 5]);
        hear(r, known[7]);
        wait(r, 100);
    }
}

static void request(struct run *r)
{
    unsigned what = take(r);
    int err = PW_OK;
    switch (what & 7U) {
    case 0: err = pw_session_authorise(&r->bay.session, PW_STR("T"), PW_START_CARD, r->now); break;
    case 1: err = pw_session_stop(&r->bay.session, PW_REASON_REMOTE, PW_STR(""), r->now); break;
    case 2:
        r->recorded += r->bay.session.phase == PW_PHASE_BEGINNING && !r->bay.session.recorded &&
                               !r->bay.session.refused
                           ? 1
                           : 0;
        pw_session_recorded(&r->bay.session, true, r->now);
        break;
    case 3:
        err = pw_bay_limit(&r->bay, PW_LIMIT_OCPP, (int32_t)take(r) * 500, "fuzz",
                           r->now + 1 + take(r) * 100, r->now);
        break;
    case 4: pw_bay_estop(&r->bay, (what & 8U) != 0); break;
    case 5: err = pw_bay_clear(&r->bay, (enum pw_dc_fault)take(r), r->now); break;
    case 6: (void)pw_session_set_operative(&r->bay.session, (what & 8U) != 0, r->now); break;
    default: {
        struct pw_bay_keep keep = pw_bay_keep(&r->bay);
        pw_bay_kept(&r->bay, &keep, r->now);
        break;
    }
    }
    (void)err; // a refusal is as good as a success: the judge looks at what follows
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct run run;
    memset(&run, 0, sizeof(run));
    run.at = data;
    run.end = data + size;
    run.now = 1000;
    unsigned kind = take(&run);
    struct pw_bay_config config = {
        .connector_id = 1,
        .rectifier =
            (kind & 1U) != 0 ? &pw_rectifier_driver_infypower : &pw_rectifier_driver_huawei,
        .rectifier_modules = 3,
        .elcon_soc = (kind & 2U) == 0,
        .daly_poll = true,
        .terminal_id = (kind & 4U) != 0 ? 0 : 0x00433F01,
        .io_node = (kind & 8U) != 0 ? 0 : 0x20,
    };
    int err = pw_bay_init(&run.bay, &config, NULL, run.now, NULL);
    PW_ASSERT(err == PW_OK);
    pw_bay_bus_state(&run.bay, 0, PW_CAN_ACTIVE, run.now);
    step(&run);
    for (unsigned i = 0; i < 400 && run.at < run.end; i++) {
        unsigned what = take(&run);
        switch (what & 7U) {
        case 0: frame(&run, false); break;
        case 1: frame(&run, true); break;
        case 2: random_frame(&run); break;
        case 3: request(&run); break;
        case 4: wait(&run, (pw_ms)1 << (what >> 4)); break;
        case 5: pw_bay_bus_state(&run.bay, 0, (enum pw_can_state)((what >> 3) % 5), run.now); break;
        case 6: (void)pw_bay_take_restart(&run.bay, 0, run.now); break;
        default: healthy(&run, what >> 3); break;
        }
        step(&run);
    }
    return 0;
}
