// May this card charge? A table; the first row that fits says it.
#include "tags/tags.h"

const char *pw_tag_status_name(enum pw_tag_status status)
{
    switch (status) {
    case PW_TAG_ACCEPTED: return "accepted";
    case PW_TAG_BLOCKED: return "blocked";
    case PW_TAG_EXPIRED: return "expired";
    case PW_TAG_INVALID: return "invalid";
    case PW_TAG_CONCURRENT_TX: return "concurrent";
    }
    PW_UNREACHABLE();
}

bool pw_tags_is_valid(enum pw_tags_place place, enum pw_tag_status status)
{
    return place != PW_TAGS_NOWHERE &&
           (status == PW_TAG_ACCEPTED ||
            (place == PW_TAGS_IN_LIST && status == PW_TAG_CONCURRENT_TX));
}

enum known { UNKNOWN = 1, VALID = 2, NOT_VALID = 4, ANYTHING = 7 };
enum flag { NO = 1, YES = 2, EITHER = 3 };

// A card that is known to be bad is never let in offline (§3.5.4), and online the central system is
// asked whether it still is (§3.5.1).
// clang-format off
static const struct {
    uint8_t online;
    uint8_t pre_authorise;
    uint8_t authorise_offline;
    uint8_t unknown_offline;
    uint8_t known;
    enum pw_tags_verdict verdict;
} rows[] = {
    // online  pre     offline  unknown  what is known   so
    {  YES,    YES,    EITHER,  EITHER,  VALID,          PW_TAGS_ACCEPT },
    {  YES,    EITHER, EITHER,  EITHER,  ANYTHING,       PW_TAGS_ASK    },
    {  NO,     EITHER, EITHER,  EITHER,  NOT_VALID,      PW_TAGS_REFUSE },
    {  NO,     EITHER, YES,     EITHER,  VALID,          PW_TAGS_ACCEPT },
    {  NO,     EITHER, EITHER,  YES,     VALID|UNKNOWN,  PW_TAGS_ACCEPT },
    {  NO,     EITHER, EITHER,  EITHER,  ANYTHING,       PW_TAGS_REFUSE },
};
// clang-format on

static unsigned flag(bool on)
{
    return on ? YES : NO;
}

enum pw_tags_verdict pw_tags_judge(const struct pw_tags_question *question)
{
    unsigned known = question->place == PW_TAGS_NOWHERE                    ? UNKNOWN
                     : pw_tags_is_valid(question->place, question->status) ? VALID
                                                                           : NOT_VALID;
    for (size_t i = 0; i < PW_COUNT(rows); i++) {
        if ((rows[i].online & flag(question->online)) != 0 &&
            (rows[i].pre_authorise & flag(question->pre_authorise)) != 0 &&
            (rows[i].authorise_offline & flag(question->authorise_offline)) != 0 &&
            (rows[i].unknown_offline & flag(question->unknown_offline)) != 0 &&
            (rows[i].known & known) != 0) {
            return rows[i].verdict;
        }
    }
    PW_UNREACHABLE();
}
