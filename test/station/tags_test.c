// Cards: who is let charge, what the cache keeps, and that a local list is the old or the new one
// whatever the power does.
#include "simstore.h"
#include "tags/tags.h"
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct pw_sim_store store;
static struct pw_settings settings;
static struct pw_tags tags;

enum { NOW = 1000000 };

static void set(const char *path, const char *value)
{
    struct pw_setting_at at;
    char why[PW_SETTING_WHY_MAX];
    struct pw_out out = PW_OUT(why);
    assert_int_equal(pw_settings_find(pw_str_of(path), &at), PW_OK);
    assert_int_equal(pw_settings_set(&settings, at, pw_str_of(value), PW_BY_PERSON, &out), PW_OK);
}

static void start(void)
{
    assert_int_equal(pw_tags_init(&tags, &settings, &store.port, NULL), PW_OK);
}

static void open_store(void)
{
    pw_sim_store_init(&store);
    pw_settings_init(&settings);
    start();
}

// Until nothing waits for the disk any more.
static void settle(void)
{
    for (unsigned i = 0; pw_tags_step(&tags); i++) {
        assert_true(i < 10000);
    }
    for (unsigned i = 0; i < 200; i++) {
        (void)store.port.durable(store.port.context);
    }
}

static void restart(void)
{
    pw_sim_store_restart(&store);
    start();
}

static struct pw_tag card(const char *id_tag, enum pw_tag_status status, pw_unix_ms expires)
{
    struct pw_tag tag = {.status = status, .expires = expires};
    assert_int_equal(pw_str_copy(tag.id_tag, sizeof(tag.id_tag), pw_str_of(id_tag)), PW_OK);
    return tag;
}

static void learn(const char *id_tag, enum pw_tag_status status, pw_unix_ms expires)
{
    struct pw_tag tag = card(id_tag, status, expires);
    pw_tags_learn(&tags, &tag, NOW);
}

static enum pw_tags_place find(const char *id_tag, struct pw_tag *found)
{
    return pw_tags_find(&tags, pw_str_of(id_tag), NOW, found);
}

static bool knows(const char *id_tag)
{
    struct pw_tag found;
    return find(id_tag, &found) != PW_TAGS_NOWHERE;
}

static enum pw_tags_update send(const struct pw_tags_change *change, unsigned count,
                                enum pw_tags_kind kind, int32_t version)
{
    assert_int_equal(pw_tags_update_begin(&tags), PW_OK);
    for (unsigned i = 0; i < count; i++) {
        assert_int_equal(pw_tags_update_add(&tags, &change[i], kind), PW_OK);
    }
    return pw_tags_update_commit(&tags, kind, version);
}

// ---------------------------------------------------------------------------------------------
// The rules, written down once more: A accepted, R refused, ? the central system is asked.

enum known { UNKNOWN, GOOD, BAD };

// clang-format off
//                              LocalPreAuthorize            0 0 0 0 1 1 1 1
//                              LocalAuthorizeOffline        0 0 1 1 0 0 1 1
//                              AllowOfflineTxForUnknownId   0 1 0 1 0 1 0 1
static const char *const written[2][3] = {
    {/* offline */ [UNKNOWN] = "RARARARA", [GOOD] = "RAAARAAA", [BAD] = "RRRRRRRR"},
    {/* online  */ [UNKNOWN] = "????????", [GOOD] = "????AAAA", [BAD] = "????????"},
};

// What an entry is worth, by its place. The last one was accepted until a date that has passed.
static const struct {
    bool there;
    enum pw_tag_status status;
    pw_unix_ms expires;
    enum known in_list;
    enum known in_cache;
} entries[] = {
    {false, PW_TAG_ACCEPTED,      0,       UNKNOWN, UNKNOWN},
    {true,  PW_TAG_ACCEPTED,      0,       GOOD,    GOOD},
    {true,  PW_TAG_ACCEPTED,      NOW + 1, GOOD,    GOOD},
    {true,  PW_TAG_BLOCKED,       0,       BAD,     BAD},
    {true,  PW_TAG_EXPIRED,       0,       BAD,     BAD},
    {true,  PW_TAG_INVALID,       0,       BAD,     BAD},
    {true,  PW_TAG_CONCURRENT_TX, 0,       GOOD,    BAD},
    {true,  PW_TAG_ACCEPTED,      NOW,     BAD,     BAD},
};
// clang-format on

static void compare(unsigned list, unsigned cache, unsigned mask)
{
    static const char signs[] = {
        [PW_TAGS_ACCEPT] = 'A', [PW_TAGS_REFUSE] = 'R', [PW_TAGS_ASK] = '?'};
    bool online = (mask & 8U) != 0;
    bool list_on = (mask & 16U) != 0;
    bool cache_on = (mask & 32U) != 0;
    enum known known = list_on ? entries[list].in_list : UNKNOWN;
    known = known == UNKNOWN && cache_on ? entries[cache].in_cache : known;
    struct pw_tag found;
    set("session.local_pre_authorize", (mask & 4U) != 0 ? "true" : "false");
    set("session.local_authorize_offline", (mask & 2U) != 0 ? "true" : "false");
    set("session.allow_offline_unknown_id", (mask & 1U) != 0 ? "true" : "false");
    set("session.local_list", list_on ? "true" : "false");
    set("session.authorization_cache", cache_on ? "true" : "false");
    char said = signs[pw_tags_decide(&tags, PW_STR("card"), online, NOW, &found)];
    char wanted = written[online][known][mask & 7U];
    if (said != wanted) {
        fail_msg("list %u, cache %u, settings %u: %c instead of %c", list, cache, mask, said,
                 wanted);
    }
}

// Reason: who may charge is decided by eight things at once; each of their 4,096 meetings is looked
// at, through the room with its records.
static void every_meeting_of_list_cache_and_settings_is_as_written(void **state)
{
    (void)state;
    unsigned looked = 0;
    for (unsigned list = 0; list < PW_COUNT(entries); list++) {
        for (unsigned cache = 0; cache < PW_COUNT(entries); cache++) {
            open_store();
            if (entries[cache].there) {
                learn("CARD", entries[cache].status, entries[cache].expires);
            }
            struct pw_tags_change change = {
                .tag = card("CARD", entries[list].status, entries[list].expires)};
            assert_int_equal(send(&change, entries[list].there ? 1 : 0, PW_TAGS_FULL, 1),
                             PW_TAGS_UPDATED);
            settle();
            for (unsigned mask = 0; mask < 64; mask++, looked++) {
                compare(list, cache, mask);
            }
            pw_sim_store_free(&store);
        }
    }
    assert_int_equal(looked, 4096);
}

// Reason: a clock that is not set cannot say that a date has not passed.
static void without_a_date_of_today_a_card_with_a_date_is_expired(void **state)
{
    (void)state;
    struct pw_tag found;
    open_store();
    learn("DATED", PW_TAG_ACCEPTED, NOW + 1000);
    learn("FOREVER", PW_TAG_ACCEPTED, 0);
    assert_int_equal(pw_tags_find(&tags, PW_STR("DATED"), 0, &found), PW_TAGS_IN_CACHE);
    assert_int_equal(found.status, PW_TAG_EXPIRED);
    assert_int_equal(pw_tags_find(&tags, PW_STR("FOREVER"), 0, &found), PW_TAGS_IN_CACHE);
    assert_int_equal(found.status, PW_TAG_ACCEPTED);
    pw_sim_store_free(&store);
}

// ---------------------------------------------------------------------------------------------
// The cache.

static void fill_cache(unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        char name[PW_TAG_SIZE];
        (void)snprintf(name, sizeof(name), "CARD-%u", i);
        learn(name, PW_TAG_ACCEPTED, 0);
    }
}

// Reason: memory is bounded; who comes every day stays, who came once goes.
static void the_card_that_was_not_used_for_longest_goes(void **state)
{
    (void)state;
    struct pw_tag found;
    open_store();
    set("session.local_pre_authorize", "true");
    fill_cache(PW_TAGS_CACHE_MAX);
    assert_int_equal(pw_tags_decide(&tags, PW_STR("card-0"), true, NOW, &found), PW_TAGS_ACCEPT);
    learn("NEW", PW_TAG_ACCEPTED, 0);
    assert_true(knows("CARD-0"));
    assert_false(knows("CARD-1"));
    assert_true(knows("NEW"));
    assert_int_equal(pw_tags_cached(&tags), PW_TAGS_CACHE_MAX);
    // A refused card goes before any good one (OCPP 1.6 §3.5.1), also after a restart.
    learn("CARD-50", PW_TAG_BLOCKED, 0);
    settle();
    restart();
    assert_int_equal(pw_tags_cached(&tags), PW_TAGS_CACHE_MAX);
    learn("NEWER", PW_TAG_ACCEPTED, 0);
    assert_false(knows("CARD-50"));
    assert_true(knows("CARD-2"));
    assert_true(knows("CARD-0"));
    pw_sim_store_free(&store);
}

// Reason: ClearCache answered Accepted must mean that nothing comes back.
static void a_cleared_cache_stays_empty_over_a_restart(void **state)
{
    (void)state;
    open_store();
    fill_cache(PW_TAGS_CACHE_MAX);
    settle();
    int64_t ticket = pw_tags_clear_cache(&tags);
    assert_true(ticket > 0);
    assert_int_equal(pw_tags_cached(&tags), 0);
    learn("LATER", PW_TAG_ACCEPTED, 0);
    settle();
    restart();
    assert_int_equal(pw_tags_cached(&tags), 1);
    assert_true(knows("LATER"));
    set("session.authorization_cache", "false");
    assert_int_equal(pw_tags_clear_cache(&tags), PW_ERR_BUSY);
    settle();
    set("session.authorization_cache", "true");
    assert_false(knows("LATER"));
    pw_sim_store_free(&store);
}

// Reason: §3.5.3: the list has priority, its cards are not in the cache, and whoever contradicts it
// is told.
static void a_card_of_the_list_is_not_in_the_cache(void **state)
{
    (void)state;
    struct pw_tag found;
    open_store();
    struct pw_tags_change change = {.tag = card("CARD", PW_TAG_ACCEPTED, 0)};
    assert_int_equal(send(&change, 1, PW_TAGS_FULL, 1), PW_TAGS_UPDATED);
    learn("card", PW_TAG_ACCEPTED, 0);
    assert_false(tags.conflict);
    learn("card", PW_TAG_CONCURRENT_TX, 0); // charges elsewhere, and is good
    assert_false(tags.conflict);
    assert_int_equal(pw_tags_cached(&tags), 0);
    learn("card", PW_TAG_BLOCKED, 0);
    assert_true(tags.conflict);
    assert_int_equal(find("CARD", &found), PW_TAGS_IN_LIST);
    assert_int_equal(found.status, PW_TAG_ACCEPTED);
    // Sent anew it is right again.
    change.tag.status = PW_TAG_BLOCKED;
    assert_int_equal(send(&change, 1, PW_TAGS_DIFFERENTIAL, 2), PW_TAGS_UPDATED);
    assert_false(tags.conflict);
    pw_sim_store_free(&store);
}

// Reason: a record that a bad disk changed must not let a card in, nor stop the station.
static void damaged_records_are_left_out(void **state)
{
    (void)state;
    static const char *const keys[] = {"c/0", "cache", "list", "l/00000002/card"};
    for (unsigned i = 0; i < PW_COUNT(keys); i++) {
        open_store();
        learn("CACHED", PW_TAG_ACCEPTED, 0);
        struct pw_tags_change change = {.tag = card("CARD", PW_TAG_ACCEPTED, 0)};
        assert_int_equal(send(&change, 1, PW_TAGS_FULL, 1), PW_TAGS_UPDATED);
        settle();
        const struct pw_store_change rubbish = {.key = pw_str_of(keys[i]),
                                                .value = PW_STR("\x01\xff\xff")};
        assert_true(store.port.write(store.port.context, &rubbish, 1) > 0);
        settle();
        restart();
        assert_int_equal(knows("CACHED"), i >= 2 ? 1 : 0);
        assert_int_equal(knows("CARD"), i < 2 ? 1 : 0);
        settle();
        if (i == 2) {
            // Nothing of the lost list comes back with the next one.
            struct pw_tags_change other = {.tag = card("OTHER", PW_TAG_ACCEPTED, 0)};
            assert_int_equal(send(&other, 1, PW_TAGS_DIFFERENTIAL, 3), PW_TAGS_UPDATED);
            assert_true(knows("OTHER"));
            assert_false(knows("CARD"));
        }
        // It can be sent again, and is whole then.
        assert_int_equal(send(&change, 1, PW_TAGS_FULL, 9), PW_TAGS_UPDATED);
        assert_true(knows("CARD"));
        assert_int_equal(pw_tags_version(&tags), 9);
        pw_sim_store_free(&store);
    }
}

// ---------------------------------------------------------------------------------------------
// The list under power cuts.

enum { CARDS = 120 };

// The list as it should be: [i] is the status of CARD-i plus one; 0: not in it.
struct model {
    int32_t version;
    uint8_t status[CARDS];
};

static void name_of(unsigned i, char *name)
{
    (void)snprintf(name, PW_TAG_SIZE, "Card-%u", i);
}

static bool is_model(const struct model *model)
{
    unsigned count = 0;
    for (unsigned i = 0; i < CARDS; i++) {
        char name[PW_TAG_SIZE];
        struct pw_tag found;
        name_of(i, name);
        bool there = find(name, &found) == PW_TAGS_IN_LIST;
        if (there != (model->status[i] != 0) || (there && found.status + 1U != model->status[i])) {
            return false;
        }
        count += there ? 1 : 0;
    }
    return tags.list.count == count && pw_tags_version(&tags) == (count == 0 ? 0 : model->version);
}

// Draws `count` changes of different cards, and makes them in *model.
static void draw(struct pw_tags_change *change, unsigned count, enum pw_tags_kind kind,
                 struct model *model)
{
    unsigned first = (unsigned)rand() % CARDS;
    if (kind == PW_TAGS_FULL) {
        memset(model->status, 0, sizeof(model->status));
    }
    for (unsigned i = 0; i < count; i++) {
        unsigned at = (first + i) % CARDS;
        char name[PW_TAG_SIZE];
        name_of(at, name);
        change[i] = (struct pw_tags_change){.tag = card(name, (enum pw_tag_status)(rand() % 5), 0),
                                            .remove = kind != PW_TAGS_FULL && rand() % 3 == 0};
        model->status[at] = change[i].remove ? 0 : (uint8_t)(change[i].tag.status + 1);
    }
    model->version++;
}

// One update with the power cut before operation `cut`; false when it was over before that.
static bool cut_once(uint64_t cut, unsigned count, enum pw_tags_kind kind, bool pending,
                     uint32_t lag)
{
    struct pw_tags_change change[PW_TAGS_SEND_MAX];
    struct model old = {.version = 0};
    open_store();
    draw(change, 40, PW_TAGS_FULL, &old);
    assert_int_equal(send(change, 40, PW_TAGS_FULL, old.version), PW_TAGS_UPDATED);
    settle();
    assert_true(is_model(&old));
    struct model new = old;
    draw(change, count, kind, &new);
    store.operations = 0;
    store.cut_at = cut;
    store.keep_pending = pending;
    store.lag = lag;
    enum pw_tags_update said = send(change, count, kind, new.version);
    for (unsigned i = 0; !store.cut && i < 2000; i++) {
        bool more = pw_tags_step(&tags);
        said = pw_tags_updated(&tags);
        // Whoever asks meanwhile sees the one or the other.
        assert_true(store.cut || is_model(&old) || is_model(&new));
        if (!more) {
            break;
        }
    }
    bool happened = store.cut;
    bool promised = said == PW_TAGS_UPDATED;
    restart();
    store.lag = 0;
    store.keep_pending = false;
    bool was_old = is_model(&old);
    bool is_new = is_model(&new);
    if (!(promised ? is_new : was_old || is_new)) {
        fail_msg("cut %llu, %u changes, kind %d, pending %d, lag %u: neither list",
                 (unsigned long long)cut, count, (int)kind, pending, lag);
    }
    settle();
    assert_true(is_new ? is_model(&new) : is_model(&old));
    // Nothing is left behind, and the next update finds its place.
    assert_int_equal(pw_sim_store_count(&store, "l/"), tags.list.count);
    assert_int_equal(pw_sim_store_count(&store, "ld/"), 0);
    struct model next = is_new ? new : old;
    draw(change, 30, PW_TAGS_FULL, &next);
    assert_int_equal(send(change, 30, PW_TAGS_FULL, next.version), PW_TAGS_UPDATED);
    assert_true(is_model(&next));
    pw_sim_store_free(&store);
    return happened;
}

// Reason: B 38: an update needs many batches; a power cut at each operation of the store, with what
// was on its way lost or kept, leaves the old list or the new one, never a mixture.
static void a_power_cut_at_every_operation_leaves_the_old_list_or_the_new(void **state)
{
    (void)state;
    static const struct {
        unsigned count;
        enum pw_tags_kind kind;
    } updates[] = {{0, PW_TAGS_FULL},          {1, PW_TAGS_FULL},
                   {80, PW_TAGS_FULL},         {1, PW_TAGS_DIFFERENTIAL},
                   {15, PW_TAGS_DIFFERENTIAL}, {16, PW_TAGS_DIFFERENTIAL},
                   {80, PW_TAGS_DIFFERENTIAL}};
    unsigned cuts = 0;
    srand(1);
    for (unsigned i = 0; i < PW_COUNT(updates); i++) {
        for (unsigned way = 0; way < 4; way++) {
            uint64_t cut = 1;
            while (cut_once(cut, updates[i].count, updates[i].kind, (way & 1U) != 0,
                            (way & 2U) != 0 ? 3 : 0)) {
                cut++;
            }
            assert_true(cut > 2);
            cuts += (unsigned)cut;
        }
    }
    assert_true(cuts > 300);
}

// Reason: updates of every size after each other, against a model, with cuts where chance has them.
static void a_thousand_updates_keep_to_the_model(void **state)
{
    (void)state;
    struct pw_tags_change change[PW_TAGS_SEND_MAX];
    struct model model = {.version = 0};
    const char *given = getenv("SEED");
    unsigned seed = given != NULL ? (unsigned)strtoul(given, NULL, 10) : 20261121U;
    srand(seed);
    open_store();
    for (unsigned i = 0; i < 1000; i++) {
        struct model next = model;
        enum pw_tags_kind kind = rand() % 4 == 0 ? PW_TAGS_FULL : PW_TAGS_DIFFERENTIAL;
        unsigned count = (unsigned)rand() % (PW_TAGS_SEND_MAX + 1);
        bool cut = rand() % 5 == 0;
        draw(change, count, kind, &next);
        store.lag = (uint32_t)rand() % 3;
        store.operations = 0;
        store.cut_at = cut ? 1 + (uint64_t)rand() % 40 : 0;
        (void)send(change, count, kind, next.version);
        for (unsigned turn = 0; !store.cut && pw_tags_updated(&tags) == PW_TAGS_UPDATING; turn++) {
            assert_true(turn < 2000);
            (void)pw_tags_step(&tags);
        }
        if (store.cut) {
            restart();
            store.lag = 0;
            settle();
        }
        if (is_model(&next)) {
            model = next;
        } else if (!cut || !is_model(&model)) {
            fail_msg("SEED=%u, update %u", seed, i);
        }
    }
    pw_sim_store_free(&store);
}

// Reason: what cannot be is refused whole; the list is as it was.
static void what_cannot_be_changes_nothing(void **state)
{
    (void)state;
    open_store();
    struct pw_tags_change change = {.tag = card("CARD", PW_TAG_ACCEPTED, 0)};
    assert_int_equal(send(&change, 1, PW_TAGS_FULL, 5), PW_TAGS_UPDATED);
    assert_int_equal(send(&change, 1, PW_TAGS_FULL, 0), PW_TAGS_FAILED);
    assert_int_equal(send(&change, 1, PW_TAGS_FULL, -1), PW_TAGS_FAILED);
    assert_int_equal(send(&change, 1, PW_TAGS_DIFFERENTIAL, 5), PW_TAGS_VERSION_MISMATCH);
    assert_int_equal(pw_tags_update_begin(&tags), PW_OK);
    assert_int_equal(pw_tags_update_add(&tags, &change, PW_TAGS_FULL), PW_OK);
    struct pw_tags_change same = {.tag = card("card", PW_TAG_ACCEPTED, 0)};
    assert_int_equal(pw_tags_update_add(&tags, &same, PW_TAGS_FULL), PW_ERR_RANGE);
    same = (struct pw_tags_change){.tag = card("OTHER", PW_TAG_ACCEPTED, 0), .remove = true};
    assert_int_equal(pw_tags_update_add(&tags, &same, PW_TAGS_FULL), PW_ERR_RANGE);
    store.failed = true;
    assert_int_equal(pw_tags_update_commit(&tags, PW_TAGS_FULL, 6), PW_TAGS_FAILED);
    store.failed = false;
    assert_int_equal(pw_tags_version(&tags), 5);
    set("session.local_list", "false");
    assert_int_equal(pw_tags_update_commit(&tags, PW_TAGS_FULL, 6), PW_TAGS_NOT_SUPPORTED);
    assert_int_equal(pw_tags_version(&tags), -1);
    pw_sim_store_free(&store);
}

// Reason: LocalAuthListMaxLength is said to the central system, and holds.
static void a_list_that_would_be_too_long_is_refused(void **state)
{
    (void)state;
    struct pw_tags_change change[PW_TAGS_SEND_MAX];
    open_store();
    int32_t version = 0;
    for (unsigned at = 0; at < PW_TAGS_LIST_MAX; at += 50) {
        for (unsigned i = 0; i < 50; i++) {
            char name[PW_TAG_SIZE];
            name_of(at + i, name);
            change[i] = (struct pw_tags_change){.tag = card(name, PW_TAG_ACCEPTED, 0)};
        }
        assert_int_equal(send(change, 50, PW_TAGS_DIFFERENTIAL, ++version), PW_TAGS_UPDATED);
    }
    assert_int_equal(tags.list.count, PW_TAGS_LIST_MAX);
    change[0].tag = card("ONE-MORE", PW_TAG_ACCEPTED, 0);
    assert_int_equal(send(change, 1, PW_TAGS_DIFFERENTIAL, 99), PW_TAGS_FAILED);
    assert_int_equal(pw_tags_version(&tags), version);
    // One out and one in fits.
    change[1] = (struct pw_tags_change){.tag = card("CARD-0", PW_TAG_ACCEPTED, 0), .remove = true};
    assert_int_equal(send(change, 2, PW_TAGS_DIFFERENTIAL, 99), PW_TAGS_UPDATED);
    assert_true(knows("one-more"));
    pw_sim_store_free(&store);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_meeting_of_list_cache_and_settings_is_as_written),
        cmocka_unit_test(without_a_date_of_today_a_card_with_a_date_is_expired),
        cmocka_unit_test(the_card_that_was_not_used_for_longest_goes),
        cmocka_unit_test(a_cleared_cache_stays_empty_over_a_restart),
        cmocka_unit_test(a_card_of_the_list_is_not_in_the_cache),
        cmocka_unit_test(damaged_records_are_left_out),
        cmocka_unit_test(a_power_cut_at_every_operation_leaves_the_old_list_or_the_new),
        cmocka_unit_test(a_thousand_updates_keep_to_the_model),
        cmocka_unit_test(what_cannot_be_changes_nothing),
        cmocka_unit_test(a_list_that_would_be_too_long_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
