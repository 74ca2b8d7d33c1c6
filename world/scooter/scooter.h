// scooter: one electric two-wheeler, a pack and its BMS behind one plug. Models are rows: the
// seed's NX-100 family by capacity and by the current their BMS asks for. Source: facts/dc-can.md
// §6.
#ifndef PW_SCOOTER_H
#define PW_SCOOTER_H

#include "bms/bms.h"

enum pw_scooter_model { PW_SCOOTER_CLASSIC, PW_SCOOTER_PRO, PW_SCOOTER_MAX, PW_SCOOTER_MODELS };

struct pw_scooter_kind {
    const char *word; // in scenarios
    const char *name;
    uint32_t capacity_mah;
    uint32_t imax_ma;
};

struct pw_scooter_config {
    enum pw_scooter_model model;
    enum pw_pack_chemistry chemistry;
    enum pw_world_bms_form form;
    double soc; // 0..1
    double temp_c;
    uint64_t seed;
};

struct pw_scooter {
    struct pw_scooter_config config;
    const struct pw_scooter_kind *kind;
    struct pw_pack pack;
    struct pw_world_bms bms;
};

const struct pw_scooter_kind *pw_scooter_kind(enum pw_scooter_model model);
void pw_scooter_init(struct pw_scooter *scooter, const struct pw_scooter_config *config, pw_ms now);

#endif
