// Target functions: pw_journal_open, pw_journal_head, pw_journal_answered, pw_journal_step,
// pw_journal_next_note, pw_journal_wall. A store whose records hold any bytes under the journal's
// own keys, as after an update, a damaged disk or a person's hand: it opens, what cannot be read is
// set aside and counted, the rest leaves the queue in the order of its numbers, and it ends.
#include "journal/journal.h"

#include "simstore.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { TURNS = 4000, SMALL_ROOM = 10 };

static const char *const prefixes[] = {"q/",   "tx/",   "clk/",  "park/",
                                       "reg/", "keep/", "done/", "sig/"};

// One record: which prefix, a number, a length, so many bytes.
static size_t put_record(struct pw_sim_store *store, const uint8_t *data, size_t size)
{
    char key[PW_STORE_KEY_MAX + 1] = "n";
    size_t len = data[2] < size - 3 ? data[2] : size - 3;
    unsigned kind = data[0] % (PW_COUNT(prefixes) + 2);
    if (kind < PW_COUNT(prefixes)) {
        (void)snprintf(key, sizeof(key), "%s%016X", prefixes[kind], data[1]);
    } else if (kind == PW_COUNT(prefixes)) {
        (void)snprintf(key, sizeof(key), "note/%08X%u%08X", data[1] & 3U, data[1] >> 6,
                       (unsigned)data[1] >> 2 & 7U);
    }
    const struct pw_store_change change = {.key = pw_str_of(key),
                                           .value = {.at = (const char *)data + 3, .len = len}};
    (void)store->port.write(store->port.context, &change, 1);
    (void)store->port.durable(store->port.context);
    return 3 + len;
}

static void walk(const struct pw_journal *journal, const struct pw_message *message)
{
    struct pw_note_walk notes = {.transaction = message->transaction.seq};
    struct pw_sample sample;
    unsigned count = 0;
    while (pw_journal_next_note(journal, &notes, &sample)) {
        if (++count > TURNS) {
            abort();
        }
    }
    (void)pw_journal_wall(journal, message->sample.at);
    (void)pw_journal_wall(journal, message->transaction.first.at);
}

static void empty(struct pw_journal *journal, struct pw_sim_store *store)
{
    uint64_t before = 0;
    for (int turn = 0; pw_journal_waiting(journal) > 0; turn++) {
        struct pw_message message;
        (void)store->port.durable(store->port.context);
        (void)pw_journal_step(journal, (pw_ms)turn);
        (void)store->port.durable(store->port.context);
        int err = pw_journal_head(journal, &message);
        if (err == PW_OK) {
            if (message.seq < before || turn > TURNS) {
                abort();
            }
            before = message.seq;
            walk(journal, &message);
            err = turn % 3 == 0 ? pw_journal_refused(journal, &message)
                                : pw_journal_answered(journal, &message, turn);
        }
        if (turn > TURNS && err != PW_OK) {
            abort();
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct pw_sim_store store;
    struct pw_journal journal;
    pw_sim_store_init(&store);
    while (size > 3) {
        size_t took = put_record(&store, data, size);
        data += took;
        size -= took;
    }
    for (int i = 0; i < 2; i++) {
        (void)store.port.durable(store.port.context);
        if (pw_journal_open(&journal, &store.port, NULL) != PW_OK) {
            abort();
        }
        journal.room = SMALL_ROOM;
        pw_journal_clock(&journal, 1790000000000);
        empty(&journal, &store);
    }
    pw_sim_store_free(&store);
    return 0;
}
