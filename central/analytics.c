// Vehicle analytics: model, charge and range from whatever the station tells.
// Sources: facts/central.md §3.2; facts/dc-can.md §6.
#include "state.h"

#include <string.h>

#define DATA_NODES 64
#define DATA_MAX   2048

void vehicle_forget(struct vehicle *vehicle)
{
    *vehicle = (struct vehicle){.charge_mah = -1, .soc_permille = -1, .range_m = -1};
}

void vehicle_learn(const struct pw_vehicle_table *table, struct vehicle *vehicle,
                   const struct vehicle_news *news, pw_unix_ms at)
{
    vehicle->at = at;
    if (news->name.len > 0) {
        struct pw_out out = PW_OUT(vehicle->name);
        pw_put(&out, news->name);
    }
    // Towards the end of a charge a BMS allows less: the most it ever allowed tells the model.
    if (news->imax_ma > vehicle->imax_ma) {
        vehicle->imax_ma = news->imax_ma;
    }
    const struct pw_vehicle_model *named = pw_vehicle_by_name(table, pw_str_of(vehicle->name));
    vehicle->model = named != NULL ? named : pw_vehicle_by_imax(table, vehicle->imax_ma);
    if (news->source > vehicle->source) {
        vehicle->source = news->source;
    }
    int32_t capacity_mah = vehicle->model != NULL ? vehicle->model->capacity_mah : 0;
    if (news->charge_mah >= 0) {
        vehicle->charge_mah = news->charge_mah;
        vehicle->soc_permille = news->soc_permille >= 0
                                    ? news->soc_permille
                                    : pw_vehicle_soc_permille(news->charge_mah, capacity_mah);
    } else if (news->soc_permille >= 0) {
        vehicle->soc_permille = news->soc_permille;
        vehicle->charge_mah = pw_vehicle_charge_mah(news->soc_permille, capacity_mah);
    } else if (vehicle->soc_permille >= 0 && vehicle->charge_mah < 0) {
        vehicle->charge_mah = pw_vehicle_charge_mah(vehicle->soc_permille, capacity_mah);
    } else if (vehicle->charge_mah >= 0 && vehicle->soc_permille < 0) {
        vehicle->soc_permille = pw_vehicle_soc_permille(vehicle->charge_mah, capacity_mah);
    }
    vehicle->range_m =
        vehicle->charge_mah >= 0 ? pw_vehicle_range_m(table, vehicle->charge_mah) : -1;
}

// A number in thousandths, given as a number or as text. False without one.
static bool number(const struct pw_json_node *object, const char *key, int64_t *thousandths)
{
    const struct pw_json_node *node = pw_json_member(object, key);
    if (!pw_json_is(node, PW_JSON_NUMBER) && !pw_json_is(node, PW_JSON_STRING)) {
        return false;
    }
    return meter_number((struct pw_str){.at = node->at, .len = node->len}, thousandths) == PW_OK;
}

bool vehicle_info(struct pw_str data, int64_t *connector, struct vehicle_news *news,
                  char name[TEXT50_MAX])
{
    struct pw_json_node nodes[DATA_NODES];
    char spare[DATA_MAX];
    struct pw_json json = {
        .node = nodes, .cap = DATA_NODES, .spare = spare, .spare_cap = sizeof(spare)};
    if (data.len > DATA_MAX || pw_json_read(&json, data) != PW_OK ||
        !pw_json_is(&nodes[0], PW_JSON_OBJECT)) {
        return false;
    }
    int64_t value = 0;
    *connector = 1;
    const struct pw_json_node *id = pw_json_member(&nodes[0], "connectorId");
    if (id != NULL && pw_json_int(id, 1, PW_CENTRAL_CONNECTORS - 1, connector) != PW_OK) {
        return false;
    }
    *news =
        (struct vehicle_news){.source = FROM_DATA_TRANSFER, .charge_mah = -1, .soc_permille = -1};
    bool any = false;
    if (number(&nodes[0], "ah", &value) && value >= 0) {
        news->charge_mah = value;
        any = true;
    }
    if ((number(&nodes[0], "socPercent", &value) || number(&nodes[0], "soc", &value)) &&
        value >= 0 && value <= 100000) {
        news->soc_permille = (int32_t)(value / 100);
        any = true;
    }
    if (number(&nodes[0], "imaxA", &value) || number(&nodes[0], "maxCurrent", &value)) {
        news->imax_ma = (int32_t)pw_clamp(value, 0, INT32_MAX);
        any = true;
    }
    name[0] = '\0';
    if (pw_json_copy(pw_json_member(&nodes[0], "model"), name, TEXT50_MAX) == PW_OK) {
        news->name = pw_str_of(name);
        any = true;
    }
    return any;
}
