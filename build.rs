//! How the binary is linked on Linux, for the memory that it holds from the start on.
//!
//! - Packed relocations (`DT_RELR`, glibc 2.36 and later): their tables shrink from 1.3 MB to a few kilobytes.
//! - `TRANSOM_LINK_ORDER`, a file that `deploy/build` makes: the functions that a start and an idle process call stand side by side.
//!   Memory is mapped in pieces that are larger than a function, so scattered ones hold several times their size. Only Rust's own
//!   linker for x86-64 knows the option.

use std::env;

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-env-changed=TRANSOM_LINK_ORDER");
    let var = |name: &str| env::var(name).unwrap_or_default();
    if var("CARGO_CFG_TARGET_OS") != "linux" || var("CARGO_CFG_TARGET_ENV") != "gnu" {
        return;
    }
    link("-z,pack-relative-relocs");
    let order = var("TRANSOM_LINK_ORDER");
    if !order.is_empty() {
        println!("cargo:rerun-if-changed={order}");
        link(&format!("--symbol-ordering-file={order}"));
        link("--no-warn-symbol-ordering");
    }
}

fn link(option: &str) {
    println!("cargo:rustc-link-arg-bins=-Wl,{option}");
}
