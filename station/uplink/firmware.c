// A release over the station link: what the central asks becomes a request to station/files, and
// what becomes of it an event.
#include "uplink/facts.h"

#include <string.h>

static enum pw_link_error_code code_of(int err)
{
    return err == PW_OK            ? PW_LINK_E_NONE
           : err == PW_ERR_RANGE   ? PW_LINK_E_RANGE
           : err == PW_ERR_UNKNOWN ? PW_LINK_E_UNAVAILABLE
           : err == PW_ERR_STORE   ? PW_LINK_E_STORE
                                   : PW_LINK_E_REFUSED;
}

static int on_begin(struct pw_uplink *up, const struct pw_link_fw_begin *ask, struct pw_out *why,
                    pw_ms now)
{
    struct pw_update_offer offer = {.by = PW_UPDATE_BY_LINK,
                                    .force = ask->force,
                                    .resume = ask->resume,
                                    .hashed = true,
                                    .size = ask->size};
    if (pw_parse_hex(ask->sha256, offer.sha256, sizeof(offer.sha256)) != PW_SHA256_LEN) {
        pw_put_s(why, "sha256: not 64 hexadecimal digits");
        return PW_ERR_RANGE;
    }
    return pw_files_offer(up->parts.files, &offer, why, now);
}

static void say_state(struct pw_uplink *up, pw_ms now)
{
    const struct pw_update *update = &up->parts.files->update;
    const struct pw_link_fw_state state = {
        .status = pw_str_of(pw_update_status_name(update->status)),
        .bytes = update->state.bytes,
        .total = update->size > 0 ? update->size : update->state.total,
        .version = pw_str_of(update->version),
        .why = pw_str_of(update->why),
        .trial = update->stage == PW_UPDATE_ON_TRIAL,
    };
    pw_link_station_fw_state(&up->link, &state, now);
}

void pw_uplink_firmware(struct pw_uplink *up, const struct pw_link_message *message, pw_ms now)
{
    struct pw_files *files = up->parts.files;
    char text[PW_LINK_WHY_MAX] = "";
    struct pw_out why = PW_OUT(text);
    int err = PW_ERR_UNKNOWN;
    if (files == NULL) {
        pw_put_s(&why, "this station takes no releases");
    } else if (message->type == PW_LINK_FW_STATUS) {
        say_state(up, now);
        return;
    } else if (message->type == PW_LINK_FW_BEGIN) {
        err = on_begin(up, &message->as.fw_begin, &why, now);
    } else if (message->type == PW_LINK_FW_CHUNK) {
        err = pw_files_deliver(files, message->as.fw_chunk.offset, message->as.fw_chunk.data, &why,
                               now);
    } else {
        err = pw_files_commit(files, message->as.fw_commit.now, &why, now);
    }
    pw_link_station_answer(&up->link, code_of(err), pw_out_str(&why), now);
}

bool pw_uplink_update_fact(const struct pw_uplink *up, struct pw_uplink_fact *fact)
{
    if (up->parts.files == NULL) {
        return false;
    }
    const struct pw_update *update = &up->parts.files->update;
    const char *status = pw_update_status_name(update->status);
    struct pw_out out = PW_OUT(fact->text);
    fact->value = update->stage == PW_UPDATE_ON_TRIAL ? 1 : 0;
    pw_put_s(&out, status);
    return up->told_update.at == PW_NEVER || up->told_update.value != fact->value ||
           strcmp(up->told_update.text, fact->text) != 0;
}
