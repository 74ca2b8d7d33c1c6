// For Frama-C's Eva only (tools/prove): a caller that knows nothing. Any settings that are
// accepted, then for ever any senses, permit, limit and time, clearing and restoring at any moment.
// What Eva finds no alarm in has no run-time error for any input: no bad access, no overflow, no
// bad shift.
#include "evse/turn.h"

extern volatile int32_t any_int;
extern volatile uint32_t any_word;
extern volatile uint64_t any_time;

static struct pw_evse evse;
static struct pw_board_senses senses;

static void any_senses(void)
{
    senses.at = any_time;
    senses.cp_high_mv = any_int;
    senses.cp_low_mv = any_int;
    senses.pp_ohm = any_int;
    senses.contact = (enum pw_board_contact)any_word;
    senses.lock = (enum pw_board_lock)any_word;
    senses.rcd = (enum pw_board_rcd)any_word;
    senses.earth = (enum pw_board_earth)any_word;
    senses.estop = any_word != 0;
    senses.opened = any_word != 0;
    senses.mains.at = any_time;
    for (unsigned i = 0; i < PW_BOARD_PHASES; i++) {
        senses.load_mv[i] = any_int;
        senses.mains.mv[i] = any_int;
        senses.mains.ma[i] = any_int;
    }
    for (unsigned i = 0; i < PW_BOARD_PROBES; i++) {
        senses.temp_dc[i] = any_int;
    }
}

// Any settings that pw_evse_init accepts, and more: without the order among them.
static void any_config(struct pw_evse_config *c)
{
#define ANY(field, initial, least, most)                                                           \
    c->field = any_int;                                                                            \
    if (c->field < (least) || c->field > (most)) {                                                 \
        c->field = (initial);                                                                      \
    }
    PW_EVSE_SETTINGS(ANY)
    c->socket = any_word != 0;
    c->blind_lock = any_word != 0;
    c->no_feedback = any_word != 0;
    c->no_rcd = any_word != 0;
    c->no_earth = any_word != 0;
    c->no_probe = any_word != 0;
    c->ventilation = (enum pw_evse_ventilation)(any_word % 3);
    c->wake = (enum pw_evse_wake)(any_word % 3);
}

int main(void)
{
    static const struct pw_evse_config defaults;
    if (pw_evse_init(&evse, 1, &defaults, 0, any_time, 0) < 0) {
        return 1;
    }
    while (any_word != 0) {
        any_config(&evse.config);
        any_senses();
        const struct pw_evse_input input = {
            .senses = &senses, .permit = any_word != 0, .limit_ma = any_int};
        (void)pw_evse_step(&evse, &input, any_time);
        (void)pw_evse_drive(&evse);
        (void)pw_evse_paused_by_station(&evse);
        if (any_word != 0) {
            (void)pw_evse_clear(&evse, (enum pw_evse_fault)any_word, any_time);
        }
        if (any_word != 0) {
            pw_evse_restore(&evse, any_word);
        }
        (void)pw_evse_latched(&evse);
        (void)pw_evse_worst(&evse);
    }
    return 0;
}
