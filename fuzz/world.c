// Target functions: pw_scenario_run, pw_world_dc_can and every device behind it, pw_world_dc_step.
// Input: records of one kind byte and a body. 's': a scenario line up to '\n'; 'f': bus, flags and
// length, id (4, big-endian), data (8); anything else: that many times 25 ms pass. Whatever people
// and wires do, the physics stays finite and the energy account never jumps.
#include "scenario/scenario.h"

#include <math.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { FRAME = 14, SIZE_MOST = 1024 };

struct input {
    const uint8_t *at;
    size_t left;
};

static void line(struct pw_world_dc *world, struct input *input)
{
    char text[PW_SCENARIO_ANSWER_MAX];
    struct pw_out answer = PW_OUT(text);
    struct pw_str rest = {.at = (const char *)input->at, .len = input->left};
    int err = pw_scenario_run(world, pw_str_cut(&rest, '\n'), &answer);
    PW_ASSERT(err == PW_OK || answer.len > 0);
    input->at += input->left - rest.len;
    input->left = rest.len;
}

static void frame(struct pw_world_dc *world, struct input *input)
{
    if (input->left < FRAME) {
        input->left = 0;
        return;
    }
    const uint8_t *at = input->at;
    struct pw_can_frame got = {
        .extended = (at[1] & 0x80) != 0, .remote = (at[1] & 0x40) != 0, .len = at[1] & 0x0F};
    got.id = pw_be32(at + 2) & (got.extended ? 0x1FFFFFFFU : 0x7FFU);
    for (unsigned i = 0; i < PW_CAN_DATA_MAX; i++) {
        got.data[i] = at[6 + i];
    }
    if (pw_can_valid(&got)) {
        pw_world_dc_can(world, at[0] % PW_WORLD_DC_BUSES, &got);
    }
    input->at += FRAME;
    input->left -= FRAME;
}

static void check(const struct pw_world_dc *world, const struct pw_world_dc_truth *before)
{
    struct pw_world_dc_truth truth = pw_world_dc_truth(world);
    PW_ASSERT(isfinite(world->charger.cap_v) && fabs(world->charger.cap_v) < 250.0);
    PW_ASSERT(isfinite(world->charger.amps) && world->charger.amps < 5000.0);
    PW_ASSERT(isfinite(world->scooter.pack.temp_c) && isfinite(world->rectifier.temp_c));
    PW_ASSERT(world->scooter.pack.soc > -0.5 && world->scooter.pack.soc < 1.5);
    int64_t moved_mwh = truth.energy_mwh - before->energy_mwh;
    PW_ASSERT(moved_mwh < 100000 && moved_mwh > -10000);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct pw_world_dc_config config = pw_world_dc_defaults();
    struct pw_world_dc world;
    struct input input = {.at = data, .left = size < SIZE_MOST ? size : SIZE_MOST};
    config.rectifier.maker =
        size % 2 == 0 ? PW_WORLD_RECTIFIER_HUAWEI : PW_WORLD_RECTIFIER_INFYPOWER;
    config.plugged = true;
    config.vehicle_bus = 1;
    pw_world_dc_init(&world, &config, 0);
    while (input.left > 0) {
        struct pw_world_dc_truth before = pw_world_dc_truth(&world);
        uint8_t kind = *input.at++;
        input.left--;
        if (kind == 's') {
            line(&world, &input);
        } else if (kind == 'f') {
            frame(&world, &input);
        } else {
            struct pw_can_frame sent;
            unsigned bus = 0;
            (void)pw_world_dc_step(&world, world.now + kind * 25U);
            while (pw_world_dc_take_can(&world, &bus, &sent)) {
                PW_ASSERT(pw_can_valid(&sent));
            }
        }
        check(&world, &before);
    }
    return 0;
}
