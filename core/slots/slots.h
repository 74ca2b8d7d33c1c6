// slots: how a release is put beside the one that runs, and which of them is started. Two slots,
// `a` and `b`, each a folder with the components of a release as files and its head in `release`;
// the boot record in two files says which slot is confirmed, which is on trial, and what may not
// come back. Pure: all reading and writing goes through a small disk contract, whose operations are
// small enough that the power may go between any two of them. doc/update.md has the record byte by
// byte and the order of the operations.
// Sources: facts/reliability.md §6.2, §6.3, T12, T13, F32; MCUboot's test, confirm and revert.
#ifndef PW_SLOTS_H
#define PW_SLOTS_H

#include "release/release.h"

enum {
    PW_SLOTS_RECORD_LEN = 512,  // bytes of the boot record: a sector
    PW_SLOTS_WHY_MAX = 160,     // a sentence and its NUL
    PW_SLOTS_TRIES = 3,         // starts of a program on trial
    PW_SLOTS_ROOTS_MAX = 32768, // bytes of the root documents that are kept
    PW_SLOTS_PIECE_MIN = 64,    // the least that is moved at a time
    PW_SLOTS_ELF_LEN = 20,      // bytes of a program that say for which machine it is
};

#define PW_SLOTS_HEAD "release" // the file in a slot with the head as it was judged

// A slot is named by 'a' or 'b'; 0 is the program of the package, or the folder itself.
enum pw_slot_use {
    PW_SLOT_EMPTY,  // nothing, or something half written
    PW_SLOT_FRESH,  // written and read back; on trial, if it is the one on trial
    PW_SLOT_PROVEN, // was confirmed: may be fallen back to
    PW_SLOT_FAILED, // was given up: is never started again
    PW_SLOT_USES
};

struct pw_slot_note {
    enum pw_slot_use use;
    uint32_t counter; // security counter of its release
    char version[PW_RELEASE_VERSION_MAX];
};

struct pw_boot_record {
    uint64_t sequence; // 0: there is none
    char confirmed;    // 'a', 'b'; 0: the package
    char trial;        // 'a', 'b'; 0: none
    uint8_t tries;     // starts left to the trial, 0..PW_SLOTS_TRIES
    uint32_t counter;  // least security counter that is started or installed; never goes down
    uint32_t root;     // least version of a root that a slot may be signed under; never goes down
    struct pw_slot_note slot[2];
    char returned[PW_RELEASE_VERSION_MAX]; // what was last given up, "": nothing
    char returned_why[PW_SLOTS_WHY_MAX];
};

// ---------------------------------------------------------------------------------------------
// The disk. Names are single file names, slots as above. One file is open at a time. Results:
// PW_OK, PW_ERR_UNKNOWN (no such file), PW_ERR_LIMIT (no room), PW_ERR_STORE (anything else).
// What is not synced may be lost, in part and in any order, when the power goes.

struct pw_slots_disk {
    void *context;
    // Makes the slot's folder if there is none; removes every file in it. Need not last.
    int (*clear)(void *context, char slot);
    // A new file, open for writing; `program`: it may be started.
    int (*create)(void *context, char slot, const char *name, bool program);
    // A file of the folder, open for writing at its start. Keeps its bytes, or is made `empty`.
    // Made if there is none.
    int (*overwrite)(void *context, const char *name, bool empty);
    int (*append)(void *context, const uint8_t *at, size_t len);
    int (*sync)(void *context); // the bytes of the open file last; closes it, whatever the result
    int (*sync_names)(void *context, char slot);                    // the names in a folder last
    int (*rename)(void *context, const char *from, const char *to); // in the folder; replaces
    int (*open)(void *context, char slot, const char *name); // for reading; never through a link
    int (*read)(void *context, uint8_t *to, size_t len);     // next bytes: their number, 0: the end
    void (*close)(void *context);
    // Reads exactly `len` bytes of the downloaded release file. NULL where nothing is written.
    int (*source)(void *context, uint64_t offset, uint8_t *to, size_t len);
};

// ---------------------------------------------------------------------------------------------
// The record. It is kept twice, `boot.0` and `boot.1`; the one that counts is overwritten last.

bool pw_boot_encode(const struct pw_boot_record *record, uint8_t to[PW_SLOTS_RECORD_LEN]);
// PW_OK, or PW_ERR_RANGE: damaged, or of another version; then *record is zero.
PW_MUST_USE int pw_boot_decode(struct pw_boot_record *record, const uint8_t *from, size_t len);
// False: neither can be read; then *record is zero.
bool pw_boot_load(const struct pw_slots_disk *disk, struct pw_boot_record *record);
// Writes both, with the next sequence. PW_OK when at least one is safe; an error leaves *record's
// sequence, and what is on the disk is either what was or what is.
PW_MUST_USE int pw_boot_keep(const struct pw_slots_disk *disk, struct pw_boot_record *record);

// The slot that may be written while `running` runs: neither that nor the confirmed one, rather one
// that cannot be fallen back to. PW_ERR_BUSY with *why while there is none.
PW_MUST_USE int pw_boot_target(const struct pw_boot_record *record, char running, char *slot,
                               struct pw_out *why);
// Changes; each is kept by the caller before what follows from it is done.
void pw_boot_empty(struct pw_boot_record *record, char slot); // before it is written
void pw_boot_try(struct pw_boot_record *record, char slot, const struct pw_release *release);
void pw_boot_confirm(struct pw_boot_record *record, uint32_t root); // asserts that there is a trial
void pw_boot_give_up(struct pw_boot_record *record, char slot, const char *why);
// The package's program from now on, if `version` is newer than what is confirmed in a slot; a
// trial that is not newer than it ends. False: nothing changed.
bool pw_boot_prefer_package(struct pw_boot_record *record, struct pw_str version);

// What is started, in this order: 'a', 'b', 0 for the package. Returns how many (1..3).
enum { PW_BOOT_CHOICES = 3 };
unsigned pw_boot_choices(const struct pw_boot_record *record, char choice[PW_BOOT_CHOICES]);

// ---------------------------------------------------------------------------------------------
// Writing a slot, and checking what is in one. A job does one operation of the disk a step.

struct pw_slots_job {
    // Set by the caller before begin.
    const struct pw_slots_disk *disk;
    char slot;
    uint8_t *piece; // what is moved at a time
    size_t piece_len;
    uint8_t elf[PW_SLOTS_ELF_LEN]; // how programs of this machine begin; elf[0] == 0: any
    struct pw_release release;
    uint8_t head[PW_RELEASE_HEAD_MAX];
    size_t head_len;
    // What comes of it.
    uint64_t bytes; // written
    bool altered;   // failed: what is there is not what was wanted
    char why[PW_SLOTS_WHY_MAX];
    // Inside.
    uint8_t stage;
    uint8_t file;   // component; the head comes after the last
    uint64_t moved; // of the file
    struct pw_sha256 hash;
};

uint64_t pw_slots_total(const struct pw_release *release, size_t head_len); // bytes to write
// The components from the source, then the head; then as check. The record must say EMPTY.
void pw_slots_write(struct pw_slots_job *job);
// Reads every file back and compares it with head and hashes.
void pw_slots_check(struct pw_slots_job *job);
// PW_ERR_AGAIN: there is more to do. PW_OK: done. Else *why.
PW_MUST_USE int pw_slots_step(struct pw_slots_job *job);

// ---------------------------------------------------------------------------------------------
// Roots: the file `root` holds the root documents that were followed so far, one after another as
// in a release file. It is believed only as far as it leads on from the maker's own root.

struct pw_slots_trust {
    const struct pw_release_crypto *crypto;
    struct pw_release_root shipped; // from update.root; version 0: none, and nothing is believed
    uint8_t chain[PW_SLOTS_ROOTS_MAX];
    size_t chain_len;
    // Inside: where the following is.
    struct pw_release_root at;
    struct pw_release_root next;
    struct pw_str row;
    struct pw_release_root_text text;
};

// Reads `root`. Without one, or with one that leads nowhere, the shipped root is the newest.
void pw_slots_trust_load(struct pw_slots_trust *trust, const struct pw_slots_disk *disk);
void pw_slots_trust_newest(struct pw_slots_trust *trust, struct pw_release_root *root);
// The newest one as it was signed; empty while that is the shipped one.
struct pw_str pw_slots_trust_signed(struct pw_slots_trust *trust);
// Judges a head as pw_release_judge, by any root from the shipped one to the newest, whose last
// root, after those of the head itself, has at least this version: what was confirmed under a root
// may run until something else is confirmed under a newer one.
enum pw_release_verdict pw_slots_trust_judge(struct pw_slots_trust *trust, uint32_t least,
                                             struct pw_str head,
                                             const struct pw_release_rules *rules,
                                             struct pw_release *release, struct pw_out *why);
// Root documents in a head that lead on are followed, whatever becomes of the release. PW_OK;
// PW_ERR_UNKNOWN: there are none; PW_ERR_LIMIT: PW_SLOTS_ROOTS_MAX is full.
PW_MUST_USE int pw_slots_trust_follow(struct pw_slots_trust *trust, struct pw_str head);
// Writes a chain of documents to `root`: that before or this one is there after a cut. PW_OK,
// PW_ERR_LIMIT, PW_ERR_STORE.
PW_MUST_USE int pw_slots_trust_keep(const struct pw_slots_disk *disk, const uint8_t *chain,
                                    size_t len);

// ---------------------------------------------------------------------------------------------
// Starting.

struct pw_slots_boot {
    // Set by the caller before begin.
    const struct pw_slots_disk *disk;
    struct pw_slots_trust trust;   // crypto and shipped
    struct pw_release_rules rules; // crypto, product; hardware, "": not looked at
    // What came of it.
    struct pw_boot_record record;
    char why[4 * PW_SLOTS_WHY_MAX]; // why not those before, and why the last choice
    // piece, piece_len and elf are set by the caller; then what was checked last.
    struct pw_slots_job job;
    // Inside.
    char choice[PW_BOOT_CHOICES];
    unsigned choices;
    unsigned next;
};

// Reads record and roots. Without a record one is made: the package's program, and the highest
// counter that a good release in a slot has.
void pw_slots_boot(struct pw_slots_boot *boot);
// The next program to start: 'a', 'b', 0 for the package, or PW_SLOTS_NONE when there is no other.
// A slot is named only when every byte of its release was just checked, with its program last, and
// a try is counted down and safe if it is on trial. Call again when it could not be started.
enum { PW_SLOTS_NONE = '-' };
char pw_slots_boot_next(struct pw_slots_boot *boot);

#endif
