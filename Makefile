# make run     the demo: a web application with our sessions, on http://127.0.0.1:8080
# make demo-cluster  three servers with caches on one store, and a page that counts its calls; STORE=NAME for another store
# make test    everything: format, vet, linters, tests under the race detector, fuzzing, browser, real servers
# make soak    the long forms of the tests, for a night: more kills, seeds, rounds and fuzzing, larger stores
# make help    the rest

GO        ?= go
FUZZTIME  ?= 500ms
WORKERS   ?= 1
FUZZFLAGS ?= -fuzz=.
TIMEOUT   ?= 20m
ADDR      ?= 127.0.0.1:8080
SESSIONS  ?= 1000000
PEERS     := conformance/peers
STATIC    := honnef.co/go/tools/cmd/staticcheck@v0.8.2
VULN      := golang.org/x/vuln/cmd/govulncheck@v1.9.0

# With -trimpath what is compiled does not depend on the folder: a new clone compiles only what is new in it.
GOFLAGS := $(or $(value GOFLAGS),$(shell $(GO) env GOFLAGS 2>/dev/null))
ifeq (,$(findstring -trimpath,$(GOFLAGS)))
GOFLAGS += -trimpath
endif
export GOFLAGS

# Runs a command within servers of its own, unless it is within some already.
SERVERS   := .ci/servers run
# A line with the name of make itself runs even if make -n only shows what it would do.
SUB        = $(MAKE) --no-print-directory

.PHONY: npm release packaging shots docs docs-serve help run demo-cluster test soak reported filled all tools wasm edge servers lint unit tests all-tests peers fuzz mission table bench bench-stores bench-wasm stores-ratios wasm-ratios crash kills timing vuln clean

help:
	@sed -n 's/^# \(make .*\)/\1/p' Makefile
	@echo 'make lint    gofmt, vet, staticcheck'
	@echo 'make unit    the tests of all Go modules but the mission and the peers; what needs a server is skipped'
	@echo 'make tests   all tests of Go at once, with servers and a browser, and the table of promises'
	@echo 'make wasm    core.wasm from nothing, compared with the committed one (wasm/build --write replaces it)'
	@echo 'make edge    the story of one session in workerd, Deno, Bun and Node'
	@echo 'make servers PostgreSQL, MariaDB, Redis and a cluster until ctrl-C, for go test in another terminal'
	@echo 'make peers   the browser, the peers and the vectors of others, in their own module'
	@echo 'make packaging  the release: binaries, SBOM, container, Helm chart, workflows'
	@echo 'make release  prepares a release: make release VERSION=v0.1.0 (CONTRIBUTING.md has the steps)'
	@echo 'make fuzz    every fuzz target for FUZZTIME ($(FUZZTIME)), each by WORKERS ($(WORKERS))'
	@echo 'make mission the table of promises from a test run'
	@echo 'make bench   ratios against the raw limits and the peers'
	@echo 'make bench-stores  the stores, empty and with SESSIONS ($(SESSIONS)), and the guest, into conformance/peers/RESULTS.md'
	@echo 'make crash   of make soak the kills alone: every durable store killed 200 times under load'
	@echo 'make timing  does the time of our AES depend on secrets? for nightly runs: it prints and judges nothing'
	@echo 'make docs    the pages as a site, into site/dist; a dead link fails. make docs-serve shows it at http://localhost:4173'
	@echo 'make shots   the screenshots of the documents, from both demos, into docs/shots'
	@echo 'make vuln    govulncheck, where its database can be reached'

run:
	$(GO) run ./cmd/sessionctl demo --addr $(ADDR)

export STORE
demo-cluster:
	ADDR=$(ADDR) $(GO) run ./examples/cluster

# How long the parts took, what is slow and what was skipped is kept here until the end.
REPORT := $(CURDIR)/tests.out
# Two parts run at once: the tests of Go, which take the longest, and beside them the others,
# one after another. The browser tests open the site, and other tests walk through the folders
# that npm fills: docs and npm are over before, both at once, since they wait for the network.
PARTS  := docs npm lint tests edge packaging fuzz vuln
JOBS   ?= 3
after   = $(filter $(1:%=timed-%),$(PARTS:%=timed-%))
timed-tests: $(call after,docs npm)
timed-edge: $(call after,lint npm)
timed-packaging: $(call after,lint edge)
timed-fuzz: $(call after,packaging)
timed-vuln: $(call after,fuzz)

test:
	@echo 'make test: format, linters, tests of Go and JavaScript, fuzzing, a browser, real servers; about 15 minutes on two idle processors, twice as long the first time.'
	@$(MAKE) --no-print-directory tools reported FUZZFLAGS='$(RACE)'
	@echo 'make test: all passed'

reported:
	@rm -f $(REPORT)
	@$(SERVERS) $(SUB) -j$(JOBS) all; status=$$?; \
	  if [ -s $(REPORT) ]; then $(GO) run ./release/testreport $(REPORT); fi; exit $$status

# After a part that fails no other begins.
all: $(PARTS:%=timed-%)

timed-%:
	@.ci/timed $* $(REPORT) $(MAKE) --no-print-directory $*

# Tests read SOAK by internal/soak.
soak:
	@echo 'make soak: the long forms of the tests; some hours on two processors, and several gigabytes in TMPDIR.'
	@SOAK=1 RUNS=2000 $(MAKE) --no-print-directory tools reported JOBS=1 FUZZTIME=1m WORKERS=$$(getconf _NPROCESSORS_ONLN) TIMEOUT=6h PARTS='docs tests fuzz filled'
	@echo 'make soak: all passed'

tools:
	@echo 'It installs a Chromium, PostgreSQL, MariaDB, Redis, nginx and HAProxy by apt-get where it may, and npm packages into hosts/js and site.'
	@sh .ci/tools

servers:
	@.ci/servers up

wasm:
	@sh wasm/build

# The second Node among what the tests need is for Linux on x64: elsewhere it is
# no reason to refuse the rest.
NPM_CI := npm ci --no-audit --no-fund --loglevel=error $(if $(filter Linux-x86_64,$(shell uname -sm | tr ' ' -)),,--force)
npm:
	@cd hosts/js && { [ node_modules/.package-lock.json -nt package-lock.json ] || $(NPM_CI); }

edge: npm
	cd hosts/js && npm test && node test/story/run.mjs

# The race detector looks into all code but what computes much and shares nothing: SQLite, which
# is C translated to Go, most of wazero's compiler, and hashes. Nothing that uses sync or sync/atomic may
# be left out. Nor does checkptr look into the standard library, whose unsafe code is not ours to
# test. The garbage collector waits longer, for compilers and linters more than for the tests.
export GORACE ?= atexit_sleep_ms=0
export GOGC   ?= 400
WAZEVO := github.com/tetratelabs/wazero/internal/engine/wazevo
FIPS   := crypto/internal/fips140
SOLO   := github.com/ncruces/go-sqlite3-wasm/... $(WAZEVO)/ssa $(WAZEVO)/backend/... $(FIPS)/sha256 $(FIPS)/hmac $(FIPS)/pbkdf2
RACE   := -race -gcflags=std=-d=checkptr=0 $(SOLO:%=-gcflags=%=-race=false)

# Under -race as the tests are: what they import is compiled once for both.
lint:
	@unformatted=$$(find . -name node_modules -prune -o -name '*.go' -exec gofmt -l {} +); \
	  test -z "$$unformatted" || { echo "gofmt would change: $$unformatted"; exit 1; }
	$(GO) vet $(RACE) work
	GOFLAGS="$$GOFLAGS $(RACE)" $(GO) run -race=false -gcflags=all= $(STATIC) $$($(GO) list work)

# RUNS are the seeds that the model of conformance plays on each store. lint has called
# vet. UNRACED run without the race detector: one test of fiber says why. The others spend their
# time in WebAssembly and in SQLite, where the detector finds nothing and makes all ten times slower.
RUNS  ?= 50
TESTS := RUNS=$(RUNS) $(GO) test $(RACE) -vet=off -json -timeout $(TIMEOUT)
SHOWN := $(GO) run ./release/testreport
UNRACED := ^(TestTimeoutOutside|TestReference|TestAESInWasm.*|TestSQLiteByOtherDrivers)$$
RACED  := $(TESTS) -skip '$(UNRACED)'
PLAIN  := $(filter-out $(RACE),$(TESTS)) -run '$(UNRACED)' ./hosts/fiber/ ./conformance/vectors/ ./$(PEERS)/ ./$(PEERS)/drivers/

# All tests of Go. Those of several packages run at once, because many wait for servers,
# disks and browsers; the longest begin first.
AT_ONCE ?= 4
LONGEST := stores/all/fresh $(PEERS)/browser conformance/mission cachestore/redis dbstore/sqlite examples/natsstore cmd/sessionctl \
	fsstore/internal/seglog fsstore/internal/slots dbstore/postgres conformance release dbstore/mysql dbstore/tests
tests:
	@$(SERVERS) $(SUB) all-tests

# The programs that tests build and run need no symbols for debuggers, which take time to link.
all-tests: GOFLAGS += -ldflags=-s
all-tests:
	@{ $(RACED) -count=1 -p $(AT_ONCE) $(LONGEST:%=./%) $$($(GO) list work); $(PLAIN); } | tee events.out | $(SHOWN) tests $(REPORT); status=$$?; \
	  grep '"Test":"TestMission' events.out | $(GO) run ./conformance/mission/table && exit $$status

unit:
	@{ $(RACED) $$($(GO) list work | grep -v -e conformance/mission$$ -e conformance/peers); $(PLAIN); } | $(SHOWN) unit $(REPORT)

# Not from the cache, which knows nothing of the programs and the site that they run.
peers:
	@$(TESTS) -count=1 -skip '^TestMission$$' ./$(PEERS)/... | $(SHOWN) peers $(REPORT)

# In no workspace (deploy/doc.go says why), and never from the cache: what it builds is not seen by it.
packaging:
	@GOWORK=off $(GO) -C deploy mod tidy -diff && GOWORK=off $(GO) -C deploy vet ./...
	@GOWORK=off $(GO) -C deploy test -vet=off -count=1 -json -timeout $(TIMEOUT) ./... | $(SHOWN) packaging $(REPORT)

fuzz:
	@sh .ci/fuzz $(FUZZTIME) $(WORKERS) $(FUZZFLAGS)

# The table is made from the run itself: a row without a passing test is never ok.
mission:
	@$(SERVERS) $(SUB) table

table:
	@{ $(TESTS) -count=1 ./conformance/mission/; \
	   $(TESTS) -count=1 -run TestMission ./$(PEERS)/browser/; } > mission.out; \
	  $(SHOWN) mission $(REPORT) < mission.out; status=$$?; \
	  $(GO) run ./conformance/mission/table < mission.out && exit $$status

bench:
	@$(SERVERS) $(SUB) ratios

ratios:
	$(GO) test -run '^$$' -bench Ratio -benchtime 1x work

# Each benchmark five times: the table has median and range. Stores are filled
# with SESSIONS once.
STORES := ./hosts/... ./fsstore/... ./dbstore/sqlite/ ./dbstore/postgres/ ./dbstore/mysql/ ./cachestore/redis/
FIVE   := -run '^$$' -benchtime 1x -count 5 -timeout 60m -bench
bench-stores:
	@$(SERVERS) $(SUB) stores-ratios

stores-ratios:
	@{ $(GO) test -p 1 $(FIVE) Ratio $(STORES); \
	   (cd $(PEERS) && $(GO) test $(FIVE) 'Ratio(Stores|Redis|OneOfMany)' .); \
	   $(GO) test -run '^$$' -benchtime 1x -bench RatioRevoke ./stores/all/; \
	   BENCH_SESSIONS=$(SESSIONS) $(GO) test -run '^$$' -benchtime 1x -bench RatioZipf ./cachestore/; \
	   (cd $(PEERS) && $(GO) test -p 1 $(FIVE) 'Ratio(Reads|Adds)' ./reads); \
	   $(SUB) filled; \
	   $(SUB) bench-wasm; } > ratios.out; \
	status=$$?; cd $(PEERS) && $(GO) run ./results < ../../ratios.out > RESULTS.new && mv RESULTS.new RESULTS.md; exit $$status

filled:
	@BENCH_SESSIONS=$(SESSIONS) $(GO) test -run '^$$' -benchtime 1x -timeout 3h -bench Filled ./$(PEERS)/filled

bench-wasm:
	$(GO) test -p 1 $(FIVE) Ratio ./hosts/wazero/ ./hosts/gateway/
	cd hosts/js && $(NPM_CI) && npm run bench

crash:
	@$(SERVERS) $(SUB) kills

kills:
	SOAK=1 $(GO) test -count=1 -v -timeout 60m -run 'SurviveKill|ServerThatIsKilled' ./fsstore/... ./dbstore/sqlite/ ./dbstore/postgres/ ./dbstore/mysql/ ./dbstore/tests/ | grep -v 'no test'

# With TAGS=timing,purego it also shows Go's own code with tables. TestTiming tells how to read it.
TAGS ?= timing
timing:
	$(GO) test -tags $(TAGS) -run '^TestTiming$$' -count 1 -v ./internal/aesgcm

# Prepares a release of all modules: make release VERSION=v0.1.0. It says what is missing, or what to do next.
release:
	@$(GO) run ./release set "$(VERSION)"

vuln:
	@sh .ci/vuln $(VULN)

# The test of the site, among the peers, opens what this has built.
docs:
	@cd site && { [ node_modules/.package-lock.json -nt package-lock.json ] || npm ci --no-audit --no-fund --loglevel=error; } && npm run --silent build
	@echo 'make docs: the site is in site/dist; make docs-serve shows it'

docs-serve: docs
	cd site && npm run serve

# Runs the demos, a Prometheus and a Chromium by itself.
shots:
	cd $(PEERS) && $(GO) run ./browser/shots ../../docs/shots

clean:
	rm -rf bin
