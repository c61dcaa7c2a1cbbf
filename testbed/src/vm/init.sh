#!/bin/sh
# The guest's first process: runs /guest/run and reports its exit status on the console.
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin HOME=/tmp RUST_BACKTRACE=1
# What a check needs has been put here, so that nothing may be skipped as missing.
export OVS_VM=1 CI=1

# stty changes the settings only after all output has been sent.
end() {
    stty -F /dev/ttyS1 raw
    stty -F /dev/console sane
    poweroff -f
}

mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
mount -t tmpfs tmpfs /run
while read -r module; do
    insmod "/guest/modules/$module" || { echo "guest: insmod $module: status $?"; end; }
done < /guest/modules.order
ifconfig lo up
stty -F /dev/ttyS1 raw

cd /tmp || end
# In the background, because for a child in the foreground the shell itself would write "Killed" or
# "Aborted" into the program's output.
timeout -s KILL "$(cat /guest/timeout)" sh /guest/run < /dev/null > /dev/ttyS1 2>&1 &
wait $!
status=$?
# From here on the kernel must not write into the report.
echo 1 > /proc/sys/kernel/printk
printf '\nguest status: %s\n' "$status"
end
