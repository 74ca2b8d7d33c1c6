// Target functions: pw_tags_init, pw_tags_step, pw_tags_find, pw_reservations_init.
// Any bytes as records of cards, list and reservations, as a bad disk or another version leaves
// them: the station starts, texts end, counts are within their bounds, and a new list can be sent.
// The input is records: key number, length, bytes.
#include "reservations/reservations.h"
#include "simstore.h"
#include "tags/tags.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const keys[] = {
    "list", "l/00000001/card", "l/00000002/card", "ld/0", "ld/1", "cache", "c/0",
    "c/99", "l/zz/",           "reservations"};

static struct pw_sim_store store;
static struct pw_settings settings;
static struct pw_tags tags;
static struct pw_reservations reservations;

static void check(bool truth)
{
    if (!truth) {
        abort();
    }
}

static void write_records(const uint8_t *data, size_t size)
{
    for (size_t at = 0; at + 2 <= size;) {
        const char *key = keys[data[at] % PW_COUNT(keys)];
        size_t len = data[at + 1] < size - at - 2 ? data[at + 1] : size - at - 2;
        const struct pw_store_change change = {
            .key = pw_str_of(key), .value = {.at = (const char *)data + at + 2, .len = len}};
        check(store.port.write(store.port.context, &change, 1) > 0);
        at += 2 + len;
    }
    (void)store.port.durable(store.port.context);
}

static void settle(void)
{
    for (unsigned i = 0; pw_tags_step(&tags); i++) {
        check(i < 10000);
    }
}

static void look(void)
{
    struct pw_tag tag;
    char after[PW_STORE_KEY_MAX + 1] = "";
    (void)pw_tags_find(&tags, PW_STR("CARD"), 1000, &tag);
    check(memchr(tag.id_tag, '\0', sizeof(tag.id_tag)) != NULL);
    check(memchr(tag.parent, '\0', sizeof(tag.parent)) != NULL);
    check(tags.list.count <= PW_TAGS_LIST_MAX && pw_tags_cached(&tags) <= PW_TAGS_CACHE_MAX);
    for (unsigned i = 0; i < 10 && pw_tags_next(&tags, after, 1000, &tag) != PW_ERR_UNKNOWN; i++) {
        check(strlen(after) <= PW_STORE_KEY_MAX);
    }
}

static void reserve(void)
{
    enum pw_reservations_place place[PW_CONNECTORS_MAX] = {PW_PLACE_FREE};
    int32_t id = 0;
    check(pw_reservations_init(&reservations, &settings, 2, &store.port, NULL, 0) == PW_OK);
    (void)pw_reservations_step(&reservations, place, 1000, 1);
    (void)pw_reservations_leave(&reservations, 1, PW_STR("CARD"), NULL, &id);
    for (size_t i = 0; i < PW_RESERVATIONS_MAX; i++) {
        check(reservations.row[i].connector <= 2 || reservations.row[i].expires == 0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct pw_tags_change change = {.tag = {.id_tag = "NEW"}};
    struct pw_tag tag;
    pw_sim_store_init(&store);
    pw_settings_init(&settings);
    write_records(data, size);
    check(pw_tags_init(&tags, &settings, &store.port, NULL) == PW_OK);
    look();
    settle();
    look();
    check(pw_tags_update_begin(&tags) == PW_OK);
    check(pw_tags_update_add(&tags, &change, PW_TAGS_FULL) == PW_OK);
    check(pw_tags_update_commit(&tags, PW_TAGS_FULL, 5) == PW_TAGS_UPDATED);
    settle();
    check(pw_tags_find(&tags, PW_STR("new"), 1000, &tag) == PW_TAGS_IN_LIST);
    check(pw_tags_find(&tags, PW_STR("CARD"), 1000, &tag) != PW_TAGS_IN_LIST);
    check(pw_tags_version(&tags) == 5);
    reserve();
    pw_sim_store_free(&store);
    return 0;
}
