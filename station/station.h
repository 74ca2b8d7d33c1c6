// station: one charge point, whole. Composes connectors of any kind, the OCPP 1.6 charge point
// (cp16), the journal and the console. Pure: inputs in, one step, effects out; no clock, socket,
// file or heap. The caller owns the struct and drives the turn:
//
//     pw_station_can(...), pw_station_text(...) ...   inputs, as they come
//     deadline = pw_station_step(st, now)             decisions
//     pw_station_take_can(...), pw_station_out(...)   effects, until there are none
//
// and calls step again at the deadline or with the next input, whichever is first.
#ifndef PW_STATION_H
#define PW_STATION_H

#include "base/base.h"
#include "board/board.h"
#include "can/can.h"
#include "connector/connector.h"
#include "cp16/cp16.h"
#include "files/files.h"
#include "house/household.h"
#include "journal/journal.h"
#include "network/network.h"
#include "reservations/reservations.h"
#include "rules/rules.h"
#include "security/security.h"
#include "settings/settings.h"
#include "signer/signer.h"
#include "smart/smart.h"
#include "store/store.h"
#include "tags/tags.h"
#include "trust/trust.h"
#include "uplink/uplink.h"

#define PW_STATION_BUSES 2

// What the station asks its port to do with the program.
// UPDATE: the one that core/install has made the next, whatever runs now. FACTORY: everything is
// forgotten first (factory.h).
enum pw_restart {
    PW_RESTART_NONE,
    PW_RESTART_SOFT,
    PW_RESTART_HARD,
    PW_RESTART_UPDATE,
    PW_RESTART_FACTORY,
};

struct pw_station_start {
    const struct pw_settings *settings;     // checked; copied
    const struct pw_store *store;           // outlives the station
    const struct pw_log *log;               // outlives the station
    const char *firmware;                   // version for BootNotification, at most 50 characters
    uint32_t seed;                          // randomness for back-off jitter; any number
    const struct pw_logring *logring;       // what the uplink ships; outlives the station, or NULL
    const struct pw_rules_zones *zones;     // names of time zones; outlives the station, or NULL
    const struct pw_network_port *network;  // outlives the station; NULL: it sets up no network
    const struct pw_trust *trust;           // outlives the station; NULL: no certificates
    const struct pw_transfer *transfer;     // outlives the station; NULL: it moves no files
    const struct pw_install *install;       // outlives the station; NULL: it installs no programs
    const struct pw_release_crypto *crypto; // of releases; outlives the station, or NULL
    const char *hardware;                   // what this build is: "linux-amd64"; NULL: "generic"
    pw_ms now;
    pw_unix_ms wall; // the system's clock, 0 when it is not set
};

// An authorisation that is under way at a connector, and what is known of who charges there.
struct pw_admission {
    enum pw_session_start by; // who let it begin, if it is granted
    uint8_t ends;             // the connector (from 1) whose charge the card may end instead
    char parent[PW_TAG_SIZE]; // group of the card that charges or is awaited; "": none
};

// What the station knows of a connector beyond the connector itself.
struct pw_station_connector {
    struct pw_keep kept;           // latches and availability as the journal has them
    int64_t ticket;                // the record the session waits for; 0: none
    struct pw_session_event end;   // how the last charge ended
    bool end_waits;                // `end` could not be recorded yet
    struct pw_session_event begin; // how the charge begins
    bool begin_waits;              // `begin` waits for the meter to sign
    struct pw_sample deferred[2];  // meter values that wait for the meter to sign
    unsigned deferred_count;
    bool joined;           // the signer's reading is in the journal
    int64_t joined_number; // under this number
    bool key_read;         // the meter's public key, since the program began
    pw_ms key_at;          // when it is asked for again
    struct pw_admission admission;
    bool vehicle_told; // VehicleInfo of this plug-in
    pw_ms sampled_at;  // last periodic meter value; PW_NEVER: no transaction
};

// The certificate that the station's page and its OpenEVSE interface show over TLS.
#define PW_STATION_FINGERPRINT_MAX 96  // SHA-256 as browsers write it, and NUL
#define PW_STATION_TLS_WHY_MAX     200 // a sentence and NUL
struct pw_station_tls {
    bool wanted;   // something is to be served with TLS
    uint16_t port; // of the page; 0: it is not served with TLS
    bool own;      // the station has made it; else it is a file of the owner's
    pw_unix_ms until;
    char fingerprint[PW_STATION_FINGERPRINT_MAX]; // "": there is none yet
    char why[PW_STATION_TLS_WHY_MAX];             // what is wrong with the newest; "": nothing
};

// A command that somebody at the console sent to a board.
struct pw_station_ask {
    unsigned connector;
    uint32_t ticket; // 0: none
};

struct pw_station {
    struct pw_settings settings;
    struct pw_journal journal;
    const struct pw_log *log;
    struct pw_cp16_host host;
    struct pw_cp16 cp16;
    struct pw_security security;
    struct pw_files_host files_host;
    struct pw_files files;
    const struct pw_logring *logring; // the last log lines, or NULL
    struct pw_uplink_host uplink_host;
    struct pw_uplink uplink;
    struct pw_network network;
    struct pw_rules rules; // when a charge may run, and until when
    bool broker;           // the broker's connection is up
    struct pw_tags tags;   // cards that are known here
    struct pw_reservations reservations;
    struct pw_smart smart;     // charging profiles
    struct pw_household house; // where the supply comes in: its meter, breaker and roof
    unsigned connectors;
    struct pw_connector connector[PW_CONNECTORS_MAX];
    struct pw_station_connector extra[PW_CONNECTORS_MAX];
    struct pw_signer signer[PW_CONNECTORS_MAX];
    bool store_failed;
    enum pw_restart restart; // asked for, and carried out once at rest
    pw_ms restart_at;        // ... or at this time at the latest
    bool stopping;           // no new charge begins
    bool inoperative;        // ChangeAvailability of connector 0; kept as that of connector 0
    bool muted;              // console command 0
    struct pw_station_ask asked;
    struct pw_station_tls tls;
    bool new_certificate; // was asked for
    pw_ms status_at;      // next status lines
    pw_ms started_at;
    pw_ms now; // of the last call
};

// Whether the record of this key is a secret, which is kept sealed (core/sealed): a setting that is
// one, the access point's password, an address that a file goes to or comes from.
bool pw_station_keeps_secret(struct pw_str key);

// Sets up everything and reads the journal. The kept settings are laid over those given. A
// transaction found open is stopped or resumed as session.after_power_loss says. PW_ERR_STORE when
// the journal cannot be read.
PW_MUST_USE int pw_station_init(struct pw_station *st, const struct pw_station_start *start);

// Inputs. A frame or a state is only stored; decisions are taken in step.
void pw_station_can(struct pw_station *st, unsigned bus, const struct pw_can_frame *frame,
                    pw_ms now);
void pw_station_bus_state(struct pw_station *st, unsigned bus, enum pw_can_state state, pw_ms now);
// What the board of a pilot connector is, once that is known and again when it changes.
// PW_ERR_RANGE with one sentence in *why for traits or a calibration that cannot be; PW_ERR_UNKNOWN
// when the connector has no board. Nothing changes then.
PW_MUST_USE int pw_station_board(struct pw_station *st, unsigned connector,
                                 const struct pw_outlet_board *board, struct pw_out *why);
// What the board of a pilot connector senses, whole; raw samples of its analog inputs; what another
// meter measures. Connectors count from 1, and the house's meter is that of connector 0; any other
// number, or kind, is ignored.
void pw_station_senses(struct pw_station *st, unsigned connector,
                       const struct pw_board_senses *senses, pw_ms now);
void pw_station_block(struct pw_station *st, unsigned connector, const struct pw_board_block *block,
                      pw_ms now);
void pw_station_mains(struct pw_station *st, unsigned connector, const struct pw_board_mains *mains,
                      pw_ms now);
// A connector's meter signs its readings, or no longer does (from 1; others are ignored). Its
// requests are taken with take_signing, once each; `signed` brings what the meter said, or NULL and
// why not. A charge waits for it no longer than the settings say, so an answer may be too late.
void pw_station_signer(struct pw_station *st, unsigned connector, bool present);
bool pw_station_take_signing(struct pw_station *st, unsigned connector,
                             struct pw_signed_request *request);
void pw_station_signed(struct pw_station *st, unsigned connector, uint32_t ticket,
                       const struct pw_signed_reading *reading, struct pw_str why);
// The line to the board of an openevse connector (from 1): it is open, or closed with a reason, and
// bytes it brought. `bytes` returns how many it took: offer the rest again after the next step.
void pw_station_wire_up(struct pw_station *st, unsigned connector, pw_ms now);
void pw_station_wire_down(struct pw_station *st, unsigned connector, struct pw_str reason,
                          pw_ms now);
size_t pw_station_wire_bytes(struct pw_station *st, unsigned connector, const uint8_t *at,
                             size_t len, pw_ms now);
// One RAPI command for that board from a person, without "$" and checksum ("GS", "FP 0 0 hello").
// It waits behind our own; *ticket names it. PW_ERR_UNKNOWN: the connector has no such board; else
// as pw_rapi_ask. *why holds one sentence then.
PW_MUST_USE int pw_station_board_ask(struct pw_station *st, unsigned connector, struct pw_str line,
                                     enum pw_rapi_who who, uint32_t *ticket, struct pw_out *why);
// What the board said ("$OK 16", or a time-out in words), once; PW_ERR_AGAIN: not yet,
// PW_ERR_UNKNOWN: no such ticket (any more).
PW_MUST_USE int pw_station_board_answer(struct pw_station *st, unsigned connector, uint32_t ticket,
                                        struct pw_out *answer);
// The link to the central system is open (with the subprotocol ocpp1.6), or closed, or could not be
// opened; `reason` is for the log and the status.
void pw_station_link_up(struct pw_station *st, pw_ms now);
void pw_station_link_down(struct pw_station *st, struct pw_str reason, pw_ms now);
// The same for a connection that failed for a reason of security.
void pw_station_link_refused(struct pw_station *st, enum pw_security_fault fault,
                             struct pw_str reason, pw_ms now);
// One whole text message. PW_ERR_AGAIN: what is to be sent (pw_station_out) must leave first; give
// the same message again afterwards, and read no other meanwhile.
PW_MUST_USE int pw_station_text(struct pw_station *st, struct pw_str text, pw_ms now);
// The connection to the broker is up, or down: who is away counts for
// charging.plug_and_charge_offline.
void pw_station_broker(struct pw_station *st, bool up);
// What the page shows over TLS, at the start and when it changes. take_new_certificate is true once
// when somebody asked for another one of the station's own.
void pw_station_tls(struct pw_station *st, const struct pw_station_tls *tls);
bool pw_station_take_new_certificate(struct pw_station *st);
// What the system's clock says; 0: it is not set. Taken while the station knows no time, and always
// where no central system is configured to tell it.
void pw_station_clock(struct pw_station *st, pw_unix_ms wall, pw_ms now);
// A card at the reader. connector 0: the station chooses.
void pw_station_card(struct pw_station *st, unsigned connector, struct pw_str id_tag, pw_ms now);
// One line of the console or the control socket ("help" lists them); the answer is text, or one
// JSON object when the line begins with "json ". Refusals are answers too; the result only says
// whether it was one (PW_OK, or the error).
PW_MUST_USE int pw_station_command(struct pw_station *st, struct pw_str line, struct pw_out *answer,
                                   pw_ms now);
// The house behind its meter, its management, and what that means for a connector (from 1).
void pw_station_house(const struct pw_station *st, unsigned connector, struct pw_house_view *view,
                      pw_ms now);
// Ends every charge in order (reason Reboot) and accepts no new one. `pw_station_at_rest` tells
// when contactors are open and records are safe.
void pw_station_stop(struct pw_station *st, pw_ms now);
bool pw_station_at_rest(struct pw_station *st);

// Decides everything that is due and returns when it wants to be called again at the latest.
pw_ms pw_station_step(struct pw_station *st, pw_ms now);

// Wall time as far as the station knows it: the system's clock at the start, then what the central
// system says. 0: unknown.
pw_unix_ms pw_station_wall(const struct pw_station *st, pw_ms now);

// Effects.
bool pw_station_take_can(struct pw_station *st, unsigned *bus, struct pw_can_frame *frame);
// What the board of a connector (from 1) shall drive, when that has changed. Call until false. The
// port repeats it to its hardware as long as turns are kept: a board that hears nothing opens.
bool pw_station_take_drive(struct pw_station *st, unsigned *connector,
                           struct pw_board_drive *drive);
// Bytes for the board of an openevse connector, empty when there are none; valid until
// pw_station_wire_out_sent, which says how many of them have left.
struct pw_str pw_station_wire_out(const struct pw_station *st, unsigned connector);
void pw_station_wire_out_sent(struct pw_station *st, unsigned connector, size_t len, pw_ms now);
// The text message to send, empty when there is none; valid until pw_station_out_sent, which says
// that it has been handed to the link whole.
struct pw_str pw_station_out(const struct pw_station *st);
void pw_station_out_sent(struct pw_station *st, pw_ms now);
// True while a link to the central system should be open, or be tried now. False: close it.
bool pw_station_wants_link(const struct pw_station *st, pw_ms now);
// How to connect next: address, password, certificate. Valid until the next call.
void pw_station_target(struct pw_station *st, struct pw_security_target *target, pw_ms now);
// The station link (proto/link), bytes both ways. True while a connection should be open, or be
// tried now; false: close it. `down` also when connecting failed, with why. `bytes` returns how
// many it took: offer the rest again after the next step.
bool pw_station_uplink_wants(const struct pw_station *st, pw_ms now);
void pw_station_uplink_up(struct pw_station *st, pw_ms now);
void pw_station_uplink_down(struct pw_station *st, struct pw_str reason, pw_ms now);
size_t pw_station_uplink_bytes(struct pw_station *st, const uint8_t *at, size_t len, pw_ms now);
struct pw_str pw_station_uplink_out(const struct pw_station *st);
void pw_station_uplink_out_sent(struct pw_station *st, size_t len, pw_ms now);
// What is due on the console: the answer of a board that somebody there asked, or the status lines.
// False when nothing is.
bool pw_station_take_status(struct pw_station *st, struct pw_out *out, pw_ms now);
// True once when the wire of `bus` should be restarted after bus-off.
bool pw_station_take_bus_restart(struct pw_station *st, unsigned *bus, pw_ms now);
enum pw_restart pw_station_wants_restart(struct pw_station *st);

// The frames that switch every rectifier off and open every contactor on a CAN bus, whatever the
// station's state: made ready beforehand, sent when the program fails. Returns their number, at
// most `cap`.
#define PW_STATION_OFF_MAX 48
size_t pw_station_off_frames(const struct pw_settings *settings, struct pw_bay_tx *to, size_t cap);

#endif
