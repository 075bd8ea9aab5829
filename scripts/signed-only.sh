#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
#
# Does the kernel that runs load signed modules only, as with Secure Boot? Yes: 0.
#
# usage: signed-only.sh

grep -qs Y /sys/module/module/parameters/sig_enforce ||
	grep -qs -e '\[integrity\]' -e '\[confidentiality\]' /sys/kernel/security/lockdown
