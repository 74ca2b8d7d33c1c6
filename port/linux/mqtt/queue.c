// Whole messages in a bounded buffer, oldest first.
#include "mqtt/parts.h"

#include <string.h>

struct head {
    uint32_t expiry_s;
    uint32_t payload_len;
    uint16_t topic_len;
    uint16_t retain;
};

size_t pw_mqtt_queue_room(const struct queue *queue)
{
    size_t left = sizeof(queue->bytes) - queue->len;
    return left > sizeof(struct head) ? left - sizeof(struct head) : 0;
}

static void append(struct queue *queue, const void *at, size_t len)
{
    if (len > 0) {
        memcpy(queue->bytes + queue->len, at, len);
    }
    queue->len += len;
}

bool pw_mqtt_queue_push(struct queue *queue, const struct pw_broker_message *message)
{
    const struct head head = {.expiry_s = message->expiry_s,
                              .payload_len = (uint32_t)message->payload.len,
                              .topic_len = (uint16_t)message->topic.len,
                              .retain = message->retain ? 1 : 0};
    if (message->topic.len >= PW_BROKER_TOPIC_MAX ||
        message->topic.len + message->payload.len > pw_mqtt_queue_room(queue)) {
        queue->lost++;
        return false;
    }
    append(queue, &head, sizeof(head));
    append(queue, message->topic.at, message->topic.len);
    append(queue, message->payload.at, message->payload.len);
    return true;
}

bool pw_mqtt_queue_pop(struct queue *queue, struct pw_broker_message *message, char *to, size_t cap)
{
    struct head head;
    if (queue->len == 0) {
        return false;
    }
    memcpy(&head, queue->bytes, sizeof(head));
    size_t texts = (size_t)head.topic_len + head.payload_len;
    size_t whole = sizeof(head) + texts;
    PW_ASSERT(whole <= queue->len && texts <= cap);
    memcpy(to, queue->bytes + sizeof(head), texts);
    queue->len -= whole;
    memmove(queue->bytes, queue->bytes + whole, queue->len);
    *message = (struct pw_broker_message){
        .topic = {.at = to, .len = head.topic_len},
        .payload = {.at = to + head.topic_len, .len = head.payload_len},
        .retain = head.retain != 0,
        .expiry_s = head.expiry_s,
    };
    return true;
}
