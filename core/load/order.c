// What one member was told. A lease counts at the member from the order's arrival, which lies
// somewhere between its leaving and its acknowledgement: for what it may take we reckon with the
// later end, for what it surely keeps to with the earlier one.
#include "load/load.h"

// Who falls back up must not do so before whoever stood above his fall-back has come down. At worst
// the first was lost just before a renewal, the loss was noticed after the flight time, and the
// other one was lost just before he could be told.
static uint32_t lease_of(const struct pw_load_order *order, int32_t ma)
{
    uint32_t later = order->lease_ms / 3 + PW_LOAD_FLIGHT_MS + PW_LOAD_FOLLOW_MS;
    return ma < order->wanted_failsafe_ma ? order->lease_ms + later : order->lease_ms;
}

void pw_load_order_init(struct pw_load_order *order, int32_t failsafe_ma, int32_t known_ma,
                        uint32_t lease_ms, pw_ms now)
{
    PW_ASSERT(failsafe_ma >= 0 && known_ma >= 0);
    *order = (struct pw_load_order){
        .lease_ms = lease_ms != 0 ? lease_ms : PW_LOAD_LEASE_MS,
        .failsafe_ma = failsafe_ma,
        .wanted_failsafe_ma = failsafe_ma,
        .sent_failsafe_ma = failsafe_ma,
        .told_ma = known_ma,
        .out = 1, // of a life before, for all we know
        .out_ma = known_ma,
    };
    order->out_until = pw_after(now, (pw_ms)lease_of(order, known_ma) + PW_LOAD_FLIGHT_MS);
}

void pw_load_order_fall_back_to(struct pw_load_order *order, int32_t failsafe_ma)
{
    PW_ASSERT(failsafe_ma >= 0);
    order->wanted_failsafe_ma = failsafe_ma;
    order->failsafe_ma = (int32_t)pw_max(order->failsafe_ma, failsafe_ma);
}

void pw_load_order_joined(struct pw_load_order *order, pw_ms now)
{
    order->asked_since = now;
}

uint32_t pw_load_order_send(struct pw_load_order *order, int32_t ma, pw_ms now)
{
    uint32_t lease = lease_of(order, ma);
    pw_ms until = pw_after(now, (pw_ms)lease + PW_LOAD_FLIGHT_MS);
    order->out_until = order->out > 0 && order->out_until > until ? order->out_until : until;
    order->out_ma = order->out > 0 ? (int32_t)pw_max(order->out_ma, ma) : ma;
    order->out = (uint8_t)pw_min(order->out + 1, UINT8_MAX);
    order->asked_since = order->asked ? order->asked_since : now;
    order->asked = true;
    order->asked_at = now;
    order->asked_lease_ms = lease;
    order->sent_failsafe_ma = order->wanted_failsafe_ma;
    order->told_ma = ma;
    return lease;
}

void pw_load_order_ack(struct pw_load_order *order, pw_ms now)
{
    if (!order->asked) {
        return;
    }
    int32_t before = pw_load_order_held(order, true, now);
    uint32_t lease = order->asked_lease_ms;
    order->failsafe_ma = (int32_t)pw_max(order->sent_failsafe_ma, order->wanted_failsafe_ma);
    order->asked = false;
    order->out = 0; // what left before it arrived before it
    order->acked = true;
    order->acked_ma = order->told_ma;
    order->acked_until = pw_after(now, lease);
    order->sure_until = pw_after(order->asked_at, lease);
    if (before > order->acked_ma) {
        order->fading_ma = before;
        order->fading_until = pw_after(now, PW_LOAD_FOLLOW_MS);
    }
}

static bool leased(const struct pw_load_order *order, pw_ms now)
{
    return order->acked && now < order->acked_until;
}

void pw_load_order_refused(struct pw_load_order *order, pw_ms now)
{
    if (!order->asked) {
        return;
    }
    order->asked = false;
    order->out = order->out == 1 ? 0 : order->out; // of several one may stand
    order->told_ma = leased(order, now) ? order->acked_ma : order->failsafe_ma;
}

// It has a lease that does not end before we would notice its loss and others could make room.
static bool sure(const struct pw_load_order *order, pw_ms now)
{
    return order->acked && pw_after(now, order->lease_ms / 3) < order->sure_until;
}

static bool is_out(const struct pw_load_order *order, pw_ms now)
{
    return order->out > 0 && now < order->out_until;
}

int32_t pw_load_order_held(const struct pw_load_order *order, bool reachable, pw_ms now)
{
    int64_t held = leased(order, now) ? order->acked_ma : 0;
    held = is_out(order, now) ? pw_max(held, order->out_ma) : held;
    held = now < order->fading_until ? pw_max(held, order->fading_ma) : held;
    if (!reachable || !sure(order, now)) {
        held = pw_max(held, order->failsafe_ma);
    }
    return (int32_t)held;
}

// False when an order has been without an answer for a third of the lease.
static bool answers(const struct pw_load_order *order, pw_ms now)
{
    return !order->asked || !pw_elapsed(order->asked_since, order->lease_ms / 3, now);
}

// True when nothing but the fail-safe limit holds any more: every lease is over.
static bool lapsed(const struct pw_load_order *order, pw_ms now)
{
    return !leased(order, now) && !is_out(order, now) && now >= order->fading_until;
}

void pw_load_order_step(struct pw_load_order *order, pw_ms now)
{
    if (order->told_ma != order->failsafe_ma && lapsed(order, now)) {
        order->told_ma = order->failsafe_ma;
        order->asked = false;
        order->acked = false;
        order->out = 0;
    }
}

// When the order is to be sent again: a third of the lease after the last.
static pw_ms renew_at(const struct pw_load_order *order)
{
    bool never = !order->asked && !order->acked;
    bool stale = order->sent_failsafe_ma != order->wanted_failsafe_ma;
    return never || stale ? 0 : pw_after(order->asked_at, order->lease_ms / 3);
}

pw_ms pw_load_order_deadline(const struct pw_load_order *order, pw_ms now)
{
    pw_ms third = order->lease_ms / 3;
    const pw_ms ends[] = {
        order->acked ? order->acked_until : 0,
        order->acked && order->sure_until > third ? order->sure_until - third : 0,
        order->out > 0 ? order->out_until : 0,
        order->asked ? pw_after(order->asked_since, third) : 0,
        order->fading_until,
    };
    pw_ms next = PW_NEVER;
    for (size_t i = 0; i < PW_COUNT(ends); i++) {
        next = ends[i] > now ? pw_earlier(next, ends[i]) : next;
    }
    return next;
}

void pw_load_order_tell(struct pw_load_member *member, const struct pw_load_order *order,
                        bool linked, pw_ms now)
{
    member->reachable = linked && answers(order, now);
    member->told_ma = order->told_ma;
    member->held_ma = pw_load_order_held(order, member->reachable, now);
    member->failsafe = lapsed(order, now);
}

bool pw_load_order_wanted(const struct pw_load_order *order, int32_t send_ma, pw_ms now)
{
    return send_ma != order->told_ma || now >= renew_at(order);
}
