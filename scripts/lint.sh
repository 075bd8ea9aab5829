#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
#
# Formatting, static checks, and the rules that keep the tree habitable. Prints
# what is wrong; the last line is "lint: N passed, N failed".
#
# usage: lint.sh

set -uo pipefail

cd "$(dirname "$0")/.." || exit 1

passed=0
failed=0

# files PATTERN...: sources of ours by name, one a line
files() {
	local names=() pattern
	for pattern; do
		names+=(-o -name "$pattern")
	done
	find . \( -path ./build -o -path ./.git \) -prune -o -type f \
		\( "${names[@]:1}" \) -print | sed 's|^\./||' | LC_ALL=C sort
}

# scripts: shell scripts, by name or by first line
scripts() {
	{
		files '*.sh' '*.postinst' '*.postrm'
		find .ci bench scripts tests tools -type f ! -name '*.*' \
			-exec grep -lE '^#!.*\bsh\b' {} +
	} | LC_ALL=C sort -u
}

# rule NAME COMMAND...: the command succeeds, and has nothing to say
rule() {
	local name=$1 said
	shift
	if said=$("$@" 2>&1) && [ -z "$said" ]; then
		passed=$((passed + 1))
		return
	fi
	failed=$((failed + 1))
	printf 'lint: %s\n' "$name"
	sed 's/^/  /' <<<"$said" | head -n 40
}

formatting() {
	files '*.c' '*.h' | xargs clang-format --dry-run -Werror
}

licence_line() {
	local file
	files '*.c' '*.h' '*.cocci' '*.config' Kconfig '*.sh' '*.py' '*.scd' '*.map' '*.md' '*.svg' Makefile Kbuild meson.build \
		'*.in' '*.postinst' '*.postrm' rules meson_options.txt .clang-format init guest-init run kernel-fetch |
		while read -r file; do
			head -n 3 "$file" |
				grep -q 'SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause' ||
				printf '%s has no SPDX line\n' "$file"
		done
}

shell_scripts() {
	scripts | xargs shellcheck -S warning -x
}

python_scripts() {
	local file
	files '*.py' | while read -r file; do
		python3 -c 'import ast, sys; ast.parse(open(sys.argv[1]).read(), sys.argv[1])' "$file"
	done
}

# core/all.c is the other files of core once more. Headers of the system are not
# looked into; two of their constants decide what is seen.
static_analysis() {
	cppcheck --quiet --std=c11 --error-exitcode=1 --inline-suppr -j "$(nproc)" \
		--enable=warning,performance,portability \
		--suppress=missingInclude --suppress=missingIncludeSystem \
		--suppress=normalCheckLevelMaxBranches -icore/all.c \
		--suppress=nullPointerOutOfMemory:'tests/*' \
		--suppress=nullPointerArithmeticOutOfMemory:'tests/*' \
		--template='{file}:{line}: {severity}: {message} [{id}]' \
		--platform=unix64 -DUINTPTR_MAX=0xffffffffffffffff \
		-DUINT64_MAX=0xffffffffffffffff -DLETHE_PAGE_SHIFT=12 '-DLETHE_VERSION="0"' \
		-Iinclude -Iport -Iport/user -Iport/sim -Icore \
		core port/user port/sim tools tests bench examples
}

# Sparse sees the modules as the kernel's own checks do. It is this machine's, so the
# kernel is one that is built by this machine's compiler.
sparse_modules() {
	local log kernel=6.12-cloud-amd64
	# shellcheck source=scripts/suite.sh
	[ "$(. scripts/suite.sh && machine_suite)" != trixie ] || kernel=trixie-cloud-amd64
	log=$(scripts/build-modules.sh "$kernel" C=2 2>&1) || {
		printf '%s\n' "$log"
		return 1
	}
	grep -E '(core|port|kernel|include/lethe)/.*(warning|error):' <<<"$log" || true
}

kernel_versions_in_one_place() {
	grep -rln -e LINUX_VERSION_CODE -e KERNEL_VERSION --include='*.[ch]' \
		core include kernel port tools tests bench | grep -vx kernel/compat.h || true
}

# zram.ko is a user of the allocator like any other.
zram_includes() {
	local own
	own=$(cd kernel/zram && printf '%s\n' *.h)
	grep -nE '^[[:space:]]*#[[:space:]]*include' kernel/zram/*.[ch] |
		grep -vE '<(linux|asm|crypto|uapi|generated)/|<lethe/zsmalloc\.h>|"compat\.h"' |
		grep -vFf <(sed 's/.*/"&"/' <<<"$own") || true
}

# The first section after NAME holds code.
manuals_begin_with_example() {
	local page
	for page in $(files '*.scd'); do
		awk '/^# / { section++ } section == 2 && /^```/ { found = 1 } END { exit !found }' "$page" ||
			printf '%s does not begin with an example\n' "$page"
	done
}

# What debugfs has shown once; causes are explained as one.
figures_are_explained() {
	local field
	sed -nE '/lethe\/zram0\/(deferred_free|stats)/,/^$/ s/^([a-z_]+): .*/\1/p' tests/stat/lethe.txt |
		sed -E '/^flush(ed|es)_/d' |
		while read -r field; do
			grep -q "\`$field\`" docs/admin.md || printf 'docs/admin.md does not explain %s\n' "$field"
		done
}

nothing_unfinished() {
	grep -rnE --include='*.[ch]' --include='*.sh' --include='*.py' \
		--exclude=lint.sh '\b(TODO|FIXME|XXX)\b' \
		core include kernel port tools tests bench examples scripts || true
}

# Claims of docs/internals.md stand in a comment, [NAME] or [NAME: ...], and a comment's
# claims in docs/internals.md; the cases of tests/unit that it names are there.
claims_stand() {
	local page=docs/internals.md
	diff <(grep -oE '^\| \*\*[A-Z][0-9]\*\*' $page | tr -dc 'A-Z0-9\n' | LC_ALL=C sort -u) \
		<(grep -rohE --include='*.[ch]' '\[[A-Z][0-9][]:]' core include kernel port |
			tr -dc 'A-Z0-9\n' | LC_ALL=C sort -u)
	{
		grep -oE '\bunit `[^|;]*' $page
		# In brackets, in a comment that may go on in the next line
		find core include kernel port -name '*.[ch]' -exec sed 's/^[[:space:]]*\*//' {} + | tr '\n' ' ' |
			grep -oE '\[[^][]*\]' | grep -oE '\bunit [^];]*'
	} | grep -oE '[a-z0-9]+(_[a-z0-9]+)+' | sort -u |
		while read -r case; do
			[ -f "tests/unit/$case.c" ] || grep -rq "^static void $case(void" tests/unit ||
				printf 'no case of tests/unit: %s\n' "$case"
		done
	# Each seeded defect stands for a claim, and those named are there.
	diff <(grep -oE '\bmutants? `[^|;]*' $page | grep -oE '`[a-z0-9-]+`' | tr -d '`' | LC_ALL=C sort -u) \
		<(basename -a -s .patch tests/sim/mutants/*.patch | LC_ALL=C sort -u)
}

# Edited by hand, or made before its records or the script changed
page_is_made() {
	local made page
	made=$(mktemp -d) || return 1
	bench/report.py docs/performance "$made/performance.md" "$made/performance" &&
		for page in "$made"/*.md; do
			diff -u "docs/${page##*/}" "$page" || break
		done &&
		diff <(stamps docs/performance) <(stamps "$made/performance")
	rm -rf "$made"
}

kernels_in_readme() {
	diff <(sed -n '/^<!-- kernels\.txt/,/^<!-- end of kernels\.txt/p' README.md | grep -v '^<!--') \
		<(scripts/kernels.sh markdown)
}

# A release is one version everywhere.
changelog_is_of_version() {
	local first
	read -r first <debian/changelog
	[[ $first == "lethe ($(cat VERSION)) "* ]] ||
		printf 'VERSION says %s, debian/changelog: %s\n' "$(cat VERSION)" "$first"
}

# What an administrator reads need not be changed for each release.
version_by_hand() {
	grep -nF -e "$(cat VERSION)" README.md docs/admin.md docs/*.scd || true
}

# stamps DIRECTORY: what each drawing in it was drawn from
stamps() {
	(cd "$1" && grep -H -m 1 'drawn from' ./*.svg 2>/dev/null)
}

rule "C files are formatted by .clang-format" formatting
rule "every source file names its licence" licence_line
rule "shellcheck" shell_scripts
rule "Python parses" python_scripts
rule "cppcheck" static_analysis
rule "core/, port/ and tools/ include only what they may" tests/unit/includes.sh .
rule "kernel/zram includes only the public API" zram_includes
rule "kernel versions are known to kernel/compat.h alone" kernel_versions_in_one_place
rule "docs/performance*.md are what make report makes" page_is_made
rule "README.md has the table that kernels.txt makes" kernels_in_readme
rule "the claims of docs/internals.md stand in the code" claims_stand
rule "debian/changelog is of the version in VERSION" changelog_is_of_version
rule "no version of Lethe's is written by hand in what administrators read" version_by_hand
rule "manuals begin with an example" manuals_begin_with_example
rule "docs/admin.md explains the figures of debugfs" figures_are_explained
rule "nothing is left unfinished" nothing_unfinished
if command -v sparse >/dev/null; then
	rule "sparse" sparse_modules
else
	printf 'lint: sparse is not installed, so the modules were not checked with it\n'
fi

printf 'lint: %d passed, %d failed\n' "$passed" "$failed"
[ "$failed" = 0 ]
