// What the central system asks in profile Reservation.
#include "cp16/parts.h"

static void say_answer(struct pw_cp16 *cp, struct pw_str id,
                       enum pw_ocpp16_reservation_status status)
{
    struct pw_ocpp16_reserve_now_conf conf = {.status = status};
    pw_cp16_reply(cp, id, PW_OCPP16_RESERVE_NOW, &conf);
}

static void say_reserved(struct pw_cp16 *cp, struct pw_str id, bool kept)
{
    say_answer(cp, id, kept ? PW_OCPP16_RESERVATION_ACCEPTED : PW_OCPP16_RESERVATION_REJECTED);
}

static enum pw_ocpp16_reservation_status word_of(enum pw_reservations_answer answer)
{
    switch (answer) {
    case PW_RESERVE_ACCEPTED: return PW_OCPP16_RESERVATION_ACCEPTED;
    case PW_RESERVE_FAULTED: return PW_OCPP16_RESERVATION_FAULTED;
    case PW_RESERVE_OCCUPIED: return PW_OCPP16_RESERVATION_OCCUPIED;
    case PW_RESERVE_REJECTED: return PW_OCPP16_RESERVATION_REJECTED;
    case PW_RESERVE_UNAVAILABLE: return PW_OCPP16_RESERVATION_UNAVAILABLE;
    }
    PW_UNREACHABLE();
}

void pw_cp16_on_reserve(struct pw_cp16 *cp, struct pw_str id, const union pw_cp16_request *req,
                        pw_ms now)
{
    const struct pw_ocpp16_reserve_now_req *reserve = &req->reserve_now;
    bool grouped = (reserve->has & PW_OCPP16_HAS(reserve_now_req, parent_id_tag)) != 0;
    struct pw_reservation wish = {.id = reserve->reservation_id, .expires = reserve->expiry_date};
    int64_t ticket = 0;
    bool fits = (reserve->connector_id == 0 || pw_cp16_is_connector(cp, reserve->connector_id)) &&
                reserve->id_tag.len > 0 &&
                pw_str_copy(wish.id_tag, sizeof(wish.id_tag), reserve->id_tag) == PW_OK &&
                (!grouped ||
                 pw_str_copy(wish.parent, sizeof(wish.parent), reserve->parent_id_tag) == PW_OK);
    if (!fits) {
        say_reserved(cp, id, false);
        return;
    }
    wish.connector = (uint8_t)reserve->connector_id;
    enum pw_reservations_answer answer =
        pw_reservations_take(cp->reservations, &wish, pw_cp16_wall(cp, now), &ticket);
    if (answer != PW_RESERVE_ACCEPTED) {
        say_answer(cp, id, word_of(answer));
        return;
    }
    pw_cp16_reply_later(cp, id, ticket, say_reserved);
}

static void say_cancelled(struct pw_cp16 *cp, struct pw_str id, bool kept)
{
    struct pw_ocpp16_cancel_reservation_conf conf = {.status = kept ? PW_OCPP16_GENERIC_ACCEPTED
                                                                    : PW_OCPP16_GENERIC_REJECTED};
    pw_cp16_reply(cp, id, PW_OCPP16_CANCEL_RESERVATION, &conf);
}

void pw_cp16_on_cancel(struct pw_cp16 *cp, struct pw_str id, const union pw_cp16_request *req,
                       pw_ms now)
{
    (void)now;
    int64_t ticket =
        pw_reservations_cancel(cp->reservations, req->cancel_reservation.reservation_id);
    if (ticket <= 0) {
        // There is none; or it is over, and only its record is not: the next step writes it again.
        say_cancelled(cp, id, ticket != PW_ERR_UNKNOWN);
        return;
    }
    pw_cp16_reply_later(cp, id, ticket, say_cancelled);
}
