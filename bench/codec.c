// A MeterValues CALL of about 700 bytes, as a DC station sends it every few seconds: read the
// frame, check and decode the payload down to the last sampled value; and write it again. cJSON
// parses and prints the same text in the same run; it checks nothing, so the ratio is on its side.
#include "ocpp/ocpp.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum { NODES = 256, ROUNDS = 15, REPEATS = 4000 };

static const char message[] =
    "[2,\"8F3A21C0D4E5B697-1042\",\"MeterValues\",{\"connectorId\":1,\"transactionId\":10427,"
    "\"meterValue\":[{\"timestamp\":\"2026-01-31T12:30:15.250Z\",\"sampledValue\":["
    "{\"value\":\"1842\",\"context\":\"Sample.Periodic\",\"measurand\":"
    "\"Energy.Active.Import.Register\",\"unit\":\"Wh\"},"
    "{\"value\":\"1275.4\",\"context\":\"Sample.Periodic\",\"measurand\":"
    "\"Power.Active.Import\",\"unit\":\"W\"},"
    "{\"value\":\"76.20\",\"context\":\"Sample.Periodic\",\"measurand\":\"Voltage\",\"unit\":\"V\"}"
    ","
    "{\"value\":\"16.74\",\"context\":\"Sample.Periodic\",\"measurand\":"
    "\"Current.Import\",\"unit\":\"A\"},"
    "{\"value\":\"74\",\"context\":\"Sample.Periodic\",\"measurand\":\"SoC\",\"location\":\"EV\","
    "\"unit\":\"Percent\"},"
    "{\"value\":\"31.5\",\"context\":\"Sample.Periodic\",\"measurand\":\"Temperature\","
    "\"location\":\"EV\",\"unit\":\"Celcius\"}]}]}]";

static double now_ns(void)
{
    struct timespec time;
    (void)clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

struct work {
    struct pw_json_node nodes[NODES];
    struct pw_json json;
    struct pw_ocpp_frame frame;
    struct pw_ocpp16_meter_values_req req;
    struct pw_ocpp16_meter_value meter_value;
    struct pw_ocpp16_sampled_value samples[8];
    uint32_t count;
    char text[1024];
    size_t len;
    cJSON *tree;
};

static bool our_parse(struct work *work)
{
    struct pw_ocpp_fault fault;
    struct pw_str text = {.at = message, .len = sizeof(message) - 1};
    if (pw_ocpp_frame_read(&work->json, text, &work->frame, &fault) != PW_OK ||
        pw_ocpp16_action_find(work->frame.action) != PW_OCPP16_METER_VALUES ||
        pw_ocpp_decode(&pw_ocpp16_meter_values_req, work->frame.payload,
                       PW_OCPP_REFUSE_UNKNOWN_KEYS, &work->req, &fault) != PW_OK) {
        return false;
    }
    work->count = 0;
    struct pw_ocpp_iter values = pw_ocpp_each(&work->req.meter_value);
    while (pw_ocpp_next(&values, &work->meter_value, sizeof(work->meter_value))) {
        struct pw_ocpp_iter samples = pw_ocpp_each(&work->meter_value.sampled_value);
        while (pw_ocpp_next(&samples, &work->samples[work->count], sizeof(work->samples[0]))) {
            work->count++;
        }
    }
    return work->count == 6;
}

static bool our_print(struct work *work)
{
    struct pw_out out = PW_OUT(work->text);
    work->meter_value.sampled_value.items = work->samples;
    work->req.meter_value.items = &work->meter_value;
    pw_ocpp16_put_call(&out, work->frame.id, PW_OCPP16_METER_VALUES, &work->req);
    work->len = out.len;
    return !out.full;
}

static bool their_parse(struct work *work)
{
    cJSON *tree = cJSON_ParseWithLength(message, sizeof(message) - 1);
    bool good = tree != NULL;
    cJSON_Delete(tree);
    (void)work;
    return good;
}

static bool their_print(struct work *work)
{
    return cJSON_PrintPreallocated(work->tree, work->text, (int)sizeof(work->text), 0) != 0;
}

// The best of several rounds, in nanoseconds a message; all four take turns in each round, so that
// none has the quiet machine for itself.
int main(void)
{
    static bool (*const jobs[])(struct work *) = {our_parse, their_parse, our_print, their_print};
    static struct work work;
    double best[4] = {1e18, 1e18, 1e18, 1e18};
    work.json = (struct pw_json){.node = work.nodes, .cap = NODES};
    work.tree = cJSON_ParseWithLength(message, sizeof(message) - 1);
    if (work.tree == NULL || !our_parse(&work) || !our_print(&work) ||
        strcmp(work.text, message) != 0) {
        (void)fprintf(stderr, "codec: the message does not survive: %s\n", work.text);
        return 1;
    }
    for (int round = 0; round < ROUNDS; round++) {
        for (int job = 0; job < 4; job++) {
            double start = now_ns();
            bool good = true;
            for (int i = 0; i < REPEATS; i++) {
                good = jobs[job](&work) && good;
            }
            double took = (now_ns() - start) / REPEATS;
            best[job] = good && took < best[job] ? took : best[job];
        }
    }
    cJSON_Delete(work.tree);
    (void)printf("| codec, MeterValues %zu B | parse+validate %.0f ns | cJSON parse %.0f ns | "
                 "%.1fx | encode %.0f ns | cJSON print %.0f ns | %.1fx |\n",
                 sizeof(message) - 1, best[0], best[1], best[1] / best[0], best[2], best[3],
                 best[3] / best[2]);
    (void)printf("{\"bench\":\"codec\",\"bytes\":%zu,\"parse_ns\":%.0f,\"cjson_parse_ns\":%.0f,"
                 "\"parse_ratio\":%.2f,\"encode_ns\":%.0f,\"cjson_print_ns\":%.0f,"
                 "\"encode_ratio\":%.2f,\"parse_target\":5}\n",
                 sizeof(message) - 1, best[0], best[1], best[1] / best[0], best[2], best[3],
                 best[3] / best[2]);
    return 0;
}
