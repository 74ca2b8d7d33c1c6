// station: what tests of commands need of a station: it answers the call it was sent last.
#ifndef PW_TEST_CENTRAL_STATION_H
#define PW_TEST_CENTRAL_STATION_H

#include "bench.h"

// The last call sent on a link, "" without one.
const char *station_called(const struct bench *bench, uint64_t link);
// Answers it with a payload.
void station_answers(struct bench *bench, uint64_t link, const char *payload);
// Asks something as the station; the answer must be a result.
void station_says(struct bench *bench, uint64_t link, const char *action, const char *payload);
// Queues a command over REST; its id.
int64_t people_ask(struct bench *bench, const char *id, const char *command);
// Any request; must be answered with `status`. The body.
const char *people(struct bench *bench, int status, enum pw_http_method method, const char *target,
                   const char *body);
// The command as GET /commands/{n} shows it.
const char *command_shown(struct bench *bench, int64_t id);

#endif
