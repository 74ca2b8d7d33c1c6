// A kernel module for the guest: a PWM chip with one channel that keeps what it is told and moves
// nothing. The kernel wants to know a module's licence: this file may also be used under MIT or
// GPL-2.0.
#include <linux/module.h>
#include <linux/platform_device.h>
#include <linux/pwm.h>

static int apply(struct pwm_chip *chip, struct pwm_device *pwm, const struct pwm_state *state)
{
    return 0;
}

static const struct pwm_ops ops = {.apply = apply, .owner = THIS_MODULE};
static struct pwm_chip chip = {.ops = &ops, .npwm = 1};

static int __init start(void)
{
    struct platform_device *device = platform_device_register_simple("pwm-still", -1, NULL, 0);
    if (IS_ERR(device)) {
        return PTR_ERR(device);
    }
    chip.dev = &device->dev;
    return pwmchip_add(&chip);
}

module_init(start);
MODULE_LICENSE("Dual MIT/GPL");
