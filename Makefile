# Copyright: Hostler contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
PYTHON := .venv/bin/python
HOSTS := tests/rigs/libvirt/hosts.sh
OPENSTACK := tests/rigs/openstack/box
PYTHONS := $(shell pyenv root 2>/dev/null | xargs -I{} sh -c 'printf "%s:" {}/versions/*/bin')
GUEST := .cache/guest/hostler-guest.qcow2

# IMAGE: a cloud image of your own for the demo; empty: the small guest that is built here.
IMAGE ?=

.PHONY: help setup demo demo-gpu test quick matrix bench docs release rig-libvirt rig-libvirt-down clean \
	rig-openstack rig-openstack-down rig-openstack-reset

help: ## list what can be made
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-20s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## install what is missing, make .venv, start libvirt, build the guest image
	@tests/setup/setup.sh

demo: ## create, look at and remove real VMs here (IMAGE=my-cloud-image.qcow2 for your own guest)
	@tests/setup/setup.sh --demo $(if $(IMAGE),--no-guest)
	@image="$(or $(IMAGE),$(GUEST))"; \
	[ -r "$$image" ] || { echo "demo: no such image: $$image" >&2; exit 1; }; \
	.venv/bin/ansible-playbook playbooks/demo.yml --extra-vars "image='$$(realpath "$$image")'"

demo-gpu: ## move a GPU host on a real OpenStack with fake GPU hosts, and back
	@tests/setup/setup.sh --demo --no-guest
	@$(OPENSTACK) up
	@eval "$$($(OPENSTACK) env)"; .venv/bin/ansible-playbook playbooks/migrate_gpu_host.yml \
	  --extra-vars '{"gpu_type": "L40", "move": ["gpu-host-002"], "pool": "runpod"}'
	@eval "$$($(OPENSTACK) env)"; .venv/bin/hostler gpu move gpu-host-002 --to L40-n3 --yes --quiet
	@echo "gpu-host-002 is back in L40-n3. The OpenStack still runs: make rig-openstack-down stops it."

test: setup rig-libvirt rig-openstack ## run every check there is, against real libvirt hosts and a real OpenStack
	@status=0; $(PYTHON) tests/run.py || status=$$?; $(HOSTS) down; $(OPENSTACK) down; exit $$status

quick: ## run the checks that need no libvirt (seconds)
	@$(PYTHON) tests/run.py --quick

matrix: setup ## run sanity, units and a smoke test on every ansible-core and Python of tox.ini (an hour)
	@PATH="$(PYTHONS)$$PATH" .venv/bin/tox run

bench: setup ## measure speed on a libvirt host of its own, and write docs/benchmarks.md
	@cd tests && ../$(PYTHON) -u -m benchmarks

docs: ## build the documentation's website in .cache/docs/html, and check its links
	@$(PYTHON) tests/run.py --stage docs --stage website

release: setup ## prepare a release: changelog, versions, artefacts in dist/, commit, tag (VERSION=0.2.0, DRY=1 to try)
	@$(PYTHON) release/prepare.py $(or $(VERSION),$(error say VERSION=MAJOR.MINOR.PATCH)) $(if $(DRY),--dry-run)

rig-libvirt: ## start two isolated libvirt hosts (qemu+tcp://10.77.0.1 and .2)
	@$(HOSTS) up

rig-libvirt-down: ## stop them and remove what they left
	@$(HOSTS) down

clean: ## remove all that was built here (not the system packages, nor libvirt's VMs)
	@for rig in .cache/rigs/libvirt/*/; do [ ! -d "$$rig" ] || HOSTLER_RIG_NET=$$(basename "$$rig") $(HOSTS) down; done
	@[ ! -d .cache/rigs/openstack ] || $(OPENSTACK) down
	rm -rf .venv .cache .tox tests/output dist sdk/dist

rig-openstack: ## start a real OpenStack with 8 fake GPU hosts (installs what is missing)
	@$(OPENSTACK) up

rig-openstack-down: ## stop it; its data stays
	@$(OPENSTACK) down

rig-openstack-reset: ## bring its servers, ports, aggregates and services back to the seeded state
	@$(OPENSTACK) reset
