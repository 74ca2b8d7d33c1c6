// Target functions: pw_boot_decode, pw_boot_load, pw_slots_boot, pw_slots_boot_next,
// pw_slots_trust_load.
// Whatever lies in the folder, a choice is made within three steps, none of a slot (nothing in it
// is signed), the package's program is one of them, and the record that is left can be read.
#include "simdisk.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { CRC_AT = PW_SLOTS_RECORD_LEN - 4 };

static bool refuse(void *context, const uint8_t key[PW_RELEASE_KEY_LEN], struct pw_str label,
                   struct pw_str message, const uint8_t signature[64])
{
    (void)context;
    (void)key;
    (void)label;
    (void)message;
    (void)signature;
    return false;
}

static uint32_t crc32c(const uint8_t *at, size_t len)
{
    uint32_t crc = UINT32_MAX;
    for (size_t i = 0; i < len * 8; i++) {
        crc ^= i % 8 == 0 ? at[i / 8] : 0;
        crc = crc >> 1 ^ ((crc & 1) != 0 ? UINT32_C(0x82F63B78) : 0);
    }
    return ~crc;
}

static void put(struct pw_sim_disk *disk, char slot, const char *name, const uint8_t *at,
                size_t len)
{
    const struct pw_slots_disk *port = &disk->port;
    int err = slot == 0 ? port->overwrite(disk, name, true) : port->create(disk, slot, name, false);
    PW_ASSERT(err == PW_OK && port->append(disk, at, len) == PW_OK && port->sync(disk) == PW_OK);
}

// A record with the right sum, so that what is behind it is reached.
static void put_record(struct pw_sim_disk *disk, const char *name, const uint8_t *data, size_t size)
{
    uint8_t bytes[PW_SLOTS_RECORD_LEN] = {0};
    struct pw_boot_record record;
    memcpy(bytes, data, size < CRC_AT ? size : CRC_AT);
    pw_set_be32(bytes + CRC_AT, crc32c(bytes, CRC_AT));
    put(disk, 0, name, bytes, sizeof(bytes));
    if (pw_boot_decode(&record, bytes, sizeof(bytes)) == PW_OK) {
        uint8_t again[PW_SLOTS_RECORD_LEN];
        struct pw_boot_record same;
        PW_ASSERT(pw_boot_encode(&record, again));
        PW_ASSERT(pw_boot_decode(&same, again, sizeof(again)) == PW_OK);
        PW_ASSERT(same.sequence == record.sequence && same.counter == record.counter);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct pw_sim_disk disk;
    static struct pw_slots_boot boot;
    static uint8_t piece[256];
    const struct pw_release_crypto crypto = {.verify = refuse};
    size_t some = size < 2048 ? size : 2048;
    size_t half = size / 2;
    pw_sim_disk_init(&disk, 1);
    put_record(&disk, "boot.0", data, half);
    put_record(&disk, "boot.1", data + half, size - half);
    put(&disk, 0, "root", data, some);
    put(&disk, 'a', PW_SLOTS_HEAD, data, some);
    put(&disk, 'b', PW_SLOTS_HEAD, data, half < some ? half : some);
    memset(&boot, 0, sizeof(boot));
    boot.disk = &disk.port;
    boot.trust.crypto = &crypto;
    boot.trust.shipped = (struct pw_release_root){.version = 1};
    boot.trust.shipped.releases.threshold = 1;
    boot.rules.crypto = &crypto;
    boot.rules.product = PW_STR("pilotwire-station");
    boot.job.piece = piece;
    boot.job.piece_len = sizeof(piece);
    pw_slots_boot(&boot);
    PW_ASSERT(pw_slots_boot_next(&boot) == 0);
    PW_ASSERT(pw_slots_boot_next(&boot) == PW_SLOTS_NONE);
    PW_ASSERT(pw_boot_load(&disk.port, &boot.record));
    return 0;
}
