// Payloads: a want in two bytes, a board's state in twenty-one, what changes rarely in
// thirty-eight.
#include "lora/parts.h"

#include <string.h>

enum {
    UNKNOWN_8 = 0xFF,
    UNKNOWN_16 = 0xFFFF,
    UNKNOWN_24 = 0xFFFFFF,
    UNKNOWN_TEMP = 0x8000,
    MOST_A = 80,
    POWER_BITS = 0x03,
    LCD_ON = 0x04,
    LCD_ROW = 0x01,
    FIRMWARE_LEN = 12,
    RAPI_LEN = 8,
};

static uint8_t amps(int32_t ma)
{
    return ma == PW_RAPI_UNKNOWN ? UNKNOWN_8 : (uint8_t)pw_clamp(ma / 1000, 0, MOST_A);
}

static int32_t milliamps(uint8_t a)
{
    return a > MOST_A ? PW_RAPI_UNKNOWN : a * 1000;
}

// A number in steps, with its largest code for an unknown one.
static uint16_t steps(int32_t value, int32_t step)
{
    return value == PW_RAPI_UNKNOWN ? UNKNOWN_16
                                    : (uint16_t)pw_clamp(value / step, 0, UNKNOWN_16 - 1);
}

static int32_t unsteps(uint16_t code, int32_t step)
{
    return code == UNKNOWN_16 ? PW_RAPI_UNKNOWN : code * step;
}

static uint16_t put_temp(int32_t temp_dc)
{
    return temp_dc == PW_RAPI_UNKNOWN ? UNKNOWN_TEMP : (uint16_t)(int16_t)temp_dc;
}

static int32_t get_temp(uint16_t code)
{
    return code == UNKNOWN_TEMP ? PW_RAPI_UNKNOWN
                                : (code >= UNKNOWN_TEMP ? (int32_t)code - 0x10000 : code);
}

// ---------------------------------------------------------------------------------------------

size_t pw_lora_put_want(const struct pw_rapi_want *want, uint8_t *to)
{
    to[0] = (uint8_t)((unsigned)want->power | (want->lcd_on ? LCD_ON : 0));
    to[1] = amps((int32_t)pw_max(want->limit_ma, 0));
    return PW_LORA_WANT_LEN;
}

int pw_lora_get_want(const struct pw_lora_frame *frame, struct pw_rapi_want *want)
{
    unsigned power = frame->payload[0] & POWER_BITS;
    if (frame->len != PW_LORA_WANT_LEN || power > PW_RAPI_DISABLED || frame->payload[1] > MOST_A) {
        return PW_ERR_PEER;
    }
    want->power = (enum pw_rapi_power)power;
    want->lcd_on = (frame->payload[0] & LCD_ON) != 0;
    want->limit_ma = frame->payload[1] * 1000;
    return PW_OK;
}

size_t pw_lora_put_lcd(const struct pw_rapi_want *want, unsigned row, uint8_t *to)
{
    size_t len = strlen(want->lcd[row]);
    to[0] = (uint8_t)row;
    memcpy(to + 1, want->lcd[row], len);
    return len + 1;
}

int pw_lora_get_lcd(const struct pw_lora_frame *frame, struct pw_rapi_want *want)
{
    if (frame->len < 1 || frame->len > PW_RAPI_LCD_COLUMNS + 1 || frame->payload[0] > LCD_ROW) {
        return PW_ERR_PEER;
    }
    char *row = want->lcd[frame->payload[0]];
    memset(row, 0, PW_RAPI_LCD_COLUMNS + 1);
    memcpy(row, frame->payload + 1, frame->len - 1U);
    return PW_OK;
}

// ---------------------------------------------------------------------------------------------

static int32_t hottest(const struct pw_rapi_view *view)
{
    int32_t most = PW_RAPI_UNKNOWN;
    for (unsigned i = 0; i < PW_COUNT(view->temp_dc); i++) {
        most = (int32_t)pw_max(most, view->temp_dc[i]); // unknown is less than any
    }
    return most;
}

static uint8_t put_bits(const struct pw_rapi_view *view)
{
    const bool bits[] = {view->ok,          view->state_at != PW_NEVER, view->plugged, view->relay,
                         view->boot_locked, view->limit_held,           view->settled, view->fault};
    unsigned sum = 0;
    for (unsigned i = 0; i < PW_COUNT(bits); i++) {
        sum |= bits[i] ? 1U << i : 0;
    }
    return (uint8_t)sum;
}

size_t pw_lora_put_report(const struct pw_rapi_view *view, uint8_t *to)
{
    uint32_t elapsed =
        view->elapsed_s < 0 ? UNKNOWN_24 : (uint32_t)pw_min(view->elapsed_s, UNKNOWN_24 - 1);
    to[0] = put_bits(view);
    to[1] = (uint8_t)((unsigned)view->heartbeat << 4 | (view->reboots & 0x0F));
    to[2] = view->state;
    to[3] = view->pilot_state;
    pw_set_be16(to + 4, view->vflags);
    to[6] = amps(view->offered_ma);
    pw_set_be16(to + 7, steps(view->ma, 10));
    pw_set_be16(to + 9, steps(view->mv, 100));
    pw_set_be32(to + 11, view->session_ws < 0 ? UINT32_MAX : (uint32_t)view->session_ws);
    to[15] = (uint8_t)(elapsed >> 16);
    pw_set_be16(to + 16, (uint16_t)elapsed);
    pw_set_be16(to + 18, put_temp(hottest(view)));
    to[20] = view->post;
    return PW_LORA_REPORT_LEN;
}

static void get_state(const uint8_t *at, struct pw_rapi_view *view, pw_ms now)
{
    view->state_at = (at[0] & 0x02) != 0 ? now : PW_NEVER;
    view->plugged = (at[0] & 0x04) != 0;
    view->relay = (at[0] & 0x08) != 0;
    view->boot_locked = (at[0] & 0x10) != 0;
    view->limit_held = (at[0] & 0x20) != 0;
    view->settled = (at[0] & 0x40) != 0;
    view->fault = (at[0] & 0x80) != 0;
    view->state = at[2];
    view->pilot_state = at[3];
    view->vflags = pw_be16(at + 4);
    view->offered_ma = milliamps(at[6]);
    view->post = at[20];
    view->heartbeat = (enum pw_rapi_heartbeat)(at[1] >> 4);
}

int pw_lora_get_report(const struct pw_lora_frame *frame, struct pw_rapi_view *view, pw_ms now)
{
    const uint8_t *at = frame->payload;
    if (frame->len != PW_LORA_REPORT_LEN || at[1] >> 4 > PW_RAPI_HEARTBEAT_MISSED) {
        return PW_ERR_PEER;
    }
    uint32_t elapsed = (uint32_t)at[15] << 16 | pw_be16(at + 16);
    uint32_t session = pw_be32(at + 11);
    int32_t temp = get_temp(pw_be16(at + 18));
    get_state(at, view, now);
    view->reboots += (at[1] - view->reboots) & 0x0F;
    view->ma = unsteps(pw_be16(at + 7), 10);
    view->mv = unsteps(pw_be16(at + 9), 100);
    view->current_at = view->ma == PW_RAPI_UNKNOWN && view->mv == PW_RAPI_UNKNOWN ? PW_NEVER : now;
    view->session_ws = session == UINT32_MAX ? -1 : (int64_t)session;
    view->energy_at = session == UINT32_MAX ? PW_NEVER : now;
    view->elapsed_s = elapsed == UNKNOWN_24 ? -1 : (int64_t)elapsed;
    view->temp_dc[0] = temp;
    view->temps_at = temp == PW_RAPI_UNKNOWN ? PW_NEVER : now;
    return PW_OK;
}

// ---------------------------------------------------------------------------------------------

static void put_text(uint8_t *to, size_t len, const char *text)
{
    size_t used = strlen(text);
    memset(to, 0, len);
    memcpy(to, text, used < len ? used : len);
}

// Printable text up to its first NUL; PW_ERR_PEER if it is none.
static int get_text(const uint8_t *at, size_t len, char *to)
{
    size_t i = 0;
    while (i < len && at[i] != 0) {
        if (at[i] < ' ' || at[i] > '~') {
            return PW_ERR_PEER;
        }
        to[i] = (char)at[i];
        i++;
    }
    to[i] = '\0';
    return PW_OK;
}

static void put_version(uint8_t *to, int32_t version)
{
    to[0] = version < 0 ? UNKNOWN_8 : (uint8_t)(version / 10000);
    to[1] = version < 0 ? UNKNOWN_8 : (uint8_t)(version / 100 % 100);
    to[2] = version < 0 ? UNKNOWN_8 : (uint8_t)(version % 100);
}

static int32_t get_version(const uint8_t *at)
{
    return at[0] > 99 || at[1] > 99 || at[2] > 99 ? PW_RAPI_UNKNOWN
                                                  : PW_RAPI_VERSION(at[0], at[1], at[2]);
}

static uint8_t put_count(int32_t count)
{
    return count == PW_RAPI_UNKNOWN ? 0 : (uint8_t)pw_min(count, UINT8_MAX);
}

size_t pw_lora_put_facts(const struct pw_rapi_view *view, uint8_t *to)
{
    put_text(to, FIRMWARE_LEN, view->firmware);
    put_text(to + 12, RAPI_LEN, view->rapi);
    put_version(to + 20, view->firmware_version);
    put_version(to + 23, view->rapi_version);
    to[26] = amps(view->min_ma);
    to[27] = amps(view->hardware_ma);
    to[28] = amps(view->config_ma);
    to[29] = (uint8_t)pw_clamp(view->heartbeat_s, 0, UINT8_MAX);
    to[30] = amps(view->heartbeat_ma);
    to[31] = put_count(view->gfi_trips);
    to[32] = put_count(view->ground_trips);
    to[33] = put_count(view->stuck_trips);
    pw_set_be32(to + 34, view->total_wh < 0 ? UINT32_MAX : (uint32_t)view->total_wh);
    return PW_LORA_FACTS_LEN;
}

int pw_lora_get_facts(const struct pw_lora_frame *frame, struct pw_rapi_view *view, pw_ms now)
{
    const uint8_t *at = frame->payload;
    char firmware[FIRMWARE_LEN + 1];
    char rapi[RAPI_LEN + 1];
    if (frame->len != PW_LORA_FACTS_LEN || get_text(at, FIRMWARE_LEN, firmware) != PW_OK ||
        get_text(at + 12, RAPI_LEN, rapi) != PW_OK) {
        return PW_ERR_PEER;
    }
    uint32_t total = pw_be32(at + 34);
    memcpy(view->firmware, firmware, sizeof(firmware));
    memcpy(view->rapi, rapi, sizeof(rapi));
    view->firmware_version = get_version(at + 20);
    view->rapi_version = get_version(at + 23);
    view->min_ma = milliamps(at[26]);
    view->hardware_ma = milliamps(at[27]);
    view->config_ma = milliamps(at[28]);
    view->heartbeat_s = at[29];
    view->heartbeat_ma = milliamps(at[30]);
    view->gfi_trips = at[31];
    view->ground_trips = at[32];
    view->stuck_trips = at[33];
    view->trips_at = now;
    view->total_wh = total == UINT32_MAX ? -1 : (int64_t)total;
    return PW_OK;
}
