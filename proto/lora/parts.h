// parts: what the two ends share. Nobody else includes this.
#ifndef PW_LORA_PARTS_H
#define PW_LORA_PARTS_H

#include "lora/lora.h"

enum {
    PW_LORA_WANT_LEN = 2,
    PW_LORA_REPORT_LEN = 21,
    PW_LORA_FACTS_LEN = 38,
    PW_LORA_ASK_HEAD = 1,    // id
    PW_LORA_ANSWER_HEAD = 2, // id, whether there is one
};

// codec.c: payloads. A payload of another length, or with values that cannot be, is not taken.
size_t pw_lora_put_want(const struct pw_rapi_want *want, uint8_t *to);
PW_MUST_USE int pw_lora_get_want(const struct pw_lora_frame *frame, struct pw_rapi_want *want);
size_t pw_lora_put_lcd(const struct pw_rapi_want *want, unsigned row, uint8_t *to);
PW_MUST_USE int pw_lora_get_lcd(const struct pw_lora_frame *frame, struct pw_rapi_want *want);
size_t pw_lora_put_report(const struct pw_rapi_view *view, uint8_t *to);
PW_MUST_USE int pw_lora_get_report(const struct pw_lora_frame *frame, struct pw_rapi_view *view,
                                   pw_ms now);
size_t pw_lora_put_facts(const struct pw_rapi_view *view, uint8_t *to);
PW_MUST_USE int pw_lora_get_facts(const struct pw_lora_frame *frame, struct pw_rapi_view *view,
                                  pw_ms now);

// queue.c: what to say next.
void pw_lora_queue_init(struct pw_lora_queue *queue);
void pw_lora_queue_add(struct pw_lora_queue *queue, enum pw_lora_item item);
// The item to say now, or PW_LORA_ITEMS: all is said, or a receipt is waited for.
enum pw_lora_item pw_lora_queue_next(const struct pw_lora_queue *queue, pw_ms now);
// It has been said, reliably, in frame `number`.
void pw_lora_queue_said(struct pw_lora_queue *queue, struct pw_lora_link *link,
                        enum pw_lora_item item, uint16_t number, pw_ms now);
// A receipt has come.
void pw_lora_queue_receipt(struct pw_lora_queue *queue, uint16_t receipt);
pw_ms pw_lora_queue_deadline(const struct pw_lora_queue *queue);

#endif
