// The I/O module behaves as CiA 301 and 401 say, because a station must cope with a real one: it
// obeys network management, sends changes at once, and drops its outputs when its master is silent.
#include "ionode/ionode.h"

#include "test.h"

static const struct pw_ionode_inputs calm = {.connector_mv = 76120};

static void order(struct pw_ionode *node, struct pw_cia401_message message, pw_ms now)
{
    struct pw_can_frame frame;
    assert_int_equal(pw_cia401_pack(&message, &frame), PW_OK);
    pw_ionode_can(node, &frame, now);
}

static void set_coil(struct pw_ionode *node, uint8_t id, bool on, pw_ms now)
{
    order(node,
          (struct pw_cia401_message){
              .kind = PW_CIA401_OUTPUTS, .node = id, .digital = on ? PW_CIA401_OUT_CONTACTOR : 0},
          now);
}

static void manage(struct pw_ionode *node, uint8_t id, enum pw_cia401_nmt nmt, pw_ms now)
{
    order(node, (struct pw_cia401_message){.kind = PW_CIA401_NMT, .node = id, .nmt = nmt}, now);
}

// The next message of this kind that the node sends; false when it sends none.
static bool next_of(struct pw_ionode *node, enum pw_cia401_kind kind,
                    struct pw_cia401_message *message)
{
    struct pw_can_frame frame;
    while (pw_ionode_take_can(node, &frame)) {
        assert_int_equal(pw_cia401_unpack(&frame, message), PW_OK);
        if (message->kind == kind) {
            return true;
        }
    }
    return false;
}

static struct pw_ionode started(void)
{
    struct pw_ionode node;
    struct pw_cia401_message message;
    pw_ionode_init(&node, 0x20, 0);
    (void)pw_ionode_step(&node, &calm, 0);
    assert_true(next_of(&node, PW_CIA401_HEARTBEAT, &message));
    assert_int_equal(message.state, PW_CIA401_BOOT);
    while (next_of(&node, PW_CIA401_ANALOGS, &message)) {
    }
    return node;
}

static void says_boot_then_operational(void **state)
{
    (void)state;
    struct pw_ionode node = started();
    struct pw_cia401_message message;
    (void)pw_ionode_step(&node, &calm, 1000);
    assert_true(next_of(&node, PW_CIA401_HEARTBEAT, &message));
    assert_int_equal(message.state, PW_CIA401_OPERATIONAL);
    assert_int_equal(message.node, 0x20);
}

static void tells_a_changed_input_at_once(void **state)
{
    (void)state;
    struct pw_ionode node = started();
    struct pw_cia401_message message;
    struct pw_ionode_inputs pressed = calm;
    pressed.estop_pressed = true;
    pressed.contactor_closed = true;
    (void)pw_ionode_step(&node, &pressed, 7);
    assert_true(next_of(&node, PW_CIA401_INPUTS, &message));
    assert_int_equal(message.digital, PW_CIA401_IN_CONTACTOR | PW_CIA401_IN_ESTOP);
    (void)pw_ionode_step(&node, &pressed, 8);
    assert_false(next_of(&node, PW_CIA401_INPUTS, &message)); // once
    (void)pw_ionode_step(&node, &pressed, 507);
    assert_true(next_of(&node, PW_CIA401_INPUTS, &message)); // and again in its rhythm
}

static void measures_the_connector_ten_times_a_second(void **state)
{
    (void)state;
    struct pw_ionode node = started();
    struct pw_cia401_message message;
    unsigned count = 0;
    for (pw_ms now = 1; now <= 1000; now++) {
        (void)pw_ionode_step(&node, &calm, now);
        while (next_of(&node, PW_CIA401_ANALOGS, &message)) {
            assert_int_equal(pw_cia401_voltage_mv(message.analog[0]), 76120);
            count++;
        }
    }
    assert_int_equal(count, 10);
}

static void obeys_its_own_outputs_only(void **state)
{
    (void)state;
    struct pw_ionode node = started();
    set_coil(&node, 0x21, true, 10);
    assert_false(node.outputs);
    set_coil(&node, 0x20, true, 10);
    assert_true(node.outputs);
    set_coil(&node, 0x20, false, 20);
    assert_false(node.outputs);
}

static void drops_the_coil_when_its_master_is_silent(void **state)
{
    (void)state;
    struct pw_ionode node = started();
    set_coil(&node, 0x20, true, 100);
    pw_ms wake = pw_ionode_step(&node, &calm, 100);
    assert_true(wake <= 100 + PW_IONODE_TIMEOUT_MS);
    (void)pw_ionode_step(&node, &calm, 100 + PW_IONODE_TIMEOUT_MS - 1);
    assert_true(node.outputs);
    (void)pw_ionode_step(&node, &calm, 100 + PW_IONODE_TIMEOUT_MS);
    assert_false(node.outputs);
}

static void stopped_nodes_move_no_process_data(void **state)
{
    (void)state;
    static const struct {
        enum pw_cia401_nmt nmt;
        enum pw_cia401_state state;
    } orders[] = {{PW_CIA401_STOP, PW_CIA401_STOPPED},
                  {PW_CIA401_ENTER_PREOPERATIONAL, PW_CIA401_PREOPERATIONAL}};
    for (size_t i = 0; i < PW_COUNT(orders); i++) {
        struct pw_ionode node = started();
        struct pw_cia401_message message;
        set_coil(&node, 0x20, true, 10);
        manage(&node, 0, orders[i].nmt, 20);
        assert_false(node.outputs);
        set_coil(&node, 0x20, true, 30);
        assert_false(node.outputs);
        (void)pw_ionode_step(&node, &calm, 900);
        assert_false(next_of(&node, PW_CIA401_ANALOGS, &message));
        (void)pw_ionode_step(&node, &calm, 1000);
        assert_true(next_of(&node, PW_CIA401_HEARTBEAT, &message));
        assert_int_equal(message.state, orders[i].state);
        manage(&node, 0x20, PW_CIA401_START, 1100);
        (void)pw_ionode_step(&node, &calm, 1100);
        assert_true(next_of(&node, PW_CIA401_ANALOGS, &message));
    }
}

static void a_reset_starts_it_anew(void **state)
{
    (void)state;
    struct pw_ionode node = started();
    struct pw_cia401_message message;
    set_coil(&node, 0x20, true, 10);
    manage(&node, 0x21, PW_CIA401_RESET, 20); // somebody else's
    assert_true(node.outputs);
    manage(&node, 0x20, PW_CIA401_RESET, 20);
    assert_false(node.outputs);
    (void)pw_ionode_step(&node, &calm, 20);
    assert_true(next_of(&node, PW_CIA401_HEARTBEAT, &message));
    assert_int_equal(message.state, PW_CIA401_BOOT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(says_boot_then_operational),
        cmocka_unit_test(tells_a_changed_input_at_once),
        cmocka_unit_test(measures_the_connector_ten_times_a_second),
        cmocka_unit_test(obeys_its_own_outputs_only),
        cmocka_unit_test(drops_the_coil_when_its_master_is_silent),
        cmocka_unit_test(stopped_nodes_move_no_process_data),
        cmocka_unit_test(a_reset_starts_it_anew),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
