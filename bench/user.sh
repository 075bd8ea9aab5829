#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
#
# The allocator in userspace, on pages of real files: what freeing costs under
# each policy (build/bench/user.json), and the same against the allocators that
# people would use there (build/bench/rivals.json). Tables on the terminal.
#
# usage: user.sh [-i INPUT] [-m MIB] [-r ROUNDS]

set -eu

cd "$(dirname "$0")/.."
input=/usr/lib mib=256 rounds=5

usage() {
	echo 'usage: user.sh [-i INPUT] [-m MIB] [-r ROUNDS]' >&2
	exit 2
}

while getopts i:m:r: option; do
	case $option in
	i) input=$OPTARG ;;
	m) mib=$OPTARG ;;
	r) rounds=$OPTARG ;;
	*) usage ;;
	esac
done
[ "$OPTIND" -gt $# ] || usage

dir=build/user
[ -f $dir/build.ninja ] || meson setup $dir >&2
ninja -C $dir tools/lethe bench/user/rivals >&2
mkdir -p build/bench
$dir/tools/lethe bench --input "$input" --size "$mib" --rounds "$rounds" \
	--json build/bench/user.json
echo
python3 bench/rivals.py $dir/bench/user/rivals --input "$input" --size "$mib" \
	--rounds "$rounds" --json build/bench/rivals.json
echo "records in build/bench/user.json and build/bench/rivals.json"
