// Any bytes as a payload of the house's meter on the broker, in both forms: it must end, and what
// it says is a reading in range or none.
#include "house/topics.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct pw_board_mains *mains)
{
    for (unsigned p = 0; p < PW_BOARD_PHASES; p++) {
        PW_ASSERT(mains->ma[p] >= 0 || mains->ma[p] == PW_BOARD_UNKNOWN);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const lists[] = {"m", "m,n", "m,n,o"};
    for (size_t i = 0; i < PW_COUNT(lists); i++) {
        struct pw_house_topics topics;
        struct pw_board_mains mains;
        int err = pw_house_topics_init(&topics, pw_str_of(lists[i]), 230000, NULL);
        PW_ASSERT(err == PW_OK);
        for (unsigned n = 0; pw_house_topics_name(&topics, n) != NULL; n++) {
            const struct pw_broker_message message = {
                .topic = pw_str_of(pw_house_topics_name(&topics, n)),
                .payload = {.at = (const char *)data, .len = size},
            };
            bool ours = pw_house_topics_message(&topics, &message, 1000 + n);
            PW_ASSERT(ours);
            if (pw_house_topics_take(&topics, &mains)) {
                check(&mains);
            }
        }
    }
    return 0;
}
