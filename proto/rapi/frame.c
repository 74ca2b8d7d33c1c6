// Lines out of bytes, words out of lines, lines out of words.
#include "rapi/frame.h"

#include <string.h>

bool pw_rapi_read(struct pw_rapi_reader *reader, uint8_t byte)
{
    if (byte == '$') {
        reader->dropped += reader->inside ? 1 : 0;
        reader->inside = true;
        reader->text[0] = '$';
        reader->len = 1;
        return false;
    }
    if (!reader->inside) {
        return false;
    }
    if (byte == '\r') {
        reader->inside = false;
        return true;
    }
    if (byte == '\0' || byte == '\n' || reader->len == sizeof(reader->text)) {
        reader->inside = false;
        reader->dropped++;
        return false;
    }
    reader->text[reader->len] = (char)byte;
    reader->len++;
    return false;
}

static uint8_t sum_of(struct pw_str text, enum pw_rapi_check check)
{
    unsigned sum = 0;
    for (size_t i = 0; i < text.len; i++) {
        unsigned byte = (uint8_t)text.at[i];
        sum = check == PW_RAPI_CHECK_XOR ? sum ^ byte : sum + byte;
    }
    return (uint8_t)sum;
}

int pw_rapi_hex(struct pw_str word, unsigned digits, uint16_t *value)
{
    unsigned sum = 0;
    if (word.len == 0 || word.len > 4 || (digits != 0 && word.len != digits)) {
        return PW_ERR_PEER;
    }
    for (size_t i = 0; i < word.len; i++) {
        char pair[2] = {'0', word.at[i]};
        uint8_t digit;
        if (pw_parse_hex((struct pw_str){.at = pair, .len = 2}, &digit, 1) != 1) {
            return PW_ERR_PEER;
        }
        sum = sum * 16 + digit;
    }
    *value = (uint16_t)sum;
    return PW_OK;
}

// Takes the checksum off the end of *text. A mark anywhere else is a checksum gone wrong.
static int take_check(struct pw_str *text, enum pw_rapi_check *check)
{
    *check = PW_RAPI_CHECK_NONE;
    for (size_t i = 0; i < text->len; i++) {
        if (text->at[i] != '^' && text->at[i] != '*') {
            continue;
        }
        struct pw_str digits = {.at = text->at + i + 1, .len = text->len - i - 1};
        uint16_t said;
        *check = text->at[i] == '^' ? PW_RAPI_CHECK_XOR : PW_RAPI_CHECK_SUM;
        text->len = i;
        return pw_rapi_hex(digits, 2, &said) == PW_OK && said == sum_of(*text, *check)
                   ? PW_OK
                   : PW_ERR_PEER;
    }
    return PW_OK;
}

// Takes the sequence id off the words, if the last one is one.
static void take_seq(struct pw_rapi_line *line)
{
    struct pw_str last = line->word[line->words - 1];
    struct pw_str digits = {.at = last.at + 1, .len = last.len - 1};
    uint16_t seq;
    if (line->words > 1 && last.at[0] == ':' && pw_rapi_hex(digits, 2, &seq) == PW_OK) {
        line->seq = (uint8_t)seq;
        line->words--;
        line->body.len = (size_t)(last.at - line->body.at);
    }
}

int pw_rapi_split(struct pw_str text, struct pw_rapi_line *line)
{
    *line = (struct pw_rapi_line){.words = 0};
    if (text.len < 2 || text.at[0] != '$') {
        return PW_ERR_PEER;
    }
    int err = take_check(&text, &line->check);
    if (err != PW_OK) {
        return err;
    }
    line->body = pw_str_trim(text);
    struct pw_str rest = {.at = line->body.at + 1, .len = line->body.len - 1};
    while (rest.len > 0) {
        struct pw_str word = pw_str_cut(&rest, ' ');
        if (word.len == 0) {
            continue; // boards write two spaces where they have nothing to say
        }
        if (line->words == PW_RAPI_WORDS_MAX) {
            return PW_ERR_LIMIT;
        }
        line->word[line->words++] = word;
    }
    if (line->words == 0) {
        return PW_ERR_PEER;
    }
    take_seq(line);
    line->body = pw_str_trim(line->body);
    return PW_OK;
}

int pw_rapi_write(struct pw_out *out, struct pw_str body, uint8_t seq, enum pw_rapi_check check)
{
    size_t from = out->len;
    pw_put(out, body);
    if (seq != 0) {
        pw_put_s(out, " :");
        pw_put_hex(out, seq, 2);
    }
    struct pw_str line = {.at = out->at + from, .len = out->len - from};
    switch (check) {
    case PW_RAPI_CHECK_NONE: break;
    case PW_RAPI_CHECK_XOR:
    case PW_RAPI_CHECK_SUM: {
        uint8_t sum = sum_of(line, check);
        pw_put_c(out, check == PW_RAPI_CHECK_XOR ? '^' : '*');
        pw_put_hex(out, sum, 2);
        break;
    }
    }
    pw_put_c(out, '\r');
    return pw_out_err(out);
}
