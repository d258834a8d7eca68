# SPDX-License-Identifier: MIT
# Reprise. `make help` says what there is; DEPS=0 skips the look for packages.

BUILD	?= build
PREFIX	?= /usr/local
DESTDIR	?=
CC	= gcc
OPT	?= -O2
WARN	= -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes \
	  -Wcast-qual -Wvla -Werror
PKGS	= libevent_core libcurl jansson yaml-0.1 libsystemd libxxhash lmdb openssl
CFLAGS	= -std=gnu17 -g $(OPT) $(WARN) -D_GNU_SOURCE -I. $(LLHTTP_CFLAGS) $(SANITIZE) -pthread \
	  -fstack-protector-strong
LDLIBS	= -levent_core -lcurl -ljansson -lyaml -lsystemd -llmdb -lxxhash -lcrypto $(LLHTTP_LIBS)
ASAN	= -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer

# Debian 12 has llhttp as sources; elsewhere it is a library (libllhttp).
LLHTTP_DIR	= /usr/share/llhttp
ifneq ($(wildcard $(LLHTTP_DIR)/llhttp.c),)
LLHTTP_CFLAGS	= -DLLHTTP_STRICT_MODE=1 -I/usr/share/include/llhttp
LLHTTP_OBJ	= $(patsubst %,$(BUILD)/llhttp/%.o,api http llhttp)
else
LLHTTP_LIBS	= -lllhttp
endif

BASE	= arena buf bytes clock err glob log mem num
HTTP	= error_body field head_scan reader respond
CACHE	= canon digest entry key policy scribe spell store store_file
CONFIG	= config defaults load option route schema secret tree
DIALECT	= anthropic dialect field_use hf llama ollama openai raw tei tgi verdict
NET	= conn fetch listen loop multi notify
PROXY	= access_log answer cli client forward request request_step server stats version worker

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
BELOW_proxy	= $(call lib,proxy) $(call lib,net) $(call lib,config) $(BELOW_dialect)

UNIT_base	= arena buf bytes glob log num
UNIT_http	= error_body field head_scan reader respond
UNIT_cache	= canon digest entry key policy scribe spell store
UNIT_config	= config route schema secret
UNIT_dialect	= dialect field_use verdict
UNIT	= $(foreach l,base http cache config dialect,$(UNIT_$(l):%=$(BUILD)/unit/test_%))

.PHONY: help all clean
help:
	@echo "see the targets in this Makefile"

all: $(BUILD)/reprise $(BUILD)/demo-engine

$(BUILD)/reprise: $(BUILD)/proxy/main.o $(BELOW_proxy)
	$(CC) $(CFLAGS) -o $@ $^ $(LDLIBS)

$(BUILD)/demo-engine: tests/engine/demo_engine.c
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) -o $@ $^ -levent_core -levent_extra -ljansson

define layer
$(call lib,$(1)): $(SRC_$(1):%.c=$(BUILD)/%.o)
	$$(AR) rcs $$@ $$^
$(UNIT_$(1):%=$(BUILD)/unit/test_%): $(BUILD)/unit/test_%: $(BUILD)/tests/unit/test_%.o $(BELOW_$(1))
	@mkdir -p $$(@D)
	$$(CC) $$(CFLAGS) -o $$@ $$^ -lcmocka $$(LDLIBS)
endef
$(foreach l,$(LAYERS),$(eval $(call layer,$(l))))

$(BUILD)/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) -MMD -MP -c -o $@ $<

$(BUILD)/llhttp/%.o: $(LLHTTP_DIR)/%.c
	@mkdir -p $(@D)
	$(CC) -O2 -g $(LLHTTP_CFLAGS) $(SANITIZE) -c -o $@ $<

clean:
	rm -rf build

-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)
.SECONDARY:
