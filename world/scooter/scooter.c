#include "scooter/scooter.h"

static const struct pw_scooter_kind kinds[PW_SCOOTER_MODELS] = {
    [PW_SCOOTER_CLASSIC] = {"classic", "NX-100 Classic", 30000, 30000},
    [PW_SCOOTER_PRO] = {"pro", "NX-100 Pro", 60000, 60000},
    [PW_SCOOTER_MAX] = {"max", "NX-100 Max", 90000, 90000},
};

const struct pw_scooter_kind *pw_scooter_kind(enum pw_scooter_model model)
{
    PW_ASSERT(model < PW_SCOOTER_MODELS);
    return &kinds[model];
}

void pw_scooter_init(struct pw_scooter *scooter, const struct pw_scooter_config *config, pw_ms now)
{
    scooter->config = *config;
    scooter->kind = pw_scooter_kind(config->model);
    // A used battery: its counters do not start at zero, and no two are alike.
    struct pw_noise noise;
    pw_noise_init(&noise, config->seed, 3);
    double cycles = 40.0 + 30.0 * pw_noise_even(&noise);
    pw_pack_init(&scooter->pack, &(struct pw_pack_config){
                                     .chemistry = config->chemistry,
                                     .capacity_mah = scooter->kind->capacity_mah,
                                     .soc = config->soc,
                                     .temp_c = config->temp_c,
                                     .discharged_ah = cycles * scooter->kind->capacity_mah * 0.001,
                                     .seed = config->seed,
                                 });
    pw_world_bms_init(
        &scooter->bms,
        &(struct pw_world_bms_config){.form = config->form, .imax_ma = scooter->kind->imax_ma},
        now);
}
