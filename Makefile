# xrdpfix: build it, see it work, test it. `make help` lists the targets.

GO     ?= go
# So that a clone owned by somebody else builds too; the version comes from git
# below, and not from the build.
export GOFLAGS ?= -buildvcs=false
VERSION = $(shell git describe --tags --always --dirty 2>/dev/null || echo devel)
REVISION = $(shell git rev-parse HEAD 2>/dev/null)
EPOCH = $(or $(SOURCE_DATE_EPOCH),$(shell git log -1 --format=%ct 2>/dev/null))
DATE = $(if $(EPOCH),$(shell date -u -d @$(EPOCH) +%Y-%m-%dT%H:%M:%SZ))
# MAINTAINER="Name <address>" and HOMEPAGE=https://... are named in the packages.
BUILD = $(GO) run ./packaging/build $(if $(MAINTAINER),-maintainer '$(MAINTAINER)') $(if $(HOMEPAGE),-homepage '$(HOMEPAGE)')
TESTRUN = $(GO) run ./internal/repotest/testrun

build: go ## the program, static, as bin/xrdpfix (the default)
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags '-s -w -X main.version=$(VERSION) -X main.revision=$(REVISION) -X main.buildDate=$(DATE)' -o bin/xrdpfix ./cmd/xrdpfix

demo: build ## a stock Debian 12 with a broken xrdp, repaired before your eyes (root)
	@$(GO) run ./internal/lab/demo bin/xrdpfix

test: build ## all that a change needs, real servers included (root)
	@$(TESTRUN)

test-all: build ## every row on every suite, longer fuzzing; writes the documents (root)
	@$(TESTRUN) -all
	@$(MAKE) --no-print-directory docs

docs: go ## the documents that are generated from the code
	$(GO) run ./internal/repotest/gendocs

man: build ## the man pages, as dist/man/*.8
	bin/xrdpfix generate man dist/man

packages: go ## .deb, .rpm and Ansible collection, into dist
	@$(BUILD) packages

release: go ## packages, binaries, SBOM, sums, notes into dist; signed with KEY=...
	@$(BUILD) -key '$(KEY)' release

lint: go ## gofmt, go vet and golangci-lint
	@$(TESTRUN) format vet lint

vuln: go ## known vulnerabilities in what is linked, where their database answers
	@$(TESTRUN) vuln

bench: build ## xrdpfix beside its peers, into docs/benchmarks.md; half an hour (root)
	@$(GO) run ./bench $(BENCH) bin/xrdpfix

clean: ## remove what was built (images and tools stay in their caches)
	rm -rf bin dist

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-9s %s\n", $$1, $$2 }' Makefile

# The version of Go comes before everything else, in one line.
go:
	@want=$$(sed -n 's/^go \([0-9]*\.[0-9]*\).*/\1/p' go.mod); \
	have=$$($(GO) env GOVERSION 2>/dev/null | sed 's/[^0-9]*\([0-9.]*\).*/\1/'); \
	if [ -z "$$have" ] || [ "$$(printf '%s\n' "$$want" "$$have" | sort -V | head -n 1)" != "$$want" ]; then \
		have=$$(cd / && GOTOOLCHAIN=local $(GO) version 2>/dev/null | cut -d ' ' -f 3); \
		echo "xrdpfix needs Go $$want or newer, here is $${have:-none}: install it from https://go.dev/doc/install" >&2; \
		exit 1; \
	fi

.PHONY: build demo test test-all docs man packages release lint vuln bench clean help go
