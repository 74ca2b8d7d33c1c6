#include "book.h"

#include <stdio.h>
#include <string.h>

void book_init(struct book *book)
{
    memset(book, 0, sizeof(*book));
    book->boot = "Accepted";
    book->authorise = "Accepted";
    book->start = "Accepted";
    book->interval_s = 300;
}

static const char *text_of(const cJSON *object, const char *key)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, key);
    return cJSON_IsString(item) ? item->valuestring : "";
}

static int number_of(const cJSON *object, const char *key, int missing)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, key);
    return cJSON_IsNumber(item) ? item->valueint : missing;
}

static void copy(char *to, size_t cap, const char *from)
{
    (void)snprintf(to, cap, "%s", from);
}

static struct book_transaction *find(struct book *book, int id)
{
    for (unsigned i = 0; i < book->count; i++) {
        if (book->transactions[i].id == id) {
            return &book->transactions[i];
        }
    }
    return NULL;
}

// A repeated StartTransaction (same connector, card, register, time) is the same transaction.
static struct book_transaction *start(struct book *book, const cJSON *payload)
{
    for (unsigned i = 0; i < book->count; i++) {
        struct book_transaction *t = &book->transactions[i];
        if (t->connector == number_of(payload, "connectorId", -1) &&
            t->meter_start_wh == number_of(payload, "meterStart", -1) &&
            strcmp(t->id_tag, text_of(payload, "idTag")) == 0 &&
            strcmp(t->start_at, text_of(payload, "timestamp")) == 0) {
            t->starts++;
            return t;
        }
    }
    PW_ASSERT(book->count < BOOK_TRANSACTIONS_MAX);
    struct book_transaction *t = &book->transactions[book->count++];
    t->id = 1000 + (int)book->count;
    t->connector = number_of(payload, "connectorId", -1);
    t->meter_start_wh = number_of(payload, "meterStart", -1);
    copy(t->id_tag, sizeof(t->id_tag), text_of(payload, "idTag"));
    copy(t->start_at, sizeof(t->start_at), text_of(payload, "timestamp"));
    t->starts = 1;
    return t;
}

// Writes down what is signed in a list of meter values.
static void signed_values(struct book *book, int id, bool in_stop, const cJSON *list)
{
    const cJSON *meter = NULL;
    const cJSON *value = NULL;
    if (book->signed_values == NULL) {
        return;
    }
    cJSON_ArrayForEach(meter, list)
    {
        cJSON_ArrayForEach(value, cJSON_GetObjectItemCaseSensitive(meter, "sampledValue"))
        {
            if (strcmp(text_of(value, "format"), "SignedData") != 0) {
                continue;
            }
            PW_ASSERT(book->signed_count < BOOK_SIGNED_MAX);
            struct book_signed *heard = &book->signed_values[book->signed_count++];
            cJSON *inside = cJSON_Parse(text_of(value, "value"));
            heard->transaction = id;
            heard->stop = in_stop;
            copy(heard->context, sizeof(heard->context), text_of(value, "context"));
            copy(heard->data, sizeof(heard->data), text_of(inside, "signedMeterData"));
            cJSON_Delete(inside);
        }
    }
}

static void stop(struct book *book, const cJSON *payload)
{
    int id = number_of(payload, "transactionId", 0);
    struct book_transaction *t = find(book, id);
    if (t == NULL) {
        book->refused_stops += id == -1 ? 1U : 0U;
        book->orphan_stops += id == -1 ? 0U : 1U;
        return;
    }
    t->stops++;
    signed_values(book, id, true, cJSON_GetObjectItemCaseSensitive(payload, "transactionData"));
    t->meter_stop_wh = number_of(payload, "meterStop", -1);
    copy(t->reason, sizeof(t->reason), text_of(payload, "reason"));
    copy(t->stop_at, sizeof(t->stop_at), text_of(payload, "timestamp"));
}

static void values(struct book *book, const cJSON *payload)
{
    struct book_transaction *t = find(book, number_of(payload, "transactionId", 0));
    const cJSON *list = cJSON_GetObjectItemCaseSensitive(payload, "meterValue");
    const cJSON *first = cJSON_GetArrayItem(list, 0);
    const cJSON *sampled = cJSON_GetObjectItemCaseSensitive(first, "sampledValue");
    const cJSON *value = NULL;
    if (t == NULL) {
        return;
    }
    t->values++;
    signed_values(book, t->id, false, list);
    cJSON_ArrayForEach(value, sampled)
    {
        if (strcmp(text_of(value, "measurand"), "Energy.Active.Import.Register") == 0) {
            (void)sscanf(text_of(value, "value"), "%d", &t->last_value_wh);
        }
    }
}

static void status(struct book *book, const cJSON *payload)
{
    PW_ASSERT(book->status_count < BOOK_STATUSES_MAX);
    struct book_status *s = &book->statuses[book->status_count++];
    s->connector = number_of(payload, "connectorId", -1);
    copy(s->status, sizeof(s->status), text_of(payload, "status"));
    copy(s->error, sizeof(s->error), text_of(payload, "errorCode"));
    copy(s->info, sizeof(s->info), text_of(payload, "info"));
    copy(s->vendor, sizeof(s->vendor), text_of(payload, "vendorErrorCode"));
}

// Writes the payload of the answer, or false for a CALLERROR.
static bool answer(struct book *book, const char *action, const cJSON *payload, pw_unix_ms wall,
                   char *to, size_t cap)
{
    char now[PW_TIME_TEXT_MAX];
    struct pw_out out = PW_OUT(now);
    pw_put_time(&out, wall);
    copy(to, cap, "{}");
    if (strcmp(action, "BootNotification") == 0) {
        book->boots++;
        (void)snprintf(to, cap, "{\"status\":\"%s\",\"currentTime\":\"%s\",\"interval\":%d}",
                       book->boot, now, book->interval_s);
    } else if (strcmp(action, "Heartbeat") == 0) {
        book->heartbeats++;
        (void)snprintf(to, cap, "{\"currentTime\":\"%s\"}", now);
    } else if (strcmp(action, "StatusNotification") == 0) {
        status(book, payload);
    } else if (strcmp(action, "Authorize") == 0) {
        book->authorisations++;
        (void)snprintf(to, cap, "{\"idTagInfo\":{\"status\":\"%s\"}}", book->authorise);
    } else if (strcmp(action, "StartTransaction") == 0) {
        if (book->refuse_starts > 0) {
            book->refuse_starts--;
            return false;
        }
        (void)snprintf(to, cap, "{\"transactionId\":%d,\"idTagInfo\":{\"status\":\"%s\"}}",
                       start(book, payload)->id, book->start);
    } else if (strcmp(action, "StopTransaction") == 0) {
        stop(book, payload);
    } else if (strcmp(action, "MeterValues") == 0) {
        values(book, payload);
    } else if (strcmp(action, "SecurityEventNotification") == 0) {
        // Heard, and of no interest here.
    } else if (strcmp(action, "DataTransfer") == 0) {
        book->vehicle_infos++;
        copy(book->vehicle_info, sizeof(book->vehicle_info), text_of(payload, "data"));
        copy(to, cap, "{\"status\":\"Accepted\"}");
    } else {
        book->bad++;
        return false;
    }
    return true;
}

static void hear_call(struct book *book, const cJSON *frame, pw_unix_ms wall, struct pw_out *reply)
{
    const cJSON *id = cJSON_GetArrayItem(frame, 1);
    const cJSON *action = cJSON_GetArrayItem(frame, 2);
    const cJSON *payload = cJSON_GetArrayItem(frame, 3);
    char body[512];
    book->calls++;
    if (!cJSON_IsString(id) || !cJSON_IsString(action) || !cJSON_IsObject(payload) ||
        cJSON_GetArraySize(frame) != 4) {
        book->bad++;
        return;
    }
    if (book->silent) {
        return;
    }
    if (answer(book, action->valuestring, payload, wall, body, sizeof(body))) {
        pw_put_s(reply, "[3,\"");
        pw_put_s(reply, id->valuestring);
        pw_put_s(reply, "\",");
        pw_put_s(reply, body);
        pw_put_s(reply, "]");
    } else {
        pw_put_s(reply, "[4,\"");
        pw_put_s(reply, id->valuestring);
        pw_put_s(reply, "\",\"InternalError\",\"not today\",{}]");
    }
}

void book_hear(struct book *book, struct pw_str text, pw_unix_ms wall, struct pw_out *reply)
{
    cJSON *frame = cJSON_ParseWithLength(text.at, text.len);
    const cJSON *type = cJSON_GetArrayItem(frame, 0);
    if (frame == NULL || !cJSON_IsNumber(type)) {
        book->bad++;
    } else if (type->valueint == 2) {
        hear_call(book, frame, wall, reply);
    } else {
        struct pw_out out = PW_OUT(book->answer);
        pw_put(&out, text);
    }
    cJSON_Delete(frame);
}

void book_call(struct book *book, const char *action, const char *payload, struct pw_out *call)
{
    book->answer[0] = '\0';
    pw_put_s(call, "[2,\"book-");
    pw_put_uint(call, ++book->next_call);
    pw_put_s(call, "\",\"");
    pw_put_s(call, action);
    pw_put_s(call, "\",");
    pw_put_s(call, payload);
    pw_put_s(call, "]");
}

const char *book_status_of(const struct book *book, int connector)
{
    for (unsigned i = book->status_count; i-- > 0;) {
        if (book->statuses[i].connector == connector) {
            return book->statuses[i].status;
        }
    }
    return "";
}

bool book_heard(const struct book *book, int connector, const char *wanted)
{
    for (unsigned i = 0; i < book->status_count; i++) {
        if (book->statuses[i].connector == connector &&
            strcmp(book->statuses[i].status, wanted) == 0) {
            return true;
        }
    }
    return false;
}
