# Shorthands. `fmt`, `lint`, `test` and `check-generated` are the stages that `.ci/run` runs too.

default:
    @just --list

# serve a lab on the default ports
serve *ARGS:
    cargo run --release -- {{ARGS}}

fmt:
    cargo fmt --all --check

lint:
    cargo clippy --workspace --all-targets -- -D warnings

# the README's own test command
test:
    cargo test --workspace

# licences, bans, duplicate versions, advisories (needs cargo-deny)
deny:
    cargo deny check bans licenses sources

# installs the real clients into crates/testing/acceptance/clients/.clients (Python 3, Node.js and npm needed; Go, Maven if there)
clients:
    crates/testing/acceptance/clients/install

# regenerate documents and fixtures; CI runs the check
generate:
    cargo xtask generate

check-generated:
    cargo xtask generate --check

# ratios beside the raw signature, in-process
bench *ARGS:
    cargo bench -p mocktenant-acceptance --bench tokens -- {{ARGS}}

# how long an explanation takes, with everything it tries out
bench-explain:
    cargo bench -p mocktenant-acceptance --bench explain

# ratios beside a bare server and the raw signature, over HTTP; bounded in count and time
load:
    cargo run --release -p mocktenant-acceptance --bin mocktenant-load

# changes what guards something, one line at a time, and tells which change no test notices (needs cargo-mutants)
mutants *ARGS:
    cargo mutants --workspace {{ARGS}}

# the long forms of the load and fault tests, and a while of fuzzing, with a table at the end; at most half an hour
prove *ARGS:
    cargo run --release -p mocktenant-acceptance --bin mocktenant-prove -- {{ARGS}}

ci: fmt lint test deny check-generated
