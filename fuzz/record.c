// Target functions: pw_record_load, pw_record_get_transaction, pw_record_get_sample, pw_record_end.
// A record of the journal after a crash, or from another version: any bytes are refused whole, or
// give a transaction with terminated texts and a connector that exists, which can be written again.
#include "journal/record.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_text(const char *text, size_t cap)
{
    if (memchr(text, '\0', cap) == NULL) {
        abort();
    }
}

static void read_transaction(const char *bytes, size_t size)
{
    struct pw_record record;
    struct pw_transaction transaction;
    if (pw_record_load(&record, bytes, size) != PW_OK) {
        return;
    }
    pw_record_get_transaction(&record, &transaction);
    check_text(transaction.id_tag, sizeof(transaction.id_tag));
    check_text(transaction.stop_id_tag, sizeof(transaction.stop_id_tag));
    if (pw_record_end(&record) != PW_OK) {
        return;
    }
    if (transaction.connector < 1 || transaction.connector > PW_JOURNAL_CONNECTORS) {
        abort();
    }
    pw_record_start(&record);
    pw_record_put_transaction(&record, &transaction);
    if (record.bad) {
        abort();
    }
}

static void read_sample(const char *bytes, size_t size)
{
    struct pw_record record;
    struct pw_sample sample;
    if (pw_record_load(&record, bytes, size) != PW_OK) {
        return;
    }
    pw_record_get_sample(&record, &sample);
    if (pw_record_end(&record) == PW_OK &&
        (sample.reading >= PW_READINGS || sample.has >> PW_QUANTITIES != 0)) {
        abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    read_transaction((const char *)data, size);
    read_sample((const char *)data, size);
    return 0;
}
