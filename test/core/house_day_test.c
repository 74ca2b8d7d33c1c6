// Days of houses with a 1 s grain, with our controller, the seed's, and a naive one: what the
// breaker saw, what the car got, how often the contactor worked. Prints the table of doc/house.md.
#include "house_day.h"
#include "test.h"

#include <stdlib.h>
#include <string.h>

#define SEEDS 4

// clang-format off
static const struct trace_house houses[] = {
    {"flat, 16 A",      16, 4, 0.5, 1, 1, 0, 0,   0},
    {"house, 20 A",     20, 6, 1,   2, 2, 0, 0,   0},
    {"family, 25 A",    25, 8, 1,   2, 3, 1, 0,   0},
    {"electric, 35 A",  35, 6, 1,   2, 2, 1, 6,   0},
    {"roof, 25 A",      25, 6, 1,   2, 2, 1, 0,  14},
};
static const struct day_car cars[] = {
    {"1-phase 32 A, quick",  1, 32, 1.00, 0.5, 5, 1e6},
    {"3-phase 16 A",         7, 16, 0.97, 2,   8, 1e6},
    {"2-phase 16 A, 5 s",    3, 16, 0.95, 5,  10, 1e6},
    {"3-phase 32 A, sleepy", 7, 32, 1.00, 4,  45, 1e6},
    {"1-phase 16 A, tapers", 4, 16, 0.97, 3,   8, 60},
};
// clang-format on

static struct trace trace;

static void add(struct day_result *sum, const struct day_result *one)
{
    sum->kwh += one->kwh;
    sum->best_kwh += one->best_kwh;
    sum->above_wh += one->above_wh;
    sum->over_113_s = one->over_113_s > sum->over_113_s ? one->over_113_s : sum->over_113_s;
    sum->over_145_s = one->over_145_s > sum->over_145_s ? one->over_145_s : sum->over_145_s;
    sum->heat_percent =
        one->heat_percent > sum->heat_percent ? one->heat_percent : sum->heat_percent;
    sum->cycles = one->cycles > sum->cycles ? one->cycles : sum->cycles;
    sum->decisions += one->decisions;
}

static void print_row(const char *name, const struct day_result *r)
{
    printf("| %-22s | %6.1f %% | %7.1f | %5d s | %5d s | %5.0f %% | %4d |\n", name,
           r->kwh / r->best_kwh * 100, r->above_wh / ((double)PW_COUNT(cars) * SEEDS),
           r->over_113_s, r->over_145_s, r->heat_percent, r->cycles);
}

static struct day_result one_house(const struct trace_house *house, struct day_controller *who)
{
    struct day_result sum = {.kwh = 0};
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        trace_make(&trace, house, seed);
        for (size_t c = 0; c < PW_COUNT(cars); c++) {
            struct day_result r = day_run(&trace, house, &cars[c], who);
            if (getenv("PW_HOUSE_ALL") != NULL) {
                char name[80];
                (void)snprintf(name, sizeof(name), "%s %d %s", who->name, (int)seed, cars[c].name);
                print_row(name, &r);
            }
            add(&sum, &r);
        }
    }
    return sum;
}

static void the_table_of_results(void **state)
{
    struct day_controller *const all[] = {&day_ours, &day_ampere, &day_seed, &day_proportional};
    (void)state;
    for (size_t h = 0; h < PW_COUNT(houses); h++) {
        printf("%s\n", houses[h].name);
        for (size_t c = 0; c < PW_COUNT(all); c++) {
            struct day_result r = one_house(&houses[h], all[c]);
            print_row(all[c]->name, &r);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_table_of_results),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
