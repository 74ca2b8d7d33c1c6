// parts: what the files of cp16 share among themselves. Nobody else includes this.
#ifndef PW_CP16_PARTS_H
#define PW_CP16_PARTS_H

#include "cp16/cp16.h"

// calls.c: what we say. Each builds one CALL into cp->out and notes what waits for its answer.
void pw_cp16_send_boot(struct pw_cp16 *cp, pw_ms now);
void pw_cp16_send_heartbeat(struct pw_cp16 *cp, pw_ms now);
void pw_cp16_send_status(struct pw_cp16 *cp, unsigned connector, pw_ms now);
void pw_cp16_send_authorise(struct pw_cp16 *cp, unsigned connector, pw_ms now);
void pw_cp16_send_vehicle(struct pw_cp16 *cp, unsigned connector, pw_ms now);
void pw_cp16_send_clock_meter(struct pw_cp16 *cp, unsigned connector, pw_ms now);
void pw_cp16_send_transaction(struct pw_cp16 *cp, pw_ms now);
// The CALL under way was answered with this payload.
void pw_cp16_call_answered(struct pw_cp16 *cp, const struct pw_json_node *payload, pw_ms now);
// The CALL under way was answered with an error (its code), or not at all (NULL).
void pw_cp16_call_failed(struct pw_cp16 *cp, const char *code, pw_ms now);
const char *pw_cp16_call_name(enum pw_cp16_call call);

// answers.c: what the central system asks. Builds the CALLRESULT or CALLERROR into cp->out.
void pw_cp16_answer(struct pw_cp16 *cp, const struct pw_ocpp_frame *frame, pw_ms now);

// cp16.c
void pw_cp16_booted(struct pw_cp16 *cp, enum pw_cp16_boot boot, int32_t interval_s, pw_ms now);
void pw_cp16_boot_failed(struct pw_cp16 *cp, pw_ms now);
void pw_cp16_spoke(struct pw_cp16 *cp, pw_ms now);
void pw_cp16_message_timed_out(struct pw_cp16 *cp, pw_ms now);

#endif
