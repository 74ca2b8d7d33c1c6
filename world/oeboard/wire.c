// The line: bytes to commands, answers to bytes, as the firmware frames them.
#include "parts.h"

#include <string.h>

// ---------------------------------------------------------------------------------------------
// Out.

void pw_oeboard_say(struct pw_oeboard *board, struct pw_str text, pw_ms at)
{
    PW_ASSERT(text.len <= PW_OEBOARD_SAY_MAX);
    if (board->say_count == PW_OEBOARD_SAYS_MAX) {
        board->lost_says++;
        return;
    }
    struct pw_oeboard_say *say =
        &board->say[(board->say_head + board->say_count) % PW_OEBOARD_SAYS_MAX];
    board->say_count++;
    if (at < board->say_last + PW_OEBOARD_GAP_MS) {
        at = board->say_last + PW_OEBOARD_GAP_MS;
    }
    board->say_last = at;
    memcpy(say->text, text.at, text.len);
    say->len = (uint8_t)text.len;
    say->at = at;
}

static uint8_t xor_of(struct pw_str text)
{
    uint8_t sum = 0;
    for (size_t i = 0; i < text.len; i++) {
        sum ^= (uint8_t)text.at[i];
    }
    return sum;
}

void pw_oeboard_say_checked(struct pw_oeboard *board, struct pw_out *line, pw_ms at)
{
    if (board->kind->protocol >= 2) {
        uint8_t sum = xor_of(pw_out_str(line));
        pw_put_c(line, '^');
        pw_put_hex(line, sum, 2);
    }
    pw_put_c(line, '\r');
    pw_oeboard_say(board, pw_out_str(line), at);
}

void pw_oeboard_put_hex(struct pw_out *out, uint64_t value, unsigned digits)
{
    static const char digit[] = "0123456789abcdef";
    for (unsigned i = digits; i > 0; i--) {
        pw_put_c(out, digit[(value >> (4 * (i - 1))) & 0xF]);
    }
}

// Before protocol 5 there is only the state.
static void put_state(struct pw_oeboard *board, pw_ms at)
{
    char text[PW_OEBOARD_SAY_MAX];
    struct pw_out out = PW_OUT(text);
    if (board->kind->protocol < 5) {
        pw_put_s(&out, "$ST ");
        pw_oeboard_put_hex(&out, board->state, 2);
    } else {
        pw_put_s(&out, "$AT ");
        pw_oeboard_put_hex(&out, board->state, 2);
        pw_put_c(&out, ' ');
        pw_oeboard_put_hex(&out, board->pilot, 2);
        pw_put_c(&out, ' ');
        pw_put_uint(&out, board->amps);
        pw_put_c(&out, ' ');
        pw_oeboard_put_hex(&out, board->vflags, 4);
    }
    pw_oeboard_say_checked(board, &out, at);
}

// It holds its tongue while state and flags contradict each other.
static bool is_consistent(const struct pw_oeboard *board)
{
    bool connected = (board->vflags & PW_OEBOARD_CONNECTED) != 0;
    switch (board->state) {
    case PW_OEBOARD_A: return !connected;
    case PW_OEBOARD_B:
    case PW_OEBOARD_C: return connected;
    default: return true;
    }
}

void pw_oeboard_tell(struct pw_oeboard *board, pw_ms at)
{
    static const uint16_t spoken = PW_OEBOARD_CONNECTED | PW_OEBOARD_TIME_LIMIT |
                                   PW_OEBOARD_CHARGE_LIMIT | PW_OEBOARD_HARD_FAULT;
    const struct pw_oeboard_told told = {
        .state = board->state,
        .pilot = board->pilot,
        .amps = board->amps,
        .vflags = (uint16_t)(board->vflags & spoken),
    };
    const struct pw_oeboard_told *last = &board->told;
    bool state_same = told.state == last->state;
    bool rest_same =
        told.pilot == last->pilot && told.amps == last->amps && told.vflags == last->vflags;
    if ((state_same && (rest_same || board->kind->protocol < 5)) || !is_consistent(board)) {
        return;
    }
    board->told = told;
    put_state(board, at);
}

// Noise on the line: the bytes come, but none is what was sent.
static void garble(struct pw_oeboard *board, uint8_t *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        bytes[i] = (uint8_t)(pw_noise_bits(&board->noise) & 0xFF);
    }
}

size_t pw_oeboard_take(struct pw_oeboard *board, uint8_t *to, size_t cap, pw_ms now)
{
    size_t len = 0;
    while (board->say_count > 0) {
        const struct pw_oeboard_say *say = &board->say[board->say_head];
        if (say->at > now || say->len > cap - len) {
            break;
        }
        if (!board->mute) {
            memcpy(to + len, say->text, say->len);
            len += say->len;
        }
        board->say_head = (board->say_head + 1) % PW_OEBOARD_SAYS_MAX;
        board->say_count--;
    }
    if (board->garbles) {
        garble(board, to, len);
    }
    return len;
}

// ---------------------------------------------------------------------------------------------
// In.

void pw_oeboard_forget_line(struct pw_oeboard *board)
{
    board->in_line = false;
    board->line_len = 0;
}

static int nibble(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

// Anything that is not hexadecimal counts as 0, in the checksum too.
static uint8_t hex_of(struct pw_str text)
{
    unsigned value = 0;
    for (size_t i = 0; i < text.len; i++) {
        int digit = nibble(text.at[i]);
        if (digit < 0) {
            return 0;
        }
        value = value * 16 + (unsigned)digit;
    }
    return (uint8_t)value;
}

// Cuts a checksum off and judges it; a line without one is taken.
static bool check(struct pw_str *line)
{
    uint8_t sum = '$';
    for (size_t i = 0; i < line->len; i++) {
        char c = line->at[i];
        if (c == '^' || c == '*') {
            struct pw_str body = {line->at, i};
            struct pw_str given = {line->at + i + 1, line->len - i - 1};
            uint8_t want = c == '^' ? (uint8_t)('$' ^ xor_of(body)) : sum;
            *line = body;
            return hex_of(given) == want;
        }
        sum = (uint8_t)(sum + (uint8_t)c);
    }
    return true;
}

// Cuts a line into its words. More than fit: 0.
static unsigned cut(struct pw_str line, struct pw_str token[PW_OEBOARD_TOKENS])
{
    unsigned count = 0;
    while (line.len > 0) {
        struct pw_str word = pw_str_cut(&line, ' ');
        if (word.len == 0) {
            continue;
        }
        if (count == PW_OEBOARD_TOKENS) {
            return 0;
        }
        token[count++] = word;
    }
    return count;
}

// The number of a command, taken off its words. 0: it has none.
static uint8_t take_sequence(const struct pw_oeboard *board, const struct pw_str *token,
                             unsigned *count)
{
    if (board->kind->protocol < 3 || board->kind->sparse || *count == 0) {
        return 0;
    }
    struct pw_str last = token[*count - 1];
    if (last.len != 3 || last.at[0] != ':') {
        return 0;
    }
    (*count)--;
    return hex_of((struct pw_str){last.at + 1, 2});
}

// A change that the command caused is told right after its answer.
static void answer(struct pw_oeboard *board, enum pw_oeboard_answer said, struct pw_str rest,
                   uint8_t sequence)
{
    char text[PW_OEBOARD_SAY_MAX];
    struct pw_out out = PW_OUT(text);
    pw_put_s(&out, said == PW_OEBOARD_YES ? "$OK" : "$NK");
    if (rest.len > 0) {
        pw_put_c(&out, ' ');
        pw_put(&out, rest);
    }
    if (sequence != 0) {
        pw_put_s(&out, " :");
        pw_put_hex(&out, sequence, 2);
    }
    board->refused += said == PW_OEBOARD_NO ? 1U : 0U;
    pw_ms at = board->doing != PW_OEBOARD_IDLE ? board->busy_until : board->now;
    pw_oeboard_say_checked(board, &out, at);
    pw_oeboard_tell(board, at + PW_OEBOARD_GAP_MS);
}

static void run(struct pw_oeboard *board)
{
    struct pw_str line = {board->line, board->line_len};
    struct pw_str token[PW_OEBOARD_TOKENS];
    char rest_text[PW_OEBOARD_SAY_MAX] = "";
    struct pw_out rest = PW_OUT(rest_text);
    enum pw_oeboard_answer said = PW_OEBOARD_NO;
    uint8_t sequence = 0;
    board->commands++;
    if (check(&line)) {
        unsigned count = cut(line, token);
        sequence = take_sequence(board, token, &count);
        if (count > 0) {
            said = pw_oeboard_command(board, token, count, &rest);
        }
    }
    pw_oeboard_forget_line(board);
    if (said != PW_OEBOARD_SILENT) {
        answer(board, said, pw_out_str(&rest), sequence);
    }
}

static void echo(struct pw_oeboard *board)
{
    char text[PW_OEBOARD_SAY_MAX];
    struct pw_out out = PW_OUT(text);
    pw_put_c(&out, '$');
    pw_put(&out, (struct pw_str){board->line, board->line_len});
    pw_put_s(&out, "\r\n");
    pw_oeboard_say(board, pw_out_str(&out), board->now);
}

static void take(struct pw_oeboard *board, char c)
{
    if (c == '$') {
        board->in_line = true;
        board->line_len = 0;
    } else if (!board->in_line) {
        return;
    } else if (c == '\r') {
        if (board->echo) {
            echo(board);
        }
        run(board);
    } else if (board->line_len + 2 >= PW_OEBOARD_LINE_MAX) {
        pw_oeboard_forget_line(board); // too long: not even a refusal
    } else {
        board->line[board->line_len++] = c;
    }
}

void pw_oeboard_poll(struct pw_oeboard *board, pw_ms now)
{
    size_t at = 0;
    board->now = now;
    while (at < board->ring_len && (at == 0 || board->doing == PW_OEBOARD_IDLE)) {
        take(board, (char)board->ring[at++]);
        if (board->ring_len < at) {
            return; // it has restarted: nothing is left
        }
    }
    board->ring_len -= at;
    memmove(board->ring, board->ring + at, board->ring_len);
}

void pw_oeboard_hear(struct pw_oeboard *board, const uint8_t *bytes, size_t len, pw_ms now)
{
    if (!board->powered || board->doing == PW_OEBOARD_WAKES) {
        return;
    }
    bool charging = board->relay;
    pw_ms least = charging ? board->kind->slow_least_ms : 2;
    pw_ms most = charging ? board->kind->slow_most_ms : 31;
    if (board->ring_len == 0 && len > 0) {
        board->poll_at = now + pw_oeboard_jitter(board, least, most);
    }
    for (size_t i = 0; i < len; i++) {
        if (board->ring_len == PW_OEBOARD_RING_MAX) {
            board->lost_bytes++;
        } else {
            board->ring[board->ring_len++] = bytes[i];
        }
    }
}
