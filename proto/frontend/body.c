// The six bodies, field after field, big-endian. doc/frontend.md has them as tables.
#include "frontend/body.h"

#include <string.h>

#define AGE_NEVER 0xFFFFU
#define AGE_MAX   0xFFFEU

#define ESTOP  0x01U
#define OPENED 0x02U

#define CONTACTOR   0x01U
#define LOCK        0x02U
#define RCD_TEST    0x04U
#define VENTILATION 0x08U
#define BUZZER      0x10U

#define PERIOD_PPM 1000000

// ---------------------------------------------------------------------------------------------
// Fields.

struct writer {
    uint8_t *at;
    size_t len;
};

struct reader {
    const uint8_t *at;
    size_t left;
    bool bad; // ran over the end, or a value that cannot be
};

static void put_u8(struct writer *to, unsigned value)
{
    PW_ASSERT(value <= UINT8_MAX && to->len < PW_FRONTEND_BODY_MAX);
    to->at[to->len++] = (uint8_t)value;
}

static void put_u16(struct writer *to, unsigned value)
{
    put_u8(to, (value >> 8) & 0xFFU);
    put_u8(to, value & 0xFFU);
}

static void put_u32(struct writer *to, uint32_t value)
{
    put_u16(to, value >> 16);
    put_u16(to, value & 0xFFFFU);
}

static void put_i32(struct writer *to, int32_t value)
{
    put_u32(to, (uint32_t)value);
}

// Millivolts and tenths of a degree in 16 bits; INT16_MIN says unknown.
static void put_small(struct writer *to, int32_t value)
{
    int64_t fits = pw_clamp(value, INT16_MIN + 1, INT16_MAX);
    put_u16(to, (uint16_t)(value == PW_BOARD_UNKNOWN ? INT16_MIN : fits));
}

static void put_age(struct writer *to, pw_ms at, pw_ms now)
{
    pw_ms age = at < now ? now - at : 0;
    put_u16(to, at == PW_NEVER ? AGE_NEVER : (unsigned)(age < AGE_MAX ? age : AGE_MAX));
}

static unsigned get_u8(struct reader *from)
{
    if (from->left == 0) {
        from->bad = true;
        return 0;
    }
    from->left--;
    return *from->at++;
}

static uint16_t get_u16(struct reader *from)
{
    unsigned high = get_u8(from);
    return (uint16_t)(high << 8 | get_u8(from));
}

static uint32_t get_u32(struct reader *from)
{
    uint32_t high = get_u16(from);
    return high << 16 | get_u16(from);
}

static int32_t get_i32(struct reader *from)
{
    return (int32_t)get_u32(from);
}

static int32_t get_small(struct reader *from)
{
    int16_t value = (int16_t)get_u16(from);
    return value == INT16_MIN ? PW_BOARD_UNKNOWN : value;
}

static pw_ms get_age(struct reader *from, pw_ms now)
{
    unsigned age = get_u16(from);
    if (age == AGE_NEVER) {
        return PW_NEVER;
    }
    return age < now ? now - age : 0;
}

// One of the values 0..last.
static unsigned get_choice(struct reader *from, unsigned last)
{
    unsigned value = get_u8(from);
    from->bad = from->bad || value > last;
    return value;
}

// ---------------------------------------------------------------------------------------------
// HELLO. The version stands first for all time.

static void put_hello(struct writer *to, const struct pw_frontend_hello *hello)
{
    put_u8(to, hello->version);
    put_u8(to, hello->phases);
    put_u16(to, hello->has);
    put_u16(to, hello->step_ppm);
    put_u16(to, hello->watchdog_ms);
    put_u16(to, hello->rate_hz);
    size_t len = strlen(hello->name);
    for (size_t i = 0; i < PW_FRONTEND_NAME_MAX; i++) {
        put_u8(to, i < len ? (uint8_t)hello->name[i] : 0);
    }
}

static void get_hello(struct reader *from, struct pw_frontend_hello *hello)
{
    *hello = (struct pw_frontend_hello){.version = (uint8_t)get_u8(from)};
    if (hello->version != PW_FRONTEND_VERSION) {
        from->left = 0; // what follows is not ours to read
        return;
    }
    hello->phases = (uint8_t)get_u8(from);
    hello->has = get_u16(from);
    hello->step_ppm = get_u16(from);
    hello->watchdog_ms = get_u16(from);
    hello->rate_hz = get_u16(from);
    bool ended = false;
    for (size_t i = 0; i < PW_FRONTEND_NAME_MAX; i++) {
        unsigned c = get_u8(from);
        ended = ended || c == 0;
        from->bad = from->bad || (ended ? c != 0 : c < ' ' || c > '~');
        hello->name[i] = (char)c;
    }
}

// ---------------------------------------------------------------------------------------------

static void put_senses(struct writer *to, const struct pw_frontend_senses *says, pw_ms now)
{
    const struct pw_board_senses *senses = &says->senses;
    put_age(to, senses->at, now);
    put_small(to, senses->cp_high_mv);
    put_small(to, senses->cp_low_mv);
    put_i32(to, senses->pp_ohm);
    put_u8(to, (unsigned)senses->contact);
    put_u8(to, (unsigned)senses->lock);
    put_u8(to, (unsigned)senses->rcd);
    put_u8(to, (unsigned)senses->earth);
    put_u8(to, (senses->estop ? ESTOP : 0U) | (senses->opened ? OPENED : 0U));
    put_u8(to, says->drive_seq);
    for (size_t i = 0; i < PW_BOARD_PHASES; i++) {
        put_i32(to, senses->load_mv[i]);
    }
    for (size_t i = 0; i < PW_BOARD_PROBES; i++) {
        put_small(to, senses->temp_dc[i]);
    }
}

static void get_senses(struct reader *from, struct pw_frontend_senses *says, pw_ms now)
{
    struct pw_board_senses *senses = &says->senses;
    senses->at = get_age(from, now);
    senses->cp_high_mv = get_small(from);
    senses->cp_low_mv = get_small(from);
    senses->pp_ohm = get_i32(from);
    from->bad = from->bad || (senses->pp_ohm < 0 && senses->pp_ohm != PW_BOARD_UNKNOWN);
    senses->contact = (enum pw_board_contact)get_choice(from, PW_BOARD_CONTACT_CLOSED);
    senses->lock = (enum pw_board_lock)get_choice(from, PW_BOARD_LOCK_MOVING);
    senses->rcd = (enum pw_board_rcd)get_choice(from, PW_BOARD_RCD_TRIPPED);
    senses->earth = (enum pw_board_earth)get_choice(from, PW_BOARD_EARTH_LOST);
    unsigned bits = get_choice(from, ESTOP | OPENED);
    senses->estop = (bits & ESTOP) != 0;
    senses->opened = (bits & OPENED) != 0;
    says->drive_seq = (uint8_t)get_u8(from);
    for (size_t i = 0; i < PW_BOARD_PHASES; i++) {
        senses->load_mv[i] = get_i32(from);
    }
    for (size_t i = 0; i < PW_BOARD_PROBES; i++) {
        senses->temp_dc[i] = get_small(from);
    }
    senses->mains.at = PW_NEVER;
}

// ---------------------------------------------------------------------------------------------

static void put_samples(struct writer *to, const int16_t *samples, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        put_u16(to, (uint16_t)samples[i]);
    }
}

static void get_samples(struct reader *from, int16_t *samples, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        samples[i] = (int16_t)get_u16(from);
    }
}

static void put_block(struct writer *to, const struct pw_board_block *block, pw_ms now)
{
    PW_ASSERT(block->count <= PW_BOARD_BLOCK_MAX && block->rate_hz <= UINT16_MAX);
    put_age(to, block->at, now);
    put_u16(to, block->rate_hz);
    put_u8(to, block->count);
    put_u8(to, PW_BOARD_PHASES);
    put_u16(to, (uint16_t)block->cp_high);
    put_u16(to, (uint16_t)block->cp_low);
    put_u16(to, (uint16_t)block->pp);
    for (size_t phase = 0; phase < PW_BOARD_PHASES; phase++) {
        put_samples(to, block->volt[phase], block->count);
        put_samples(to, block->ampere[phase], block->count);
    }
}

static void get_block(struct reader *from, struct pw_board_block *block, pw_ms now)
{
    *block = (struct pw_board_block){.at = get_age(from, now)};
    block->rate_hz = get_u16(from);
    block->count = (uint8_t)get_choice(from, PW_BOARD_BLOCK_MAX);
    unsigned phases = get_choice(from, PW_BOARD_PHASES);
    block->cp_high = (int16_t)get_u16(from);
    block->cp_low = (int16_t)get_u16(from);
    block->pp = (int16_t)get_u16(from);
    from->bad = from->bad || block->at == PW_NEVER || block->rate_hz == 0 || block->count == 0 ||
                (phases != 1 && phases != PW_BOARD_PHASES);
    for (size_t phase = 0; phase < phases && !from->bad; phase++) {
        get_samples(from, block->volt[phase], block->count);
        get_samples(from, block->ampere[phase], block->count);
    }
}

// ---------------------------------------------------------------------------------------------

static void put_mains(struct writer *to, const struct pw_board_mains *mains, pw_ms now)
{
    const int32_t *const rows[] = {mains->mv, mains->ma, mains->mw};
    put_age(to, mains->at, now);
    for (size_t i = 0; i < PW_COUNT(rows) * PW_BOARD_PHASES; i++) {
        put_i32(to, rows[i / PW_BOARD_PHASES][i % PW_BOARD_PHASES]);
    }
    put_i32(to, mains->mhz);
    put_u32(to, (uint32_t)((uint64_t)mains->import_mwh >> 32));
    put_u32(to, (uint32_t)((uint64_t)mains->import_mwh & UINT32_MAX));
}

static void get_mains(struct reader *from, struct pw_board_mains *mains, pw_ms now)
{
    int32_t *const rows[] = {mains->mv, mains->ma, mains->mw};
    mains->at = get_age(from, now);
    for (size_t i = 0; i < PW_COUNT(rows) * PW_BOARD_PHASES; i++) {
        rows[i / PW_BOARD_PHASES][i % PW_BOARD_PHASES] = get_i32(from);
    }
    mains->mhz = get_i32(from);
    uint64_t high = get_u32(from);
    mains->import_mwh = (int64_t)(high << 32 | get_u32(from));
    from->bad = from->bad || mains->at == PW_NEVER || mains->import_mwh < -1;
}

// ---------------------------------------------------------------------------------------------

static bool is_duty(enum pw_board_cp cp, uint32_t duty_ppm)
{
    return cp == PW_BOARD_CP_PWM ? duty_ppm > 0 && duty_ppm < PERIOD_PPM : duty_ppm == 0;
}

static void put_drive(struct writer *to, const struct pw_board_drive *drive)
{
    PW_ASSERT(is_duty(drive->cp, (uint32_t)drive->duty_ppm));
    put_u8(to, (unsigned)drive->cp);
    put_u32(to, (uint32_t)drive->duty_ppm);
    put_u8(to, (drive->contactor ? CONTACTOR : 0U) | (drive->lock ? LOCK : 0U) |
                   (drive->rcd_test ? RCD_TEST : 0U) | (drive->ventilation ? VENTILATION : 0U) |
                   (drive->buzzer ? BUZZER : 0U));
    put_u8(to, (unsigned)drive->lamp);
}

static void get_drive(struct reader *from, struct pw_board_drive *drive)
{
    drive->cp = (enum pw_board_cp)get_choice(from, PW_BOARD_CP_PWM);
    uint32_t duty_ppm = get_u32(from);
    from->bad = from->bad || !is_duty(drive->cp, duty_ppm);
    drive->duty_ppm = (int32_t)duty_ppm;
    unsigned bits = get_choice(from, CONTACTOR | LOCK | RCD_TEST | VENTILATION | BUZZER);
    drive->contactor = (bits & CONTACTOR) != 0;
    drive->lock = (bits & LOCK) != 0;
    drive->rcd_test = (bits & RCD_TEST) != 0;
    drive->ventilation = (bits & VENTILATION) != 0;
    drive->buzzer = (bits & BUZZER) != 0;
    drive->lamp = (enum pw_board_lamp)get_choice(from, PW_BOARD_LAMP_FAULT);
}

// ---------------------------------------------------------------------------------------------

size_t pw_frontend_body_put(const struct pw_frontend_message *message, pw_ms now, uint8_t *to)
{
    struct writer body;
    body.at = to;
    body.len = 0;
    switch (message->kind) {
    case PW_FRONTEND_HELLO: put_hello(&body, &message->hello); break;
    case PW_FRONTEND_SENSES: put_senses(&body, &message->senses, now); break;
    case PW_FRONTEND_BLOCK: put_block(&body, &message->block, now); break;
    case PW_FRONTEND_MAINS: put_mains(&body, &message->mains, now); break;
    case PW_FRONTEND_ASK: put_u8(&body, message->version); break;
    case PW_FRONTEND_DRIVE: put_drive(&body, &message->drive); break;
    }
    return body.len;
}

bool pw_frontend_body_get(const uint8_t *body, size_t len, pw_ms now,
                          struct pw_frontend_message *message)
{
    struct reader from = {.at = body, .left = len};
    switch (message->kind) {
    case PW_FRONTEND_HELLO: get_hello(&from, &message->hello); break;
    case PW_FRONTEND_SENSES: get_senses(&from, &message->senses, now); break;
    case PW_FRONTEND_BLOCK: get_block(&from, &message->block, now); break;
    case PW_FRONTEND_MAINS: get_mains(&from, &message->mains, now); break;
    case PW_FRONTEND_ASK: message->version = (uint8_t)get_u8(&from); break;
    case PW_FRONTEND_DRIVE: get_drive(&from, &message->drive); break;
    }
    return !from.bad && from.left == 0;
}
