// A release over the station link: one piece on its way at a time, so that a limit or an event
// never waits behind more than that, from where the station's part ends. Source: doc/link.md.
#include "rollouts.h"
#include "uplink.h"

#include <stdlib.h>
#include <string.h>

enum stage { ASKED_BEGIN, ASKED_STATE, ASKED_CHUNK, ASKED_COMMIT };

struct push {
    struct push *next;
    struct member *member;
    struct station *station;
    enum stage stage;
    char file[PW_DEPOT_NAME_MAX];
    uint64_t size;
    uint64_t offset; // behind the last piece that was sent
};

void push_end(struct pw_central *central, struct member *member)
{
    struct push **place = &central->rollouts->push;
    while (*place != NULL && (*place)->member != member) {
        place = &(*place)->next;
    }
    struct push *push = *place;
    if (push != NULL) {
        *place = push->next;
        free(push);
    }
    member->push = NULL;
}

void push_free(struct pw_central *central)
{
    while (central->rollouts->push != NULL) {
        push_end(central, central->rollouts->push->member);
    }
}

static struct push *push_of(const struct pw_central *central, const struct station *station)
{
    struct push *push = central->rollouts->push;
    while (push != NULL && push->station != station) {
        push = push->next;
    }
    return push;
}

// Asks; the push ends when that is not possible now, and begins again when the link is there. It
// may be gone when this returns.
static bool ask(struct pw_central *central, struct push *push, enum pw_link_type type,
                const void *request, struct pw_instant at)
{
    char text[PW_LINK_WHY_MAX + 1];
    struct pw_out why = PW_OUT(text);
    struct uplink *uplink = push->station->uplink;
    struct member *member = push->member;
    int place = uplink != NULL ? uplink_ask(central, uplink, type, request, &why, at) : PW_ERR_BUSY;
    if (place < 0) {
        push_end(central, member);
        return false;
    }
    uplink->asked[place].push = true;
    return true;
}

static bool send_piece(struct pw_central *central, struct push *push, struct pw_instant at)
{
    const struct pw_depot *depot = central->config.depot;
    char data[PW_LINK_CHUNK_MAX];
    uint64_t left = push->size - push->offset;
    if (left == 0) {
        const struct pw_link_fw_commit commit = {.now = false};
        push->stage = ASKED_COMMIT;
        return ask(central, push, PW_LINK_FW_COMMIT, &commit, at);
    }
    int len = depot->read(depot->context, push->file, push->offset, data,
                          left < sizeof(data) ? (size_t)left : sizeof(data));
    if (len <= 0) {
        member_enter(central, push->member, STEP_FAILED, "the release cannot be read here", at);
        return false;
    }
    const struct pw_link_fw_chunk chunk = {.offset = push->offset,
                                           .data = {.at = data, .len = (size_t)len}};
    push->stage = ASKED_CHUNK;
    push->offset += (uint64_t)len;
    return ask(central, push, PW_LINK_FW_CHUNK, &chunk, at);
}

bool push_begin(struct pw_central *central, struct member *member, struct pw_instant at)
{
    struct station *station = station_find(central, pw_str_of(member->station));
    const struct kept_release release = release_find(central, member->rollout->release);
    if (station == NULL || station->uplink == NULL || release.id == 0 ||
        central->config.depot == NULL || member->push != NULL) {
        return member->push != NULL;
    }
    struct push *push = calloc(1, sizeof(*push));
    if (push == NULL) {
        return false;
    }
    push->member = member;
    push->station = station;
    push->size = (uint64_t)release.size;
    memcpy(push->file, release.file, sizeof(push->file));
    push->next = central->rollouts->push;
    central->rollouts->push = push;
    member->push = push;
    const struct pw_link_fw_begin begin = {.size = push->size,
                                           .sha256 = pw_str_of(release.sha256),
                                           .version = pw_str_of(release.version),
                                           .resume = true,
                                           .force = false};
    push->stage = ASKED_BEGIN;
    return ask(central, push, PW_LINK_FW_BEGIN, &begin, at);
}

// Refused in words: that is the station's last one.
static void refused(struct pw_central *central, struct push *push,
                    const struct pw_link_report *report, struct pw_instant at)
{
    char text[ROLLOUT_WHY_MAX];
    struct pw_out why = PW_OUT(text);
    pw_put_s(&why, "the station refused: ");
    pw_put(&why, report->text.len > 0 ? report->text : pw_str_of(pw_link_error_name(report->code)));
    member_enter(central, push->member, STEP_FAILED, text, at);
}

static void go_on(struct pw_central *central, struct push *push,
                  const struct pw_link_report *report, struct pw_instant at)
{
    if (report->news == PW_LINK_NEWS_FIRMWARE) {
        uint64_t there = report->message.as.fw_state.bytes;
        push->offset = there < push->size ? there : push->size;
        if (push->member->step == STEP_ASKED) {
            member_enter(central, push->member, STEP_LOADING, "", at);
        }
        (void)send_piece(central, push, at);
    } else if (push->stage == ASKED_BEGIN) {
        push->stage = ASKED_STATE;
        (void)ask(central, push, PW_LINK_FW_STATUS, NULL, at);
    } else if (push->stage == ASKED_COMMIT) {
        struct member *member = push->member;
        push_end(central, member);
        member->command = COMMAND_AGREED; // the rest is told by events
    } else {
        push->member->since = at.wall; // it moves
        (void)send_piece(central, push, at);
    }
}

void push_answered(struct pw_central *central, struct station *station,
                   const struct pw_link_report *report, struct pw_instant at)
{
    struct push *push = push_of(central, station);
    if (push == NULL) {
        return;
    }
    if (report->code == PW_LINK_E_LOST || report->code == PW_LINK_E_TIMEOUT ||
        report->code == PW_LINK_E_STORE) {
        push_end(central, push->member); // again when it can be
    } else if (report->code == PW_LINK_E_RANGE && push->stage == ASKED_CHUNK) {
        push->stage = ASKED_STATE; // a gap: where to go on?
        (void)ask(central, push, PW_LINK_FW_STATUS, NULL, at);
    } else if (report->code != PW_LINK_E_NONE && report->news == PW_LINK_NEWS_ANSWER) {
        refused(central, push, report, at);
    } else {
        go_on(central, push, report, at);
    }
}
