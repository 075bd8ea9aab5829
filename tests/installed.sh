#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
# What a user of liblethe does: install it, ask pkg-config, build a program with
# the shared library and with the static one, and run both.
# Usage: tests/installed.sh BUILD_DIRECTORY
set -eu

build=$1
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT

meson install -C "$build" --no-rebuild --destdir "$root" >"$root/log" 2>&1 || {
	cat "$root/log"
	exit 1
}
pc=$(find "$root" -name lethe.pc)
PKG_CONFIG_PATH=$(dirname "$pc")
PKG_CONFIG_SYSROOT_DIR=$root
export PKG_CONFIG_PATH PKG_CONFIG_SYSROOT_DIR

cat >"$root/program.c" <<'EOF'
#include <lethe/zsmalloc.h>
#include <string.h>

int main(void)
{
	struct zs_pool *pool;
	unsigned long handle;
	char buf[6];
	const char *got;
	int same;

	if (zs_create_pool("program", NULL, &pool))
		return 1;
	handle = zs_malloc(pool, 6);
	if (!handle || zs_handle_error(handle) || zs_obj_write(pool, handle, "hello", 6))
		return 2;
	got = zs_obj_read_begin(pool, handle, 6, buf);
	same = got && !strcmp(got, "hello");
	zs_obj_read_end(pool, handle);
	zs_free_deferred(pool, handle);
	zs_destroy_pool(pool);
	return same ? 0 : 3;
}
EOF
# shellcheck disable=SC2046  # one flag a word
cc -std=c99 -Wall -Wextra -Werror "$root/program.c" -o "$root/shared" \
	$(pkg-config --cflags --libs lethe)
LD_LIBRARY_PATH=$(dirname "$(find "$root" -name 'liblethe.so')") "$root/shared"

# shellcheck disable=SC2046
cc -std=c99 "$root/program.c" -o "$root/static" $(pkg-config --cflags lethe) \
	"$(find "$root" -name 'liblethe.a')" -pthread
"$root/static"

# And the header is as good for C++, where there is a compiler for it.
if command -v c++ >/dev/null; then
	# shellcheck disable=SC2046
	echo '#include <lethe/zsmalloc.h>' | c++ -x c++ -Wall -Werror -fsyntax-only \
		$(pkg-config --cflags lethe) -
fi
