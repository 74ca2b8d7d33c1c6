// parts: one request as the files of this room share it. Nobody else includes this.
#ifndef PW_OPENEVSE_API_PARTS_H
#define PW_OPENEVSE_API_PARTS_H

#include "openevse_api/openevse_api.h"

#define MANUAL_CLIENT   65537U // EvseClient_OpenEVSE_Manual
#define MANUAL_PRIORITY 1000U
#define API_PRIORITY    500U // of claims made by name

struct pw_oe_call {
    struct pw_openevse_api *api;
    const struct pw_http_request *request;
    struct pw_http_reply *reply;
    pw_ms now;
    pw_unix_ms wall;
    unsigned index;      // of the connector, from 0
    struct pw_str param; // what stands for the '*' of the path
    bool may_change;
    struct pw_out out; // the body being written
    struct pw_json_writer json;
    const struct pw_json_node *body; // NULL: an empty one
};

// api.c: answers.
struct pw_station *pw_oe_station(const struct pw_oe_call *call);
// {"msg": ...}, of up to three parts.
void pw_oe_say(struct pw_oe_call *call, int status, const char *a, struct pw_str b, const char *c);
struct pw_json_writer *pw_oe_object(struct pw_oe_call *call);
struct pw_json_writer *pw_oe_array(struct pw_oe_call *call);
void pw_oe_done(struct pw_oe_call *call, int status, char bracket);
// Runs a line of the console. False after answering with its refusal.
bool pw_oe_run(struct pw_oe_call *call, struct pw_str line);
// "set PATH VALUE" for a station's setting. False after answering with its refusal.
bool pw_oe_set(struct pw_oe_call *call, enum pw_setting_id id, unsigned instance,
               struct pw_str value);
int pw_oe_status_of(int err);

// status.c
struct pw_oe_look {
    struct pw_openevse_api *api;
    struct pw_station *st;
    unsigned index;
    struct pw_connector_view view;
    const struct pw_limits *limits;
    const struct pw_rapi_view *board; // of a connector with an OpenEVSE board; else NULL
    pw_ms now;
    pw_unix_ms wall;
};
struct pw_oe_look pw_oe_look(struct pw_openevse_api *api, unsigned index, pw_ms now,
                             pw_unix_ms wall);
// Writes the fields of the status whose value differs from what `said` has as its sum, and notes
// the new ones; with `said` NULL all. Returns how many of them are news by themselves.
unsigned pw_oe_put_status(const struct pw_oe_look *look, uint32_t *said,
                          struct pw_json_writer *json);
uint32_t pw_oe_sum(struct pw_str text);
void pw_oe_status_get(struct pw_oe_call *call);
void pw_oe_status_post(struct pw_oe_call *call);
void pw_oe_time_get(struct pw_oe_call *call);
// Seconds east of Greenwich of the station's zone.
int32_t pw_oe_zone_s(const struct pw_station *st, pw_unix_ms wall);

// config.c
void pw_oe_put_config(const struct pw_oe_look *look, struct pw_json_writer *json);
void pw_oe_config_get(struct pw_oe_call *call);
void pw_oe_config_post(struct pw_oe_call *call);
void pw_oe_divert_post(struct pw_oe_call *call);
void pw_oe_shaper_post(struct pw_oe_call *call);
void pw_oe_restart_post(struct pw_oe_call *call);

// claims.c
struct pw_oe_target {
    const struct pw_openevse_claim *state;  // NULL: nobody asks for one
    const struct pw_openevse_claim *charge; // of the least charge_a
    const struct pw_openevse_claim *max;    // of the least max_a
};
struct pw_oe_target pw_oe_target(const struct pw_openevse_api *api, unsigned index);
struct pw_openevse_claim *pw_oe_claim_of(struct pw_openevse_api *api, unsigned index,
                                         uint32_t client);
// Whether the connector charges, or would if there were a vehicle.
bool pw_oe_enabled(struct pw_openevse_api *api, unsigned index,
                   const struct pw_connector_view *view);
void pw_oe_follow_plugs(struct pw_openevse_api *api, pw_ms now);
void pw_oe_follow_station(struct pw_openevse_api *api, pw_ms now);
void pw_oe_override_get(struct pw_oe_call *call);
void pw_oe_override_post(struct pw_oe_call *call);
void pw_oe_override_patch(struct pw_oe_call *call);
void pw_oe_override_delete(struct pw_oe_call *call);
void pw_oe_claims_get(struct pw_oe_call *call);
void pw_oe_claims_target(struct pw_oe_call *call);
void pw_oe_claim_get(struct pw_oe_call *call);
void pw_oe_claim_post(struct pw_oe_call *call);
void pw_oe_claim_delete(struct pw_oe_call *call);

// limit.c
struct pw_oe_limit {
    const char *type; // "time", "energy", "soc"; NULL: none
    int64_t value;    // minutes, Wh, %
    bool auto_release;
};
struct pw_oe_limit pw_oe_limit(const struct pw_station *st, unsigned index);
void pw_oe_limit_get(struct pw_oe_call *call);
void pw_oe_limit_post(struct pw_oe_call *call);
void pw_oe_limit_delete(struct pw_oe_call *call);

// plan.c
// Takes the events anew when the plan was changed by somebody else.
void pw_oe_follow_plan(struct pw_openevse_api *api);
void pw_oe_schedule_get(struct pw_oe_call *call);
void pw_oe_schedule_post(struct pw_oe_call *call);
void pw_oe_plan_get(struct pw_oe_call *call);
void pw_oe_event_get(struct pw_oe_call *call);
void pw_oe_event_post(struct pw_oe_call *call);
void pw_oe_event_delete(struct pw_oe_call *call);

// rapi.c
void pw_oe_rapi(struct pw_oe_call *call);
pw_ms pw_oe_rapi_step(struct pw_openevse_api *api, pw_ms now);
void pw_oe_rapi_closed(struct pw_openevse_api *api, uint64_t stream);

// socket.c
pw_ms pw_oe_socket_step(struct pw_openevse_api *api, bool looks, pw_ms now);

#endif
