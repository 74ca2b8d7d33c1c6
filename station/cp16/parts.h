// parts: what the files of cp16 share among themselves. Nobody else includes this.
#ifndef PW_CP16_PARTS_H
#define PW_CP16_PARTS_H

#include "cp16/cp16.h"

// ---------------------------------------------------------------------------------------------
// What we say by ourselves. A topic is one message with the reason to say it; topics.c asks its
// rows in order of urgency, and says one at a time.
struct pw_cp16_topic {
    const char *name; // of the message, for the log
    bool unaccepted;  // is said before BootNotification has been accepted
    // When there is something to say: a time not after `now` means at once, PW_NEVER not at all.
    pw_ms (*due)(const struct pw_cp16 *cp, pw_ms now);
    // Says it with pw_cp16_send, or finds that there is nothing to say after all.
    void (*say)(struct pw_cp16 *cp, pw_ms now);
    // The answer's payload. False when it is not valid, which counts as failed. NULL: any will do.
    bool (*answered)(struct pw_cp16 *cp, const struct pw_json_node *payload, pw_ms now);
    // Answered with this error, or not at all (NULL). NULL: nothing follows.
    void (*failed)(struct pw_cp16 *cp, const char *code, pw_ms now);
};

extern const struct pw_cp16_topic pw_cp16_trigger_topic;     // trigger_answers.c
extern const struct pw_cp16_topic pw_cp16_boot_topic;        // boot.c
extern const struct pw_cp16_topic pw_cp16_heartbeat_topic;   // boot.c
extern const struct pw_cp16_topic pw_cp16_status_topic;      // status.c
extern const struct pw_cp16_topic pw_cp16_authorise_topic;   // authorise.c
extern const struct pw_cp16_topic pw_cp16_vehicle_topic;     // vehicle.c
extern const struct pw_cp16_topic pw_cp16_transaction_topic; // transactions.c
extern const struct pw_cp16_topic pw_cp16_upload_topic;      // transfers.c
extern const struct pw_cp16_topic pw_cp16_update_topic;      // transfers.c
extern const struct pw_cp16_topic pw_cp16_failure_topic;     // transfers.c
extern const struct pw_cp16_topic pw_cp16_sign_topic;        // security_answers.c
extern const struct pw_cp16_topic pw_cp16_event_topic;       // security_answers.c

// transfers.c: how the upload or the update stands, for a trigger: DiagnosticsStatusNotification
// and FirmwareStatusNotification, or, `numbered`, LogStatusNotification and
// SignedFirmwareStatusNotification.
void pw_cp16_say_transfer(struct pw_cp16 *cp, enum pw_transfer_lane lane, bool numbered, pw_ms now);

// topics.c
pw_ms pw_cp16_topics_due(const struct pw_cp16 *cp, pw_ms now);
void pw_cp16_say_something(struct pw_cp16 *cp, pw_ms now);
// Opens a CALL and prints it whole. Only a topic's `say` may, and once.
void pw_cp16_send(struct pw_cp16 *cp, enum pw_ocpp16_action action, const void *req, pw_ms now);
// Reads a confirmation; what is wrong with it goes to the log.
bool pw_cp16_decode(struct pw_cp16 *cp, enum pw_ocpp16_action action,
                    const struct pw_json_node *payload, void *conf);
// The CALL under way was answered with this payload.
void pw_cp16_call_answered(struct pw_cp16 *cp, const struct pw_json_node *payload, pw_ms now);
// The CALL under way was answered with an error (its code), or not at all (NULL).
void pw_cp16_call_failed(struct pw_cp16 *cp, const char *code, pw_ms now);

// ---------------------------------------------------------------------------------------------
// What the central system asks. answers.c has a row for each action; the functions are in the files
// of their feature profile. Each gets the decoded request and answers with reply or refuse.

union pw_cp16_request {
    struct pw_ocpp16_cancel_reservation_req cancel_reservation;
    struct pw_ocpp16_certificate_signed_req certificate_signed;
    struct pw_ocpp16_change_availability_req change_availability;
    struct pw_ocpp16_change_configuration_req change_configuration;
    struct pw_ocpp16_clear_cache_req clear_cache;
    struct pw_ocpp16_clear_charging_profile_req clear_charging_profile;
    struct pw_ocpp16_data_transfer_req data_transfer;
    struct pw_ocpp16_delete_certificate_req delete_certificate;
    struct pw_ocpp16_extended_trigger_message_req extended_trigger_message;
    struct pw_ocpp16_get_composite_schedule_req get_composite_schedule;
    struct pw_ocpp16_get_configuration_req get_configuration;
    struct pw_ocpp16_get_diagnostics_req get_diagnostics;
    struct pw_ocpp16_get_installed_certificate_ids_req get_installed_certificate_ids;
    struct pw_ocpp16_get_local_list_version_req get_local_list_version;
    struct pw_ocpp16_get_log_req get_log;
    struct pw_ocpp16_install_certificate_req install_certificate;
    struct pw_ocpp16_remote_start_transaction_req remote_start_transaction;
    struct pw_ocpp16_remote_stop_transaction_req remote_stop_transaction;
    struct pw_ocpp16_reserve_now_req reserve_now;
    struct pw_ocpp16_reset_req reset;
    struct pw_ocpp16_send_local_list_req send_local_list;
    struct pw_ocpp16_set_charging_profile_req set_charging_profile;
    struct pw_ocpp16_signed_update_firmware_req signed_update_firmware;
    struct pw_ocpp16_trigger_message_req trigger_message;
    struct pw_ocpp16_unlock_connector_req unlock_connector;
    struct pw_ocpp16_update_firmware_req update_firmware;
};

void pw_cp16_reply(struct pw_cp16 *cp, struct pw_str id, enum pw_ocpp16_action action,
                   const void *conf);
void pw_cp16_refuse(struct pw_cp16 *cp, struct pw_str id, enum pw_ocpp_error code,
                    struct pw_str why);
bool pw_cp16_is_connector(const struct pw_cp16 *cp, int32_t connector); // 1 and up

#define PW_CP16_ON(name)                                                                           \
    void pw_cp16_on_##name(struct pw_cp16 *cp, struct pw_str id, const union pw_cp16_request *req, \
                           pw_ms now)
// core_answers.c
PW_CP16_ON(availability);
PW_CP16_ON(start);
PW_CP16_ON(stop);
PW_CP16_ON(reset);
PW_CP16_ON(unlock);
PW_CP16_ON(cache);
PW_CP16_ON(data);
// trigger_answers.c
PW_CP16_ON(trigger);
PW_CP16_ON(extended_trigger);
// list_answers.c
PW_CP16_ON(list_version);
PW_CP16_ON(list);
// reservation_answers.c
PW_CP16_ON(reserve);
PW_CP16_ON(cancel);
// configuration.c
PW_CP16_ON(change);
PW_CP16_ON(get);
// file_answers.c
PW_CP16_ON(diagnostics);
PW_CP16_ON(log);
PW_CP16_ON(update);
PW_CP16_ON(signed_update);
// profile_answers.c
PW_CP16_ON(set_profile);
PW_CP16_ON(clear_profile);
PW_CP16_ON(composite);
// security_answers.c
PW_CP16_ON(certificate_signed);
PW_CP16_ON(install_certificate);
PW_CP16_ON(delete_certificate);
PW_CP16_ON(installed_certificates);
#undef PW_CP16_ON

// ---------------------------------------------------------------------------------------------
// Between the files.

// Doubles from `first` to ten minutes with each try and takes a random half of that off.
pw_ms pw_cp16_back_off(struct pw_cp16 *cp, uint32_t tries, pw_ms first);
// boot.c: every message is a sign of life, the next heartbeat waits.
void pw_cp16_spoke(struct pw_cp16 *cp, pw_ms now);
// core_answers.c: answers UnlockConnector once the lock has moved, or has not.
void pw_cp16_step_unlock(struct pw_cp16 *cp, pw_ms now);
#define PW_CP16_UNLOCK_LOOK_MS 200
// status.c: a connector's condition as it is now.
void pw_cp16_say_status(struct pw_cp16 *cp, unsigned connector, pw_ms now);
// list_answers.c: answers that wait for the disk. `say` is called with `kept` once the ticket's
// batch (0: the update of the local list) is durable, or cannot be; at once if it is.
void pw_cp16_reply_later(struct pw_cp16 *cp, struct pw_str id, int64_t ticket,
                         void (*say)(struct pw_cp16 *cp, struct pw_str id, bool kept));
// Gives up after ten seconds with a CALLERROR: whether it is kept is not known then, and other
// calls, a remote stop among them, must not wait for a full disk.
void pw_cp16_step_late(struct pw_cp16 *cp, pw_ms now);
// authorise.c: what the central system says of a card. False: its idTag is longer than ours.
bool pw_cp16_tag(struct pw_str id_tag, const struct pw_ocpp16_id_tag_info *info, struct pw_tag *to);
// Remembers it, as any answer about a card is.
void pw_cp16_learn(struct pw_cp16 *cp, const struct pw_tag *news, pw_ms now);
// The link is gone.
void pw_cp16_authorise_link_down(struct pw_cp16 *cp, pw_ms now);
// profile_answers.c: a profile in our words. PW_ERR_RANGE with one sentence in *why.
PW_MUST_USE int pw_cp16_profile(const struct pw_ocpp16_charging_profile *from,
                                struct pw_profile *to, struct pw_out *why);
void pw_cp16_profile_refused(struct pw_cp16 *cp, int32_t profile, const char *why);
// readings.c
void pw_cp16_step_readings(struct pw_cp16 *cp, pw_ms now);
// The quantities a setting lists. It was checked when it was set.
uint32_t pw_cp16_quantities(const struct pw_cp16 *cp, enum pw_setting_id id);
// Sends a sample as MeterValues, of a transaction or (NULL) of none. False when nothing in it is
// wanted.
bool pw_cp16_send_meter_values(struct pw_cp16 *cp, unsigned connector,
                               const struct pw_sample *sample,
                               const struct pw_transaction *transaction, pw_ms now);
// transactions.c
// When something of a transaction was: never before its start. The clock must be known.
pw_unix_ms pw_cp16_record_wall(const struct pw_cp16 *cp, const struct pw_transaction *transaction,
                               struct pw_stamp at);
// An answer to a call that was given up. Only one to StartTransaction still says something.
void pw_cp16_late_answer(struct pw_cp16 *cp, struct pw_str id, const struct pw_json_node *payload,
                         pw_ms now);
// stop.c: completes a StopTransaction in cp->out with the readings that are asked for.
void pw_cp16_put_transaction_data(struct pw_cp16 *cp, const struct pw_transaction *transaction);

#endif
