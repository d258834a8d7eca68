# SPDX-License-Identifier: MIT
# Reprise.  `make help` says what there is; DEPS=0 skips the look for packages.

BUILD	?= build
PREFIX	?= /usr/local
DESTDIR	?=
DOC	= $(PREFIX)/share/doc/reprise
OPT	?= -O2
LDFLAGS	?= -Wl,-z,relro,-z,now
DEPS	?= 1
FUZZ_SECONDS ?= 600

# Before anything else is looked for: what a goal needs is installed if it is missing.
NEEDS_all	= build
NEEDS_run	= build run
NEEDS_demo	= build run
NEEDS_install	= build
NEEDS_deb	= build deb
NEEDS_check-deb	= build run deb fresh
NEEDS_deps	= build run test
NEEDS_test	= build run test
NEEDS_lint	= build run test
NEEDS_asan	= build run test
NEEDS_tsan	= build run test
NEEDS_soak	= build run test
NEEDS_fuzz	= build run test
NEEDS_bench	= build run bench
NEEDS_bench-hit	= $(NEEDS_bench)
NEEDS_bench-idle	= $(NEEDS_bench)
NEEDS_bench-store	= $(NEEDS_bench)
NEEDS_bench-scale	= $(NEEDS_bench)
NEEDS_bench-team	= $(NEEDS_bench)
NEEDS_bench-metrics	= $(NEEDS_bench)
NEEDS_bench-reload	= $(NEEDS_bench)
NEEDS_bench-tls	= $(NEEDS_bench)
NEEDS_bench-canon	= build
NEEDS_bench-sieve	= build
NEEDS_deps-bench = build run bench
NEEDS	= $(sort $(foreach goal,$(MAKECMDGOALS),$(NEEDS_$(goal))))
ifneq ($(DEPS),0)
ifneq ($(NEEDS),)
ifneq ($(shell tests/deps $(NEEDS) >&2 && echo fine),fine)
$(error what is needed could not be installed)
endif
endif
endif

CC	= gcc
PYTHON	:= $(firstword $(wildcard /usr/bin/python3) python3)
WARN	= -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes \
	  -Wcast-qual -Wvla -Werror
CFLAGS	= -std=gnu17 -g $(OPT) $(WARN) -D_GNU_SOURCE -I. $(LLHTTP_CFLAGS) $(SANITIZE) -pthread \
	  -fstack-protector-strong
LDLIBS	= -levent_core -lcurl -ljansson -lyaml -lsystemd -llmdb -lxxhash -lssl -lcrypto -lz \
	  -lm $(LLHTTP_LIBS)
ASAN	= -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer

# Debian 12 has llhttp as sources; elsewhere it is a library (libllhttp).
LLHTTP_DIR	:= $(patsubst %/llhttp.c,%,$(wildcard /usr/share/llhttp/llhttp.c))
ifneq ($(LLHTTP_DIR),)
LLHTTP_CFLAGS	= -DLLHTTP_STRICT_MODE=1 -I/usr/share/include/llhttp
LLHTTP_OBJ	= $(patsubst %,$(BUILD)/llhttp/%.o,api http llhttp)
else
LLHTTP_LIBS	= -lllhttp
endif

BASE	= arena breaker buf bytes choice clock date err glob histogram ip json_text line list \
	  log mem money num quota rate spool turns utf8
HTTP	= error_body field forwarded head_scan ndjson preamble reader respond retry_after sse \
	  traceparent
CACHE	= canon digest entry flight gate key ledger place policy print purge run savings \
	  scribe shuffle sieve spell store store_file store_guard store_open store_write tally \
	  variant
CONFIG	= config defaults edits keyring literal load load_place load_value manual option peers \
	  renew route schema secret team tree
DIALECT	= anthropic brief control dialect exact_json field_use hf identity json_value \
	  json_walk llama loading model_list multipart ollama openai raw retouch sampling \
	  stream stream_anthropic stream_anthropic_unfold stream_member stream_ollama \
	  stream_openai stream_openai_unfold stream_tgi tei tgi usage verdict
NET	= conn fetch herald listen loop multi notify pass tls tls_context tls_ticket
PROXY	= access_log admin admin_answer admin_gauges admin_metrics admit answer answer_cache \
	  answer_call attempt board body_log certificates cli cli_cache cli_explain cli_help \
	  cli_key cli_reload cli_stats cli_text cli_transfer cli_warm client diff edit_body \
	  errand exporter form forward guests handover hold inlet keep limit listening lookup \
	  metrics models page question receive redact relay request request_step revision \
	  saving scout server share span splice stats target timing tracing upstream version \
	  watch watchdog worker
BENCH	= canon hit idle metrics reload scale sieve store stream team tls
BENCH_PROGRAMS	= $(patsubst %,$(BUILD)/bench-%,canon crowd fill latency sieve store)
REPLAY	= fake_conn fake_fetch fake_loop fake_scribe player

UNIT_base	= arena breaker buf bytes choice date glob histogram ip json_text line list \
	  log money num quota rate spool turns utf8
UNIT_http	= error_body field forwarded head_scan ndjson preamble reader respond \
	  retry_after sse traceparent
UNIT_cache	= canon digest entry flight gate key ledger place policy print purge run \
	  savings scribe shuffle sieve spell store store_write tally variant
UNIT_config	= config edits keyring literal manual renew route schema secret team
UNIT_dialect	= brief control dialect exact_json field_use identity json_value json_walk \
	  loading model_list multipart retouch sampling stream stream_property usage verdict
UNIT_net	= conn tls
UNIT_proxy	= diff edit_body guests redact splice
FAULTS	= beside damage disk kill power_cut vanish

FUZZ	= reader brief canon config edit entry preamble retouch sse stream
FUZZ_reader	= $(SRC_base) $(SRC_http) $(wildcard $(LLHTTP_DIR)/*.c)
FUZZ_brief	= $(SRC_base) cache/run.c proxy/dialect/brief.c
FUZZ_canon	= $(SRC_base) $(patsubst %,cache/%.c,canon place run shuffle spell)
FUZZ_edit	= $(SRC_base) $(patsubst %,cache/%.c,canon place run shuffle spell) \
	  $(SRC_config) proxy/dialect/json_walk.c proxy/edit_body.c proxy/splice.c
FUZZ_entry	= $(SRC_base) cache/digest.c cache/entry.c
FUZZ_config	= $(SRC_base) $(SRC_config)
FUZZ_preamble	= $(SRC_base) proxy/http/preamble.c
FUZZ_retouch	= $(SRC_base) $(patsubst %,cache/%.c,canon place run shuffle spell) \
	  proxy/dialect/json_walk.c proxy/dialect/retouch.c
FUZZ_stream	= $(SRC_base) $(patsubst %,cache/%.c,canon place run shuffle spell) \
	  $(patsubst %,proxy/http/%.c,error_body ndjson sse) \
	  $(wildcard proxy/dialect/stream*.c) \
	  $(patsubst %,proxy/dialect/%.c,exact_json json_value)
FUZZ_sse	= $(SRC_base) proxy/http/ndjson.c proxy/http/sse.c

SRC_base	= $(BASE:%=base/%.c)
SRC_http	= $(HTTP:%=proxy/http/%.c)
SRC_cache	= $(CACHE:%=cache/%.c)
SRC_config	= $(CONFIG:%=config/%.c)
SRC_dialect	= $(DIALECT:%=proxy/dialect/%.c)
SRC_net		= $(NET:%=proxy/net/%.c)
SRC_proxy	= $(PROXY:%=proxy/%.c)
LAYERS	= base http cache config dialect net proxy
lib	= $(BUILD)/lib$(1).a
# A layer links with those below it.
BELOW_base	= $(call lib,base)
BELOW_http	= $(call lib,http) $(LLHTTP_OBJ) $(BELOW_base)
BELOW_cache	= $(call lib,cache) $(BELOW_base)
BELOW_config	= $(call lib,config) $(BELOW_base)
BELOW_dialect	= $(call lib,dialect) $(call lib,cache) $(BELOW_http)
BELOW_replay	= $(call lib,proxy) $(call lib,config) $(BELOW_dialect)
BELOW_net	= $(call lib,net) $(BELOW_dialect)
BELOW_proxy	= $(call lib,proxy) $(call lib,net) $(call lib,config) $(BELOW_dialect)

HEADERS	:= $(wildcard */*.h */*/*.h)
UNITS	= $(foreach l,$(LAYERS),$(UNIT_$(l):%=$(BUILD)/unit/test_%))
FAULT_TESTS = $(FAULTS:%=$(BUILD)/faults/test_%)
THREADED = $(patsubst %,$(BUILD)/unit/test_%,flight gate ledger log scribe spool store \
	  store_write) \
	  $(patsubst %,$(BUILD)/faults/test_%,beside disk)
PLAYER	= $(BUILD)/replay-player
SUBMAKE	= $(MAKE) --no-print-directory DEPS=0
JOBS	= -j$(shell nproc)
# mode:what:where below PREFIX
INSTALLED = 755:$(BUILD)/reprise:bin/reprise \
	  644:systemd/reprise.service:lib/systemd/system/reprise.service \
	  644:systemd/reprise.socket:lib/systemd/system/reprise.socket \
	  644:systemd/reprise.sysusers:lib/sysusers.d/reprise.conf \
	  644:systemd/reprise.tmpfiles:lib/tmpfiles.d/reprise.conf \
	  644:docs/reprise.1:share/man/man1/reprise.1 \
	  644:$(BUILD)/reprise.yaml.5:share/man/man5/reprise.yaml.5 \
	  644:completion/reprise.bash:share/bash-completion/completions/reprise \
	  644:config/reprise.yaml:share/doc/reprise/examples/reprise.yaml \
	  644:systemd/gpu.conf:share/doc/reprise/examples/gpu.conf

.PHONY: help all run demo test lint asan tsan fuzz bench install uninstall deb clean deps \
	deps-bench $(BENCH:%=bench-%) tests check check-deb check-fuzz check-clients \
	check-threads check-tsan soak tidy
help:
	@echo "make run      the proxy and a demo engine on http://127.0.0.1:8080"
	@echo "make demo     ask twice, wait once: a short run of the same on free ports"
	@echo "make test     everything that is checked"
	@echo "make all      build/reprise and build/demo-engine"
	@echo "make lint     the look of the code"
	@echo "make asan     unit, replay and scenario tests under ASan and UBSan"
	@echo "make tsan     what has threads, under TSan"
	@echo "make soak     the store, killed, cut and damaged at random, for some minutes"
	@echo "make fuzz     the parsers, FUZZ_SECONDS=$(FUZZ_SECONDS) each"
	@echo "make bench    speed, against peers in the same run; bench-hit and so on: one part"
	@echo "make install  to DESTDIR=$(DESTDIR) PREFIX=$(PREFIX), with its units; uninstall"
	@echo "make deb      a package for Debian; check-deb tries it in a fresh system"
	@echo "make deps     install what is missing to build and test; deps-bench, to measure"
	@echo "make clean"

all: $(BUILD)/reprise $(BUILD)/reprise.yaml.5 $(BUILD)/demo-engine

deps deps-bench:
	@echo "nothing is missing"

run demo:
	@$(SUBMAKE) $(JOBS) all
	@$(PYTHON) tests/engine/demo.py --build $(BUILD) $@

$(BUILD)/reprise: $(BUILD)/proxy/main.o $(BELOW_proxy)
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LDLIBS)

# The options stand in the page as the program knows them.
$(BUILD)/reprise.yaml.5: docs/reprise.yaml.5 $(BUILD)/reprise
	$(BUILD)/reprise schema --man >$@.options
	sed '/^\.\\" options$$/r $@.options' $< >$@

$(BUILD)/demo-engine: $(BUILD)/tests/engine/demo_engine.o $(BELOW_base)
	$(CC) $(CFLAGS) -o $@ $^ -levent_core -levent_extra -ljansson

$(BENCH_PROGRAMS): $(BUILD)/bench-%: $(BUILD)/bench/%.o $(BELOW_proxy)
	$(CC) $(CFLAGS) -o $@ $^ $(LDLIBS)
$(BUILD)/bench-store: LDLIBS += -Wl,--wrap=scribe_start,--wrap=scribe_stop

$(PLAYER): $(REPLAY:%=$(BUILD)/tests/replay/%.o) $(BELOW_replay)
	$(CC) $(CFLAGS) -o $@ $^ $(LDLIBS)

define layer
$(call lib,$(1)): $(SRC_$(1):%.c=$(BUILD)/%.o)
	@rm -f $$@
	$$(AR) rcs $$@ $$^
$(UNIT_$(1):%=$(BUILD)/unit/test_%): $(BUILD)/unit/test_%: \
    $(BUILD)/tests/unit/test_%.o $(BELOW_$(1))
	@mkdir -p $$(@D)
	$$(CC) $$(CFLAGS) -o $$@ $$^ -lcmocka $$(LDLIBS)
endef
$(foreach l,$(LAYERS),$(eval $(call layer,$(l))))

# The reader over llhttp as Debian would build it: not strict (H-1).
ifneq ($(LLHTTP_DIR),)
UNITS	+= $(BUILD)/unit/test_loose
$(BUILD)/unit/test_loose: tests/unit/test_loose.c $(SRC_http) $(SRC_base)
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) -ULLHTTP_STRICT_MODE -w -o $@ $^ $(LLHTTP_DIR)/*.c -lcmocka
endif

# The shim takes the place of the C library's calls, for LMDB too.
$(FAULT_TESTS): $(BUILD)/faults/test_%: $(BUILD)/tests/faults/test_%.o \
    $(BUILD)/tests/faults/shim.o $(BELOW_cache)
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) -rdynamic -o $@ $^ -lcmocka $(LDLIBS) -ldl

define fuzzer
$(BUILD)/fuzz/$(1): tests/fuzz/fuzz_$(1).c $(FUZZ_$(1))
	@mkdir -p $$(@D)
	clang -std=gnu17 -g -O1 -D_GNU_SOURCE -I. $$(LLHTTP_CFLAGS) \
	    -fsanitize=fuzzer,address,undefined -o $$@ $$^ -ljansson -lyaml -lxxhash -lcrypto \
	    $$(LLHTTP_LIBS)
endef
$(foreach f,$(FUZZ),$(eval $(call fuzzer,$(f))))

$(BUILD)/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) -MMD -MP -c -o $@ $<

$(BUILD)/llhttp/%.o: $(LLHTTP_DIR)/%.c
	@mkdir -p $(@D)
	$(CC) -O2 -g $(LLHTTP_CFLAGS) $(SANITIZE) -c -o $@ $<

# Loaded before the allocator, where that is the C library's.
$(BUILD)/faults/nomem.so: tests/faults/nomem.c
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) -shared -fPIC -o $@ $<

tests: all $(UNITS) $(FAULT_TESTS) $(PLAYER) $(if $(SANITIZE),,$(BUILD)/faults/nomem.so)

# Unit, fault, replay and scenario tests of what is in BUILD.
check:
	@$(SUBMAKE) $(JOBS) tests
	@tests/run $(UNITS) $(FAULT_TESTS)
	@for script in tests/replay/scripts/*.rpl; do $(PLAYER) $$script || exit 1; done
	@BUILD=$(BUILD) $(PYTHON) -B -m pytest -q -p no:cacheprovider tests/scenario

check-threads: $(THREADED)
	@tests/run $^

# What is done at random in `check`, for longer.
soak: $(FAULT_TESTS)
	@for seed in 1 2 3 4 5; do export SEED=$$seed; $(BUILD)/faults/test_damage || exit 1; done
	@CUTS=2000 $(BUILD)/faults/test_power_cut
	@ROUNDS=2000 $(BUILD)/faults/test_kill

check-fuzz: $(FUZZ:%=$(BUILD)/fuzz/%)
	@for f in $^; do mkdir -p $$f-found; \
	    $$f -max_total_time=$(FUZZ_SECONDS) -artifact_prefix=$$f- -verbosity=0 \
		-print_final_stats=1 $$f-found tests/fuzz/corpus/$${f##*/} >$$f.log 2>&1 || \
	    { cat $$f.log; exit 1; }; \
	    echo "fuzz $${f##*/}: $$(grep number_of_executed_units $$f.log)"; done

# The real SDKs, pinned; node's own runner.
check-clients:
	@cd tests/clients && npm ci --silent --no-audit --no-fund
	@cd tests/clients && REPRISE=$(abspath $(BUILD)/reprise) node --test

test:
	@$(SUBMAKE) lint
	@$(SUBMAKE) check
	@$(SUBMAKE) $(JOBS) $(FUZZ:%=$(BUILD)/fuzz/%)
	@$(SUBMAKE) check-fuzz FUZZ_SECONDS=5
	@$(SUBMAKE) check-clients
	@$(SUBMAKE) check-tsan
	@$(SUBMAKE) asan

asan:
	@$(SUBMAKE) BUILD=$(BUILD)/asan OPT=-O1 SANITIZE="$(ASAN)" check

check-tsan:
	@$(SUBMAKE) $(JOBS) BUILD=$(BUILD)/tsan OPT=-O1 SANITIZE=-fsanitize=thread check-threads

tsan:
	@$(SUBMAKE) BUILD=$(BUILD)/tsan OPT=-O1 SANITIZE=-fsanitize=thread check

fuzz:
	@$(SUBMAKE) $(JOBS) $(FUZZ:%=$(BUILD)/fuzz/%)
	@$(SUBMAKE) check-fuzz

$(BUILD)/tidy/%.ok: %.c .clang-tidy $(HEADERS)
	@mkdir -p $(@D)
	@clang-tidy --quiet $< -- -std=gnu17 -D_GNU_SOURCE -I. $(LLHTTP_CFLAGS) >$@.log 2>&1 || \
	    { cat $@.log; exit 1; }
	@touch $@

tidy: $(patsubst %.c,$(BUILD)/tidy/%.ok,$(foreach l,$(LAYERS),$(SRC_$(l))))

lint:
	@$(PYTHON) -B tests/lint.py
	@$(PYTHON) -B -m pytest -q -p no:cacheprovider tests/test_lint.py
	@$(SUBMAKE) $(JOBS) tidy
	@cppcheck -q --std=c11 --enable=warning,portability --inline-suppr --error-exitcode=1 \
	    --suppress=missingIncludeSystem -D'json_object_foreach(o,n,v)=while (next(o,&n,&v))' \
	    -D'json_array_foreach(a,i,v)=while (next(a,&i,&v))' \
	    -I. base cache config proxy

# All of them, whatever one of them says.
bench:
	@$(SUBMAKE) $(JOBS) all $(BENCH_PROGRAMS)
	@status=0; for b in $(BENCH); do $(SUBMAKE) bench-$$b || status=1; done; exit $$status

bench-hit bench-idle bench-metrics bench-reload bench-scale bench-store bench-stream \
    bench-team bench-tls: bench-%: all $(BENCH_PROGRAMS)
	@BUILD=$(BUILD) $(PYTHON) -B bench/$*.py

# Those that are a program alone.
bench-canon bench-sieve: bench-%: $(BUILD)/bench-%
	@$<

install: $(BUILD)/reprise $(BUILD)/reprise.yaml.5
	@set -e; for file in $(INSTALLED); do IFS=:; set -- $$file; \
	    install -D -m $$1 $$2 $(DESTDIR)$(PREFIX)/$$3; done
	@sed -i 's,/usr/local/bin,$(PREFIX)/bin,' \
	    $(DESTDIR)$(PREFIX)/lib/systemd/system/reprise.service
	@test -e $(DESTDIR)/etc/reprise/reprise.yaml || \
	    install -D -m 640 systemd/reprise.yaml $(DESTDIR)/etc/reprise/reprise.yaml
	@echo "installed in $(DESTDIR)$(PREFIX); next, as root:"
	@echo "  systemd-sysusers reprise.conf && systemd-tmpfiles --create reprise.conf"
	@echo "  systemctl daemon-reload && systemctl enable --now reprise"
	@echo "what it does: $(DESTDIR)/etc/reprise/reprise.yaml, man reprise.yaml"

uninstall:
	@rm -f $(foreach file,$(INSTALLED),$(DESTDIR)$(PREFIX)/$(lastword $(subst :, ,$(file))))
	@rm -df $(DESTDIR)$(DOC)/examples $(DESTDIR)$(DOC) 2>/dev/null || true
	@echo "if it still runs: systemctl disable --now reprise reprise.socket"
	@echo "left: $(DESTDIR)/etc/reprise, the cache in /var/cache/reprise, the user reprise"

# In a copy, for what packages are made of is not for the tree.
deb:
	@rm -rf $(BUILD)/deb
	@mkdir -p $(BUILD)/deb/reprise
	@tar -c --exclude=./build --exclude=./.git --exclude=node_modules . | \
	    tar -x -C $(BUILD)/deb/reprise
	@cd $(BUILD)/deb/reprise && \
	    dpkg-buildpackage $(JOBS) -b -uc -us >../log 2>&1 || { cat ../log; exit 1; }
	@echo $(BUILD)/deb/reprise_*.deb

# The package in a fresh system: installed, upgraded, removed, purged.
check-deb: deb
	@$(PYTHON) -B tests/package/check_deb.py $(BUILD)/deb

clean:
	rm -rf build tests/clients/node_modules

-include $(shell find $(BUILD) -path $(BUILD)/deb -prune -o -name '*.d' -print 2>/dev/null)
.SECONDARY:
