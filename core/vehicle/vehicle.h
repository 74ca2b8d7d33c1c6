// vehicle: which scooter is it, how full, how far does it go. The models are a table the caller
// gives; the built-in one is the seed's. Used by station and central alike.
// Source: facts/dc-can.md §6.
#ifndef PW_VEHICLE_H
#define PW_VEHICLE_H

#include "base/base.h"

#define PW_VEHICLE_NAME_MAX 32 // with NUL

// One model. A battery belongs to the first row whose imax_ma is not below what its BMS allows.
struct pw_vehicle_model {
    char name[PW_VEHICLE_NAME_MAX];
    int32_t imax_ma;      // highest BMS current limit of this model; INT32_MAX: all above
    int32_t capacity_mah; // above 0
    int32_t range_m;      // with a full battery
};

// Rising in imax_ma.
struct pw_vehicle_table {
    const struct pw_vehicle_model *model;
    size_t count;
    int32_t metres_per_ah; // default table: 2700
};

// <=30 A Classic 30 Ah 81 km, <=60 A Pro 60 Ah 162 km, above Max 90 Ah 243 km.
extern const struct pw_vehicle_table pw_vehicle_table_default;

// PW_OK, or PW_ERR_RANGE for a table that does not rise, has an empty name, a capacity of 0...
PW_MUST_USE int pw_vehicle_table_check(const struct pw_vehicle_table *table);

// The model by the most the BMS has allowed, or NULL: 0 and below, or above the last row, is an
// unknown vehicle and classifies nothing. Valid as long as the table.
const struct pw_vehicle_model *pw_vehicle_by_imax(const struct pw_vehicle_table *table,
                                                  int32_t imax_ma);
// The model by name (without case), or NULL.
const struct pw_vehicle_model *pw_vehicle_by_name(const struct pw_vehicle_table *table,
                                                  struct pw_str name);

// State of charge from ampere hours: 0..1000 permille, rounded down. -1 when capacity_mah <= 0 or
// charge_mah < 0. More than full is full.
int32_t pw_vehicle_soc_permille(int64_t charge_mah, int32_t capacity_mah);
// The other way: charge in mAh, or -1 when soc is outside 0..1000 or capacity_mah <= 0.
int64_t pw_vehicle_charge_mah(int32_t soc_permille, int32_t capacity_mah);
// Range in metres for a charge; -1 when charge_mah < 0.
int64_t pw_vehicle_range_m(const struct pw_vehicle_table *table, int64_t charge_mah);

#endif
