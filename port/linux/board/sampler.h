// sampler: a thread that reads converters and thermometers of a native board from their files, so
// that a bus that hangs never holds the loop, and that ticks while it does. Private to this room.
// Sources: Linux ABI, sysfs-bus-iio and hwmon.
#ifndef PW_LINUX_BOARD_SAMPLER_H
#define PW_LINUX_BOARD_SAMPLER_H

#include "board/file.h"

#include <pthread.h>
#include <stdatomic.h>

#define PW_SAMPLER_PROBES_MS 1000 // between readings of the thermometers

enum pw_sampler_channel {
    PW_SAMPLER_CP_HIGH,
    PW_SAMPLER_CP_LOW,
    PW_SAMPLER_PP,
    PW_SAMPLER_CHANNELS
};

struct pw_sample {
    pw_ms at;                           // monotonic clock of the system
    bool whole;                         // all channels that the file names were read
    int16_t count[PW_SAMPLER_CHANNELS]; // INT16_MIN: there is no such channel
    int32_t temp_dc[PW_BOARD_PROBES];   // PW_BOARD_UNKNOWN: no reading
};

struct pw_sampler {
    int channel[PW_SAMPLER_CHANNELS]; // -1: none
    int probe[PW_BOARD_PROBES];
    int32_t every_ms;
    int wake;                    // eventfd, readable when a sample is new
    void (*tick)(void *context); // on the thread, every every_ms
    void *context;
    pthread_t thread;
    bool open;
    bool running;
    atomic_bool end;
    pthread_mutex_t lock; // over `latest`
    struct pw_sample latest;
};

// Milliseconds of the system's monotonic clock.
pw_ms pw_sampler_clock(void);

// Opens the files and starts the thread. On an error nothing is held and `why` names the file.
PW_MUST_USE int pw_sampler_open(struct pw_sampler *sampler, const struct pw_board_file *file,
                                void (*tick)(void *context), void *context, struct pw_out *why);
void pw_sampler_close(struct pw_sampler *sampler); // waits for a reading; harmless when zeroed

// The newest sample; `wake` is quiet afterwards.
struct pw_sample pw_sampler_take(struct pw_sampler *sampler);

#endif
