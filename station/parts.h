// parts: what the files of the station share among themselves. Nobody else includes this.
#ifndef PW_STATION_PARTS_H
#define PW_STATION_PARTS_H

#include "station.h"

// charge.c: from sessions to records and messages, and what cp16 may ask.
void pw_charge_init(struct pw_station *st, pw_ms now);
// `view` is the connector as it stands now. True when it was told something and wants another step.
bool pw_charge_step(struct pw_station *st, unsigned index, const struct pw_connector_view *view,
                    pw_ms now);
pw_ms pw_charge_deadline(const struct pw_station *st, unsigned index);
// As OCPP's RemoteStartTransaction and RemoteStopTransaction, for whoever may ask. A refusal comes
// with one sentence in *why.
// `profile`: for the transaction to come, or NULL.
PW_MUST_USE int pw_charge_remote_start(struct pw_station *st, unsigned index, struct pw_str id_tag,
                                       const struct pw_profile *profile, struct pw_out *why,
                                       pw_ms now);
PW_MUST_USE int pw_charge_remote_stop(struct pw_station *st, unsigned index, struct pw_out *why,
                                      pw_ms now);
PW_MUST_USE int pw_charge_availability(struct pw_station *st, unsigned index, bool operative,
                                       pw_ms now);

// signed.c: readings that a connector's meter signs. All do nothing where there is no such meter,
// or the settings want none. Asks for the reading of a charge's begin or end; `user` is whose it
// is. What waited in between goes on unsigned.
void pw_signed_ask(struct pw_station *st, unsigned index, enum pw_signed_moment moment,
                   const char *user, pw_ms now);
// True while the answer may still come in time.
bool pw_signed_waits(struct pw_station *st, unsigned index, pw_ms now);
// The answer, if there is one, joins the sample, which must be recorded next; without one the log
// says so.
void pw_signed_join(struct pw_station *st, unsigned index, struct pw_sample *sample);
// pw_cp16_keep_reading: at once, or, where it is to be signed, when it is or its time is over.
void pw_signed_meter(struct pw_station *st, unsigned index, const struct pw_sample *sample,
                     pw_ms now);
void pw_signed_step(struct pw_station *st, unsigned index, pw_ms now);
pw_ms pw_signed_deadline(const struct pw_station *st, unsigned index);
// MeterPublicKey; nothing when none is known.
void pw_signed_public_key(const struct pw_station *st, unsigned index, struct pw_out *out);

// A line of the log about a charge; `detail` may be empty.
void pw_charge_say(const struct pw_station *st, enum pw_level level, unsigned index,
                   const char *event, struct pw_str detail);

// The profile that a remote start brought is of no charge any more.
void pw_charge_forget_profile(struct pw_station *st, unsigned index);

// admission.c: who may charge.
// A card at the reader of a connector (from 1; 0: of all): it starts a charge there, or ends the
// one that it, or another of its group, has started. PW_ERR_BUSY: there is nothing it could do;
// PW_ERR_UNKNOWN: it is not accepted.
PW_MUST_USE int pw_charge_card(struct pw_station *st, unsigned connector, struct pw_str id_tag,
                               pw_ms now);
// The connector (from 0) that a card, a remote start or a console start without a number means: a
// vehicle that waits, else one that is free; what is reserved for others is neither. PW_ERR_BUSY
// when there is none.
PW_MUST_USE int pw_charge_choose(struct pw_station *st, struct pw_str id_tag, unsigned *index);
// Starts a charge on a connector (index from 0). A refusal comes with one sentence in *why.
struct pw_charge_wish {
    struct pw_str id_tag;
    enum pw_session_start by;
    bool ask; // only if the card is accepted, here or at the central system, whose answer may still
              // be to come
};
PW_MUST_USE int pw_charge_start(struct pw_station *st, unsigned index,
                                const struct pw_charge_wish *wish, struct pw_out *why, pw_ms now);
// cp16's news: the answers to Authorize and StartTransaction.
void pw_admission_authorised(void *context, unsigned connector, const struct pw_tag *answer,
                             bool offline, pw_ms now);
void pw_admission_start_answered(void *context, unsigned connector, uint32_t seq,
                                 const struct pw_tag *answer, pw_ms now);
// A charge goes on after a restart.
void pw_admission_resumed(struct pw_station *st, unsigned index, pw_ms now);
// The reservation that a charge with this card ends. False: none.
bool pw_admission_reserved(struct pw_station *st, unsigned index, struct pw_str id_tag,
                           int32_t *id);
pw_ms pw_admission_step(struct pw_station *st, pw_ms now);

// report.c: what people and programs read.
void pw_report_status_lines(const struct pw_station *st, struct pw_out *out, pw_ms now);
void pw_report_status(const struct pw_station *st, struct pw_out *out, pw_ms now);
void pw_report_status_json(const struct pw_station *st, struct pw_out *out, pw_ms now);
void pw_report_house_json(const struct pw_station *st, struct pw_out *out, pw_ms now);
void pw_report_limits_json(const struct pw_station *st, struct pw_out *out, pw_ms now);
// The one limit of connector `index` that counts; at most PW_CP16_LIMIT_MAX bytes.
void pw_report_limit_json(const struct pw_station *st, unsigned index, struct pw_out *out,
                          pw_ms now);
void pw_report_schedule(const struct pw_station *st, struct pw_out *out, pw_ms now);
void pw_report_schedule_json(const struct pw_station *st, struct pw_out *out, pw_ms now);
void pw_report_faults_json(const struct pw_station *st, struct pw_out *out);
void pw_report_bms(const struct pw_station *st, struct pw_out *out, pw_ms now);
void pw_report_rectifier(const struct pw_station *st, struct pw_out *out, pw_ms now);
void pw_report_output(const struct pw_station *st, struct pw_out *out, pw_ms now);
void pw_report_terminal(const struct pw_station *st, struct pw_out *out, pw_ms now);
void pw_report_can(const struct pw_station *st, struct pw_out *out, pw_ms now);
void pw_report_pilot(const struct pw_station *st, struct pw_out *out, pw_ms now);
void pw_report_limits(const struct pw_station *st, struct pw_out *out, pw_ms now);
// diagnostics.c: what station/files asks.
void pw_station_files_init(struct pw_station *st, const struct pw_station_start *start);
// receipts.c: the charges that have ended, newest first.
void pw_report_charges(const struct pw_station *st, struct pw_out *out, pw_ms now);
// One line of the first; what pw_journal_receipt returns. Copies its idTags.
PW_MUST_USE int pw_report_charge(const struct pw_station *st, unsigned back,
                                 struct pw_transaction *receipt, struct pw_out *out, pw_ms now);
void pw_report_charges_json(const struct pw_station *st, struct pw_out *out, pw_ms now);
void pw_report_faults(const struct pw_station *st, struct pw_out *out, pw_ms now);

#endif
