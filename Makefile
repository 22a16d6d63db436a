# Thin over concord.py, which needs no make.
PYTHON ?= python3

.PHONY: run test test-all build lock messages help
run test test-all build lock messages help:
	$(PYTHON) concord.py $@ $(ARGS)
