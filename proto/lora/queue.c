// One frame at a time waits for its receipt; the most urgent item may overtake it. What has changed
// since it was said is said anew.
#include "lora/parts.h"

enum {
    RECEIPT_MS = 1200, // turn-around, air and a turn of the other end's loop
    AGAIN_MAX_MS = 20000,
};

void pw_lora_queue_init(struct pw_lora_queue *queue)
{
    *queue = (struct pw_lora_queue){.waiting = PW_LORA_ITEMS, .again_at = PW_NEVER};
}

void pw_lora_queue_add(struct pw_lora_queue *queue, enum pw_lora_item item)
{
    queue->due[item] = true;
    queue->changed[item] = true;
}

enum pw_lora_item pw_lora_queue_next(const struct pw_lora_queue *queue, pw_ms now)
{
    for (unsigned i = 0; i < PW_LORA_ITEMS; i++) {
        if (!queue->due[i]) {
            continue;
        }
        bool waits = queue->waiting != PW_LORA_ITEMS && now < queue->again_at;
        bool overtakes = i < queue->waiting || (i == queue->waiting && queue->changed[i]);
        return waits && !overtakes ? PW_LORA_ITEMS : (enum pw_lora_item)i;
    }
    return PW_LORA_ITEMS;
}

void pw_lora_queue_said(struct pw_lora_queue *queue, struct pw_lora_link *link,
                        enum pw_lora_item item, uint16_t number, pw_ms now)
{
    bool again = queue->waiting == item && !queue->changed[item];
    queue->tries = again && queue->tries < UINT8_MAX ? (uint8_t)(queue->tries + 1) : 0;
    pw_ms wait = (pw_ms)RECEIPT_MS << pw_min(queue->tries, 4);
    queue->waiting = (uint8_t)item;
    queue->changed[item] = false;
    queue->number = number;
    queue->again_at = now + pw_earlier(wait, AGAIN_MAX_MS) +
                      pw_lora_link_airtime(link, PW_LORA_PAYLOAD_MAX) +
                      pw_lora_link_dice(link, 600);
}

void pw_lora_queue_receipt(struct pw_lora_queue *queue, uint16_t receipt)
{
    if (queue->waiting == PW_LORA_ITEMS || receipt != queue->number) {
        return;
    }
    queue->due[queue->waiting] = queue->changed[queue->waiting];
    queue->waiting = PW_LORA_ITEMS;
    queue->again_at = PW_NEVER;
    queue->tries = 0;
}

pw_ms pw_lora_queue_deadline(const struct pw_lora_queue *queue)
{
    for (unsigned i = 0; i < PW_LORA_ITEMS; i++) {
        if (queue->due[i]) {
            bool overtakes = i < queue->waiting || (i == queue->waiting && queue->changed[i]);
            return queue->waiting == PW_LORA_ITEMS || overtakes ? 0 : queue->again_at;
        }
    }
    return PW_NEVER;
}
