#include "derive.h"

#include "central_crypto.h"

#include <openssl/crypto.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define GIVES_WAY    10  // nice value of the thread
#define PASSWORD_MAX 512 // bytes: 128 characters

struct job {
    uint64_t number;
    char password[PASSWORD_MAX];
    size_t len;
    uint8_t salt[16];
    unsigned cost;
    int result;
    uint8_t bytes[32];
};

struct pw_derive {
    struct pw_central_crypto crypto;
    struct pw_loop *loop;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t more;
    bool end;
    // A ring: `done` from `first` on are finished, the rest of `count` wait.
    struct job job[PW_CENTRAL_DERIVE_MAX];
    size_t first, done, count;
};

static struct job *job_at(struct pw_derive *derive, size_t i)
{
    return &derive->job[(derive->first + i) % PW_CENTRAL_DERIVE_MAX];
}

static void *run(void *argument)
{
    struct pw_derive *derive = argument;
    (void)setpriority(PRIO_PROCESS, (id_t)gettid(), GIVES_WAY); // of this thread alone
    (void)pthread_mutex_lock(&derive->lock);
    while (!derive->end) {
        if (derive->done == derive->count) {
            (void)pthread_cond_wait(&derive->more, &derive->lock);
            continue;
        }
        // Nobody else touches a job that waits: the lock is free while it is worked on.
        struct job *job = job_at(derive, derive->done);
        (void)pthread_mutex_unlock(&derive->lock);
        struct pw_str password = {.at = job->password, .len = job->len};
        job->result =
            pw_central_crypto_openssl.derive(NULL, password, job->salt, job->cost, job->bytes);
        OPENSSL_cleanse(job->password, sizeof(job->password));
        (void)pthread_mutex_lock(&derive->lock);
        derive->done++;
        pw_loop_wake(derive->loop);
    }
    (void)pthread_mutex_unlock(&derive->lock);
    return NULL;
}

static int later(void *context, uint64_t number, struct pw_str password, const uint8_t salt[16],
                 unsigned cost)
{
    struct pw_derive *derive = context;
    (void)pthread_mutex_lock(&derive->lock);
    bool taken = derive->count < PW_CENTRAL_DERIVE_MAX && password.len <= PASSWORD_MAX;
    if (taken) {
        struct job *job = job_at(derive, derive->count++);
        *job = (struct job){.number = number, .len = password.len, .cost = cost};
        memcpy(job->password, password.at != NULL ? password.at : "", password.len);
        memcpy(job->salt, salt, sizeof(job->salt));
        (void)pthread_cond_signal(&derive->more);
    }
    (void)pthread_mutex_unlock(&derive->lock);
    return taken ? PW_OK : PW_ERR_LIMIT;
}

void pw_derive_turn(struct pw_derive *derive, struct pw_central *central, struct pw_instant at)
{
    for (;;) {
        struct job job;
        (void)pthread_mutex_lock(&derive->lock);
        bool any = derive->done > 0;
        if (any) {
            job = *job_at(derive, 0);
            OPENSSL_cleanse(job_at(derive, 0), sizeof(job));
            derive->first = (derive->first + 1) % PW_CENTRAL_DERIVE_MAX;
            derive->done--;
            derive->count--;
        }
        (void)pthread_mutex_unlock(&derive->lock);
        if (!any) {
            return;
        }
        pw_central_derived(central, job.number, job.result == PW_OK ? job.bytes : NULL, at);
        OPENSSL_cleanse(&job, sizeof(job));
    }
}

// Deaf to signals: those are the loop's.
static int start_thread(struct pw_derive *derive)
{
    sigset_t all;
    sigset_t before;
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    int rc = pthread_create(&derive->thread, NULL, run, derive);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    return rc == 0 ? PW_OK : PW_ERR_LIMIT;
}

int pw_derive_open(struct pw_derive **derive, struct pw_loop *loop)
{
    struct pw_derive *made = calloc(1, sizeof(*made));
    if (made == NULL) {
        return PW_ERR_LIMIT;
    }
    made->loop = loop;
    made->crypto = pw_central_crypto_openssl;
    made->crypto.context = made;
    made->crypto.derive_later = later;
    (void)pthread_mutex_init(&made->lock, NULL);
    (void)pthread_cond_init(&made->more, NULL);
    if (start_thread(made) != PW_OK) {
        (void)pthread_cond_destroy(&made->more);
        (void)pthread_mutex_destroy(&made->lock);
        free(made);
        return PW_ERR_LIMIT;
    }
    *derive = made;
    return PW_OK;
}

void pw_derive_close(struct pw_derive *derive)
{
    if (derive == NULL) {
        return;
    }
    (void)pthread_mutex_lock(&derive->lock);
    derive->end = true;
    (void)pthread_cond_signal(&derive->more);
    (void)pthread_mutex_unlock(&derive->lock);
    (void)pthread_join(derive->thread, NULL);
    (void)pthread_cond_destroy(&derive->more);
    (void)pthread_mutex_destroy(&derive->lock);
    OPENSSL_cleanse(derive->job, sizeof(derive->job));
    free(derive);
}

const struct pw_central_crypto *pw_derive_crypto(const struct pw_derive *derive)
{
    return &derive->crypto;
}
