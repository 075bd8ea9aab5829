# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
#
# To be sourced, after cache.sh, by what takes packages from a suite of Debian that this
# machine may not run, or of another architecture. What the machine itself installs, and from where, stays as it is:
# apt is given a state of its own, in the cache.

# shellcheck source=scripts/arch.sh
. "$(dirname "${BASH_SOURCE[0]}")/arch.sh"
suite_root=

# The suite that this machine runs, if it runs Debian
machine_suite() {
	# shellcheck disable=SC1091
	(ID='' && . /etc/os-release 2>/dev/null && [ "$ID" = debian ] &&
		printf '%s\n' "${VERSION_CODENAME-}") || true
}

# mirror TAIL: where the machine's apt gets Debian from; TAIL: '' or '-security'
mirror() {
	local own
	own=$(machine_suite)
	APT_CONFIG='' apt-get --print-uris update 2>/dev/null |
		sed -nE "s,^'([^']+)/dists/(${own:-stable}|oldstable|stable|testing|unstable|sid)$1/main/binary-.*,\\1,p" |
		head -n 1
}

# sources SUITE: lines for sources.list
sources() {
	local main security
	local how="signed-by=/usr/share/keyrings/debian-archive-keyring.gpg"
	main=$(mirror '')
	[ -n "$main" ] || die "this machine's apt gets nothing from a mirror of Debian"
	printf 'deb [%s] %s %s main\n' "$how" "$main" "$1"
	security=$(mirror -security)
	case $1 in
	sid | *-backports) ;;
	# Of a machine that asks for no security updates, where they usually are
	*) printf 'deb [%s] %s %s-security main\n' "$how" "${security:-$main-security}" "$1" ;;
	esac
}

# suite_open SUITE ARCH: from here on, apt-get and apt-cache speak of SUITE, and of
# packages of ARCH; those of this machine's are to be had as PACKAGE:ARCH. Nothing is
# changed for the suite and the architecture that the machine runs.
suite_open() {
	local own
	own=$(machine_arch)
	[ "$1 $2" != "$(machine_suite) $own" ] || return 0
	suite_root=${XDG_CACHE_HOME:-$HOME/.cache}/lethe/apt/$1
	[ "$2" = "$own" ] || suite_root=$suite_root-$2
	mkdir -p "$suite_root"/{state/lists/partial,cache/archives/partial}
	sources "$1" >"$suite_root/sources.list"
	: >"$suite_root/status"
	{
		# What the machine says about proxies and the like
		APT_CONFIG='' apt-config dump | grep '^Acquire::'
		cat <<-END
			Acquire::Languages "none";
			APT::Architecture "$2";
			APT::Architectures { "$2"; "$own"; };
			APT::Sandbox::User "root";
			Dir::Etc::Main "/dev/null";
			Dir::Etc::Parts "/dev/null";
			Dir::Etc::SourceList "$suite_root/sources.list";
			Dir::Etc::SourceParts "/dev/null";
			Dir::Etc::Preferences "/dev/null";
			Dir::Etc::PreferencesParts "/dev/null";
			Dir::State "$suite_root/state";
			Dir::State::Status "$suite_root/status";
			Dir::Cache "$suite_root/cache";
		END
	} >"$suite_root/apt.conf"
	export APT_CONFIG=$suite_root/apt.conf
}

# Are there lists of the suite that was opened, and from this week?
suite_is_known() {
	[ -n "$(find "$suite_root/state/lists" -maxdepth 1 -name '*Packages*' -mtime -7)" ]
}

suite_update() {
	say "updating the package lists of ${suite_root##*/}"
	if ! apt-get -qq update >&2; then
		say "trying without security updates"
		sed -i '/-security main$/d' "$suite_root/sources.list"
		apt-get -qq update >&2 || return 1
	fi
	find "$suite_root/state/lists" -maxdepth 1 -name '*Packages*' -exec touch {} +
}
