# SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
#
# The face of the tree. Userspace is built by Meson, modules by Kbuild; each
# target first installs the Debian packages it needs, if any is missing.

KVER ?= 6.12-cloud-amd64
RECORDS = demo storm busy busy-newest phone phone-newest phone-instructions native kernel-tree instructions instructions-storm user rivals

.PHONY: help setup demo test test-all test-arm64 test-debug test-systems test-kernel-tree kernel-patch sim \
	test-clone sim-small sim-mutants fuzz coverage modules deb dist install install-modules uninstall \
	bench bench-native bench-kernel-tree report lint clean

help:
	@echo 'make demo     kill a process whose memory is in swap, with the zram of the'
	@echo '              kernel and with ours, in a virtual machine; print what it costs'
	@echo 'make test     everything there is to test, on the kernels that matter most'
	@echo 'make test-all all suites on all kernels of kernels.txt; some hours'
	@echo 'make test-arm64  of those, the kernels for arm64, with pages of 4 and 16 KiB,'
	@echo '              in QEMU; and the library for arm64, by qemu-user; an hour'
	@echo 'make test-debug  the suites on kernels that watch themselves, built on first use'
	@echo 'make test-systems  Debian 12 and 13 with systemd in virtual machines: the package,'
	@echo '              zram-generator, zram-tools, zramctl, a kernel upgrade; as root'
	@echo 'make test-clone  demo and test in a clone of the last commit, on a bare Debian 13; as root'
	@echo 'make test-kernel-tree  kernels with Lethe in their own tree, built and booted'
	@echo 'make sim      200,000 simulated schedules of the core for every policy'
	@echo 'make sim-small  all schedules of small cases, up to three preemptions'
	@echo 'make sim-mutants  seeded defects of the core: does the simulator find each?'
	@echo 'make fuzz     ten minutes of fuzzing of the public API'
	@echo 'make coverage what the unit tests reach of core/ and port/user'
	@echo 'make modules  build/modules/RELEASE/{lethe,zram}.ko for KVER=$(KVER), which'
	@echo '              is a release as uname -r says it, or a name of kernels.txt,'
	@echo '              such as "newest". Prints the directory.'
	@echo 'make kernel-patch KSRC=DIR  patches that put Lethe into a kernel source, in place'
	@echo '              of its zsmalloc; KSRC may be linux-source-6.12, of Debian'
	@echo 'make deb      Debian packages, in build/deb: the modules for DKMS, tools, library'
	@echo 'make install  the same without packages: below PREFIX (/usr/local), after DESTDIR;'
	@echo '              modules by DKMS, or where it is not, for KVER, which is then'
	@echo '              the kernel that runs. Also: make install-modules, make uninstall'
	@echo 'make dist     build/dist/lethe-VERSION.tar.gz, with a dkms.conf'
	@echo 'make bench    the demo, the exit storm, the phone, and the allocator in userspace'
	@echo 'make bench-native  the demo at native speed: User-Mode Linux, built on first use'
	@echo 'make bench-kernel-tree  Lethe in place of the zsmalloc of a kernel source, under zram'
	@echo '              and zswap, natively: two kernels are built on first use'
	@echo 'make report   docs/performance*.md, of what bench and bench-native have recorded'
	@echo 'make lint     formatting, static checks, rules of the tree'
	@echo 'make setup    install what is missing, and do nothing else'
	@echo 'make clean    remove build/ (downloaded kernels stay in the cache)'

setup:
	@scripts/setup.sh

demo: setup
	@bench/demo.sh

test: setup
	@scripts/setup.sh arm64
	@tests/run.sh

test-all: setup
	@scripts/setup.sh arm64
	@tests/run.sh -a

test-arm64: setup
	@scripts/setup.sh arm64
	@tests/run.sh -m arm64

test-debug: setup
	@tests/debug/run.sh -r

test-systems: setup
	@tests/package.sh
	@tests/package.sh trixie
	@tests/systems/run.sh

test-clone: setup
	@tests/clone.sh trixie

test-kernel-tree: setup
	@tests/tree/run.sh

kernel-patch:
	@scripts/setup.sh kernel-patch
	@scripts/kernel-patch.sh '$(KSRC)'

sim: setup
	@tests/sim/run.sh -r 200000 2

sim-small: setup
	@tests/sim/run.sh -r 0 2 3

sim-mutants: setup
	@tests/sim/mutants.sh -r

fuzz: setup
	@tests/fuzz/run.sh -r 600

coverage: setup
	@tests/coverage/run.sh

modules:
	@scripts/setup.sh modules
	@scripts/build-modules.sh '$(KVER)'

deb:
	@scripts/setup.sh deb
	@scripts/deb.sh

dist:
	@scripts/dist.sh

# KVER has a value for "make modules" where it was given none.
install install-modules uninstall:
	@PREFIX='$(PREFIX)' DESTDIR='$(DESTDIR)' KDIR='$(KDIR)' \
		KVER='$(if $(filter file,$(origin KVER)),,$(KVER))' scripts/install.sh $@

bench: demo
	@bench/storm.sh
	@bench/phone.sh
	@bench/phone.sh -k newest
	@bench/user.sh

bench-native: setup
	@bench/native.sh
	@for cpus in 1 2 4; do bench/native.sh -k 7.3 -c $$cpus || exit 1; done
	@bench/native.sh -k 7.3 -c 2 -v intree,default -w munmap,kill -n 1 -m 64,256,512,1024,4096
	@bench/native.sh -k 7.3 -c 2 -v intree,default -w munmap,kill -n 4,8,16,32 -m 256
	@for variant in intree sync default; do \
		bench/native.sh -p $$variant -k 7.3 >build/bench/profile-$$variant.txt && \
		bench/native.sh -p $$variant -k 7.3 -c 2 -n 4 -m 128 -w kill \
			>build/bench/profile-four-$$variant.txt || exit 1; \
	done

bench-kernel-tree: setup
	@scripts/setup.sh kernel-patch
	@for cpus in 1 2; do bench/kernel-tree.sh -c $$cpus || exit 1; done
	@for variant in intree default; do \
		bench/kernel-tree.sh -p $$variant >build/bench/profile-tree-zswap-$$variant.txt || exit 1; \
	done

# What a page was made from stays with it: the page can be made again without measuring.
report: setup
	@mkdir -p docs/performance
	@for file in $(RECORDS:%=build/bench/%.json) build/bench/profile-*.txt build/bench/callgrind-*.txt; do \
		[ ! -f "$$file" ] || cp "$$file" docs/performance/ || exit 1; \
	done
	@bench/report.py docs/performance docs/performance.md docs/performance

lint: setup
	@scripts/lint.sh

clean:
	rm -rf build
