# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
#
# Two NUMA nodes: a page is stored on the node that it is on, whatever CPU writes it. The
# kernel's own zram does not say which until 6.18: then it is the CPU's. run.sh gives the
# guest two nodes if this suite alone is named: CPU 0 and half of the memory, the other
# CPUs and the other half.

# zspages NODE: pages that the allocator has there
zspages() {
	awk -v node="$1," '$1 == "Node" { here = $2 == node }
		here && $1 == "nr_zspages" { n += $2 } END { print n + 0 }' /proc/zoneinfo
}

check "the guest has two nodes" test -d /sys/devices/system/node/node1
zram_load
echo 64M >$Z/disksize
for node in 0 1; do
	before0=$(zspages 0) before1=$(zspages 1)
	of=$node on=$((1 - node))
	case $IMPL-$KVER in
	tree-6.1[0-7].*) of=$on on=$node ;;
	esac
	check "pages of CPU $of's node are written by CPU $on" \
		vmtest place /corpus /dev/zram0 4 $((node << 22)) $of $on
	here=$(($(zspages $node) - (node ? before1 : before0)))
	there=$(($(zspages $((1 - node))) - (node ? before0 : before1)))
	compare "they are stored on node $node" $here -gt 256
	compare "and not on the other" $there -lt $((here / 8))
done
check "they are read back" eval 'dd if=/dev/zram0 bs=1M count=4 2>/dev/null | cmp -n 4194304 - /corpus'
check "reset" eval 'echo 1 >$Z/reset'
check "unload" zram_unload
