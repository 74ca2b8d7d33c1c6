#include "house_trace.h"

#include <math.h>
#include <string.h>

static uint64_t random_state;

static double chance(void)
{
    random_state ^= random_state << 13U;
    random_state ^= random_state >> 7U;
    random_state ^= random_state << 17U;
    return (double)(random_state >> 11U) / 9007199254740992.0;
}

static double between(double low, double high)
{
    return low + (high - low) * chance();
}

static double gauss(void)
{
    return sqrt(-2.0 * log(chance() + 1e-12)) * cos(6.283185307179586 * chance());
}

static int poisson(double mean)
{
    int count = 0;
    double product = chance();
    for (double floor = exp(-mean); product > floor && count < 100; count++) {
        product *= chance();
    }
    return count;
}

// Two of three events in the hours 6 to 9 and 17 to 22.
static int moment(void)
{
    double hour = between(0, 24);
    if (chance() < 0.66) {
        hour = chance() < 0.4 ? between(6, 9) : between(17, 22);
    }
    return (int)(hour * 3600);
}

static void add(struct trace *trace, int from, int seconds, unsigned phases, double amps)
{
    for (int t = from; t < from + seconds && t < trace->seconds; t++) {
        for (unsigned p = 0; t >= 0 && p < PW_HOUSE_PHASES; p++) {
            trace->amps[t][p] += ((phases >> p) & 1U) != 0 ? amps : 0.0;
        }
    }
}

static void oven(struct trace *trace, int at)
{
    add(trace, at, 600, 2, 11);
    for (int t = at + 690; t < at + 3300; t += 150) {
        add(trace, t, 60, 2, 11);
    }
}

static void hob(struct trace *trace, int at)
{
    int period = (int)between(4, 13);
    double amps = between(3, 10);
    for (int t = at; t < at + 1500; t += period) {
        add(trace, t, period / 2, 5, amps);
    }
}

static void base(struct trace *trace)
{
    int fridge = (int)between(0, 3600);
    for (unsigned p = 0; p < PW_HOUSE_PHASES; p++) {
        double mean = between(0.3, 0.9);
        double noise = 0;
        for (int t = 0; t < trace->seconds; t++) {
            noise += -noise / 10 + gauss() * 0.045;
            trace->amps[t][p] = fmax(mean + noise, 0.05);
        }
    }
    for (int t = fridge; t < trace->seconds; t += 3600) {
        add(trace, t, 1200, 1, 0.7);
        add(trace, t, 1, 1, 5.3);
    }
}

static void roof(struct trace *trace, double peak)
{
    double cloud = 1;
    double goes_to = 1;
    for (int t = 0; t < trace->seconds; t++) {
        double sun = sin((t / 3600.0 - 6) / 12 * 3.141592653589793);
        if (chance() < 1.0 / 180) {
            goes_to = between(0.15, 1);
        }
        cloud += (goes_to - cloud) / 20;
        for (unsigned p = 0; p < PW_HOUSE_PHASES; p++) {
            trace->amps[t][p] -= (fmax(sun, 0) * peak * cloud);
        }
    }
}

void trace_make(struct trace *trace, const struct trace_house *house, uint64_t seed)
{
    memset(trace, 0, sizeof(*trace));
    trace->seconds = TRACE_DAY;
    random_state = seed * 0x9E3779B97F4A7C15U + 1;
    base(trace);
    for (int n = poisson(house->kettles); n > 0; n--) {
        add(trace, moment(), (int)between(120, 240), 1U << (unsigned)between(0, 2.999), 8.7);
    }
    for (int n = poisson(house->ovens); n > 0; n--) {
        oven(trace, moment());
    }
    for (int n = poisson(house->hobs); n > 0; n--) {
        hob(trace, moment());
    }
    for (int n = poisson(house->machines); n > 0; n--) {
        int at = moment();
        add(trace, at, 1200, 4, 9);
        add(trace, at + 1200, 3600, 4, 1.5);
    }
    for (int t = (int)between(0, 3600); house->heat_pumps > 0 && t < TRACE_DAY; t += 3600) {
        add(trace, t, 1200, 7, 5);
    }
    for (int n = poisson(house->heaters); n > 0; n--) {
        add(trace, moment(), (int)between(180, 480), 7, 20);
    }
    // The people of the house know their breaker without a car.
    for (int t = 0; t < TRACE_DAY; t++) {
        for (unsigned p = 0; p < PW_HOUSE_PHASES; p++) {
            trace->amps[t][p] = fmin(trace->amps[t][p], house->breaker_a * 1.02);
        }
    }
    if (house->solar_a > 0) {
        roof(trace, house->solar_a);
    }
}

int trace_load(struct trace *trace, FILE *file)
{
    char line[200];
    memset(trace, 0, sizeof(*trace));
    while (trace->seconds < TRACE_DAY && fgets(line, sizeof(line), file) != NULL) {
        double when = 0;
        double amps[PW_HOUSE_PHASES];
        if (sscanf(line, "%lf,%lf,%lf,%lf", &when, &amps[0], &amps[1], &amps[2]) != 4) {
            continue;
        }
        for (unsigned p = 0; p < PW_HOUSE_PHASES; p++) {
            trace->amps[trace->seconds][p] = amps[p];
        }
        trace->seconds++;
    }
    return trace->seconds;
}
