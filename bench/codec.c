// A MeterValues CALL of about 700 bytes, as a DC station sends it every few seconds, against cJSON
// in the same run:
//   parse     the text to an index of values / to cJSON's tree
//   check     the same, and the frame and every field of the payload held against its type, its
//             length, its words and what is required; for cJSON by a table of rules beside its tree
//   encode    the structs to text / the tree to text
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
    struct pw_ocpp16_meter_values_req sent; // the same, with its lists as arrays
    struct pw_ocpp16_meter_value meter_value;
    struct pw_ocpp16_sampled_value samples[8];
    char text[1024];
    cJSON *tree;
};

static const struct pw_str text = {.at = message, .len = sizeof(message) - 1};

static bool our_parse(struct work *work)
{
    return pw_json_read(&work->json, text) == PW_OK;
}

static bool our_check(struct work *work)
{
    struct pw_ocpp_fault fault;
    return pw_ocpp_frame_read(&work->json, text, &work->frame, &fault) == PW_OK &&
           pw_ocpp16_action_find(work->frame.action) == PW_OCPP16_METER_VALUES &&
           pw_ocpp_decode(&pw_ocpp16_meter_values_req, work->frame.payload,
                          PW_OCPP_REFUSE_UNKNOWN_KEYS, &work->req, &fault) == PW_OK;
}

// The structs to encode, out of the message itself.
static bool fill(struct work *work)
{
    struct pw_ocpp_iter values = pw_ocpp_each(&work->req.meter_value);
    if (!pw_ocpp_next(&values, &work->meter_value, sizeof(work->meter_value))) {
        return false;
    }
    struct pw_ocpp_iter samples = pw_ocpp_each(&work->meter_value.sampled_value);
    uint32_t count = 0;
    while (count < PW_COUNT(work->samples) &&
           pw_ocpp_next(&samples, &work->samples[count], sizeof(work->samples[0]))) {
        count++;
    }
    work->meter_value.sampled_value.items = work->samples;
    work->sent = work->req;
    work->sent.meter_value.items = &work->meter_value;
    return count == 6;
}

static bool our_print(struct work *work)
{
    struct pw_out out = PW_OUT(work->text);
    pw_ocpp16_put_call(&out, work->frame.id, PW_OCPP16_METER_VALUES, &work->sent);
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

// --- The same checks beside cJSON's tree, as one would write them there.

enum kind { WHOLE, TEXT, TIME, WORD, LIST };

struct rule {
    const char *key;
    enum kind kind;
    bool required;
    const char *const *words;
    const struct rule *element;
};

#define WORDS_END           NULL
#define WORD_OF(name, word) word,

static const char *const contexts[] = {PW_OCPP16_CODES_READING_CONTEXT(WORD_OF) WORDS_END};
static const char *const formats[] = {PW_OCPP16_CODES_VALUE_FORMAT(WORD_OF) WORDS_END};
static const char *const measurands[] = {PW_OCPP16_CODES_MEASURAND(WORD_OF) WORDS_END};
static const char *const phases[] = {PW_OCPP16_CODES_PHASE(WORD_OF) WORDS_END};
static const char *const locations[] = {PW_OCPP16_CODES_LOCATION(WORD_OF) WORDS_END};
static const char *const units[] = {PW_OCPP16_CODES_UNIT(WORD_OF) WORDS_END};

static const struct rule sample_rules[] = {
    {.key = "value", .kind = TEXT, .required = true},
    {.key = "context", .kind = WORD, .words = contexts},
    {.key = "format", .kind = WORD, .words = formats},
    {.key = "measurand", .kind = WORD, .words = measurands},
    {.key = "phase", .kind = WORD, .words = phases},
    {.key = "location", .kind = WORD, .words = locations},
    {.key = "unit", .kind = WORD, .words = units},
    {.key = NULL},
};
static const struct rule value_rules[] = {
    {.key = "timestamp", .kind = TIME, .required = true},
    {.key = "sampledValue", .kind = LIST, .required = true, .element = sample_rules},
    {.key = NULL},
};
static const struct rule payload_rules[] = {
    {.key = "connectorId", .kind = WHOLE, .required = true},
    {.key = "transactionId", .kind = WHOLE},
    {.key = "meterValue", .kind = LIST, .required = true, .element = value_rules},
    {.key = NULL},
};

static bool is_word(const char *const *words, const char *value)
{
    while (*words != NULL && strcmp(*words, value) != 0) {
        words++;
    }
    return *words != NULL;
}

static bool is_right(const struct rule *rule, const cJSON *value)
{
    pw_unix_ms time = 0;
    switch (rule->kind) {
    case WHOLE:
        return cJSON_IsNumber(value) && value->valuedouble >= 0 &&
               value->valuedouble <= INT32_MAX && !(value->valuedouble > value->valueint);
    case TEXT: return cJSON_IsString(value);
    case TIME:
        return cJSON_IsString(value) &&
               pw_parse_time(pw_str_of(value->valuestring), &time) == PW_OK;
    case WORD: return cJSON_IsString(value) && is_word(rule->words, value->valuestring);
    case LIST: return cJSON_IsArray(value) && value->child != NULL;
    }
    return false;
}

static const struct rule *find_rule(const struct rule *rules, const char *key)
{
    while (rules->key != NULL && strcmp(rules->key, key) != 0) {
        rules++;
    }
    return rules->key == NULL ? NULL : rules;
}

// One object's own fields: known, right, once, and none missing.
static bool has_right_fields(const cJSON *object, const struct rule *rules)
{
    unsigned seen = 0;
    for (const cJSON *field = object->child; field != NULL; field = field->next) {
        const struct rule *rule = find_rule(rules, field->string);
        if (rule == NULL || (seen & 1U << (rule - rules)) != 0 || !is_right(rule, field)) {
            return false;
        }
        seen |= 1U << (rule - rules);
    }
    for (unsigned i = 0; rules[i].key != NULL; i++) {
        if (rules[i].required && (seen >> i & 1U) == 0) {
            return false;
        }
    }
    return cJSON_IsObject(object);
}

static bool is_right_payload(const cJSON *payload)
{
    if (!has_right_fields(payload, payload_rules)) {
        return false;
    }
    const cJSON *values = cJSON_GetObjectItemCaseSensitive(payload, "meterValue");
    for (const cJSON *value = values->child; value != NULL; value = value->next) {
        if (!has_right_fields(value, value_rules)) {
            return false;
        }
        const cJSON *samples = cJSON_GetObjectItemCaseSensitive(value, "sampledValue");
        for (const cJSON *sample = samples->child; sample != NULL; sample = sample->next) {
            if (!has_right_fields(sample, sample_rules)) {
                return false;
            }
        }
    }
    return true;
}

static bool their_check(struct work *work)
{
    cJSON *tree = cJSON_ParseWithLength(message, sizeof(message) - 1);
    const cJSON *action = cJSON_GetArrayItem(tree, 2);
    bool good = cJSON_IsArray(tree) && cJSON_GetArraySize(tree) == 4 &&
                cJSON_IsString(cJSON_GetArrayItem(tree, 1)) && cJSON_IsString(action) &&
                pw_ocpp16_action_find(pw_str_of(action->valuestring)) == PW_OCPP16_METER_VALUES &&
                is_right_payload(cJSON_GetArrayItem(tree, 3));
    cJSON_Delete(tree);
    (void)work;
    return good;
}

static bool their_print(struct work *work)
{
    return cJSON_PrintPreallocated(work->tree, work->text, (int)sizeof(work->text), 0) != 0;
}

enum { JOBS = 6 };

// The best of several rounds, in nanoseconds a message; the jobs take turns in each round, so that
// none has the quiet machine for itself.
static void run(struct work *work, double best[JOBS])
{
    static bool (*const jobs[JOBS])(struct work *) = {our_parse,   their_parse, our_check,
                                                      their_check, our_print,   their_print};
    for (int job = 0; job < JOBS; job++) {
        best[job] = 1e18;
    }
    for (int round = 0; round < ROUNDS; round++) {
        for (int job = 0; job < JOBS; job++) {
            double start = now_ns();
            bool good = true;
            for (int i = 0; i < REPEATS; i++) {
                good = jobs[job](work) && good;
            }
            double took = (now_ns() - start) / REPEATS;
            best[job] = good && took < best[job] ? took : best[job];
        }
    }
}

int main(void)
{
    static struct work work;
    static const char *const names[] = {"parse", "check", "encode"};
    double best[JOBS];
    work.json = (struct pw_json){.node = work.nodes, .cap = NODES};
    work.tree = cJSON_ParseWithLength(message, sizeof(message) - 1);
    if (work.tree == NULL || !our_check(&work) || !their_check(&work) || !fill(&work) ||
        !our_print(&work) || strcmp(work.text, message) != 0) {
        (void)fprintf(stderr, "codec: the message does not survive: %s\n", work.text);
        return 1;
    }
    run(&work, best);
    cJSON_Delete(work.tree);
    (void)printf("{\"bench\":\"codec\",\"bytes\":%zu", text.len);
    for (int i = 0; i < 3; i++) {
        (void)printf(",\"%s_ns\":%.0f,\"cjson_%s_ns\":%.0f,\"%s_ratio\":%.2f", names[i],
                     best[2 * i], names[i], best[2 * i + 1], names[i],
                     best[2 * i + 1] / best[2 * i]);
    }
    (void)printf("}\n| codec, MeterValues %zu B |", text.len);
    for (int i = 0; i < 3; i++) {
        (void)printf(" %s %.0f ns, cJSON %.0f ns: %.1fx |", names[i], best[2 * i], best[2 * i + 1],
                     best[2 * i + 1] / best[2 * i]);
    }
    (void)printf("\n");
    return 0;
}
