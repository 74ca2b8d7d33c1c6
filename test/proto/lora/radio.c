// Station, radio, far end and board in virtual time: what is wanted comes about, the law of the air
// is kept, and nothing that somebody else sends does anything.
#include "radio/radio.h"

#include "../rapi/desk.h"
#include "lora/lora.h"
#include "test.h"

#include <string.h>

#define KEY "0123456789abcdef0123456789abcdef"

static struct pw_lora_station station;
static struct pw_lora_far far;
static struct pw_oeboard board;
static struct pw_oeboard_senses senses;
static struct pw_radio radio;
static struct pw_rapi_want want;
static pw_ms now;
static bool far_dead;
static bool station_dead;
static uint8_t nonce;
static struct {
    unsigned from;
    uint8_t len;
    uint8_t bytes[PW_RADIO_PIECE];
} tape[4000];
static unsigned taped;

static const struct pw_rapi_view *view(void)
{
    return pw_lora_station_view(&station);
}

static struct pw_lora_config config(void)
{
    struct pw_lora_config made = {.key = PW_STR(KEY), .frame_ms = 60};
    nonce++;
    memset(made.nonce, nonce, sizeof(made.nonce));
    return made;
}

static void start_station(void)
{
    struct pw_lora_config made = config();
    assert_int_equal(pw_lora_station_init(&station, &made, NULL, now, NULL), PW_OK);
    pw_lora_station_up(&station, now);
}

static void start_far(void)
{
    struct pw_lora_config made = config();
    struct pw_rapi_config rapi = PW_RAPI_CONFIG_DEFAULT;
    assert_int_equal(pw_lora_far_init(&far, &made, &rapi, NULL, now, NULL), PW_OK);
    pw_rapi_up(&far.client, now);
}

static void begin(double loss, double twice, double broken)
{
    struct pw_radio_config air = {.loss = loss, .twice = twice, .broken = broken, .seed = 7};
    now = 0;
    taped = 0;
    far_dead = false;
    station_dead = false;
    want = (struct pw_rapi_want){.power = PW_RAPI_ENABLED, .limit_ma = 16000};
    senses = (struct pw_oeboard_senses){.diode = true, .temp_dc = PW_OEBOARD_NO_PROBE};
    pw_radio_init(&radio, &air);
    pw_oeboard_init(&board, NULL, 1, 0);
    pw_oeboard_power(&board, true, 0);
    start_station();
    start_far();
}

static void send(unsigned end, struct pw_str out)
{
    if (out.len == 0) {
        return;
    }
    if (taped < PW_COUNT(tape)) {
        tape[taped].from = end;
        tape[taped].len = (uint8_t)out.len;
        memcpy(tape[taped].bytes, out.at, out.len);
        taped++;
    }
    pw_radio_send(&radio, end, (const uint8_t *)out.at, out.len, now);
}

static pw_ms turn_station(void)
{
    uint8_t bytes[PW_RADIO_PIECE];
    size_t len = pw_radio_hear(&radio, 0, bytes, now);
    if (station_dead) {
        return PW_NEVER;
    }
    assert_int_equal(pw_lora_station_bytes(&station, bytes, len), len);
    pw_lora_station_want(&station, &want);
    pw_ms at = pw_lora_station_step(&station, now);
    struct pw_str out = pw_lora_station_out(&station);
    send(0, out);
    pw_lora_station_out_sent(&station, out.len, now);
    return at;
}

static pw_ms turn_far(void)
{
    uint8_t bytes[128];
    size_t len = pw_radio_hear(&radio, 1, bytes, now);
    if (far_dead) {
        return PW_NEVER;
    }
    assert_int_equal(pw_lora_far_bytes(&far, bytes, len), len);
    while ((len = pw_oeboard_take(&board, bytes, sizeof(bytes), now)) > 0) {
        assert_int_equal(pw_rapi_bytes(&far.client, bytes, len), len);
    }
    pw_ms at = pw_lora_far_step(&far, now);
    struct pw_str out = pw_rapi_out(&far.client);
    pw_oeboard_hear(&board, (const uint8_t *)out.at, out.len, now);
    pw_rapi_out_sent(&far.client, out.len, now);
    out = pw_lora_far_out(&far);
    send(1, out);
    pw_lora_far_out_sent(&far, out.len, now);
    return at;
}

static void run(pw_ms ms)
{
    pw_ms end = now + ms;
    while (now < end) {
        struct pw_oeboard_drive drive = pw_oeboard_drive(&board);
        struct pw_oeboard_senses sensed = senses;
        sensed.live = drive.relay;
        sensed.ampere = drive.relay ? senses.ampere : 0.0;
        pw_ms at = pw_oeboard_step(&board, &sensed, now);
        at = pw_earlier(at, turn_far());
        at = pw_earlier(at, turn_station());
        at = pw_earlier(at, pw_radio_next(&radio));
        at = pw_earlier(at, end);
        now = at > now ? at : now + 1;
    }
}

static void car(enum pw_oeboard_level level, double ampere)
{
    senses.level = level;
    senses.ampere = ampere;
}

static void law_is_kept(void)
{
    for (unsigned i = 0; i < PW_RADIO_ENDS; i++) {
        print_message("end %u: worst hour %u ms of 36000, %u frames\n", i,
                      (unsigned)radio.end[i].worst_ms, radio.end[i].records);
        assert_true(radio.end[i].worst_ms <= 36000);
        assert_int_equal(radio.end[i].lost, 0);
    }
}

static void a_board_behind_a_radio_looks_like_one_on_a_cable(void **state)
{
    char answer[PW_RAPI_ANSWER_MAX + 1];
    uint32_t ticket;
    (void)state;
    begin(0.0, 0.0, 0.0);
    assert_false(view()->ok);
    run(60000);
    assert_true(view()->ok && view()->settled && view()->limit_held);
    assert_string_equal(view()->firmware, "8.2.3");
    assert_int_equal(view()->rapi_version, PW_RAPI_VERSION(5, 2, 1));
    assert_int_equal(view()->config_ma, 32000);
    assert_int_equal(view()->offered_ma, 16000);
    assert_int_equal(view()->heartbeat, PW_RAPI_HEARTBEAT_ARMED);
    assert_int_equal(view()->temp_dc[0], PW_RAPI_UNKNOWN);
    car(PW_OEBOARD_LEVEL_C, 10.0);
    run(15000);
    assert_int_equal(view()->state, PW_RAPI_STATE_C);
    assert_true(view()->relay && view()->plugged);
    assert_in_range(view()->ma, 9800, 10200);
    assert_true(strncmp(view()->event, "$AT 03 03 16", 12) == 0);
    assert_int_equal(
        pw_lora_station_ask(&station, PW_STR("$SL 3"), PW_RAPI_ADMIN, now, &ticket, NULL),
        PW_ERR_RANGE);
    assert_int_equal(
        pw_lora_station_ask(&station, PW_STR("GU"), PW_RAPI_ANYBODY, now, &ticket, NULL), PW_OK);
    assert_int_equal(pw_lora_station_answer(&station, ticket, answer, sizeof(answer)),
                     PW_ERR_AGAIN);
    run(5000);
    assert_true(pw_lora_station_answer(&station, ticket, answer, sizeof(answer)) > 5);
    assert_memory_equal(answer, "$OK ", 4);
    want.lcd_on = true;
    memcpy(want.lcd[0], "hello", 6);
    run(10000);
    assert_string_equal(board.lcd[0], "hello           ");
    car(PW_OEBOARD_LEVEL_A, 0.0);
    run(10000);
    assert_int_equal(view()->state, PW_RAPI_STATE_A);
    law_is_kept();
}

static void lower_limits_go_at_once_and_higher_ones_when_there_is_air(void **state)
{
    (void)state;
    begin(0.0, 0.0, 0.0);
    car(PW_OEBOARD_LEVEL_C, 10.0);
    run(60000);
    want.limit_ma = 8000;
    run(700);
    assert_int_equal(pw_oeboard_offer_ma(&board), 8000);
    want.limit_ma = 12000;
    run(5000);
    assert_int_equal(pw_oeboard_offer_ma(&board), 8000);
    run(17000);
    assert_int_equal(pw_oeboard_offer_ma(&board), 12000);
    want.power = PW_RAPI_DISABLED;
    run(1000);
    assert_false(pw_oeboard_drive(&board).relay);
}

// Reason: 1 % is the law; hours of a house that moves its limit every second, with a car charging,
// on a radio that loses every tenth piece.
static void no_hour_has_more_than_one_percent_on_the_air(void **state)
{
    uint64_t seed = 5;
    (void)state;
    begin(0.1, 0.02, 0.02);
    for (unsigned second = 0; second < 8 * 3600; second++) {
        if (second % 1800 == 300) {
            car(PW_OEBOARD_LEVEL_C, 9.0);
        } else if (second % 1800 == 1500) {
            car(PW_OEBOARD_LEVEL_A, 0.0);
        }
        want.limit_ma = 6000 + (int32_t)(desk_random(&seed) % 20000);
        run(1000);
    }
    law_is_kept();
    assert_true(view()->ok);
    want.limit_ma = 10000;
    run(120000);
    assert_int_equal(board.amps, 10);
}

// Reason: what a calm night saves up must not be spent in one hour of the morning.
static void a_storm_after_a_calm_night_keeps_the_law(void **state)
{
    (void)state;
    begin(0.0, 0.0, 0.0);
    run(UINT64_C(8) * PW_RADIO_HOUR_MS);
    for (unsigned second = 0; second < 7200; second++) {
        want.limit_ma = second % 2 == 0 ? 6000 : 20000;
        want.power = second % 2 == 0 ? PW_RAPI_ENABLED : PW_RAPI_SLEEP;
        run(1000);
    }
    law_is_kept();
}

// Reason: a calm day must leave air for what is not calm.
static void a_calm_charge_leaves_air(void **state)
{
    (void)state;
    begin(0.0, 0.0, 0.0);
    car(PW_OEBOARD_LEVEL_C, 10.0);
    run(UINT64_C(4) * PW_RADIO_HOUR_MS);
    law_is_kept();
    for (unsigned i = 0; i < PW_RADIO_ENDS; i++) {
        assert_true(radio.end[i].worst_ms < 30000);
    }
    assert_true(view()->ok && view()->settled);
    assert_true(pw_elapsed(view()->heard_at, 1, now) &&
                !pw_elapsed(view()->heard_at, PW_LORA_SUMMARY_MS + 2000, now));
}

static void lost_doubled_and_broken_pieces_do_no_harm(void **state)
{
    (void)state;
    begin(0.3, 0.2, 0.1);
    car(PW_OEBOARD_LEVEL_C, 10.0);
    run(120000);
    for (unsigned i = 0; i < 200; i++) {
        want.limit_ma = i % 2 == 0 ? 7000 : 14000;
        run(45000);
        assert_true(pw_oeboard_offer_ma(&board) <= 14000);
    }
    radio.config.loss = 0.0;
    radio.config.broken = 0.0;
    run(300000); // the time on the air that was spent has to come back
    assert_true(view()->ok && view()->settled);
    assert_true(station.link.old + far.link.old > 0 && station.link.bad + far.link.bad > 0);
    assert_in_range(far.client.view.heartbeats_missed, 0, 5); // three in a row may be lost
    law_is_kept();
}

// Reason: who records the air must not be able to raise a limit or switch a board on, neither now
// nor after the ends have started anew.
static void recordings_are_not_believed(void **state)
{
    (void)state;
    begin(0.0, 0.0, 0.0);
    car(PW_OEBOARD_LEVEL_C, 10.0);
    run(60000);
    unsigned recorded = taped;
    assert_true(recorded > 5);
    want.limit_ma = 6000;
    want.power = PW_RAPI_DISABLED;
    run(30000);
    for (unsigned round = 0; round < 3; round++) {
        for (unsigned i = 0; i < recorded; i++) {
            uint32_t taken = tape[i].from == 0 ? far.link.taken : station.link.taken;
            if (tape[i].from == 0) {
                assert_int_equal(pw_lora_far_bytes(&far, tape[i].bytes, tape[i].len), tape[i].len);
                (void)pw_lora_far_step(&far, now);
                assert_int_equal(far.link.taken, taken);
            } else {
                assert_int_equal(pw_lora_station_bytes(&station, tape[i].bytes, tape[i].len),
                                 tape[i].len);
                (void)pw_lora_station_step(&station, now);
                assert_int_equal(station.link.taken, taken);
            }
            run(3000);
            assert_int_equal(board.state, PW_OEBOARD_DISABLED);
        }
        assert_int_equal(board.amps, 6);
        if (round == 0) {
            start_far();
        } else {
            start_station();
        }
        run(180000); // who answers recordings answers nobody else for a minute
        assert_true(view()->ok);
    }
    law_is_kept();
}

// Reason: the worst moment is a far end that has just started and hears only the recorder.
static void a_new_far_end_believes_no_recording_of_the_whole_other_end(void **state)
{
    (void)state;
    begin(0.0, 0.0, 0.0);
    run(60000);
    unsigned recorded = taped;
    station_dead = true;
    start_far();
    run(100);
    for (unsigned i = 0; i < 2 * recorded; i++) {
        unsigned at = i % recorded;
        if (tape[at].from == 0) {
            assert_int_equal(pw_lora_far_bytes(&far, tape[at].bytes, tape[at].len), tape[at].len);
        }
        run(1000);
    }
    assert_false(far.link.joined);
    assert_int_equal(far.link.taken, 0);
    assert_false(far.wanted);
    law_is_kept();
}

// Reason: numbers begin anew with each start. A receipt left over from the session before would
// tell a station that its first want was heard, when the radio had lost it.
static void a_new_session_acknowledges_nothing_of_the_last(void **state)
{
    (void)state;
    begin(0, 0, 0);
    run(60000);
    far.link.receipt = 4711; // as after a long session
    start_station();
    uint32_t joins = far.link.joins;
    while (far.link.joins == joins) {
        assert_true(now < 300000);
        run(1);
    }
    assert_int_not_equal(far.link.receipt, 4711);
    run(60000);
    assert_true(view()->settled);
}

static void another_key_is_noise(void **state)
{
    static struct pw_lora_far stranger;
    struct pw_lora_config made = config();
    struct pw_rapi_config rapi = PW_RAPI_CONFIG_DEFAULT;
    (void)state;
    begin(0.0, 0.0, 0.0);
    run(60000);
    made.key = PW_STR("another key another key another k");
    assert_int_equal(pw_lora_far_init(&stranger, &made, &rapi, NULL, now, NULL), PW_OK);
    for (unsigned i = 0; i < taped; i++) {
        if (tape[i].from == 0) {
            assert_int_equal(pw_lora_far_bytes(&stranger, tape[i].bytes, tape[i].len), tape[i].len);
            (void)pw_lora_far_step(&stranger, now);
        }
    }
    assert_false(stranger.link.joined);
    assert_int_equal(stranger.link.taken, 0);
    assert_true(stranger.link.bad > 0);
    made.key = PW_STR("too short");
    assert_int_equal(pw_lora_far_init(&stranger, &made, &rapi, NULL, now, NULL), PW_ERR_RANGE);
}

// Every bit of a frame counts.
static void a_changed_bit_anywhere_is_not_taken(void **state)
{
    (void)state;
    begin(0.0, 0.0, 0.0);
    run(60000);
    struct pw_lora_link link = station.link;
    struct pw_lora_frame frame;
    uint8_t bytes[PW_LORA_FRAME_MAX];
    size_t used;
    struct pw_lora_link sender = far.link;
    const uint8_t payload[3] = {1, 2, 3};
    sender.tx_len = 0;
    (void)pw_lora_link_send(&sender, PW_LORA_REPORT, true, payload, sizeof(payload), now);
    size_t len = sender.tx_len;
    for (size_t bit = 0; bit <= 8 * len; bit++) {
        struct pw_lora_link receiver = link;
        memcpy(bytes, sender.tx, len);
        if (bit < 8 * len) {
            bytes[bit / 8] ^= (uint8_t)(1U << bit % 8);
        }
        bool got = pw_lora_link_take(&receiver, bytes, len, &used, &frame, now);
        assert_int_equal(got, bit == 8 * len);
    }
}

// Reason: the stated time: 75 s after the last frame the far end goes to the fall-back, and
// charging goes on with it.
static void a_silent_radio_leads_to_the_fall_back_in_time(void **state)
{
    (void)state;
    begin(0.0, 0.0, 0.0);
    car(PW_OEBOARD_LEVEL_C, 10.0);
    run(60000);
    assert_int_equal(pw_oeboard_offer_ma(&board), 16000);
    radio.silent = true;
    run(PW_LORA_SILENT_MS + 1000);
    assert_int_equal(pw_oeboard_offer_ma(&board), 6000);
    assert_false(view()->ok);
    assert_string_equal(view()->why, "the radio is silent");
    run(600000);
    assert_int_equal(pw_oeboard_offer_ma(&board), 6000);
    assert_true(pw_oeboard_drive(&board).relay);
    assert_int_equal(board.beat_state, 2); // its own heartbeat, too
    radio.silent = false;
    run(90000);
    assert_true(view()->ok && view()->settled);
    assert_int_equal(pw_oeboard_offer_ma(&board), 16000);
    law_is_kept();
}

// Reason: a far end without power leaves the board to its own heartbeat.
static void a_dead_far_end_leads_to_the_boards_own_fall_back(void **state)
{
    (void)state;
    begin(0.0, 0.0, 0.0);
    car(PW_OEBOARD_LEVEL_C, 10.0);
    run(60000);
    far_dead = true;
    run(11000); // heartbeat_s, and a second
    assert_int_equal(pw_oeboard_offer_ma(&board), 6000);
    run(80000);
    assert_false(view()->ok);
    far_dead = false;
    start_far();
    run(90000);
    assert_true(view()->ok && view()->settled);
    assert_int_equal(pw_oeboard_offer_ma(&board), 16000);
}

static void a_dead_station_leads_to_the_fall_back_and_a_new_one_takes_over(void **state)
{
    (void)state;
    begin(0.0, 0.0, 0.0);
    car(PW_OEBOARD_LEVEL_C, 10.0);
    run(60000);
    station_dead = true;
    run(PW_LORA_SILENT_MS + 1000);
    assert_int_equal(pw_oeboard_offer_ma(&board), 6000);
    station_dead = false;
    want.limit_ma = 9000;
    start_station();
    run(90000);
    assert_true(view()->ok && view()->settled);
    assert_int_equal(pw_oeboard_offer_ma(&board), 9000);
    law_is_kept();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_board_behind_a_radio_looks_like_one_on_a_cable),
        cmocka_unit_test(lower_limits_go_at_once_and_higher_ones_when_there_is_air),
        cmocka_unit_test(no_hour_has_more_than_one_percent_on_the_air),
        cmocka_unit_test(a_storm_after_a_calm_night_keeps_the_law),
        cmocka_unit_test(a_calm_charge_leaves_air),
        cmocka_unit_test(lost_doubled_and_broken_pieces_do_no_harm),
        cmocka_unit_test(recordings_are_not_believed),
        cmocka_unit_test(a_new_far_end_believes_no_recording_of_the_whole_other_end),
        cmocka_unit_test(a_new_session_acknowledges_nothing_of_the_last),
        cmocka_unit_test(another_key_is_noise),
        cmocka_unit_test(a_changed_bit_anywhere_is_not_taken),
        cmocka_unit_test(a_silent_radio_leads_to_the_fall_back_in_time),
        cmocka_unit_test(a_dead_far_end_leads_to_the_boards_own_fall_back),
        cmocka_unit_test(a_dead_station_leads_to_the_fall_back_and_a_new_one_takes_over),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
