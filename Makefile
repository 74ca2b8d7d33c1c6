# Thin: every target is one or two commands. `make help` lists them.
DEMO_SECONDS ?=
SPEED ?=

.PHONY: help run test test-install conformance guest guest-rauc street-week prove campaign analyze bench fuzz deb format clean

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## /  make \1\t/p' Makefile | expand -t 20

run: ## build, then charge a simulated scooter and two cars: prints the dashboard's address (DEMO_SECONDS=90: unattended)
	@tools/setup run
	@tools/build release
	@/usr/bin/env python3 tools/demo.py --build build/release $(if $(DEMO_SECONDS),--seconds $(DEMO_SECONDS)) $(if $(SPEED),--speed $(SPEED))

test: ## everything that must hold: builds, linters, unit tests, peers, guest, browser
	@tools/setup test
	@tools/check

conformance: ## the 177 cases of an OCPP 1.6 charge point, 16 of attacks, and those of a central: id, situation, outcome
	@tools/setup test
	@tools/build dev
	@build/dev/bin/conformance_ocpp16
	@build/dev/bin/conformance_central

street-week: ## 20 stations on one fuse for a simulated week (SITE_HOURS, SITE_SEED): about a quarter of an hour
	@tools/setup test
	@tools/build dev
	@SITE_HOURS=$(or $(SITE_HOURS),168) SITE_SEED=$(or $(SITE_SEED),20260101) build/dev/test/street/test_street_site

prove: ## Frama-C: contactor contract, no run-time errors, and every guard taken away in turn (doc/proofs.md)
	@tools/setup test
	@tools/prove

campaign: ## 10^8 noisy pilot samples, 10^6 random orders of events, 300 cuts of the running station (CAMPAIGN_SEED=n: again)
	@tools/setup test
	@tools/campaign

analyze: ## clang's static analyzer over every source: some minutes (gcc's is part of make test)
	@tools/setup test
	@tools/lint clang-analyzer

bench: ## figures as ratios against something real in the same run
	@tools/setup test
	@tools/build bench
	@tools/build cortex-m
	@/usr/bin/env python3 tools/bench.py

fuzz: ## libFuzzer on every target for FUZZ_SECONDS (default 60) each; with FUZZ_KEEP=1 new inputs go to fuzz/corpus
	@tools/setup test
	@tools/fuzz

guest: ## a native board on the GPIO lines and PWM of a kernel of its own (downloads that kernel)
	@tools/setup guest
	@tools/build dev
	@test/peers/board/run-in-guest.sh build/dev/test/peers/board_guest build/guest

guest-rauc: ## the packaged station in system images, good and bad, that RAUC installs and GRUB boots, in qemu: half an hour or more (root)
	@tools/setup guest
	@tools/guest_rauc

test-install: ## the packages in a fresh Debian 12 that boots: install, update, go back, upgrade, purge (root)
	@tools/setup test
	@tools/test_install

deb: ## Debian packages of station, central, simulator and command line into build/deb (VERSION=1.2.3: as that version)
	@tools/setup deb
	@tools/deb $(VERSION)

format: ## clang-format every C file in place
	@tools/setup test
	@git ls-files '*.c' '*.h' | xargs clang-format -i

clean: ## remove everything built
	rm -rf build web/dist tools/__pycache__
