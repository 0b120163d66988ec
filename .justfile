# Does it compile, tests and benches included?
check:
    cargo check --locked --all-targets

# Every test.
test:
    cargo test --locked

# Clippy with warnings denied.
lint:
    cargo clippy --locked --all-targets -- -D warnings

# Put the sources into their form.
fmt:
    cargo fmt

# The library's pages, with warnings denied.
docs:
    RUSTDOCFLAGS="-D warnings" cargo doc --locked --no-deps

# Write what berth says of wrong blueprints, and the generated reference, anew.
regen:
    .ci/run print-reference > docs/reference/cli.md
    BERTH_REGEN=1 cargo test --locked --test it errors::every_mistake_is_told_with_its_place_and_a_remedy
    BERTH_REGEN=1 cargo test --locked --test it manual::generated_files_are_current

# What people wait for, measured.
bench:
    cargo bench --locked

# Compare with recorded Azure traffic and schemas (BERTH_AZURE_FACTS names their folder).
conformance:
    .ci/run conformance

# The real Azure CLI against the simulator (BERTH_AZ names it; else it comes from PyPI, below target/).
az:
    .ci/run az

# Licences, duplicates and sources of dependencies.
deny:
    .ci/run deny

# Everything that must hold before a change goes in.
ci:
    .ci/run
