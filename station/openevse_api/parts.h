// parts: one request as the files of this room share it. Nobody else includes this.
#ifndef PW_OPENEVSE_API_PARTS_H
#define PW_OPENEVSE_API_PARTS_H

#include "openevse_api/openevse_api.h"

#define MANUAL_CLIENT   65537U // EvseClient_OpenEVSE_Manual
#define MANUAL_PRIORITY 1000U
#define API_PRIORITY    500U // of claims made by name

struct oe_call {
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
struct pw_station *oe_station(const struct oe_call *call);
// {"msg": ...}, of up to three parts.
void oe_say(struct oe_call *call, int status, const char *a, struct pw_str b, const char *c);
struct pw_json_writer *oe_object(struct oe_call *call);
struct pw_json_writer *oe_array(struct oe_call *call);
void oe_done(struct oe_call *call, int status, char bracket);
// Runs a line of the console. False after answering with its refusal.
bool oe_run(struct oe_call *call, struct pw_str line);
// "set PATH VALUE" for a station's setting. False after answering with its refusal.
bool oe_set(struct oe_call *call, enum pw_setting_id id, unsigned instance, struct pw_str value);
int oe_status_of(int err);

// status.c
struct oe_look {
    struct pw_openevse_api *api;
    struct pw_station *st;
    unsigned index;
    struct pw_connector_view view;
    const struct pw_limits *limits;
    const struct pw_rapi_view *board; // of a connector with an OpenEVSE board; else NULL
    pw_ms now;
    pw_unix_ms wall;
};
struct oe_look oe_look(struct pw_openevse_api *api, unsigned index, pw_ms now, pw_unix_ms wall);
// Writes the fields of the status whose value differs from what `said` has as its sum, and notes
// the new ones; with `said` NULL all. Returns how many of them are news by themselves.
unsigned oe_put_status(const struct oe_look *look, uint32_t *said, struct pw_json_writer *json);
uint32_t oe_sum(struct pw_str text);
void oe_status_get(struct oe_call *call);
void oe_status_post(struct oe_call *call);
void oe_time_get(struct oe_call *call);
// Seconds east of Greenwich of the station's zone.
int32_t oe_zone_s(const struct pw_station *st, pw_unix_ms wall);

// config.c
void oe_put_config(const struct oe_look *look, struct pw_json_writer *json);
void oe_config_get(struct oe_call *call);
void oe_config_post(struct oe_call *call);
void oe_divert_post(struct oe_call *call);
void oe_shaper_post(struct oe_call *call);
void oe_restart_post(struct oe_call *call);

// claims.c
struct oe_target {
    const struct pw_openevse_claim *state;  // NULL: nobody asks for one
    const struct pw_openevse_claim *charge; // of the least charge_a
    const struct pw_openevse_claim *max;    // of the least max_a
};
struct oe_target oe_target(const struct pw_openevse_api *api, unsigned index);
struct pw_openevse_claim *oe_claim_of(struct pw_openevse_api *api, unsigned index, uint32_t client);
// Whether the connector charges, or would if there were a vehicle.
bool oe_enabled(struct pw_openevse_api *api, unsigned index, const struct pw_connector_view *view);
// Carries out what the claims come to. The command's refusal in *why.
PW_MUST_USE int oe_apply(struct pw_openevse_api *api, unsigned index, struct pw_out *why,
                         pw_ms now);
void oe_follow_plugs(struct pw_openevse_api *api, pw_ms now);
void oe_override_get(struct oe_call *call);
void oe_override_post(struct oe_call *call);
void oe_override_patch(struct oe_call *call);
void oe_override_delete(struct oe_call *call);
void oe_claims_get(struct oe_call *call);
void oe_claims_target(struct oe_call *call);
void oe_claim_get(struct oe_call *call);
void oe_claim_post(struct oe_call *call);
void oe_claim_delete(struct oe_call *call);

// limit.c
struct oe_limit {
    const char *type; // "time", "energy", "soc"; NULL: none
    int64_t value;    // minutes, Wh, %
    bool auto_release;
};
struct oe_limit oe_limit(const struct pw_station *st, unsigned index);
void oe_limit_get(struct oe_call *call);
void oe_limit_post(struct oe_call *call);
void oe_limit_delete(struct oe_call *call);

// plan.c
// Takes the events anew when the plan was changed by somebody else.
void oe_follow_plan(struct pw_openevse_api *api);
void oe_schedule_get(struct oe_call *call);
void oe_schedule_post(struct oe_call *call);
void oe_plan_get(struct oe_call *call);
void oe_event_get(struct oe_call *call);
void oe_event_post(struct oe_call *call);
void oe_event_delete(struct oe_call *call);

// rapi.c
void oe_rapi(struct oe_call *call);
pw_ms oe_rapi_step(struct pw_openevse_api *api, pw_ms now);
void oe_rapi_closed(struct pw_openevse_api *api, uint64_t stream);

// socket.c
pw_ms oe_socket_step(struct pw_openevse_api *api, bool changed, pw_ms now);

#endif
