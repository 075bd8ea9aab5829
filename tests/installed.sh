#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
# What a user of liblethe does: install it, ask pkg-config, build the examples with the
# shared library and with the static one, and run them; keep a program while the library
# is replaced by another version; unload the library. Silent if all of that works.
# Usage: tests/installed.sh BUILD_DIRECTORY
set -eu

build=$1
source=$(cd "$(dirname "$0")/.." && pwd)
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT

fail() {
	echo "installed.sh: $*"
	exit 1
}

meson install -C "$build" --no-rebuild --destdir "$root" >"$root/log" 2>&1 ||
	fail "$(cat "$root/log")"

# installed NAME: where it is
installed() {
	found=$(find "$root" -name "$1")
	[ -n "$found" ] || fail "$1 is not installed" >&2
	echo "$found"
}
pc=$(installed lethe.pc)
shared=$(installed liblethe.so)
static=$(installed liblethe.a)
header=$(installed zsmalloc.h)
manual=$(installed lethe.3)
codec=$(pkg-config --cflags --libs liblz4)
export PKG_CONFIG_PATH="${pc%/*}" PKG_CONFIG_SYSROOT_DIR="$root"
export LD_LIBRARY_PATH="${shared%/*}"

# compile OUTPUT SOURCE [FLAG]...: with what pkg-config says, after the flags
compile() {
	output=$1
	shift
	# shellcheck disable=SC2046  # one flag a word
	cc -std=c99 -Wall -Wextra -Werror -o "$root/$output" "$@" \
		$(pkg-config --cflags --libs lethe)
}

# ---- the examples ----

compile minimal "$source/examples/minimal.c"
[ "$("$root/minimal")" = 'hello, pool' ] || fail "examples/minimal.c says something else"
# shellcheck disable=SC2086
compile cache "$source/examples/cache.c" $codec
"$root/cache" >"$root/log" || fail "examples/cache.c: $(cat "$root/log")"

# shellcheck disable=SC2046
cc -std=c99 "$source/examples/minimal.c" -o "$root/static" $(pkg-config --cflags lethe) \
	"$static" -pthread
LD_LIBRARY_PATH='' "$root/static" >/dev/null

# And the header is as good for C++, where there is a compiler for it.
if command -v c++ >/dev/null; then
	# shellcheck disable=SC2046
	echo '#include <lethe/zsmalloc.h>' | c++ -x c++ -Wall -Werror -fsyntax-only \
		$(pkg-config --cflags lethe) -
fi

# ---- the manual page ----

sed '1,/^```/d' "$source/docs/lethe.3.scd" | sed '/^```/,$d' >"$root/example"
sed 1,2d "$source/examples/minimal.c" | diff "$root/example" - ||
	fail "the example of lethe(3) is not examples/minimal.c"
sed -n 's/^[a-z].*[ *]\(zs_[a-z_]*\)(.*/\1/p' "$header" >"$root/functions"
[ "$(wc -l <"$root/functions")" -ge 20 ] || fail "the header has no functions"
while read -r function; do
	grep -q "$function" "$manual" || fail "lethe(3) does not name $function()"
done <"$root/functions"

# ---- another version of the library ----

version() {
	sed -n "s/^#define LETHE_VERSION_$1 //p" "$header"
}
[ "$(pkg-config --modversion lethe)" = "$(version MAJOR).$(version MINOR).$(version PATCH)" ] ||
	fail "pkg-config and the header name different versions"

cat >"$root/other.c" <<'EOF'
#include <lethe/zsmalloc.h>
#include <string.h>

int main(void)
{
	struct {
		struct zs_pool_params params;
		size_t behind[8];
	} p;
	struct {
		struct zs_pool_stats stats;
		unsigned char behind[64];
	} s;
	struct zs_pool *pool;
	size_t i;

	memset(&p, 0, sizeof(p));
	p.behind[0] = 65536; /* a limit, for a library that takes it for one */
	memset(&s, 0xff, sizeof(s));
	p.params.policy = ZS_DEFER_ARRAY;
	if (zs_create_pool("other", &p.params, &pool))
		return 1;
	if (zs_handle_error(zs_malloc(pool, 1)))
		return 2;
	zs_pool_stats(pool, &s.stats);
	if (s.stats.objects != 1 || s.stats.policy != ZS_DEFER_ARRAY)
		return 3;
	for (i = 0; i < sizeof(s.behind); i++) {
		if (s.behind[i] != 0xff)
			return 4;
	}
#ifdef LATER
	if (s.stats.later[0] || s.stats.later[7])
		return 5;
	zs_destroy_pool(pool);
	p.params.later = 1;
	return zs_create_pool("other", &p.params, &pool) ? 0 : 6;
#else
	for (i = 0; i < 1000; i++) {
		if (zs_handle_error(zs_malloc(pool, 4096)))
			return 7;
	}
	zs_destroy_pool(pool);
	return 0;
#endif
}
EOF
# A header from before the last field of each structure, and one with another field.
mkdir -p "$root/before/lethe" "$root/after/lethe"
sed '/^	size_t mem_limit;/d' "$header" >"$root/before/lethe/zsmalloc.h"
[ "$(diff "$header" "$root/before/lethe/zsmalloc.h" | grep -c '^<')" = 2 ] ||
	fail "no earlier header was made"
sed '/^struct zs_pool_params {/,/^}/ s/^};/	size_t later;\n};/
	/^struct zs_pool_stats {/,/^}/ s/^};/	uint64_t later[8];\n};/' \
	"$header" >"$root/after/lethe/zsmalloc.h"
compile earlier "$root/other.c" -I"$root/before"
"$root/earlier" || fail "a program built with an earlier header fails: $?"
compile later "$root/other.c" -DLATER -I"$root/after"
"$root/later" || fail "a program built with a later header fails: $?"

# ---- a plugin that has the library goes, and after it the thread that used it ----

cat >"$root/unload.c" <<'EOF'
#include <dlfcn.h>
#include <pthread.h>
#include <stddef.h>

static pthread_barrier_t barrier;

static void *use(void *so)
{
	int (*create)(const char *, const void *, size_t, void **);
	unsigned long (*allocate)(void *, size_t);
	void (*destroy)(void *);
	void *pool;

	*(void **)&create = dlsym(so, "zs_create_pool_sized");
	*(void **)&allocate = dlsym(so, "zs_malloc");
	*(void **)&destroy = dlsym(so, "zs_destroy_pool");
	if (!create || !allocate || !destroy || create("unload", NULL, 0, &pool) ||
	    !allocate(pool, 1))
		return so;
	destroy(pool);
	pthread_barrier_wait(&barrier);
	pthread_barrier_wait(&barrier);
	return NULL;
}

int main(int argc, char **argv)
{
	void *so = dlopen(argv[argc - 1], RTLD_NOW);
	pthread_t thread;
	void *bad;

	pthread_barrier_init(&barrier, NULL, 2);
	if (!so || pthread_create(&thread, NULL, use, so))
		return 1;
	pthread_barrier_wait(&barrier);
	dlclose(so);
	pthread_barrier_wait(&barrier);
	pthread_join(thread, &bad);
	return bad ? 2 : 0;
}
EOF
cc -std=gnu99 -Wall -Wextra -Werror -o "$root/unload" "$root/unload.c" -pthread -ldl
"$root/unload" "$shared" || fail "a thread that used the library outlives it badly: $?"
