#include "resolve.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HOST_MAX 255

struct pw_resolve {
    pthread_mutex_t lock;
    struct pw_loop *loop; // NULL once nobody waits any more
    unsigned holders;     // asker and thread; the last one frees
    bool done;
    struct pw_addresses found;
    char host[HOST_MAX + 1];
};

static void release(struct pw_resolve *question)
{
    (void)pthread_mutex_lock(&question->lock);
    unsigned left = --question->holders;
    (void)pthread_mutex_unlock(&question->lock);
    if (left == 0) {
        (void)pthread_mutex_destroy(&question->lock);
        free(question);
    }
}

static void look_up(const char *host, struct pw_addresses *found)
{
    struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    struct addrinfo *list = NULL;
    int rc = getaddrinfo(host, NULL, &hints, &list);
    if (rc != 0) {
        (void)snprintf(found->why, sizeof(found->why), "name not found: %s", gai_strerror(rc));
        return;
    }
    for (const struct addrinfo *at = list; at != NULL && found->count < PW_RESOLVE_MAX;
         at = at->ai_next) {
        rc = getnameinfo(at->ai_addr, at->ai_addrlen, found->text[found->count],
                         PW_RESOLVE_TEXT_SIZE, NULL, 0, NI_NUMERICHOST);
        found->count += rc == 0;
    }
    freeaddrinfo(list);
    if (found->count == 0) {
        (void)snprintf(found->why, sizeof(found->why), "name has no address");
    }
}

static void *run(void *argument)
{
    struct pw_resolve *question = argument;
    struct pw_addresses found = {0};
    look_up(question->host, &found);
    (void)pthread_mutex_lock(&question->lock);
    question->found = found;
    question->done = true;
    if (question->loop != NULL) {
        pw_loop_wake(question->loop);
    }
    (void)pthread_mutex_unlock(&question->lock);
    release(question);
    return NULL;
}

// Detached, and deaf to signals: those are the loop's.
static int start_thread(struct pw_resolve *question)
{
    pthread_t thread;
    pthread_attr_t attributes;
    sigset_t all;
    sigset_t before;
    (void)pthread_attr_init(&attributes);
    (void)pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    int rc = pthread_create(&thread, &attributes, run, question);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    (void)pthread_attr_destroy(&attributes);
    return rc;
}

struct pw_resolve *pw_resolve_start(struct pw_loop *loop, const char *host)
{
    struct pw_resolve *question = calloc(1, sizeof(*question));
    if (question == NULL) {
        return NULL;
    }
    (void)pthread_mutex_init(&question->lock, NULL);
    question->loop = loop;
    question->holders = 2;
    int len = snprintf(question->host, sizeof(question->host), "%s", host);
    PW_ASSERT(len >= 0 && (size_t)len < sizeof(question->host));
    if (start_thread(question) != 0) {
        (void)pthread_mutex_destroy(&question->lock);
        free(question);
        return NULL;
    }
    return question;
}

bool pw_resolve_done(struct pw_resolve *question, struct pw_addresses *addresses)
{
    (void)pthread_mutex_lock(&question->lock);
    bool done = question->done;
    if (done) {
        *addresses = question->found;
    }
    (void)pthread_mutex_unlock(&question->lock);
    return done;
}

socklen_t pw_resolve_socket_address(const char *text, uint16_t port, struct sockaddr_storage *to)
{
    struct sockaddr_in *v4 = (struct sockaddr_in *)to;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)to;
    memset(to, 0, sizeof(*to));
    if (inet_pton(AF_INET, text, &v4->sin_addr) == 1) {
        v4->sin_family = AF_INET;
        v4->sin_port = htons(port);
        return sizeof(*v4);
    }
    if (inet_pton(AF_INET6, text, &v6->sin6_addr) == 1) {
        v6->sin6_family = AF_INET6;
        v6->sin6_port = htons(port);
        return sizeof(*v6);
    }
    return 0;
}

void pw_resolve_drop(struct pw_resolve *question)
{
    if (question == NULL) {
        return;
    }
    (void)pthread_mutex_lock(&question->lock);
    question->loop = NULL;
    (void)pthread_mutex_unlock(&question->lock);
    release(question);
}
