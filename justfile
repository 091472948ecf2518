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

# installs the real clients into crates/testing/acceptance/clients/.clients (Python 3, Node.js and npm needed; Go, Maven, the headers of OpenSSL if there)
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

# the binary that ships: linked statically
binary:
    cargo fetch --locked
    cargo build --release --target x86_64-unknown-linux-gnu --config "$(.ci/rustflags x86_64-unknown-linux-gnu)"

# ratios of the binary that ships beside a bare server and the raw signature, over HTTP; bounded in count and time
load: binary
    cargo run --release -p mocktenant-acceptance --bin mocktenant-load -- --binary target/x86_64-unknown-linux-gnu/release/mocktenant

# the same where both products have a million rows: a few minutes, 3 GiB of memory
load-rows ROWS="1000000": binary
    cargo run --release -p mocktenant-acceptance --bin mocktenant-load -- --binary target/x86_64-unknown-linux-gnu/release/mocktenant --rows {{ROWS}}

# changes what guards something, one line at a time, and tells which change no test notices (needs cargo-mutants)
mutants *ARGS:
    cargo mutants --workspace {{ARGS}}

# the long forms of the load and fault tests, and a while of fuzzing, with a table at the end; at most half an hour
prove *ARGS:
    cargo run --release -p mocktenant-acceptance --bin mocktenant-prove -- {{ARGS}}

# the binaries that ship, with checksums: Linux, linked statically, and Windows where mingw-w64 and nasm are
dist:
    #!/usr/bin/env bash
    set -euo pipefail
    rm -rf dist && mkdir dist
    ship() {
        rustup target add "$1" >/dev/null 2>&1
        cargo build --release --locked --target "$1" --config "$(.ci/rustflags "$1")"
        cp "target/$1/release/mocktenant$2" "dist/mocktenant-$1$2"
    }
    just binary
    cp target/x86_64-unknown-linux-gnu/release/mocktenant dist/mocktenant-x86_64-unknown-linux-gnu
    if command -v x86_64-w64-mingw32-gcc nasm >/dev/null; then
        ship x86_64-pc-windows-gnu .exe
    else
        echo 'no mingw-w64 and nasm here: no binary for Windows'
    fi
    (cd dist && sha256sum mocktenant-* | tee SHA256SUMS)

ci: fmt lint test deny check-generated
