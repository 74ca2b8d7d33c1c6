// parts: what the files of this room share. Nobody else includes this.
#ifndef PW_RAPI_PARTS_H
#define PW_RAPI_PARTS_H

#include "rapi/rapi.h"

// What the client does, most urgent first. Orders come when the board is not as wanted, readings
// when they are due.
enum pw_rapi_job {
    PW_RAPI_JOB_ACK,      // $SY 165: call the board back from its fall-back ...
    PW_RAPI_JOB_LIMIT,    // $SC n V: ... where it would offer its maximum, but for this
    PW_RAPI_JOB_STOP,     // $FS, $FD
    PW_RAPI_JOB_VERSION,  // $GV
    PW_RAPI_JOB_BEAT,     // $GY
    PW_RAPI_JOB_ARM,      // $SY interval current
    PW_RAPI_JOB_PULSE,    // $SY
    PW_RAPI_JOB_STATE,    // $GS
    PW_RAPI_JOB_RESTART,  // $FR
    PW_RAPI_JOB_UNLOCK,   // $SB
    PW_RAPI_JOB_START,    // $FE
    PW_RAPI_JOB_ASK,      // a raw line of people
    PW_RAPI_JOB_CAPACITY, // $GC
    PW_RAPI_JOB_SETTINGS, // $GE
    PW_RAPI_JOB_VOLTAGE,  // $SV mV: the board counts energy with it
    PW_RAPI_JOB_CURRENT,  // $GG
    PW_RAPI_JOB_CABLE,    // $G0
    PW_RAPI_JOB_ENERGY,   // $GU
    PW_RAPI_JOB_TEMPS,    // $GP
    PW_RAPI_JOB_TRIPS,    // $GF
    PW_RAPI_JOB_MCU,      // $GI
    PW_RAPI_JOB_LCD_TAKE, // $F0 0
    PW_RAPI_JOB_LCD_1,    // $FP 0 0 ...
    PW_RAPI_JOB_LCD_2,    // $FP 0 1 ...
    PW_RAPI_JOB_LCD_GIVE, // $F0 1
    PW_RAPI_JOB_NONE,
};

enum pw_rapi_ids { PW_RAPI_IDS_UNKNOWN, PW_RAPI_IDS_YES, PW_RAPI_IDS_NO };

// ---------------------------------------------------------------------------------------------
// answer.c: the board's words, range-checked, into the view. False, and nothing taken, when a word
// is missing, is no number or lies outside of what it can be.

void pw_rapi_forget(struct pw_rapi_view *view);

typedef bool pw_rapi_take(struct pw_rapi_view *view, const struct pw_rapi_line *line, pw_ms now);

pw_rapi_take pw_rapi_take_version;  // $GV
pw_rapi_take pw_rapi_take_beat;     // $GY, and every $SY
pw_rapi_take pw_rapi_take_state;    // $GS
pw_rapi_take pw_rapi_take_capacity; // $GC
pw_rapi_take pw_rapi_take_settings; // $GE
pw_rapi_take pw_rapi_take_current;  // $GG
pw_rapi_take pw_rapi_take_cable;    // $G0
pw_rapi_take pw_rapi_take_energy;   // $GU
pw_rapi_take pw_rapi_take_temps;    // $GP
pw_rapi_take pw_rapi_take_trips;    // $GF
pw_rapi_take pw_rapi_take_mcu;      // $GI
pw_rapi_take pw_rapi_take_amps;     // $SC: the ampere in force now

// Lines a board sends by itself.
pw_rapi_take pw_rapi_take_transition;     // $AT
pw_rapi_take pw_rapi_take_old_transition; // $ST
pw_rapi_take pw_rapi_take_boot;           // $AB

// ---------------------------------------------------------------------------------------------
// plan.c: what to do next, and what its answer changes.

enum pw_rapi_verdict {
    PW_RAPI_DONE,  // taken; the next job may begin
    PW_RAPI_AGAIN, // it made no sense, or was refused for the first time: a checksum may have
                   // broken
};

// Everything is to be read anew.
void pw_rapi_plan_anew(struct pw_rapi_client *client, pw_ms now);
// The most urgent job that can be done now; PW_RAPI_JOB_NONE.
enum pw_rapi_job pw_rapi_plan_next(const struct pw_rapi_client *client, pw_ms now);
// When the next job will be due.
pw_ms pw_rapi_plan_deadline(const struct pw_rapi_client *client);
// The line of the job under way, "$SC 16 V"; notes what its answer will be measured by.
void pw_rapi_plan_line(struct pw_rapi_client *client, struct pw_out *body);
// An $OK or $NK to the job under way.
enum pw_rapi_verdict pw_rapi_plan_answer(struct pw_rapi_client *client,
                                         const struct pw_rapi_line *line, pw_ms now);
// The job under way is done, whatever came of it: when it is due again.
void pw_rapi_plan_over(struct pw_rapi_client *client, pw_ms now);
// The same, when it was refused twice or its answer made no sense to the end.
void pw_rapi_plan_failed(struct pw_rapi_client *client, bool refused, pw_ms now);
// Something was heard. `before`: what was known until then.
void pw_rapi_plan_heard(struct pw_rapi_client *client, const struct pw_rapi_view *before,
                        pw_ms now);
// The job under way lowers what a board offers: its line is said again before it is given up.
bool pw_rapi_plan_hurries(const struct pw_rapi_client *client);
// What is wanted has changed.
void pw_rapi_plan_wanted(struct pw_rapi_client *client);
// Works out view.limit_held and view.settled.
void pw_rapi_plan_judge(struct pw_rapi_client *client);

#endif
