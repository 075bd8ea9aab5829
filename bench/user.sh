#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
#
# The allocator in userspace, on pages of real files: table on the terminal,
# records in build/bench/user.json.
#
# usage: user.sh

set -eu

cd "$(dirname "$0")/.."
dir=build/user
[ -f $dir/build.ninja ] || meson setup $dir >&2
ninja -C $dir tools/lethe >&2
mkdir -p build/bench
$dir/tools/lethe bench --json build/bench/user.json
echo "records in build/bench/user.json"
