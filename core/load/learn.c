// What a vehicle draws tells what it can use: who draws less than it is offered gives up the rest
// and is asked again from time to time; who draws nothing is full or asleep.
#include "parts.h"

#define DRAWS_MA 500 // a vehicle that charges draws more than this
#define GRAIN_MA 500 // demands are rounded up to this, so that they do not follow each flicker

static void awake(struct pw_load_memory *memory, pw_ms now)
{
    memory->asleep = false;
    memory->probing = false;
    memory->demand_ma = 0;
    memory->learned_at = now;
    memory->drawn_at = now;
}

// How much to offer to a vehicle that draws this.
static int32_t demand_of(const struct run *run, const struct pw_load_member *member)
{
    int64_t ma = (int64_t)member->measured_ma + run->config.margin_ma + GRAIN_MA - 1;
    return (int32_t)pw_clamp(ma / GRAIN_MA * GRAIN_MA, member->min_ma, member->max_ma);
}

static void learn_demand(struct run *run, const struct pw_load_member *member,
                         struct pw_load_memory *memory)
{
    int32_t margin = run->config.margin_ma;
    pw_ms steady =
        memory->offered_since > memory->learned_at ? memory->offered_since : memory->learned_at;
    bool settled = pw_elapsed(steady, run->config.settle_ms, run->now);
    due(run, steady, run->config.settle_ms);
    int32_t demand = demand_of(run, member);
    if (memory->demand_ma > 0 && member->measured_ma + margin / 2 > memory->demand_ma) {
        awake(memory, run->now); // it draws into its margin: it can use more
    } else if (memory->demand_ma > 0 &&
               pw_elapsed(memory->learned_at, run->config.probe_ms, run->now)) {
        awake(memory, run->now);
        memory->probing = true;
    } else if (settled && (memory->demand_ma == 0 || demand < memory->demand_ma) &&
               demand < member->told_ma) {
        memory->demand_ma = demand;
        memory->probing = false;
        memory->learned_at = run->now;
    } else if (settled) {
        memory->probing = false;
    }
    if (memory->demand_ma > 0) {
        due(run, memory->learned_at, run->config.probe_ms);
    }
}

static void learn_draw(struct run *run, const struct pw_load_member *member,
                       struct pw_load_memory *memory)
{
    if (member->measured_ma >= DRAWS_MA) {
        if (memory->asleep) {
            awake(memory, run->now);
        }
        memory->drawn_at = run->now;
        learn_demand(run, member, memory);
        return;
    }
    pw_ms quiet =
        memory->offered_since > memory->drawn_at ? memory->offered_since : memory->drawn_at;
    if (!memory->asleep && pw_elapsed(quiet, run->config.asleep_ms, run->now)) {
        memory->asleep = true;
        memory->probing = false;
        memory->demand_ma = member->min_ma;
        memory->learned_at = run->now;
    }
    due(run, quiet, run->config.asleep_ms);
}

void pw_load_learn(struct run *run, size_t index)
{
    const struct pw_load_member *member = &run->load->member[index];
    struct pw_load_memory *memory = &run->load->memory[index];
    if (member->wants && memory->plugged_at != member->plugged_at) {
        memory->plugged_at = member->plugged_at;
        memory->active = false;
        memory->since = member->plugged_at;
        awake(memory, run->now);
    }
    if (memory->offer_ma != member->told_ma) {
        memory->offer_ma = member->told_ma;
        memory->offered_since = run->now;
    }
    if (!member->reachable || !member->wants) {
        return;
    }
    if (memory->active && member->told_ma > 0 && member->measured_ma >= 0) {
        learn_draw(run, member, memory);
    }
    // Who gave his place up is asked again whether he can use it.
    if (memory->asleep && !memory->active) {
        due(run, memory->learned_at, run->config.probe_ms);
        if (pw_elapsed(memory->learned_at, run->config.probe_ms, run->now)) {
            awake(memory, run->now);
            memory->demand_ma = member->min_ma;
            memory->probing = true;
        }
    }
}
