// What the board watches whatever the pilot says: residual current, earth, weld, heat, current, its
// heartbeat and the limits of a session.
#include "parts.h"

#define STUCK_MS 1000 // voltage so long after opening: welded
#define EARTH_MS 1000 // earth is looked at so long after closing
#define TRIP_MS  30
#define OVER_MS  10000
#define OVER_MA  5000
#define HOT_DC   710
#define WARM_DC  680
#define TEPID_DC 650
#define COOL_DC  620

// An interrupt opens the relay, whatever the program does; what follows comes with its next round.
void pw_oeboard_guard(struct pw_oeboard *board)
{
    if (board->relay && board->senses.leak && board->tripped_at == PW_NEVER) {
        pw_oeboard_open(board, board->now);
        board->tripped_at = board->now + TRIP_MS;
        if (board->doing == PW_OEBOARD_CLOSED) {
            board->doing = PW_OEBOARD_IDLE;
        }
    }
}

void pw_oeboard_fail(struct pw_oeboard *board, uint8_t state)
{
    pw_oeboard_enter_fault(board, state);
    pw_oeboard_tell(board, board->now + PW_OEBOARD_GAP_MS);
}

static void check_current(struct pw_oeboard *board)
{
    bool over =
        board->kind->over_current && board->relay && board->ma > board->amps * 1000 + OVER_MA;
    if (!over) {
        board->over_at = PW_NEVER;
        return;
    }
    if (board->over_at == PW_NEVER) {
        board->over_at = board->now;
    }
    if (pw_elapsed(board->over_at, OVER_MS, board->now)) {
        pw_oeboard_fail(board, PW_OEBOARD_OVER_CURRENT);
        pw_oeboard_busy(board, PW_OEBOARD_COOLS, 1000);
    }
}

static void check_heat(struct pw_oeboard *board)
{
    int32_t temp_dc = board->senses.temp_dc;
    if (temp_dc == PW_OEBOARD_NO_PROBE || !pw_oeboard_tests(board, PW_OEBOARD_HEAT_OFF)) {
        return;
    }
    if (temp_dc >= HOT_DC && board->state != PW_OEBOARD_HOT && !pw_oeboard_is_off(board)) {
        pw_oeboard_fail(board, PW_OEBOARD_HOT);
        pw_oeboard_busy(board, PW_OEBOARD_COOLS, 5000);
        return;
    }
    uint8_t heat = board->heat;
    heat = (uint8_t)(temp_dc >= WARM_DC ? 2 : temp_dc >= TEPID_DC && heat < 1 ? 1 : heat);
    heat = temp_dc <= COOL_DC ? 0 : heat;
    if (heat != board->heat) {
        board->heat = heat;
        board->amps = pw_oeboard_allowed_a(board, pw_oeboard_configured_a(board));
        pw_oeboard_tell(board, board->now);
    }
    if (board->state == PW_OEBOARD_HOT && temp_dc <= COOL_DC) {
        board->state = PW_OEBOARD_UNKNOWN;
    }
}

static void check_path(struct pw_oeboard *board)
{
    const struct pw_oeboard_senses *senses = &board->senses;
    pw_ms now = board->now;
    if (now >= board->tripped_at) {
        board->tripped_at = PW_NEVER;
        pw_oeboard_fail(board, PW_OEBOARD_GFI);
    } else if (board->relay && senses->earth_lost &&
               pw_oeboard_tests(board, PW_OEBOARD_EARTH_OFF) &&
               pw_elapsed(board->closed_at, EARTH_MS, now)) {
        pw_oeboard_fail(board, PW_OEBOARD_NO_EARTH);
    } else if (!board->relay && senses->live && board->state != PW_OEBOARD_STUCK &&
               pw_oeboard_tests(board, PW_OEBOARD_STUCK_OFF) &&
               pw_elapsed(board->opened_at, STUCK_MS, now)) {
        pw_oeboard_fail(board, PW_OEBOARD_STUCK);
    }
    if (now >= board->unknown_at) {
        board->unknown_at = PW_NEVER;
        board->pilot = PW_OEBOARD_UNKNOWN;
        pw_oeboard_tell(board, now);
    }
    if (pw_elapsed(board->fault_at, PW_OEBOARD_RETRY_MS, now)) {
        board->fault_at = PW_NEVER;
        board->retries++;
        board->state = PW_OEBOARD_UNKNOWN;
    }
}

// A number of seconds times 1000 in 16 bits.
static pw_ms beat_ms(const struct pw_oeboard *board)
{
    return (pw_ms)((board->eeprom.beat_s * 1000U) & 0xFFFFU);
}

static void check_beat(struct pw_oeboard *board)
{
    if (board->eeprom.beat_s > 0 && board->beat_state != 2 &&
        pw_elapsed(board->beat_at, beat_ms(board), board->now)) {
        board->beat_state = 2;
        board->amps = pw_oeboard_allowed_a(board, board->amps);
        pw_oeboard_tell(board, board->now + PW_OEBOARD_GAP_MS);
    }
}

static void check_limits(struct pw_oeboard *board)
{
    bool time =
        board->limit_quarters > 0 && pw_oeboard_elapsed_s(board) >= board->limit_quarters * 900U;
    bool energy = board->limit_kwh > 0 && board->session_ws >= board->limit_kwh * 3.6e6;
    if (board->state == PW_OEBOARD_C && (time || energy)) {
        pw_oeboard_flag(board, PW_OEBOARD_LIMIT_SLEEP, true);
        pw_oeboard_sleep(board, board->now);
        pw_oeboard_tell(board, board->now);
    }
}

void pw_oeboard_protect(struct pw_oeboard *board)
{
    check_path(board);
    check_beat(board);
    check_limits(board);
    check_heat(board);
    check_current(board);
}

pw_ms pw_oeboard_protect_at(const struct pw_oeboard *board)
{
    pw_ms at = pw_earlier(board->tripped_at, board->unknown_at);
    at = pw_earlier(at, pw_after(board->fault_at, PW_OEBOARD_RETRY_MS));
    if (board->relay) {
        at = pw_earlier(at, board->window_at + PW_OEBOARD_WINDOW_MS);
        at = pw_earlier(at, board->closed_at + EARTH_MS > board->now ? board->closed_at + EARTH_MS
                                                                     : PW_NEVER);
        at = pw_earlier(at, pw_after(board->over_at, OVER_MS));
    } else if (board->senses.live && board->state != PW_OEBOARD_STUCK &&
               board->opened_at + STUCK_MS > board->now) {
        at = pw_earlier(at, board->opened_at + STUCK_MS);
    }
    if (board->eeprom.beat_s > 0 && board->beat_state != 2) {
        at = pw_earlier(at, board->beat_at + beat_ms(board));
    }
    return at;
}
