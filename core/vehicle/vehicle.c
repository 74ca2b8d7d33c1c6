#include "vehicle/vehicle.h"

static const struct pw_vehicle_model default_models[] = {
    {.name = "NX-100 Classic", .imax_ma = 30000, .capacity_mah = 30000, .range_m = 81000},
    {.name = "NX-100 Pro", .imax_ma = 60000, .capacity_mah = 60000, .range_m = 162000},
    {.name = "NX-100 Max", .imax_ma = INT32_MAX, .capacity_mah = 90000, .range_m = 243000},
};

const struct pw_vehicle_table pw_vehicle_table_default = {
    .model = default_models, .count = PW_COUNT(default_models), .metres_per_ah = 2700};

int pw_vehicle_table_check(const struct pw_vehicle_table *table)
{
    int32_t last = 0;
    for (size_t i = 0; i < table->count; i++) {
        const struct pw_vehicle_model *m = &table->model[i];
        if (m->imax_ma <= last || m->capacity_mah <= 0 || m->range_m <= 0 || m->name[0] == '\0') {
            return PW_ERR_RANGE;
        }
        last = m->imax_ma;
    }
    return table->metres_per_ah > 0 ? PW_OK : PW_ERR_RANGE;
}

const struct pw_vehicle_model *pw_vehicle_by_imax(const struct pw_vehicle_table *table,
                                                  int32_t imax_ma)
{
    for (size_t i = 0; imax_ma > 0 && i < table->count; i++) {
        if (imax_ma <= table->model[i].imax_ma) {
            return &table->model[i];
        }
    }
    return NULL;
}

const struct pw_vehicle_model *pw_vehicle_by_name(const struct pw_vehicle_table *table,
                                                  struct pw_str name)
{
    for (size_t i = 0; i < table->count; i++) {
        if (pw_str_eq_nocase(pw_str_of(table->model[i].name), name)) {
            return &table->model[i];
        }
    }
    return NULL;
}

int32_t pw_vehicle_soc_permille(int64_t charge_mah, int32_t capacity_mah)
{
    if (capacity_mah <= 0 || charge_mah < 0) {
        return -1;
    }
    if (charge_mah >= capacity_mah) {
        return 1000;
    }
    return (int32_t)(charge_mah * 1000 / capacity_mah);
}

int64_t pw_vehicle_charge_mah(int32_t soc_permille, int32_t capacity_mah)
{
    if (capacity_mah <= 0 || soc_permille < 0 || soc_permille > 1000) {
        return -1;
    }
    return (int64_t)capacity_mah * soc_permille / 1000;
}

int64_t pw_vehicle_range_m(const struct pw_vehicle_table *table, int64_t charge_mah)
{
    if (charge_mah < 0 || charge_mah > INT64_MAX / table->metres_per_ah) {
        return -1;
    }
    return charge_mah * table->metres_per_ah / 1000;
}
