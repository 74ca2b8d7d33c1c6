#include "signmeter/signmeter.h"

#include "ocmf/ocmf.h"

#include <string.h>

enum { TEXT_WORDS_MAX = 512, NAME_WORDS_MAX = 70, LATENCY_MAX = 60000 };

static const char *const fault_names[] = {"ok", "fails", "hangs", "forges"};

static void set(const struct pw_signmeter *meter, uint16_t address, uint16_t word)
{
    (void)meter->registers.fill(meter->registers.context, address, &word, 1);
}

static uint16_t get(const struct pw_signmeter *meter, uint16_t address)
{
    uint16_t word = 0;
    (void)meter->registers.peek(meter->registers.context, address, &word, 1);
    return word;
}

static void show_key(const struct pw_signmeter *meter)
{
    uint16_t words[PW_SIGNED_KEY_MAX / 2] = {0};
    for (size_t i = 0; i < meter->signer.key_len; i++) {
        unsigned byte = meter->signer.key[i];
        words[i / 2] = (uint16_t)(words[i / 2] | (i % 2 == 0 ? byte << 8 : byte));
    }
    set(meter, meter->map->key_len, (uint16_t)meter->signer.key_len);
    (void)meter->registers.fill(meter->registers.context, (uint16_t)(meter->map->key_len + 1),
                                words, meter->map->key_words);
}

void pw_signmeter_init(struct pw_signmeter *meter, const struct pw_modbus_signer *map,
                       const struct pw_signmeter_signer *signer,
                       const struct pw_signmeter_registers *registers)
{
    PW_ASSERT(map->text_words <= TEXT_WORDS_MAX && map->user_words <= NAME_WORDS_MAX &&
              map->place_words <= NAME_WORDS_MAX && map->key_words <= PW_SIGNED_KEY_MAX / 2 &&
              signer->key_len <= (size_t)2 * map->key_words);
    memset(meter, 0, sizeof(*meter));
    meter->map = map;
    meter->signer = *signer;
    meter->registers = *registers;
    meter->latency_ms = PW_SIGNMETER_LATENCY_MS;
    for (size_t i = 0; i < PW_COUNT(meter->due); i++) {
        meter->due[i] = PW_NEVER;
        set(meter, map->status[i], PW_SNAPSHOT_INVALID);
    }
    show_key(meter);
}

// A new time in its registers is taken, and runs from there.
static void take_clock(struct pw_signmeter *meter, pw_ms now)
{
    uint16_t words[3] = {0};
    (void)meter->registers.peek(meter->registers.context, meter->map->clock, words, 3);
    uint32_t seconds = (uint32_t)words[0] << 16 | words[1];
    if (seconds == 0) {
        return;
    }
    int64_t offset_ms = (int64_t)(int16_t)words[2] * 60000;
    meter->clock_ms = (int64_t)seconds * 1000 - offset_ms - (int64_t)now;
    meter->clock_set = true;
    words[0] = 0;
    words[1] = 0;
    (void)meter->registers.fill(meter->registers.context, meter->map->clock, words, 2);
}

static void read_name(const struct pw_signmeter *meter, uint16_t address, uint16_t words, char *to,
                      size_t cap)
{
    uint16_t word[NAME_WORDS_MAX] = {0};
    char text[2 * NAME_WORDS_MAX];
    (void)meter->registers.peek(meter->registers.context, address, word, words);
    struct pw_str name = {.at = text, .len = pw_modbus_get_text(word, words, text)};
    if (pw_str_copy(to, cap, name) != PW_OK) {
        to[0] = '\0';
    }
}

// The text of a data set. False: it could not be signed.
static bool write_set(struct pw_signmeter *meter, unsigned moment, struct pw_out *text, pw_ms now)
{
    static const char letters[] = {
        [PW_SIGNED_BEGIN] = 'B', [PW_SIGNED_END] = 'E', [PW_SIGNED_CURRENT] = 'C'};
    char user[PW_SIGNED_ID_MAX];
    char place[PW_SIGNED_ID_MAX];
    char payload[2 * TEXT_WORDS_MAX];
    uint8_t signature[PW_OCMF_SIGNATURE_MAX];
    struct pw_out out = PW_OUT(payload);
    struct pw_ocmf_set data = {
        .vendor = "Pilotwire",
        .model = "simulated BSM-WS36A",
        .serial = "SIM0000001",
        .firmware = "1",
        .user = user,
        .place = place,
        .page = meter->page + 1,
        .transaction = letters[moment],
        .wall = meter->clock_set ? (pw_unix_ms)now + meter->clock_ms : 0,
        .energy_mwh = meter->energy_mwh,
    };
    read_name(meter, meter->map->user, meter->map->user_words, user, sizeof(user));
    read_name(meter, meter->map->place, meter->map->place_words, place, sizeof(place));
    pw_ocmf_put_payload(&out, &data);
    size_t len =
        meter->signer.sign(meter->signer.context, pw_out_str(&out), signature, sizeof(signature));
    if (meter->fault == PW_SIGNMETER_FORGES) {
        data.energy_mwh += 1000000;
        out = PW_OUT(payload);
        pw_ocmf_put_payload(&out, &data);
    }
    pw_ocmf_put(text, pw_out_str(&out), meter->signer.algorithm, signature, len);
    return len > 0 && pw_out_err(&out) == PW_OK && pw_out_err(text) == PW_OK;
}

static void finish(struct pw_signmeter *meter, unsigned moment, pw_ms now)
{
    char text[2 * TEXT_WORDS_MAX + 1];
    uint16_t words[TEXT_WORDS_MAX];
    struct pw_out out = PW_OUT(text);
    out.cap = (size_t)2 * meter->map->text_words + 1;
    if (meter->fault == PW_SIGNMETER_FAILS || !write_set(meter, moment, &out, now)) {
        set(meter, meter->map->status[moment], PW_SNAPSHOT_FAILED);
        return;
    }
    meter->page++;
    pw_modbus_put_text(words, meter->map->text_words, pw_out_str(&out));
    (void)meter->registers.fill(meter->registers.context, meter->map->text[moment], words,
                                meter->map->text_words);
    set(meter, meter->map->status[moment], PW_SNAPSHOT_VALID);
}

pw_ms pw_signmeter_step(struct pw_signmeter *meter, int64_t energy_mwh, pw_ms now)
{
    pw_ms next = PW_NEVER;
    meter->energy_mwh = energy_mwh;
    take_clock(meter, now);
    for (unsigned i = 0; i < PW_COUNT(meter->due); i++) {
        bool ordered = get(meter, meter->map->status[i]) == PW_SNAPSHOT_UPDATING;
        if (!ordered) {
            meter->due[i] = PW_NEVER;
        } else if (meter->due[i] == PW_NEVER) {
            meter->due[i] = pw_after(now, meter->latency_ms);
        }
        if (ordered && now >= meter->due[i] && meter->fault != PW_SIGNMETER_HANGS) {
            finish(meter, i, now);
            meter->due[i] = PW_NEVER;
        }
        next = pw_earlier(next, meter->due[i]);
    }
    // Orders come unannounced.
    return pw_earlier(next, pw_after(now, 100));
}

int pw_signmeter_run(struct pw_signmeter *meter, struct pw_str line, struct pw_out *answer)
{
    int64_t latency = 0;
    struct pw_str rest = pw_str_trim(line);
    if (!pw_str_is(pw_str_cut(&rest, ' '), "signing")) {
        return PW_ERR_UNKNOWN;
    }
    rest = pw_str_trim(rest);
    for (unsigned i = 0; i < PW_COUNT(fault_names); i++) {
        if (pw_str_is(rest, fault_names[i])) {
            meter->fault = (enum pw_signmeter_fault)i;
            pw_put_s(answer, "ok");
            return PW_OK;
        }
    }
    if (pw_parse_int(rest, 0, LATENCY_MAX, &latency) == PW_OK) {
        meter->latency_ms = (uint32_t)latency;
        pw_put_s(answer, "ok");
        return PW_OK;
    }
    pw_put_s(answer, "signing must be ok, fails, hangs, forges, or milliseconds up to 60000");
    return PW_ERR_RANGE;
}

void pw_signmeter_help(struct pw_out *out)
{
    pw_put_s(out,
             "  signing ok|fails|hangs|forges      what comes of readings that are to be signed\n"
             "  signing MILLISECONDS               how long one takes (400)\n");
}
