// OCPP 1.6 §3.5.4 with erratum 3.5: a card that the central system refuses after its charge began.
// The cable stays locked in the socket until that card comes again; who it is not gets nothing.
#include "parts.h"
#include "test.h"

#include <stdlib.h>

_Noreturn void rig_end(enum rig_end how, const char *note)
{
    (void)how;
    fail_msg("%s", note);
    abort();
}

static bool is_locked(const struct rig *r)
{
    return pw_world_ac_truth(&r->street.ac).lock == PW_BOARD_LOCK_CLOSED;
}

// TAG-1 charges, and is refused. TAG-1 and TAG-3 are of one group.
static struct rig *refused(const char *unlock_on_disconnect)
{
    struct rig *r = rig_open(RIG_SOCKET);
    rig_set(r, "session.unlock_on_disconnect", unlock_on_disconnect);
    rig_boot(r);
    rig_is(r,
           rig_ask(r, "SendLocalList",
                   "{'listVersion':1,'updateType':'Full','localAuthorizationList':["
                   "{'idTag':'TAG-1','idTagInfo':{'status':'Accepted','parentIdTag':'FIRM'}},"
                   "{'idTag':'TAG-3','idTagInfo':{'status':'Accepted','parentIdTag':'FIRM'}},"
                   "{'idTag':'TAG-4','idTagInfo':{'status':'Accepted'}}]}"),
           "{'status':'Accepted'}");
    rig_answer(r, "StartTransaction",
               "{'transactionId':$TX,'idTagInfo':{'status':'Invalid','parentIdTag':'FIRM'}}", 1);
    rig_plug(r);
    rig_card(r, "TAG-1");
    rig_expect(r, "StopTransaction", "{'reason':'DeAuthorized'}");
    rig_seconds(r, 60);
    assert_false(rig_energy_flows(r));
    assert_true(is_locked(r));
    return r;
}

static void the_cable_stays_until_the_card_comes_again(void **state)
{
    (void)state;
    static const char *const cards[] = {"TAG-1", "TAG-3"};
    for (size_t i = 0; i < PW_COUNT(cards); i++) {
        struct rig *r = refused("true");
        rig_card(r, "TAG-2");
        rig_seconds(r, 5);
        rig_card(r, "TAG-4");
        rig_seconds(r, 5);
        assert_true(is_locked(r));
        rig_card(r, cards[i]);
        rig_seconds(r, 5);
        assert_false(is_locked(r));
        // And no charge begins by that, nor does the lock close again.
        rig_seconds(r, 120);
        assert_false(is_locked(r));
        assert_false(rig_energy_flows(r));
        rig_unplug(r);
        rig_expect(r, "StatusNotification", "{'connectorId':1,'status':'Available'}");
        // The next one charges as ever.
        rig_charge(r);
        rig_card(r, "TAG-1");
        rig_expect(r, "StopTransaction", "{'reason':'Local'}");
        rig_seconds(r, 10);
        assert_false(is_locked(r));
        rig_close(r);
    }
}

static void the_operator_can_open_it(void **state)
{
    (void)state;
    struct rig *r = refused("true");
    rig_is(r, rig_ask(r, "UnlockConnector", "{'connectorId':1}"), "{'status':'Unlocked'}");
    rig_seconds(r, 60);
    assert_false(is_locked(r));
    rig_close(r);
}

// Reason: with the key true the standard wants the lock open when the vehicle unplugs; with it
// false, until the card.
static void unplugging_the_vehicle_frees_it_as_the_key_says(void **state)
{
    (void)state;
    struct rig *r = refused("true");
    rig_unplug(r);
    rig_expect(r, "StatusNotification", "{'connectorId':1,'status':'Available'}");
    rig_seconds(r, 3);
    assert_false(is_locked(r));
    rig_close(r);
    r = refused("false");
    rig_unplug(r);
    rig_seconds(r, 60);
    assert_true(is_locked(r));
    rig_card(r, "TAG-1");
    rig_expect(r, "StatusNotification", "{'connectorId':1,'status':'Available'}");
    rig_seconds(r, 3);
    assert_false(is_locked(r));
    rig_close(r);
}

// Reason: a cable nobody can take after a power cut would need a person with a key.
static void a_restart_opens_it(void **state)
{
    (void)state;
    struct rig *r = refused("true");
    rig_reboot(r);
    rig_seconds(r, 30);
    assert_false(is_locked(r));
    rig_close(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_cable_stays_until_the_card_comes_again),
        cmocka_unit_test(the_operator_can_open_it),
        cmocka_unit_test(unplugging_the_vehicle_frees_it_as_the_key_says),
        cmocka_unit_test(a_restart_opens_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
