#include "house/topics.h"

#include "json/json.h"

#include <string.h>

#define DECIMALS 3

static const char *const keys[3][PW_BOARD_PHASES] = {
    {"l1_a", "l2_a", "l3_a"}, {"l1_w", "l2_w", "l3_w"}, {"l1_v", "l2_v", "l3_v"}};
enum { AMPERE, WATT, VOLT };

static int add(struct pw_house_topics *topics, struct pw_str topic, struct pw_out *why)
{
    if (topics->topics == PW_HOUSE_TOPICS_MAX) {
        pw_put_s(why, "there are at most 3 topics, of L1, L2 and L3");
        return PW_ERR_RANGE;
    }
    for (size_t i = 0; i < topic.len; i++) {
        if (topic.at[i] == '+' || topic.at[i] == '#') {
            pw_put_s(why, "a topic of the meter has no wildcard");
            return PW_ERR_RANGE;
        }
    }
    if (topic.len == 0 || pw_str_copy(topics->topic[topics->topics], PW_BROKER_TOPIC_MAX, topic)) {
        pw_put_s(why, "a topic has 1 to 127 characters");
        return PW_ERR_RANGE;
    }
    topics->topics++;
    return PW_OK;
}

int pw_house_topics_init(struct pw_house_topics *topics, struct pw_str list, int32_t nominal_mv,
                         struct pw_out *why)
{
    int err = PW_OK;
    memset(topics, 0, sizeof(*topics));
    topics->nominal_mv = nominal_mv;
    topics->reading = (struct pw_board_mains)PW_BOARD_NO_MAINS;
    do {
        err = add(topics, pw_str_cut(&list, ','), why);
    } while (err == PW_OK && list.len > 0);
    return err;
}

const char *pw_house_topics_name(const struct pw_house_topics *topics, unsigned n)
{
    return n < topics->topics ? topics->topic[n] : NULL;
}

// A number with thousandths, however many digits a meter writes: what is finer is cut off.
static int32_t thousandths(const struct pw_json_node *node)
{
    int64_t value = 0;
    int err = PW_ERR_RANGE;
    for (unsigned decimals = DECIMALS; err == PW_ERR_RANGE && decimals <= 15; decimals++) {
        err = pw_json_fixed(node, decimals, &value);
        for (unsigned cut = DECIMALS; err == PW_OK && cut < decimals; cut++) {
            value /= 10;
        }
    }
    // What is beyond an integer is beyond any meter too: whoever judges it will say so.
    return err == PW_OK          ? (int32_t)pw_clamp(value, -INT32_MAX, INT32_MAX)
           : err == PW_ERR_RANGE ? INT32_MAX
                                 : PW_BOARD_UNKNOWN;
}

static void set_phase(struct pw_house_topics *topics, unsigned p, const int32_t value[3])
{
    struct pw_board_mains *to = &topics->reading;
    int32_t ma = value[AMPERE];
    bool told = value[VOLT] != PW_BOARD_UNKNOWN && value[VOLT] > 0;
    int64_t mv = told ? value[VOLT] : topics->nominal_mv;
    to->mv[p] = told ? value[VOLT] : PW_BOARD_UNKNOWN;
    to->mw[p] = value[WATT];
    to->ma[p] = ma != PW_BOARD_UNKNOWN && ma < 0 ? -ma : ma;
    if (value[WATT] == PW_BOARD_UNKNOWN && ma != PW_BOARD_UNKNOWN && ma < 0) {
        to->mw[p] = (int32_t)pw_max(mv * ma / 1000, -INT32_MAX); // the direction, at least
    }
    if (ma == PW_BOARD_UNKNOWN && value[WATT] != PW_BOARD_UNKNOWN) {
        int64_t size = value[WATT] < 0 ? -(int64_t)value[WATT] : value[WATT];
        to->ma[p] = (int32_t)pw_min(size * 1000 / mv, INT32_MAX);
    }
}

static bool read_object(struct pw_house_topics *topics, const struct pw_json_node *object)
{
    bool any = false;
    for (unsigned p = 0; p < PW_BOARD_PHASES; p++) {
        int32_t value[3] = {PW_BOARD_UNKNOWN, PW_BOARD_UNKNOWN, PW_BOARD_UNKNOWN};
        for (unsigned what = AMPERE; what <= VOLT; what++) {
            value[what] = thousandths(pw_json_member(object, keys[what][p]));
        }
        set_phase(topics, p, value);
        any = any || topics->reading.ma[p] != PW_BOARD_UNKNOWN;
    }
    return any;
}

static bool read_number(struct pw_house_topics *topics, const struct pw_json_node *node, unsigned p)
{
    int32_t value[3] = {thousandths(node), PW_BOARD_UNKNOWN, PW_BOARD_UNKNOWN};
    set_phase(topics, p, value);
    return value[AMPERE] != PW_BOARD_UNKNOWN;
}

static void take_in(struct pw_house_topics *topics, unsigned n, struct pw_str payload, pw_ms now)
{
    struct pw_json_node nodes[PW_HOUSE_TOPIC_NODES];
    struct pw_json json = {.node = nodes, .cap = PW_HOUSE_TOPIC_NODES};
    bool sound = pw_json_read(&json, payload) == PW_OK;
    if (sound && pw_json_is(&nodes[0], PW_JSON_OBJECT) && topics->topics == 1) {
        sound = read_object(topics, &nodes[0]);
    } else {
        sound = sound && read_number(topics, &nodes[0], n);
    }
    topics->heard |= (uint8_t)(1U << n);
    topics->reading.at = now;
    if (!sound) {
        topics->reading = (struct pw_board_mains)PW_BOARD_NO_MAINS;
        topics->reading.at = now;
        topics->refused++;
        topics->heard = 0;
        topics->fresh = true;
    } else if (topics->heard == (1U << topics->topics) - 1U) {
        topics->heard = 0;
        topics->fresh = true;
    }
}

bool pw_house_topics_message(struct pw_house_topics *topics,
                             const struct pw_broker_message *message, pw_ms now)
{
    for (unsigned n = 0; n < topics->topics; n++) {
        if (pw_str_is(message->topic, topics->topic[n])) {
            if (!message->retain) {
                take_in(topics, n, message->payload, now);
            }
            return true;
        }
    }
    return false;
}

bool pw_house_topics_take(struct pw_house_topics *topics, struct pw_board_mains *reading)
{
    bool fresh = topics->fresh;
    if (fresh) {
        *reading = topics->reading;
    }
    topics->fresh = false;
    return fresh;
}
