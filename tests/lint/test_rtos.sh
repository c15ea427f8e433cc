#!/bin/bash
# The glue for kernels compiles against declarations of our own, for the kernels are the user's, and keeps the time.
cd "$(dirname "$0")/../.." || exit 1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
n=0 failed=0

# kernel FOLDER NAME FLAG...
kernel() {
	local folder=$1 name=$2 output
	shift 2
	n=$((n + 1))
	if output=$(gcc -std=c99 -pedantic -Wall -Wextra -Werror -Wconversion -Wsign-conversion -Wshadow -Wundef -Wcast-qual \
		-fsanitize=address,undefined -fno-sanitize-recover=all \
		-Icore -Iport/"$folder" -Itests/rtos ${BEARSSL_DIR:+-isystem "$BEARSSL_DIR/inc"} "$@" \
		-o "$work/story" port/"$folder"/*.c tests/rtos/story.c 2>&1) && output=$("$work/story" 2>&1); then
		echo "ok $n - $name"
	else
		failed=1
		echo "# ${output//$'\n'/$'\n# '}"
		echo "not ok $n - $name"
	fi
}

kernel freertos "FreeRTOS, 250 ticks a second" -DFREERTOS
kernel cmsis-rtos2 "CMSIS-RTOS2, 1000 ticks a second" -DCMSIS
kernel cmsis-rtos2 "CMSIS-RTOS2, 100 ticks a second" -DCMSIS -DRATE=100u
kernel cmsis-rtos2 "CMSIS-RTOS2, 300 ticks a second" -DCMSIS -DRATE=300u
kernel cmsis-rtos2 "CMSIS-RTOS2, 32768 ticks a second" -DCMSIS -DRATE=32768u

# refused WORDS OPTION: FreeRTOS set up as it will not do, and the compiler says why.
refused() {
	n=$((n + 1))
	if ! output=$(gcc -std=c99 -Icore -Iport/freertos -Itests/rtos ${BEARSSL_DIR:+-isystem "$BEARSSL_DIR/inc"} "$2" -fsyntax-only \
		port/freertos/acme_freertos.c 2>&1) && grep -q "error: .*$1" <<<"$output"; then
		echo "ok $n - FreeRTOS refused: $2"
	else
		failed=1
		echo "# ${output//$'\n'/$'\n# '}"
		echo "not ok $n - FreeRTOS refused: $2"
	fi
}

refused needs_configTICK_RATE_HZ_that_divides_1000 -DRATE_HZ=1024
refused needs_configTICK_RATE_HZ_that_divides_1000 -DRATE_HZ=300
refused needs_TickType_t_of_32_bits -DTICK_TYPE=uint16_t
refused "needs configUSE_TASK_NOTIFICATIONS=1" -DconfigUSE_TASK_NOTIFICATIONS=0
refused "needs configTICK_RATE_HZ" -DWITHOUT_RATE
echo "1..$n"
exit $failed
