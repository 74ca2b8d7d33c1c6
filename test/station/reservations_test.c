// Reservations: who is kept which connector free, over every condition, over restarts, and until
// when.
#include "reservations/reservations.h"
#include "simstore.h"
#include "test.h"

#include <string.h>

enum { NOW = 1000000, CONNECTORS = 2 };

static struct pw_sim_store store;
static struct pw_settings settings;
static struct pw_reservations all;
static enum pw_reservations_place place[PW_CONNECTORS_MAX];
static pw_unix_ms wall;
static pw_ms now;

static pw_ms step(void)
{
    return pw_reservations_step(&all, place, wall, now);
}

static void start(unsigned connectors)
{
    assert_int_equal(pw_reservations_init(&all, &settings, connectors, &store.port, NULL, now),
                     PW_OK);
    (void)step();
}

static void open_store(void)
{
    pw_sim_store_init(&store);
    pw_settings_init(&settings);
    wall = NOW;
    now = 5000;
    for (unsigned i = 0; i < PW_CONNECTORS_MAX; i++) {
        place[i] = PW_PLACE_FREE;
    }
    start(CONNECTORS);
}

static void restart(unsigned connectors)
{
    for (unsigned i = 0; i < 8; i++) {
        (void)store.port.durable(store.port.context);
    }
    pw_sim_store_restart(&store);
    start(connectors);
}

static enum pw_reservations_answer take(int32_t id, unsigned connector, const char *id_tag,
                                        const char *parent, pw_unix_ms expires)
{
    struct pw_reservation wish = {.id = id, .connector = (uint8_t)connector, .expires = expires};
    int64_t ticket = 0;
    assert_int_equal(pw_str_copy(wish.id_tag, sizeof(wish.id_tag), pw_str_of(id_tag)), PW_OK);
    assert_int_equal(pw_str_copy(wish.parent, sizeof(wish.parent), pw_str_of(parent)), PW_OK);
    return pw_reservations_take(&all, &wish, wall, &ticket);
}

static enum pw_reservations_leave leave(unsigned connector, const char *id_tag, const char *parent)
{
    int32_t id = 0;
    return pw_reservations_leave(&all, connector, pw_str_of(id_tag), parent, &id);
}

// Reason: OCPP 1.6 §5.13 has an answer for each condition; all pairs of two connectors are looked
// at against what is written here: A accepted, O occupied, F faulted, U unavailable.
static void every_condition_has_its_answer(void **state)
{
    (void)state;
    static const char letters[] = {[PW_RESERVE_ACCEPTED] = 'A',
                                   [PW_RESERVE_FAULTED] = 'F',
                                   [PW_RESERVE_OCCUPIED] = 'O',
                                   [PW_RESERVE_REJECTED] = 'R',
                                   [PW_RESERVE_UNAVAILABLE] = 'U'};
    // Connector 1 alone: free, plugged, occupied, faulted, unavailable.
    static const char *const one = "AOOFU";
    // Any connector: that of connector 1 down, that of connector 2 across.
    static const char *const any[5] = {"AAAAA", "AOOOO", "AOOOO", "AOOFU", "AOOUU"};
    for (unsigned a = 0; a < 5; a++) {
        for (unsigned b = 0; b < 5; b++) {
            open_store();
            place[0] = (enum pw_reservations_place)a;
            place[1] = (enum pw_reservations_place)b;
            (void)step();
            assert_int_equal(letters[take(7, 0, "CARD", "", NOW + 1)], any[a][b]);
            pw_sim_store_free(&store);
            open_store();
            place[0] = (enum pw_reservations_place)a;
            place[1] = (enum pw_reservations_place)b;
            (void)step();
            assert_int_equal(letters[take(7, 1, "CARD", "", NOW + 1)], one[a]);
            pw_sim_store_free(&store);
        }
    }
}

// Reason: a reserved connector is for its card and its group, and shows it.
static void a_reserved_connector_is_for_its_card_and_its_group(void **state)
{
    (void)state;
    open_store();
    assert_int_equal(take(7, 1, "CARD", "GROUP", NOW + 1000), PW_RESERVE_ACCEPTED);
    assert_int_equal(leave(1, "card", ""), PW_LEAVE_OWN);
    assert_int_equal(leave(1, "OTHER", "group"), PW_LEAVE_OWN);
    assert_int_equal(leave(1, "OTHER", NULL), PW_LEAVE_PARENT);
    assert_int_equal(leave(1, "OTHER", ""), PW_LEAVE_OTHER);
    assert_int_equal(leave(1, "OTHER", "ELSE"), PW_LEAVE_OTHER);
    // The group's name is no card (§3.10).
    assert_int_equal(leave(1, "GROUP", ""), PW_LEAVE_OTHER);
    assert_int_equal(leave(2, "OTHER", ""), PW_LEAVE_FREE);
    assert_true(pw_reservations_shown(&all, 1));
    assert_false(pw_reservations_shown(&all, 2));
    assert_int_equal(take(8, 1, "CARD", "", NOW + 1000), PW_RESERVE_OCCUPIED);
    // Replaced by the same id, on another connector; what cannot be leaves it as it was.
    assert_int_equal(take(7, 2, "CARD", "", NOW + 1000), PW_RESERVE_ACCEPTED);
    assert_false(pw_reservations_shown(&all, 1));
    place[0] = PW_PLACE_OCCUPIED;
    (void)step();
    assert_int_equal(take(7, 1, "CARD", "", NOW + 1000), PW_RESERVE_OCCUPIED);
    assert_true(pw_reservations_shown(&all, 2));
    pw_sim_store_free(&store);
}

// Reason: §5.13: for each reservation without a number one connector stays free at any time, and
// not one more.
static void one_connector_stays_free_for_each_that_names_none(void **state)
{
    (void)state;
    open_store();
    assert_int_equal(take(7, 0, "CARD", "", NOW + 1000), PW_RESERVE_ACCEPTED);
    assert_false(pw_reservations_shown(&all, 1));
    assert_int_equal(leave(1, "OTHER", ""), PW_LEAVE_FREE);
    // A stranger has plugged in at 2: 1 is what is left.
    place[1] = PW_PLACE_PLUGGED;
    (void)step();
    assert_true(pw_reservations_shown(&all, 1));
    assert_int_equal(leave(1, "OTHER", ""), PW_LEAVE_OTHER);
    assert_int_equal(leave(2, "OTHER", ""), PW_LEAVE_FREE);
    assert_int_equal(leave(2, "CARD", ""), PW_LEAVE_OWN);
    assert_int_equal(take(8, 1, "OTHER", "", NOW + 1000), PW_RESERVE_OCCUPIED);
    assert_int_equal(take(8, 0, "OTHER", "", NOW + 1000), PW_RESERVE_OCCUPIED);
    // Its holder is awaited at 2: 1 is anybody's, until he is awaited no longer.
    pw_reservations_claim(&all, 7, 2);
    assert_int_equal(leave(1, "OTHER", ""), PW_LEAVE_FREE);
    pw_reservations_unclaim(&all, 2);
    assert_int_equal(leave(1, "OTHER", ""), PW_LEAVE_OTHER);
    pw_reservations_used(&all, 7);
    assert_int_equal(leave(1, "OTHER", ""), PW_LEAVE_FREE);
    pw_sim_store_free(&store);
}

// Reason: it ends on its time to the millisecond, also when the station slept over it.
static void it_ends_on_its_time_and_outlives_a_restart(void **state)
{
    (void)state;
    open_store();
    assert_int_equal(take(7, 1, "CARD", "GROUP", NOW + 90000), PW_RESERVE_ACCEPTED);
    assert_int_equal(take(9, 0, "C2", "", NOW + 200000), PW_RESERVE_ACCEPTED);
    restart(CONNECTORS);
    assert_int_equal(leave(1, "x", "GROUP"), PW_LEAVE_OWN);
    assert_int_equal(step(), now + PW_RESERVATIONS_SETTLE_MS);
    now += 89999;
    wall += 89999;
    assert_int_equal(step(), now + 1);
    assert_true(pw_reservations_shown(&all, 1));
    now++;
    wall++;
    (void)step();
    assert_int_equal(pw_reservations_cancel(&all, 7), PW_ERR_UNKNOWN);
    // Over while the power was off.
    wall += 1000000;
    restart(CONNECTORS);
    assert_int_equal(pw_reservations_cancel(&all, 9), PW_ERR_UNKNOWN);
    restart(CONNECTORS);
    assert_int_equal(pw_reservations_cancel(&all, 9), PW_ERR_UNKNOWN);
    pw_sim_store_free(&store);
}

// Reason: §5.13 (3), and after a start a connector is faulty only until its board has spoken.
static void a_fault_ends_it_but_not_the_start(void **state)
{
    (void)state;
    open_store();
    assert_int_equal(take(7, 1, "CARD", "", NOW + 900000), PW_RESERVE_ACCEPTED);
    assert_int_equal(take(8, 0, "CARD", "", NOW + 900000), PW_RESERVE_ACCEPTED);
    place[0] = PW_PLACE_FAULTED;
    place[1] = PW_PLACE_FAULTED;
    restart(CONNECTORS);
    now += PW_RESERVATIONS_SETTLE_MS - 1;
    (void)step();
    assert_int_equal(leave(1, "CARD", ""), PW_LEAVE_OWN);
    place[1] = PW_PLACE_FREE;
    now++;
    (void)step();
    assert_int_equal(pw_reservations_cancel(&all, 7), PW_ERR_UNKNOWN);
    assert_true(pw_reservations_cancel(&all, 8) > 0);
    pw_sim_store_free(&store);
}

// Reason: a power cut at each operation: what was accepted for good is there, whole.
static void a_power_cut_at_every_operation_leaves_all_or_none(void **state)
{
    (void)state;
    bool happened = true;
    for (uint64_t cut = 1; happened; cut++) {
        open_store();
        assert_int_equal(take(7, 1, "CARD", "GROUP", NOW + 90000), PW_RESERVE_ACCEPTED);
        (void)store.port.durable(store.port.context);
        store.operations = 0;
        store.cut_at = cut;
        bool accepted = take(8, 2, "C2", "", NOW + 90000) == PW_RESERVE_ACCEPTED;
        int64_t cancelled = pw_reservations_cancel(&all, 7);
        bool durable = accepted && store.port.durable(store.port.context) >= cancelled;
        happened = store.cut;
        restart(CONNECTORS);
        assert_true(!durable || happened || leave(2, "X", "") == PW_LEAVE_OTHER);
        bool first = leave(1, "X", "GROUP") == PW_LEAVE_OWN;
        bool second = leave(2, "c2", "") == PW_LEAVE_OWN;
        assert_true(first || second); // both, or the second alone: never none
        pw_sim_store_free(&store);
    }
}

// Reason: what cannot be believed is no reservation, and a connector that is gone keeps none.
static void damaged_or_foreign_records_are_none(void **state)
{
    (void)state;
    open_store();
    assert_int_equal(take(7, 2, "CARD", "", NOW + 90000), PW_RESERVE_ACCEPTED);
    restart(1);
    assert_int_equal(pw_reservations_cancel(&all, 7), PW_ERR_UNKNOWN);
    const struct pw_store_change rubbish = {.key = PW_STR("reservations"),
                                            .value = PW_STR("\x01zzz")};
    assert_true(store.port.write(store.port.context, &rubbish, 1) > 0);
    restart(CONNECTORS);
    assert_int_equal(take(7, 1, "CARD", "", NOW + 90000), PW_RESERVE_ACCEPTED);
    assert_int_equal(take(8, 1, "CARD", "", NOW), PW_RESERVE_REJECTED); // over before it began
    store.failed = true;
    assert_int_equal(take(8, 2, "CARD", "", NOW + 1), PW_RESERVE_REJECTED);
    pw_sim_store_free(&store);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_condition_has_its_answer),
        cmocka_unit_test(a_reserved_connector_is_for_its_card_and_its_group),
        cmocka_unit_test(one_connector_stays_free_for_each_that_names_none),
        cmocka_unit_test(it_ends_on_its_time_and_outlives_a_restart),
        cmocka_unit_test(a_fault_ends_it_but_not_the_start),
        cmocka_unit_test(a_power_cut_at_every_operation_leaves_all_or_none),
        cmocka_unit_test(damaged_or_foreign_records_are_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
