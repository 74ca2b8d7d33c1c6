// network: every state with every event, in virtual time (network_rig).
#include "network_rig.h"
#include "test.h"

// ---- States x events: from every state every event leads to a state from which, once the world is
// good again, the known network is joined within the stated times.

enum event {
    NOTHING,
    SERVICE_GONE,
    RADIO_GONE,
    CABLE,
    LOST,
    JOINED_ELSEWHERE,
    HOSTING_BY_HAND,
    ENDED_SCANNED,
    ENDED_PASSWORD,
    ENDED_FAILED,
    NEW_SETTINGS,
    NO_SETTINGS,
    SCAN_ASKED,
    PORT_DEAF,
    GUEST,
    EVENTS,
};

static void happen(enum event event)
{
    char text[100] = "";
    struct pw_out why = PW_OUT(text);
    uint32_t number = rig.net.order.number;
    switch (event) {
    case SERVICE_GONE: rig.facts.service = false; break;
    case RADIO_GONE: rig.facts.radio = false; break;
    case CABLE: rig.facts.wired = true; break;
    case LOST: rig_lose(); break;
    case JOINED_ELSEWHERE: rig_be(PW_WIRELESS_JOINED, "Cafe", 0); break;
    case HOSTING_BY_HAND: rig_be(PW_WIRELESS_HOST, "Hotspot", 0); break;
    case ENDED_SCANNED: pw_network_ended(&rig.net, number, PW_WIRELESS_SCANNED, PW_STR("")); break;
    case ENDED_PASSWORD:
        pw_network_ended(&rig.net, number, PW_WIRELESS_PASSWORD, PW_STR(""));
        break;
    case ENDED_FAILED: pw_network_ended(&rig.net, number, PW_WIRELESS_FAILED, PW_STR("")); break;
    case NEW_SETTINGS: rig_set("network.password1", "quite-another", PW_BY_PERSON); break;
    case NO_SETTINGS:
        rig_set("network.ssid1", "", PW_BY_PERSON);
        rig_set("network.ssid2", "", PW_BY_PERSON);
        break;
    case SCAN_ASKED: (void)!pw_network_scan(&rig.net, &why, rig.now); break;
    case PORT_DEAF: rig.deaf = true; break;
    case GUEST: rig.facts.guests = 2; break;
    case NOTHING:
    case EVENTS: break;
    }
    rig_tell();
}

static void bring_to(enum pw_network_state state)
{
    rig.home =
        state != PW_NETWORK_HOST && state != PW_NETWORK_OPENING && state != PW_NETWORK_WAITING;
    rig.shed = false;
    rig.facts.service = state != PW_NETWORK_ABSENT;
    rig.facts.wired = state == PW_NETWORK_WIRED;
    rig.facts.radio = state != PW_NETWORK_NO_RADIO;
    if (state == PW_NETWORK_OFF) {
        rig_start();
        return; // managed, and not stepped yet
    }
    rig_start();
    rig_tell();
    for (unsigned i = 0; i < 400 && rig.net.state != state; i++) {
        rig_run(500);
    }
    assert_int_equal(rig.net.state, state);
}

static void try_one(enum pw_network_state from, enum event event)
{
    bring_to(from);
    happen(event);
    rig_run(PW_NETWORK_FALLBACK_MS + PW_NETWORK_JOIN_MS);
    // All is well again, but the guest stays.
    rig.deaf = false;
    rig.home = true;
    rig.facts.service = true;
    rig.facts.wired = false;
    rig.facts.radio = true;
    rig_set("network.ssid1", HOME, PW_BY_PERSON);
    rig_tell();
    rig_run(PW_NETWORK_GUEST_MS + PW_NETWORK_RETRY_MOST);
    if (rig.net.state != PW_NETWORK_JOINED) {
        fail_msg("from state %d with event %d it ends in %d:\n%s", (int)from, (int)event,
                 (int)rig.net.state, rig.log);
    }
}

static void every_state_survives_every_event_and_comes_back(void **state)
{
    for (unsigned from = 0; from < PW_NETWORK_STATE_ROWS; from++) {
        for (unsigned event = 0; event < EVENTS; event++) {
            rig_close(state);
            rig_open(state);
            try_one((enum pw_network_state)from, (enum event)event);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_state_survives_every_event_and_comes_back, rig_open,
                                        rig_close),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
