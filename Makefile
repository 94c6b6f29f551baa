# pz: one Makefile, no configure. 'make help' lists the targets; V= picks a variant, each
# with a directory of its own under build/.

V       ?= release
prefix  ?= /usr/local
bindir  ?= $(prefix)/bin
mandir  ?= $(prefix)/share/man
datadir ?= $(prefix)/share/pz
docdir  ?= $(prefix)/share/doc/pz
libdir  ?= $(prefix)/lib
includedir ?= $(prefix)/include
B       := build/$(V)

ifeq ($(origin CC),default)
CC := gcc
endif
ifeq ($(V),fuzz)
CC := clang
endif
VERSION := $(shell sed -n 's/^\#define PZ_VERSION *"\(.*\)"/\1/p' libcore/base/pz.h)

# ---- what it is built from --------------------------------------------------------------
# .ci/deps knows the Debian package of each, and those that only the tests need.
PACKAGES   := libcjson sqlite3 libxxhash libzstd zlib libmicrohttpd libcrypto
PKG_CFLAGS := $(shell pkg-config --cflags $(PACKAGES) 2>/dev/null)
PKG_LIBS   := $(shell pkg-config --libs $(PACKAGES) 2>/dev/null)
CHECK_LIBS := $(shell pkg-config --libs check 2>/dev/null)

# ---- flags ------------------------------------------------------------------------------
WARN := -Wall -Wextra -Wpedantic -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla \
        -Wwrite-strings -Wpointer-arith -Wformat=2 -Wundef
ifdef WERROR
WARN += -Werror
endif
BASE := -std=gnu11 -g $(WARN) -fno-common -ffp-contract=off -pthread -D_GNU_SOURCE \
        -Ilibcore -I. -Itests/unit
HARD := -D_FORTIFY_SOURCE=2 -fstack-protector-strong -fPIE

FLAGS_release := -O2 $(HARD)
LINK_release  := -pie -Wl,-z,relro,-z,now
FLAGS_debug   := -O0 -fPIE
LINK_debug    := -pie
FLAGS_asan    := -O1 -fno-omit-frame-pointer -fsanitize=address,undefined \
                 -fno-sanitize-recover=all
LINK_asan     := -fsanitize=address,undefined
FLAGS_tsan    := -O1 -fsanitize=thread
LINK_tsan     := -fsanitize=thread
FLAGS_cov     := -O0 --coverage
LINK_cov      := --coverage
FLAGS_fuzz    := -O1 -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all
LINK_fuzz     := -fsanitize=address,undefined
ifeq ($(FLAGS_$(V)),)
$(error V=$(V) is none of release, debug, asan, tsan, cov, fuzz)
endif

ALL_CFLAGS := $(BASE) $(FLAGS_$(V)) $(PKG_CFLAGS) $(CFLAGS)
ALL_LIBS   := -Wl,--as-needed -lcsv $(PKG_LIBS) -lm -lpthread
LINK        = $(CC) $(LINK_$(V)) $(LDFLAGS) -o $@ $(filter %.o %.a,$^) $(ALL_LIBS)

# ---- files ------------------------------------------------------------------------------
LIB_SRC := $(sort $(wildcard libcore/*/*.c))
LIB_OBJ := $(LIB_SRC:%.c=$(B)/%.o)
CMD_SRC := $(sort $(wildcard cmd/pz-*.c))
CMD_OBJ := $(patsubst %.c,$(B)/%.o,$(filter-out $(CMD_SRC),$(sort $(wildcard cmd/*.c))))
TOOLS   := $(CMD_SRC:cmd/%.c=$(B)/%)
SAMPLES := $(patsubst samples/%.c,$(B)/samples/%,$(sort $(wildcard samples/*.c)))
BENCH   := $(patsubst tests/bench/%.c,$(B)/bench/%,$(sort $(wildcard tests/bench/*.c)))
FUZZ    := $(patsubst tests/fuzz/%.c,$(B)/fuzz/%,$(sort $(wildcard tests/fuzz/fuzz_*.c)))
# Tests on check live in any folder of tests/; their names are unique.
UNIT_SRC := $(sort $(wildcard tests/*/test_*.c))
UNIT     := $(patsubst %.c,$(B)/tests/%,$(notdir $(UNIT_SRC)))
# Other programs that test scripts want: *.c of these folders that are no test_.
HELPER_SRC := $(filter-out $(UNIT_SRC),$(sort $(wildcard tests/cli/*.c tests/fault/*.c \
                                                         tests/lang/*.c)))
HELPERS    := $(patsubst %.c,$(B)/tests/%,$(notdir $(HELPER_SRC)))
MAN     := $(sort $(wildcard man/*.[1-9]))
SCHEMAS := $(sort $(wildcard schemas/*))

.PHONY: all deps deps-test ready check check-run coverage tests fuzz lint bench peers quality demo \
        install uninstall dist clean help format FORCE
.SECONDARY:
.DELETE_ON_ERROR:

all: $(TOOLS)

# ---- dependencies -----------------------------------------------------------------------
deps:
	@.ci/deps install build check

# Also what some tests use and are skipped without: a PostgreSQL server, Python, strace,
# clients of AWS, a load generator.
deps-test:
	@.ci/deps install build check extra

# Once a tree: says in one line what is missing, instead of a compiler's error.
build/.deps:
	@mkdir -p build
	@.ci/deps need build
	@touch $@

# For the targets that promise to work on a bare machine.
ready:
	@.ci/deps need build check 2>/dev/null || .ci/deps install build check

# ---- building ---------------------------------------------------------------------------
$(B)/%.o: %.c | build/.deps
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

$(B)/libcore.a: $(LIB_OBJ)
	@rm -f $@
	$(AR) rcs $@ $^

# Recipes in shared objects call back: the dynamic list shows them what they may call.
$(TOOLS): $(B)/%: $(B)/cmd/%.o $(CMD_OBJ) $(B)/libcore.a libcore/recipe/custom.list
	$(LINK) -Wl,--dynamic-list=libcore/recipe/custom.list

# The files of the console are read by the assembler, which the compiler does not tell.
$(B)/libcore/serve/console_files.o: $(wildcard libcore/serve/console/*)

$(B)/libcore/recipe/custom.o: ALL_CFLAGS += -DPZ_LIBDIR='"$(libdir)/pz"'

define unit_rule
$(B)/tests/$(basename $(notdir $(1))): $(B)/$(basename $(1)).o $(B)/tests/unit/main.o \
                                       $(B)/libcore.a
	@mkdir -p $$(@D)
	$$(LINK) $$(CHECK_LIBS)
endef
$(foreach s,$(UNIT_SRC),$(eval $(call unit_rule,$(s))))

define helper_rule
$(B)/tests/$(basename $(notdir $(1))): $(B)/$(basename $(1)).o $(B)/libcore.a
	@mkdir -p $$(@D)
	$$(LINK)
endef
$(foreach s,$(HELPER_SRC),$(eval $(call helper_rule,$(s))))

$(B)/bench/%: $(B)/tests/bench/%.o $(B)/libcore.a
	@mkdir -p $(@D)
	$(LINK)

# The sample generator stands alone: C library only.
$(B)/samples/%: $(B)/samples/%.o
	$(CC) $(LINK_$(V)) $(LDFLAGS) -o $@ $< -lm

# A fuzz target is libFuzzer's with V=fuzz, else a program that replays inputs.
ifeq ($(V),fuzz)
# What is to be explored is libcore, not the target's own comparisons.
$(B)/tests/fuzz/%.o: FLAGS_fuzz := -O2 -fsanitize=address,undefined \
                                   -fno-sanitize-recover=all
$(B)/fuzz/%: $(B)/tests/fuzz/%.o $(B)/libcore.a
	@mkdir -p $(@D)
	$(LINK) -fsanitize=fuzzer
else
$(B)/fuzz/%: $(B)/tests/fuzz/%.o $(B)/tests/fuzz/replay.o $(B)/libcore.a
	@mkdir -p $(@D)
	$(LINK)
endif

# ---- tests ------------------------------------------------------------------------------
# tests/run runs stages (folders of tests/ with an executable 'run') and counts.
TEST_ENV := CC='$(CC)' PZ_SRC='$(CURDIR)' PZ_BUILD='$(abspath $(B))' V=$(V)

tests: all $(UNIT) $(HELPERS) $(FUZZ) $(SAMPLES)

fuzz: $(FUZZ)

check: ready
	@$(MAKE) --no-print-directory check-run

check-run: tests
	@$(TEST_ENV) tests/run

check-%: tests
	@$(TEST_ENV) tests/run $*

lint: tests
	@$(TEST_ENV) tests/run lint

coverage:
	@$(MAKE) --no-print-directory check V=cov
	@tests/coverage build/cov

bench: all $(BENCH) $(SAMPLES)
	@$(TEST_ENV) tests/bench/run

# Q=--quick for a million rows.
peers: all $(BENCH)
	@$(TEST_ENV) tests/bench/peers $(Q)

# Q=--quick for the rows that take a minute; other options of tests/bench/quality likewise.
quality: all
	@$(TEST_ENV) tests/bench/quality $(Q)

format:
	clang-format -i $(LIB_SRC) $(wildcard libcore/*/*.h cmd/*.[ch] tests/*/*.[ch] samples/*.c samples/*/*.c)

demo: ready
	@$(MAKE) --no-print-directory -s all $(B)/samples/make-shop
	@$(TEST_ENV) samples/demo.sh

# ---- installing -------------------------------------------------------------------------
# What a recipe in a shared object includes.
HEADERS   := $(sort $(wildcard $(foreach d,base math store data recipe,libcore/$(d)/*.h)))
INSTALLED := $(TOOLS:$(B)/%=$(bindir)/%) $(SCHEMAS:schemas/%=$(datadir)/schemas/%) \
             $(foreach m,$(MAN:man/%=%),$(mandir)/man$(subst .,,$(suffix $(m)))/$(m)) \
             $(docdir)/README.md $(docdir)/LICENSE $(libdir)/pkgconfig/pz-recipe.pc \
             $(HEADERS:libcore/%=$(includedir)/pz/%)

install: all
	install -d $(DESTDIR)$(bindir) $(DESTDIR)$(docdir) $(DESTDIR)$(datadir)/schemas
	install -m 755 $(TOOLS) $(DESTDIR)$(bindir)
	install -m 644 README.md LICENSE $(DESTDIR)$(docdir)
	set -e; for m in $(MAN:man/%=%); do \
	    install -D -m 644 man/$$m $(DESTDIR)$(mandir)/man$${m##*.}/$$m; done
	set -e; for s in $(SCHEMAS); do install -m 644 $$s $(DESTDIR)$(datadir)/schemas; done
	set -e; for h in $(HEADERS:libcore/%=%); do \
	    install -D -m 644 libcore/$$h $(DESTDIR)$(includedir)/pz/$$h; done
	install -d $(DESTDIR)$(libdir)/pz/recipes $(DESTDIR)$(libdir)/pkgconfig
	sed 's|@prefix@|$(prefix)|; s|@version@|$(VERSION)|' samples/recipes/pz-recipe.pc.in \
	    > $(DESTDIR)$(libdir)/pkgconfig/pz-recipe.pc

uninstall:
	rm -f $(INSTALLED:%=$(DESTDIR)%)
	-rmdir $(DESTDIR)$(datadir)/schemas $(DESTDIR)$(datadir) $(DESTDIR)$(docdir) \
	    $(DESTDIR)$(includedir)/pz/* $(DESTDIR)$(includedir)/pz \
	    $(DESTDIR)$(libdir)/pz/recipes $(DESTDIR)$(libdir)/pz 2>/dev/null

dist:
	@mkdir -p build
	git archive --prefix=pz-$(VERSION)/ HEAD | gzip -9n > build/pz-$(VERSION).tar.gz
	@echo build/pz-$(VERSION).tar.gz

clean:
	rm -rf build demo

help:
	@echo 'make              build the tools into build/release'
	@echo 'make demo         install what is missing, build, and show a sample shop from CSV to items'
	@echo 'make check        install what is missing, build, run all tests'
	@echo 'make check-STAGE  one stage of the tests: unit, fuzz, cli, lint ... (tests/README.md)'
	@echo 'make lint         the lint stage'
	@echo 'make coverage     make check V=cov, then covered lines by file and folder'
	@echo 'make bench        speed and size beside their floors (tests/bench)'
	@echo 'make peers        the same work by pz and by what else one would pick; Q=--quick'
	@echo 'make quality      recommendations on public data beside published figures; Q=--quick'
	@echo 'make fuzz V=fuzz  libFuzzer programs in build/fuzz/fuzz'
	@echo 'make deps         install the Debian packages that are missing'
	@echo 'make deps-test    the same, and what a few tests are skipped without'
	@echo 'make install      into $$(DESTDIR)$(prefix); also uninstall'
	@echo 'make dist         build/pz-$(VERSION).tar.gz from the committed tree'
	@echo 'make format       clang-format over all sources'
	@echo 'make clean        remove build/ and demo/'
	@echo 'V=release|debug|asan|tsan|cov|fuzz picks a variant, CC= the compiler, WERROR=1 is strict'

ifneq ($(wildcard $(B)),)
-include $(shell find $(B) -name '*.d')
endif
