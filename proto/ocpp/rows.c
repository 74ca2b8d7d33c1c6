// What both interpreters ask the rows.
#include "ocpp/rows.h"

struct pw_str pw_ocpp_code_text(const struct pw_ocpp_codes *codes, int code)
{
    PW_ASSERT(code >= 0 && code < codes->count);
    const char *at = codes->text;
    for (int i = 0; i < code; i++) {
        at += codes->len[i];
    }
    return (struct pw_str){.at = at, .len = codes->len[code]};
}

int pw_ocpp_code_find(const struct pw_ocpp_codes *codes, struct pw_str word)
{
    const char *at = codes->text;
    for (int i = 0; i < codes->count; i++) {
        if (codes->len[i] == word.len && pw_ocpp_same(at, word.at, word.len)) {
            return i;
        }
        at += codes->len[i];
    }
    return PW_ERR_UNKNOWN;
}

bool pw_ocpp_is_bare(const struct pw_ocpp_object *object)
{
    return object->count == 1 && object->rows[0].key_len == 0;
}
