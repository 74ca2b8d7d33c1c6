// rig: what a conformance case is written with. A whole station in virtual time, its world (a car
// or a scooter with its wires), and a central system that is strict: it checks every frame both
// ways against the rows of proto/ocpp/v16, that only one CALL is in flight, and that nothing but
// BootNotification is said before it was accepted. Whatever breaks a rule, or is expected and does
// not come, ends the case with one sentence.
//
//     struct rig *r = rig_open(RIG_SOCKET);
//     rig_set(r, "session.connection_timeout_s", "30");
//     rig_boot(r);
//     rig_plug(r);
//     rig_expect(r, "StatusNotification", "{'connectorId':1,'status':'Preparing'}");
//     rig_card(r, "TAG-1");
//     rig_expect(r, "StartTransaction", "{'connectorId':1,'idTag':'TAG-1'}");
//     rig_is(rig_ask(r, "Reset", "{'type':'Soft'}"), "{'status':'Accepted'}");
//
// JSON in a case may use ' for ". $NOW is the wall time, $TX the transaction's id (the next one in
// an answer to StartTransaction, the last one given everywhere else), $IN(60) the wall time a
// minute from now, $IN(-60) a minute ago.
#ifndef PW_CONFORMANCE_RIG_H
#define PW_CONFORMANCE_RIG_H

#include "street.h"

#include <cjson/cJSON.h>

enum rig_kind {
    RIG_SOCKET,   // pilot connector: a socket outlet with lock, three phases, a car
    RIG_CABLE,    // pilot connector with a fixed cable, which has no lock
    RIG_DC,       // dc connector with a scooter
    RIG_OPENEVSE, // OpenEVSE board with a car
    RIG_PAIR,     // two pilot connectors, sockets, each with a car of its own
};

enum {
    RIG_ACTION_MAX = 40,
    RIG_RAW_MAX = 140000,
    RIG_WAIT_MS = 60000, // rig_expect waits so long, in virtual time
};

// One frame that was heard or sent.
struct rig_message {
    pw_ms at;
    bool from_station;
    enum pw_ocpp_frame_kind kind;
    char id[PW_OCPP_ID_MAX + 1];
    char action[RIG_ACTION_MAX]; // of an answer too: that of its call
    char code[RIG_ACTION_MAX];   // ERROR: its code
    cJSON *payload;
    bool answered;
};

struct rig_answer {
    char action[RIG_ACTION_MAX];
    enum { RIG_SAYS, RIG_REFUSES, RIG_MUTE } how;
    char text[4096]; // payload, or the error code
    unsigned times;  // 0: from now on
};

struct rig {
    struct street street;
    struct pw_world_ac second; // RIG_PAIR: the world of connector 2
    struct pw_board_drive second_drive;
    pw_ms second_at;
    pw_ms second_driven_at;
    enum rig_kind kind;
    // The central system.
    struct rig_message **messages;
    size_t count;
    size_t cursor; // rig_expect looks from here on
    struct rig_answer answers[32];
    unsigned answer_count;
    int transaction; // last id given
    struct rig_start {
        char text[512];
        int transaction;
    } * starts;
    unsigned start_count;
    bool accepted; // BootNotification was, on this run of the station's program
    bool lenient;  // the case breaks rules itself: only well-formedness is checked
    unsigned triggered;
    char in_flight[PW_OCPP_ID_MAX + 1];
    pw_ms answered_at; // the call in flight was answered then; PW_NEVER: not yet
    unsigned asked;
    unsigned restarts; // of the station, by itself
    unsigned opens;    // connections that were made
    bool was_off;      // power was cut: the observer does not know how long a real start takes
    bool stay_down;    // a station that asks for a restart stays down until rig_power_on
    // Where the case stands, for the sentence.
    const char *file;
    int line;
};

// Made by a case, closed by the runner. The station is off until rig_power_on or rig_boot.
struct rig *rig_open(enum rig_kind kind);
void rig_close(struct rig *r);
_Noreturn void rig_fail(struct rig *r, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
// The case cannot apply to this product, because ... (one sentence, shown in the table).
_Noreturn void rig_not_applicable(const char *why);
// The situation belongs to another test program (real sockets): runs it whole, and its tests named
// here must be among those that pass. `program` is a path from the build folder.
void rig_shown_by(const char *program, const char *const *tests, unsigned count);
#define RIG_AT(r) ((r)->file = __FILE__, (r)->line = __LINE__)
#define rig_check(r, truth)                                                                        \
    do {                                                                                           \
        RIG_AT(r);                                                                                 \
        if (!(truth)) {                                                                            \
            rig_fail(r, "%s is not so", #truth);                                                   \
        }                                                                                          \
    } while (0)

// --- The station.
// A setting as the configuration file has it, before the power comes; as OCPP would afterwards
// (only for keys): use rig_ask with ChangeConfiguration.
void rig_set(struct rig *r, const char *path, const char *value);
void rig_power_on(struct rig *r);
// Power on, wait until BootNotification is accepted and every connector's status was told; the
// cursor stands behind that.
void rig_boot(struct rig *r);
void rig_power_off(struct rig *r); // without warning; what was durable stays
void rig_reboot(struct rig *r);    // power off and on; does not wait
void rig_run(struct rig *r, pw_ms ms);
#define rig_seconds(r, s) rig_run(r, (pw_ms)(s)*1000)
const char *rig_console(struct rig *r, const char *line);

// --- The person and the vehicle. With RIG_PAIR at connector 1; `rig_plug_at` names another.
void rig_plug(struct rig *r);
void rig_unplug(struct rig *r);
void rig_plug_at(struct rig *r, unsigned connector);
void rig_unplug_at(struct rig *r, unsigned connector);
void rig_card(struct rig *r, const char *id_tag); // the station chooses the connector
void rig_card_at(struct rig *r, unsigned connector, const char *id_tag);
// A line of the world's scenario (world/scenario): "jam on", "earth lost", "s2 open". For dc:
// "current-stuck" and the like are functions of the world in r->street.world.
void rig_world(struct rig *r, const char *line);
// Makes the connector faulted by something that goes away again (earth, or the CAN bus), or not.
void rig_fault(struct rig *r, bool on);
bool rig_energy_flows(const struct rig *r);
// Physical energy through connector 1 so far.
int64_t rig_energy_wh(const struct rig *r);
// Plug, card "TAG-1", until energy flows and StartTransaction is answered; the cursor stands
// behind.
void rig_charge(struct rig *r);

// Somebody gave leave in a way that the observer of the outlet does not see.
void rig_leave(struct rig *r);

// --- The link.
void rig_offline(struct rig *r); // cut, and not reachable
void rig_online(struct rig *r);  // reachable again; the station connects when it likes
void rig_cut(struct rig *r);     // cut once

// --- What the central system answers. `times` 0: from now on.
void rig_answer(struct rig *r, const char *action, const char *payload, unsigned times);
void rig_answer_error(struct rig *r, const char *action, const char *code, unsigned times);
void rig_answer_never(struct rig *r, const char *action, unsigned times);
void rig_answer_usual(struct rig *r, const char *action);

// --- What the station says. Subsets: every key named must be there and equal; "*" is anything,
// null must not be there; each element of a list named must match one there.
// The next such CALL at or after the cursor, waiting RIG_WAIT_MS; the cursor moves behind it.
#define rig_expect(r, action, subset)         (RIG_AT(r), rig_expect_(r, action, subset, RIG_WAIT_MS))
#define rig_expect_for(r, action, subset, m)  (RIG_AT(r), rig_expect_(r, action, subset, m))
// The same, and the cursor stays: for messages whose order is free.
#define rig_expect_too(r, action, subset)     (RIG_AT(r), rig_expect_too_(r, action, subset))
// None such at or after the cursor, nor within the next `m` ms. The cursor stays.
#define rig_expect_none(r, action, subset, m) (RIG_AT(r), rig_expect_none_(r, action, subset, m))
const cJSON *rig_expect_(struct rig *r, const char *action, const char *subset, pw_ms ms);
const cJSON *rig_expect_too_(struct rig *r, const char *action, const char *subset);
void rig_expect_none_(struct rig *r, const char *action, const char *subset, pw_ms ms);
// The cursor behind everything heard so far.
void rig_forget(struct rig *r);
// How many such CALLs since message number `from` (0: ever).
unsigned rig_count(struct rig *r, const char *action, const char *subset, size_t from);
const struct rig_message *rig_last(const struct rig *r, const char *action); // NULL: none

// --- What the central system asks. Waits for the answer.
#define rig_ask(r, action, payload)       (RIG_AT(r), rig_ask_(r, action, payload))
#define rig_ask_error(r, action, payload) (RIG_AT(r), rig_ask_error_(r, action, payload))
const cJSON *rig_ask_(struct rig *r, const char *action, const char *payload);
const char *rig_ask_error_(struct rig *r, const char *action, const char *payload); // its code
// Any text as a message; "sent" only. %ID stands for a fresh message id.
void rig_send_raw(struct rig *r, const char *text);
// As rig_ask_error for a whole frame in which %ID stands for the id; "" when it was accepted, NULL
// when nothing was answered within RIG_WAIT_MS.
const char *rig_ask_raw(struct rig *r, const char *text);
// Asks without waiting; rig_answered fetches (NULL: nothing yet).
void rig_post(struct rig *r, const char *action, const char *payload);
const struct rig_message *rig_answered(const struct rig *r);
// A result for a call of ours that is not the one in flight, or again.
void rig_send_result(struct rig *r, const char *id, const char *payload);

// ChangeConfiguration, which must be answered with `status` ("Accepted").
#define rig_configure(r, key, value, status) (RIG_AT(r), rig_configure_(r, key, value, status))
void rig_configure_(struct rig *r, const char *key, const char *value, const char *status);
// The value of a key, "" when it has none; NULL: unknown.
const char *rig_key(struct rig *r, const char *key);
bool rig_key_readonly(struct rig *r, const char *key);

// --- JSON.
#define rig_is(r, json, subset) (RIG_AT(r), rig_is_(r, json, subset))
void rig_is_(struct rig *r, const cJSON *json, const char *subset);
bool rig_matches(struct rig *r, const cJSON *json, const char *subset);
// "meterValue.0.timestamp"; NULL when it is not there.
const cJSON *rig_at(const cJSON *json, const char *path);
const char *rig_text(const cJSON *json, const char *path); // "" when it is not there
double rig_number(const cJSON *json, const char *path);    // -1 when it is not there
// Wall time of the rig, and of a text of the wire.
pw_unix_ms rig_wall(const struct rig *r);
pw_unix_ms rig_time(const cJSON *json, const char *path);

#endif
