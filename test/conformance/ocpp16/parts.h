// parts: what the files of the rig share among themselves. Nobody else includes this.
#ifndef PW_CONFORMANCE_PARTS_H
#define PW_CONFORMANCE_PARTS_H

#include "rig.h"

enum { RIG_NOTE_MAX = 2048 };

// main.c: where the sentence goes that ends a case; exits the case's process.
enum rig_end { RIG_PASS = 0, RIG_FAILED = 1, RIG_NOT_APPLICABLE = 77 };
_Noreturn void rig_end(enum rig_end how, const char *text);

// central.c
extern const struct street_central rig_central;
void rig_central_init(struct rig *r);
void rig_central_free(struct rig *r);
// A new run of the station's program.
void rig_central_new_program(struct rig *r);

// rig.c
void rig_slice(struct rig *r); // a moment, at most 100 ms

// pair.c
extern const struct street_kind rig_kind_pair;
void rig_pair_open(struct rig *r);
void rig_pair_act(struct rig *r, const char *line);

// json.c: parses text in which ' stands for ", and $NOW, $TX, $IN(s) for values.
cJSON *rig_json(struct rig *r, const char *text, int transaction);
void rig_expand(const struct rig *r, const char *text, int transaction, struct pw_out *out);

#endif
