#include "cut_book.h"

#include <cjson/cJSON.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void wrong(struct cut_book *book, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void wrong(struct cut_book *book, const char *format, ...)
{
    va_list list;
    if (book->wrong[0] != '\0') {
        return;
    }
    va_start(list, format);
    (void)vsnprintf(book->wrong, sizeof(book->wrong), format, list);
    va_end(list);
}

unsigned cut_charge_of(int64_t wh)
{
    return (unsigned)(wh / CUT_RANGE_WH);
}

bool cut_heard_value(const struct cut_charge *charge, int64_t wh)
{
    for (unsigned i = 0; i < charge->value_count; i++) {
        if (charge->values[i] == wh) {
            return true;
        }
    }
    return false;
}

static int64_t number(const cJSON *object, const char *key)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, key);
    return cJSON_IsNumber(item) ? (int64_t)item->valuedouble : -1;
}

static const char *text(const cJSON *object, const char *key)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, key);
    return cJSON_IsString(item) ? item->valuestring : "";
}

static pw_unix_ms time_of(struct cut_book *book, const cJSON *object)
{
    pw_unix_ms at = 0;
    if (pw_parse_time(pw_str_of(text(object, "timestamp")), &at) != PW_OK || at < book->earliest) {
        wrong(book, "the time %s", text(object, "timestamp"));
    }
    return at;
}

static int64_t energy_of(const cJSON *meter_value)
{
    const cJSON *sampled = cJSON_GetObjectItemCaseSensitive(meter_value, "sampledValue");
    return strtoll(text(cJSON_GetArrayItem(sampled, 0), "value"), NULL, 10);
}

static struct cut_charge *charge_of(struct cut_book *book, int64_t wh)
{
    unsigned index = cut_charge_of(wh);
    if (wh < 0 || index >= CUT_CHARGES) {
        wrong(book, "the register %lld belongs to no charge", (long long)wh);
        index = 0;
    }
    return &book->charge[index];
}

static int id_of(const struct cut_book *book, const struct cut_charge *charge)
{
    return charge->refuse_start ? -1 : 5000 + (int)(charge - book->charge);
}

static bool hear_start(struct cut_book *book, const cJSON *payload, struct pw_out *conf)
{
    char whole[CUT_TEXT];
    struct cut_charge *charge = charge_of(book, number(payload, "meterStart"));
    (void)time_of(book, payload);
    (void)snprintf(whole, sizeof(whole), "%s %lld %lld %s", text(payload, "idTag"),
                   (long long)number(payload, "connectorId"),
                   (long long)number(payload, "meterStart"), text(payload, "timestamp"));
    if (charge->starts > 0 && strcmp(charge->start, whole) != 0) {
        wrong(book, "a start was repeated differently: %s, %s", charge->start, whole);
    }
    if (charge->stops > 0 || charge->value_count > 0) {
        wrong(book, "a start after what follows it: %s", whole);
    }
    (void)snprintf(charge->start, sizeof(charge->start), "%s", whole);
    charge->starts++;
    pw_put_s(conf, "{\"transactionId\":");
    pw_put_int(conf, id_of(book, charge));
    pw_put_s(conf, ",\"idTagInfo\":{\"status\":\"Accepted\"}}");
    return !charge->refuse_start;
}

static void check_id(struct cut_book *book, const struct cut_charge *charge, const cJSON *payload)
{
    if (charge->starts == 0) {
        wrong(book, "charge %u goes on before its start", (unsigned)(charge - book->charge));
    }
    if (number(payload, "transactionId") != id_of(book, charge)) {
        wrong(book, "charge %u under the id %lld", (unsigned)(charge - book->charge),
              (long long)number(payload, "transactionId"));
    }
}

static void hear_values(struct cut_book *book, const cJSON *payload)
{
    const cJSON *values = cJSON_GetObjectItemCaseSensitive(payload, "meterValue");
    const cJSON *value = cJSON_GetArrayItem(values, 0);
    int64_t wh = energy_of(value);
    struct cut_charge *charge = charge_of(book, wh);
    (void)time_of(book, value);
    check_id(book, charge, payload);
    if (cut_heard_value(charge, wh)) {
        return; // again
    }
    if (charge->stops > 0) {
        wrong(book, "a value after the stop: %lld", (long long)wh);
    }
    if (charge->value_count > 0 && charge->values[charge->value_count - 1] > wh) {
        wrong(book, "the value %lld after %lld", (long long)wh,
              (long long)charge->values[charge->value_count - 1]);
    }
    if (charge->value_count < CUT_VALUES) {
        charge->values[charge->value_count++] = wh;
    }
}

// First and last must stand in it, and the times must not go back.
static unsigned check_data(struct cut_book *book, const cJSON *payload, pw_unix_ms stop)
{
    const cJSON *data = cJSON_GetObjectItemCaseSensitive(payload, "transactionData");
    int count = cJSON_GetArraySize(data);
    pw_unix_ms before = 0;
    for (int i = 0; i < count; i++) {
        const cJSON *value = cJSON_GetArrayItem(data, i);
        pw_unix_ms at = time_of(book, value);
        if (at < before || at > stop) {
            wrong(book, "transactionData[%d] at %s", i, text(value, "timestamp"));
        }
        before = at;
    }
    if (count < 2 ||
        energy_of(cJSON_GetArrayItem(data, count - 1)) != number(payload, "meterStop")) {
        wrong(book, "transactionData without its last reading");
    }
    return (unsigned)count;
}

static bool hear_stop(struct cut_book *book, const cJSON *payload)
{
    int64_t wh = number(payload, "meterStop");
    struct cut_charge *charge = charge_of(book, wh);
    unsigned data = check_data(book, payload, time_of(book, payload));
    check_id(book, charge, payload);
    if (charge->stops > 0 &&
        (charge->stop_wh != wh || strcmp(charge->stop_reason, text(payload, "reason")) != 0 ||
         charge->data != data)) {
        wrong(book, "the stop of charge %u was repeated differently", cut_charge_of(wh));
    }
    charge->stops++;
    charge->stop_wh = wh;
    charge->data = data;
    (void)snprintf(charge->stop_reason, sizeof(charge->stop_reason), "%s", text(payload, "reason"));
    return !charge->refuse_stop;
}

void cut_book_hear(struct cut_book *book, struct pw_str message, pw_unix_ms wall,
                   struct pw_out *reply)
{
    char conf[256] = "{}";
    struct pw_out out = PW_OUT(conf);
    cJSON *frame = cJSON_ParseWithLength(message.at, message.len);
    const cJSON *id = cJSON_GetArrayItem(frame, 1);
    const cJSON *action = cJSON_GetArrayItem(frame, 2);
    const cJSON *payload = cJSON_GetArrayItem(frame, 3);
    bool accepted = true;
    if (frame == NULL || !cJSON_IsString(id) || !cJSON_IsString(action)) {
        wrong(book, "no call: %.*s", (int)message.len, message.at);
        cJSON_Delete(frame);
        return;
    }
    if (strcmp(action->valuestring, "BootNotification") == 0 ||
        strcmp(action->valuestring, "Heartbeat") == 0) {
        pw_put_s(&out, action->valuestring[0] == 'B' ? "{\"status\":\"Accepted\",\"interval\":300,"
                                                     : "{");
        pw_put_s(&out, "\"currentTime\":\"");
        pw_put_time(&out, wall);
        pw_put_s(&out, "\"}");
    } else if (strcmp(action->valuestring, "StartTransaction") == 0) {
        accepted = hear_start(book, payload, &out);
    } else if (strcmp(action->valuestring, "MeterValues") == 0) {
        hear_values(book, payload);
    } else if (strcmp(action->valuestring, "StopTransaction") == 0) {
        accepted = hear_stop(book, payload);
    }
    pw_put_s(reply, accepted ? "[3,\"" : "[4,\"");
    pw_put_s(reply, id->valuestring);
    pw_put_s(reply, accepted ? "\"," : "\",\"InternalError\",\"\",{}");
    pw_put_s(reply, accepted ? conf : "");
    pw_put_s(reply, "]");
    cJSON_Delete(frame);
}
