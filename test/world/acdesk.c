#include "acdesk.h"

#include "pilot/pilot.h"
#include "scenario/acscenario.h"
#include "test.h"

void acdesk_init(struct acdesk *desk, const struct pw_world_ac_config *config)
{
    struct pw_world_ac_config world = config == NULL ? pw_world_ac_defaults() : *config;
    *desk = (struct acdesk){.now = 1000, .drive = {.cp = PW_BOARD_CP_STEADY}};
    desk->hash = UINT64_C(14695981039346656037);
    desk->mains_at = PW_NEVER;
    desk->senses.at = PW_NEVER;
    pw_world_ac_init(&desk->world, &world, desk->now);
}

static void mix(struct acdesk *desk, int64_t value)
{
    desk->hash = (desk->hash ^ (uint64_t)value) * UINT64_C(1099511628211);
}

static void hear(struct acdesk *desk)
{
    struct pw_board_senses senses;
    while (pw_world_ac_take_block(&desk->world, &desk->block)) {
        desk->blocks++;
    }
    if (!pw_world_ac_take_senses(&desk->world, &senses)) {
        return;
    }
    mix(desk, (int64_t)senses.at);
    mix(desk, senses.cp_high_mv);
    mix(desk, senses.mains.mw[0]);
    if (desk->senses.at != PW_NEVER) {
        desk->widest_ms =
            (pw_ms)pw_max((int64_t)desk->widest_ms, (int64_t)(senses.at - desk->senses.at));
    }
    if (senses.mains.at != PW_NEVER && senses.mains.at != desk->mains_at) {
        if (desk->mains_at != PW_NEVER) {
            int64_t mw = (int64_t)senses.mains.mw[0] + senses.mains.mw[1] + senses.mains.mw[2];
            desk->meter_j += (double)mw * (double)(senses.mains.at - desk->mains_at) / 1e6;
        }
        desk->mains_at = senses.mains.at;
    }
    desk->senses = senses;
    desk->reports++;
}

void acdesk_run(struct acdesk *desk, pw_ms ms)
{
    pw_ms end = desk->now + ms;
    pw_ms drive_at = desk->now;
    for (;;) {
        if (!desk->mute && desk->now >= drive_at) {
            pw_world_ac_drive(&desk->world, &desk->drive, desk->now);
            drive_at = desk->now + 100;
        }
        pw_ms next = pw_world_ac_step(&desk->world, desk->now);
        hear(desk);
        if (desk->now >= end) {
            return;
        }
        next = pw_earlier(pw_earlier(next, drive_at), end);
        desk->now = next > desk->now ? next : desk->now + 1;
    }
}

void acdesk_offer(struct acdesk *desk, int32_t ma)
{
    desk->drive.cp = ma > 0 ? PW_BOARD_CP_PWM : PW_BOARD_CP_STEADY;
    desk->drive.duty_ppm = ma > 0 ? pw_pilot_duty_ppm(ma, 100) : 0;
}

void acdesk_charge(struct acdesk *desk, int32_t ma)
{
    acdesk_do(desk, "plug");
    desk->drive.lock = true;
    acdesk_offer(desk, ma);
    acdesk_run(desk, 2000);
    desk->drive.contactor = true;
    acdesk_run(desk, 8000);
}

void acdesk_do(struct acdesk *desk, const char *line)
{
    char said[PW_SCENARIO_ANSWER_MAX] = "";
    struct pw_out answer = PW_OUT(said);
    if (pw_acscenario_run(&desk->world, pw_str_of(line), &answer) != PW_OK) {
        fail_msg("%s: %s", line, said);
    }
}

struct pw_world_ac_truth acdesk_truth(const struct acdesk *desk)
{
    return pw_world_ac_truth(&desk->world);
}
