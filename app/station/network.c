#include "network.h"

#include <string.h>
#include <sys/random.h>

static int fill_random(void *context, uint8_t *to, size_t len)
{
    (void)context;
    return getrandom(to, len, 0) == (ssize_t)len ? PW_OK : PW_ERR_BUG;
}

const struct pw_network_port network_port = {.random = fill_random};

static void take_facts(void *context, const struct pw_wireless_facts *facts)
{
    struct network *network = context;
    pw_network_facts(&network->station->network, facts);
    network->told = true;
}

static void take_found(void *context, const struct pw_wireless_found *found, size_t count,
                       pw_ms now)
{
    struct network *network = context;
    pw_network_found(&network->station->network, found, count, now);
    network->told = true;
}

static void take_end(void *context, uint32_t number, enum pw_wireless_end end, struct pw_str why)
{
    struct network *network = context;
    pw_network_ended(&network->station->network, number, end, why);
    network->told = true;
}

int network_open(struct network *network, struct pw_loop *loop, const struct pw_log *log,
                 struct pw_out *why)
{
    const struct pw_netman_sink sink = {
        .context = network, .facts = take_facts, .found = take_found, .ended = take_end};
    if (pw_settings_int(&network->station->settings, PW_SET_NET_MANAGED) == 0) {
        return PW_OK;
    }
    network->netman = pw_netman_open(loop, log, &sink);
    if (network->netman == NULL) {
        pw_put_s(why, "out of memory");
        return PW_ERR_LIMIT;
    }
    return PW_OK;
}

void network_close(struct network *network)
{
    pw_netman_close(network->netman);
    network->netman = NULL;
}

pw_ms network_step(struct network *network, pw_ms now, bool *busy)
{
    if (network->netman == NULL) {
        return PW_NEVER;
    }
    network->told = false;
    pw_ms at = pw_netman_step(network->netman, now);
    *busy = *busy || network->told;
    return at;
}

pw_ms network_flush(struct network *network, pw_ms now)
{
    struct pw_wireless_order order;
    if (network->netman == NULL || !pw_network_take_order(&network->station->network, &order)) {
        return PW_NEVER;
    }
    pw_netman_order(network->netman, &order);
    explicit_bzero(&order, sizeof(order));
    return now;
}
