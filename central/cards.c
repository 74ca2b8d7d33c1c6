// What a card may do. Sources: OCPP 1.6 §7.2, §7.27; facts/central.md §3 no. 10, 20.
#include "state.h"

struct card {
    bool known;
    bool blocked;
    pw_unix_ms expires;
    char *parent;
};

static void take_card(void *to, const struct pw_db_value *columns, size_t count)
{
    (void)count;
    struct card *card = to;
    card->known = true;
    card->blocked = pw_str_is(columns[0].text, "Blocked");
    card->expires = columns[1].number;
    db_take(card->parent, ID_TAG_MAX, &columns[2]);
}

static void take_count(void *to, const struct pw_db_value *columns, size_t count)
{
    (void)count;
    *(int64_t *)to = columns[0].number;
}

// Does the card charge somewhere else? A session whose connector is free again does not count: its
// StopTransaction is only late.
static bool charging_elsewhere(const struct pw_central *central,
                               const struct card_question *question)
{
    int64_t open = 0;
    struct pw_db_value args[] = {pw_db_text(question->id_tag),
                                 pw_db_text(pw_str_of(question->station->id)),
                                 pw_db_int(question->connector)};
    (void)db_read(central,
                  "SELECT COUNT(*) FROM session WHERE id_tag = $1 AND stop_at IS NULL"
                  " AND suspect IS NULL AND NOT (station_id = $2 AND connector_id = $3)",
                  args, PW_COUNT(args), take_count, &open);
    return open > 0;
}

// Remembered, so that the operator can add it with one click.
static void note_unknown(struct pw_central *central, const struct card_question *question,
                         struct pw_instant at)
{
    struct pw_db_value args[] = {pw_db_text(question->id_tag),
                                 pw_db_text(pw_str_of(question->station->id)), pw_db_int(at.wall)};
    (void)db_write(central,
                   "INSERT INTO unknown_card (id_tag, station_id, seen_at, count)"
                   " VALUES ($1, $2, $3, 1) ON CONFLICT (id_tag) DO UPDATE SET station_id = $2,"
                   " seen_at = $3, count = unknown_card.count + 1",
                   args, PW_COUNT(args), at.now);
    // Anybody can present cards: the newest hundred are enough.
    (void)db_write(central,
                   "DELETE FROM unknown_card WHERE id_tag NOT IN"
                   " (SELECT id_tag FROM unknown_card ORDER BY seen_at DESC LIMIT 100)",
                   NULL, 0, at.now);
}

static enum pw_ocpp16_authorization_status verdict(struct pw_central *central,
                                                   const struct card_question *question,
                                                   const struct card *card, struct pw_instant at)
{
    if (!card->known) {
        note_unknown(central, question, at);
        return PW_OCPP16_AUTHORIZATION_INVALID;
    }
    if (card->blocked) {
        return PW_OCPP16_AUTHORIZATION_BLOCKED;
    }
    if (card->expires != 0 && card->expires <= at.wall) {
        return PW_OCPP16_AUTHORIZATION_EXPIRED;
    }
    return question->concurrent && charging_elsewhere(central, question)
               ? PW_OCPP16_AUTHORIZATION_CONCURRENT_TX
               : PW_OCPP16_AUTHORIZATION_ACCEPTED;
}

struct pw_ocpp16_id_tag_info card_judge(struct pw_central *central,
                                        const struct card_question *question,
                                        char parent[ID_TAG_MAX], struct pw_instant at)
{
    struct card card = {.parent = parent};
    parent[0] = '\0';
    struct pw_db_value args[] = {pw_db_text(question->id_tag)};
    (void)db_read(central, "SELECT status, expires, parent FROM card WHERE id_tag = $1", args,
                  PW_COUNT(args), take_card, &card);
    struct pw_ocpp16_id_tag_info info = {.status = verdict(central, question, &card, at)};
    if (card.expires != 0) {
        info.has |= PW_OCPP16_HAS(id_tag_info, expiry_date);
        info.expiry_date = card.expires;
    }
    info.parent_id_tag = pw_str_of(parent);
    if (info.parent_id_tag.len > 0) {
        info.has |= PW_OCPP16_HAS(id_tag_info, parent_id_tag);
    }
    return info;
}
