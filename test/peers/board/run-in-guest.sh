#!/bin/sh
# Boots a guest with simulated GPIO lines and a PWM and runs the native board's test in it:
# run-in-guest.sh TEST_PROGRAM FOLDER. Needs qemu-system-x86, busybox-static, and apt for the kernel,
# its headers and source, which are unpacked in FOLDER and not installed. Debian's kernel has no
# gpio-sim, so it is built from Debian's source. About 30 s the first time, 10 s afterwards.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
program=$(realpath "$1")
mkdir -p "$2"
cd "$2"
need() { command -v "$1" >/dev/null || { echo "$1 is missing: apt-get install $2" >&2; exit 1; }; }
need qemu-system-x86_64 qemu-system-x86
need busybox busybox-static

first_dependency() { apt-cache depends "$1" | sed -n "s/^ *Depends: \($2.*\)/\1/p" | head -1; }
if [ ! -f modules/pwm-still.ko ]; then
    image=$(first_dependency linux-image-amd64 linux-image-)
    headers=$(first_dependency linux-headers-amd64 linux-headers-)
    common=$(apt-cache depends "$headers" | sed -n 's/^ *Depends: \(linux-headers-.*-common\)/\1/p')
    mkdir -p deb kernel source modules
    (cd deb && apt-get download -q "$image" "$headers" "$common" linux-kbuild-6.1 linux-source-6.1)
    for package in deb/linux-image* deb/linux-headers* deb/linux-kbuild*; do
        dpkg -x "$package" kernel
    done
    dpkg -x deb/linux-source-6.1* source
    tar xf source/usr/src/linux-source-6.1.tar.xz -C source linux-source-6.1/drivers/gpio \
        linux-source-6.1/kernel/irq/irq_sim.c
    tree=source/linux-source-6.1
    cp $tree/drivers/gpio/gpio-sim.c $tree/drivers/gpio/gpiolib.h modules
    # A module may not reach into interrupt descriptors; the exported function does the same.
    sed -e 's/handle_simple_irq(irq_to_desc(\(.*\)));/generic_handle_irq_safe(\1);/' \
        -e 's/#include <linux\/slab.h>/&\n#include <linux\/module.h>/' $tree/kernel/irq/irq_sim.c >modules/irq_sim.c
    echo 'MODULE_LICENSE("GPL");' >>modules/irq_sim.c
    cp "$here/pwm-still.c" modules
    echo 'obj-m := gpio-sim.o irq_sim.o pwm-still.o' >modules/Kbuild
    build=$PWD/kernel/usr/src/$headers
    sed -i "s#include /usr/src/#include $PWD/kernel/usr/src/#" "$build/Makefile"
    make -s -C "$build" M="$PWD/modules" modules >modules/log 2>&1 || { cat modules/log >&2; exit 1; }
    find kernel/lib/modules -name configfs.ko -exec cp {} modules \;
fi

rm -rf root
mkdir -p root/bin root/modules root/proc root/sys root/dev root/tmp
cp "$(command -v busybox)" root/bin
for name in sh mount insmod echo cat mkdir sed poweroff; do ln -s busybox root/bin/$name; done
cp modules/*.ko root/modules
cp "$here/board.yaml.in" root
cp "$here/guest-init" root/init
cp "$program" root/guest
ldd "$program" | grep -o '/[^ ]*' | while read -r library; do
    mkdir -p "root$(dirname "$library")"
    cp -L "$library" "root$library"
done
(cd root && find . | busybox cpio -o -H newc 2>/dev/null | gzip -1) >initrd.gz
timeout 120 qemu-system-x86_64 -accel tcg -M q35 -m 256 -nodefaults -display none -serial stdio \
    -no-reboot -kernel kernel/boot/vmlinuz-* -initrd initrd.gz \
    -append "console=ttyS0 quiet panic=-1 mitigations=off" </dev/null | tr -d '\r' | tee console
grep -q '^guest: status 0$' console
