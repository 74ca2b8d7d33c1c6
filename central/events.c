// Server-sent events: what changed, to every stream that wants it. A stream's queue is bounded; who
// reads too slowly is cut off and starts again from /stations.
#include "bodies.h"
#include "limiter.h"
#include "state.h"

#include <stdlib.h>
#include <string.h>

static struct stream *find(struct pw_central *central, uint64_t number)
{
    for (size_t i = 0; i < PW_CENTRAL_STREAMS_MAX; i++) {
        if (central->stream[i].number == number && number != 0) {
            return &central->stream[i];
        }
    }
    return NULL;
}

static void forget(struct stream *stream)
{
    free(stream->text);
    *stream = (struct stream){0};
}

void events_free(struct pw_central *central)
{
    for (size_t i = 0; i < PW_CENTRAL_STREAMS_MAX; i++) {
        forget(&central->stream[i]);
    }
}

int stream_open(struct pw_central *central, uint64_t number, const char *token, struct pw_str ocpp)
{
    for (size_t i = 0; i < PW_CENTRAL_STREAMS_MAX; i++) {
        struct stream *stream = &central->stream[i];
        if (stream->number == 0) {
            *stream = (struct stream){.number = number, .all = ocpp.len == 0};
            struct pw_out out = PW_OUT(stream->token);
            pw_put_s(&out, token);
            if (!stream->all && !pw_str_is(ocpp, "-")) {
                struct pw_out id = PW_OUT(stream->station);
                pw_put(&id, ocpp);
            }
            return PW_OK;
        }
    }
    return PW_ERR_LIMIT;
}

static void append(struct pw_central *central, struct stream *stream, struct pw_str text)
{
    const struct pw_central_net *net = central->config.net;
    size_t need = stream->len + text.len;
    if (need > stream->cap && need <= PW_CENTRAL_STREAM_BYTES) {
        size_t cap =
            need < 4096 ? 4096 : (size_t)pw_min((int64_t)need * 2, PW_CENTRAL_STREAM_BYTES);
        char *grown = realloc(stream->text, cap);
        if (grown != NULL) {
            stream->text = grown;
            stream->cap = cap;
        }
    }
    if (need > stream->cap) {
        central->count.streams_slow += stream->slow ? 0 : 1;
        stream->slow = true;
        stream->len = 0;
    } else if (!stream->slow) {
        memcpy(stream->text + stream->len, text.at, text.len);
        stream->len = need;
    }
    net->stream_ready(net->context, stream->number);
}

void streams_end(struct pw_central *central, const char *token)
{
    const struct pw_central_net *net = central->config.net;
    for (size_t i = 0; i < PW_CENTRAL_STREAMS_MAX; i++) {
        struct stream *stream = &central->stream[i];
        if (stream->number != 0 && strcmp(stream->token, token) == 0) {
            stream->slow = true;
            stream->len = 0;
            net->stream_ready(net->context, stream->number);
        }
    }
}

int pw_central_stream_take(struct pw_central *central, uint64_t number, char *to, size_t cap)
{
    struct stream *stream = find(central, number);
    if (stream == NULL) {
        return PW_ERR_UNKNOWN;
    }
    if (stream->slow) {
        return PW_ERR_LIMIT;
    }
    size_t len = stream->len < cap ? stream->len : cap;
    if (len > 0) {
        memcpy(to, stream->text, len);
        memmove(stream->text, stream->text + len, stream->len - len);
        stream->len -= len;
    }
    if (stream->len == 0) {
        free(stream->text);
        stream->text = NULL;
        stream->cap = 0;
    }
    return (int)len;
}

void pw_central_stream_closed(struct pw_central *central, uint64_t number)
{
    struct stream *stream = find(central, number);
    if (stream != NULL) {
        forget(stream);
    }
    trial_forget(central, number);
    body_closed(central, number);
}

static bool wants(const struct stream *stream, const struct station *ocpp_of)
{
    return stream->number != 0 && !stream->slow &&
           (ocpp_of == NULL || stream->all || strcmp(stream->station, ocpp_of->id) == 0);
}

bool events_wanted(const struct pw_central *central, const struct station *ocpp_of)
{
    for (size_t i = 0; i < PW_CENTRAL_STREAMS_MAX; i++) {
        if (wants(&central->stream[i], ocpp_of)) {
            return true;
        }
    }
    return false;
}

struct pw_json_writer event_open(struct pw_central *central, struct pw_out *out, const char *name)
{
    *out = (struct pw_out){.at = central->event, .cap = SCRATCH_MAX};
    pw_put_s(out, "event: ");
    pw_put_s(out, name);
    pw_put_s(out, "\ndata: ");
    return PW_JSON_WRITER(out);
}

void event_close(struct pw_central *central, struct pw_out *out, const struct station *ocpp_of)
{
    pw_put_s(out, "\n\n");
    if (out->full) {
        return; // larger than a whole message can be: not for a live page
    }
    for (size_t i = 0; i < PW_CENTRAL_STREAMS_MAX; i++) {
        if (wants(&central->stream[i], ocpp_of)) {
            append(central, &central->stream[i], pw_out_str(out));
        }
    }
}

void events_beat(struct pw_central *central)
{
    for (size_t i = 0; i < PW_CENTRAL_STREAMS_MAX; i++) {
        if (wants(&central->stream[i], NULL)) {
            append(central, &central->stream[i], PW_STR(":\n\n"));
        }
    }
}

void event_station(struct pw_central *central, const struct station *station)
{
    pw_central_limit_look(central, pw_str_of(station->id));
    if (!events_wanted(central, NULL)) {
        return;
    }
    struct pw_out out;
    struct pw_json_writer json = event_open(central, &out, "station");
    report_station(&json, station);
    event_close(central, &out, NULL);
}

void event_measurement(struct pw_central *central, const struct station *station,
                       const struct connector *connector, const struct measured *measured,
                       pw_unix_ms at)
{
    if (!events_wanted(central, NULL)) {
        return;
    }
    struct pw_out out;
    struct pw_json_writer json = event_open(central, &out, "measurement");
    pw_json_open(&json, '{');
    pw_json_say_s(&json, "station_id", station->id);
    pw_json_say_int(&json, "connector_id", connector->id);
    pw_json_say_fixed(&json, "t", at, 3);
    report_measured(&json, measured);
    if (connector->outlet != NULL) {
        report_phases(&json, connector->outlet);
    }
    pw_json_close(&json, '}');
    event_close(central, &out, NULL);
}

void event_session(struct pw_central *central, int64_t id, pw_unix_ms wall)
{
    if (!events_wanted(central, NULL)) {
        return;
    }
    struct pw_out out;
    struct pw_json_writer json = event_open(central, &out, "transaction");
    pw_json_open(&json, '{');
    if (report_session(central, &json, id, wall)) {
        pw_json_close(&json, '}');
        event_close(central, &out, NULL);
    }
}

void event_command(struct pw_central *central, int64_t id)
{
    if (!events_wanted(central, NULL)) {
        return;
    }
    struct pw_out out;
    struct pw_json_writer json = event_open(central, &out, "command");
    pw_json_open(&json, '{');
    if (report_command(central, &json, id)) {
        pw_json_close(&json, '}');
        event_close(central, &out, NULL);
    }
}

void event_upload(struct pw_central *central, const char *station)
{
    if (!events_wanted(central, NULL)) {
        return;
    }
    struct pw_out out;
    struct pw_json_writer json = event_open(central, &out, "upload");
    pw_json_open(&json, '{');
    pw_json_say_s(&json, "station_id", station);
    pw_json_close(&json, '}');
    event_close(central, &out, NULL);
}
