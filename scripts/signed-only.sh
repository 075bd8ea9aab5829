#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
#
# Does the kernel that runs load signed modules only, as with Secure Boot? Yes: 0, and one
# sentence on stdout says what to do for those that DKMS has signed.
#
# usage: signed-only.sh

grep -qs Y /sys/module/module/parameters/sig_enforce ||
	grep -qs -e '\[integrity\]' -e '\[confidentiality\]' /sys/kernel/security/lockdown ||
	exit 1
echo "this system loads signed modules only (Secure Boot): unless DKMS's key is enrolled already," \
	"run 'mokutil --import /var/lib/dkms/mok.pub' and reboot"
