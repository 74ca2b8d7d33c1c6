// Target functions: pw_acscenario_run, pw_world_ac_drive, pw_world_ac_step and every device behind
// them. Input: records of one kind byte and a body. 's': a scenario line up to '\n'; 'd': what the
// board drives (4 bytes); anything else: that many times 25 ms pass. Whatever people and stations
// do, the physics stays finite and nothing flows through open contacts.
#include "scenario/acscenario.h"

#include <math.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { DRIVE = 4, SIZE_MOST = 1024, STRIDE_MS = 25 };

struct input {
    const uint8_t *at;
    size_t left;
};

static void line(struct pw_world_ac *world, struct input *input)
{
    char text[PW_SCENARIO_ANSWER_MAX];
    struct pw_out answer = PW_OUT(text);
    struct pw_str rest = {.at = (const char *)input->at, .len = input->left};
    int err = pw_acscenario_run(world, pw_str_cut(&rest, '\n'), &answer);
    PW_ASSERT(err == PW_OK || answer.len > 0);
    input->at += input->left - rest.len;
    input->left = rest.len;
}

static void drive(struct pw_world_ac *world, struct input *input, pw_ms now)
{
    if (input->left < DRIVE) {
        input->left = 0;
        return;
    }
    const uint8_t *at = input->at;
    struct pw_board_drive driven = {
        .cp = (enum pw_board_cp)(at[0] % 3),
        .contactor = (at[1] & 1) != 0,
        .lock = (at[1] & 2) != 0,
        .rcd_test = (at[1] & 4) != 0,
    };
    if (driven.cp == PW_BOARD_CP_PWM) {
        driven.duty_ppm = pw_be16(at + 2) * 15;
    }
    pw_world_ac_drive(world, &driven, now);
    input->at += DRIVE;
    input->left -= DRIVE;
}

static void check(const struct pw_world_ac *world)
{
    struct pw_world_ac_truth truth = pw_world_ac_truth(world);
    for (unsigned i = 0; i < PW_BOARD_PHASES; i++) {
        PW_ASSERT(isfinite(world->car.amps[i]) && world->car.amps[i] >= 0.0);
        PW_ASSERT(world->car.amps[i] < 100.0);
        PW_ASSERT(truth.closed[i] || truth.ma[i] == 0);
    }
    PW_ASSERT(isfinite(world->path.rise_k) && world->car.soc >= 0.0 && world->car.soc <= 1.0);
    PW_ASSERT(world->path.lock_place >= 0.0 && world->path.lock_place <= 1.0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct pw_world_ac world;
    struct pw_world_ac_config config = pw_world_ac_defaults();
    struct input input = {data, size < SIZE_MOST ? size : SIZE_MOST};
    pw_ms now = 1000;
    pw_world_ac_init(&world, &config, now);
    while (input.left > 0) {
        uint8_t kind = *input.at++;
        input.left--;
        if (kind == 's') {
            line(&world, &input);
        } else if (kind == 'd') {
            drive(&world, &input, now);
        } else {
            now += (pw_ms)kind * STRIDE_MS;
        }
        int64_t before = world.energy_uj;
        struct pw_board_senses senses;
        (void)pw_world_ac_step(&world, now);
        (void)pw_world_ac_take_senses(&world, &senses);
        PW_ASSERT(world.energy_uj >= before);
        check(&world);
    }
    return 0;
}
