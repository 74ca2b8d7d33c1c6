// tags: who may charge. The authorisation cache (what the central system has said about cards that
// came by), the local list (what it has said beforehand), and the rules that make of both an
// answer. It knows no protocol: whoever speaks with a central system translates.
//
// Of the list only the version is in RAM: a card is looked up in the store. An update is in force
// whole or not at all, whatever the power does. The cache is in RAM and in the store, one record a
// card.
// Sources: OCPP 1.6 edition 2 §3.5, §4.1, §5.4, §5.10, §5.15, §7.28, errata 3.4, 3.23, 3.52.
//
// Keys: "list" what is in force, "l/<generation>/<tag>" an entry, "ld/<n>" a change promised,
// "cache" the cache's epoch, "c/<slot>" a card of the cache.
#ifndef PW_TAGS_H
#define PW_TAGS_H

#include "base/base.h"
#include "settings/settings.h"
#include "store/store.h"

#define PW_TAG_SIZE       21   // an idTag and its NUL
#define PW_TAGS_LIST_MAX  1000 // entries of the local list (LocalAuthListMaxLength)
#define PW_TAGS_SEND_MAX  80   // changes in one update (SendLocalListMaxLength)
#define PW_TAGS_CACHE_MAX 100  // cards in the cache

// What the central system thinks of a card; ACCEPTED first.
enum pw_tag_status {
    PW_TAG_ACCEPTED,
    PW_TAG_BLOCKED,
    PW_TAG_EXPIRED,
    PW_TAG_INVALID,
    PW_TAG_CONCURRENT_TX,
};

// A card. idTags compare without case.
struct pw_tag {
    char id_tag[PW_TAG_SIZE];
    char parent[PW_TAG_SIZE]; // its group; "": none
    enum pw_tag_status status;
    pw_unix_ms expires; // 0: never
};

enum pw_tags_place { PW_TAGS_NOWHERE, PW_TAGS_IN_LIST, PW_TAGS_IN_CACHE };

const char *pw_tag_status_name(enum pw_tag_status status); // "accepted", "blocked"...

// ---------------------------------------------------------------------------------------------
// The rules: a table over what is known and what the settings say. Pure.

enum pw_tags_verdict {
    PW_TAGS_ACCEPT,
    PW_TAGS_REFUSE,
    PW_TAGS_ASK, // the central system decides
};

struct pw_tags_question {
    bool online;            // the central system can be asked
    bool pre_authorise;     // LocalPreAuthorize
    bool authorise_offline; // LocalAuthorizeOffline
    bool unknown_offline;   // AllowOfflineTxForUnknownId
    enum pw_tags_place place;
    enum pw_tag_status status; // as found there; without meaning for NOWHERE
};

enum pw_tags_verdict pw_tags_judge(const struct pw_tags_question *question);

// Good for a charge. In the list ConcurrentTx is (§3.5.2: it marks a valid card); in the cache it
// is the last answer, and that was a refusal.
bool pw_tags_is_valid(enum pw_tags_place place, enum pw_tag_status status);

// ---------------------------------------------------------------------------------------------
// The room.

struct pw_tags_slot {
    struct pw_tag tag; // id_tag "": free
    uint32_t used;     // grows with every use; the least goes first
};

// One change of the list.
struct pw_tags_change {
    struct pw_tag tag;
    bool remove; // only tag.id_tag counts
};

enum pw_tags_kind { PW_TAGS_FULL, PW_TAGS_DIFFERENTIAL };

// How an update ends, or why it does not begin.
enum pw_tags_update {
    PW_TAGS_UPDATED,
    PW_TAGS_UPDATING, // it is in force once pw_tags_updated says so
    PW_TAGS_FAILED,
    PW_TAGS_VERSION_MISMATCH,
    PW_TAGS_NOT_SUPPORTED, // LocalAuthListEnabled is false
};

// The list in force.
struct pw_tags_list {
    int32_t version; // 0: there never was one
    uint32_t count;
    uint32_t generation;
    uint32_t promised; // changes under "ld/" that are decided and not all made
};

struct pw_tags {
    const struct pw_settings *settings;
    const struct pw_store *store;
    const struct pw_log *log;
    struct pw_tags_list list;
    // An update under way: its changes, what will be in force, how far it has come.
    struct pw_tags_change change[PW_TAGS_SEND_MAX];
    uint32_t changes;
    uint8_t stage;
    uint32_t cursor;
    int64_t ticket; // the next stage waits until this is durable; 0: for nothing
    struct pw_tags_list next;
    enum pw_tags_update outcome; // of the last update
    uint32_t highest;            // generation that was ever begun: none is begun twice
    bool sweeping;               // entries of other generations are being removed
    int64_t swept;               // ... and the last ones are gone once this is durable
    bool conflict;               // the list and the central system disagreed about a card
    // The cache.
    struct pw_tags_slot cache[PW_TAGS_CACHE_MAX];
    uint32_t epoch;
    uint32_t uses;
};

// Reads cache and list; an update that the power cut off is carried through, or forgotten. All
// pointers outlive the room. PW_ERR_STORE when the store cannot be read; a damaged record is
// left out and said in the log.
PW_MUST_USE int pw_tags_init(struct pw_tags *tags, const struct pw_settings *settings,
                             const struct pw_store *store, const struct pw_log *log);

// Carries on with what waits for the disk. True while there is more to do.
bool pw_tags_step(struct pw_tags *tags);

// Looks a card up: the list counts before the cache. *found has the status as it is at `wall`: a
// card whose date is over, or that has one while the date is not known (wall 0), is expired.
enum pw_tags_place pw_tags_find(const struct pw_tags *tags, struct pw_str id_tag, pw_unix_ms wall,
                                struct pw_tag *found);
// May this card charge? *known is what is known of it here (parent "" when nothing is).
enum pw_tags_verdict pw_tags_decide(struct pw_tags *tags, struct pw_str id_tag, bool online,
                                    pw_unix_ms wall, struct pw_tag *known);
// The central system has told this of a card (in any answer). Goes into the cache unless the list
// has the card; what contradicts the list sets `conflict`.
void pw_tags_learn(struct pw_tags *tags, const struct pw_tag *news, pw_unix_ms wall);

// Forgets the cache. The ticket that makes it last, or PW_ERR_BUSY (AuthorizationCacheEnabled is
// false) or PW_ERR_STORE: it is as it was.
PW_MUST_USE int64_t pw_tags_clear_cache(struct pw_tags *tags);
uint32_t pw_tags_cached(const struct pw_tags *tags); // cards in the cache

// The version of the list: 0 when it is empty, -1 when it is switched off (§5.10).
int32_t pw_tags_version(const struct pw_tags *tags);

// An update: begin, add each change, commit. `add` refuses with PW_ERR_LIMIT more than
// PW_TAGS_SEND_MAX, with PW_ERR_RANGE a card twice, an empty or long id, a removal in a full list.
// After a refusal, or for any other reason not to go on, leave it: commit is what counts.
// begin: PW_ERR_BUSY while the last one is not in force yet.
PW_MUST_USE int pw_tags_update_begin(struct pw_tags *tags);
PW_MUST_USE int pw_tags_update_add(struct pw_tags *tags, const struct pw_tags_change *change,
                                   enum pw_tags_kind kind);
PW_MUST_USE enum pw_tags_update pw_tags_update_commit(struct pw_tags *tags, enum pw_tags_kind kind,
                                                      int32_t version);
// How the last update stands: UPDATING, then UPDATED once it survives a power cut, or FAILED.
enum pw_tags_update pw_tags_updated(const struct pw_tags *tags);

// The list, one after the other in the order of their ids, for people. `after` is the place
// (PW_STORE_KEY_MAX + 1 bytes): "" is the beginning, pw_tags_after that behind a card.
// PW_ERR_AGAIN: this one was just taken out; PW_ERR_UNKNOWN: the end.
void pw_tags_after(const struct pw_tags *tags, struct pw_str id_tag, char *after);
PW_MUST_USE int pw_tags_next(const struct pw_tags *tags, char *after, pw_unix_ms wall,
                             struct pw_tag *tag);

#endif
