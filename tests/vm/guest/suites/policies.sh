# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
#
# zram.ko's parameters: how frees are deferred, and how many may be pending.

zram_needs
zram=/modules/$IMPL/zram.ko
same "an unknown policy is refused" "$(insmod "$zram" policy=nonsense 2>&1)" \
	"insmod: can't insert '$zram': Invalid argument"

zram_load
version=$(cat /sys/module/lethe/version)
check "the version is one" eval "echo '$version' | grep -Eqx '[0-9]+[.][0-9]+[.][0-9]+'"
same "both modules are of one version" "$(cat /sys/module/zram/version)" "$version"
check "the kernel's log has the allocator's version" \
	eval "dmesg | grep -q 'lethe: version $version\$'"
zram_unload

for policy in sync array tombstone default; do
	zram_load policy=$policy
	same "$policy: the parameter says so" "$(cat /sys/module/zram/parameters/policy)" $policy
	in_force=$policy
	[ $policy != default ] || in_force=tombstone
	same "$policy: the kernel's log says which zram this is" \
		"$(dmesg | sed -n 's/.*\(zram: Lethe\)/\1/p' | tail -n 1)" \
		"zram: Lethe's, version $(cat /sys/module/zram/version), policy $in_force"
	swap_start 128M
	same "$policy: the pool says so" "$(deferred policy)" $in_force
	hold_worker 25
	held_start 16 1
	used=$(mm_stat zram0 used)
	held munmap
	held_end
	if [ $policy = sync ]; then
		same "sync: nothing is ever pending" "$(orphans)" 0
		same "sync: nothing was queued" "$(deferred queued)" 0
		# But for what the kernel's own caches of swap slots keep
		compare "sync: the memory is back at once" "$(mm_stat zram0 used)" \
			-lt $((used / 4 + 64 * PAGE))
	else
		compare "$policy: frees are pending" "$(orphans)" -gt $((16 * PER_MIB * 7 / 8))
	fi
	check "$policy: slots are used again" held_start 8 2
	release_worker
	check "$policy: their content is right" held check
	held_kill
	check "$policy: all is drained" within 5 nothing_pending
	same "$policy: no free was invalid" "$(deferred invalid)" 0
	swap_stop
	check "$policy: unload" zram_unload
done

# A small budget is spent in no time: the producer frees, and the bound holds.
for policy in array tombstone; do
	budget=$((4 * PER_MIB))
	zram_load policy=$policy budget=$budget
	swap_start 128M
	same "$policy: the budget is the capacity" "$(deferred capacity)" $budget
	hold_worker 25
	held_start 16 3
	held munmap
	held_end
	compare "$policy: no more is pending" "$(orphans)" -le $budget
	same "$policy: the pool says how many" "$(deferred pending)" "$(orphans)"
	case $policy in
	array) freed=$(deferred fallback) ;;
	tombstone) freed=$(deferred producer_drained) ;;
	esac
	compare "$policy: the producer freed the rest" "$freed" -ge $((10 * PER_MIB))
	release_worker
	check "$policy: what is pending is drained" within 5 nothing_pending
	swap_stop
	zram_unload
done

# The kernel says why a device gets no size.
zram_load policy=array budget=4294967296
same "a budget that the policy cannot have" "$(vmtest attr $Z/disksize 16M)" EINVAL
check "is named as the reason" \
	eval "dmesg | grep -q 'zram0: policy array cannot have a budget of 4294967296'"
same "and does not stay in the way" "$(echo 0 >/sys/module/zram/parameters/budget &&
	vmtest attr $Z/disksize 16M)" ok
zram_unload
