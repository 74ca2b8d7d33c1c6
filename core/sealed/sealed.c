#include "sealed/sealed.h"

#include <string.h>

struct name {
    char text[sizeof("store/") + PW_STORE_KEY_MAX];
};

static struct pw_str name_of(struct pw_str key, struct name *name)
{
    struct pw_out out = PW_OUT(name->text);
    pw_put_s(&out, "store/");
    pw_put(&out, key);
    PW_ASSERT(!out.full);
    return pw_out_str(&out);
}

// Opens the `len` bytes in the room to `to`; what cannot be opened is said so.
static int open_room(struct pw_sealed *sealed, struct pw_str key, int len, char *to, size_t cap)
{
    struct name name;
    const struct pw_str value = {.at = sealed->room, .len = (size_t)len};
    int opened = sealed->secret->open(sealed->secret->context, name_of(key, &name), value, to, cap);
    if (opened < 0 && opened != PW_ERR_LIMIT) {
        if (cap == 0) {
            return PW_ERR_LIMIT;
        }
        to[0] = PW_SEALED_LOCKED[0];
        return 1;
    }
    return opened;
}

static int get(void *context, struct pw_str key, char *to, size_t cap)
{
    struct pw_sealed *sealed = context;
    if (!sealed->is_secret(key)) {
        return sealed->below.get(sealed->below.context, key, to, cap);
    }
    int len = sealed->below.get(sealed->below.context, key, sealed->room, sizeof(sealed->room));
    return len < 0 ? len : open_room(sealed, key, len, to, cap);
}

static int next(void *context, struct pw_str prefix, struct pw_str after, char *key, char *to,
                size_t cap)
{
    struct pw_sealed *sealed = context;
    char found[PW_STORE_KEY_MAX + 1];
    int len = sealed->below.next(sealed->below.context, prefix, after, found, sealed->room,
                                 sizeof(sealed->room));
    if (len < 0) {
        return len;
    }
    if (sealed->is_secret(pw_str_of(found))) {
        len = open_room(sealed, pw_str_of(found), len, to, cap);
    } else if ((size_t)len > cap) {
        len = PW_ERR_LIMIT;
    } else {
        memcpy(to, sealed->room, (size_t)len);
    }
    if (len >= 0) {
        memcpy(key, found, sizeof(found));
    }
    return len;
}

static int seal_into(struct pw_sealed *sealed, struct pw_store_change *change, char *to)
{
    struct name name;
    int len = sealed->secret->seal(sealed->secret->context, name_of(change->key, &name),
                                   change->value, to, PW_STORE_VALUE_MAX);
    if (len >= 0) {
        change->value = (struct pw_str){.at = to, .len = (size_t)len};
    }
    return len;
}

static int64_t write(void *context, const struct pw_store_change *changes, size_t count)
{
    struct pw_sealed *sealed = context;
    struct pw_store_change below[PW_STORE_BATCH_MAX];
    size_t secrets = 0;
    PW_ASSERT(count > 0 && count <= PW_STORE_BATCH_MAX);
    for (size_t i = 0; i < count; i++) {
        below[i] = changes[i];
        if (changes[i].remove || !sealed->is_secret(changes[i].key)) {
            continue;
        }
        int err = secrets < PW_SEALED_SECRETS ? seal_into(sealed, &below[i], sealed->batch[secrets])
                                              : PW_ERR_LIMIT;
        if (err < 0) {
            return err;
        }
        secrets++;
    }
    return sealed->below.write(sealed->below.context, below, count);
}

static int64_t durable(void *context)
{
    const struct pw_sealed *sealed = context;
    return sealed->below.durable(sealed->below.context);
}

static int able(void *context)
{
    const struct pw_sealed *sealed = context;
    return sealed->below.able != NULL ? sealed->below.able(sealed->below.context) : PW_OK;
}

void pw_sealed_init(struct pw_sealed *sealed, const struct pw_store *below,
                    const struct pw_secret *secret, bool (*is_secret)(struct pw_str key))
{
    *sealed = (struct pw_sealed){
        .port = {.context = sealed,
                 .write = write,
                 .durable = durable,
                 .able = able,
                 .get = get,
                 .next = next},
        .below = *below,
        .secret = secret,
        .is_secret = is_secret,
    };
}

// ---------------------------------------------------------------------------------------------

static void say_locked(const struct pw_log *log, const char *key, int err)
{
    struct pw_line line;
    pw_line(&line, log, PW_LOG_ERROR, "vault", "locked");
    pw_line_s(&line, "secret", key);
    pw_line_s(&line, "why",
              err == PW_ERR_UNKNOWN ? "it is sealed with a key that this device "
                                      "does not have: give it anew"
                                    : "it is damaged, or was not sealed here: give "
                                      "it anew");
    pw_line_end(&line);
}

// Looks at the secret in the room.
static void look(struct pw_sealed *sealed, const char *key, int len, struct pw_sealed_walk *walk,
                 const struct pw_log *log)
{
    struct name name;
    char *plain = sealed->batch[1];
    const struct pw_secret *secret = sealed->secret;
    const struct pw_str value = {.at = sealed->room, .len = (size_t)len};
    struct pw_store_change change = {.key = pw_str_of(key)};
    int opened = secret->open(secret->context, name_of(change.key, &name), value, plain,
                              sizeof(sealed->batch[1]));
    walk->secrets++;
    if (opened < 0) {
        walk->locked++;
        say_locked(log, key, opened);
        return;
    }
    if (secret->stale(secret->context, value)) {
        change.value = (struct pw_str){.at = plain, .len = (size_t)opened};
        int err = seal_into(sealed, &change, sealed->batch[0]);
        int64_t ticket = err < 0 ? err : sealed->below.write(sealed->below.context, &change, 1);
        walk->ticket = walk->ticket < 0 || ticket < 0 ? PW_ERR_STORE : ticket;
        walk->renewed++;
    }
    pw_secret_wipe(plain, sizeof(sealed->batch[1]));
}

struct pw_sealed_walk pw_sealed_walk(struct pw_sealed *sealed, struct pw_str prefix,
                                     const struct pw_log *log)
{
    struct pw_sealed_walk walk = {.ticket = 0};
    char key[PW_STORE_KEY_MAX + 1] = "";
    char after[PW_STORE_KEY_MAX + 1] = "";
    for (;;) {
        int len = sealed->below.next(sealed->below.context, prefix, pw_str_of(after), key,
                                     sealed->room, sizeof(sealed->room));
        if (len < 0) {
            walk.ticket = len == PW_ERR_UNKNOWN ? walk.ticket : PW_ERR_STORE;
            return walk;
        }
        if (sealed->is_secret(pw_str_of(key))) {
            look(sealed, key, len, &walk, log);
        }
        memcpy(after, key, sizeof(after));
    }
}
